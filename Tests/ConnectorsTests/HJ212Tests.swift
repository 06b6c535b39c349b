import Columnar
import Connectors
import Dataflow
import Foundation
import Primitives
import RecordLog
import TestKit
import Testing

@Suite struct HJ212Tests {
    struct Sample {
        var verdict: String
        var source: String
        var frame: String
    }

    static func lines(_ name: String) throws -> [String] {
        let url = try #require(
            Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    static func samples() throws -> [Sample] {
        try lines("hj212-samples.txt").filter { !$0.hasPrefix("#") }.map {
            let parts = $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Sample(verdict: parts[1], source: parts[2], frame: parts[3])
        }
    }

    /// MN is the key, DataTime the time; `@tags` is read.
    static func decoder(_ fields: [Field] = [], nullableTags: Bool = false) -> any RecordDecoder {
        let all =
            [
                Field("mn", .string, path: "MN"), Field("time", .timestamp, path: "DataTime"),
                Field("tags", .string, path: "@tags"),
            ] + fields
        return makeDecoder(for: makeSource(all, format: .hj212(utcOffsetMinutes: 480)))
    }

    static func decode(_ frames: [String], _ fields: [Field] = []) -> DecodedRows {
        var keys = KeyTable()
        return decoder(fields).decode(
            makeBlock(frames), rows: 0..<frames.count, keys: &keys)
    }

    /// A whole frame around a data segment, its checksum right.
    static func frame(_ segment: String) -> String {
        String(decoding: HJ212Frame.encode(dataSegment: Array(segment.utf8)), as: UTF8.self)
    }

    static let head = "QN=20261122083000001;ST=39;CN=2011;PW=123456;MN=510100A8900016F000169DC0;"

    @Test func checksumsAgreeWithPython() throws {
        var count = 0
        for line in try Self.lines("hj212-crc.txt") {
            let parts = line.split(separator: " ")
            let hex = parts[0] == "-" ? [] : Array(parts[0].utf8)
            let data = stride(from: 0, to: hex.count, by: 2).map { index in
                UInt8(String(decoding: hex[index..<index + 2], as: UTF8.self), radix: 16) ?? 0
            }
            #expect(HJ212CRC.checksum(data.span) == UInt16(parts[1], radix: 16))
            #expect(HJ212CRC.modbus(data.span) == UInt16(parts[2], radix: 16))
            count += 1
        }
        #expect(count == 64)
    }

    @Test func everySampleGetsItsVerdict() throws {
        let samples = try Self.samples()
        #expect(samples.count == 27)
        // On the wire and in a file: with and without CR LF.
        for end in ["", "\r\n"] {
            let rows = Self.decode(samples.map { $0.frame + end })
            let found = reasons(rows)
            for (row, sample) in samples.enumerated() {
                let expected = sample.verdict == "STD_OK" ? nil : "crc"
                #expect(found[row] == expected, "\(sample.source)")
            }
            let modbus = rows.faults.filter { $0.detail.contains("Modbus") }
            #expect(modbus.count == 1 && Int(modbus[0].row) == samples.count - 1)
            #expect(modbus[0].detail.contains("AD51") && modbus[0].detail.contains("9481"))
        }
    }

    @Test func dirtOfTheSamplesIsTagged() throws {
        let samples = try Self.samples()
        let rows = Self.decode(samples.map(\.frame))
        func tags(_ fragment: String) throws -> String {
            let row = try #require(samples.firstIndex { $0.source.contains(fragment) })
            return show(rows.columns[2], row)
        }
        #expect(try tags("official worked example") == "'time-from-qn'")
        #expect(
            try tags("LA-td")
                == "'split-flag-without-packet-number,trailing-semicolon,unknown-suffix'")
        #expect(try tags("real ST=39") == "''")
        #expect(try tags("empty MN") == "'empty-mn'")
        // The first of these lines is about another frame, so by row.
        #expect(
            show(rows.columns[2], 2)
                == "'missing-qn,irregular-mn,missing-flag,time-with-milliseconds'")
        #expect(
            show(rows.columns[2], 4) == "'lower-case-crc,missing-qn,irregular-mn,missing-flag'")
        #expect(show(rows.columns[2], 11) == "'lower-case-crc,irregular-mn'")
        for row in 13..<25 where ![15, 20, 21].contains(row) {
            let text = show(rows.columns[2], row)
            #expect(text == "''" || text == "'time-from-qn'", "\(samples[row].source)")
        }
        #expect(try tags("2025 heartbeat") == "'time-from-qn'")
        #expect(try tags("2025 noise") == "''")
    }

    @Test func otherDirtIsTagged() {
        let cp = "CP=&&DataTime=20261122083000;a34001-Rtd=312,a34001-Flag=N&&"
        let plain = Self.frame(Self.head + "Flag=4;" + cp)
        // The four digits without their leading zero.
        let short = "##" + plain.dropFirst(3)
        let cases: [(String, String)] = [
            (plain, ""), (short, "short-length"),
            (Self.frame(Self.head + cp + ";Flag=5;"), "header-after-data"),
            (Self.frame(Self.head + cp + ";Flag=5"), "header-after-data"),
            (Self.frame(Self.head + cp), "missing-flag"),
            (
                Self.frame(Self.head + "Flag=4;PNUM=2;PNO=1;" + cp),
                "packet-number-without-split-flag"
            ),
            (
                Self.frame(Self.head + "Flag=4;CP=&&DataTime=20261122083000;a21-Rtd=1;a21-Rtd=2&&"),
                "duplicate-item"
            ),
            (
                Self.frame(Self.head + "Flag=4;CP=&&DataTime=20261122083000;;a21-Rtd=1&&"),
                "empty-item"
            ),
            (
                Self.frame(Self.head + "Flag=4;CP=&&DataTime=20261122083000;what;a21-Rtd=&&"),
                "bad-item,empty-value"
            ),
            // Java's DD: day 326 of 2026 is 22 November, day 41 is 10 February.
            (Self.frame(Self.head + "Flag=4;CP=&&DataTime=202611326083000&&"), "day-of-year"),
            (Self.frame(Self.head + "Flag=4;CP=&&DataTime=20260241083000&&"), "day-of-year"),
            (
                Self.frame(Self.head + "Flag=4;CP=&&DataTime=20261322083000&&"),
                "time-from-qn,bad-data-time"
            ),
            (
                Self.frame("QN=2026;" + Self.head.dropFirst(21) + "Flag=4;" + cp), "bad-qn"
            ),
            (Self.frame(Self.head + "Flag=28;" + cp), "unknown-version"),
        ]
        let rows = Self.decode(cases.map(\.0))
        #expect(rows.faults.isEmpty)
        for (row, item) in cases.enumerated() {
            #expect(show(rows.columns[2], row) == "'\(item.1)'", "\(item.0)")
        }
        let expected = Timestamp.parse("2026-11-22T08:30:00+08:00")
        #expect(rows.times[0] == expected && rows.times[9] == expected)
        #expect(rows.times[10] == Timestamp.parse("2026-02-10T08:30:00+08:00"))
        #expect(rows.times[11] == Timestamp.parse("2026-11-22T08:30:00.001+08:00"))
    }

    @Test func valuesOfEveryKind() {
        let fields = [
            Field("tsp", .decimal(scale: 1, unit: nil), isNullable: true, path: "a34001-Rtd"),
            Field("flag", .string, isNullable: true, path: "a34001-Flag"),
            Field("qn", .timestamp, isNullable: true, path: "QN"),
            Field("st", .int, path: "ST"),
            Field("pno", .int, isNullable: true, path: "PNO"),
            Field("sound", .double, isNullable: true, path: "LA-Rtd"),
        ]
        func data(_ items: String, _ flag: String = "4") -> String {
            Self.frame(Self.head + "Flag=\(flag);CP=&&DataTime=20261122083000" + items + "&&")
        }
        let rows = Self.decode(
            [
                data(";a34001-Rtd=312.5,a34001-Flag=N;LA-Rtd=63.2"), data(""),
                data(";a34001-Rtd=1.25"), data(";a34001-Rtd=abc"), data(";a34001-Rtd=-3"),
                data(";a34001-Rtd=99999999999999999999"),
                Self.frame(
                    Self.head + "Flag=6;PNUM=0002;PNO=0001;CP=&&DataTime=20261122083000&&"),
                Self.frame("ST=39;CN=2011;MN=M1;CP=&&a34001-Rtd=1&&"),
                Self.frame("QN=20261122083000001;CN=2011;MN=M1;CP=&&DataTime=20261122083000&&"),
                // Ciphertext of 2025 may hold any byte, && among them.
                Self.frame(Self.head + "Flag=8;CP=&&q8Zk+/1&&xx==&&"),
                Self.frame(Self.head + "Flag=8;CP=&&AbCdEf0123456789==&&"),
            ], fields)
        #expect(
            reasons(rows)
                == [
                    nil, nil, "precision", "wrong-type", nil, "out-of-range", nil, "missing-field",
                    "missing-field", nil, nil,
                ])
        let first = (3..<9).map { show(rows.columns[$0], 0) }
        #expect(first == ["3125", "'N'", "1795307400001000", "39", "null", "63.2"])
        #expect((3..<5).map { show(rows.columns[$0], 1) } == ["null", "null"])
        #expect(show(rows.columns[3], 4) == "-30" && show(rows.columns[7], 6) == "1")
        #expect(show(rows.columns[2], 9) == "'time-from-qn,encrypted'")
        #expect(show(rows.columns[2], 10) == "'time-from-qn,encrypted'")
        #expect(rows.faults.first { $0.row == 8 }?.timeIsReadable == true)
        #expect(rows.faults.first { $0.row == 7 }?.timeIsReadable == false)
    }

    @Test func garbageIsRejected() {
        let good = Self.frame(Self.head + "Flag=4;CP=&&DataTime=20261122083000&&")
        let rows = Self.decode([
            "", "##", "#", "hello", "##0000", "##00001234", "##9999ab", String(good.dropLast(20)),
            String(good.dropFirst(1)), "##012", Self.frame("QN=1;ST=2"), Self.frame("CP=&&"),
            Self.frame("CP=&"), Self.frame(""), good.dropLast(6) + "zzzz", good,
        ])
        let found = reasons(rows)
        for row in 0..<15 { #expect(found[row] == "malformed" || found[row] == "crc", "\(row)") }
        #expect(found[15] == nil)
        #expect(found[0] == "malformed" && found[7] == "malformed" && found[14] == "malformed")
    }

    /// Whatever happens to a frame, decoding does not trap, and a changed data segment is seen.
    @Test func mutatedFramesNeverTrap() throws {
        let seed = TestSeed.value
        print("mutatedFramesNeverTrap seed \(seed)")
        var random = RandomSource(seed: seed)
        let samples = try Self.samples().map { Array($0.frame.utf8) }
        let fields = [
            Field("tsp", .decimal(scale: 1, unit: nil), isNullable: true, path: "a34001-Rtd"),
            Field("cn", .int, isNullable: true, path: "CN"),
            Field("flag", .string, isNullable: true, path: "a34001-Flag"),
        ]
        let decoder = Self.decoder(fields)
        var accepted = 0
        for _ in 0..<200 {
            var frames: [[UInt8]] = []
            for _ in 0..<50 {
                var bytes = samples[random.int(in: 0...samples.count - 1)]
                for _ in 0..<random.int(in: 1...4) {
                    guard !bytes.isEmpty else { break }
                    let place = random.int(in: 0...bytes.count - 1)
                    switch random.int(in: 0...3) {
                    case 0: bytes[place] = UInt8(random.int(in: 0...255))
                    case 1: bytes.remove(at: place)
                    case 2: bytes.insert(Array("=;,&#0".utf8)[random.int(in: 0...5)], at: place)
                    default: bytes.removeLast(random.int(in: 0...bytes.count))
                    }
                }
                // Half of them with a checksum that fits, so that the inside is reached.
                if random.int(in: 0...1) == 0, bytes.count > 10 {
                    bytes = HJ212Frame.encode(dataSegment: Array(bytes[6..<bytes.count - 4]))
                }
                frames.append(bytes)
            }
            var keys = KeyTable()
            let rows = decoder.decode(makeBlock(frames), rows: 0..<50, keys: &keys)
            #expect(rows.rowCount == 50 && rows.columns.allSatisfy { $0.count == 50 })
            accepted += 50 - rows.faults.count
        }
        #expect(accepted > 1000)
    }
}
