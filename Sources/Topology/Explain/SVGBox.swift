/// A node's box: a title bar with name and operation, below it the lines of the node.
struct SVGBox {
    let node: ExplainedNode
    let width: Double
    let height: Double
    private let tooltip: String
    /// Per line of text: its label, if it is the first of its entry, and what stands beside it.
    private let lines: [Line]
    private let labelColumns: Int

    private struct Line {
        var label: String?
        var spans: [SVGPage.Span]
    }

    /// Width of a column at the size of the lines, as wide as fonts of equal widths have it.
    static let columnWidth = 7.3
    private static let lineHeight = 17.0
    private static let titleHeight = 30.0
    private static let inset = 12.0
    private static let longestLabel = 22
    private static let valueColumns = 44

    init(_ node: ExplainedNode, in topology: ExplainedTopology) {
        self.node = node
        tooltip = ExplanationText.lines(of: node, in: topology).joined(separator: "\n")
        let entries = NodeLine.lines(of: node)
        let labels = entries.map { TextWidth.columns($0.label) }.max() ?? 0
        let labelColumns = min(labels, Self.longestLabel) + 2
        self.labelColumns = labelColumns
        lines = entries.flatMap(Self.wrapped)
        let text = lines.map { line in
            line.spans.reduce(labelColumns) { $0 + TextWidth.columns($1.text) }
        }
        let title = TextWidth.columns(node.name) * 9 + TextWidth.columns(node.operation) * 7 + 24
        width = max(
            Double(text.max() ?? 0) * Self.columnWidth + 2 * Self.inset, Double(title), 180
        ).rounded(.up)
        height = Self.titleHeight + Double(lines.count) * Self.lineHeight + 14
    }

    /// An entry's lines: the value, and the type of a field after it or on a line of its own.
    private static func wrapped(_ entry: NodeLine) -> [Line] {
        let limit = entry.kind == .carried ? 2 : 3
        let pieces = TextWidth.wrapped(entry.value, width: valueColumns, lineLimit: limit)
        let style = "pl-\(entry.kind.rawValue)"
        var lines = pieces.map { Line(label: nil, spans: [.init($0, style)]) }
        if let type = entry.type {
            let text = TextWidth.cut(type, to: valueColumns)
            let used = TextWidth.columns(pieces[pieces.count - 1])
            if used + TextWidth.columns(text) + 2 <= valueColumns {
                lines[lines.count - 1].spans.append(.init("  \(text)", "pl-type"))
            } else {
                lines.append(Line(label: nil, spans: [.init(text, "pl-type")]))
            }
        }
        lines[0].label = TextWidth.cut(entry.label, to: longestLabel)
        return lines
    }

    func draw(on page: inout SVGPage, x: Double, y: Double) {
        page.group("pl-node pl-\(node.kind.rawValue)", title: tooltip)
        page.rectangle(x, y, width, height, radius: 6, style: "pl-box")
        page.titleBar(x, y, width, Self.titleHeight, radius: 6)
        page.line([.init(node.name, "pl-name")], x: x + Self.inset, y: y + 20)
        page.line(
            [.init(node.operation, "pl-operation")], x: x + width - Self.inset, y: y + 20,
            isAtEnd: true)
        var baseline = y + Self.titleHeight + 19
        for line in lines {
            if let label = line.label {
                page.line([.init(label, "pl-label")], x: x + Self.inset, y: baseline)
            }
            page.line(
                line.spans, x: x + Self.inset + Double(labelColumns) * Self.columnWidth,
                y: baseline)
            baseline += Self.lineHeight
        }
        page.endGroup()
    }
}
