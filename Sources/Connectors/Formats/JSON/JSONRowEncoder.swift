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
            var prefix: [UInt8] = [index == 0 ? 0x7B : 0x2C]
            JSONWriter.string(Array(field.name.utf8)[...], to: &prefix)
            prefix.append(0x3A)
            return prefix
        }
        types = schema.fields.map(\.type)
    }

    /// The rows of a batch that has the schema's columns, each an object. O(bytes written).
    ///
    /// Column by column first, so that each loop has one type, then row by row.
    package func encode(_ batch: Batch) -> ByteValues {
        var members = prefixes.indices.map { index in
            var texts = ByteValues()
            JSONWriter.values(
                batch.columns[index], types[index], prefix: prefixes[index], to: &texts)
            return texts
        }
        if members.isEmpty {
            members = [
                ByteValues(
                    offsets: Array(0...Int32(batch.rowCount)),
                    bytes: Array(repeating: 0x7B, count: batch.rowCount))
            ]
        }
        return ByteValues.joining(members, rowCount: batch.rowCount, terminator: 0x7D)
    }
}
