import Columnar
import Dataflow
import Primitives

extension PlanBuilder {
    /// Fields whose path begins with `ce_` are attributes of an event.
    func checkAttributes(_ source: SourceSpec, _ schema: Schema) {
        for field in schema.fields {
            guard let name = CloudEventsMode.attribute(field.path) else { continue }
            guard CloudEventsMode.isAttribute(name) else {
                collector.report(
                    "field '\(field.name)' reads '\(field.path)', which is no attribute of a"
                        + " CloudEvent", at: source.schema.location,
                    hint: "attributes are small letters and digits, such as ce_time; the data's"
                        + " members have no 'ce_' before them")
                continue
            }
            switch field.type {
            case .list, .map, .structure:
                collector.report(
                    "field '\(field.name)' is \(field.type), which an attribute of a CloudEvent"
                        + " cannot hold", at: source.schema.location,
                    hint: "attributes are single values")
            default: break
            }
        }
    }

    /// A source's form with its writers' schemas, checked against the fields that it reads. Nil
    /// after diagnostics, or when a schema could not be read, which is reported elsewhere.
    func avroForm(_ form: AvroForm, _ source: SourceSpec, _ schema: Schema) -> AvroForm? {
        var form = form
        let names = AvroNames.names(of: form, in: avroSchemas.keys)
        var isRight = !names.isEmpty
        for name in names {
            guard let found = avroSchemas[name.key] else { return nil }
            form.writers.append(AvroForm.Writer(id: name.id, schema: found.schema))
            for field in schema.fields {
                guard let mismatch = found.schema.mismatch(field) else { continue }
                report(mismatch, found, schema)
                isRight = false
            }
        }
        return isRight ? form : nil
    }

    /// The writers' schemas that sources use, by name.
    var usedAvroSchemas: [(name: String, schema: AvroSchema)] {
        var names: Set<String> = []
        for source in spec.sources {
            guard case .avro(let form) = source.format else { continue }
            names.formUnion(AvroNames.names(of: form, in: avroSchemas.keys).map(\.key))
        }
        return names.sorted().compactMap { name in
            avroSchemas[name].map { (name, $0.schema) }
        }
    }

    private func report(_ mismatch: AvroMismatch, _ found: AvroSchemaSpec, _ schema: Schema) {
        let place = found.places[mismatch.node]
        let field = "field '\(mismatch.field)' of schema '\(schema.name)'"
        if let missing = mismatch.missing {
            collector.report(
                "\(found.schema.text(mismatch.node)) has no '\(missing)', which \(field) reads",
                at: place,
                hint: "mark the field with '?', or give its name in the data as 'path'")
        } else {
            collector.report(
                "\(found.schema.text(mismatch.node)) cannot be read as \(field),"
                    + " which is \(mismatch.type)",
                at: place, hint: "declare the field as its writers do; see Avro in formats.md")
        }
    }
}

/// Names of writers' schemas as files and plans know them: `<name>`, or `<subject>/<id>`.
enum AvroNames {
    /// The schemas of a form among those known, ascending by id.
    static func names(
        of form: AvroForm, in known: some Collection<String>
    ) -> [(key: String, id: UInt32)] {
        switch form.origin {
        case .file(let name): return [(name, 0)]
        case .subject(let subject):
            let ids = known.compactMap { key -> UInt32? in
                let parts = key.split(separator: "/")
                return parts.count == 2 && parts[0] == subject ? id(String(parts[1])) : nil
            }
            return ids.sorted().map { ("\(subject)/\($0)", $0) }
        }
    }

    /// A schema id of a registry: a whole number up to 2^31 - 1, written without leading zeros.
    static func id(_ text: String) -> UInt32? {
        guard let id = Int32(text), id >= 0, String(id) == text else { return nil }
        return UInt32(id)
    }
}
