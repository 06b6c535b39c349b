/// Writes elements of an SVG document, with the classes of ``SVGPage/style``.
struct SVGPage {
    /// A piece of a line of text in one style.
    struct Span {
        var text: String
        var style: String

        init(_ text: String, _ style: String) {
            self.text = text
            self.style = style
        }
    }

    private(set) var text = ""

    mutating func open(width: Double, height: Double, title: String) {
        let (width, height) = (number(width), number(height))
        text += """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" role="img">
            <title>\(escaped(title))</title>
            <style>
            \(SVGPage.style)
            </style>
            <defs><marker id="pl-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" \
            markerHeight="8" orient="auto"><path class="pl-head" d="M0 1 L10 5 L0 9 z"/></marker>\
            </defs>
            <rect class="pl-page" width="\(width)" height="\(height)"/>

            """
    }

    mutating func close() { text += "</svg>\n" }

    mutating func group(_ style: String, title: String) {
        text += "<g class=\"\(style)\"><title>\(escaped(title))</title>\n"
    }

    mutating func endGroup() { text += "</g>\n" }

    mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, radius: Double, style: String
    ) {
        text += "<rect class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\""
        text += " width=\"\(number(width))\" height=\"\(number(height))\""
        text += " rx=\"\(number(radius))\"/>\n"
    }

    /// The upper part of a box with round corners.
    mutating func titleBar(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, radius: Double
    ) {
        let (left, right) = (number(x), number(x + width))
        let r = number(radius)
        text += "<path class=\"pl-bar\" d=\"M\(left) \(number(y + height)) V\(number(y + radius))"
        text += " a\(r) \(r) 0 0 1 \(r) -\(r) H\(number(x + width - radius))"
        text += " a\(r) \(r) 0 0 1 \(r) \(r) V\(number(y + height)) H\(right) z\"/>\n"
    }

    /// A line of text from `x` on, or up to it.
    mutating func line(_ spans: [Span], x: Double, y: Double, isAtEnd: Bool = false) {
        text += "<text x=\"\(number(x))\" y=\"\(number(y))\" xml:space=\"preserve\""
        text += isAtEnd ? " text-anchor=\"end\">" : ">"
        for span in spans {
            text += "<tspan class=\"\(span.style)\">\(escaped(span.text))</tspan>"
        }
        text += "</text>\n"
    }

    /// An arrow along runs from the top down, or up them when reversed; nothing without runs.
    mutating func edge(
        _ runs: [LayeredLayout.Run], isReversed: Bool, style: String, title: String
    ) {
        guard let first = runs.first, let last = runs.last else { return }
        // Turned over, the first run's upper end is where the arrow points.
        let path = isReversed ? runs.reversed() : runs
        func start(_ run: LayeredLayout.Run) -> Double { isReversed ? run.bottom : run.top }
        func end(_ run: LayeredLayout.Run) -> Double { isReversed ? run.top : run.bottom }
        let origin = isReversed ? last : first
        var data = "M\(number(origin.x)) \(number(start(origin)))"
        var before = origin
        for (index, run) in path.enumerated() {
            if index > 0 {
                let (from, to) = (end(before), start(run))
                let middle = number((from + to) / 2)
                data += " C\(number(before.x)) \(middle) \(number(run.x)) \(middle)"
                data += " \(number(run.x)) \(number(to))"
            }
            if end(run) != start(run) { data += " L\(number(run.x)) \(number(end(run)))" }
            before = run
        }
        text += "<path class=\"\(style)\" d=\"\(data)\" marker-end=\"url(#pl-arrow)\">"
        text += "<title>\(escaped(title))</title></path>\n"
    }

    /// A coordinate with at most one digit after the point, the same on every machine.
    private func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        let size = abs(tenths)
        return sign + "\(size / 10)" + (size % 10 == 0 ? "" : ".\(size % 10)")
    }

    /// Text for XML; what XML 1.0 cannot hold is left out.
    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension SVGPage {
    /// Light colours first, for viewers that do not know themes.
    static let style = """
        text { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", \
        "Noto Sans Mono CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei", monospace; \
        font-size: 12px; fill: #1f2328; }
        .pl-name, .pl-topology { font-family: system-ui, "Segoe UI", "DejaVu Sans", \
        "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei", sans-serif; \
        font-weight: 600; }
        .pl-name { font-size: 13px; }
        .pl-topology { font-size: 17px; }
        .pl-page { fill: #ffffff; }
        .pl-frame { fill: #f6f8fa; stroke: #d0d7de; }
        .pl-box { fill: #ffffff; stroke: #8c959f; }
        .pl-bar { fill: #eaeef2; }
        .pl-stream .pl-bar { fill: #b6e3ff; }
        .pl-table .pl-bar { fill: #ecd8ff; }
        .pl-sink .pl-bar { fill: #aceebb; }
        .pl-label, .pl-operation, .pl-muted, .pl-carried, .pl-type { fill: #59636e; }
        .pl-type { font-style: italic; }
        .pl-state { fill: #9a6700; }
        .pl-double { fill: #cf222e; }
        .pl-edge { fill: none; stroke: #59636e; stroke-width: 1.4; }
        .pl-lookup { stroke-dasharray: 5 4; }
        .pl-link { fill: none; stroke: #0969da; stroke-width: 2; }
        .pl-head { fill: #59636e; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; }
        .pl-page { fill: #0d1117; }
        .pl-frame { fill: #151b23; stroke: #3d444d; }
        .pl-box { fill: #0d1117; stroke: #656c76; }
        .pl-bar { fill: #2a313c; }
        .pl-stream .pl-bar { fill: #0c4a7d; }
        .pl-table .pl-bar { fill: #4b2a75; }
        .pl-sink .pl-bar { fill: #14592b; }
        .pl-label, .pl-operation, .pl-muted, .pl-carried, .pl-type { fill: #9198a1; }
        .pl-state { fill: #d29922; }
        .pl-double { fill: #ff7b72; }
        .pl-edge { stroke: #9198a1; }
        .pl-link { stroke: #4493f8; }
        .pl-head { fill: #9198a1; }
        }
        """
}
