import Primitives
import RecordLog

/// Writes records as JSON objects, one a line, for `export`. One thread.
///
/// `partition, offset, timestamp, key, headers, value`. Bytes that are text are a string, other
/// bytes `{"base64": "…"}`. A value that is JSON stands as it is, byte for byte but for line breaks
/// between its tokens, which become spaces.
package struct RecordJSON {
    package init() {}

    /// Appends the line of one row of a block.
    package func write(
        _ block: RecordBlock, _ row: Int, partition: Int, to output: inout [UInt8]
    ) {
        output += Array("{\"partition\":\(partition),\"offset\":\(block.offsets[row])".utf8)
        output += Array(",\"timestamp\":\(block.timestamps[row]),\"key\":".utf8)
        let key = range(block.keyStarts[row], block.keyLengths[row])
        writeText(key.map { block.bytes[$0] }, to: &output)
        output += Array(",\"headers\":{".utf8)
        writeHeaders(block.headers(row), to: &output)
        output += Array("},\"value\":".utf8)
        writeValue(block, range(block.valueStarts[row], block.valueLengths[row]), to: &output)
        output += [0x7D, 0x0A]
    }

    private func range(_ start: Int32, _ length: Int32) -> Range<Int>? {
        length < 0 ? nil : Int(start)..<Int(start) + Int(length)
    }

    /// Members in the order of the record; a name that stands twice has an array of its values.
    private func writeHeaders(_ headers: [RecordHeader], to output: inout [UInt8]) {
        for (index, header) in headers.enumerated() {
            if headers[..<index].contains(where: { $0.key == header.key }) { continue }
            if index > 0 { output.append(0x2C) }
            writeString(header.key[...], to: &output)
            output.append(0x3A)
            let same = headers[index...].filter { $0.key == header.key }
            if same.count > 1 { output.append(0x5B) }
            for (number, one) in same.enumerated() {
                if number > 0 { output.append(0x2C) }
                writeText(one.value?[...], to: &output)
            }
            if same.count > 1 { output.append(0x5D) }
        }
    }

    private func writeValue(_ block: RecordBlock, _ range: Range<Int>?, to output: inout [UInt8]) {
        guard let range else { return writeText(nil, to: &output) }
        guard Self.isJSON(block.bytes, range) else {
            return writeText(block.bytes[range], to: &output)
        }
        let start = output.count
        output += block.bytes[range]
        // Inside its strings a JSON text has no such byte.
        for index in start..<output.count where output[index] == 0x0A || output[index] == 0x0D {
            output[index] = 0x20
        }
    }

    private func writeText(_ bytes: ArraySlice<UInt8>?, to output: inout [UInt8]) {
        guard let bytes else {
            output += Array("null".utf8)
            return
        }
        let isText = bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return true }
            // This looks at no byte past the end.
            return JSONText(base, count: buffer.count).isUTF8()
        }
        if isText { return writeString(bytes, to: &output) }
        output += Array("{\"base64\":\"".utf8)
        var text = ByteWriter(capacity: bytes.count * 4 / 3 + 4)
        Base64.encode(bytes.span, to: &text)
        output += text.array()
        output += [0x22, 0x7D]
    }

    /// A JSON string. A header's name that is not UTF-8, which Kafka forbids, is mended.
    private func writeString(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output.append(0x22)
        for byte in String(decoding: bytes, as: UTF8.self).utf8 {
            switch byte {
            case 0x22, 0x5C: output += [0x5C, byte]
            case 0x0A: output += Array("\\n".utf8)
            case 0x0D: output += Array("\\r".utf8)
            case 0x09: output += Array("\\t".utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output += Array("\\u00".utf8)
                output += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: output.append(byte)
            }
        }
        output.append(0x22)
    }

    /// Whether a part of the bytes is one JSON value of any type and nothing else, in UTF-8.
    private static func isJSON(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.upperBound + JSONText.slack <= bytes.count else {
            let slack = [UInt8](repeating: 0, count: JSONText.slack)
            return isJSON(Array(bytes[range]) + slack, 0..<range.count)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return false }
            let text = JSONText(base + range.lowerBound, count: range.count)
            let position = text.skipValue(text.skipSpace(0), depth: 0)
            return position >= 0 && text.skipSpace(position) == text.end && text.isUTF8()
        }
    }
}
