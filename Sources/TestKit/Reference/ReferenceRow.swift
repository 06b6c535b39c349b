/// A row in the reference engine. Times in microseconds.
struct ReferenceRow: Hashable, Sendable {
    /// Names what the row is about, the same for all its versions: a record, or a window of a key.
    var id: String
    var time: Int64
    var key: String
    /// By field name; looked-up fields as `table.field`.
    var values: [String: ReferenceValue]
    /// Where a reject of this row says that it comes from.
    var origin: ReferenceOrigin
}

/// A record of one of a task's inputs. In order: of several, the first stands for all.
struct ReferenceOrigin: Hashable, Comparable, Sendable {
    var input: Int
    var offset: Int
    /// The place of the input among those that a step's rows may come from.
    var rank = 0

    static func < (a: Self, b: Self) -> Bool { (a.rank, a.offset) < (b.rank, b.offset) }
}

/// What passes between steps: a new row, or a row's earlier and later version.
struct ReferenceItem: Sendable {
    /// The version that was sent before and does not hold any more.
    var before: ReferenceRow?
    /// The version that holds from now on; nil for a withdrawal.
    var after: ReferenceRow?
    /// 0 for what is new.
    var revision: Int
    /// Made by a window that the watermark has just reached: it does not wait again.
    var isFired = false

    init(before: ReferenceRow? = nil, after: ReferenceRow?, revision: Int = 0) {
        self.before = before
        self.after = after
        self.revision = revision
    }
}

/// A record as it is appended to a source, with what it means.
package struct ReferenceRecord: Hashable, Sendable, Codable {
    /// The value's bytes.
    package var text: String
    /// Milliseconds.
    package var arrival: Int64
    /// The arrival stands in a header and the record's own time stamp says something else.
    package var arrivalIsHeader: Bool
    /// Milliseconds; nil when it cannot be read.
    package var time: Int64?
    package var values: [String: ReferenceValue]
    /// The partition that it is appended to.
    package var partition = 0
    /// Why it cannot be used, and the field that is at fault; nil field: the whole record.
    package var fault: Fault?

    /// Why a record does not decode.
    package struct Fault: Hashable, Sendable, Codable {
        package var reason: String
        package var field: String?

        package init(_ reason: String, field: String?) {
            self.reason = reason
            self.field = field
        }
    }

    package init(
        text: String, arrival: Int64, arrivalIsHeader: Bool = false, time: Int64?,
        values: [String: ReferenceValue], fault: Fault? = nil
    ) {
        self.text = text
        self.arrival = arrival
        self.arrivalIsHeader = arrivalIsHeader
        self.time = time
        self.values = values
        self.fault = fault
    }
}

/// A record that the reference engine exports.
package struct ReferenceOutput: Hashable, Sendable {
    /// Milliseconds.
    package var time: Int64
    package var key: String
    /// `new`, `correct` or `withdraw`.
    package var change: String
    package var revision: Int
    package var fields: [ReferenceField]
    package var values: [ReferenceValue]
}

/// A record that the reference engine rejects.
package struct ReferenceReject: Hashable, Sendable {
    /// `topic/partition:offset` of the record.
    package var origin: String
    package var reason: String
    package var step: String

    package init(origin: String, reason: String, step: String) {
        self.origin = origin
        self.reason = reason
        self.step = step
    }
}

/// Half-open order of times and then of key bytes.
func isBefore(_ a: (time: Int64, key: String), _ b: (time: Int64, key: String)) -> Bool {
    a.time != b.time ? a.time < b.time : a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
}
