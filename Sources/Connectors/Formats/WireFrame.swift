/// What stands before a value in the wire format of Confluent's serializers: a zero byte, and the
/// id of the value's schema in its registry, 4 bytes, big-endian.
enum WireFrame {
    static let byteCount = 5

    /// The schema's id; nil where the frame is not there.
    @inline(__always)
    static func schemaID(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int
    ) -> UInt32? {
        guard length >= byteCount, bytes[start] == 0 else { return nil }
        return UInt32(bytes[start + 1]) << 24 | UInt32(bytes[start + 2]) << 16
            | UInt32(bytes[start + 3]) << 8 | UInt32(bytes[start + 4])
    }

    /// Why ``schemaID(_:_:_:)`` found none.
    static func problem(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int
    ) -> String {
        guard length >= byteCount else {
            return "\(length) byte\(length == 1 ? "" : "s"), too few for a schema id"
        }
        let hint = bytes[start] == 0x7B ? "; it looks like JSON" : ""
        return "the first byte is \(bytes[start]), not the 0 before a schema id\(hint)"
    }
}
