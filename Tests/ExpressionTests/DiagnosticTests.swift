import Columnar
import Expression
import Primitives
import TestKit
import Testing

/// What a user reads when an expression is wrong: the place, the reason, the way out.
@Suite struct DiagnosticTests {
    @Test(
        arguments: [
            ("load.mas > 1", 5, "'load' has no field 'mas'", "did you mean mass?"),
            ("radus > 1", 0, "unknown name 'radus'", "did you mean radius?"),
            ("device == 'C1'", 0, "'device' is ambiguous", "write load.device or crane.device"),
            ("load", 0, "'load' is not a value", "name a field of it, such as load.device"),
            (
                "mass + radius", 5, "'+' needs the same unit on both sides, not t and m",
                "they measure different things"
            ),
            (
                "mass > quantity(900, \"kg\")", 5,
                "'>' needs the same unit on both sides, not t and kg",
                "convert one of them: to(…, \"t\")"
            ),
            (
                "mass / mass > percent", 12,
                "'>' needs the same unit on both sides, not no unit and %",
                "convert the other one: to(…, \"%\")"
            ),
            (
                "mass > double(1)", 5, "'>' needs the same unit on both sides, not t and no unit",
                "give the other one its unit: quantity(…, \"t\")"
            ),
            (
                "falls > 2.5", 6, "'>' is not defined for int and double",
                "write double(x), or a whole number"
            ),
            ("double(falls) > 2", 14, "'>' is not defined for double and int", "write 2.0"),
            (
                "mass / mass + double(falls)", 12, "'+' is not defined for ratio(5) and double",
                "write double(x) for the one that is not a double"
            ),
            ("to(mass, \"m\")", 0, "t cannot be converted to m", "they measure different things"),
            (
                "quantity(1, \"tonne\")", 12, "unknown unit 'tonne'",
                "units are UCUM codes, such as t, m/s, ug/m3, dB[SPL]"
            ),
            ("interpolat(1, 2)", 0, "unknown function 'interpolat'", "did you mean interpolate?"),
            (
                "mass && true", 0, "'&&' needs a bool, not decimal(2) t",
                "compare it with something, as in x > 0"
            ),
            ("mass = 1", 5, "unexpected character '='", "write == to compare"),
            ("mass >", 6, "the expression ends too early", "an operand is missing at the end"),
            (
                "mass > 90 %", 10, "'%' is the remainder of a division",
                "write 0.90 for 90 % of a ratio, or 90 alone where the unit is %"
            ),
            (
                "mass >= 112.5% && mass > 1", 13, "'%' is the remainder of a division",
                "write 1.125 for 112.5 % of a ratio, or 112.5 alone where the unit is %"
            ),
            (
                "5 %", 2, "'%' is the remainder of a division",
                "write 0.05 for 5 % of a ratio, or 5 alone where the unit is %"
            ),
            ("'abc", 0, "the string does not end", "close it with '"),
            ("1u", 0, "unsigned integers are not supported", "leave out the u"),
            (
                "'é' + falls", 4, "'+' is not defined for string and int",
                "string(x) makes text of a value"
            ),
            (
                "load.device.matches('C.*')", 12, "matches is not supported",
                "use contains, startsWith or endsWith"
            ),
            ("crane.chart['2']", 12, "the keys of this map are int, not string", nil),
        ] as [(String, Int, String, String?)])
    func oneProblem(_ text: String, _ offset: Int, _ message: String, _ hint: String?) {
        let found = problems(text, CraneData.scope)
        #expect(found.first?.message == message)
        #expect(found.first?.hint == hint)
        #expect(found.first?.offset == offset)
        #expect(found.count == 1)
    }

    @Test func severalAtOnce() {
        let found = problems("load.mas > 1 && radus < 2 && mass + radius > 3", CraneData.scope)
        #expect(found.map(\.offset) == [5, 16, 34])
    }

    @Test func listsWhatIsVisible() {
        let hint = problems("qqqqqqqq", CraneData.scope).first?.hint ?? ""
        #expect(hint.hasPrefix("visible here: device, mass, radius"))
    }

    @Test func productOfTooManyDigits() {
        let found = problems(
            "mass * mass * mass * mass * mass * mass * mass * mass * mass * mass",
            CraneData.scope)
        #expect(
            found.first?.message
                == "the product would have 20 digits after the point, 18 is the most")
    }

    @Test func nestingIsLimited() {
        let deep = String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000)
        #expect(problems(deep).first?.message == "the expression is nested too deeply")
        let long = Array(repeating: "1", count: 5000).joined(separator: "+")
        #expect(problems(long).first?.message == "the expression is nested too deeply")
        let fits = Array(repeating: "1", count: 200).joined(separator: "+")
        #expect(problems(fits).isEmpty)
    }

    /// Garbage is refused or accepted, never a crash: pieces of the language put together blindly.
    @Test func garbage() throws {
        let seed = TestSeed.value
        print("garbage expressions: seed \(seed)")
        var random = RandomSource(seed: seed)
        let pieces = [
            "load.mass", "radius", "falls", "percent", "crane.chart", "1", "2.5", "-", "+", "*",
            "/",
            "%", "==", "<", ">=", "&&", "||", "!", "?", ":", "(", ")", "[", "]", "{", "}", ",", ".",
            "null", "true", "'a'", "b'\\x00'", "in", "size(", "min(", "round(", "to(", "\"kg\"",
            ", 2)",
            ".map(x, x", ".exists(e, e", "e", "interpolate(", "int(", "double(", "string(", "has(",
            "9223372036854775807", "-9223372036854775808", "1e300", "\u{1F431}",
            "timestamp('2026-01-01T00:00:00Z')",
            "duration('1h')", "abs(", "[1, 2]", "{'a': 1}", "`x`", "0x1F", "quantity(1, 't')",
        ]
        let columns = CraneData.columns(rows: 3)
        var accepted = 0
        for _ in 0..<4000 {
            let length = Int(random.next() % 9) + 1
            let text = (0..<length).map { _ in
                pieces[Int(random.next() % UInt64(pieces.count))]
            }.joined(separator: random.next() % 2 == 0 ? " " : "")
            do throws(ExpressionErrors) {
                let expression = try TypedExpression(text, in: CraneData.scope)
                let result = Evaluator(Program([expression])).evaluate(columns, rowCount: 3)
                #expect(result.columns[0].count == 3, "\(text)")
                accepted += 1
            } catch {
                #expect(!error.errors.isEmpty, "\(text)")
                #expect(error.errors.allSatisfy { $0.offset >= 0 && $0.offset <= text.count })
            }
        }
        #expect(accepted > 50)
    }
}
