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

    /// Appends row `row` of a batch that has the schema's columns. O(bytes written).
    package func encode(_ batch: Batch, _ row: Int, into bytes: inout [UInt8]) {
        for index in prefixes.indices {
            bytes.append(contentsOf: prefixes[index])
            JSONWriter.value(batch.columns[index], row, types[index], to: &bytes)
        }
        if prefixes.isEmpty { bytes.append(0x7B) }
        bytes.append(0x7D)
    }
}
