import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog
import Topology

/// Runs the cases of topologies: rows in, records compared.
package struct CaseRunner {
    private let plan: Plan

    package init(plan: Plan) { self.plan = plan }

    /// Runs one case. Returns a readable difference; nil when all is as expected.
    ///
    /// A bounded case merges its whole input by time and flushes. One with ticks, or that says
    /// `bounded: false`, takes each item as it comes.
    package func run(_ file: CaseFile) throws -> String? {
        let driver = TopologyDriver(plan: plan)
        let hasTicks = file.input.contains {
            if case .tick = $0.content { true } else { false }
        }
        let follows = hasTicks || !file.bounded
        /// Per source and offset: number of the input item.
        var items = plan.sources.map { _ in [Int]() }
        for (number, item) in file.input.enumerated() {
            switch item.content {
            case .tick(let time): try driver.tick(at: time)
            case .record(let name, let value):
                guard let source = plan.sources.firstIndex(where: { $0.name == name }) else {
                    continue  // the reader of cases has checked the name
                }
                items[source].append(number + 1)
                try driver.append(source: source, [record(item, value, of: source)])
                if follows { try driver.merge() }
            }
        }
        try driver.merge()
        if file.bounded { try driver.flush() }
        return CaseComparison.difference(
            file, produced: produced(driver), rejects: rejects(driver, items))
    }

    /// Without a stated arrival no row is ahead of it.
    private func record(_ item: CaseInput, _ value: CaseValue, of source: Int) -> OutputRecord {
        let arrival = item.arrival.map { $0 / 1000 } ?? Timestamp.maximum / 1000
        var record = OutputRecord(
            timestamp: arrival, key: item.key.map { Array($0.utf8) }, value: value.bytes,
            headers: [], headerCount: 0)
        if case .csv(let form) = plan.sources[source].format {
            let row = value.csv(form, schema: plan.sources[source].schema)
            record.value = row.value
            if form.hasHeader {
                RecordHeader(key: Array(RecordHeaders.csvHeader.utf8), value: row.header)
                    .encode(into: &record.headers)
                record.headerCount = 1
            }
        }
        return record
    }

    private func produced(_ driver: TopologyDriver) -> [String: [ProducedRecord]] {
        var result: [String: [ProducedRecord]] = [:]
        for (index, sink) in plan.sinks.enumerated() {
            result[sink.topic] = driver.records(sink: index).map { record in
                ProducedRecord(
                    key: record.key.map { String(decoding: $0, as: UTF8.self) },
                    time: record.timestamp * 1000,
                    change: record.header("plumbline.change") ?? "new",
                    revision: record.header("plumbline.revision").flatMap { Int($0) } ?? 0,
                    value: String(decoding: record.value ?? [], as: UTF8.self))
            }
        }
        return result
    }

    private func rejects(_ driver: TopologyDriver, _ items: [[Int]]) -> [ProducedReject] {
        driver.rejects.map { record in
            let origin = record.header("plumbline.origin") ?? ""
            let topic = origin.prefix { $0 != "/" }
            let offset = origin.split(separator: ":").last.flatMap { Int($0) } ?? -1
            let source = plan.sources.firstIndex { $0.topic == topic } ?? 0
            let row = items[source].indices.contains(offset) ? items[source][offset] : 0
            return ProducedReject(
                source: plan.sources[source].name,
                reason: record.header("plumbline.reason") ?? "", row: row,
                detail: record.header("plumbline.detail") ?? "")
        }
    }
}

extension CaseValue {
    /// A row of CSV and the row that names its columns: a mapping names them itself, or is put in
    /// the order of the schema; a text stands as it is, for the columns of the schema.
    fileprivate func csv(
        _ form: CSVForm, schema: Schema
    ) -> (value: [UInt8], header: [UInt8]) {
        let names = schema.fields.map(\.path)
        let header = CSVWriter.row(names, separator: form.separator)
        guard case .json(.object(let members)) = self else { return (bytes, header) }
        func cell(_ value: JSONValue?) -> String? {
            switch value {
            case nil, .null: nil
            case .string(let text): text
            case let other?: other.text
            }
        }
        guard form.hasHeader else {
            let cells = names.map { name in cell(members.first { $0.name == name }?.value) }
            return (CSVWriter.row(cells, separator: form.separator), header)
        }
        return (
            CSVWriter.row(members.map { cell($0.value) }, separator: form.separator),
            CSVWriter.row(members.map(\.name), separator: form.separator)
        )
    }
}

extension OutputRecord {
    /// The text of the first header with a name.
    package func header(_ name: String) -> String? {
        var position = 0
        let bytes = headers.span
        for _ in 0..<headerCount {
            guard let keyCount = Varint.readSigned32(bytes, at: &position), keyCount >= 0,
                position + Int(keyCount) <= headers.count
            else { return nil }
            let key = headers[position..<position + Int(keyCount)]
            position += Int(keyCount)
            guard let count = Varint.readSigned32(bytes, at: &position) else { return nil }
            let valueCount = max(0, Int(count))
            guard position + valueCount <= headers.count else { return nil }
            if key.elementsEqual(name.utf8) {
                return String(decoding: headers[position..<position + valueCount], as: UTF8.self)
            }
            position += valueCount
        }
        return nil
    }
}
