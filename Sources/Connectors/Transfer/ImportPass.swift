import Glibc
import Primitives
import RecordLog

/// One pass over a file: makes records of it, and batches of those. One thread.
struct ImportPass {
    private let format: ImportOptions.Format
    private var json: JSONFieldFinder
    private var frame: FrameFieldFinder
    private var csv: CSVFieldFinder?
    /// The next record that is not empty is the header row.
    private var isBeforeHeader: Bool
    private var ends: RecordEnds
    private let codec: CompressionCodec
    private let producerID: Int64
    private let arrival: Int64
    /// A batch is finished when its records reach this size: 16 to 64 KiB as stored.
    private let batchBytes: Int
    private var builders: [RecordBatchBuilder]
    /// Records of each partition that are stored already and are passed over.
    private let stored: [Int64]
    /// Records of each partition in finished batches, the stored ones with them.
    private var finished: [Int64]
    private var header: ArrivalHeader

    private(set) var recordsByPartition: [Int]
    private(set) var unreadable = 0
    private(set) var firstUnreadableLine: Int?

    /// `csv` finds the fields of rows of CSV; with a `headerRow`, the file begins with it.
    init(
        _ options: ImportOptions, producerID: Int64, stored: [Int64], arrival: Int64,
        csv: CSVFieldFinder?, headerRow: [UInt8]?
    ) {
        format = options.format
        json = JSONFieldFinder(options.fields)
        frame = FrameFieldFinder(options.fields)
        self.csv = csv
        isBeforeHeader = headerRow != nil
        ends = options.recordEnds
        codec = options.codec
        // Open batches of many partitions together keep to 64 MiB.
        batchBytes = min(
            options.codec == .none ? 48 << 10 : 128 << 10,
            max(4 << 10, (64 << 20) / max(stored.count, 1)))
        self.producerID = producerID
        self.arrival = arrival
        self.stored = stored
        finished = stored
        builders = stored.map { _ in RecordBatchBuilder(capacity: 1 << 10) }
        recordsByPartition = stored.map { _ in 0 }
        header = ArrivalHeader(headerRow: headerRow)
    }

    /// Takes a buffer of whole records; the batches that have become full.
    mutating func take(_ lines: UnsafeBufferPointer<UInt8>) throws -> [ImportBatch] {
        var batches: [ImportBatch] = []
        var start = 0
        while start < lines.count {
            let line = ends.line
            let end = ends.next(UnsafeRawBufferPointer(lines), from: start) ?? lines.count
            var last = end
            if last > start, lines[last - 1] == 0x0D { last -= 1 }
            if isBlank(lines, start..<last) {
                // Nothing.
            } else if isBeforeHeader {
                isBeforeHeader = false
            } else {
                let partition = add(lines, start..<last, line: line)
                if builders[partition].estimatedByteCount >= batchBytes {
                    batches.append(try finishBatch(partition))
                }
            }
            start = end + 1
        }
        return batches
    }

    /// The batches of what is left.
    mutating func finish() throws -> [ImportBatch] {
        var batches: [ImportBatch] = []
        for partition in builders.indices where !builders[partition].isEmpty {
            batches.append(try finishBatch(partition))
        }
        return batches
    }

    private func isBlank(_ lines: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        // Blanks are values in CSV.
        if format == .csv { return range.isEmpty }
        for index in range where lines[index] != 0x20 && lines[index] != 0x09 { return false }
        return true
    }

    /// Makes a record of what stands in `range`, from a line on; its partition.
    private mutating func add(
        _ lines: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, line: Int
    ) -> Int {
        let fields =
            switch format {
            case .json: json.find(in: lines, range)
            case .hj212: frame.find(in: lines, range)
            case .csv: csv?.find(in: lines, range) ?? LineFields(value: range)
            }
        if fields.isUnreadable {
            unreadable += 1
            if firstUnreadableLine == nil { firstUnreadableLine = line }
        }
        if let key = fields.ownedKey { return add(lines, fields, key: key.span) }
        guard let key = fields.key else { return add(lines, fields, key: nil) }
        return add(lines, fields, key: UnsafeBufferPointer(rebasing: lines[key]).span)
    }

    private mutating func add(
        _ lines: UnsafeBufferPointer<UInt8>, _ fields: LineFields, key: Span<UInt8>?
    ) -> Int {
        var partition = 0
        if let key { partition = Partitioner.partition(key, count: builders.count) }
        recordsByPartition[partition] += 1
        guard Int64(recordsByPartition[partition]) > stored[partition] else { return partition }
        let arrival = fields.arrival ?? self.arrival
        header.set(arrival)
        let headers = header.bytes
        builders[partition].append(
            timestampMilliseconds: fields.time ?? arrival, key: key,
            value: UnsafeBufferPointer(rebasing: lines[fields.value]).span,
            encodedHeaders: headers.span, headerCount: header.count)
        return partition
    }

    private mutating func finishBatch(_ partition: Int) throws -> ImportBatch {
        let count = Int64(builders[partition].recordCount)
        let bytes = try builders[partition].finish(
            baseOffset: 0, codec: codec,
            producer: RecordBatch.Producer(id: producerID, recordsBefore: finished[partition]))
        finished[partition] += count
        return ImportBatch(partition: partition, bytes: bytes)
    }
}

/// The encoded headers of an imported record: when it arrived, and the columns of its CSV row.
private struct ArrivalHeader {
    private(set) var bytes: [UInt8]
    let count: Int
    private let prefixCount: Int
    /// What follows the arrival.
    private var rest: [UInt8] = []
    private var current: Int64 = -1

    init(headerRow: [UInt8]?) {
        count = headerRow == nil ? 1 : 2
        if let headerRow {
            RecordHeader(key: Array(RecordHeaders.csvHeader.utf8), value: headerRow)
                .encode(into: &rest)
        }
        let name = Array(RecordHeaders.arrival.utf8)
        bytes = []
        Varint.appendSigned(Int64(name.count), to: &bytes)
        bytes += name
        prefixCount = bytes.count
    }

    /// Sets the value: decimal milliseconds.
    mutating func set(_ milliseconds: Int64) {
        guard milliseconds != current else { return }
        current = milliseconds
        bytes.removeLast(bytes.count - prefixCount)
        var divisor: Int64 = 1
        var digits: Int64 = 1
        while milliseconds / divisor >= 10 {
            divisor *= 10
            digits += 1
        }
        Varint.appendSigned(digits, to: &bytes)
        while divisor > 0 {
            bytes.append(UInt8(0x30 + milliseconds / divisor % 10))
            divisor /= 10
        }
        bytes += rest
    }
}
