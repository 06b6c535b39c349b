import Columnar
import Dataflow
import RecordLog

/// One decoded run of rows of a ``RecordBlock``; index `i` is block row `firstRow + i`.
package struct DecodedRows {
    package var block: RecordBlock
    package var firstRow: Int
    package var rowCount: Int
    /// One column for every schema field; those that are not read hold `.null(count:)`.
    package var columns: [Column]
    /// Event times in microseconds; 0 where the time was not readable.
    package var times: [Int64]
    /// ``KeyTable`` codes; -1 where the row has a fault and no readable key.
    package var keys: [Int32]
    /// Ascending by row, at most one a row; such rows hold junk in `columns`.
    package var faults: [DecodeFault]
}

/// Why one row could not be decoded.
package struct DecodeFault: Equatable, Sendable {
    /// Relative to ``DecodedRows/firstRow``.
    package var row: Int32
    package var reason: RejectReason
    /// One short sentence for people: the field and what is wrong with it.
    package var detail: String
    /// Whether ``DecodedRows/times`` holds the row's time all the same.
    package var timeIsReadable: Bool

    package init(row: Int32, reason: RejectReason, detail: String, timeIsReadable: Bool) {
        self.row = row
        self.reason = reason
        self.detail = detail
        self.timeIsReadable = timeIsReadable
    }
}

/// Bytes of record values to columns, by a source's schema.
///
/// Keeps buffers between calls, so one thread uses one decoder. What it returns depends only on
/// the records and the key table, not on how rows are cut into calls.
package protocol RecordDecoder: AnyObject {
    /// Decodes `rows` of `block`, giving keys codes of `keys`. Never fails as a whole: a row that
    /// cannot be used is a fault. O(bytes).
    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows
}

/// The decoder of a source's format.
package func makeDecoder(for source: SourcePlan) -> any RecordDecoder {
    switch source.format {
    case .json: JSONRecordDecoder(source)
    case .csv(let form): CSVRecordDecoder(source, form)
    case .avro(let form): AvroRecordDecoder(source, form)
    case .cloudEvents(let mode): CloudEventsRecordDecoder(source, mode)
    case .protobuf(let form): ProtobufRecordDecoder(source, form)
    case .hj212(let minutes): HJ212RecordDecoder(source, utcOffsetMinutes: minutes)
    }
}
