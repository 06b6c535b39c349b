// The table of symbols: what each is in base symbols, and the exact factor.

/// A symbol's meaning: `numerator / denominator` × the product of base symbols.
struct UnitDefinition {
    let numerator: Int128
    let denominator: Int128
    let base: [String: Int]
    /// Whether `k`, `m`, `u`, … may stand before it.
    let isMetric: Bool
}

enum UnitTable {
    /// Metric prefixes as powers of ten. Source: UCUM table 1.
    static let prefixes: [(symbol: String, power: Int)] = [
        ("da", 1), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("h", 2), ("d", -1),
        ("c", -2), ("m", -3), ("u", -6), ("n", -9), ("p", -12), ("f", -15),
    ]

    static let symbols: [String: UnitDefinition] = {
        var table: [String: UnitDefinition] = [:]
        func add(
            _ symbol: String, _ base: [String: Int], _ numerator: Int128 = 1,
            over denominator: Int128 = 1, metric: Bool = true
        ) {
            table[symbol] = UnitDefinition(
                numerator: numerator, denominator: denominator, base: base, isMetric: metric)
        }
        // Base symbols. Degrees and radians stand apart: their factor is not rational. Levels and
        // special scales are commensurable with themselves only.
        for symbol in ["m", "g", "s", "K", "A", "cd", "mol", "rad", "bit"] {
            add(symbol, [symbol: 1])
        }
        for symbol in ["Cel", "Np", "B", "B[SPL]", "B[V]", "B[mV]", "B[W]", "B[kW]"] {
            add(symbol, [symbol: 1])
        }
        for symbol in ["deg", "[pH]", "[degF]", "[NTU]", "[FNU]", "[CFU]"] {
            add(symbol, [symbol: 1], metric: false)
        }
        // Pure numbers.
        add("1", [:], metric: false)
        add("%", [:], 1, over: 100, metric: false)
        add("[ppth]", [:], 1, over: 1000, metric: false)
        add("[ppm]", [:], 1, over: 1_000_000, metric: false)
        add("[ppb]", [:], 1, over: 1_000_000_000, metric: false)
        // Mass, length, area, volume, angle, time.
        add("t", ["g": 1], 1_000_000)
        add("L", ["m": 3], 1, over: 1000)
        add("l", ["m": 3], 1, over: 1000)
        add("ar", ["m": 2], 100)
        add("'", ["deg": 1], 1, over: 60, metric: false)
        add("''", ["deg": 1], 1, over: 3600, metric: false)
        add("circ", ["deg": 1], 360, metric: false)
        add("min", ["s": 1], 60, metric: false)
        add("h", ["s": 1], 3600, metric: false)
        add("d", ["s": 1], 86_400, metric: false)
        add("wk", ["s": 1], 604_800, metric: false)
        // Mechanics.
        add("N", ["g": 1, "m": 1, "s": -2], 1000)
        add("Pa", ["g": 1, "m": -1, "s": -2], 1000)
        add("bar", ["g": 1, "m": -1, "s": -2], 100_000_000)
        add("atm", ["g": 1, "m": -1, "s": -2], 101_325_000, metric: false)
        add("J", ["g": 1, "m": 2, "s": -2], 1000)
        add("W", ["g": 1, "m": 2, "s": -3], 1000)
        add("gf", ["g": 1, "m": 1, "s": -2], 980_665, over: 100_000)
        add("[g]", ["m": 1, "s": -2], 980_665, over: 100_000)
        add("Hz", ["s": -1])
        // Electricity, light, radiation, data.
        add("C", ["A": 1, "s": 1])
        add("V", ["g": 1, "m": 2, "s": -3, "A": -1], 1000)
        add("Ohm", ["g": 1, "m": 2, "s": -3, "A": -2], 1000)
        add("S", ["g": -1, "m": -2, "s": 3, "A": 2], 1, over: 1000)
        add("F", ["g": -1, "m": -2, "s": 4, "A": 2], 1, over: 1000)
        add("T", ["g": 1, "s": -2, "A": -1], 1000)
        add("lm", ["cd": 1])
        add("lx", ["cd": 1, "m": -2])
        add("Bq", ["s": -1])
        add("Gy", ["m": 2, "s": -2])
        add("Sv", ["m": 2, "s": -2])
        add("By", ["bit": 1], 8)
        // Customary units with an exact metric value.
        add("[in_i]", ["m": 1], 254, over: 10_000, metric: false)
        add("[ft_i]", ["m": 1], 3048, over: 10_000, metric: false)
        add("[mi_i]", ["m": 1], 1_609_344, over: 1000, metric: false)
        add("[nmi_i]", ["m": 1], 1852, metric: false)
        add("[kn_i]", ["m": 1, "s": -1], 1852, over: 3600, metric: false)
        add("[lb_av]", ["g": 1], 45_359_237, over: 100_000, metric: false)
        return table
    }()
}
