import ArgumentParser
import Connectors
import Primitives
import RecordLog

/// `plumbline tail`
struct Tail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the records of a topic as they come.",
        discussion: """
            Begins with the last records that are there and goes on until SIGINT or SIGTERM. It \
            may read while a run writes: a record is printed once it is published. A topic that is \
            not there yet is waited for, and then printed from its beginning. Lines are those \
            of export, one JSON object each; on a terminal, without --json, they are time, place, \
            key and value, cut to the width of the terminal. Records of one partition come in \
            their order; those that are there at the start come by time over all partitions.

            Examples:
              plumbline tail --data data --topic alarms.crane --last 3
              plumbline tail --brokers localhost:9092 --topic alarms.crane

            Exit codes: 0 ended by a signal; 1 failed; 64 wrong usage.
            """)

    @OptionGroup var location: LogLocation
    @Option(help: "The topic.")
    var topic: String
    @Option(parsing: .unconditional, help: "One partition; all when not given.")
    var partition: Int?
    @Option(parsing: .unconditional, help: "The offset to begin at, in each partition.")
    var from: Int64?
    @Option(
        parsing: .unconditional,
        help: "How many records that are there are printed first; 10 when not given.")
    var last: Int?
    @Flag(help: "Write JSON on a terminal too.")
    var json = false

    func validate() throws {
        if let partition, partition < 0 {
            throw ValidationError("--partition must not be negative")
        }
        if (from ?? 0) < 0 || (last ?? 0) < 0 {
            throw ValidationError("--from and --last must not be negative")
        }
        if from != nil, last != nil {
            throw ValidationError("--from and --last do not go together; choose one")
        }
        if (last ?? 0) > 1_000_000 {
            throw ValidationError("--last takes 1000000 at the most; see export --from")
        }
    }

    /// Waits until the topic is there; true when it was not. A signal ends the wait.
    private func waitForTopic(_ log: any TopicReader, _ interrupts: Interrupts) throws -> Bool {
        var isNew = false
        while true {
            let names = try log.topics().map(\.name)
            if names.contains(topic) { return isNew }
            if !isNew {
                let known =
                    names.isEmpty ? "it has none" : "its topics: \(names.joined(separator: ", "))"
                Terminal.note("no topic \(topic) in \(log.name) yet, waiting for it; \(known)")
            }
            isNew = true
            if interrupts.wait(seconds: 0.2) { return isNew }
        }
    }

    func run() throws {
        try Terminal.run {
            let interrupts = Interrupts()
            let log = try location.reader(isStopping: { interrupts.isStopped })
            let isNew = try waitForTopic(log, interrupts)
            if interrupts.isStopped { return }
            var cursors = try TopicArgument.partitions(of: topic, partition, in: log).map {
                try TailCursor(log, TopicPartition(topic, $0))
            }
            var output = TailOutput(
                asTable: StandardOutput.isTerminal && !json, interrupts: interrupts)
            // All of a topic that was waited for has come since.
            if let from = from ?? (isNew ? 0 : nil) {
                for index in cursors.indices { cursors[index].next = from }
            } else {
                try TailCursor.printLast(last ?? 10, &cursors, to: &output)
            }
            repeat {
                for index in cursors.indices {
                    try cursors[index].follow { block, row, number in
                        try output.add(block, row, partition: number)
                        return !interrupts.isStopped
                    }
                }
                try output.flush()
                // Looking costs a file of a few lines: often enough that nobody waits for the look.
            } while !interrupts.wait(seconds: 0.005)
        }
    }
}

/// Where a tail stands in one partition.
struct TailCursor {
    let source: any RecordSource
    let place: TopicPartition
    /// The published end as it was last seen.
    private var end: Int64
    /// The next offset to print.
    var next: Int64

    init(_ log: any TopicReader, _ place: TopicPartition) throws {
        self.place = place
        source = try log.source(place)
        end = try source.committedEnd()
        next = end
    }

    /// Gives every record published since the last call, until the body returns false.
    mutating func follow(_ body: (RecordBlock, Int, Int) throws -> Bool) throws {
        let before = end
        end = try source.committedEnd()
        guard end >= before else {
            throw Diagnostic(
                "\(place) ends at offset \(end), it went up to \(before): the"
                    + " log has been replaced", hint: "start tail again")
        }
        if next < end { next = max(next, try source.firstOffset()) }
        while next < end, let block = try source.read(from: next, limit: end) {
            for row in 0..<block.count where next..<end ~= block.offsets[row] {
                guard try body(block, row, place.partition) else { return }
            }
            next = min(block.nextOffset, end)
        }
    }

    /// Prints the last `count` records of all partitions together, by time, partition and offset.
    static func printLast(
        _ count: Int, _ cursors: inout [TailCursor], to output: inout TailOutput
    ) throws {
        struct Found {
            var block: RecordBlock
            var row: Int
            var partition: Int
        }
        var found: [Found] = []
        for index in cursors.indices {
            var own: [Found] = []
            let end = cursors[index].next
            let first = try cursors[index].source.firstOffset()
            // Offsets of control records are gaps: then fewer are found, and more are looked at.
            var reach = Int64(count)
            while count > 0 {
                let start = max(first, end - reach)
                cursors[index].next = start
                own = []
                try cursors[index].follow { block, row, partition in
                    own.append(Found(block: block, row: row, partition: partition))
                    return true
                }
                if own.count >= count || start == first { break }
                reach *= 4
            }
            found += own.suffix(count)
        }
        found.sort {
            ($0.block.timestamps[$0.row], $0.partition, $0.block.offsets[$0.row])
                < ($1.block.timestamps[$1.row], $1.partition, $1.block.offsets[$1.row])
        }
        for record in found.suffix(count) {
            try output.add(record.block, record.row, partition: record.partition)
        }
    }
}

/// Lines of records on standard output.
struct TailOutput {
    private let interrupts: Interrupts
    private let columns: Int?
    private let format = RecordJSON()
    private var buffer: [UInt8] = []

    /// As a table its lines are cut to the width of the terminal.
    init(asTable: Bool, interrupts: Interrupts) {
        self.interrupts = interrupts
        columns = asTable ? StandardOutput.columns ?? 80 : nil
    }

    mutating func add(_ block: RecordBlock, _ row: Int, partition: Int) throws {
        if let columns {
            buffer += Array(
                RecordLine.text(block, row, partition: partition, columns: columns).utf8)
            buffer.append(0x0A)
        } else {
            format.write(block, row, partition: partition, to: &buffer)
        }
        if buffer.count >= 1 << 16 { try flush() }
    }

    mutating func flush() throws {
        let interrupts = interrupts
        try StandardOutput.write(&buffer) { interrupts.isStopped }
    }
}
