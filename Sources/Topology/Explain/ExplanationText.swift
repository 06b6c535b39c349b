/// Writes an ``Explanation`` as an outline for a terminal: everything that it holds.
package enum ExplanationText {
    /// Lines that end with a line feed. O(size of the explanation).
    package static func write(_ explanation: Explanation) -> String {
        var lines: [String] = []
        for topology in explanation.topologies {
            if !lines.isEmpty { lines.append("") }
            write(topology, to: &lines)
        }
        if !explanation.links.isEmpty { lines += ["", "between topologies"] }
        for link in explanation.links {
            let from = explanation.topologies[link.fromTopology].name
            let to = explanation.topologies[link.toTopology].name
            lines.append("  \(from) → \(link.topic) → \(to).\(link.to)")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func write(_ topology: ExplainedTopology, to lines: inout [String]) {
        lines.append("\(topology.name), version \(topology.version)")
        if !topology.describe.isEmpty { lines.append("  \(topology.describe)") }
        lines += topology.rejects.map { "  rejects: \($0)" }
        lines += topology.journals.map { "  journal: \($0)" }
        let sections: [(title: String, kinds: [ExplainedNode.Kind])] = [
            ("sources", [.stream, .table]), ("steps", [.step]), ("sinks", [.sink]),
        ]
        for section in sections {
            let nodes = topology.nodes.filter { section.kinds.contains($0.kind) }
            if nodes.isEmpty { continue }
            lines += ["", section.title]
            for node in nodes { lines += Self.lines(of: node, in: topology).map { "  " + $0 } }
        }
    }

    /// A node's part of the outline.
    static func lines(of node: ExplainedNode, in topology: ExplainedTopology) -> [String] {
        let inputs = topology.edges.filter { $0.to == node.id }.map(\.from)
        let arrow = inputs.isEmpty ? "" : " ← \(inputs.joined(separator: ", "))"
        let title = "\(node.name) (\(node.operation))\(arrow)"
        var rows = node.facts.filter { !$0.isTitle(of: node) }.map { ($0.name, $0.value) }
        let reads = node.kind == .stream || node.kind == .table ? "reads" : "fields"
        let width = node.fields.map { TextWidth.columns($0.name) }.max() ?? 0
        let typeWidth = node.fields.map { TextWidth.columns($0.type) }.max() ?? 0
        for (index, field) in node.fields.enumerated() {
            var text = TextWidth.padded(field.name, to: width) + "  "
            if let expression = field.expression {
                text += TextWidth.padded(field.type, to: min(typeWidth, 24)) + "  = \(expression)"
            } else {
                text += field.type
            }
            rows.append((index == 0 ? reads : "", text))
        }
        for state in node.state {
            rows.append(("state", "\(state.what); per \(state.per); \(state.kept)"))
        }
        for double in node.doubles {
            rows.append(("double", "\(double.cause) in \(double.expression)"))
        }
        let label = rows.map { TextWidth.columns($0.0) }.max() ?? 0
        return [title] + rows.map { "  \(TextWidth.padded($0, to: label))  \($1)" }
    }
}
