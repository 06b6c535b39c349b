import Dataflow
import Primitives

// How a source's values are written: `format:`.

extension SpecReader {
    /// `topic` is that of the source.
    func readFormat(_ reader: MappingReader, topic: String) -> FormatPlan? {
        let hint =
            "format: json, cloudevents, csv, hj212 or avro, or with options"
            + " {csv: {separator: \";\"}}, {hj212: {utcOffset: \"+08:00\"}},"
            + " {avro: {schema: crane-load}},"
            + " {protobuf: {descriptors: site, message: site.CraneLoad}}"
        guard let node = reader["format"] else { return .json }
        switch node.text {
        case "json": return .json
        case "csv": return .csv(CSVForm())
        case "hj212": return .hj212(utcOffsetMinutes: 480)
        case "cloudevents": return .cloudEvents(.automatic)
        case "avro": return .avro(Self.avroForm(ofTopic: topic))
        case let text?:
            collector.report("unknown format '\(text)'", at: node.location, hint: hint)
            return nil
        case nil: break
        }
        let formats = ["cloudevents", "csv", "hj212", "avro", "protobuf"]
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
        let options = named[0].value
        return switch named[0].key {
        case "cloudevents": readCloudEvents(options, hint: hint)
        case "csv": readCSV(options, hint: hint)
        case "hj212": readHJ212(options, hint: hint)
        case "avro": readAvro(options, topic: topic, hint: hint)
        default: readProtobuf(options)
        }
    }

    /// The form whose schemas a registry keeps by topic, as Confluent's serializers name them.
    private static func avroForm(ofTopic topic: String) -> AvroForm {
        AvroForm(.subject("\(topic)-value"))
    }

    private func readAvro(_ node: YAMLNode, topic: String, hint: String) -> FormatPlan? {
        guard
            let options = MappingReader(
                node, what: "'avro'", keys: ["schema", "subject"], collector, example: hint)
        else { return nil }
        if let second = options.entry("subject"), options["schema"] != nil {
            collector.report(
                "'subject' does not go with 'schema'", at: second.keyLocation,
                hint: "values that name their schema by an id have a subject, others a schema")
            return nil
        }
        if options["schema"] != nil {
            let example = "the name of a file schemas/<name>.avsc"
            guard let name = options.text("schema", hint: example) else { return nil }
            guard NameRules.isLabel(name.value) else {
                collector.report(
                    "'\(name.value)' is not a schema name", at: name.location,
                    hint: "\(example), without '.avsc'")
                return nil
            }
            return .avro(AvroForm(.file(name.value)))
        }
        guard options["subject"] != nil else { return .avro(Self.avroForm(ofTopic: topic)) }
        let example = "a subject of a schema registry, such as telemetry.crane-value"
        guard let subject = options.text("subject", hint: example) else { return nil }
        guard NameRules.problem(topic: subject.value) == nil else {
            collector.report(
                "'\(subject.value)' cannot be the name of a folder of schemas",
                at: subject.location, hint: "letters, digits, '.', '_' and '-'")
            return nil
        }
        return .avro(AvroForm(.subject(subject.value)))
    }

    private func readCloudEvents(_ node: YAMLNode, hint: String) -> FormatPlan? {
        MappingReader(node, what: "'cloudevents'", keys: ["mode"], collector, example: hint)?
            .choice(
                "mode",
                [
                    ("auto", CloudEventsMode.automatic), ("structured", .structured),
                    ("binary", .binary),
                ], default: .automatic
            ).map { .cloudEvents($0) }
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

    private func readProtobuf(_ node: YAMLNode) -> FormatPlan? {
        let example = "format: {protobuf: {descriptors: site, message: site.CraneLoad}}"
        guard
            let options = MappingReader(
                node, what: "'protobuf'", keys: ["descriptors", "message", "wire"], collector,
                example: example)
        else { return nil }
        let descriptors = options.requiredText("descriptors", hint: example)
        let message = options.requiredText("message", hint: example)
        let isFramed = options.choice(
            "wire", [("plain", false), ("confluent", true)], default: false)
        guard let descriptors, let message, let isFramed else { return nil }
        guard NameRules.isLabel(descriptors.value) else {
            collector.report(
                "'\(descriptors.value)' is not the name of descriptors", at: descriptors.location,
                hint: "the name of a file schemas/<name>.desc, without '.desc'")
            return nil
        }
        return .protobuf(
            ProtobufForm(
                descriptors: descriptors.value, message: message.value, isFramed: isFramed))
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
