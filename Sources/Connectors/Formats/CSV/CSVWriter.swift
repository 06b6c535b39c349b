/// Writes rows of CSV (RFC 4180).
package enum CSVWriter {
    /// The bytes of a row, without a line end; nil is an empty field, which reads as null.
    package static func row(_ cells: [String?], separator: UInt8) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(separator) }
            guard let cell else { continue }
            let needsQuotes =
                cell.isEmpty
                || cell.utf8.contains { [separator, 0x22, 0x0A, 0x0D].contains($0) }
            guard needsQuotes else {
                bytes += cell.utf8
                continue
            }
            bytes.append(0x22)
            for byte in cell.utf8 {
                if byte == 0x22 { bytes.append(byte) }
                bytes.append(byte)
            }
            bytes.append(0x22)
        }
        return bytes
    }
}
