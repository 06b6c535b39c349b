import Columnar
import Connectors
import Foundation
import Primitives
import Topology

/// The fields of `--schema`, for an import's `--key`, `--time` and `--arrival`.
struct ImportSchema {
    private let path: String
    private let schema: Schema

    /// Reads a schema by its name in `topologies/schemas`, or by its file.
    init(_ nameOrFile: String) throws {
        let isFile = nameOrFile.contains("/") || nameOrFile.hasSuffix(".yaml")
        path = isFile ? nameOrFile : "topologies/schemas/\(nameOrFile).yaml"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Diagnostic(
                "cannot read the schema \(path)",
                hint: "give the name of a file in topologies/schemas, or a file's path")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Diagnostic("the schema \(path) is not UTF-8 text")
        }
        let collector = DiagnosticCollector()
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let root = YAMLReader.read(SourceText(name: path, text: text), collector)
        let spec = root.flatMap { SchemaReader.read($0, name: name, collector) }
        guard collector.isEmpty, let spec else { throw collector.list(firstFile: path) }
        schema = spec.schema
    }

    /// The columns of a CSV file without a header row.
    var columns: [String] { schema.fields.map(\.path) }

    /// The place of a key: a string or an integer.
    func key(_ name: String) throws -> FieldPlace {
        let field = try field(name)
        switch field.type {
        case .string, .int: return FieldPlace(field.path)
        default:
            throw Diagnostic(
                "field '\(name)' of schema \(schema.name) cannot be a key: it is neither a string"
                    + " nor an int", hint: "choose another field for --key")
        }
    }

    /// The place of an instant.
    func instant(_ name: String, option: String) throws -> FieldPlace {
        let field = try field(name)
        guard field.type == .timestamp else {
            throw Diagnostic(
                "field '\(name)' of schema \(schema.name) is not a timestamp",
                hint: "choose another field for \(option)")
        }
        let unit: FieldPlace.NumberUnit =
            switch field.timestampEncoding {
            case .epochSeconds: .seconds
            case .epochMicroseconds: .microseconds
            case .automatic, .rfc3339, .epochMilliseconds: .milliseconds
            }
        return FieldPlace(field.path, numberUnit: unit)
    }

    /// The place of an arrival: a field of the schema, or else a member of the line that the
    /// schema, which is about readings, does not name.
    func arrival(_ name: String) throws -> FieldPlace {
        guard schema.fields.contains(where: { $0.name == name }) else { return FieldPlace(name) }
        return try instant(name, option: "--arrival")
    }

    private func field(_ name: String) throws -> Field {
        guard let field = schema.fields.first(where: { $0.name == name }) else {
            throw Diagnostic(
                "schema \(schema.name) (\(path)) has no field '\(name)'",
                hint: "its fields: " + schema.fields.map(\.name).joined(separator: ", "))
        }
        return field
    }
}
