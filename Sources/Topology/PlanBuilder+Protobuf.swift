import Columnar
import Dataflow
import Primitives

extension PlanBuilder {
    /// A source's form with its message, checked against the fields that it reads. Nil after
    /// diagnostics, or when the message could not be read, which is reported elsewhere.
    func protobufForm(
        _ form: ProtobufForm, _ source: SourceSpec, _ schema: Schema
    ) -> ProtobufForm? {
        guard let message = protobufSchemas[form.key] else { return nil }
        var isRight = true
        for field in schema.fields {
            guard let mismatch = message.mismatch(field) else { continue }
            isRight = false
            let own = "field '\(mismatch.field)' of schema '\(schema.name)'"
            if let found = mismatch.found {
                collector.report(
                    "'\(mismatch.path)' is \(found), which cannot be read as \(own):"
                        + " \(mismatch.type)", at: source.formatLocation,
                    hint: "declare the field as the message does; see Protocol Buffers in"
                        + " formats.md")
            } else {
                collector.report(
                    "there is no '\(mismatch.path)', which \(own) reads",
                    at: source.formatLocation, hint: "give its name in the message as 'path'")
            }
        }
        var form = form
        form.schema = message
        return isRight ? form : nil
    }

    /// The messages that sources use, by name.
    var usedProtobufSchemas: [(name: String, schema: ProtobufSchema)] {
        var names: Set<String> = []
        for source in spec.sources {
            if case .protobuf(let form) = source.format { names.insert(form.key) }
        }
        return names.sorted().compactMap { name in protobufSchemas[name].map { (name, $0) } }
    }
}
