/// Where the attributes of CloudEvents stand (Kafka protocol binding 1.0.2, §3).
package enum CloudEventsMode: String, Hashable, Sendable {
    /// As each record's headers say.
    case automatic = "auto"
    /// In the value, beside the data; also without a header that says so.
    case structured
    /// In headers; the value is the data.
    case binary

    /// The attribute that a field's path names: `ce_time` is `time`. Nil for a path into the data.
    package static func attribute(_ path: String) -> String? {
        path.hasPrefix("ce_") ? String(path.dropFirst(3)) : nil
    }

    /// Whether a text can name an attribute: small letters and digits (CloudEvents 1.0.2, §3.1).
    package static func isAttribute(_ name: String) -> Bool {
        !name.isEmpty && name != "data"
            && name.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 }
    }
}
