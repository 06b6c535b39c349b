/// `union`: rows as they come. At the end of a bounded run they come from all streams at once, and
/// leave by time.
final class ReferenceUnion: ReferenceOperator {
    private let inputs: [Int]

    /// `inputs` are all those that rows may come from, in the order of the streams.
    init(inputs: [Int]) { self.inputs = inputs }

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        func rank(_ row: ReferenceRow) -> Int { inputs.firstIndex(of: row.origin.input) ?? 0 }
        var item = item
        if let row = item.before { item.before?.origin.rank = rank(row) }
        if let row = item.after { item.after?.origin.rank = rank(row) }
        context.emitted.append(item)
    }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {}

    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {
        func time(_ item: ReferenceItem) -> Int64 { (item.after ?? item.before)?.time ?? .min }
        context.emitted = context.emitted.enumerated().sorted {
            (time($0.element), $0.offset) < (time($1.element), $1.offset)
        }.map(\.element)
    }
}

/// `rekey`, the sending end: rows with their new key. Quotients are rounded: rows are written.
final class ReferenceRekey: ReferenceOperator {
    private let field: String
    private let output: [ReferenceField]

    init(field: String, output: [ReferenceField]) {
        self.field = field
        self.output = output
    }

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        let before = item.before.flatMap(rekeyed)
        let after = item.after.flatMap(rekeyed)
        if let row = item.after, after == nil { context.reject(row, "null-value") }
        if before == nil && after == nil { return }
        context.emitted.append(
            ReferenceItem(before: before, after: after, revision: item.revision))
    }

    private func rekeyed(_ row: ReferenceRow) -> ReferenceRow? {
        guard let key = ReferenceTask.keyText(row.values[field] ?? .null) else { return nil }
        var row = row
        row.key = key
        for field in output {
            if case .decimal(let scale) = field.type,
                case .number(let value)? = row.values[field.name]
            {
                row.values[field.name] =
                    ReferenceNumber(value.text(scale: scale)).map { .number($0) } ?? .null
            }
        }
        return row
    }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {}
    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {}
}

/// The partition of a key: Java's murmur2 of its bytes, as Kafka's own producers have it.
package enum ReferencePartitioner {
    /// The partition of a key among `count`.
    package static func partition(_ key: String, count: Int) -> Int {
        Int(murmur2(Array(key.utf8)) & 0x7fff_ffff) % count
    }

    static func murmur2(_ bytes: [UInt8]) -> UInt32 {
        let m: UInt32 = 0x5bd1_e995
        var h = 0x9747_b28c ^ UInt32(bytes.count)
        var rest = bytes[...]
        func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
            bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        while rest.count >= 4 {
            var k = word(rest.prefix(4)) &* m
            k ^= k >> 24
            h = (h &* m) ^ (k &* m)
            rest = rest.dropFirst(4)
        }
        if !rest.isEmpty { h = (h ^ word(rest)) &* m }
        h = (h ^ (h >> 13)) &* m
        return h ^ (h >> 15)
    }
}
