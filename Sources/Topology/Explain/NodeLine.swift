/// What stands in a node's box: the gist of it, a label and a value a line.
struct NodeLine {
    enum Kind: String { case fact, field, carried, state, double }

    var kind: Kind
    var label: String
    var value: String
    /// The type of a field that is computed.
    var type: String?

    /// All in one.
    var text: String {
        "\(label): \(value)" + (type.map { " : \($0)" } ?? "")
    }

    /// The lines of a node, in order: facts, computed fields, carried ones in one line, state,
    /// doubles.
    static func lines(of node: ExplainedNode) -> [NodeLine] {
        var lines: [NodeLine] = []
        for fact in node.facts where !fact.isTitle(of: node) {
            let text = fact.name == fact.group ? fact.value : "\(fact.name) \(fact.value)"
            if let group = fact.group, lines.last?.label == group {
                lines[lines.count - 1].value += ", \(text)"
            } else {
                lines.append(
                    NodeLine(
                        kind: .fact, label: fact.group ?? fact.name,
                        value: fact.group == nil ? fact.value : text))
            }
        }
        for field in node.fields where !field.isCarried {
            guard let expression = field.expression else { continue }
            lines.append(
                NodeLine(kind: .field, label: field.name, value: expression, type: field.type))
        }
        func list(_ label: String, _ names: [String]) {
            if names.isEmpty { return }
            lines.append(
                NodeLine(kind: .carried, label: label, value: names.joined(separator: ", ")))
        }
        list("adds", node.fields.filter { !$0.isCarried && $0.expression == nil }.map(\.name))
        let label =
            switch node.kind {
            case .stream, .table: "reads"
            case .step: "carries"
            case .sink: "writes"
            }
        list(label, node.fields.filter(\.isCarried).map(\.name))
        for state in node.state {
            lines.append(
                NodeLine(
                    kind: .state, label: "state",
                    value: "\(state.what); per \(state.per); \(state.kept)"))
        }
        for double in node.doubles {
            lines.append(
                NodeLine(
                    kind: .double, label: "double",
                    value: "\(double.cause) in \(double.expression)"))
        }
        return lines
    }
}
