/// A tower crane's load chart: for each number of falls, rated loads by radius.
///
/// Values are those of `fixtures/load-charts.csv`; their provenance stands there and in
/// `fixtures/README.md`. Lengths in centimetres, loads in kilograms.
package struct LoadChart: Sendable {
    /// One node of the chart.
    package struct Point: Sendable {
        /// Centimetres from the slewing axis.
        package var radius: Int
        /// Rated load in kilograms.
        package var capacity: Int
    }

    /// Maker's designation.
    package let model: String
    package let fourFalls: [Point]
    package let twoFalls: [Point]

    /// The chart for 2 falls, else that for 4.
    package func points(falls: Int) -> [Point] { falls == 2 ? twoFalls : fourFalls }

    /// Greatest radius of the chart, in centimetres.
    package var tipRadius: Int { fourFalls.last?.radius ?? 0 }

    /// Rated load in kilograms at a radius in centimetres, by linear interpolation, rounded down;
    /// nil outside the chart.
    package func capacity(radius: Int, falls: Int) -> Int? {
        let points = points(falls: falls)
        for index in points.indices.dropFirst() where radius <= points[index].radius {
            let low = points[index - 1]
            let high = points[index]
            guard radius >= low.radius else { return nil }
            return low.capacity
                - (low.capacity - high.capacity) * (radius - low.radius)
                / (high.radius - low.radius)
        }
        return nil
    }

    /// QTZ63 with a 50 m jib (TC5013 class).
    package static let qtz63 = LoadChart(
        model: "QTZ63 (50 m jib, TC5013 class)",
        fourFalls: curve(
            [(300, 6000), (1391, 6000)], from: 1500, tip: (5000, 1300),
            [
                5530, 4820, 4260, 3800, 3430, 3110, 2840, 2610, 2410, 2230, 2080, 1940, 1810, 1700,
                1590, 1500, 1420, 1340,
            ]),
        twoFalls: curve(
            [(300, 3000), (2500, 3000)], from: 2700, tip: (5000, 1300),
            [
                2750, 2530, 2340, 2180, 2030, 1900, 1780, 1670, 1580, 1490, 1410, 1330,
            ]))

    /// TC5610-6 with a 56 m jib.
    package static let tc5610 = LoadChart(
        model: "TC5610-6 (QTZ63)",
        fourFalls: curve(
            [(250, 6000), (1372, 6000)], from: 1500, tip: (5600, 1000),
            [
                5430, 4720, 4160, 3700, 3330, 3010, 2740, 2510, 2310, 2130, 1970, 1830, 1710, 1590,
                1490, 1400, 1310, 1230, 1160, 1090, 1030,
            ]),
        twoFalls: curve(
            [(250, 3000), (2523, 3000)], from: 2700, tip: (5600, 1000),
            [
                2760, 2530, 2320, 2140, 1980, 1840, 1710, 1600, 1500, 1400, 1310, 1230, 1160, 1090,
                1030,
            ]))

    /// The flat part, then a node every two metres, then the tip.
    private static func curve(
        _ flat: [(Int, Int)], from start: Int, tip: (Int, Int), _ capacities: [Int]
    ) -> [Point] {
        var points = flat.map { Point(radius: $0.0, capacity: $0.1) }
        for (index, capacity) in capacities.enumerated() {
            points.append(Point(radius: start + 200 * index, capacity: capacity))
        }
        points.append(Point(radius: tip.0, capacity: tip.1))
        return points
    }
}
