import Columnar
import Expression

/// One stage of a checked topology: sources, steps in topological order, sinks. Immutable, shared
/// by all tasks of the stage.
///
/// Step inputs point backwards only, so walking `steps` in order visits upstream first. A topology
/// without `rekey` is one stage; each further stage reads what the ones before it have rekeyed.
package struct Plan: Sendable {
    package var name: String
    package var version: Int
    /// Counts from 1 along the topology.
    package var stage: Int
    package var sources: [SourcePlan]
    package var steps: [StepPlan]
    package var sinks: [SinkPlan]
    /// What the stage writes for later stages under another key.
    package var rekeys: [RekeyPlan]
    /// Canonical text with schemas, the same for any spelling of the same topology; comments and
    /// descriptions are not in it. Its hash names the plan; parsing it gives the plan again.
    package var canonicalText: String

    package init(
        name: String, version: Int, stage: Int = 1, sources: [SourcePlan], steps: [StepPlan],
        sinks: [SinkPlan], rekeys: [RekeyPlan] = [], canonicalText: String
    ) {
        self.name = name
        self.version = version
        self.stage = stage
        self.sources = sources
        self.steps = steps
        self.sinks = sinks
        self.rekeys = rekeys
        self.canonicalText = canonicalText
    }

    /// Name of the stage's tasks: also that of its consumer group on a cluster.
    package var taskName: String {
        stage == 1 ? "\(name).v\(version)" : "\(name).v\(version).stage\(stage)"
    }

    /// Topic of rejected records.
    package var rejectTopic: String { "\(taskName).rejects" }
    /// Topic of the tasks' epochs.
    package var journalTopic: String { "\(taskName).journal" }
    /// Topic of the tasks' snapshots, where they are kept in a topic.
    package var stateTopic: String { "\(taskName).state" }
    /// Topics that the stage writes, the sinks' first, then what it rekeys, rejects last.
    package var outputTopics: [String] {
        sinks.map(\.topic) + rekeys.map(\.topic) + [rejectTopic]
    }
}

/// How the bytes of a topic's values are written.
package enum FormatPlan: Hashable, Sendable {
    case json
    /// HJ 212 frames; `DataTime` and `QN` are local times, this many minutes ahead of UTC.
    case hj212(utcOffsetMinutes: Int)
    /// Rows of CSV, one a record.
    case csv(CSVForm)
    /// CloudEvents with data in JSON.
    case cloudEvents(CloudEventsMode)
    /// Avro binary.
    case avro(AvroForm)
    /// Messages of Protocol Buffers.
    case protobuf(ProtobufForm)
}

/// Which clock judges a source's rows.
package enum ClockScope: String, Hashable, Sendable {
    /// One watermark for the partition.
    case partition
    /// One watermark for each key.
    case key
    /// The watermark of the tasks that wrote the rows: the least over the substreams of a rekeyed
    /// stream. Not written by users.
    case carried
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
    /// Versions by key.
    case table(TableRule)
}

/// What a table is asked by, and how its time passes.
package struct TableRule: Hashable, Sendable {
    /// Field of the schema that says from when a version holds.
    package var timeField: Int
    /// How far the table's watermark stays behind its greatest time; nil where none is needed.
    /// Microseconds.
    package var disorder: Int64?
    /// After so long at its end the table's watermark follows the ticks. Microseconds.
    package var idle: Int64?

    package init(timeField: Int, disorder: Int64? = nil, idle: Int64? = nil) {
        self.timeField = timeField
        self.disorder = disorder
        self.idle = idle
    }
}

/// Which partitions of a source's topic task `p` reads.
package enum PartitionScope: Hashable, Sendable {
    /// Partition `p`.
    case own
    /// All of them: a global table.
    case all
    /// The substreams that all tasks of an earlier stage write for task `p`.
    case substreams
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
    package var partitions: PartitionScope
    /// The last field of the schema, where it is the time at which the record came: in no
    /// record's value.
    package var arrivalField: Int?

    /// The fields that a record's value holds.
    package var valueFields: [Field] {
        arrivalField == nil ? schema.fields : Array(schema.fields.dropLast())
    }

    package init(
        name: String, topic: String, format: FormatPlan, schema: Schema, fieldsRead: [Int],
        keyField: Int, role: SourceRole, partitions: PartitionScope = .own,
        arrivalField: Int? = nil
    ) {
        self.arrivalField = arrivalField
        self.partitions = partitions
        self.name = name
        self.topic = topic
        self.format = format
        self.schema = schema
        self.fieldsRead = fieldsRead
        self.keyField = keyField
        self.role = role
    }

    /// The fields of the rows that steps and sinks see: of a rekeyed stream all but the event
    /// time, which stands last in its topic.
    package var rowSchema: Schema {
        guard partitions == .substreams else { return schema }
        return Schema(name: schema.name, fields: Array(schema.fields.dropLast()))
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
    /// Keeps the other rows: those whose output is false or null. A row that faults is rejected by
    /// the filter beside it.
    case otherwise(Program)
    /// One output expression a field of `output`. The key field is carried by a plain reference.
    case select(Program)
    /// Appends the table's columns to the input's.
    case lookup(LookupPlan)
    /// The rows of several streams of one key and shape, in the order of the merge.
    case union(UnionPlan)
    /// Passes on rows that have a key in a field, for a rekeyed stream.
    case rekey(keyField: Int)
    /// Appends the values of the rule that holds for the row.
    case rules(RulesPlan)
    case levels(LevelsPlan)
    case distinct(DistinctPlan)
    case window(WindowPlan)
    case machine(MachinePlan)
}

/// An as-of join with a table.
package struct LookupPlan: Sendable {
    /// Index of a table source.
    package var table: Int
    /// Its one output is the key that is looked up; nil for the row's own.
    package var key: Program?
    /// Rows wait until the table's watermark has passed their time.
    package var awaits: Bool

    package init(table: Int, key: Program? = nil, awaits: Bool = false) {
        self.table = table
        self.key = key
        self.awaits = awaits
    }
}

/// Several streams as one, under one watermark: the least of theirs.
package struct UnionPlan: Sendable {
    /// One stream of a union.
    package struct Input: Sendable {
        package var upstream: Upstream
        /// For each field of the union's output: the stream's column of that name.
        package var columns: [Int]

        package init(upstream: Upstream, columns: [Int]) {
            self.upstream = upstream
            self.columns = columns
        }
    }

    /// At least two; the first is the step's own input.
    package var inputs: [Input]

    package init(inputs: [Input]) { self.inputs = inputs }
}

/// Rows that leave a stage under another key, as substreams: one from each of its tasks to each
/// task of the stage that reads them.
package struct RekeyPlan: Sendable {
    package var input: Upstream
    package var topic: String
    /// Shape of the rows written: the step's fields, then the event time.
    package var schema: Schema
    /// Field that is the new key.
    package var keyField: Int

    package init(input: Upstream, topic: String, schema: Schema, keyField: Int) {
        self.input = input
        self.topic = topic
        self.schema = schema
        self.keyField = keyField
    }

    /// Name of the field in which a rekeyed row carries its event time, in microseconds.
    package static let timeField = "@time"
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
    /// The level of the mean power of sound levels in decibels.
    case leq
    /// Sample standard deviation.
    case stddev
    /// Mean over time: each value holds until the next, the last until the window's end.
    case timeMean
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

/// Windows `[start, end)` of a key's rows.
///
/// Output: the key field, `windowStart`, `windowEnd` (timestamps), then one column an aggregate.
package struct WindowPlan: Sendable {
    package var grid: WindowGrid
    package var program: Program
    package var aggregates: [AggregatePlan]
    /// Its rows come from a window, so that they may be corrected and withdrawn.
    package var takesCorrections: Bool

    package init(
        grid: WindowGrid, program: Program, aggregates: [AggregatePlan], takesCorrections: Bool
    ) {
        self.grid = grid
        self.program = program
        self.aggregates = aggregates
        self.takesCorrections = takesCorrections
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
