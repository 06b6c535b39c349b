import Columnar
import Expression

/// A checked topology: sources, steps in topological order, sinks. Immutable, shared by all tasks.
///
/// Step inputs point backwards only, so walking `steps` in order visits upstream first.
package struct Plan: Sendable {
    package var name: String
    package var version: Int
    package var sources: [SourcePlan]
    package var steps: [StepPlan]
    package var sinks: [SinkPlan]
    /// Canonical text with schemas, the same for any spelling of the same topology; comments and
    /// descriptions are not in it. Its hash names the plan; parsing it gives the plan again.
    package var canonicalText: String

    package init(
        name: String, version: Int, sources: [SourcePlan], steps: [StepPlan], sinks: [SinkPlan],
        canonicalText: String
    ) {
        self.name = name
        self.version = version
        self.sources = sources
        self.steps = steps
        self.sinks = sinks
        self.canonicalText = canonicalText
    }

    /// Topic of rejected records.
    package var rejectTopic: String { "\(name).v\(version).rejects" }
    /// Topic of the tasks' epochs.
    package var journalTopic: String { "\(name).v\(version).journal" }
}

/// How the bytes of a topic's values are written.
package enum FormatPlan: Hashable, Sendable {
    case json
    /// HJ 212 frames; `DataTime` and `QN` are local times, this many minutes ahead of UTC.
    case hj212(utcOffsetMinutes: Int)
    /// Rows of CSV, one a record.
    case csv(CSVForm)
}

/// Which clock judges a source's rows.
package enum ClockScope: String, Hashable, Sendable {
    /// One watermark for the partition.
    case partition
    /// One watermark for each key.
    case key
}

/// Event-time rules of a stream source. Durations in microseconds. See design of time: `disorder`,
/// `lateness` and `ahead` have no defaults.
package struct TimeRule: Hashable, Sendable {
    /// Field of the schema that holds the event time.
    package var field: Int
    /// How far the watermark stays behind the greatest time seen.
    package var disorder: Int64
    /// How long a closed window still takes corrections.
    package var lateness: Int64
    /// How far a row's time may be ahead of its arrival.
    package var ahead: Int64
    package var clock: ClockScope
    /// After so much recorded silence at its end, a key's open windows are flushed (key clocks).
    package var abandon: Int64?
    /// After so long at its end, a source's watermark follows the ticks (partition clock).
    package var idle: Int64?
    /// Watermarks move in whole granules.
    package var granule: Int64

    package init(
        field: Int, disorder: Int64, lateness: Int64, ahead: Int64, clock: ClockScope,
        abandon: Int64? = nil, idle: Int64? = nil, granule: Int64 = 1_000_000
    ) {
        self.field = field
        self.disorder = disorder
        self.lateness = lateness
        self.ahead = ahead
        self.clock = clock
        self.abandon = abandon
        self.idle = idle
        self.granule = granule
    }
}

/// What a source is to its topology.
package enum SourceRole: Hashable, Sendable {
    case stream(TimeRule)
    /// Versions by key; `timeField` says from when a version holds.
    case table(timeField: Int)
}

/// One topic that a topology reads.
package struct SourcePlan: Sendable {
    package var name: String
    package var topic: String
    package var format: FormatPlan
    package var schema: Schema
    /// Fields that some step or sink reads, ascending; key and time are always among them.
    package var fieldsRead: [Int]
    /// Field of the schema that is the key.
    package var keyField: Int
    package var role: SourceRole

    package init(
        name: String, topic: String, format: FormatPlan, schema: Schema, fieldsRead: [Int],
        keyField: Int, role: SourceRole
    ) {
        self.name = name
        self.topic = topic
        self.format = format
        self.schema = schema
        self.fieldsRead = fieldsRead
        self.keyField = keyField
        self.role = role
    }
}

/// Where a step or sink takes its rows from.
package enum Upstream: Hashable, Sendable {
    case source(Int)
    case step(Int)
}

/// One operator of the graph. A YAML step that looks up, filters and selects is three of these.
package struct StepPlan: Sendable {
    /// Unique in the plan; the YAML step's name, with a suffix where one step became several.
    package var name: String
    package var input: Upstream
    package var operation: Operation
    /// Shape of the rows it emits.
    package var output: Schema

    package init(name: String, input: Upstream, operation: Operation, output: Schema) {
        self.name = name
        self.input = input
        self.operation = operation
        self.output = output
    }
}

/// What a step does with its input, with everything it needs compiled.
package enum Operation: Sendable {
    /// Keeps rows whose one boolean output is true; null is not true.
    case filter(Program)
    /// One output expression a field of `output`. The key field is carried by a plain reference.
    case select(Program)
    /// Appends the table's columns to the input's; `table` is the index of a table source.
    case lookup(table: Int)
    case levels(LevelsPlan)
    case distinct(DistinctPlan)
    case window(WindowPlan)
}

/// In which order an order-sensitive operator judges rows.
package enum RowOrder: String, Hashable, Sendable {
    /// As they come; older than the key's last is a reject.
    case arrival
    /// Rows wait until the watermark passes them.
    case time
}

/// A ladder of levels with hysteresis, confirmation and hold.
///
/// Output: the input's columns, then `level`, `previous` and `event` (strings), `value`, `limit`,
/// `since` (timestamp).
package struct LevelsPlan: Sendable {
    /// Level names from the lowest up.
    package var levels: [String]
    /// Outputs for `n` levels: 0 the value; 1...n `value` reaches the raise limit (bool);
    /// n+1...2n `value` is back past the clear limit (bool); 2n+1...3n raise limits;
    /// 3n+1...4n clear limits. Limits have the value's comparable type, as stated in `output`.
    package var program: Program
    /// So many consecutive readings must reach a level before it is raised; at least 1.
    package var confirmReadings: Int
    /// So long must the readings have reached a level before it is raised; 0 for at once.
    package var confirmDuration: Int64
    /// So long must the value stay back past the clear limit before the level falls.
    package var hold: Int64
    package var order: RowOrder
    /// Judge a row with the time of the key's last judged one, instead of rejecting `duplicate`.
    package var judgesTies: Bool

    package init(
        levels: [String], program: Program, confirmReadings: Int, confirmDuration: Int64,
        hold: Int64, order: RowOrder, judgesTies: Bool
    ) {
        self.levels = levels
        self.program = program
        self.confirmReadings = confirmReadings
        self.confirmDuration = confirmDuration
        self.hold = hold
        self.order = order
        self.judgesTies = judgesTies
    }
}

/// Drops rows whose (key, time) was seen within disorder + lateness, as rejects `duplicate`.
package struct DistinctPlan: Sendable {
    package var order: RowOrder

    package init(order: RowOrder) { self.order = order }
}

/// What a window computes from one input expression.
package enum AggregateFunction: String, Hashable, Sendable, CaseIterable {
    /// `count()` counts rows, `count(x)` rows where x is not null.
    case count
    case sum, mean, min, max
    /// The value of the row with the least (greatest) time; of equal times the first (last) taken.
    case first, last
}

/// One aggregate of a window: the function and what it aggregates.
package struct AggregatePlan: Sendable {
    package var function: AggregateFunction
    /// Output of the window's program that it aggregates; nil for `count()`.
    package var input: Int?

    package init(function: AggregateFunction, input: Int?) {
        self.function = function
        self.input = input
    }
}

/// Tumbling windows (`every == size`) and hopping ones, `[start, end)`, aligned to the epoch.
///
/// Output: the key field, `windowStart`, `windowEnd` (timestamps), then one column an aggregate.
package struct WindowPlan: Sendable {
    /// Microseconds; a multiple of `every`.
    package var size: Int64
    package var every: Int64
    /// Starts are `offset` after a multiple of `every`.
    package var offset: Int64
    package var program: Program
    package var aggregates: [AggregatePlan]

    package init(
        size: Int64, every: Int64, offset: Int64, program: Program, aggregates: [AggregatePlan]
    ) {
        self.size = size
        self.every = every
        self.offset = offset
        self.program = program
        self.aggregates = aggregates
    }
}

/// One topic that a topology writes.
package struct SinkPlan: Sendable {
    /// Compression of the record batches written.
    package enum Codec: String, Hashable, Sendable { case none, lz4, zstd }

    package var input: Upstream
    package var topic: String
    package var format: SinkFormat
    package var codec: Codec

    package init(input: Upstream, topic: String, format: SinkFormat = .json, codec: Codec) {
        self.input = input
        self.topic = topic
        self.format = format
        self.codec = codec
    }
}
