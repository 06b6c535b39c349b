import Primitives

/// A test of a topology: input in order of arrival, and what must come of it. One case a file.
package struct CaseFile: Sendable {
    package var name: String
    package var description: String
    package var input: [CaseInput]
    /// What sinks must hold, by topic, in the order of the file; other topics are not compared.
    package var expectations: [CaseExpectation]
    /// What must be rejected, in order; all of it, so an absent list means nothing.
    package var rejects: [ExpectedReject]
    /// The end of the input is the end of a bounded run, which flushes.
    package var bounded: Bool
    /// Partitions of every topic, each with a task; 1 unless stated.
    package var partitions: Int
    /// The file, for messages.
    package var location: SourceLocation
}

/// One item of a case's input.
package struct CaseInput: Sendable {
    /// What happens: a record comes in, or time passes.
    package enum Content: Sendable {
        /// A record of a source: its JSON value, or its text as it is.
        case record(source: String, value: CaseValue)
        /// A recorded tick of the wall clock, in microseconds, all sources being at their end.
        case tick(Int64)
        /// A tick at every second of the grid, from the first time to the last.
        case ticks(ClosedRange<Int64>)
    }

    package var content: Content
    /// The record's key, when the case states it; else the runner takes it from the value.
    package var key: String?
    /// When the record arrived, in microseconds; nil for the row's own time.
    package var arrival: Int64?
    package var location: SourceLocation
}

/// What a record's value is written as.
package enum CaseValue: Hashable, Sendable {
    case json(JSONValue)
    case text(String)

    /// The bytes of the record's value: compact JSON with the digits of the case file, or the text.
    package var bytes: [UInt8] {
        switch self {
        case .json(let value): Array(value.text.utf8)
        case .text(let text): Array(text.utf8)
        }
    }
}

/// The records that a topic must hold, in order.
package struct CaseExpectation: Sendable {
    package var topic: String
    package var records: [ExpectedRecord]
}

/// One record as far as a case says; what it leaves out is not compared.
package struct ExpectedRecord: Sendable {
    package var key: String?
    /// Microseconds.
    package var time: Int64?
    /// `new`, `correct` or `withdraw`.
    package var change: String?
    /// Number of earlier versions.
    package var revision: Int?
    package var fields: [JSONValue.Member]
    package var location: SourceLocation
}

/// One reject as far as a case says.
package struct ExpectedReject: Sendable {
    package var source: String?
    package var reason: String?
    /// Number of the input item, from 1.
    package var row: Int?
    package var location: SourceLocation
}
