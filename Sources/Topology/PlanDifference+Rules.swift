extension PlanDifference {
    /// Rule files with their rows by name, such as `5101/earthwork from 2020-08-31T16:00:00Z`, so
    /// that a difference says which row it is in.
    static func namedRows(_ files: JSONValue?) -> JSONValue? {
        guard case .object(let members) = files else { return files }
        return .object(
            members.map { file in
                guard case .object(let parts) = file.value else { return file }
                let scope = names(file.value["scope"])
                let named = parts.map { part -> JSONValue.Member in
                    guard part.name == "rows", case .array(let rows) = part.value else {
                        return part
                    }
                    return .init(
                        "rows", .object(rows.map { .init(label($0, scope), $0) }))
                }
                return .init(file.name, .object(named))
            })
    }

    private static func names(_ fields: JSONValue?) -> [String] {
        if case .object(let members) = fields { members.map(\.name) } else { [] }
    }

    private static func label(_ row: JSONValue, _ scope: [String]) -> String {
        func text(_ name: String) -> String {
            if case .string(let text) = row[name] { text } else { "?" }
        }
        let who = scope.map(text).joined(separator: "/")
        return "\(who)\(who.isEmpty ? "" : " ")from \(text("from"))"
    }
}
