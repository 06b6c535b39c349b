import Foundation
import Primitives
import Simulation
import Testing

/// The project's root, from this file's place.
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The site's day of `fixtures/site-day`; its README states the same command.
let fixtureSite = SiteSimulation(
    seed: 20_260_302, dayStart: SiteSimulation.dayStart(year: 2026, month: 3, day: 2),
    craneInterval: 10)

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
        let files: [(String, [[UInt8]])] = [
            ("registry.ndjson", collect { fixtureSite.registryLines($0) }),
            ("crane.ndjson", collect { fixtureSite.craneLines($0) }),
            ("dust.hj212", collect { fixtureSite.dustLines($0) }),
            ("truth.ndjson", collect { fixtureSite.truthLines($0) }),
        ]
        for (name, lines) in files {
            let path = root.appending(path: "fixtures/site-day/" + name)
            let committed = [UInt8](try Data(contentsOf: path))
            // Not the arrays themselves: a failure would print megabytes.
            let isSame = Array(lines.joined()) == committed
            #expect(isSame, "\(name) differs; see fixtures/README.md")
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

    @Test("The expected records are what the Python scripts compute from the fixtures")
    func expected() throws {
        for name in ["crane", "dust"] {
            let folder = root.appending(path: "fixtures/expected").path()
            let scratch = NSTemporaryDirectory() + "expected-\(name)-\(getpid()).ndjson"
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            let run = try python(
                "\(folder)/\(name).py", root.appending(path: "fixtures/site-day").path(), scratch)
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
    private func site(seed: UInt64, cranes: Int = 4, stations: Int = 4) -> SiteSimulation {
        SiteSimulation(
            seed: seed, dayStart: fixtureSite.dayStart, craneCount: cranes,
            stationCount: stations, craneMinutes: 60, dustMinutes: 120)
    }

    @Test("Equal seeds give equal bytes, others do not")
    func seeds() {
        let first = collect { site(seed: 1).craneLines($0) }
        #expect(first == collect { site(seed: 1).craneLines($0) })
        #expect(first != collect { site(seed: 2).craneLines($0) })
        let dust = collect { site(seed: 1).dustLines($0) }
        #expect(dust == collect { site(seed: 1).dustLines($0) })
        #expect(dust != collect { site(seed: 2).dustLines($0) })
    }

    @Test("One more device changes no other device's readings")
    func independence() {
        func first(_ lines: [[UInt8]], _ device: String) -> [[UInt8]] {
            lines.filter { String(decoding: $0, as: UTF8.self).contains(device) }
        }
        let name = "\"device\":\"TC-02\",\"site\":\"S1\",\"ts\""
        let two = first(collect { site(seed: 3, cranes: 2).craneLines($0) }, name)
        let five = first(collect { site(seed: 3, cranes: 5).craneLines($0) }, name)
        #expect(!two.isEmpty)
        #expect(two == five)
    }

    @Test("No devices, no lines of devices; nothing traps on the smallest run")
    func empty() {
        let none = SiteSimulation(
            seed: 1, dayStart: 0, craneCount: 0, stationCount: 0, craneMinutes: 1,
            dustMinutes: 1)
        #expect(collect { none.registryLines($0) }.isEmpty)
        #expect(collect { none.dustLines($0) }.isEmpty)
        #expect(collect { none.truthLines($0) }.isEmpty)
        let least = SiteSimulation(
            seed: 1, dayStart: 0, craneCount: 12, stationCount: 12, craneInterval: 3600,
            craneMinutes: 1, dustMinutes: 1)
        #expect(collect { least.registryLines($0) }.count == 15)
        #expect(collect { least.dustLines($0) }.count == 12 + 8)
    }

    @Test("Lines come in order of arrival")
    func arrivalOrder() throws {
        var last = 0
        for line in collect({ site(seed: 4).dustLines($0) }) {
            let arrival = try #require(
                Int(String(decoding: line.prefix { $0 != 9 }, as: UTF8.self)))
            #expect(arrival >= last)
            last = arrival
        }
    }

    @Test("A thrown error stops the writing")
    func errors() {
        struct Stop: Error {}
        var count = 0
        #expect(throws: Stop.self) {
            try site(seed: 5).craneLines { _ throws(Stop) in
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
