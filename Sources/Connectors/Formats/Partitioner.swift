/// Which partition a key belongs to: the default of Kafka's Java clients, so that records that
/// others produce and those that we import meet in the same task.
package enum Partitioner {
    /// MurmurHash2 with Kafka's seed, as `org.apache.kafka.common.utils.Utils.murmur2` gives it.
    ///
    /// Source: Austin Appleby's MurmurHash2 (32 bits). O(length).
    package static func murmur2(_ key: Span<UInt8>) -> Int {
        let multiplier: UInt32 = 0x5BD1_E995
        var hash = 0x9747_B28C ^ UInt32(truncatingIfNeeded: key.count)
        var index = 0
        while index + 4 <= key.count {
            var word =
                UInt32(key[index]) | UInt32(key[index + 1]) << 8
                | UInt32(key[index + 2]) << 16 | UInt32(key[index + 3]) << 24
            word = word &* multiplier
            word ^= word >> 24
            word = word &* multiplier
            hash = hash &* multiplier ^ word
            index += 4
        }
        let rest = key.count - index
        if rest == 3 { hash ^= UInt32(key[index + 2]) << 16 }
        if rest >= 2 { hash ^= UInt32(key[index + 1]) << 8 }
        if rest >= 1 { hash = (hash ^ UInt32(key[index])) &* multiplier }
        hash ^= hash >> 13
        hash = hash &* multiplier
        hash ^= hash >> 15
        return Int(Int32(bitPattern: hash))
    }

    /// See ``murmur2(_:)-(Span<UInt8>)``.
    package static func murmur2(_ key: [UInt8]) -> Int { murmur2(key.span) }

    /// The partition of a key among `count` ≥ 1 of them: the hash without its sign bit, modulo.
    package static func partition(_ key: Span<UInt8>, count: Int) -> Int {
        (murmur2(key) & 0x7FFF_FFFF) % count
    }

    /// See ``partition(_:count:)-(Span<UInt8>,_)``.
    package static func partition(_ key: [UInt8], count: Int) -> Int {
        partition(key.span, count: count)
    }
}
