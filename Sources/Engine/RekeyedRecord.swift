import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog

/// Records of the topics between the stages of a topology.
///
/// A row is a JSON object with the row's fields and its event time, under its new key; a change
/// other than `new` stands in the headers `plumbline.change` and `plumbline.revision`. A record
/// without a value tells the sender's watermark in `plumbline.watermark`, in microseconds; every
/// rise of it is told to every receiver.
enum RekeyedRecord {
    private static let watermarkHeader = "plumbline.watermark"
    private static let changeHeader = "plumbline.change"
    private static let revisionHeader = "plumbline.revision"
    private static let changeNames: [(change: Change, name: String)] = [
        (.before, "before"), (.correct, "correct"), (.withdraw, "withdraw"),
    ]

    // MARK: Writing

    /// A record that tells a watermark.
    static func record(watermark: Int64) -> OutputRecord {
        var headers: [UInt8] = []
        RecordHeader(watermarkHeader, String(watermark)).encode(into: &headers)
        return OutputRecord(
            timestamp: RecordComposer.milliseconds(watermark), key: nil, value: nil,
            headers: headers, headerCount: 1)
    }

    /// Writes a row's change, unless it is new; gives the number of headers.
    static func writeChange(
        _ change: Change, revision: Int32, to headers: inout ByteWriter
    ) -> Int {
        guard let name = changeNames.first(where: { $0.change == change })?.name else { return 0 }
        headers.put(RecordHeader(changeHeader, name).encoded)
        headers.put(RecordHeader(revisionHeader, String(revision)).encoded)
        return 2
    }

    // MARK: Reading

    /// The watermark that a record tells; nil for a row.
    static func watermark(_ block: RecordBlock, _ row: Int, _ slot: InputSlot) throws -> Int64? {
        guard block.isNullValue(row) else { return nil }
        for header in block.headers(row) where header.key == Array(watermarkHeader.utf8) {
            let text = String(decoding: header.value ?? [], as: UTF8.self)
            if let watermark = Int64(text) { return watermark }
        }
        throw EngineError(
            "\(slot.topic)/\(slot.partition), offset \(block.offsets[row]): neither a row nor a"
                + " watermark",
            hint: "something else wrote to this topic; restore the data directory from a copy")
    }

    /// Whether a record is the earlier version of the row that follows it.
    static func isEarlier(_ block: RecordBlock, _ row: Int) -> Bool {
        block.headers(row).contains { header in
            header.key == Array(changeHeader.utf8) && header.value == Array("before".utf8)
        }
    }

    /// What the headers of rows say of them, and the headers that they carry on.
    struct Marks {
        /// ``Change`` raw values; nil when all rows are new.
        var changes: [UInt8]?
        var revisions: [Int32]?
        /// As ``Batch/headers``; nil when no row carries any.
        var headers: ByteValues?
    }

    static func marks(_ block: RecordBlock, _ rows: Range<Int>) -> Marks {
        var changes: [UInt8] = []
        var revisions: [Int32] = []
        var carried = ByteValues()
        var carriesAny = false
        for row in rows {
            var change = Change.new
            var revision: Int32 = 0
            var others: [RecordHeader] = []
            for header in block.headers(row) {
                let text = String(decoding: header.value ?? [], as: UTF8.self)
                switch String(decoding: header.key, as: UTF8.self) {
                case changeHeader:
                    change = changeNames.first { $0.name == text }?.change ?? .new
                case revisionHeader: revision = Int32(text) ?? 0
                case RecordComposer.causesHeader: break
                default: others.append(header)
                }
            }
            changes.append(change.rawValue)
            revisions.append(revision)
            var blob: [UInt8] = []
            RecordHeaders.encode(others, to: &blob)
            carried.append(blob)
            if !others.isEmpty { carriesAny = true }
        }
        let isChanged = changes.contains { $0 != Change.new.rawValue }
        return Marks(
            changes: isChanged ? changes : nil, revisions: isChanged ? revisions : nil,
            headers: carriesAny ? carried : nil)
    }
}
