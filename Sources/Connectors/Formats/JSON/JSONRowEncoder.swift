import Columnar
import Primitives

/// Writes rows as compact JSON objects, members in the order of a schema's fields.
///
/// Decimals keep all digits of their scale (`250.0`), ratios are rounded half-even to theirs,
/// timestamps are RFC 3339 in UTC, durations text such as `1h30m`, bytes base64. Doubles are the
/// shortest text that reads back the same; JSON has no NaN or infinity, so those are null.
/// The same row always gives the same bytes. Immutable.
package struct JSONRowEncoder: Sendable {
    /// `{"name":` or `,"name":` of each field.
    private let prefixes: [[UInt8]]
    private let types: [ValueType]

    package init(schema: Schema) {
        prefixes = schema.fields.enumerated().map { index, field in
            var prefix = ByteWriter(capacity: 32)
            prefix.put(index == 0 ? 0x7B : 0x2C)
            JSONWriter.string(Array(field.name.utf8).span, to: &prefix)
            prefix.put(0x3A)
            return prefix.array()
        }
        types = schema.fields.map(\.type)
    }

    /// The rows of a batch that has the schema's columns, each an object. O(bytes written).
    ///
    /// Column by column first, so that each loop has one type, then row by row.
    package func encode(_ batch: Batch) -> ByteValues {
        let count = batch.rowCount
        var rows = ByteValuesWriter(capacity: 64 * count, rowCount: count)
        guard !prefixes.isEmpty else {
            for _ in 0..<count {
                rows.bytes.put("{}")
                rows.endRow()
            }
            return rows.values()
        }
        // Where the texts of each column stand: columns one after the other.
        var texts = ByteValuesWriter(capacity: 64 * count, rowCount: count * prefixes.count)
        for index in prefixes.indices {
            JSONWriter.values(
                batch.columns[index], types[index], prefix: prefixes[index], to: &texts)
        }
        let starts = texts.offsets.span
        texts.bytes.withBytes { bytes in
            guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
            for row in 0..<count {
                for column in prefixes.indices {
                    let place = column &* count &+ row
                    let start = Int(starts[place])
                    rows.bytes.put(base + start, count: Int(starts[place &+ 1]) &- start)
                }
                rows.bytes.put(0x7D)
                rows.endRow()
            }
        }
        return rows.values()
    }
}
