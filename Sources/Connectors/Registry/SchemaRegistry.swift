import Foundation
import FoundationNetworking
import Primitives
import Synchronization

/// How a schema registry is reached, by the names that Confluent's clients use.
package struct SchemaRegistrySettings: Sendable {
    /// Addresses that say the same, tried in this order; no slash at the end.
    package var urls: [String]
    /// `user:password`, for basic authentication.
    package var userInfo: String?
    /// How long one answer may take.
    package var timeoutSeconds: Double

    private static let names = [
        "schema.registry.url", "basic.auth.user.info", "schema.registry.basic.auth.user.info",
        "basic.auth.credentials.source", "schema.registry.request.timeout.ms",
    ]

    /// Later settings come after earlier ones. Those of a file may be for other programs too;
    /// `strictly` is how many at the end must be known. Throws a ``Diagnostic``.
    package init(_ settings: [KafkaSettings.Setting], strictly: Int) throws {
        var values: [String: String] = [:]
        for (index, setting) in settings.enumerated() {
            guard Self.names.contains(setting.name) else {
                guard index >= settings.count - strictly else { continue }
                throw Diagnostic(
                    "\(setting.origin): not a setting of a schema registry",
                    hint: "known: \(Self.names.joined(separator: ", "))")
            }
            values[setting.name] = setting.value
        }
        let urls = (values["schema.registry.url"] ?? "").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        guard !urls.isEmpty else {
            throw Diagnostic(
                "no schema registry is named",
                hint: "add --set schema.registry.url=http://HOST:8081")
        }
        for url in urls {
            guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
                parts.scheme == "http" || parts.scheme == "https"
            else {
                throw Diagnostic(
                    "'\(url)' is no address of a schema registry",
                    hint: "write http://HOST:8081 or https://HOST")
            }
        }
        let source = values["basic.auth.credentials.source"]
        guard source == nil || source == "USER_INFO" || source == "URL" else {
            throw Diagnostic(
                "basic.auth.credentials.source=\(source ?? "") is not known",
                hint: "USER_INFO, with basic.auth.user.info=USER:PASSWORD, or URL")
        }
        self.urls = urls
        userInfo =
            values["basic.auth.user.info"] ?? values["schema.registry.basic.auth.user.info"]
        timeoutSeconds = 10
        if let text = values["schema.registry.request.timeout.ms"] {
            guard let value = Double(text), value >= 1, value <= 3_600_000 else {
                throw Diagnostic(
                    "schema.registry.request.timeout.ms=\(text) is no time",
                    hint: "write milliseconds, such as 10000")
            }
            timeoutSeconds = value / 1000
        }
    }
}

/// A client of Confluent's schema registry (REST, version 1), to read with. One thread.
package struct SchemaRegistry {
    /// A schema as the registry has it.
    package struct Schema: Sendable {
        package var id: Int
        package var version: Int
        /// The schema's text, as it was registered.
        package var text: String
    }

    private let settings: SchemaRegistrySettings
    private let session: URLSession

    package init(_ settings: SchemaRegistrySettings) {
        self.settings = settings
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = settings.timeoutSeconds
        configuration.timeoutIntervalForResource = settings.timeoutSeconds
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        session = URLSession(configuration: configuration)
    }

    /// All versions of an Avro subject, by version. A request for each. Throws a ``Diagnostic``
    /// where the registry cannot be reached, refuses, or has no such subject, or where a schema is
    /// not Avro or refers to other schemas.
    package func schemas(of subject: String) throws -> [Schema] {
        let path = "/subjects/\(Self.escaped(subject))/versions"
        let answer = try get(path, missing: "there is no subject '\(subject)'")
        guard let versions = answer.value as? [Int] else { throw Self.strange(answer.url) }
        return try versions.sorted().map { try schema(of: subject, version: $0, path: path) }
    }

    private func schema(of subject: String, version: Int, path: String) throws -> Schema {
        let answer = try get(
            "\(path)/\(version)", missing: "subject '\(subject)' has no version \(version)")
        guard let object = answer.value as? [String: Any], let id = object["id"] as? Int,
            let text = object["schema"] as? String
        else { throw Self.strange(answer.url) }
        let name = "schema id \(id), version \(version) of subject '\(subject)',"
        if let type = object["schemaType"] as? String, type != "AVRO" {
            throw Diagnostic("\(name) is \(type), not Avro", hint: "name another subject")
        }
        if let references = object["references"] as? [Any], !references.isEmpty {
            throw Diagnostic(
                "\(name) refers to other schemas",
                hint: "write it out as one schema into a file \(id).avsc by hand")
        }
        return Schema(id: id, version: version, text: text)
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(
            withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? text
    }

    private static func strange(_ url: String) -> Diagnostic {
        Diagnostic(
            "\(url) does not answer as a schema registry does",
            hint: "is schema.registry.url the registry's address?")
    }

    // MARK: Requests

    /// The JSON at a path, from the first address that can be reached.
    private func get(_ path: String, missing: String) throws -> (value: Any, url: String) {
        var last: Diagnostic?
        for url in settings.urls {
            switch request(url + path) {
            case .failure(let problem):
                last = Diagnostic(
                    "the schema registry \(url) cannot be reached: \(problem.text)",
                    hint: "is it running, and schema.registry.url its address?")
            case .success(let (status, data)):
                return (try Self.value(status, data, url: url, missing: missing), url + path)
            }
        }
        throw last ?? Diagnostic("no schema registry is named")
    }

    private static func value(
        _ status: Int, _ data: Data, url: String, missing: String
    ) throws -> Any {
        let value = try? JSONSerialization.jsonObject(with: data)
        let said = (value as? [String: Any])?["message"] as? String
        switch status {
        case 200:
            guard let value else { throw strange(url) }
            return value
        case 401, 403:
            throw Diagnostic(
                "the schema registry \(url) refuses access (HTTP \(status))",
                hint: "add --set basic.auth.user.info=USER:PASSWORD")
        case 404:
            throw Diagnostic(
                "\(missing) in the schema registry \(url)" + (said.map { ": \($0)" } ?? ""),
                hint: "its subjects are listed at \(url)/subjects; name one with"
                    + " 'format: {avro: {subject: …}}'")
        default:
            throw Diagnostic(
                "the schema registry \(url) answers HTTP \(status)"
                    + (said.map { ": \($0)" } ?? ""), hint: "look at the registry's own log")
        }
    }

    private struct Unreachable: Error {
        var text: String
    }

    private func request(_ address: String) -> Result<(Int, Data), Unreachable> {
        guard let url = URL(string: address) else {
            return .failure(Unreachable(text: "\(address) is no address"))
        }
        var request = URLRequest(url: url)
        request.setValue(
            "application/vnd.schemaregistry.v1+json, application/json",
            forHTTPHeaderField: "Accept")
        if let user = settings.userInfo {
            let text = Data(user.utf8).base64EncodedString()
            request.setValue("Basic \(text)", forHTTPHeaderField: "Authorization")
        }
        let answer = Answer()
        session.dataTask(with: request) { data, response, error in
            if let status = (response as? HTTPURLResponse)?.statusCode {
                answer.give(.success((status, data ?? Data())))
            } else {
                let text = (error as NSError?)?.localizedDescription ?? "no answer"
                answer.give(.failure(Unreachable(text: text)))
            }
        }.resume()
        return answer.wait()
    }

    /// Hands an answer from the session's thread to the caller's.
    private final class Answer: Sendable {
        private let value = Mutex<Result<(Int, Data), Unreachable>?>(nil)
        private let isThere = DispatchSemaphore(value: 0)

        func give(_ result: Result<(Int, Data), Unreachable>) {
            value.withLock { $0 = result }
            isThere.signal()
        }

        func wait() -> Result<(Int, Data), Unreachable> {
            isThere.wait()
            return value.withLock { $0 } ?? .failure(Unreachable(text: "no answer"))
        }
    }
}
