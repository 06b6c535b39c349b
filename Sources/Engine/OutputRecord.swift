import Columnar

/// One record as a task exports it.
package struct OutputRecord: Hashable, Sendable {
    /// Milliseconds since the epoch.
    package var timestamp: Int64
    package var key: [UInt8]?
    package var value: [UInt8]?
    /// Encoded one after the other, without their count.
    package var headers: [UInt8]
    package var headerCount: Int

    package init(
        timestamp: Int64, key: [UInt8]?, value: [UInt8]?, headers: [UInt8], headerCount: Int
    ) {
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
        self.headerCount = headerCount
    }
}

/// Records with keys and values as columns, in the order in which they are written.
struct OutputRecords {
    /// Milliseconds since the epoch.
    var timestamps: [Int64] = []
    var keys = ByteValues()
    var values = ByteValues()
    /// Of each record one after the other, without their count.
    var headers = ByteValues()
    var headerCounts: [Int] = []

    var count: Int { timestamps.count }

    /// A copy of one record: for places that are not hot.
    subscript(index: Int) -> OutputRecord {
        OutputRecord(
            timestamp: timestamps[index], key: keys.array(index), value: values.array(index),
            headers: headers.array(index), headerCount: headerCounts[index])
    }
}

/// The bytes that record hashes cover: time, key, headers and value, each with its length.
struct CanonicalRecords {
    private(set) var bytes: [UInt8] = []

    mutating func append(
        timestamp: Int64, key: Span<UInt8>?, value: Span<UInt8>?, headers: Span<UInt8>,
        headerCount: Int
    ) {
        put(timestamp)
        put(Int64(key?.count ?? -1))
        if let key { put(key) }
        put(Int64(value?.count ?? -1))
        if let value { put(value) }
        put(Int64(headerCount))
        put(headers)
    }

    /// Forgets the records and keeps the room.
    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    private mutating func put(_ value: Int64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func put(_ part: Span<UInt8>) {
        part.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }
}
