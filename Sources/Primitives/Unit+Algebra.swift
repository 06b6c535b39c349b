// Products, quotients and conversion of units.

/// One symbol of a unit with its exponent, prefix included: `kg`, 1; `m`, 3.
struct UnitTerm: Hashable {
    let symbol: String
    var exponent: Int
}

extension Unit {
    /// An exact positive factor.
    package struct Factor: Hashable, Sendable {
        package let numerator: Int128
        package let denominator: Int128
    }

    /// Whether the code is made of symbols that the table knows. O(length).
    package var isKnown: Bool { definition != nil }

    /// Whether two codes name the same product of the same symbols.
    package func isSame(as other: Unit) -> Bool {
        if code == other.code { return true }
        guard let a = terms, let b = other.terms else { return false }
        return Set(a) == Set(b)
    }

    /// Whether two optional units are the same; none is the same as none and as `1`.
    package static func areSame(_ a: Unit?, _ b: Unit?) -> Bool {
        (a ?? Unit("1")).isSame(as: b ?? Unit("1"))
    }

    /// The unit of a product: `t` × `m` is `t.m`; nil when nothing is left.
    ///
    /// Symbols stand in the order in which they are met, factors before divisors.
    package static func product(_ a: Unit?, _ b: Unit?) -> Unit? { combined(a, b, sign: 1) }

    /// The unit of a quotient: `ug` / `m3` is `ug/m3`, `t` / `t` is none.
    package static func quotient(_ a: Unit?, _ b: Unit?) -> Unit? { combined(a, b, sign: -1) }

    /// The exact number by which a value in this unit is multiplied to be in `target`; nil when
    /// they measure different things, or one is unknown.
    package func factor(to target: Unit) -> Factor? {
        guard let from = definition, let to = target.definition, from.base == to.base else {
            return nil
        }
        let (n, o1) = from.numerator.multipliedReportingOverflow(by: to.denominator)
        let (d, o2) = from.denominator.multipliedReportingOverflow(by: to.numerator)
        guard !o1, !o2, d != 0 else { return nil }
        let divisor = greatestCommonDivisor(n, d)
        return Factor(numerator: n / divisor, denominator: d / divisor)
    }

    private static func combined(_ a: Unit?, _ b: Unit?, sign: Int) -> Unit? {
        // A code outside UCUM is one symbol of its own.
        let left = a.map { $0.terms ?? [UnitTerm(symbol: $0.code, exponent: 1)] } ?? []
        let right = b.map { $0.terms ?? [UnitTerm(symbol: $0.code, exponent: 1)] } ?? []
        var result = left
        for term in right { Unit.add(term.symbol, term.exponent * sign, to: &result) }
        return result.isEmpty ? nil : Unit(text(result))
    }

    private static func add(_ symbol: String, _ exponent: Int, to terms: inout [UnitTerm]) {
        if let index = terms.firstIndex(where: { $0.symbol == symbol }) {
            terms[index].exponent += exponent
            if terms[index].exponent == 0 { terms.remove(at: index) }
        } else {
            terms.append(UnitTerm(symbol: symbol, exponent: exponent))
        }
    }

    private static func text(_ terms: [UnitTerm]) -> String {
        func part(_ term: UnitTerm) -> String {
            let exponent = abs(term.exponent)
            return exponent == 1 ? term.symbol : "\(term.symbol)\(exponent)"
        }
        let factors = terms.filter { $0.exponent > 0 }.map(part)
        let divisors = terms.filter { $0.exponent < 0 }.map(part)
        let top = factors.isEmpty ? "1" : factors.joined(separator: ".")
        return ([top] + divisors).joined(separator: "/")
    }

    /// Symbols and exponents of the code; nil when it is no UCUM expression. `1` has none.
    var terms: [UnitTerm]? {
        var terms: [UnitTerm] = []
        var rest = Array(code)
        var sign = 1
        if rest.first == "/" {
            rest.removeFirst()
            sign = -1
        }
        guard !rest.isEmpty, rest.count <= 64 else { return nil }
        for (index, piece) in Unit.split(rest).enumerated() {
            if index > 0 { sign = piece.separator == "/" ? -1 : 1 }
            guard let (symbol, exponent) = Unit.component(piece.text) else { return nil }
            if symbol != "1" { Unit.add(symbol, exponent * sign, to: &terms) }
        }
        return terms
    }

    /// The components between `.` and `/` outside brackets and annotations.
    private static func split(_ code: [Character]) -> [(separator: Character, text: String)] {
        var pieces: [(separator: Character, text: String)] = [(".", "")]
        var depth = 0
        for character in code {
            if character == "[" || character == "{" { depth += 1 }
            if character == "]" || character == "}" { depth -= 1 }
            if depth == 0, character == "." || character == "/" {
                pieces.append((character, ""))
            } else {
                pieces[pieces.count - 1].text.append(character)
            }
        }
        return pieces
    }

    /// `m3` is (`m`, 3), `s-1` is (`s`, −1), `{count}` is a pure number.
    private static func component(_ text: String) -> (symbol: String, exponent: Int)? {
        var text = text
        if let brace = text.firstIndex(of: "{") {
            guard text.last == "}" else { return nil }
            text = String(text[..<brace])
            if text.isEmpty { return ("1", 1) }
        }
        guard !text.isEmpty else { return nil }
        if definition(ofSymbol: text) != nil { return (text, 1) }
        let digits = text.reversed().prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.count <= 2 else { return nil }
        var symbol = String(text.dropLast(digits.count))
        var exponent = Int(String(digits.reversed())) ?? 0
        if symbol.last == "-" || symbol.last == "+" {
            if symbol.last == "-" { exponent = -exponent }
            symbol.removeLast()
        }
        guard exponent != 0, definition(ofSymbol: symbol) != nil else { return nil }
        return (symbol, exponent)
    }

    /// A symbol with or without a prefix: what it is, and the prefix's power of ten.
    private static func definition(ofSymbol symbol: String) -> (UnitDefinition, power: Int)? {
        if let found = UnitTable.symbols[symbol] { return (found, 0) }
        for prefix in UnitTable.prefixes where symbol.hasPrefix(prefix.symbol) {
            let rest = String(symbol.dropFirst(prefix.symbol.count))
            if let found = UnitTable.symbols[rest], found.isMetric { return (found, prefix.power) }
        }
        return nil
    }

    /// The whole code in base symbols, with its factor.
    private var definition: UnitDefinition? {
        guard let terms else { return nil }
        var numerator: Int128 = 1
        var denominator: Int128 = 1
        var base: [String: Int] = [:]
        for term in terms {
            guard let (symbol, power) = Unit.definition(ofSymbol: term.symbol),
                abs(term.exponent) <= 9
            else { return nil }
            for (name, exponent) in symbol.base {
                base[name, default: 0] += exponent * term.exponent
            }
            var top = symbol.numerator
            var bottom = symbol.denominator
            for _ in 0..<abs(power) { if power > 0 { top *= 10 } else { bottom *= 10 } }
            if term.exponent < 0 { swap(&top, &bottom) }
            for _ in 0..<abs(term.exponent) {
                let (n, o1) = numerator.multipliedReportingOverflow(by: top)
                let (d, o2) = denominator.multipliedReportingOverflow(by: bottom)
                guard !o1, !o2 else { return nil }
                let divisor = greatestCommonDivisor(n, d)
                numerator = n / divisor
                denominator = d / divisor
            }
        }
        return UnitDefinition(
            numerator: numerator, denominator: denominator, base: base.filter { $0.value != 0 },
            isMetric: false)
    }
}

/// Euclid's algorithm over positive numbers.
private func greatestCommonDivisor(_ a: Int128, _ b: Int128) -> Int128 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}
