/// The compression of a record batch; raw values are bits 0–2 of its attributes.
package enum CompressionCodec: UInt8, Sendable, CaseIterable {
    case none, gzip, snappy, lz4, zstd

    /// The name in configuration and messages, as Kafka spells it.
    package var name: String {
        switch self {
        case .none: "none"
        case .gzip: "gzip"
        case .snappy: "snappy"
        case .lz4: "lz4"
        case .zstd: "zstd"
        }
    }

    /// The codec of a name, or nil.
    package init?(name: String) {
        guard let codec = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = codec
    }
}
