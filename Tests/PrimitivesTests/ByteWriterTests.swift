import Primitives
import Testing

/// Text and varints as the standard library and the plain definitions give them.
struct ByteWriterTests {
    /// Numbers of every length, and the ends of the range.
    private static let numbers: [Int64] = {
        var random = RandomSource(seed: 11)
        var numbers: [Int64] = [0, 1, -1, 9, 10, 99_999_999, 100_000_000, .max, .min]
        for bits in 1...63 {
            for _ in 0..<20 {
                let magnitude = Int64(bitPattern: random.next() &>> UInt64(64 - bits))
                numbers += [magnitude, -magnitude]
            }
        }
        return numbers
    }()

    @Test(arguments: [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 18])
    func decimalsAreTheDigitsWithAPoint(scale: Int) {
        for number in Self.numbers {
            var writer = ByteWriter()
            writer.put(decimal: number, scale: scale)
            var digits = String(number.magnitude)
            while digits.count <= scale { digits = "0" + digits }
            if scale > 0 {
                digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
            }
            let expected = (number < 0 ? "-" : "") + digits
            #expect(String(decoding: writer.array(), as: UTF8.self) == expected)
        }
    }

    @Test func piecesOfEveryLengthStandOneAfterTheOther() {
        var writer = ByteWriter(capacity: 1)
        var expected: [UInt8] = []
        for length in 0..<100 {
            let piece = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + length) }
            writer.put(piece.span)
            writer.put(UInt8(length))
            expected += piece + [UInt8(length)]
            #expect(writer.count == expected.count)
        }
        #expect(writer.array() == expected)
        writer.removeAll()
        #expect(writer.array() == [])
    }

    @Test func varintsReadBack() {
        for number in Self.numbers {
            var writer = ByteWriter()
            writer.put(varint: Varint.zigZag(number))
            var position = 0
            #expect(Varint.readSigned64(writer.array().span, at: &position) == number)
            #expect(position == writer.count)
        }
    }

    @Test(arguments: [0, 1, 63, 64, 100, 8191, 8192])
    func aLengthGoesBeforeWhatIsThere(length: Int) {
        let piece = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        var writer = ByteWriter()
        writer.put(0xFF)
        writer.put(piece.span)
        writer.putLength(before: 1)
        let bytes = writer.array()
        var position = 1
        #expect(Varint.readSigned64(bytes.span, at: &position) == Int64(length))
        #expect(Array(bytes[position...]) == piece)
    }

    @Test func bigEndianIntegersHaveTheHighestByteFirst() {
        var writer = ByteWriter()
        writer.put(bigEndian: 0x0102_0304_0506_0708)
        writer.put(bigEndian: -2)
        #expect(
            writer.array() == [1, 2, 3, 4, 5, 6, 7, 8] + Array(repeating: 255, count: 7) + [254])
    }
}
