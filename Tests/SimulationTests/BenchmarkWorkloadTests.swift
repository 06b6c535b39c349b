import Foundation
import Simulation
import Testing

struct BenchmarkWorkloads {
    private struct CraneRow: Decodable {
        var device: String
        var site: String
        var ts: Int
        var seq: Int
        var loadT: Decimal
        var radiusM: Decimal
        var heightM: Decimal
        var slewDeg: Decimal
        var windMs: Decimal
        var tiltDeg: Decimal
    }

    /// Rated load by the benchmark's chart as (numerator, denominator), in kilograms.
    private func capacity(radius: Int) -> (Int, Int)? {
        for (low, high) in zip(CraneBenchmark.chart, CraneBenchmark.chart.dropFirst())
        where radius >= low.0 && radius <= high.0 {
            let width = high.0 - low.0
            return (low.1 * width + (high.1 - low.1) * (radius - low.0), width)
        }
        return nil
    }

    @Test("Crane workload: shape, order, share of overloads")
    func crane() throws {
        var workload = CraneBenchmark(seed: 7)
        let lines = collect { workload.lines(count: 60_000, $0) }
        #expect(lines.count == 60_000)
        var last: [String: Int] = [:]
        var greatest = 0
        var overloads = 0
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        for line in lines {
            let row = try decoder.decode(CraneRow.self, from: Data(line))
            #expect(row.ts > last[row.device, default: 0], "each crane in order")
            last[row.device] = row.ts
            greatest = max(greatest, row.ts)
            #expect(greatest - row.ts < 5_000, "up to five seconds apart")
            let radius = NSDecimalNumber(decimal: row.radiusM * 10).intValue
            let mass = NSDecimalNumber(decimal: row.loadT * 100).intValue
            let rated = try #require(capacity(radius: radius))
            if mass * 10 * rated.1 * 10 >= rated.0 * 9 { overloads += 1 }
        }
        #expect(last.count == CraneBenchmark.deviceCount)
        #expect((200...450).contains(overloads), "about 0.5 %: \(overloads) of 60000")
        let bytes = lines.reduce(0) { $0 + $1.count } / lines.count
        #expect((170...185).contains(bytes))
    }

    private struct DustRow: Decodable {
        var device: String
        var site: String
        var ts: Int
        var tsp: Decimal
        var pm10: Decimal
        var pm25: Decimal
        var noiseDb: Decimal
        var tempC: Decimal
        var rh: Decimal
        var windMs: Decimal
        var windDir: Int
    }

    @Test("Dust workload: shape, one a minute, disorder, means that are exactly the limit")
    func dust() throws {
        var workload = DustBenchmark(seed: 1)
        let lines = collect { workload.lines(count: 300_000, $0) }
        var greatest = 0
        var minutes: [String: Set<Int>] = [:]
        var windows: [String: Int] = [:]
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        for line in lines {
            let row = try decoder.decode(DustRow.self, from: Data(line))
            greatest = max(greatest, row.ts)
            #expect(greatest - row.ts < 60_000, "up to a minute apart")
            minutes[row.device, default: []].insert(row.ts / 60_000)
            let tenths = NSDecimalNumber(decimal: row.tsp * 10).intValue
            #expect(Decimal(tenths) / 10 == row.tsp && (800...4000).contains(tenths))
            #expect(row.pm25 < row.pm10 && row.pm10 < row.tsp)
            #expect((0...100).contains(row.rh) && (0..<360).contains(row.windDir))
            windows["\(row.device) \(row.ts / 900_000)", default: 0] += tenths
        }
        #expect(minutes.count == DustBenchmark.deviceCount)
        #expect(minutes.values.allSatisfy { $0.count == 60 }, "one reading a minute")
        #expect(windows.count == DustBenchmark.deviceCount * 4)
        #expect(windows.values.contains(250 * 10 * 15), "a mean of exactly 250")
        #expect((0.2...0.6).contains(share(of: windows.values) { $0 > 250 * 10 * 15 }))
    }

    private func share(of values: some Collection<Int>, _ matches: (Int) -> Bool) -> Double {
        Double(values.count(where: matches)) / Double(values.count)
    }

    @Test("Equal seeds and counts give equal workloads")
    func seeds() {
        var whole = CraneBenchmark(seed: 9)
        var again = CraneBenchmark(seed: 9)
        #expect(
            collect { whole.lines(count: 4_100, $0) } == collect { again.lines(count: 4_100, $0) })
        var dust = DustBenchmark(seed: 9)
        var dustAgain = DustBenchmark(seed: 9)
        let lines = collect { dust.lines(count: 10_001, $0) }
        #expect(lines == collect { dustAgain.lines(count: 10_001, $0) })
        #expect(lines.count == 10_001)
    }
}
