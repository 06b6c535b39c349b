import Primitives

/// A header of a record: a UTF-8 name and bytes, or null.
package struct RecordHeader: Hashable, Sendable {
    package var key: [UInt8]
    package var value: [UInt8]?

    package init(key: [UInt8], value: [UInt8]?) {
        self.key = key
        self.value = value
    }

    package init(_ key: String, _ value: String) {
        self.key = Array(key.utf8)
        self.value = Array(value.utf8)
    }

    /// Appends the header as it stands in a record: key length, key, value length or -1, value.
    package func encode(into bytes: inout [UInt8]) {
        Varint.appendSigned(Int64(key.count), to: &bytes)
        bytes += key
        guard let value else { return Varint.appendSigned(-1, to: &bytes) }
        Varint.appendSigned(Int64(value.count), to: &bytes)
        bytes += value
    }

    /// The header as it stands in a record; see ``encode(into:)``.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(key.count + (value?.count ?? 0) + 10)
        encode(into: &bytes)
        return bytes
    }
}
