import Primitives

/// The sparse indexes of a segment, Kafka's `.index` and `.timeindex`, in memory.
///
/// An entry is added before a batch when more than 4,096 bytes have come since the last one; the
/// offset entry gives the batch's last offset and its start, the time entry the greatest time stamp
/// so far and the last offset of the first batch that had it.
struct SegmentIndex {
    /// `index.interval.bytes`.
    static let interval = 4096
    /// `segment.index.bytes`.
    static let maximumBytes = 10 << 20
    static let offsetEntrySize = 8
    static let timeEntrySize = 12

    let baseOffset: Int64
    /// The contents of the two files.
    private(set) var offsetBytes: [UInt8] = []
    private(set) var timeBytes: [UInt8] = []
    private(set) var lastTimestamp: Int64 = -1
    private(set) var maxTimestamp: Int64 = -1
    private(set) var offsetOfMaxTimestamp: Int64
    private var bytesSinceLastEntry = 0

    init(baseOffset: Int64) {
        self.baseOffset = baseOffset
        offsetOfMaxTimestamp = baseOffset
    }

    /// One of the files has room for one entry only, which the end of the segment needs.
    var isFull: Bool {
        offsetBytes.count + Self.offsetEntrySize > Self.maximumBytes
            || timeBytes.count + 2 * Self.timeEntrySize > Self.maximumBytes
    }

    /// Takes note of a batch that starts at byte `position`.
    mutating func add(_ header: RecordBatch.Header, at position: Int) {
        if header.maxTimestamp > maxTimestamp {
            maxTimestamp = header.maxTimestamp
            offsetOfMaxTimestamp = header.lastOffset
        }
        if bytesSinceLastEntry > Self.interval {
            offsetBytes.appendBigEndian(Int32(truncatingIfNeeded: header.lastOffset - baseOffset))
            offsetBytes.appendBigEndian(Int32(truncatingIfNeeded: position))
            addTimeEntry()
            bytesSinceLastEntry = 0
        }
        bytesSinceLastEntry += header.byteCount
    }

    /// Adds the last time entry, as Kafka does when a segment is closed or left.
    mutating func finish() { addTimeEntry() }

    /// Kafka counts anew when it opens a segment.
    mutating func restartCount() { bytesSinceLastEntry = 0 }

    private mutating func addTimeEntry() {
        guard maxTimestamp > lastTimestamp else { return }
        timeBytes.appendBigEndian(maxTimestamp)
        timeBytes.appendBigEndian(
            Int32(truncatingIfNeeded: offsetOfMaxTimestamp - baseOffset))
        lastTimestamp = maxTimestamp
    }

    /// Takes the contents of the files of a segment of `logSize` bytes; false when they cannot be
    /// right. The zeros of a preallocated file are dropped.
    mutating func load(offsets: [UInt8], times: [UInt8], logSize: Int) -> Bool {
        guard offsets.count % Self.offsetEntrySize == 0, times.count % Self.timeEntrySize == 0,
            offsets.count <= Self.maximumBytes, times.count <= Self.maximumBytes
        else { return false }
        var cursor = ByteCursor(offsets)
        var previous = (offset: Int32(-1), position: Int32(-1))
        var kept = 0
        while let offset = cursor.readInt32(), let position = cursor.readInt32() {
            if offset == 0, position == 0 { break }
            guard offset > previous.offset, position > previous.position, Int(position) < logSize
            else { return false }
            previous = (offset, position)
            kept = cursor.position
        }
        guard offsets[kept...].allSatisfy({ $0 == 0 }) else { return false }
        offsetBytes = Array(offsets[..<kept])
        return loadTimes(times)
    }

    private mutating func loadTimes(_ times: [UInt8]) -> Bool {
        var cursor = ByteCursor(times)
        var kept = 0
        var previousOffset: Int32 = -1
        while let timestamp = cursor.readInt64(), let offset = cursor.readInt32() {
            if timestamp == 0, offset == 0, kept > 0 || times.allSatisfy({ $0 == 0 }) { break }
            guard timestamp > lastTimestamp, offset >= previousOffset else { return false }
            lastTimestamp = timestamp
            maxTimestamp = timestamp
            offsetOfMaxTimestamp = baseOffset + Int64(offset)
            previousOffset = offset
            kept = cursor.position
        }
        guard times[kept...].allSatisfy({ $0 == 0 }) else { return false }
        timeBytes = Array(times[..<kept])
        return true
    }

    /// The last offset entry at or below `offset`: its batch's last offset and start; nil before
    /// the first.
    func entry(atOrBelow offset: Int64) -> (lastOffset: Int64, position: Int)? {
        let wanted = offset - baseOffset
        var low = 0
        var high = offsetBytes.count / Self.offsetEntrySize
        while low < high {
            let middle = (low + high) / 2
            if Int64(loadInt32(offsetBytes, middle * 8)) <= wanted {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low > 0 else { return nil }
        let place = (low - 1) * 8
        return (
            baseOffset + Int64(loadInt32(offsetBytes, place)),
            Int(loadInt32(offsetBytes, place + 4))
        )
    }

    private func loadInt32(_ bytes: [UInt8], _ place: Int) -> Int32 {
        var value: Int32 = 0
        for index in place..<(place + 4) { value = value &<< 8 | Int32(bytes[index]) }
        return value
    }
}
