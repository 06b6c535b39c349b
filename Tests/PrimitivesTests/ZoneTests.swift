import Foundation
import Primitives
import Testing

/// Every zone against Python's zoneinfo (Fixtures/zones.py), and the rules of local days.
struct ZoneTests {
    private static let second = Timestamp.microsecondsPerSecond

    private func lines(_ kind: String) throws -> [[Substring]] {
        let folder = try #require(Bundle.module.resourceURL)
        let text = try String(
            contentsOf: folder.appendingPathComponent("Fixtures/zones.tsv"), encoding: .utf8)
        return text.split(separator: "\n").map { $0.split(separator: "\t") }
            .filter { $0[0] == kind }.map { Array($0.dropFirst()) }
    }

    private func fnv(_ text: String) -> String {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(repeating: "0", count: value.leadingZeroBitCount / 4)
            + String(value, radix: 16)
    }

    private func time(_ text: String) throws -> Int64 { try #require(Timestamp.parse(text)) }

    @Test func versionIsThatOfTheVectors() throws {
        #expect(try lines("version") == [[Substring(ZoneTable.version)]])
    }

    @Test func everyChangeFrom1900To2100() throws {
        let first = try time("1900-01-01T00:00:00Z")
        let last = try time("2100-01-01T00:00:00Z")
        let vectors = try lines("changes")
        #expect(vectors.map { String($0[0]) } == ZoneTable.names)
        for vector in vectors {
            let zone = try #require(Zone(String(vector[0])))
            var text = ""
            var count = 0
            var period = zone.period(at: first)
            while period.end <= last {
                let next = zone.period(at: period.end)
                #expect(next.start == period.end)
                if next.offset != period.offset {
                    text += "\(next.start / Self.second) \(next.offset / Self.second);"
                    count += 1
                }
                period = next
            }
            #expect("\(count)" == vector[1] && fnv(text) == vector[2], "\(zone.name)")
        }
    }

    @Test func randomInstantsOfTheYears1To9999() throws {
        let minimum: Int64 = -62_135_596_800 + 2 * 86_400
        let span: Int64 = 253_402_300_799 - 2 * 86_400 - minimum
        for vector in try lines("random") {
            let zone = try #require(Zone(String(vector[0])))
            var state: UInt64 = 2026
            var text = ""
            for _ in 0..<300 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let instant = minimum + Int64((state >> 11) % UInt64(span))
                text += "\(zone.offset(at: instant * Self.second) / Self.second);"
            }
            #expect(fnv(text) == vector[1], "\(zone.name)")
        }
    }

    @Test func daysBeginWhereTheClocksShowMidnight() throws {
        for vector in try lines("start") {
            let zone = try #require(Zone(String(vector[0])))
            let midnight = try time("\(vector[1])T00:00:00Z")
            let found = zone.instant(local: midnight)
            #expect("\(found / Self.second)" == vector[2], "\(zone.name) \(vector[1])")
            let grid = CalendarGrid(unit: .day, zone: zone)
            #expect(grid.start(midnight / Timestamp.microsecondsPerDay) == found)
        }
    }

    @Test func fixedOffsetsAndNames() throws {
        let offsets = ["UTC": 0, "Z": 0, "+08:00": 480, "-03:30": -210, "02:00": 120]
        for (name, minutes) in offsets {
            #expect(try #require(Zone(name)).offset(at: 0) == Int64(minutes) * 60 * Self.second)
        }
        for name in ["", "+8", "+08:60", "+24:00", "asia/shanghai", "CST", "+08:00:00", "é8:00"] {
            #expect(Zone(name) == nil, "\(name)")
        }
        #expect(Zone.suggestion(for: "asia/shanghai") == "Asia/Shanghai")
        #expect(Zone.suggestion(for: "Shanghai") == "Asia/Shanghai")
        #expect(Zone.suggestion(for: "Asia/Beijing") == "Asia/Shanghai")
        #expect(Zone.suggestion(for: "new york") == "America/New_York")
        #expect(Zone.suggestion(for: "Moon") == nil)
    }

    /// Units follow one another without gap or overlap, whatever the clocks do.
    @Test func unitsCoverTimeOnce() throws {
        let first = try time("2009-12-01T00:00:00Z")
        let last = try time("2012-03-01T00:00:00Z")
        for name in ["Pacific/Apia", "America/St_Johns", "Europe/Berlin", "Asia/Gaza", "UTC"] {
            let zone = try #require(Zone(name))
            for unit in CalendarUnit.allCases {
                for offset in [0, 6 * 3600 * Self.second] {
                    let grid = CalendarGrid(unit: unit, zone: zone, offset: offset)
                    var before = grid.index(of: first)
                    for instant in stride(from: first, to: last, by: 1741 * Int(Self.second)) {
                        let index = grid.index(of: instant)
                        #expect(index >= before && index <= before + 2)
                        #expect(grid.start(index) <= instant && instant < grid.start(index + 1))
                        before = index
                    }
                }
            }
        }
    }

    @Test func daysOf23And25Hours() throws {
        let grid = CalendarGrid(unit: .day, zone: try #require(Zone("Europe/Berlin")))
        for (day, hours) in [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)] {
            let index = grid.index(of: try time("\(day)T12:00:00Z"))
            #expect(grid.start(index + 1) - grid.start(index) == Int64(hours) * 3600 * Self.second)
        }
    }

    @Test func weeksBeginOnMondaysAndMonthsOnTheFirst() throws {
        let zone = try #require(Zone("Asia/Shanghai"))
        let weeks = CalendarGrid(unit: .week, zone: zone)
        let sunday = weeks.index(of: try time("2026-03-01T15:59:59Z"))
        #expect(weeks.start(sunday + 1) == (try time("2026-03-01T16:00:00Z")))
        #expect(weeks.start(sunday) == (try time("2026-02-22T16:00:00Z")))
        let months = CalendarGrid(unit: .month, zone: zone)
        let february = months.index(of: try time("2026-02-28T15:59:59Z"))
        #expect(months.start(february) == (try time("2026-01-31T16:00:00Z")))
        #expect(months.start(february + 1) == (try time("2026-02-28T16:00:00Z")))
    }
}
