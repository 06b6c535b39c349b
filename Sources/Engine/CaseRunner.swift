import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog
import Topology

/// Runs the cases of topologies: rows in, records compared.
package struct CaseRunner {
    private let plans: [Plan]

    /// `plans` are the stages of one topology.
    package init(plans: [Plan]) {
        self.plans = plans.map { plan in
            var plan = plan
            // Nobody writes bytes into a case: its rows are JSON by the same schema.
            // And nobody has to write headers: an event stands in its value.
            for index in plan.sources.indices {
                switch plan.sources[index].format {
                case .avro, .protobuf: plan.sources[index].format = .json
                case .cloudEvents: plan.sources[index].format = .cloudEvents(.structured)
                case .json, .csv, .hj212: break
                }
            }
            return plan
        }
    }

    /// Runs one case. Returns a readable difference; nil when all is as expected.
    ///
    /// A bounded case merges its whole input by time and flushes. One with ticks, or that says
    /// `bounded: false`, takes each item as it comes.
    package func run(_ file: CaseFile) throws -> String? {
        let driver = StagedDriver(plans: plans, taskCount: file.partitions)
        let hasTicks = file.input.contains {
            if case .record = $0.content { false } else { true }
        }
        let follows = hasTicks || !file.bounded
        /// Per source, partition and offset: number of the input item.
        var items: [CasePlace: [Int]] = [:]
        for (number, item) in file.input.enumerated() {
            switch item.content {
            case .tick(let time): try driver.tick(at: time)
            case .ticks(let times):
                for time in stride(
                    from: times.lowerBound, through: times.upperBound,
                    by: Int(Timestamp.microsecondsPerSecond))
                {
                    try driver.tick(at: time)
                }
            case .record(let name, let value):
                let record = try record(item, value, of: name)
                let partition = try partition(of: record, name, count: file.partitions)
                items[CasePlace(source: name, partition: partition), default: []]
                    .append(number + 1)
                try driver.append(source: name, partition: partition, [record])
                if follows { try driver.merge() }
            }
        }
        try driver.merge()
        if file.bounded { try driver.flush() }
        return CaseComparison.difference(
            file, produced: produced(driver, partitions: file.partitions),
            rejects: rejects(driver, items, partitions: file.partitions))
    }

    /// Where an import would put a record: by the key that is stated, else by that of its row.
    private func partition(
        of record: OutputRecord, _ name: String, count: Int
    ) throws -> Int {
        guard count > 1 else { return 0 }
        if let key = record.key { return Partitioner.partition(key, count: count) }
        guard let source = plans.flatMap(\.sources).first(where: { $0.name == name }) else {
            return 0
        }
        var keys = KeyTable()
        guard let rows = try decode(record, source, &keys), let code = rows.keys.first, code >= 0
        else { return 0 }
        return Partitioner.partition(keys.bytes(code), count: count)
    }

    /// Without a stated arrival a row comes at its own time: none is ahead of it.
    private func record(
        _ item: CaseInput, _ value: CaseValue, of name: String
    ) throws -> OutputRecord {
        let arrival = item.arrival.map { $0 / 1000 } ?? Timestamp.maximum / 1000
        var record = OutputRecord(
            timestamp: arrival, key: item.key.map { Array($0.utf8) }, value: value.bytes,
            headers: [], headerCount: 0)
        let source = plans.flatMap(\.sources).first { $0.name == name }
        if let source, case .csv(let form) = source.format {
            let row = value.csv(form, fields: source.valueFields)
            record.value = row.value
            if form.hasHeader {
                RecordHeader(key: Array(RecordHeaders.csvHeader.utf8), value: row.header)
                    .encode(into: &record.headers)
                record.headerCount = 1
            }
        }
        if let source, source.arrivalField != nil, item.arrival == nil {
            record.timestamp = try time(of: record, source).map { $0 / 1000 } ?? record.timestamp
        }
        return record
    }

    /// A record's own time in microseconds; nil where it cannot be read.
    private func time(of record: OutputRecord, _ source: SourcePlan) throws -> Int64? {
        var keys = KeyTable()
        guard let rows = try decode(record, source, &keys) else { return nil }
        return rows.faults.allSatisfy(\.timeIsReadable) ? rows.times[0] : nil
    }

    private func decode(
        _ record: OutputRecord, _ source: SourcePlan, _ keys: inout KeyTable
    ) throws -> DecodedRows? {
        let memory = MemorySource()
        try memory.append([record])
        return try memory.read(from: 0, limit: nil).map {
            makeDecoder(for: source).decode($0, rows: 0..<1, keys: &keys)
        }
    }

    /// Of several partitions the records stand by time, then key; those of one key and time as they
    /// came.
    private func produced(
        _ driver: StagedDriver, partitions: Int
    ) -> [String: [ProducedRecord]] {
        let structured = plans.flatMap(\.sinks).filter {
            if case .cloudEvents(let alarm) = $0.format { alarm.isStructured } else { false }
        }.map(\.topic)
        return driver.sinkRecords.reduce(into: [:]) { result, item in
            let isStructured = structured.contains(item.key)
            let inOrder = item.value.enumerated().sorted { a, b in
                guard partitions > 1 else { return a.offset < b.offset }
                let (first, second) = (a.element, b.element)
                if first.timestamp != second.timestamp { return first.timestamp < second.timestamp }
                let (key, other) = (first.key ?? [], second.key ?? [])
                if key != other { return key.lexicographicallyPrecedes(other) }
                return a.offset < b.offset
            }
            result[item.key] = inOrder.map(\.element).map { record in
                let text = String(decoding: record.value ?? [], as: UTF8.self)
                return ProducedRecord(
                    key: record.key.map { String(decoding: $0, as: UTF8.self) },
                    time: record.timestamp * 1000,
                    change: record.header("plumbline.change") ?? "new",
                    revision: record.header("plumbline.revision").flatMap { Int($0) } ?? 0,
                    value: isStructured ? JSONReader.read(text)?["data"]?.text ?? text : text)
            }
        }
    }

    /// A reject of a rekeyed row has no row of the case: its number is 0.
    /// Of several partitions they stand by their rows.
    private func rejects(
        _ driver: StagedDriver, _ items: [CasePlace: [Int]], partitions: Int
    ) -> [ProducedReject] {
        let sources = plans.flatMap(\.sources)
        let rejects = driver.rejects.map { record in
            let origin = record.header("plumbline.origin") ?? ""
            let topic = origin.prefix { $0 != "/" }
            let offset = origin.split(separator: ":").last.flatMap { Int($0) } ?? -1
            let source = sources.first { $0.topic == topic }?.name ?? ""
            let partition = Int(origin.dropFirst(topic.count + 1).prefix { $0 != ":" }) ?? -1
            let rows = items[CasePlace(source: source, partition: partition)] ?? []
            let row = rows.indices.contains(offset) ? rows[offset] : 0
            return ProducedReject(
                source: source,
                reason: record.header("plumbline.reason") ?? "", row: row,
                detail: record.header("plumbline.detail") ?? "")
        }
        guard partitions > 1 else { return rejects }
        return rejects.enumerated().sorted {
            ($0.element.row, $0.offset) < ($1.element.row, $1.offset)
        }.map(\.element)
    }
}

/// A partition of a source in a case.
private struct CasePlace: Hashable {
    var source: String
    var partition: Int
}

extension CaseValue {
    /// A row of CSV and the row that names its columns: a mapping names them itself, or is put in
    /// the order of the schema; a text stands as it is, for the columns of the schema.
    fileprivate func csv(
        _ form: CSVForm, fields: [Field]
    ) -> (value: [UInt8], header: [UInt8]) {
        let names = fields.map(\.path)
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
