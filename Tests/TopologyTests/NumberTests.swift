import Primitives
import Testing
import Topology

@Suite struct NumberTests {
    @Test func orderAgreesWithScaledIntegers() {
        var random = RandomSource(seed: 42)
        print("seed 42")
        for _ in 0..<2000 {
            let a = Int64.random(in: -2000...2000, using: &random)
            let b = Int64.random(in: -2000...2000, using: &random)
            let (s, t) = (
                Int.random(in: 0...3, using: &random), Int.random(in: 0...3, using: &random)
            )
            // Both as units of 10^-3.
            let x = a * Decimal.powerOfTen(3 - s)
            let y = b * Decimal.powerOfTen(3 - t)
            guard let p = ExactNumber(Decimal.text(a, scale: s)),
                let q = ExactNumber(Decimal.text(b, scale: t))
            else {
                Issue.record("\(a) \(s) or \(b) \(t) is not read")
                return
            }
            #expect((p < q) == (x < y))
            #expect((p == q) == (x == y))
            #expect(p.scale == s)
            #expect(p.text(scale: s) == Decimal.text(a, scale: s) || a == 0)
            #expect(p.text(scale: 5) == Decimal.text(x * 100, scale: 5) || a == 0)
        }
    }

    @Test func forms() {
        #expect(ExactNumber("1e-2")?.text(scale: 2) == "0.01")
        #expect(ExactNumber("1e-2")?.scale == 2)
        #expect(ExactNumber("12.5E+1")?.text(scale: 0) == "125")
        #expect(ExactNumber("12.5")?.text(scale: 0) == nil)
        #expect(ExactNumber("0.00")?.text(scale: 1) == "0.0")
        #expect(ExactNumber("1e99999999999999999999")?.text(scale: 0) == nil)
        for text in ["", "-", "1.", ".1", "01", "1e", "0x1", "1 ", "½", "١"] {
            #expect(ExactNumber(text) == nil, "\(text)")
        }
    }

    @Test func suggestions() {
        #expect(Suggestion.nearest(to: "disorer", in: ["disorder", "order"]) == "disorder")
        #expect(Suggestion.nearest(to: "kye", in: ["key", "topic"]) == "key")
        #expect(Suggestion.nearest(to: "zzz", in: ["key", "topic"]) == nil)
        #expect(Suggestion.distance(Array("ca"), Array("abc")) == 3)
        #expect(Suggestion.distance(Array(""), Array("abc")) == 3)
    }
}
