import ArgumentParser
import Connectors
import Dataflow
import Engine
import Foundation
import Glibc
import Primitives
import RecordLog

extension ImportOptions.Format: ExpressibleByArgument {}

/// The codecs that are written, by their Kafka names. A type of its own, for that of the log is
/// known by numbers, which help and completion would show.
enum WrittenCodec: String, CaseIterable, ExpressibleByArgument {
    case none, lz4, zstd

    var codec: CompressionCodec {
        switch self {
        case .none: .none
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}

/// `plumbline import`
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Store the lines of a file as the records of a topic.",
        discussion: """
            Every line is one record, its bytes as they are: a JSON document, an HJ 212 frame, \
            before which an arrival time and a tab may stand, or a row of CSV, in whose quotes \
            line breaks may stand. A line that cannot be read is stored too; the topology that \
            reads it rejects it with the reason. Blank lines are skipped. The first row of a CSV \
            file names its columns and goes with each record as a header.

            A file that the topic holds already, whole, is recognised by its content and skipped; \
            one that has grown since is refused, unless --repeat stores all of it once more. \
            An import that was broken off goes on where it ended when it is started again. While \
            `plumbline run` works on the directory, the import hands its records over to it. On a \
            cluster, what is known of imports is kept in the topic plumbline.imports, in the same \
            transactions as the records.

            Records go to the partition that Kafka's Java clients would choose for their key; \
            lines without a key go to partition 0. A record's time is that of --time, or the \
            arrival; the arrival is that of --arrival, or of the line's prefix, or the time at \
            which the import was first started.

            Exit codes: 0 done, or skipped; 1 failed; 64 wrong usage.

            Example:
              plumbline import --data data --topic telemetry.crane --format json \\
                  --key device --time ts crane.ndjson
              plumbline import --data data --topic telemetry.crane --format csv \\
                  --separator ';' --key device --time ts crane.csv
              plumbline import --brokers localhost:9092 --topic telemetry.crane \\
                  --format json --key device --time ts crane.ndjson
            """)

    @OptionGroup var location: LogLocation
    @Option(help: "The topic; created when missing.")
    var topic: String
    @Option(help: "What a line is: json, hj212 or csv.")
    var format: ImportOptions.Format
    @Option(
        help: ArgumentHelp(
            "A schema's name in topologies/schemas, or its file: the fields below are its own.",
            valueName: "name|file"), completion: .file(extensions: ["yaml"]))
    var schema: String?
    @Option(help: "What stands between two fields of csv; tab for a tab. Default: ','.")
    var separator: String?
    @Flag(help: "A csv file has no header row; its columns are the fields of --schema, in order.")
    var noHeader = false
    @Option(help: "The field of the key; MN for hj212.")
    var key: String?
    @Option(help: "The field of the record's time; DataTime for hj212.")
    var time: String?
    @Option(help: "The field of the arrival time.")
    var arrival: String?
    @Option(help: "How batches are compressed.")
    var codec: WrittenCodec = .lz4
    @Option(parsing: .unconditional, help: "Partitions of a new topic; 4 when not given.")
    var partitions: Int?
    @Flag(help: "Store a file that begins with what the topic holds already, all of it.")
    var `repeat` = false
    @Flag(help: "Write the summary as JSON to standard output.")
    var json = false
    @Argument(help: "The file, or - for standard input.", completion: .file())
    var file: String

    func validate() throws {
        if let partitions, !(1...10_000).contains(partitions) {
            throw ValidationError("--partitions must be 1 to 10000")
        }
        if format != .csv, separator != nil || noHeader {
            throw ValidationError("--separator and --no-header go with --format csv")
        }
        if let separator, CSVForm.separator(separator) == nil {
            throw ValidationError("--separator must be \(CSVForm.separatorHint)")
        }
        if noHeader, schema == nil {
            throw ValidationError("--no-header needs --schema, whose fields are the columns")
        }
    }

    func run() throws {
        try Terminal.run { try importFile() }
    }

    private func importFile() throws {
        var progress = Progress()
        let schema = try schema.map(ImportSchema.init)
        let cluster = try location.brokers.map { try location.cluster.connect($0) }
        if let cluster { try StoredPlans.refuseWriting(topic, cluster) }
        let data = location.data ?? ""
        let options = ImportOptions(
            dataPath: data, topic: topic, format: format, fields: try fields(schema),
            codec: cluster == nil ? codec.codec : .none, partitions: partitions,
            separator: separator.flatMap(CSVForm.separator) ?? CSVForm().separator,
            columns: noHeader ? schema?.columns : nil)
        let spool = cluster == nil ? data + "/state/imports" : NSTemporaryDirectory()
        let source = try ImportFile.open(file, spoolDirectory: spool) { done in
            progress.show { "import: \(Report.bytes(done)) received" }
        }
        var hash = PrefixHash(
            of: cluster == nil
                ? try ImportedContent.all(data, topic: topic, shorterThan: source.byteCount) : [])
        let survey = try source.survey(options.recordEnds) { bytes in
            hash.update(bytes)
            progress.show { "import: \(Report.bytes(hash.byteCount)) looked through" }
        }
        let own = cluster.map { KafkaImport($0, codec: codec.codec) }
        var job = FileImport(
            options, file: source, survey: survey, sha256: hash.hash.finalize(),
            place: own.map { .cluster($0) },
            identify: ContentHash.sha256)
        job.beginning = hash.found
        job.repeats = `repeat`
        job.onProgress = { done in
            progress.show {
                let percent = 100 * done / max(survey.byteCount, 1)
                return "import: \(percent) % of \(Report.bytes(survey.byteCount))"
            }
        }
        let summary = try own.map { own in try job.run { own } } ?? runThrough(job, data)
        try show(summary, name: source.name, seconds: progress.elapsed)
    }

    /// Runs an import, again when the process that it was handed over to has ended.
    private func runThrough(_ job: FileImport, _ data: String) throws -> ImportSummary {
        var patienceSeconds = 2.0
        for _ in 0..<3 {
            do {
                return try job.run { try ImportTargets.open(data, patience: patienceSeconds) }
            } catch is ImportConnectionLost {
                Terminal.note("import: the run on \(data) has ended; going on without it")
                // Others may have lost it too: they go on one after the other.
                patienceSeconds = 60
            }
        }
        return try job.run { try ImportTargets.open(data, patience: patienceSeconds) }
    }

    private func fields(_ schema: ImportSchema?) throws -> ImportFields {
        guard let schema else {
            return ImportFields(
                key: key.map { FieldPlace($0) }, time: time.map { FieldPlace($0) },
                arrival: arrival.map { FieldPlace($0) })
        }
        return ImportFields(
            key: try key.map(schema.key),
            time: try time.map { try schema.instant($0, option: "--time") },
            arrival: try arrival.map(schema.arrival))
    }

    private func show(_ summary: ImportSummary, name: String, seconds: Double) throws {
        if json {
            let report = JSONReport(
                topic: topic, file: name, skipped: summary.isSkipped, records: summary.records,
                resumed: summary.resumed, recordsByPartition: summary.recordsByPartition,
                unreadable: summary.unreadable,
                firstUnreadableLine: summary.firstUnreadableLine, bytes: summary.bytes,
                seconds: seconds, codec: codec.rawValue)
            try Terminal.json(report)
        }
        Terminal.note(text(summary, name: name, seconds: seconds))
    }

    private func text(_ summary: ImportSummary, name: String, seconds: Double) -> String {
        if summary.bytes == 0 { return "\(name) is empty: 0 records imported into \(topic)" }
        let records = Report.grouped(summary.records)
        if summary.isSkipped {
            return "\(name) is in \(topic) already, all \(records) records of it: skipped"
        }
        let parts = summary.recordsByPartition.map { Report.grouped($0) }.joined(separator: " ")
        var text =
            "\(name): \(records) records in \(topic) (by partition \(parts);"
            + " \(Report.bytes(summary.bytes)), \(codec.rawValue),"
            + String(format: " %.1f s)", seconds)
        if summary.resumed > 0 {
            text +=
                "\n\(Report.grouped(summary.resumed)) of them were there from an import that was"
                + " broken off"
        }
        if let line = summary.firstUnreadableLine {
            text +=
                "\n\(Report.grouped(summary.unreadable)) lines could not be read as asked, the"
                + " first is line \(line); they are stored as they are, and whatever reads them"
                + " says what is wrong"
        }
        return text
    }

    private struct JSONReport: Encodable {
        var topic: String
        var file: String
        var skipped: Bool
        var records: Int
        var resumed: Int
        var recordsByPartition: [Int]
        var unreadable: Int
        var firstUnreadableLine: Int?
        var bytes: Int
        var seconds: Double
        var codec: String
    }
}

/// The hash of a file's bytes, and of its beginning where that may have been imported.
private struct PrefixHash {
    private(set) var hash = ContentHash()
    private(set) var byteCount = 0
    /// The longest import that the file begins with, so far.
    private(set) var found: ImportedContent?
    private var candidates: ArraySlice<ImportedContent>

    /// `candidates` are ordered by their lengths.
    init(of candidates: [ImportedContent]) { self.candidates = candidates[...] }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while let next = candidates.first, next.bytes - byteCount <= rest.count {
            let count = next.bytes - byteCount
            take(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
            candidates.removeFirst()
            let digits = hash.finalize().map { String(0x100 | Int($0), radix: 16).dropFirst() }
            if digits.joined() == next.sha256 { found = next }
        }
        take(UnsafeRawBufferPointer(rebasing: rest))
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bytes)
        byteCount += bytes.count
    }
}
