import Columnar
import Dataflow
import Primitives
import RecordLog

/// Decodes values of Protocol Buffers, one message a record, straight into columns. See
/// `docs/reference/formats.md`.
final class ProtobufRecordDecoder: RecordDecoder {
    private let assembler: RowAssembler
    private let form: ProtobufForm
    private let schema: ProtobufSchema
    private let program: ProtobufProgram
    /// No objects: the reader is used for single values.
    private let layouts: JSONLayouts
    private let state = UnsafeMutablePointer<JSONRowState>.allocate(capacity: 1)
    private let padded = PaddedText()

    init(_ source: SourcePlan, _ form: ProtobufForm) {
        let assembler = RowAssembler(source)
        self.assembler = assembler
        self.form = form
        // A checked plan has one.
        schema =
            form.schema
            ?? ProtobufSchema(
                messages: [.init(name: form.message, isMapEntry: false, members: [])],
                enumerations: [], indexes: [])
        let roots = assembler.fields.enumerated().map {
            (path: source.schema.fields[$1].path, node: $0)
        }
        program = ProtobufProgram(schema, roots: roots, sinks: assembler.sinks)
        layouts = JSONLayouts([], sinks: assembler.sinks)
        state.initialize(to: JSONRowState())
    }

    deinit {
        state.deallocate()
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        // A local: a row costs no check of exclusive access.
        var assembler = self.assembler
        assembler.begin(rows.count)
        block.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<rows.count {
                let start = Int(block.valueStarts[rows.lowerBound + index])
                let length = Int(block.valueLengths[rows.lowerBound + index])
                if length < 0 {
                    assembler.rejectRow(index, .nullValue, "the record has no value")
                } else if form.isFramed {
                    decodeFramed(bytes, start, length, index, &assembler, &keys)
                } else {
                    decode(bytes, start, length, index, &assembler, &keys)
                }
            }
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }

    /// A value behind the schema's id and the message's indexes: their number, then each, as
    /// zig-zag varints; a single 0 stands for the first message.
    private func decodeFramed(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, _ row: Int,
        _ assembler: inout RowAssembler, _ keys: inout KeyTable
    ) {
        guard WireFrame.schemaID(bytes, start, length) != nil else {
            return assembler.rejectRow(row, .malformed, WireFrame.problem(bytes, start, length))
        }
        let span = UnsafeBufferPointer(rebasing: bytes[start..<start + length]).span
        var position = WireFrame.byteCount
        guard let count = Varint.readSigned32(span, at: &position), (0...64).contains(count) else {
            return assembler.rejectRow(row, .malformed, "no message indexes after the schema id")
        }
        var indexes = count == 0 ? [0] : []
        for _ in 0..<count {
            guard let index = Varint.readSigned32(span, at: &position), index >= 0 else {
                return assembler.rejectRow(
                    row, .malformed, "the message indexes end early, or are none")
            }
            indexes.append(Int(index))
        }
        guard indexes == schema.indexes else {
            let text = indexes.map(String.init).joined(separator: ".")
            let own = schema.indexes.map(String.init).joined(separator: ".")
            return assembler.rejectRow(
                row, .unknownSchema,
                "message \(text) of its file, and \(form.message) is \(own)")
        }
        decode(bytes, start + position, length - position, row, &assembler, &keys)
    }

    private func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, _ row: Int,
        _ assembler: inout RowAssembler, _ keys: inout KeyTable
    ) {
        let text = padded.text(bytes, start, count: length)
        state.pointee = JSONRowState(row: row)
        let reader = ProtobufReader(
            text: text, nodes: assembler.sinks.nodes, places: program.places,
            slots: program.slots, targets: program.targets, symbols: program.symbols,
            values: JSONReader(text, layouts, assembler.sinks, state))
        let next = reader.message(0, 0, length)
        if next >= 0 {
            assembler.endRow(
                row, fault: state.pointee.fault, node: state.pointee.faultNode, table: &keys)
        } else {
            assembler.rejectRow(row, .malformed, problem(next, length))
        }
    }

    private func problem(_ next: Int, _ length: Int) -> String {
        let reason: String
        if next == JSONText.tooDeep {
            reason = "groups nested deeper than 64"
        } else if next == ProtobufReader.twice {
            reason = "a message that may stand once stands twice"
        } else if state.pointee.duplicateNode >= 0 {
            reason = "field \(assembler.sinks.names[state.pointee.duplicateNode]): duplicate key"
        } else {
            reason = ~next >= length ? "ends early" : "wrong at byte \(~next)"
        }
        return "not a \(form.message): \(reason)"
    }
}
