import Columnar
import Dataflow
import RecordLog

/// Decodes JSON objects, one a record, schema-directed and straight into columns.
///
/// The whole value must be JSON (RFC 8259) in UTF-8; only members that the source reads are
/// converted. See `docs/reference/formats.md` for what each type takes.
final class JSONRecordDecoder: RecordDecoder {
    private var assembler: RowAssembler
    private let layouts: JSONLayouts
    private let state = UnsafeMutablePointer<JSONRowState>.allocate(capacity: 1)
    private let padded = PaddedText()

    init(_ source: SourcePlan) {
        assembler = RowAssembler(source)
        let roots = assembler.fields.enumerated().map {
            (path: source.schema.fields[$1].path, node: $0)
        }
        layouts = JSONLayouts(roots, sinks: assembler.sinks)
        state.initialize(to: JSONRowState())
    }

    deinit {
        state.deallocate()
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        var assembler = self.assembler
        assembler.begin(rows.count)
        for layout in 0..<layouts.layoutCount { layouts.layouts[layout].lastRow = -1 }
        block.bytes.withUnsafeBufferPointer { bytes in
            block.valueStarts.withUnsafeBufferPointer { starts in
                block.valueLengths.withUnsafeBufferPointer { lengths in
                    decode(
                        bytes, starts: starts, lengths: lengths, rows: rows, &assembler, &keys)
                }
            }
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }

    private func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, starts: UnsafeBufferPointer<Int32>,
        lengths: UnsafeBufferPointer<Int32>, rows: Range<Int>, _ assembler: inout RowAssembler,
        _ keys: inout KeyTable
    ) {
        for index in 0..<rows.count {
            let start = Int(starts[rows.lowerBound + index])
            let length = Int(lengths[rows.lowerBound + index])
            guard length >= 0 else {
                assembler.rejectRow(index, .nullValue, "the record has no value")
                continue
            }
            let text = padded.text(bytes, start, count: length)
            let reader = JSONReader(text, layouts, assembler.sinks, state)
            state.pointee = JSONRowState(row: index)
            let next = reader.document()
            if next == length, text.isUTF8() {
                assembler.endRow(
                    index, fault: state.pointee.fault, node: state.pointee.faultNode, table: &keys)
            } else {
                assembler.rejectRow(
                    index, .malformed, reader.problem(next, assembler.sinks.names))
            }
        }
    }
}
