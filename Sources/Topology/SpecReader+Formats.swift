import Dataflow
import Primitives

// How a source's values are written: `format:`.

extension SpecReader {
    func readFormat(_ reader: MappingReader) -> FormatPlan? {
        let hint =
            "format: json, csv or hj212, or with options {csv: {separator: \";\"}},"
            + " {hj212: {utcOffset: \"+08:00\"}}"
        guard let node = reader["format"] else { return .json }
        switch node.text {
        case "json": return .json
        case "csv": return .csv(CSVForm())
        case "hj212": return .hj212(utcOffsetMinutes: 480)
        case let text?:
            collector.report("unknown format '\(text)'", at: node.location, hint: hint)
            return nil
        case nil: break
        }
        let formats = ["csv", "hj212"]
        guard
            let outer = MappingReader(
                node, what: "'format'", keys: formats, collector, example: hint)
        else { return nil }
        let named = formats.compactMap { outer.entry($0) }
        guard named.count == 1 else {
            let isUnknown = node.entries?.contains { !formats.contains($0.key) } ?? false
            if !isUnknown || named.count > 1 {
                collector.report(
                    "'format' must name one format", at: node.location, hint: hint)
            }
            return nil
        }
        return named[0].key == "csv"
            ? readCSV(named[0].value, hint: hint) : readHJ212(named[0].value, hint: hint)
    }

    private func readCSV(_ node: YAMLNode, hint: String) -> FormatPlan? {
        guard
            let options = MappingReader(
                node, what: "'csv'", keys: ["separator", "header"], collector, example: hint)
        else { return nil }
        var form = CSVForm()
        let hasHeader = options.choice(
            "header", [("true", true), ("false", false)], default: true)
        if options["separator"] != nil {
            guard let text = options.text("separator", hint: CSVForm.separatorHint) else {
                return nil
            }
            guard let separator = CSVForm.separator(text.value) else {
                collector.report(
                    "'\(text.value)' cannot separate the fields of CSV", at: text.location,
                    hint: CSVForm.separatorHint)
                return nil
            }
            form.separator = separator
        }
        guard let hasHeader else { return nil }
        form.hasHeader = hasHeader
        return .csv(form)
    }

    private func readHJ212(_ node: YAMLNode, hint: String) -> FormatPlan? {
        guard
            let options = MappingReader(
                node, what: "'hj212'", keys: ["utcOffset"], collector, example: hint)
        else { return nil }
        guard options["utcOffset"] != nil else { return .hj212(utcOffsetMinutes: 480) }
        guard let text = options.text("utcOffset", hint: hint) else { return nil }
        guard let minutes = SpecReader.offsetMinutes(text.value) else {
            collector.report(
                "'\(text.value)' is not an offset from UTC", at: text.location,
                hint: "such as \"+08:00\"")
            return nil
        }
        return .hj212(utcOffsetMinutes: minutes)
    }

    /// Minutes of `+08:00`, `-03:30` or `Z`; at most 14 hours.
    static func offsetMinutes(_ text: String) -> Int? {
        if text == "Z" { return 0 }
        let bytes = Array(text.utf8)
        guard bytes.count == 6, bytes[0] == 43 || bytes[0] == 45, bytes[3] == 58 else { return nil }
        let digits = [1, 2, 4, 5].map { Int(bytes[$0]) - 48 }
        guard digits.allSatisfy({ $0 >= 0 && $0 <= 9 }) else { return nil }
        let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        guard minutes < 60, hours * 60 + minutes <= 14 * 60 else { return nil }
        return (hours * 60 + minutes) * (bytes[0] == 43 ? 1 : -1)
    }
}
