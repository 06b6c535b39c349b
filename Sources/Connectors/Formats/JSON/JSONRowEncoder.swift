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
        let members = prefixes.indices.map { index in
            var texts = ByteValues()
            JSONWriter.values(
                batch.columns[index], types[index], prefix: prefixes[index], to: &texts)
            return texts
        }
        var objects = ByteValues()
        objects.offsets.reserveCapacity(batch.rowCount + 1)
        objects.bytes.reserveCapacity(
            members.reduce(2 * batch.rowCount) { $0 + $1.bytes.count })
        for row in 0..<batch.rowCount {
            if members.isEmpty { objects.bytes.append(0x7B) }
            for texts in members {
                objects.bytes.append(contentsOf: texts.bytes[texts.range(row)])
            }
            objects.bytes.append(0x7D)
            objects.endRow()
        }
        return objects
    }
}
