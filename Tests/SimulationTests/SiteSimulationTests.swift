import Foundation
import Primitives
import Simulation
import Testing

/// The project's root, from this file's place.
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// What `fixtures/README.md` states the commands of, by folder.
let fixtureSites: [(folder: String, options: SimulationOptions, streams: Set<SimulatedStream>)] = [
    (
        "site-day", SimulationOptions(seed: 20_260_302, firstDay: firstDay, craneInterval: 10),
        [.crane, .dust]
    ),
    (
        "site-60d", SimulationOptions(seed: 20_260_302, firstDay: firstDay, dayCount: 60),
        [.hazard, .pit]
    ),
]

let firstDay = SimulationOptions.dayStart(year: 2026, month: 3, day: 2)

func collect(_ write: ((Span<UInt8>) -> Void) -> Void) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    write { line in
        var bytes: [UInt8] = []
        for index in line.indices { bytes.append(line[index]) }
        lines.append(bytes)
    }
    return lines
}

struct Fixtures {
    @Test("The generator gives the committed fixtures byte by byte")
    func bytes() throws {
        for (folder, options, streams) in fixtureSites {
            let site = SiteSimulation(options)
            for file in SimulatedFile.allCases
            where file.stream.map(streams.contains) ?? true {
                let lines = collect { site.lines(of: file, streams: streams, $0) }
                let path = "fixtures/\(folder)/\(file.rawValue)"
                let committed = [UInt8](try Data(contentsOf: root.appending(path: path)))
                // Not the arrays themselves: a failure would print megabytes.
                let isSame = Array(lines.joined()) == committed
                #expect(isSame, "\(path) differs; see fixtures/README.md")
            }
        }
    }

    @Test("The charts of the generator are those of fixtures/load-charts.csv")
    func charts() throws {
        let text = try String(
            contentsOf: root.appending(path: "fixtures/load-charts.csv"), encoding: .utf8)
        var rows: [String: [String]] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            // The model may hold commas inside quotes; the five fields after it do not.
            let model =
                line.hasPrefix("\"")
                ? String(line.dropFirst().prefix { $0 != "\"" })
                : String(line.prefix { $0 != "," })
            let rest = line.dropFirst(model.count + (line.hasPrefix("\"") ? 3 : 1))
            let fields = rest.split(separator: ",", omittingEmptySubsequences: false)
            let radius = try #require(Double(fields[2]))
            let load = try #require(Double(fields[3]))
            rows[model + "/" + fields[1], default: []].append(
                "\(Int((radius * 100).rounded())):\(Int((load * 1000).rounded()))")
        }
        for chart in [LoadChart.qtz63, .tc5610] {
            for falls in [2, 4] {
                let points = chart.points(falls: falls).map { "\($0.radius):\($0.capacity)" }
                #expect(points == rows["\(chart.model)/\(falls)"])
            }
        }
    }

    @Test("The hashes in fixtures/README.md are those of the files")
    func hashes() throws {
        let fixtures = root.appending(path: "fixtures")
        let readme = try String(
            contentsOf: fixtures.appending(path: "README.md"), encoding: .utf8)
        let block = try #require(
            readme.split(separator: "```\n", omittingEmptySubsequences: false).dropLast().last)
        let list = NSTemporaryDirectory() + "fixture-hashes-\(getpid())"
        try String(block).write(toFile: list, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: list) }
        let check = try run(["sha256sum", "--check", "--strict", list], in: fixtures)
        #expect(check.status == 0, "\(check.output)")
        #expect(check.output.split(separator: "\n").count == 8)
    }

    @Test("The manifests have the options, lines, bytes and hashes of the files")
    func manifests() throws {
        struct Manifest: Decodable {
            struct File: Decodable {
                var file: String
                var lines: Int
                var bytes: Int
                var sha256: String
            }
            var seed: UInt64
            var days: Int
            var interval: Int
            var files: [File]
        }
        for (name, options, _) in fixtureSites {
            let folder = root.appending(path: "fixtures/" + name)
            let manifest = try JSONDecoder().decode(
                Manifest.self, from: Data(contentsOf: folder.appending(path: "manifest.json")))
            #expect(manifest.seed == options.seed && manifest.days == options.dayCount)
            for entry in manifest.files {
                let data = try Data(contentsOf: folder.appending(path: entry.file))
                #expect(data.count == entry.bytes)
                #expect(data.count { $0 == 10 } == entry.lines)
                let sum = try run(["sha256sum", entry.file], in: folder)
                #expect(sum.output.hasPrefix(entry.sha256), "\(name)/\(entry.file)")
            }
        }
    }

    @Test("The expected records are what the Python scripts compute from the fixtures")
    func expected() throws {
        for (name, site) in [
            ("crane", "site-day"), ("dust", "site-day"), ("hazard", "site-60d"),
            ("pit", "site-60d"),
        ] {
            let folder = root.appending(path: "fixtures/expected").path()
            let scratch = NSTemporaryDirectory() + "expected-\(name)-\(getpid()).ndjson"
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            let run = try python(
                "\(folder)/\(name).py", root.appending(path: "fixtures/" + site).path(), scratch)
            #expect(run.status == 0, "\(run.output)")
            #expect(
                FileManager.default.contentsEqual(
                    atPath: scratch, andPath: "\(folder)/\(name).expected.ndjson"),
                "run \(name).py again, see fixtures/README.md")
        }
        let check = try python(
            root.appending(path: "fixtures/expected/check_truth.py").path(),
            root.appending(path: "fixtures").path())
        #expect(check.status == 0, "\(check.output)")
    }
}

/// Runs a script with python3 and gives its status and output.
func python(_ arguments: String...) throws -> (status: Int32, output: String) {
    try run(["python3", "-B"] + arguments)
}

/// Runs a program of the path in a directory and gives its status and output.
func run(_ arguments: [String], in directory: URL = root) throws -> (
    status: Int32, output: String
) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = directory
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

struct Generation {
    private func options(seed: UInt64, _ change: (inout SimulationOptions) -> Void = { _ in })
        -> SimulationOptions
    {
        var options = SimulationOptions(
            seed: seed, firstDay: firstDay, dayCount: 2, craneCount: 2, stationCount: 2,
            itemCount: 8, pointCount: 4, craneInterval: 60)
        change(&options)
        return options
    }

    private func lines(_ file: SimulatedFile, _ options: SimulationOptions) -> [[UInt8]] {
        collect { SiteSimulation(options).lines(of: file, $0) }
    }

    private func texts(_ file: SimulatedFile, _ options: SimulationOptions) -> [String] {
        lines(file, options).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("Equal seeds give equal bytes, others do not", arguments: SimulatedFile.allCases)
    func seeds(_ file: SimulatedFile) {
        let first = lines(file, options(seed: 1))
        #expect(!first.isEmpty)
        #expect(first == lines(file, options(seed: 1)))
        // Registries of one site do not depend on the seed but for the change of stage.
        if ![.cranes, .monitors, .pitPoints].contains(file) {
            #expect(first != lines(file, options(seed: 2)))
        }
    }

    @Test("One more site changes nothing of the others")
    func moreSites() {
        for file in SimulatedFile.allCases where file != .craneReadings {
            let one = Set(texts(file, options(seed: 3) { $0.siteCount = 1 }))
            let three = Set(texts(file, options(seed: 3) { $0.siteCount = 3 }))
            #expect(one.isSubset(of: three), "\(file.rawValue)")
            #expect(three.count > one.count)
        }
    }

    @Test("One more hazard project or point changes nothing of the others")
    func moreDevices() {
        for (file, change): (SimulatedFile, (inout SimulationOptions) -> Void) in [
            (.hazardEvents, { $0.itemCount = 9 }), (.pitReadings, { $0.pointCount = 5 }),
        ] {
            let few = Set(texts(file, options(seed: 4)))
            let more = Set(texts(file, options(seed: 4, change)))
            #expect(few.isSubset(of: more) && more.count > few.count)
        }
    }

    @Test("Lines come in order of arrival", arguments: SimulatedFile.allCases)
    func arrivalOrder(_ file: SimulatedFile) throws {
        var last = 0
        for text in texts(file, options(seed: 5) { $0.siteCount = 2 }) {
            let arrival: Int
            if file == .dustFrames {
                arrival = try #require(Int(text.prefix { $0 != "\t" }))
            } else if let found = text.firstMatch(of: /"arrival":(\d+)}/) {
                arrival = try #require(Int(found.1))
            } else {
                continue  // the truth, and garbage
            }
            #expect(arrival >= last)
            last = arrival
        }
        #expect(last > 0 || file == .truth)
    }

    @Test("Without faults every line can be read, in order and once; without incidents no truth")
    func clean() throws {
        let clean = options(seed: 6) {
            $0.faults = []
            $0.incidents = .none
        }
        #expect(texts(.truth, clean).isEmpty)
        for file in [SimulatedFile.craneReadings, .hazardEvents, .pitReadings] {
            var seen: Set<String> = []
            for line in lines(file, clean) {
                let object = try JSONSerialization.jsonObject(with: Data(line))
                #expect(object is [String: Any])
                #expect(seen.insert(String(decoding: line, as: UTF8.self)).inserted)
            }
        }
    }

    @Test("Each fault changes the data, and says so where it has a span", arguments: Fault.allCases)
    func faults(_ fault: Fault) {
        func options(_ faults: Set<Fault>) -> SimulationOptions {
            SimulationOptions(
                seed: 7, firstDay: firstDay, dayCount: 20, craneCount: 2, stationCount: 1,
                craneInterval: 300, faults: faults, incidents: .none)
        }
        func all(_ options: SimulationOptions) -> [[UInt8]] {
            let files: [SimulatedFile] = [.craneReadings, .dustFrames, .hazardEvents, .pitReadings]
            return files.flatMap { lines($0, options) }
        }
        #expect(all(options([fault])) != all(options([])))
        let truth = texts(.truth, options([fault]))
        let silent: Set<Fault> = [.duplicates, .disorder, .dirt]
        #expect(truth.isEmpty == silent.contains(fault))
    }

    @Test("No devices, no lines of devices; nothing traps on the smallest run")
    func empty() {
        let none = SimulationOptions(
            seed: 1, firstDay: 0, craneCount: 0, stationCount: 0, itemCount: 0, pointCount: 0,
            craneInterval: 3600)
        for file in SimulatedFile.allCases where file != .projects && file != .craneReadings {
            #expect(lines(file, none).isEmpty, "\(file.rawValue)")
        }
        for file in SimulatedFile.allCases {
            #expect(lines(file, options(seed: 1) { $0.siteCount = 0 }).isEmpty)
        }
    }

    @Test("A thrown error stops the writing")
    func errors() {
        struct Stop: Error {}
        var count = 0
        #expect(throws: Stop.self) {
            try SiteSimulation(options(seed: 5)).lines(of: .craneReadings) { _ throws(Stop) in
                count += 1
                if count == 3 { throw Stop() }
            }
        }
        #expect(count == 3)
    }
}

struct LineBufferTests {
    @Test(
        "Numbers with a point",
        arguments: [
            (235, 2, "2.35"), (5, 2, "0.05"), (0, 2, "0.00"), (-5, 1, "-0.5"), (10, 1, "1.0"),
            (7, 0, "7"), (0, 0, "0"), (1_000, 3, "1.000"), (-123_456, 3, "-123.456"),
        ])
    func decimals(_ units: Int, _ scale: Int, _ text: String) {
        var line = LineBuffer()
        line.put(units, scale: scale)
        #expect(String(decoding: line.bytes, as: UTF8.self) == text)
    }

    @Test("Whole numbers and fixed widths")
    func whole() {
        var line = LineBuffer()
        line.put(0)
        line.put(" ")
        line.put(Int.min)
        line.put(" ")
        line.put(42, width: 4)
        #expect(String(decoding: line.bytes, as: UTF8.self) == "0 -9223372036854775808 0042")
    }
}
