import Columnar
import Expression
import Primitives
import Testing

@Suite struct UnitTests {
    @Test(arguments: [
        "t", "m", "t.m", "ug/m3", "dB[SPL]", "m/s", "kPa", "Cel", "%", "mg/m3", "km/h", "kN",
        "kN.m",
        "1", "[ppm]", "L/min", "m/s2", "10", "{count}", "{vehicle}/h", "lx", "kW.h", "m3/h",
    ])
    func known(_ code: String) { #expect(Unit(code).isKnown == (code != "10")) }

    @Test(arguments: ["tonne", "", "m//s", "m/", "kt3x", "kmin", "[", "{", "m3m", "ug/m³"])
    func unknown(_ code: String) { #expect(!Unit(code).isKnown) }

    /// Factors from the definitions of the SI and of UCUM.
    @Test(
        arguments: [
            ("t", "kg", 1000, 1), ("ug/m3", "mg/m3", 1, 1000), ("km/h", "m/s", 5, 18),
            ("kPa", "bar", 1, 100), ("kW.h", "MJ", 18, 5), ("m3/h", "L/min", 50, 3),
            ("%", "1", 1, 100), ("kN", "kg.m/s2", 1000, 1), ("kgf", "N", 196_133, 20_000),
            ("[in_i]", "mm", 127, 5), ("d", "s", 86_400, 1), ("dB[SPL]", "B[SPL]", 1, 10),
        ] as [(String, String, Int, Int)])
    func factors(_ from: String, _ to: String, _ numerator: Int, _ denominator: Int) {
        let factor = Unit(from).factor(to: Unit(to))
        #expect(factor?.numerator == Int128(numerator))
        #expect(factor?.denominator == Int128(denominator))
    }

    @Test func incommensurable() {
        #expect(Unit("t").factor(to: Unit("m")) == nil)
        #expect(Unit("kN").factor(to: Unit("t")) == nil)
        #expect(Unit("Cel").factor(to: Unit("K")) == nil)
        #expect(Unit("dB[SPL]").factor(to: Unit("dB")) == nil)
    }

    @Test func products() {
        #expect(Unit.product(Unit("t"), Unit("m"))?.code == "t.m")
        #expect(Unit.quotient(Unit("t"), Unit("t")) == nil)
        #expect(Unit.quotient(Unit("ug"), Unit("m3"))?.code == "ug/m3")
        #expect(Unit.quotient(nil, Unit("s"))?.code == "1/s")
        #expect(Unit.product(Unit("m/s"), Unit("s"))?.code == "m")
        #expect(Unit.product(Unit("m"), Unit("m"))?.code == "m2")
        #expect(Unit("t.m").isSame(as: Unit("m.t")))
        #expect(!Unit("kg").isSame(as: Unit("g")))
    }

    @Test(arguments: [
        ("to(mass, \"kg\")", "decimal(2) kg", "370.00"),
        ("to(mass, \"g\")", "decimal(2) g", "370000.00"),
        ("to(radius, \"km\")", "decimal(5) km", "0.00353"),
        ("mass * radius", "decimal(4) t.m", "1.3061"),
        ("mass * radius > quantity(1.3, \"t.m\")", "bool", "true"),
        ("radius / falls", "ratio(5) m", "353/200"),
        ("to(mass / mass, \"%\")", "ratio(5) %", "100/1"),
        ("quantity(36, \"km/h\") + to(quantity(1, \"m/s\"), \"km/h\") ", "", ""),
        ("to(quantity(90.0, \"km/h\"), \"m/s\")", "double m/s", "25.0"),
        ("to(decimal(90, 0), \"%\")", "decimal(0) %", "9000"),
        ("mass * 2 + 1", "decimal(2) t", "1.74"),
    ])
    func expressions(_ expression: String, _ type: String, _ value: String) throws {
        if type.isEmpty {
            // A factor of 18/5 makes a ratio, which an int literal of the same unit may join.
            #expect(problems(expression).isEmpty)
            return
        }
        let result = try evaluate(
            expression, CraneData.scope, CraneData.columns(rows: 2), rows: 2)
        #expect(result.type.description == type)
        #expect(text(result.column, result.type, 1) == value)
    }
}
