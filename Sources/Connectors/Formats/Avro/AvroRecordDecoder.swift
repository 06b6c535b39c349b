import Columnar
import Dataflow
import RecordLog

/// Decodes Avro binary, one value a record, by the schema that it was written with, straight into
/// columns. See `docs/reference/formats.md`.
final class AvroRecordDecoder: RecordDecoder {
    private var assembler: RowAssembler
    private let form: AvroForm
    private let programs: [AvroProgram]
    /// Index of the program used last, and its schema's id.
    private var last: (id: UInt32, program: Int)?
    /// No objects: the reader is used for single values.
    private let layouts: JSONLayouts
    private let state = UnsafeMutablePointer<JSONRowState>.allocate(capacity: 1)
    private let emptyItemsLeft = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    private let padded = PaddedText()

    init(_ source: SourcePlan, _ form: AvroForm) {
        let assembler = RowAssembler(source)
        self.assembler = assembler
        self.form = form
        let roots = assembler.fields.enumerated().map {
            (path: source.schema.fields[$1].path, node: $0)
        }
        programs = form.writers.map { AvroProgram($0.schema, roots: roots, sinks: assembler.sinks) }
        layouts = JSONLayouts([], sinks: assembler.sinks)
        state.initialize(to: JSONRowState())
        emptyItemsLeft.initialize(to: 0)
    }

    deinit {
        state.deallocate()
        emptyItemsLeft.deallocate()
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        assembler.begin(rows.count)
        block.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<rows.count {
                let start = Int(block.valueStarts[rows.lowerBound + index])
                let length = Int(block.valueLengths[rows.lowerBound + index])
                if length < 0 {
                    assembler.rejectRow(index, .nullValue, "the record has no value")
                } else if case .file = form.origin {
                    decode(bytes, start, length, 0, index, &keys)
                } else {
                    decodeFramed(bytes, start, length, index, &keys)
                }
            }
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }

    /// A value behind the zero byte and the schema's id of Confluent's wire format.
    private func decodeFramed(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, _ row: Int,
        _ keys: inout KeyTable
    ) {
        guard let id = WireFrame.schemaID(bytes, start, length) else {
            return assembler.rejectRow(
                row, .malformed, WireFrame.problem(bytes, start, length))
        }
        if last?.id != id {
            guard let program = form.writers.firstIndex(where: { $0.id == id }) else {
                return assembler.rejectRow(
                    row, .unknownSchema, "schema id \(id) is not among those of the plan")
            }
            last = (id, program)
        }
        decode(
            bytes, start + WireFrame.byteCount, length - WireFrame.byteCount, last?.program ?? 0,
            row, &keys)
    }

    private func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, _ index: Int,
        _ row: Int, _ keys: inout KeyTable
    ) {
        let program = programs[index]
        let text = padded.text(bytes, start, count: length)
        state.pointee = JSONRowState(row: row)
        emptyItemsLeft.pointee = AvroReader.maximumEmptyItems
        let reader = AvroReader(
            text: text, nodes: assembler.sinks.nodes, actions: program.actions,
            parts: program.parts, symbolEnds: program.symbolEnds,
            symbolBytes: program.symbolBytes,
            values: JSONReader(text, layouts, assembler.sinks, state),
            emptyItemsLeft: emptyItemsLeft)
        let next = reader.read(0, 0, depth: 0)
        if next == length {
            assembler.endRow(
                row, fault: state.pointee.fault, node: state.pointee.faultNode, table: &keys)
        } else {
            assembler.rejectRow(row, .malformed, problem(next, length, index))
        }
    }

    private func problem(_ next: Int, _ length: Int, _ index: Int) -> String {
        let schema =
            switch form.origin {
            case .file(let name): "schema \(name)"
            case .subject: "schema id \(form.writers[index].id)"
            }
        let reason: String
        if next == AvroReader.tooDeep {
            reason = "nested deeper than \(JSONText.maximumDepth)"
        } else if state.pointee.duplicateNode >= 0 {
            reason = "field \(assembler.sinks.names[state.pointee.duplicateNode]): duplicate key"
        } else if next >= 0 {
            reason = "\(length - next) byte\(length - next == 1 ? "" : "s") too many"
        } else if ~next >= length {
            reason = "ends early"
        } else {
            reason = "wrong at byte \(~next)"
        }
        return "not Avro of \(schema): \(reason)"
    }
}
