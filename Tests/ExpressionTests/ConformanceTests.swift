import Columnar
import Expression
import Foundation
import Primitives
import Testing

/// What the language leaves out, and how a case that needs it is told.
enum Feature: String, CaseIterable {
    case messages = "protobuf messages"
    case unsigned = "unsigned integers"
    case dyn = "dyn"
    case nanoseconds = "nanoseconds"
    case matches = "`matches`"
    case optionals = "optional values"
    case stringExtension = "string extension"
    case mathExtension = "math extension"
    case transformMap = "`transformMap`"
    case functionDeclarations = "functions declared by the test"

    /// The features of the core files; the others are extensions.
    static let core: [Feature] = [.messages, .unsigned, .dyn, .nanoseconds, .matches]

    func explains(_ test: ConformanceCase, refusal: [String], file: String) -> Bool {
        let expression = test.expression
        func has(_ pattern: String) -> Bool {
            expression.range(of: pattern, options: .regularExpression) != nil
        }
        switch self {
        case .messages:
            return has("\\b(?!in\\b)[A-Za-z][A-Za-z0-9_.]*\\s*\\{")
                || has("\\bTestAllTypes\\b")
                || test.mentions.contains("message_type")
                || test.mentions.contains("type.googleapis.com/cel.expr")
        case .unsigned:
            return has("\\b(0x[0-9a-fA-F]+|[0-9]+)[uU]\\b") || has("\\buint\\b")
        case .dyn:
            // A value that only an evaluator without types can give, or unlike elements together.
            return has("\\bdyn\\(") || (test.isUnchecked && !test.expectsError)
                || refusal.contains { $0.contains("must have one type") }
        case .nanoseconds: return has("[0-9]ns'") || has("\\.[0-9]{7,9}Z'")
        case .matches: return has("\\.matches\\(")
        case .optionals: return file == "optionals" || has("optional\\.")
        case .stringExtension: return file == "string_ext"
        case .mathExtension: return file == "math_ext"
        case .transformMap: return has("\\.transformMap\\(")
        case .functionDeclarations: return test.mentions.contains("overloads")
        }
    }
}

@Suite struct ConformanceTests {
    /// These must pass but for the core features.
    static let required = [
        "basic", "comparisons", "logic", "integer_math", "fp_math", "string", "timestamps",
        "conversions",
    ]
    static let others = [
        "lists", "macros", "macros2", "fields", "parse", "type_deduction", "string_ext",
        "math_ext", "optionals",
    ]

    struct Tally {
        var passed = 0
        var failed: [String] = []
        var left: [Feature: Int] = [:]
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    static func cases(_ file: String) throws -> [ConformanceCase] {
        let url = root.appendingPathComponent("Fixtures/cel/\(file).textproto")
        var parser = TextprotoParser([UInt8](try Data(contentsOf: url)))
        return ConformanceCase.read(try parser.file())
    }

    /// Why a case fails at a batch size; nil when it passes. `refusal`: what the checker said.
    static func failure(_ test: ConformanceCase, rows: Int) -> (
        reason: String, refusal: [String]
    )? {
        var scope = Scope()
        var fields: [Field] = []
        var columns: [Column] = []
        for (name, value) in test.bindings {
            guard let (type, column) = boundColumn(value, count: rows) else {
                return ("the binding of \(name) has no form here", [])
            }
            let declared = test.types.first { $0.name == name }?.type
            fields.append(Field(name, declared ?? type))
            columns.append(column)
        }
        for (name, type) in test.types where !fields.contains(where: { $0.name == name }) {
            guard let type else { continue }
            fields.append(Field(name, type))
            columns.append(Column(.null(count: rows)))
        }
        scope.add(Schema(name: "test", fields: fields), qualifier: "", firstColumn: 0)
        let expression: TypedExpression
        do throws(ExpressionErrors) {
            expression = try TypedExpression(test.expression, in: scope)
        } catch {
            let messages = error.errors.map(\.message)
            return test.expectsError ? nil : ("refused: \(messages)", messages)
        }
        let result = Evaluator(Program([expression])).evaluate(columns, rowCount: rows)
        for row in 0..<rows {
            let fault = result.faults.first { $0.row == Int32(row) }
            if test.expectsError {
                if fault == nil { return ("row \(row) has a result", []) }
                continue
            }
            if let fault { return ("row \(row) faults \(fault.code.name)", []) }
            guard let expected = test.expected else { continue }
            let found = CanonicalText.of(
                result.columns[0], expression.type, row, typeName: expression.typeName)
            let wanted = CanonicalText.of(expected)
            if found != wanted { return ("row \(row): \(found), not \(wanted ?? "?")", []) }
        }
        return nil
    }

    static func tally(_ file: String) throws -> Tally {
        var tally = Tally()
        for test in try cases(file) {
            guard let failure = failure(test, rows: 1) ?? failure(test, rows: 3) else {
                tally.passed += 1
                continue
            }
            let candidates = required.contains(file) ? Feature.core : Feature.allCases
            let feature = candidates.first {
                $0.explains(test, refusal: failure.refusal, file: file)
            }
            if let feature {
                tally.left[feature, default: 0] += 1
            } else {
                tally.failed.append("\(test.name): \(test.expression): \(failure.reason)")
            }
        }
        return tally
    }

    /// One line of the table in docs/reference/cel-conformance.md.
    static func line(_ file: String, _ tally: Tally) -> String {
        let left = Feature.allCases.compactMap { feature in
            tally.left[feature].map { "\(feature.rawValue) \($0)" }
        }
        let out = tally.left.values.reduce(0, +)
        return "| \(file) | \(tally.passed) | \(tally.failed.count) | \(out) "
            + "| \(left.joined(separator: ", ")) |"
    }

    @Test(arguments: required + others)
    func file(_ file: String) throws {
        let tally = try Self.tally(file)
        let line = Self.line(file, tally)
        print("CEL conformance", line)
        for failure in tally.failed { print("    FAILED", failure) }
        if Self.required.contains(file) { #expect(tally.failed.isEmpty) }
        let page = Self.root.appendingPathComponent("../../docs/reference/cel-conformance.md")
        let table = try String(contentsOf: page, encoding: .utf8)
        #expect(
            table.split(separator: "\n").contains { $0 == line },
            "docs/reference/cel-conformance.md does not say: \(line)")
    }
}
