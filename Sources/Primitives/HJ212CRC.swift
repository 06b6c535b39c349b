/// The checksum of HJ 212 frames (HJ 212-2017, annex A).
///
/// Often mistaken for Modbus CRC-16, with which it shares the polynomial 0xA001 and the start
/// value: here each byte is combined with the *high* byte of the register, whose low byte is
/// dropped.
package enum HJ212CRC {
    /// The checksum of a data segment; written as four hexadecimal digits, high byte first.
    package static func checksum(_ bytes: Span<UInt8>) -> UInt16 {
        var register: UInt16 = 0xFFFF
        for index in bytes.indices { register = fold(register >> 8 ^ UInt16(bytes[index])) }
        return register
    }

    /// Modbus CRC-16 of a data segment, which some devices send by mistake: to recognise it, and to
    /// simulate them.
    package static func modbus(_ bytes: Span<UInt8>) -> UInt16 {
        var register: UInt16 = 0xFFFF
        for index in bytes.indices { register = fold(register ^ UInt16(bytes[index])) }
        return register
    }

    /// Eight steps of the register at once: its low byte decides by the table, its high byte moves
    /// down.
    @inline(__always)
    private static func fold(_ value: UInt16) -> UInt16 {
        steps[Int(value & 0xFF)] ^ value >> 8
    }

    /// What eight steps make of each low byte.
    private static let steps: [UInt16] = (0..<256).map { low in
        (0..<8).reduce(UInt16(low)) { register, _ in
            register & 1 == 1 ? register >> 1 ^ 0xA001 : register >> 1
        }
    }
}
