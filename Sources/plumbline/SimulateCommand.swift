import ArgumentParser
import Foundation
import Glibc
import Primitives
import Simulation

/// `plumbline simulate`: made-up sites' data from a seed.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Write building sites' made-up data with its truth, or a benchmark's input.",
        discussion: """
            The same seed and options give the same bytes on every machine; one more site changes \
            no other. Files, in the directory, with their topics:

              crane    registry.ndjson registry.crane, crane.ndjson telemetry.crane
              dust     project.ndjson registry.project, monitor.ndjson registry.monitor,
                       dust.hj212 telemetry.dust
              hazard   hazard.ndjson events.hazard
              pit      pit-point.ndjson registry.pit-point, pit.ndjson telemetry.pit

            truth.ndjson lists the incidents (topology, rule, key, start, end, level) and the \
            faults; `score` compares alarms with it. manifest.json says how the files were made, \
            with their lines, bytes and SHA-256. A benchmark is one file, crane.ndjson or \
            dust.ndjson. docs/reference/simulate.md describes what is simulated.

            Faults: gaps, duplicates, disorder, backfill, clock-jump, clock-8h, units, falls, \
            frozen, flags, dirt.

            Example:
              plumbline simulate --seed 1 --day 2026-03-02 --out site-day
              plumbline simulate --seed 7 --sites 20 --days 60 --streams hazard,pit \\
                --faults gaps,duplicates --out sites
              plumbline simulate --benchmark crane --records 10000000 --out bench

            Exit codes: 0 written; 1 a file could not be written; 64 wrong usage.
            """)

    enum Workload: String, ExpressibleByArgument, CaseIterable { case crane, dust }

    @Option(parsing: .unconditional, help: "What everything follows from.")
    var seed: UInt64 = 1
    @Option(help: ArgumentHelp("First local date (UTC+08:00).", valueName: "yyyy-MM-dd"))
    var day: String = "2026-03-02"
    @Option(parsing: .unconditional, help: "Days.")
    var days: Int = 1
    @Option(parsing: .unconditional, help: "Building sites.")
    var sites: Int = 1
    @Option(
        help: ArgumentHelp("Directory to write into; made when missing.", valueName: "dir"),
        completion: .directory)
    var out: String
    @Option(help: "What to write: crane, dust, hazard, pit, with commas between; or all.")
    var streams: String = "all"
    @Option(help: "Faults to put in, with commas between; or all, or none.")
    var faults: String = "all"
    @Option(help: "Incidents: all (each kind once a day, or course), some (a tenth), none.")
    var incidents: IncidentRate = .all
    @Option(parsing: .unconditional, help: "Tower cranes of a site.")
    var cranes: Int = 4
    @Option(parsing: .unconditional, help: "Dust monitors of a site.")
    var stations: Int = 4
    @Option(parsing: .unconditional, help: "Hazard projects of a site.")
    var items: Int = 8
    @Option(parsing: .unconditional, help: "Points of a site's pit.")
    var points: Int = 12
    @Option(parsing: .unconditional, help: "Seconds between two readings of a crane.")
    var interval: Int = 5
    @Option(help: "Write a benchmark's input instead: crane or dust.")
    var benchmark: Workload?
    @Option(parsing: .unconditional, help: "Records of the benchmark's input.")
    var records: Int = 1_000_000
    @Flag(help: "Say what was written as one JSON object a file.")
    var json = false

    func validate() throws {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            guard !range.contains(value) else { return }
            throw ValidationError(
                "--\(name) takes \(range.lowerBound) to \(range.upperBound), not \(value).")
        }
        try check("sites", sites, 0...9_999)
        try check("days", days, 1...3_660)
        for (name, value) in [
            ("cranes", cranes), ("stations", stations), ("items", items), ("points", points),
        ] { try check(name, value, 0...1_000) }
        try check("interval", interval, 1...3_600)
        guard records >= 0 else { throw ValidationError("--records cannot be negative.") }
        guard firstDay != nil else {
            throw ValidationError("--day \"\(day)\" is not a date such as 2026-03-02.")
        }
        _ = try chosenStreams()
        _ = try chosenFaults()
    }

    /// Local midnight of `day` in milliseconds since the epoch.
    private var firstDay: Int? {
        guard let midnight = Timestamp.parse(day + "T00:00:00+08:00") else { return nil }
        return Int(midnight / 1000)
    }

    private func chosenStreams() throws -> Set<SimulatedStream> {
        try Self.choice("streams", streams, none: false)
    }

    private func chosenFaults() throws -> Set<Fault> {
        try Self.choice("faults", faults, none: true)
    }

    /// A list with commas as the values that it names.
    private static func choice<Value: CaseIterable & Hashable & RawRepresentable>(
        _ option: String, _ text: String, none: Bool
    ) throws -> Set<Value> where Value.RawValue == String {
        if text == "all" { return Set(Value.allCases) }
        if text == "none", none { return [] }
        return Set(
            try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
                guard let value = Value(rawValue: String(word)) else {
                    let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError(
                        "--\(option) does not know \"\(word)\"; it takes all,"
                            + "\(none ? " none," : "") or some of \(known).")
                }
                return value
            })
    }

    func run() throws {
        try Terminal.run {
            if mkdir(out, 0o777) != 0, errno != EEXIST {
                throw GeneratedFile.failure("create directory", out)
            }
            if let benchmark { return try writeBenchmark(benchmark) }
            try writeSites()
        }
    }

    private func writeSites() throws {
        guard let firstDay else { return }
        let streams = try chosenStreams()
        let site = SiteSimulation(
            SimulationOptions(
                seed: seed, firstDay: firstDay, siteCount: sites, dayCount: days,
                craneCount: cranes, stationCount: stations, itemCount: items,
                pointCount: points, craneInterval: interval, faults: try chosenFaults(),
                incidents: incidents))
        var written: [Manifest.File] = []
        for file in SimulatedFile.allCases where file.stream.map(streams.contains) ?? true {
            written.append(
                try write(file.rawValue, topic: file.topic) { output in
                    try site.lines(of: file, streams: streams) {
                        line throws(GenerationError) in try output.append(line)
                    }
                })
        }
        let manifest = Manifest(
            seed: seed, day: day, days: days, sites: sites, cranes: cranes, stations: stations,
            items: items, points: points, interval: interval, streams: self.streams,
            faults: faults, incidents: incidents.rawValue, files: written)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let text = try encoder.encode(manifest) + Data("\n".utf8)
        let output = try GeneratedFile(path: out + "/manifest.json")
        try output.append(Array(text).span)
        try output.close()
    }

    private func writeBenchmark(_ workload: Workload) throws {
        _ = try write("\(workload.rawValue).ndjson", topic: nil) { file in
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

    private func write(
        _ name: String, topic: String?, _ body: (GeneratedFile) throws -> Void
    ) throws -> Manifest.File {
        let file = try GeneratedFile(path: out + "/" + name)
        try body(file)
        try file.close()
        // The name is ours; the directory, which may hold anything, is left out.
        let entry = Manifest.File(
            file: name, topic: topic, lines: file.lineCount, bytes: file.byteCount,
            sha256: file.hash)
        if json {
            try Terminal.json(entry)
        } else {
            try Terminal.print("\(file.path): \(file.lineCount) lines, \(file.byteCount) bytes")
        }
        return entry
    }

    /// How files were made, and what they must be.
    private struct Manifest: Encodable {
        struct File: Encodable {
            var file: String
            var topic: String?
            var lines: Int
            var bytes: Int
            var sha256: String
        }

        var seed: UInt64
        var day: String
        var days: Int
        var sites: Int
        var cranes: Int
        var stations: Int
        var items: Int
        var points: Int
        var interval: Int
        var streams: String
        var faults: String
        var incidents: String
        var files: [File]
    }
}

extension IncidentRate: ExpressibleByArgument {}
