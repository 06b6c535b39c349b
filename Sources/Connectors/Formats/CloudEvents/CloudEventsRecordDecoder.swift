import Columnar
import Dataflow
import RecordLog

/// Decodes CloudEvents 1.0 with data in JSON, in both modes of the Kafka protocol binding, straight
/// into columns. See `docs/reference/formats.md`.
final class CloudEventsRecordDecoder: RecordDecoder {
    /// An attribute that is read: its header in binary mode, and the node it goes to.
    private struct Attribute {
        var header: [UInt8]
        var node: Int
    }

    private static let contentType = Array("content-type".utf8)
    private static let version = Array("ce_specversion".utf8)

    private var assembler: RowAssembler
    private let mode: CloudEventsMode
    private let attributes: [Attribute]
    /// Where each attribute's value stands in the block; that of the content type and of the
    /// version of the specification after them. Nil where there is none.
    private var found: [Range<Int>?]
    /// Objects of the data alone, and of an event as a whole.
    private let dataLayouts: JSONLayouts
    private let eventLayouts: JSONLayouts
    private let hasData: Bool
    private let state = UnsafeMutablePointer<JSONRowState>.allocate(capacity: 1)
    private let padded = PaddedText()
    private let paddedHeader = PaddedText()

    init(_ source: SourcePlan, _ mode: CloudEventsMode) {
        let assembler = RowAssembler(source)
        self.assembler = assembler
        self.mode = mode
        var attributes: [Attribute] = []
        var data: [(path: String, node: Int)] = []
        var event: [(path: String, node: Int)] = []
        for (node, field) in assembler.fields.enumerated() {
            let path = source.schema.fields[field].path
            if let name = CloudEventsMode.attribute(path) {
                let header = name == "datacontenttype" ? "content-type" : path
                attributes.append(Attribute(header: Array(header.utf8), node: node))
                event.append((name, node))
            } else {
                data.append((path, node))
                event.append(("data.\(path)", node))
            }
        }
        self.attributes = attributes
        found = Array(repeating: nil, count: attributes.count + 2)
        hasData = !data.isEmpty
        dataLayouts = JSONLayouts(data, sinks: assembler.sinks)
        eventLayouts = JSONLayouts(event, sinks: assembler.sinks)
        state.initialize(to: JSONRowState())
    }

    deinit {
        state.deallocate()
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        assembler.begin(rows.count)
        for layouts in [dataLayouts, eventLayouts] {
            for layout in 0..<layouts.layoutCount { layouts.layouts[layout].lastRow = -1 }
        }
        block.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<rows.count {
                let row = rows.lowerBound + index
                let start = Int(block.valueStarts[row])
                let length = Int(block.valueLengths[row])
                switch findMode(bytes, block, row) {
                case .failure(let problem):
                    assembler.rejectRow(index, .malformed, problem.detail)
                case .success(let isStructured) where length < 0 && (hasData || isStructured):
                    assembler.rejectRow(index, .nullValue, "the record has no value")
                case .success(let isStructured):
                    if isStructured {
                        structured(padded.text(bytes, start, count: length), index, &keys)
                    } else {
                        binary(bytes, start, length, index, &keys)
                    }
                }
            }
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }

    // MARK: Modes

    private struct Problem: Error {
        var detail: String
    }

    /// Looks at a record's headers; whether its value is the whole event.
    private func findMode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ block: RecordBlock, _ row: Int
    ) -> Result<Bool, Problem> {
        for index in found.indices { found[index] = nil }
        var twice = false
        RecordHeaders.each(
            bytes, at: Int(block.headerStarts[row]), count: Int(block.headerCounts[row])
        ) { key, value in
            guard let value else { return }
            func take(_ index: Int, _ name: [UInt8]) {
                guard key.count == name.count, bytes[key].elementsEqual(name) else { return }
                if found[index] != nil { twice = true }
                found[index] = value
            }
            for (index, attribute) in attributes.enumerated() { take(index, attribute.header) }
            take(attributes.count, Self.contentType)
            take(attributes.count + 1, Self.version)
        }
        if twice { return .failure(Problem(detail: "an attribute's header stands twice")) }
        let type = found[attributes.count].map { Self.mediaType(bytes[$0]) }
        let isEvent = type?.hasPrefix("application/cloudevents") ?? false
        switch mode {
        case .structured where !isEvent: return .success(true)
        case .binary: return .success(false)
        default: break
        }
        guard let type, isEvent else {
            guard found[attributes.count + 1] != nil else {
                return .failure(
                    Problem(
                        detail: "no CloudEvent: neither a content-type application/cloudevents+json"
                            + " nor a header ce_specversion"))
            }
            return .success(false)
        }
        guard type == "application/cloudevents+json" else {
            return .failure(Problem(detail: "events as \(type.prefix(80)) are not read"))
        }
        return .success(true)
    }

    /// The media type without its parameters, in small letters.
    private static func mediaType(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        let text = bytes.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x09 }
        return String(decoding: text, as: UTF8.self).lowercased()
    }

    /// The value is the event (JSON event format).
    private func structured(_ text: JSONText, _ row: Int, _ keys: inout KeyTable) {
        state.pointee = JSONRowState(row: row)
        let reader = JSONReader(text, eventLayouts, assembler.sinks, state)
        let next = reader.document()
        guard next == text.end, text.isUTF8() else {
            return assembler.rejectRow(row, .malformed, reader.problem(next, assembler.sinks.names))
        }
        end(row, &keys)
    }

    /// The value is the data, the attributes are headers.
    private func binary(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, _ row: Int,
        _ keys: inout KeyTable
    ) {
        state.pointee = JSONRowState(row: row)
        for (index, attribute) in attributes.enumerated() {
            guard let range = found[index] else { continue }
            let text = paddedHeader.text(UnsafeBufferPointer(rebasing: bytes[range]))
            guard text.isUTF8() else {
                let name = String(decoding: attribute.header, as: UTF8.self)
                return assembler.rejectRow(row, .malformed, "header \(name): not UTF-8")
            }
            JSONReader(text, dataLayouts, assembler.sinks, state)
                .plainValue(attribute.node, 0, text.end)
        }
        if hasData {
            let text = padded.text(bytes, start, count: length)
            let reader = JSONReader(text, dataLayouts, assembler.sinks, state)
            let next = reader.document()
            guard next == text.end, text.isUTF8() else {
                return assembler.rejectRow(
                    row, .malformed, reader.problem(next, assembler.sinks.names))
            }
        }
        end(row, &keys)
    }

    private func end(_ row: Int, _ keys: inout KeyTable) {
        assembler.endRow(
            row, fault: state.pointee.fault, node: state.pointee.faultNode, table: &keys)
    }
}
