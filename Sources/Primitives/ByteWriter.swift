/// Bytes written one piece after the other, in memory of its own that grows: what records and their
/// texts are made in.
///
/// A piece costs a comparison and a copy; arrays also check for uniqueness and call out at every
/// append. Amortised O(bytes written). Threading: one thread at a time.
@safe package struct ByteWriter: ~Copyable {
    /// Room that is always there behind the bytes, so that short pieces need no check of their own.
    @usableFromInline static let slack = 32

    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    @usableFromInline var used: Int

    /// An empty writer with room for some bytes.
    package init(capacity: Int = 0) {
        self.capacity = max(capacity, 0)
        unsafe base = .allocate(capacity: self.capacity + Self.slack)
        used = 0
    }

    deinit { unsafe base.deallocate() }

    /// Bytes written so far.
    @inlinable package var count: Int { used }

    @inlinable package var isEmpty: Bool { used == 0 }

    /// Forgets the bytes and keeps the room.
    package mutating func removeAll() { used = 0 }

    // MARK: Writing

    @inlinable @inline(__always)
    mutating func reserve(_ more: Int) {
        if capacity &- used < more { grow(more) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ more: Int) {
        let larger = max(used + more, capacity * 2, 64)
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: larger + Self.slack)
        unsafe copy.update(from: base, count: used)
        unsafe base.deallocate()
        unsafe base = copy
        capacity = larger
    }

    /// One byte.
    @inlinable @inline(__always)
    package mutating func put(_ byte: UInt8) {
        reserve(1)
        unsafe base[used] = byte
        used &+= 1
    }

    /// A copy of some bytes.
    @inlinable @inline(__always)
    package mutating func put(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe put(start, count: source.count)
        }
    }

    /// A copy of `count` bytes from `start` on.
    @unsafe @inlinable @inline(__always)
    package mutating func put(_ start: UnsafePointer<UInt8>, count added: Int) {
        reserve(added)
        let target = unsafe base + used
        used &+= added
        if added > 32 {
            unsafe target.update(from: start, count: added)
        } else if added > 16 {
            unsafe Self.copyEnds(SIMD2<UInt64>.self, start, target, added)
        } else if added >= 8 {
            unsafe Self.copyEnds(UInt64.self, start, target, added)
        } else if added >= 4 {
            unsafe Self.copyEnds(UInt32.self, start, target, added)
        } else {
            for index in 0..<added { unsafe target[index] = start[index] }
        }
    }

    /// The first and the last word, which may overlap.
    @inlinable @inline(__always)
    static func copyEnds<Word: BitwiseCopyable>(
        _ word: Word.Type, _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>,
        _ count: Int
    ) {
        let last = count &- MemoryLayout<Word>.size
        let ends = unsafe (
            UnsafeRawPointer(source).loadUnaligned(as: word),
            UnsafeRawPointer(source + last).loadUnaligned(as: word)
        )
        unsafe UnsafeMutableRawPointer(target).storeBytes(of: ends.0, as: word)
        unsafe UnsafeMutableRawPointer(target + last).storeBytes(of: ends.1, as: word)
    }

    @inlinable @inline(__always)
    package mutating func put(_ bytes: [UInt8]) { put(bytes.span) }

    @inlinable @inline(__always)
    package mutating func put(_ bytes: ArraySlice<UInt8>) { put(bytes.span) }

    /// The UTF-8 of a text.
    package mutating func put(_ text: String) {
        for byte in text.utf8 { put(byte) }
    }

    /// The UTF-8 of a literal.
    @inlinable @inline(__always)
    package mutating func put(literal text: StaticString) {
        unsafe put(text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// Eight bytes, the highest first.
    @inlinable @inline(__always)
    package mutating func put(bigEndian value: Int64) {
        reserve(8)
        unsafe UnsafeMutableRawPointer(base + used).storeBytes(
            of: value.bigEndian, as: Int64.self)
        used &+= 8
    }

    /// An unsigned varint; see ``Varint``.
    @inlinable @inline(__always)
    package mutating func put(varint value: UInt64) {
        reserve(10)
        var rest = value
        while rest >= 0x80 {
            unsafe base[used] = UInt8(truncatingIfNeeded: rest) | 0x80
            used &+= 1
            rest &>>= 7
        }
        unsafe base[used] = UInt8(truncatingIfNeeded: rest)
        used &+= 1
    }

    /// Puts the zig-zag varint of the number of bytes since `start` before them.
    @inlinable @inline(__always)
    package mutating func putLength(before start: Int) {
        let length = Varint.zigZag(Int64(used &- start))
        let room = Varint.encodedLength(length)
        reserve(room)
        unsafe (base + start + room).update(from: base + start, count: used &- start)
        let end = used &+ room
        used = start
        put(varint: length)
        used = end
    }

    /// `units` × 10^-`scale` with all its digits: 2500 at scale 1 is `250.0`. A scale up to 18.
    @inlinable @inline(__always)
    package mutating func put(decimal units: Int64, scale: Int) {
        reserve(22)
        if units < 0 {
            unsafe base[used] = 0x2D
            used &+= 1
        }
        guard scale > 0 else { return putDigits(units.magnitude) }
        let (whole, fraction) = units.magnitude.quotientAndRemainder(
            dividingBy: UInt64(bitPattern: Decimal.powerOfTen(scale)))
        putDigits(whole)
        unsafe base[used] = 0x2E
        used &+= 1
        putDigits(fraction, count: scale)
    }

    /// A number as `count` digits, with leading zeros; it must not have more.
    @inlinable @inline(__always)
    package mutating func put(digits value: Int, count digitCount: Int) {
        reserve(digitCount)
        putDigits(UInt64(value.magnitude), count: digitCount)
    }

    /// A number without leading zeros.
    @inlinable @inline(__always)
    mutating func putDigits(_ value: UInt64) {
        guard value < 100_000_000 else { return putLongDigits(value) }
        let digits = Self.eightDigits(value)
        // At least one digit, a zero.
        putLast(8 &- min(digits.trailingZeroBitCount &>> 3, 7), of: digits)
    }

    @usableFromInline @inline(never)
    mutating func putLongDigits(_ value: UInt64) {
        putDigits(value / 100_000_000)
        putLast(8, of: Self.eightDigits(value % 100_000_000))
    }

    /// The last `digitCount` digits of a number that has no more.
    @inlinable @inline(__always)
    mutating func putDigits(_ value: UInt64, count digitCount: Int) {
        guard digitCount <= 8 else { return putLongDigits(value, count: digitCount) }
        putLast(digitCount, of: Self.eightDigits(value))
    }

    @usableFromInline @inline(never)
    mutating func putLongDigits(_ value: UInt64, count digitCount: Int) {
        putDigits(value / 100_000_000, count: digitCount - 8)
        putLast(8, of: Self.eightDigits(value % 100_000_000))
    }

    @inlinable @inline(__always)
    mutating func putLast(_ digitCount: Int, of digits: UInt64) {
        let text = (digits | 0x3030_3030_3030_3030) &>> UInt64(8 &* (8 &- digitCount))
        unsafe UnsafeMutableRawPointer(base + used).storeBytes(
            of: text.littleEndian, as: UInt64.self)
        used &+= digitCount
    }

    /// The digits of a number below 10^8, the first in the lowest byte: halves, quarters and digits
    /// side by side, so that there are three multiplications and no loop.
    @inlinable @inline(__always)
    static func eightDigits(_ value: UInt64) -> UInt64 {
        let halves = value / 10_000 | (value % 10_000) &<< 32
        let hundreds = (halves &* 10_486) &>> 20 & 0x7F_0000_007F
        let pairs = hundreds | (halves &- hundreds &* 100) &<< 16
        let tens = (pairs &* 103) &>> 10 & 0x000F_000F_000F_000F
        return tens | (pairs &- tens &* 10) &<< 8
    }

    // MARK: Reading back

    /// The bytes so far; valid during the call.
    @inlinable @inline(__always)
    package borrowing func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: used))
    }

    /// A copy of the bytes from `start` on.
    package func array(from start: Int = 0) -> [UInt8] {
        let start = min(max(start, 0), used)
        return unsafe Array(UnsafeBufferPointer(start: base + start, count: used - start))
    }
}
