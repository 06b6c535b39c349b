/// One line of generated data under construction, written with integer arithmetic only.
package struct LineBuffer: Sendable {
    /// The line so far.
    package private(set) var bytes: [UInt8] = []

    /// An empty line.
    package init() { bytes.reserveCapacity(512) }

    /// Starts anew, keeping the storage.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Appends bytes as they are.
    package mutating func put(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    /// Appends text as UTF-8.
    package mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends one byte.
    package mutating func put(byte: UInt8) { bytes.append(byte) }

    /// Decimal digits of a value, no leading zeros.
    package mutating func put(_ value: Int) {
        if value < 0 { bytes.append(45) }
        var magnitude = value.magnitude
        let start = bytes.count
        repeat {
            let (quotient, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
            bytes.append(48 &+ UInt8(truncatingIfNeeded: digit))
            magnitude = quotient
        } while magnitude > 0
        reverse(from: start)
    }

    /// `units` × 10^-`scale` with all its digits after the point: 235 at scale 2 is `2.35`.
    package mutating func put(_ units: Int, scale: Int) {
        if units < 0 { bytes.append(45) }
        var magnitude = units.magnitude
        let start = bytes.count
        var written = 0
        repeat {
            if written == scale, scale > 0 { bytes.append(46) }
            let (quotient, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
            bytes.append(48 &+ UInt8(truncatingIfNeeded: digit))
            magnitude = quotient
            written += 1
        } while magnitude > 0 || written <= scale
        reverse(from: start)
    }

    /// Exactly `width` digits, zeros in front.
    package mutating func put(_ value: Int, width: Int) {
        var rest = value
        let start = bytes.count
        for _ in 0..<width {
            bytes.append(UInt8(48 + rest % 10))
            rest /= 10
        }
        reverse(from: start)
    }

    private mutating func reverse(from start: Int) {
        var low = start
        var high = bytes.count - 1
        while low < high {
            bytes.swapAt(low, high)
            low += 1
            high -= 1
        }
    }
}
