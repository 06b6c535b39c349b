import Dataflow
import Primitives

extension SpecReader {
    func readWindow(_ node: YAMLNode, step: String) -> WindowSpec? {
        let example = "window: {tumbling: 15m, aggregate: {n: count()}}"
        guard
            let reader = MappingReader(
                node, what: "'window' of step '\(step)'",
                keys: ["tumbling", "hopping", "calendar", "zone", "offset", "aggregate"], collector,
                example: example)
        else { return nil }
        let grid = readGrid(reader, example: example)
        let aggregates = reader.required("aggregate", hint: "aggregate: {n: count()}").flatMap {
            named(
                $0, name: "aggregate", example: "aggregate: {n: count(), m: mean(load.mass)}",
                nameProblem: NameRules.problem(identifier:))
        }
        let calls = aggregates?.map { readAggregate($0) } ?? []
        let known = calls.compactMap(\.self)
        guard let grid, aggregates != nil, known.count == calls.count else { return nil }
        return WindowSpec(grid: grid, aggregates: known, location: node.location)
    }

    private func readGrid(_ reader: MappingReader, example: String) -> WindowGrid? {
        let kinds = ["tumbling", "hopping", "calendar"].compactMap { reader.entry($0) }
        if kinds.count > 1 {
            collector.report(
                "a window is tumbling, hopping or by calendar, only one of them",
                at: kinds[1].keyLocation, hint: "remove '\(kinds[1].key)' or '\(kinds[0].key)'")
            return nil
        }
        let offset = reader["offset"] == nil ? 0 : reader.duration("offset", example: "6h")
        if kinds.first?.key == "calendar" { return readCalendar(reader, offset: offset) }
        if let zone = reader.entry("zone") {
            collector.report(
                "'zone' goes with 'calendar' only", at: zone.keyLocation,
                hint: "remove it, or say 'calendar: day'")
            return nil
        }
        guard let lengths = readLengths(reader, example: example), let offset else { return nil }
        return .fixed(size: lengths.size, every: lengths.every, offset: offset % lengths.every)
    }

    private func readCalendar(_ reader: MappingReader, offset: Int64?) -> WindowGrid? {
        let unit = reader.choice(
            "calendar", CalendarUnit.allCases.map { ($0.rawValue, $0) }, default: .day)
        let zone = reader.requiredText("zone", hint: "zone: Asia/Shanghai").flatMap {
            SpecReader.zone($0, collector)
        }
        guard let unit, let zone, let offset else { return nil }
        guard offset < Timestamp.microsecondsPerDay else {
            collector.report(
                "'offset' must be less than a day", at: reader["offset"]?.location,
                hint: "the time of day at which a \(unit.rawValue) begins, such as 'offset: 6h'")
            return nil
        }
        return .calendar(CalendarGrid(unit: unit, zone: zone, offset: offset))
    }

    /// The zone of a name, or nil after a diagnostic.
    static func zone(_ name: Located<String>, _ collector: DiagnosticCollector) -> Zone? {
        if let zone = Zone(name.value) { return zone }
        let near =
            Zone.suggestion(for: name.value)
            ?? Suggestion.nearest(to: name.value, in: ZoneTable.names)
        collector.report(
            "there is no time zone '\(name.value)'", at: name.location,
            hint: near.map { "did you mean '\($0)'?" }
                ?? "an IANA name such as Asia/Shanghai, or an offset such as \"+08:00\"")
        return nil
    }

    private func readLengths(
        _ reader: MappingReader, example: String
    ) -> (size: Int64, every: Int64)? {
        if let hopping = reader.entry("hopping") {
            return readHopping(hopping.value)
        }
        guard
            reader.required("tumbling", hint: example, reason: "or 'hopping', or 'calendar'") != nil
        else {
            return nil
        }
        return reader.duration("tumbling", minimum: 1, example: "15m").map { ($0, $0) }
    }

    private func readHopping(_ node: YAMLNode) -> (size: Int64, every: Int64)? {
        let example = "hopping: {size: 15m, every: 1m}"
        guard
            let options = MappingReader(
                node, what: "'hopping'", keys: ["size", "every"], collector, example: example)
        else { return nil }
        _ = options.required("size", hint: example)
        _ = options.required("every", hint: example)
        let size = options.duration("size", minimum: 1, example: "15m")
        let every = options.duration("every", minimum: 1, example: "1m")
        guard let size, let every else { return nil }
        guard size % every == 0 else {
            collector.report(
                "'size' must be a multiple of 'every'",
                at: options["size"]?.location,
                hint: "\(DurationText.text(size)) is not a multiple of \(DurationText.text(every))")
            return nil
        }
        guard size / every <= 10_000 else {
            collector.report(
                "a row would be in more than 10000 windows", at: options["every"]?.location,
                hint: "make 'every' longer")
            return nil
        }
        return (size, every)
    }

    /// Takes `mean(x)` apart, or nil after a diagnostic.
    private func readAggregate(_ named: NamedExpression) -> AggregateSpec? {
        let text = Array(named.expression.text)
        let start = text.firstIndex { !$0.isWhitespace } ?? 0
        var index = start
        while index < text.count, text[index].isLetter || text[index].isNumber || text[index] == "_"
        {
            index += 1
        }
        let name = String(text[start..<index])
        while index < text.count, text[index].isWhitespace { index += 1 }
        let functions = AggregateFunction.allCases.map(\.rawValue)
        let hint = "one of: \(functions.map { "\($0)(…)" }.joined(separator: ", "))"
        guard index < text.count, text[index] == "(", !name.isEmpty,
            let end = SpecReader.closing(text, from: index)
        else {
            collector.report(
                "'\(named.name.value)' must be one aggregate call", at: named.expression.location,
                hint: hint)
            return nil
        }
        guard let function = AggregateFunction(rawValue: name) else {
            collector.report(
                "unknown aggregate '\(name)'", at: named.expression.location(start),
                hint: Suggestion.nearest(to: name, in: functions).map { "did you mean '\($0)'?" }
                    ?? hint)
            return nil
        }
        if let extra = text[(end + 1)...].firstIndex(where: { !$0.isWhitespace }) {
            collector.report(
                "'\(named.name.value)' must be one aggregate call and nothing more",
                at: named.expression.location(extra),
                hint: "compute with the result in a select step after the window")
            return nil
        }
        let inner = String(text[(index + 1)..<end])
        let isBare = inner.allSatisfy(\.isWhitespace)
        if isBare, function != .count {
            collector.report(
                "\(name)() needs an expression", at: named.expression.location(index),
                hint: "such as \(name)(load.mass)")
            return nil
        }
        let input = ExpressionText(
            inner, node: named.expression.node, offset: named.expression.offset + index + 1)
        return AggregateSpec(
            name: named.name, function: function, input: isBare ? nil : input,
            call: named.expression)
    }

    /// The index of the parenthesis that closes the one at `open`; quotes are skipped.
    private static func closing(_ text: [Character], from open: Int) -> Int? {
        var depth = 0
        var index = open
        for piece in ExpressionText.pieces(String(text[open...])) {
            switch piece {
            case .blank(let count): index += count
            case .quoted(let quoted): index += quoted.count
            case .other(let character):
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
                if depth == 0 { return index }
                index += 1
            }
        }
        return nil
    }
}
