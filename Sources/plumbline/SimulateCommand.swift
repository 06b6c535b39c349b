import ArgumentParser
import Glibc
import Primitives
import Simulation

/// `plumbline simulate`: made-up device data from a seed.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Write one building site's day of made-up device data, or a benchmark's input.",
        discussion: """
            The same seed and options give the same bytes on every machine. A site's day is four \
            files in the directory: registry.ndjson and crane.ndjson (JSON lines, arrival time in \
            the field "arrival"), dust.hj212 (HJ 212 frames, arrival time and a tab before each) \
            and truth.ndjson (what was put in on purpose). A benchmark is one file, crane.ndjson \
            or dust.ndjson.

            Example:
              plumbline simulate --seed 1 --day 2026-03-02 --out site-day
              plumbline simulate --benchmark crane --records 10000000 --out bench

            Exit codes: 0 written, 1 a file could not be written, 64 wrong arguments.
            """)

    enum Workload: String, ExpressibleByArgument, CaseIterable { case crane, dust }

    @Option(help: "What everything follows from.")
    var seed: UInt64 = 1

    @Option(help: "Local date (UTC+08:00) of the day, yyyy-MM-dd.")
    var day: String = "2026-03-02"

    @Option(
        help: ArgumentHelp(
            "Directory to write into; it is created when missing.", valueName: "dir"),
        completion: .directory)
    var out: String

    @Option(help: "Tower cranes, 0 to 1000.")
    var cranes: Int = 4

    @Option(help: "Dust monitors, 0 to 1000.")
    var stations: Int = 4

    @Option(help: "Seconds between two readings of a crane.")
    var interval: Int = 5

    @Option(
        help: "Minutes of data: of cranes from 06:00, of dust from 00:00. Default: 16 and 24 h.")
    var minutes: Int?

    @Option(help: "Write a benchmark's input instead of a site's day: crane or dust.")
    var benchmark: Workload?

    @Option(help: "Records of the benchmark's input.")
    var records: Int = 1_000_000

    @Flag(help: "Say what was written as one JSON object a file.")
    var json = false

    func validate() throws {
        guard (0...1000).contains(cranes), (0...1000).contains(stations) else {
            throw ValidationError("--cranes and --stations take 0 to 1000.")
        }
        guard (1...3600).contains(interval), (1...1440).contains(minutes ?? 1440) else {
            throw ValidationError("--interval takes 1 to 3600 seconds, --minutes 1 to 1440.")
        }
        guard records >= 0 else { throw ValidationError("--records cannot be negative.") }
        guard dayStart != nil else {
            throw ValidationError("--day \"\(day)\" is not a date such as 2026-03-02.")
        }
    }

    /// Local midnight of `day` in milliseconds since the epoch.
    private var dayStart: Int? {
        guard let midnight = Timestamp.parse(day + "T00:00:00+08:00") else { return nil }
        return Int(midnight / 1000)
    }

    func run() throws {
        guard let dayStart else { return }
        if mkdir(out, 0o777) != 0, errno != EEXIST {
            throw GeneratedFile.failure("create directory", out)
        }
        if let benchmark { return try writeBenchmark(benchmark) }
        let site = SiteSimulation(
            seed: seed, dayStart: dayStart, craneCount: cranes, stationCount: stations,
            craneInterval: interval, craneMinutes: min(minutes ?? 960, 1080),
            dustMinutes: minutes ?? 1440)
        try write("registry.ndjson") { file in
            try site.registryLines { line throws(GenerationError) in try file.append(line) }
        }
        try write("crane.ndjson") { file in
            try site.craneLines { line throws(GenerationError) in try file.append(line) }
        }
        try write("dust.hj212") { file in
            try site.dustLines { line throws(GenerationError) in try file.append(line) }
        }
        try write("truth.ndjson") { file in
            try site.truthLines { line throws(GenerationError) in try file.append(line) }
        }
    }

    private func writeBenchmark(_ workload: Workload) throws {
        try write("\(workload.rawValue).ndjson") { file in
            switch workload {
            case .crane:
                var source = CraneBenchmark(seed: seed)
                try source.lines(count: records) { line throws(GenerationError) in
                    try file.append(line)
                }
            case .dust:
                var source = DustBenchmark(seed: seed)
                try source.lines(count: records) { line throws(GenerationError) in
                    try file.append(line)
                }
            }
        }
    }

    private func write(_ name: String, _ body: (GeneratedFile) throws -> Void) throws {
        let file = try GeneratedFile(path: out + "/" + name)
        try body(file)
        try file.close()
        if json {
            // The name is ours; the directory, which may hold anything, is left out.
            print("{\"file\":\"\(name)\",\"lines\":\(file.lineCount),\"bytes\":\(file.byteCount)}")
        } else {
            print("\(file.path): \(file.lineCount) lines, \(file.byteCount) bytes")
        }
    }
}

/// Why a generated file could not be written.
struct GenerationError: Error, CustomStringConvertible {
    var description: String
}

/// A file being written, in pieces of a mebibyte. One thread.
final class GeneratedFile {
    let path: String
    private(set) var lineCount = 0
    private(set) var byteCount = 0
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Bytes written when progress was last shown; only a terminal sees progress.
    private var shownByteCount = 0
    private let showsProgress = isatty(STDERR_FILENO) == 1

    init(path: String) throws(GenerationError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure("write", path) }
        buffer.reserveCapacity(1 << 20 + 1 << 16)
    }

    static func failure(_ operation: String, _ path: String) -> GenerationError {
        GenerationError(
            description: "cannot \(operation) \(path): \(String(cString: strerror(errno)))")
    }

    /// Adds one line, its line feed included.
    func append(_ line: Span<UInt8>) throws(GenerationError) {
        line.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
        lineCount += 1
        byteCount += line.count
        if buffer.count >= 1 << 20 { try flush() }
    }

    /// Writes what is left and closes. The file is whole only after this returns.
    func close() throws(GenerationError) {
        try flush()
        if shownByteCount > 0 { showProgress("\n") }
        guard Glibc.close(descriptor) == 0 else { throw Self.failure("write", path) }
    }

    private func flush() throws(GenerationError) {
        var start = 0
        while start < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure("write", path) }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
        if showsProgress, byteCount - shownByteCount >= 100 << 20 {
            shownByteCount = byteCount
            showProgress("")
        }
    }

    private func showProgress(_ end: String) {
        let text = Array("\r\(path): \(lineCount) lines, \(byteCount >> 20) MiB\(end)".utf8)
        // Progress that cannot be shown is no failure of the job.
        _ = text.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
