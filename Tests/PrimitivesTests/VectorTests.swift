import Foundation
import Primitives
import Testing

/// Published vectors of the checksum and of the variable-length integers.
struct VectorTests {
    struct Checksums: Decodable {
        struct Vector: Decodable {
            var hex: String?
            var ascii: String?
            var crc: String
        }
        var vectors: [Vector]
    }

    struct Varints: Decodable {
        struct Vector: Decodable {
            var value: String
            var hex: String
        }
        var unsignedVarint: [Vector]
        var zigZag32: [Vector]
        var zigZag64: [Vector]

        enum CodingKeys: String, CodingKey {
            case unsignedVarint
            case zigZag32 = "varint_zigzag32"
            case zigZag64 = "varlong_zigzag64"
        }
    }

    private func load<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
        let folder = try #require(Bundle.module.resourceURL)
        let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/" + name))
        return try JSONDecoder().decode(type, from: data)
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }

    @Test func checksumOfRFC3720() throws {
        let vectors = try load("crc32c.json", as: Checksums.self).vectors
        #expect(vectors.count >= 5)
        for vector in vectors {
            let input = vector.hex.map(bytes) ?? Array((vector.ascii ?? "").utf8)
            #expect(CRC32C.checksum(input.span) == UInt32(vector.crc, radix: 16))
            #expect(CRC32C.extendByTables(0, with: input.span) == UInt32(vector.crc, radix: 16))
        }
    }

    /// Bit by bit, as the definition has it, at every length around the unrolled loop's sixteen.
    @Test func checksumAgreesWithDefinition() {
        var random = RandomSource(seed: 1)
        for count in 0...100 {
            let input = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var expected: UInt32 = 0xFFFF_FFFF
            for byte in input {
                expected ^= UInt32(byte)
                for _ in 0..<8 {
                    expected = expected & 1 == 1 ? expected >> 1 ^ 0x82F6_3B78 : expected >> 1
                }
            }
            #expect(CRC32C.checksum(input.span) == ~expected)
            let cut = count / 3
            let head = CRC32C.checksum(input, in: 0..<cut)
            let tail = input.span.extracting(cut..<count)
            #expect(CRC32C.extend(head, with: tail) == ~expected)
            #expect(CRC32C.extendByTables(head, with: tail) == ~expected)
        }
    }

    @Test func varintsOfKafka() throws {
        let vectors = try load("kafka-varint.json", as: Varints.self)
        #expect(vectors.unsignedVarint.count == 14)
        #expect(vectors.zigZag32.count == 21)
        #expect(vectors.zigZag64.count == 43)
        for vector in vectors.unsignedVarint {
            let value = UInt32(bitPattern: try #require(Int32(vector.value)))
            var written: [UInt8] = []
            Varint.appendUnsigned(UInt64(value), to: &written)
            #expect(written == bytes(vector.hex))
            #expect(Varint.encodedLength(UInt64(value)) == written.count)
            var position = 0
            #expect(Varint.readUnsigned32(written.span, at: &position) == value)
            #expect(position == written.count)
        }
        for vector in vectors.zigZag32 {
            var position = 0
            let read = Varint.readSigned32(bytes(vector.hex).span, at: &position)
            #expect(read == Int32(vector.value))
        }
        for vector in vectors.zigZag64 {
            let value = try #require(Int64(vector.value))
            var written: [UInt8] = []
            Varint.appendSigned(value, to: &written)
            #expect(written == bytes(vector.hex))
            #expect(Varint.signedLength(value) == written.count)
            var position = 0
            #expect(Varint.readSigned64(written.span, at: &position) == value)
        }
    }

    @Test func overlongAndShortVarintsAreRefused() {
        for hex in ["", "80", "ffffffffff", "8080808080", "ffffffff10", "ffffffff7f"] {
            var position = 0
            #expect(Varint.readUnsigned32(bytes(hex).span, at: &position) == nil)
            #expect(position == 0)
        }
        for hex in ["ffffffffffffffffff", "ffffffffffffffffff02", "80808080808080808080"] {
            var position = 0
            #expect(Varint.readSigned64(bytes(hex).span, at: &position) == nil)
        }
        var beyond = 5
        #expect(Varint.readUnsigned64([1].span, at: &beyond) == nil)
        var before = -1
        #expect(Varint.readUnsigned64([1].span, at: &before) == nil)
    }

    @Test func cursorNeverPassesTheEnd() {
        var written: [UInt8] = []
        written.appendBigEndian(Int16(-2))
        written.appendBigEndian(Int32(-3))
        written.appendBigEndian(UInt32.max)
        written.appendBigEndian(Int64.min)
        Varint.appendSigned(-5, to: &written)
        var cursor = ByteCursor(written)
        #expect(cursor.readInt16() == -2)
        #expect(cursor.readInt32() == -3)
        #expect(cursor.readUInt32() == .max)
        #expect(cursor.readInt64() == .min)
        #expect(cursor.readVarint() == -5)
        #expect(cursor.isAtEnd)
        #expect(cursor.readUInt8() == nil)
        #expect(cursor.readInt16() == nil)
        #expect(cursor.readBytes(1) == nil)
        #expect(cursor.readBytes(-1) == nil)
        let skipped = cursor.skip(.max)
        #expect(!skipped)
        #expect(cursor.readVarint() == nil)
        var cut = ByteCursor([1, 2, 3], in: 2..<9)
        #expect(cut.remaining == 1)
        #expect(cut.readUInt8() == 3)
    }
}
