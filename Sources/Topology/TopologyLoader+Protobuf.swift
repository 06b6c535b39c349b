import Dataflow
import Primitives

extension ProtobufForm {
    /// By which plans know the schema of a form.
    var key: String { "\(descriptors)/\(message)" }
}

extension TopologyLoader {
    /// The messages of all sources of Protocol Buffers, by ``ProtobufForm/key``.
    static func readProtobuf(
        _ spec: TopologySpec, _ files: some TopologyFiles, _ collector: DiagnosticCollector
    ) -> [String: ProtobufSchema] {
        var schemas: [String: ProtobufSchema] = [:]
        for source in spec.sources {
            guard case .protobuf(let form) = source.format, schemas[form.key] == nil else {
                continue
            }
            let path = "schemas/\(form.descriptors).desc"
            let place = SourceLocation(file: files.displayName(of: path), line: 1, column: 1)
            do {
                guard let bytes = try files.readBytes(path) else {
                    collector.report(
                        "there are no descriptors '\(form.descriptors)'",
                        at: source.formatLocation,
                        hint: "protoc --include_imports --descriptor_set_out="
                            + "\(files.displayName(of: path)) FILE.proto")
                    continue
                }
                let descriptors: ProtobufDescriptors
                do throws(ProtobufDescriptors.Problem) {
                    descriptors = try ProtobufDescriptors(bytes)
                } catch {
                    collector.report(error.message, at: place, hint: error.hint)
                    continue
                }
                do throws(ProtobufDescriptors.Problem) {
                    schemas[form.key] = try descriptors.schema(form.message)
                } catch {
                    collector.report(error.message, at: source.formatLocation, hint: error.hint)
                }
            } catch {
                collector.report(error)
            }
        }
        return schemas
    }

    /// The messages that a plan holds.
    static func readProtobuf(
        _ node: YAMLNode?, _ spec: TopologySpec, _ collector: DiagnosticCollector
    ) -> [String: ProtobufSchema] {
        var schemas: [String: ProtobufSchema] = [:]
        for entry in node?.entries ?? [] {
            schemas[entry.key] = ProtobufSchema(stored: entry.value)
        }
        for source in spec.sources {
            guard case .protobuf(let form) = source.format, schemas[form.key] == nil else {
                continue
            }
            collector.report(
                "there is no message '\(form.message)'", at: source.formatLocation,
                hint: "this is no plan that this version wrote")
        }
        return schemas
    }
}
