import Columnar
import Dataflow
import RecordLog

/// Decodes HJ 212 frames.
final class HJ212RecordDecoder: RecordDecoder {
    private var assembler: RowAssembler

    init(_ source: SourcePlan, utcOffsetMinutes: Int) {
        assembler = RowAssembler(source)
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        assembler.begin(rows.count)
        for row in 0..<rows.count {
            assembler.rejectRow(row, .malformed, "HJ 212 frames are not read yet")
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }
}
