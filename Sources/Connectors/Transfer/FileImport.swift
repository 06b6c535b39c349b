import Dataflow
import Glibc
import Primitives
import RecordLog

/// What an import is to do.
package struct ImportOptions: Sendable {
    /// The format of the file's records: JSON documents or HJ 212 frames, one a line, or rows of
    /// CSV. The raw value is kept with an import's state, so it must not change.
    package enum Format: String, Sendable, CaseIterable {
        case json, hj212, csv
    }

    package var dataPath: String
    package var topic: String
    package var format: Format
    package var fields: ImportFields
    package var codec: CompressionCodec
    /// nil: what the topic has, or the default.
    package var partitions: Int?
    /// Between two fields of CSV.
    package var separator: UInt8
    /// The columns of a CSV file without a header row; nil: its first row names them.
    package var columns: [String]?

    package init(
        dataPath: String, topic: String, format: Format, fields: ImportFields = ImportFields(),
        codec: CompressionCodec = .lz4, partitions: Int? = nil, separator: UInt8 = 0x2C,
        columns: [String]? = nil
    ) {
        self.dataPath = dataPath
        self.topic = topic
        self.format = format
        self.fields = fields
        self.codec = codec
        self.partitions = partitions
        self.separator = separator
        self.columns = columns
    }

    /// Finds the ends of the file's records.
    package var recordEnds: RecordEnds {
        RecordEnds(csvSeparator: format == .csv ? separator : nil)
    }

    /// Two imports of a file with the same text give the same records.
    var meaning: String {
        var text = "format: \(format.rawValue), \(fields.description)"
        if format == .csv {
            text += ", separator: \(CSVForm.text(separator: separator))"
            if let columns { text += ", columns: \(columns.joined(separator: " "))" }
        }
        return text
    }
}

/// The columns of a CSV file.
struct CSVColumns {
    /// Longer header rows are refused: each record carries its file's.
    private static let longestHeader = 16 << 10

    var names: [[UInt8]]
    /// The row that names them, to go with each record; nil in a file without one.
    var headerRow: [UInt8]?

    /// Reads the header row, unless the options name the columns.
    init(of file: ImportFile, _ options: ImportOptions) throws {
        if let columns = options.columns {
            names = columns.map { Array($0.utf8) }
            return
        }
        var row = try file.firstRecord(options.recordEnds, limit: Self.longestHeader)
        if row.starts(with: CSVHeader.byteOrderMark) {
            row.removeFirst(CSVHeader.byteOrderMark.count)
        }
        headerRow = row
        do throws(CSVRow.Failure) {
            names = try row.withUnsafeBufferPointer { bytes throws(CSVRow.Failure) in
                try CSVHeader(bytes, separator: options.separator).names
            }
        } catch {
            throw Diagnostic(
                "\(file.name): the header row: \(error.detail)",
                hint: "a file without a header row needs --no-header and --schema")
        }
    }
}

/// What an import has done.
package struct ImportSummary: Sendable {
    /// The file was there already, whole; nothing was done.
    package var isSkipped = false
    /// All records of the file.
    package var records = 0
    /// Those among them that an earlier, interrupted import had stored.
    package var resumed = 0
    package var recordsByPartition: [Int] = []
    /// Lines stored as they are although the format or a field asked for could not be read.
    package var unreadable = 0
    /// The number of the first of them, from 1.
    package var firstUnreadableLine: Int?
    package var bytes = 0

    package init() {}
}

/// A file that was imported whole.
package struct ImportedContent: Sendable {
    /// Its name in messages.
    package var file: String
    package var bytes: Int
    /// In hexadecimal digits.
    package var sha256: String
    package var records: Int

    /// All that were imported into a topic of a data directory and are shorter than `bytes`, the
    /// shortest first.
    package static func all(
        _ dataPath: String, topic: String, shorterThan bytes: Int
    ) throws -> [ImportedContent] {
        guard TopicPartition.fault(inTopicName: topic) == nil else { return [] }
        return try ImportStateFile.all(dataPath: dataPath, topic: topic)
            .filter { $0.isComplete && $0.records > 0 && $0.bytes < bytes }
            .map {
                ImportedContent(
                    file: $0.file, bytes: $0.bytes, sha256: $0.sha256, records: $0.records)
            }
            .sorted { $0.bytes < $1.bytes }
    }
}

/// Imports one file into one topic: every record of it once, however often it is interrupted.
///
/// Each batch carries the identity of (content, topic) as its Kafka producer and its number in the
/// partition, so that the log itself tells how far an interrupted import came. One thread.
package struct FileImport {
    /// Bytes of lines between two commits.
    private static let chunkBytes = 8 << 20
    private let options: ImportOptions
    private let file: ImportFile
    private let survey: ImportFile.Survey
    private let sha256: [UInt8]
    private let producerID: Int64
    /// Where the topic is.
    private let place: ImportPlace
    /// Called now and then with the bytes done.
    package var onProgress: (Int) -> Void = { _ in }
    /// An import that the file begins with; it is refused then, unless it ``repeats``.
    package var beginning: ImportedContent?
    /// What the topic holds already may be stored once more.
    package var repeats = false

    /// `sha256` is the hash of the file's bytes; `identify` gives that of other bytes. Without a
    /// place the topic is one of the data directory of the options.
    package init(
        _ options: ImportOptions, file: ImportFile, survey: ImportFile.Survey, sha256: [UInt8],
        place: ImportPlace? = nil, identify: ([UInt8]) -> [UInt8]
    ) {
        self.options = options
        self.place = place ?? .directory(options.dataPath)
        self.file = file
        self.survey = survey
        self.sha256 = sha256
        let identity = identify(Array("plumbline import \(options.topic)\n".utf8) + sha256)
        let word = identity.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        producerID = Int64(word >> 2)
    }

    private var hashText: String {
        sha256.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    /// Imports the file, or what of it is not there yet.
    ///
    /// `open` is called when there is something to do. Safe to call again after any error.
    package func run(open: () throws -> any ImportTarget) throws -> ImportSummary {
        var summary = ImportSummary()
        summary.bytes = survey.byteCount
        if let reason = TopicPartition.fault(inTopicName: options.topic) {
            throw RecordLogError.invalidTopicName(options.topic, reason: reason)
        }
        try checkPartitions()
        guard survey.byteCount > 0 else { return summary }
        let stateFile = try place.states(
            topic: options.topic, hash: hashText, identity: producerID)
        defer { stateFile.release() }
        let earlier = try stateFile.read()
        if let earlier {
            if try isStored(earlier) {
                summary.isSkipped = true
                summary.records = earlier.records
                return summary
            }
            guard earlier.meaning == options.meaning else {
                throw Diagnostic(
                    "an import of this file into \(options.topic) was broken off, with other"
                        + " options (\(earlier.meaning))",
                    hint: "repeat it with those options; now they are \(options.meaning)")
            }
        }
        if earlier == nil, let beginning, !repeats { throw repeated(beginning) }
        let columns = options.format == .csv ? try CSVColumns(of: file, options) : nil
        let finder = try columns.map {
            try CSVFieldFinder(
                options.fields, columns: $0.names, separator: options.separator, file: file.name)
        }
        let target = try open()
        do {
            try run(
                into: target, stateFile, earlier, csv: finder, headerRow: columns?.headerRow,
                &summary)
        } catch {
            // The first error is the one to tell.
            try? target.close()
            throw error
        }
        try target.close()
        return summary
    }

    /// What to say of a file that begins with what is in the topic already.
    private func repeated(_ earlier: ImportedContent) -> Diagnostic {
        let rest = "tail -c +\(earlier.bytes + 1) \(file.name)"
        let source =
            options.format == .csv && options.columns == nil
            ? "(head -n 1 \(file.name); \(rest))" : rest
        return Diagnostic(
            "\(file.name) begins with what is in \(options.topic) already: \(earlier.records)"
                + " records, imported as \(earlier.file)",
            hint: "import what is new alone: \(source) | plumbline import … - ; or give --repeat to"
                + " store all of it")
    }

    /// Throws when the topic is there with another number of partitions than asked for.
    private func checkPartitions() throws {
        guard let wanted = options.partitions else { return }
        guard let topic = try place.log.topics().first(where: { $0.name == options.topic }),
            topic.partitionCount != wanted
        else { return }
        throw RecordLogError.partitionCountDiffers(
            topic: topic.name, existing: topic.partitionCount, wanted: wanted)
    }

    /// Whether a finished import's records are still there: its topic is, and is long enough.
    private func isStored(_ state: ImportState) throws -> Bool {
        guard state.isComplete else { return false }
        let log = place.log
        guard let topic = try log.topics().first(where: { $0.name == options.topic }) else {
            return false
        }
        var stored: Int64 = 0
        for (partition, start) in state.startOffsets.enumerated() {
            guard partition < topic.partitionCount else { return false }
            let end = try log.source(TopicPartition(topic.name, partition)).committedEnd()
            stored += max(0, end - start)
        }
        return stored >= Int64(state.records)
    }

    private func run(
        into target: any ImportTarget, _ stateFile: any ImportStates, _ earlier: ImportState?,
        csv: CSVFieldFinder?, headerRow: [UInt8]?, _ summary: inout ImportSummary
    ) throws {
        let ends = try target.ensureTopic(options.topic, partitions: options.partitions)
        var state =
            earlier
            ?? ImportState(
                isComplete: false, topic: options.topic, file: file.name, sha256: hashText,
                bytes: survey.byteCount, meaning: options.meaning, startOffsets: ends,
                startedAt: Self.now(), records: 0)
        if state.isComplete || state.startOffsets.count != ends.count
            || zip(state.startOffsets, ends).contains(where: { $0 > $1 })
        {
            // The topic was removed since.
            state.isComplete = false
            state.startOffsets = ends.map { _ in 0 }
        }
        // Without a state of ours the log is searched whole: only it is certain.
        let counts = try target.recordCounts(
            topic: options.topic, producerID: producerID,
            from: earlier == nil ? ends.map { _ in 0 } : state.startOffsets)
        if earlier == nil, counts.contains(where: { $0 > 0 }) {
            state.startOffsets = ends.map { _ in 0 }
        }
        try stateFile.write(state)
        var pass = ImportPass(
            options, producerID: producerID, stored: counts, arrival: state.startedAt,
            csv: csv, headerRow: headerRow)
        try file.forEachChunk(of: Self.chunkBytes, options.recordEnds) { lines, position in
            let batches = try pass.take(lines)
            if !batches.isEmpty { try target.append(topic: options.topic, batches) }
            onProgress(position)
        }
        let rest = try pass.finish()
        if !rest.isEmpty { try target.append(topic: options.topic, rest) }
        try file.checkUnchanged()
        summary.recordsByPartition = pass.recordsByPartition
        summary.records = pass.recordsByPartition.reduce(0, +)
        summary.resumed = Int(counts.reduce(0, +))
        summary.unreadable = pass.unreadable
        summary.firstUnreadableLine = pass.firstUnreadableLine
        state.isComplete = true
        state.records = summary.records
        try stateFile.write(state)
    }

    /// The wall clock in milliseconds since the epoch.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
