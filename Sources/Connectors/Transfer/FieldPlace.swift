/// Where a field is found in a document, and how its instant is written.
package struct FieldPlace: Hashable, Sendable {
    /// How an instant is written where it is a JSON number; text is RFC 3339 always.
    package enum NumberUnit: Int, Hashable, Sendable {
        case seconds = 6
        case milliseconds = 3
        case microseconds = 0
    }

    /// The names from the outermost object to the field; in a frame one name.
    package var path: [String]
    package var numberUnit: NumberUnit

    /// A field by its dotted path.
    package init(_ path: String, numberUnit: NumberUnit = .milliseconds) {
        self.path = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        self.numberUnit = numberUnit
    }
}

/// The fields that an import takes from each line; those that are not named stay nil.
package struct ImportFields: Hashable, Sendable {
    package var key: FieldPlace?
    package var time: FieldPlace?
    package var arrival: FieldPlace?

    package init(key: FieldPlace? = nil, time: FieldPlace? = nil, arrival: FieldPlace? = nil) {
        self.key = key
        self.time = time
        self.arrival = arrival
    }

    /// One text for all of it, to tell whether two imports mean the same.
    package var description: String {
        [("key", key), ("time", time), ("arrival", arrival)].map { name, field in
            guard let field else { return "\(name): none" }
            let text = field.path.joined(separator: ".")
            return field.numberUnit == .milliseconds
                ? "\(name): \(text)" : "\(name): \(text) (10^-\(field.numberUnit.rawValue) us)"
        }.joined(separator: ", ")
    }
}

/// What was found in a line. Ranges are positions in the buffer that holds the line.
struct LineFields {
    /// The record's value: the line without its end and without what stands before a frame.
    var value: Range<Int>
    /// The key's bytes; nil where there is none. Those of `ownedKey` when that is not nil.
    var key: Range<Int>?
    /// A key that does not stand in the line as it is: one with escapes.
    var ownedKey: [UInt8]?
    /// Milliseconds since the epoch, not negative; nil where there is none that can be read.
    var time: Int64?
    var arrival: Int64?
    /// The line is not what the format says, or a field asked for cannot be read.
    var isUnreadable = false
}

/// Instants as records hold them.
enum RecordTime {
    /// The first millisecond of the year 10000.
    private static let end: Int64 = 253_402_300_800_000

    /// Whole milliseconds; nil before 1970 and after the year 9999.
    static func milliseconds(_ microseconds: Int64) -> Int64? {
        guard microseconds >= 0 else { return nil }
        let value = microseconds / 1000
        return value < end ? value : nil
    }
}
