/// Writes an ``Explanation`` in Graphviz's language.
///
/// Source: <https://graphviz.org/doc/info/lang.html>.
package enum ExplanationDot {
    /// One `digraph`, a cluster for each topology. O(size of the explanation).
    package static func write(_ explanation: Explanation) -> String {
        var lines = [
            "digraph plumbline {", "  rankdir=TB;",
            "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f5f7fa\","
                + " fontname=\"monospace\", fontsize=10];",
            "  edge [color=\"#57606a\"];",
        ]
        for (index, topology) in explanation.topologies.enumerated() {
            lines.append("  subgraph cluster_\(index) {")
            let title = "\(topology.name) v\(topology.version)"
            let describe = topology.describe.isEmpty ? "" : "\n\(topology.describe)"
            lines.append("    label=\(quoted(title + describe));")
            lines.append("    fontname=\"sans-serif\"; color=\"#8c959f\"; style=rounded;")
            for node in topology.nodes { lines.append("    " + self.node(node, in: index)) }
            for edge in topology.edges {
                let style = edge.kind == .lookup ? " [style=dashed, label=\"lookup\"]" : ""
                lines.append("    \(id(edge.from, index)) -> \(id(edge.to, index))\(style);")
            }
            lines.append("  }")
        }
        for link in explanation.links {
            lines.append(
                "  \(id(link.from, link.fromTopology)) -> \(id(link.to, link.toTopology))"
                    + " [style=bold];")
        }
        return (lines + ["}", ""]).joined(separator: "\n")
    }

    private static func node(_ node: ExplainedNode, in topology: Int) -> String {
        let label =
            "\(node.name) (\(node.operation))\n"
            + NodeLine.lines(of: node).map(\.text)
            .joined(separator: "\n") + "\n"
        let fill =
            switch node.kind {
            case .stream: "#ddf4ff"
            case .table: "#fbefff"
            case .step: "#f6f8fa"
            case .sink: "#dafbe1"
            }
        return "\(id(node.id, topology)) [label=\(leftAligned(label)), fillcolor=\"\(fill)\"];"
    }

    private static func id(_ name: String, _ topology: Int) -> String {
        quoted("\(topology)/\(name)")
    }

    /// A quoted string; Graphviz knows the escapes `\"`, `\\` and `\n`.
    private static func quoted(_ text: String) -> String { "\"\(escaped(text, "\\n"))\"" }

    /// As `quoted`, each line at the left edge of its box.
    private static func leftAligned(_ text: String) -> String { "\"\(escaped(text, "\\l"))\"" }

    private static func escaped(_ text: String, _ lineEnd: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += lineEnd
            default: result.append(character)
            }
        }
        return result
    }
}
