import Columnar
import Dataflow
import RecordLog

/// Decodes Avro binary, one value a record, by the schema that it was written with, straight into
/// columns. See `docs/reference/formats.md`.
final class AvroRecordDecoder: RecordDecoder {
    private let assembler: RowAssembler
    private let form: AvroForm
    private let isFramed: Bool
    /// One for each of the form's writers; they own the tables.
    private let programs: [AvroProgram]
    private let tables: [AvroTables]
    private let ids: [UInt32]
    /// No objects: the reader is used for single values.
    private let layouts: JSONLayouts
    private let state = UnsafeMutablePointer<JSONRowState>.allocate(capacity: 1)
    private let emptyItemsLeft = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    private let padded = PaddedText()

    init(_ source: SourcePlan, _ form: AvroForm) {
        let assembler = RowAssembler(source)
        self.assembler = assembler
        self.form = form
        isFramed = if case .subject = form.origin { true } else { false }
        let roots = assembler.fields.enumerated().map {
            (path: source.schema.fields[$1].path, node: $0)
        }
        programs = form.writers.map { AvroProgram($0.schema, roots: roots, sinks: assembler.sinks) }
        tables = programs.map(\.tables)
        ids = form.writers.map(\.id)
        layouts = JSONLayouts([], sinks: assembler.sinks)
        state.initialize(to: JSONRowState())
        emptyItemsLeft.initialize(to: 0)
    }

    deinit {
        state.deallocate()
        emptyItemsLeft.deallocate()
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        // A local: a row costs no check of exclusive access.
        var assembler = self.assembler
        assembler.begin(rows.count)
        let none = padded.text(UnsafeBufferPointer(start: nil, count: 0))
        let values = JSONReader(none, layouts, assembler.sinks, state)
        // The writer of the last row: most often that of the next one.
        var writer = 0
        block.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<rows.count {
                var start = Int(block.valueStarts[rows.lowerBound + index])
                var length = Int(block.valueLengths[rows.lowerBound + index])
                guard length >= 0 else {
                    assembler.rejectRow(index, .nullValue, "the record has no value")
                    continue
                }
                if isFramed {
                    guard let found = findWriter(bytes, start, length, last: writer) else {
                        refuseFrame(bytes, start, length, index, &assembler)
                        continue
                    }
                    writer = found
                    start += WireFrame.byteCount
                    length -= WireFrame.byteCount
                }
                let text = padded.text(bytes, start, count: length)
                state.pointee = JSONRowState(row: index)
                emptyItemsLeft.pointee = AvroReader.maximumEmptyItems
                let reader = AvroReader(
                    text: text, nodes: assembler.sinks.nodes, tables: tables[writer],
                    values: values, emptyItemsLeft: emptyItemsLeft)
                let next = reader.read(0, 0, depth: 0)
                if next == length {
                    assembler.endRow(
                        index, fault: state.pointee.fault, node: state.pointee.faultNode,
                        table: &keys)
                } else {
                    assembler.rejectRow(index, .malformed, problem(next, length, writer))
                }
            }
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }

    /// The writer that a value names behind the zero byte of Confluent's wire format; nil where it
    /// names none that is known.
    @inline(__always)
    private func findWriter(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, last: Int
    ) -> Int? {
        guard let id = WireFrame.schemaID(bytes, start, length) else { return nil }
        return ids[last] == id ? last : ids.firstIndex(of: id)
    }

    @inline(never)
    private func refuseFrame(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, _ row: Int,
        _ assembler: inout RowAssembler
    ) {
        guard let id = WireFrame.schemaID(bytes, start, length) else {
            return assembler.rejectRow(row, .malformed, WireFrame.problem(bytes, start, length))
        }
        assembler.rejectRow(
            row, .unknownSchema, "schema id \(id) is not among those of the plan")
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
