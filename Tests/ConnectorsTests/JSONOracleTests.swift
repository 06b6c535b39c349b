import CSimdjson
import Columnar
import Connectors
import Dataflow
import Foundation
import Primitives
import RecordLog
import TestKit
import Testing

/// Agreement with simdjson's DOM parser, and with a slow grammar where simdjson has limits.
@Suite struct JSONOracleTests {
    static let fields =
        keyAndTime + [
            Field("s", .string, isNullable: true), Field("i", .int, isNullable: true),
            Field("d", .double, isNullable: true), Field("b", .bool, isNullable: true),
            Field("m", .decimal(scale: 3, unit: nil), isNullable: true),
        ]

    static func decode(_ documents: [[UInt8]]) -> DecodedRows {
        var keys = KeyTable()
        return makeDecoder(for: makeSource(fields)).decode(
            makeBlock(documents), rows: 0..<documents.count, keys: &keys)
    }

    /// Documents of a corpus file; `%{NN}` is a byte.
    static func corpus(_ name: String) throws -> [[UInt8]] {
        let url = try #require(
            Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
        let text = Array(try Data(contentsOf: url))
        return text.split(separator: 0x0A).map { line in
            var result: [UInt8] = []
            var rest = Array(line)[...]
            while let first = rest.first {
                if rest.starts(with: [0x25, 0x7B]), rest.count >= 5 {
                    let hex = String(decoding: rest.dropFirst(2).prefix(2), as: UTF8.self)
                    result.append(UInt8(hex, radix: 16) ?? 0)
                    rest = rest.dropFirst(5)
                } else {
                    result.append(first)
                    rest = rest.dropFirst()
                }
            }
            return result
        }
    }

    /// Whether a document is JSON, all oracles asked.
    static func isJSON(_ document: [UInt8]) -> Bool {
        let slow = SlowJSON.isValid(document)
        let code = csimdjson_parse(document, document.count)
        // simdjson refuses integers past 64 bits and doubles that overflow, and 3.0 takes a lone
        // low surrogate; else it must agree with the grammar.
        let hasLimit = csimdjson_is_number_error(code) != 0
        let text = String(decoding: document, as: UTF8.self).lowercased()
        if !hasLimit, !text.contains("\\ud") {
            #expect((code == 0) == slow, "\(String(decoding: document, as: UTF8.self))")
        }
        return slow
    }

    @Test func corpusVerdicts() throws {
        let valid = try Self.corpus("json-valid.txt")
        let invalid = try Self.corpus("json-invalid.txt")
        #expect(valid.count >= 80 && invalid.count >= 140)
        for (row, reason) in reasons(Self.decode(valid)).enumerated() {
            let text = String(decoding: valid[row], as: UTF8.self)
            #expect(reason != "malformed" && Self.isJSON(valid[row]), "\(text)")
        }
        for (row, reason) in reasons(Self.decode(invalid)).enumerated() {
            let text = String(decoding: invalid[row], as: UTF8.self)
            #expect(reason == "malformed" && !Self.isJSON(invalid[row]), "\(text)")
        }
        // The same inside a document, where they are skipped.
        let head = Array(#"{"k":"a","t":1,"z":"#.utf8)
        let inside = Self.decode(valid.map { head + $0 + [0x7D] })
        #expect(inside.faults.isEmpty)
        let broken = Self.decode(invalid.map { head + [0x5B] + $0 + [0x5D, 0x7D] })
        for (row, reason) in reasons(broken).enumerated() {
            let document = head + [0x5B] + invalid[row] + [0x5D, 0x7D]
            let text = String(decoding: document, as: UTF8.self)
            #expect((reason == "malformed") == !Self.isJSON(document), "\(text)")
        }
    }

    // MARK: Generated documents

    @Test func generatedDocuments() {
        let seed = TestSeed.value
        print("generatedDocuments seed \(seed)")
        var generator = DocumentGenerator(seed: seed)
        var counts = (valid: 0, invalid: 0, faulty: 0)
        for _ in 0..<100 {
            let documents = (0..<250).map { _ in generator.document() }
            let rows = Self.decode(documents)
            let found = reasons(rows)
            for (row, document) in documents.enumerated() {
                if found[row] == "malformed" { counts.invalid += 1 } else { counts.valid += 1 }
                if found[row] != nil, found[row] != "malformed" { counts.faulty += 1 }
                let verdict = check(document, rows, row, found[row])
                #expect(verdict == nil, "\(String(decoding: document, as: UTF8.self)) seed \(seed)")
            }
        }
        print("generatedDocuments \(counts)")
        #expect(counts.valid > 5000 && counts.invalid > 5000 && counts.faulty > 1000)
    }

    /// What a decoder remembers of one document's layout never shows in the next one's rows: all
    /// of them through one decoder, and each through a fresh one, give the same.
    @Test func layoutsOfEarlierDocumentsChangeNothing() {
        let seed = TestSeed.value
        print("layoutsOfEarlierDocuments seed \(seed)")
        var generator = DocumentGenerator(seed: seed)
        var counts = (same: 0, faulty: 0)
        for _ in 0..<15 {
            // Each one several times, whole and damaged: most follow one of their own layout.
            let documents = (0..<50).flatMap { _ in generator.variants(6) }
            let together = describe(Self.decode(documents))
            for (row, document) in documents.enumerated() {
                let alone = describe(Self.decode([document]))
                #expect(
                    together[row] == alone[0],
                    "\(String(decoding: document, as: UTF8.self)) seed \(seed)")
                if alone[0].contains("fault") { counts.faulty += 1 } else { counts.same += 1 }
            }
        }
        print("layoutsOfEarlierDocuments \(counts)")
        #expect(counts.same > 500 && counts.faulty > 2000)
    }

    /// Each row's values, or its fault with its message.
    private func describe(_ rows: DecodedRows) -> [String] {
        var result = (0..<rows.rowCount).map { row in
            rows.columns.map { show($0, row) }.joined(separator: " ")
        }
        for fault in rows.faults {
            result[Int(fault.row)] = "fault \(fault.reason.name) \(fault.detail)"
        }
        return result
    }

    /// What is wrong with a row, or nil.
    private func check(
        _ document: [UInt8], _ rows: DecodedRows, _ row: Int, _ reason: String?
    ) -> String? {
        guard Self.isJSON(document) else {
            return reason == "malformed" ? nil : "accepted what is not JSON"
        }
        if document.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) != 0x7B {
            return reason == "wrong-type" ? nil : "took what is no object"
        }
        var expected: Set<String> = []
        var isDuplicate = false
        for (index, field) in Self.fields.enumerated() {
            let member = find(document, field.name)
            if member.found.occurrences > 1 { isDuplicate = true }
            guard csimdjson_parse(document, document.count) == 0 else {
                // simdjson's own limit on numbers: the verdict is all there is to compare.
                return reason == "malformed" && !hasDuplicate(rows, row) ? "refused JSON" : nil
            }
            switch expectation(field, member) {
            case .fault(let name): expected.insert(name)
            case .value(let text):
                guard reason == nil else { continue }
                if show(rows.columns[index], row) != text { return "\(field.name) is not \(text)" }
            case .zero:
                guard reason == nil else { continue }
                if !["0.0", "-0.0"].contains(show(rows.columns[index], row)) {
                    return "\(field.name) is not zero"
                }
            case .near(let value):
                guard reason == nil, case .int64(let units) = rows.columns[index].values else {
                    continue
                }
                let scale = field.name == "m" ? 1e3 : field.name == "t" ? 1e3 : 1
                let error = abs(Double(units[row]) / scale - value)
                if error > 1e-9 * max(1, abs(value)) { return "\(field.name) is not \(value)" }
            }
        }
        if isDuplicate { return reason == "malformed" ? nil : "took a duplicate member" }
        guard let reason else {
            return expected.isEmpty ? nil : "took a row with \(expected)"
        }
        // Digits past a double's are ours to see, not the oracle's.
        return expected.contains(reason) || reason == "precision" || reason == "out-of-range"
            ? nil : "rejected as \(reason), not \(expected)"
    }

    private func hasDuplicate(_ rows: DecodedRows, _ row: Int) -> Bool {
        rows.faults.contains { Int($0.row) == row && $0.detail.contains("duplicate") }
    }

    private enum Expectation {
        case value(String)
        case near(Double)
        case zero
        case fault(String)
    }

    private func find(_ document: [UInt8], _ name: String)
        -> (found: csimdjson_member, text: String)
    {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let found = csimdjson_find(document, document.count, name, &buffer, buffer.count)
        return (found, String(decoding: buffer.prefix(Int(found.length)), as: UTF8.self))
    }

    private func expectation(
        _ field: Field, _ member: (found: csimdjson_member, text: String)
    ) -> Expectation {
        let kind = UInt32(member.found.kind)
        if kind == CSIMDJSON_MISSING.rawValue || kind == CSIMDJSON_NULL.rawValue {
            return field.isNullable ? .value("null") : .fault("missing-field")
        }
        let integer = member.found.int64
        let number = member.found.number
        switch (field.name, kind) {
        case ("k", CSIMDJSON_STRING.rawValue), ("s", CSIMDJSON_STRING.rawValue):
            return .value("'\(member.text)'")
        case ("b", CSIMDJSON_BOOL.rawValue): return .value(integer == 1 ? "true" : "false")
        case ("d", CSIMDJSON_DOUBLE.rawValue): return .value("\(number)")
        case ("d", CSIMDJSON_INT64.rawValue):
            // simdjson takes -0 for an integer, we for a double.
            return integer == 0 ? .zero : .value("\(Double(integer))")
        case ("d", CSIMDJSON_UINT64.rawValue):
            return .value("\(Double(UInt64(bitPattern: integer)))")
        case ("i", CSIMDJSON_INT64.rawValue): return .value("\(integer)")
        case ("i", CSIMDJSON_UINT64.rawValue): return .fault("out-of-range")
        case ("t", CSIMDJSON_INT64.rawValue):
            let (units, overflow) = integer.multipliedReportingOverflow(by: 1000)
            let isTime = !overflow && units >= Timestamp.minimum && units <= Timestamp.maximum
            return isTime ? .value("\(units)") : .fault("out-of-range")
        case ("t", CSIMDJSON_STRING.rawValue):
            return Timestamp.parse(member.text).map { .value("\($0)") } ?? .fault("wrong-type")
        case ("m", CSIMDJSON_INT64.rawValue):
            let (units, overflow) = integer.multipliedReportingOverflow(by: 1000)
            return overflow ? .fault("out-of-range") : .value("\(units)")
        case ("m", CSIMDJSON_UINT64.rawValue): return .fault("out-of-range")
        case ("i", CSIMDJSON_DOUBLE.rawValue), ("t", CSIMDJSON_DOUBLE.rawValue),
            ("m", CSIMDJSON_DOUBLE.rawValue):
            return .near(number)
        default: return .fault("wrong-type")
        }
    }
}

/// Random documents, some of them damaged.
struct DocumentGenerator {
    private var random: RandomSource

    init(seed: UInt64) { random = RandomSource(seed: seed) }

    mutating func document() -> [UInt8] {
        var members: [String] = []
        members.append("\"k\"\(colon())\(string())")
        members.append("\"t\"\(colon())\(1_760_000_000_000 + random.int(in: 0...999_999_999))")
        for name in ["s", "i", "d", "b", "m"] where random.int(in: 0...9) > 0 {
            members.append("\(key(name))\(colon())\(value(name))")
        }
        for _ in 0..<random.int(in: 0...3) {
            members.append("\"x\(random.int(in: 0...99))\"\(colon())\(any(3))")
        }
        if random.int(in: 0...39) == 0 { members.append(members[random.int(in: 0...2)]) }
        if random.int(in: 0...3) == 0 { members.shuffle(using: &random) }
        let text =
            "{" + space() + members.joined(separator: space() + "," + space()) + space() + "}"
        var bytes = Array(text.utf8)
        if random.int(in: 0...1) == 0 { mutate(&bytes) }
        return bytes
    }

    /// A document, and then itself with other digits, and damaged.
    mutating func variants(_ count: Int) -> [[UInt8]] {
        let whole = document()
        return [whole]
            + (1..<count).map { index in
                var bytes = whole
                for place in bytes.indices where (0x31...0x39).contains(bytes[place]) {
                    bytes[place] = UInt8(random.int(in: 0x31...0x39))
                }
                if index % 2 == 0 { mutate(&bytes) }
                return bytes
            }
    }

    private mutating func pick(_ options: [String]) -> String {
        options[random.int(in: 0...options.count - 1)]
    }

    private mutating func space() -> String {
        random.int(in: 0...7) > 0 ? "" : pick([" ", "\n", "\t", "\r\n", "   "])
    }

    private mutating func colon() -> String { space() + ":" + space() }

    private mutating func key(_ name: String) -> String {
        guard random.int(in: 0...30) == 0, let scalar = name.unicodeScalars.first else {
            return "\"\(name)\""
        }
        let hex = String(scalar.value, radix: 16)
        return "\"\\u" + String(repeating: "0", count: 4 - hex.count) + hex + "\""
    }

    private mutating func value(_ name: String) -> String {
        if random.int(in: 0...19) == 0 { return any(2) }
        if random.int(in: 0...19) == 0 { return "null" }
        switch name {
        case "s": return string()
        case "b": return pick(["true", "false"])
        case "i":
            return pick([
                "\(random.int(in: -99...99))", "\(Int64(bitPattern: random.next()))",
                "\(random.int(in: 0...9))e2", "9223372036854775808", "1.0",
            ])
        case "m":
            let digits = pick(["\(random.int(in: 0...9999))", "0", "\(random.int(in: 0...9))"])
            let places = random.int(in: 0...4)
            let fraction = (0..<places).map { _ in "\(random.int(in: 0...9))" }.joined()
            return pick(["", "-"]) + digits + (places > 0 ? "." + fraction : "")
        default: return number()
        }
    }

    private mutating func number() -> String {
        switch random.int(in: 0...6) {
        case 0: return "\(random.int(in: -1000...1000))"
        case 1: return "\(Double(random.int(in: -1_000_000...1_000_000)) / 1000)"
        case 2:
            let value = Double(bitPattern: random.next())
            return value.isFinite ? "\(value)" : "0.1"
        case 3: return "\(random.next() >> 1).\(random.next())"
        case 4: return "\(random.int(in: 0...999))e\(random.int(in: -320...305))"
        case 5: return "0.000000\(random.next())"
        default: return pick(["0", "-0", "-0.0", "1e22", "1e23", "123456789012345678", "0.3"])
        }
    }

    private mutating func string() -> String {
        let parts = [
            "a", "C00001", "塔", "é", "😀", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00", " ",
            "/", "0123456789abcdef", "\\u0000", "}", ",", ":",
        ]
        return "\"" + (0..<random.int(in: 0...6)).map { _ in pick(parts) }.joined() + "\""
    }

    private mutating func any(_ depth: Int) -> String {
        switch random.int(in: depth > 0 ? 0...7 : 2...7) {
        case 0:
            let items = (0..<random.int(in: 0...3)).map { _ in any(depth - 1) }
            return "[" + space() + items.joined(separator: space() + ",") + "]"
        case 1:
            let items = (0..<random.int(in: 0...3)).map { "\"y\($0)\":\(any(depth - 1))" }
            return "{" + items.joined(separator: "," + space()) + space() + "}"
        case 2: return pick(["true", "false", "null"])
        case 3, 4: return string()
        default: return number()
        }
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        for _ in 0..<random.int(in: 1...2) {
            guard !bytes.isEmpty else { return }
            let place = random.int(in: 0...bytes.count - 1)
            switch random.int(in: 0...5) {
            case 0: bytes[place] = UInt8(random.int(in: 0...255))
            case 1: bytes.remove(at: place)
            case 2:
                let characters = Array("{}[]\",:\\0123456789.eE+-tfn u".utf8)
                bytes.insert(characters[random.int(in: 0...characters.count - 1)], at: place)
            case 3: bytes.removeLast(random.int(in: 0...bytes.count - 1))
            case 4: bytes.swapAt(place, random.int(in: 0...bytes.count - 1))
            default: bytes[place] ^= 1 << UInt8(random.int(in: 0...7))
            }
        }
    }
}
