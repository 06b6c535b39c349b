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
            let next = document(reader)
            if next == length, text.isUTF8() {
                assembler.endRow(
                    index, fault: state.pointee.fault, node: state.pointee.faultNode, table: &keys)
            } else {
                reject(index, next, text, &assembler)
            }
        }
    }

    /// Reads a whole value: its end, or as ``JSONText`` says.
    @inline(__always)
    private func document(_ reader: JSONReader) -> Int {
        let brace = reader.text.skipSpace(0)
        guard reader.text.byte(brace) == 0x7B else {
            let next = reader.text.skipValue(brace, depth: 0)
            reader.note(.wrongType, -1)
            return next < 0 ? next : trailing(reader.text, next)
        }
        let next = reader.object(brace &+ 1, 0, row: reader.state.pointee.row, depth: 1)
        return next == reader.text.end || next < 0 ? next : trailing(reader.text, next)
    }

    private func trailing(_ text: JSONText, _ position: Int) -> Int {
        let next = text.skipSpace(position)
        return next == text.end ? next : ~next
    }

    @inline(never)
    private func reject(
        _ row: Int, _ next: Int, _ text: JSONText, _ assembler: inout RowAssembler
    ) {
        let detail: String
        if next == text.end {
            detail = "not UTF-8"
        } else if next == JSONText.tooDeep {
            detail = "nested deeper than \(JSONText.maximumDepth)"
        } else if state.pointee.duplicateNode >= 0 {
            let name = assembler.sinks.names[state.pointee.duplicateNode]
            detail = "field \(name): duplicate member"
        } else if ~next >= text.end {
            detail = "not JSON: ends early"
        } else {
            detail = "not JSON at byte \(~next)"
        }
        assembler.rejectRow(row, .malformed, detail)
    }
}
