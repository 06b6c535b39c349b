import Foundation

/// `leq`, `stddev` and `timeMean` of the reference engine, computed anew from all values.
enum ReferenceStatistics {
    /// `points` are values with their times, by time and arrival; `scale` is the values' own.
    static func value(
        _ function: String, _ points: [(time: Int64, value: ReferenceNumber)], end: Int64,
        scale: Int
    ) -> ReferenceValue {
        let values = points.map(\.value)
        switch function {
        case "leq": return values.isEmpty ? .null : .number(level(values))
        case "stddev": return values.count < 2 ? .null : .number(deviation(values, scale + 3))
        default: return timeMean(points, end: end).map { .number($0) } ?? .null
        }
    }

    /// By the mathematics library, which is near enough but at a tie.
    private static func level(_ levels: [ReferenceNumber]) -> ReferenceNumber {
        if Set(levels).count == 1 { return levels[0] }
        let powers = levels.map { pow(10, double($0) / 10) }
        let mean = powers.reduce(0, +) / Double(powers.count)
        return ReferenceNumber(
            units: Int((10 * log10(mean) * 1000).rounded(.toNearestOrEven)), scale: 3)
    }

    private static func double(_ number: ReferenceNumber) -> Double {
        Double(number.numerator) / Double(number.denominator)
    }

    /// The first number of `scale` digits whose next half step is not below the root.
    private static func deviation(_ values: [ReferenceNumber], _ scale: Int) -> ReferenceNumber {
        let count = ReferenceNumber(Int128(values.count))
        let mean = values.reduce(ReferenceNumber(0), +) / count
        let distances = values.map { value -> ReferenceNumber in
            let distance = value - (mean ?? value)
            return distance * distance
        }
        let sum = distances.reduce(ReferenceNumber(0), +)
        let variance = sum / ReferenceNumber(Int128(values.count - 1)) ?? sum
        var low = 0
        var high = 1_000_000_000
        while low < high {
            let middle = (low + high) / 2
            let half = ReferenceNumber(units: 10 * middle + 5, scale: scale + 1)
            if half * half < variance { low = middle + 1 } else { high = middle }
        }
        let half = ReferenceNumber(units: 10 * low + 5, scale: scale + 1)
        return ReferenceNumber(
            units: half * half == variance && low % 2 == 1 ? low + 1 : low, scale: scale)
    }

    private static func timeMean(
        _ points: [(time: Int64, value: ReferenceNumber)], end: Int64
    ) -> ReferenceNumber? {
        var sum = ReferenceNumber(0)
        var covered: Int64 = 0
        for (index, point) in points.enumerated() {
            let next = index + 1 < points.count ? points[index + 1].time : end
            sum = sum + point.value * ReferenceNumber(Int128(next - point.time))
            covered += next - point.time
        }
        return sum / ReferenceNumber(Int128(covered))
    }
}
