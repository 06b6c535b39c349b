/// One bit a row in 64-bit words; bits past `count` are zero.
///
/// As validity: a set bit says that the row has a value, and no bitmap at all says that all have.
package struct Bitmap: Hashable, Sendable {
    @usableFromInline package private(set) var words: [UInt64]
    package private(set) var count: Int

    package init(repeating value: Bool, count: Int) {
        self.count = count
        words = [UInt64](repeating: value ? ~0 : 0, count: (count + 63) / 64)
        if value { clearTail() }
    }

    /// `words` must hold `count` bits.
    package init(words: [UInt64], count: Int) {
        precondition(words.count == (count + 63) / 64)
        self.words = words
        self.count = count
        clearTail()
    }

    /// The bit of a row below `count`. O(1).
    package subscript(row: Int) -> Bool {
        @inlinable get { words[row >> 6] & (1 << UInt64(row & 63)) != 0 }
        set {
            if newValue {
                words[row >> 6] |= 1 << UInt64(row & 63)
            } else {
                words[row >> 6] &= ~(1 << UInt64(row & 63))
            }
        }
    }

    /// Adds a row. Amortised O(1).
    package mutating func append(_ value: Bool) {
        if count & 63 == 0 { words.append(0) }
        count += 1
        if value { self[count - 1] = true }
    }

    /// Number of set bits. O(words).
    package var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    package var isAllSet: Bool { setCount == count }

    /// Keeps the bits that `other` has too; both must be of one length. O(words).
    package mutating func formIntersection(_ other: Bitmap) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    /// Adds the bits of `other`; both must be of one length. O(words).
    package mutating func formUnion(_ other: Bitmap) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// Rows where both say "valid"; nil means that all are.
    package static func intersection(_ a: Bitmap?, _ b: Bitmap?) -> Bitmap? {
        guard var result = a else { return b }
        if let b { result.formIntersection(b) }
        return result
    }

    private mutating func clearTail() {
        if count & 63 != 0, !words.isEmpty {
            words[words.count - 1] &= (1 << UInt64(count & 63)) - 1
        }
    }
}
