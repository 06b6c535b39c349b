/// Interns key bytes as dense codes 0, 1, 2, … so that keyed state is an array.
///
/// Open addressing over a power of two, linear probing, hashes kept beside codes; before that, the
/// key that followed the last one the time before is tried, for devices report in turn. The hash
/// decides only where a key is found, never an order that leaves the task: codes are in order of
/// first sight, and ``sortedCodes()`` orders by bytes. Not thread-safe: one task, one table.
package struct KeyTable: Sendable {
    /// Key bytes by code.
    package private(set) var keys = ByteValues()
    private var slots: [Int32]
    private var hashes: [UInt32] = []
    /// Per code: the code that came after it last time; -1 before the first time.
    private var successors: [Int32] = []
    private var last: Int32 = -1
    /// Codes in the order of their bytes, of the keys there were at the last ``sort()``.
    private var sorted: [Int32] = []
    private let collides: Bool

    /// `collides` sends every key to the same slot: for tests that no result depends on hashes.
    package init(collides: Bool = false) {
        slots = Array(repeating: -1, count: 64)
        self.collides = collides
    }

    package var count: Int { keys.count }

    /// The code of a key, given anew when it was not seen before. Amortised O(length).
    package mutating func intern(_ key: Span<UInt8>) -> Int32 {
        if last >= 0 {
            let expected = successors[Int(last)]
            if expected >= 0, equals(expected, key) {
                last = expected
                return expected
            }
        }
        let code = look(for: key)
        if last >= 0 { successors[Int(last)] = code }
        last = code
        return code
    }

    /// Finds a key by its hash, or takes it in.
    private mutating func look(for key: Span<UInt8>) -> Int32 {
        let hash = collides ? 0 : hashBytes(key)
        let (found, slot) = search(key, hash)
        if found >= 0 { return found }
        let code = Int32(count)
        keys.append(key)
        hashes.append(hash)
        successors.append(-1)
        slots[slot] = code
        if count * 2 > slots.count { grow() }
        return code
    }

    /// The code of a key that was seen before; -1 for any other. O(length).
    package func find(_ key: Span<UInt8>) -> Int32 {
        search(key, collides ? 0 : hashBytes(key)).code
    }

    /// The key's code, or -1 and the slot where it belongs.
    @inline(__always)
    private func search(_ key: Span<UInt8>, _ hash: UInt32) -> (code: Int32, slot: Int) {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while true {
            let code = slots[slot]
            if code < 0 { return (-1, slot) }
            if hashes[Int(code)] == hash, equals(code, key) { return (code, slot) }
            slot = (slot + 1) & mask
        }
    }

    /// See ``intern(_:)-(Span<UInt8>)``.
    package mutating func intern(_ key: [UInt8]) -> Int32 { intern(key.span) }

    /// A copy of a key's bytes.
    package func bytes(_ code: Int32) -> [UInt8] { keys.array(Int(code)) }

    /// Up to so many keys a column of them refers to the table itself.
    private static let sharedCount = 1 << 14

    /// The keys of rows as a column; a code of -1 gives any key. O(rows).
    ///
    /// A column of a small table refers to it and copies nothing, at the price of a copy of the
    /// table when a key is added while the column lives. Of a large one it has copies of its own.
    package func column(_ codes: [Int32]) -> Column {
        var codes = codes
        for row in codes.indices where codes[row] < 0 { codes[row] = 0 }
        if count > Self.sharedCount { return Column(.bytes(keys.gather(codes))) }
        // Without any key every code was -1: any base will do that has a row 0.
        let base = count == 0 ? ByteValues(offsets: [0, 0], bytes: []) : keys
        return Column(.dictionary(DictionaryValues(indices: codes, base: Column(.bytes(base)))))
    }

    /// Codes in ascending order of their bytes. O(n log n), or O(1) when no key has come since
    /// ``sort()``.
    package func sortedCodes() -> [Int32] {
        sorted.count == count ? sorted : (0..<Int32(count)).sorted { precedes($0, $1) }
    }

    /// Remembers the order of the keys, for ``sortedCodes()``. O(n log n) in the keys that have
    /// come since the last call, O(n) in all.
    package mutating func sort() {
        guard sorted.count < count else { return }
        let new = (Int32(sorted.count)..<Int32(count)).sorted { precedes($0, $1) }
        var merged: [Int32] = []
        merged.reserveCapacity(count)
        var old = 0
        for code in new {
            while old < sorted.count, precedes(sorted[old], code) {
                merged.append(sorted[old])
                old += 1
            }
            merged.append(code)
        }
        sorted = merged + sorted[old...]
    }

    /// Whether key `a` comes before key `b` in byte order, a prefix first.
    package func precedes(_ a: Int32, _ b: Int32) -> Bool {
        let left = keys.range(Int(a))
        let right = keys.range(Int(b))
        let bytes = keys.bytes.span
        for index in 0..<min(left.count, right.count) {
            let x = bytes[left.lowerBound + index]
            let y = bytes[right.lowerBound + index]
            if x != y { return x < y }
        }
        return left.count < right.count
    }

    private func equals(_ code: Int32, _ key: Span<UInt8>) -> Bool {
        let range = keys.range(Int(code))
        let count = key.count
        guard range.count == count else { return false }
        let stored = keys.bytes.span.extracting(range)
        guard count >= 8 else {
            for index in 0..<count where stored[index] != key[index] { return false }
            return true
        }
        var index = 0
        while index &+ 8 <= count {
            if word(stored, at: index) != word(key, at: index) { return false }
            index &+= 8
        }
        // The last eight bytes, some of them for the second time.
        return word(stored, at: count &- 8) == word(key, at: count &- 8)
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        let mask = slots.count - 1
        for code in 0..<Int32(count) {
            var slot = Int(hashes[Int(code)]) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = code
        }
    }
}

/// A fast hash of a byte string: multiply and fold, 8 bytes at a time. Not for hostile input where
/// speed under collisions matters, and never visible in a result.
package func hashBytes(_ bytes: Span<UInt8>) -> UInt32 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
    var index = 0
    while index < bytes.count {
        var next: UInt64 = 0
        if index &+ 8 <= bytes.count {
            next = word(bytes, at: index)
        } else {
            for tail in index..<bytes.count { next = next << 8 | UInt64(bytes[tail]) }
        }
        let product = (state ^ next).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        state = product.high ^ product.low
        index &+= 8
    }
    return UInt32(truncatingIfNeeded: state ^ (state >> 32))
}

/// Eight bytes as one word; `index + 8` must not pass the end.
@inline(__always)
private func word(_ bytes: Span<UInt8>, at index: Int) -> UInt64 {
    unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: index, as: UInt64.self) }
}
