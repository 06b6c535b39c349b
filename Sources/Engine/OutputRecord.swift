import Columnar
import Crypto
import Primitives

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
struct CanonicalRecords: ~Copyable {
    private var bytes = ByteWriter()

    var byteCount: Int { bytes.count }

    @inline(__always)
    mutating func append(
        timestamp: Int64, key: Span<UInt8>?, value: Span<UInt8>?, headers: Span<UInt8>,
        headerCount: Int
    ) {
        bytes.put(bigEndian: timestamp)
        bytes.put(bigEndian: Int64(key?.count ?? -1))
        if let key { bytes.put(key) }
        bytes.put(bigEndian: Int64(value?.count ?? -1))
        if let value { bytes.put(value) }
        bytes.put(bigEndian: Int64(headerCount))
        bytes.put(headers)
    }

    /// Adds the bytes to a hash, forgets the records and keeps the room.
    mutating func move(to hash: inout SHA256) {
        bytes.withBytes { hash.update(bufferPointer: $0) }
        bytes.removeAll()
    }

    mutating func removeAll() { bytes.removeAll() }
}
