/// Draws an ``Explanation`` as a page of SVG 1.1: a frame for each topology, a box for each node
/// with the gist of it, everything else as its tooltip.
///
/// Colours follow the reader's light or dark theme. Needs no other program and no font of ours:
/// text is set in a font of equal widths, in which a CJK character takes two. Equal explanations
/// give equal bytes.
package enum ExplanationSVG {
    /// The document. O(edges²) of the largest topology.
    package static func write(_ explanation: Explanation) -> String {
        var page = SVGPage()
        let frames = explanation.topologies.indices.map { SVGFrame(explanation, $0) }
        let layout = LayeredLayout(
            frames.map { .init(width: $0.width, height: $0.height) },
            explanation.links.map { link in
                LayeredLayout.Edge(
                    from: link.fromTopology, to: link.toTopology,
                    fromPort: frames[link.fromTopology].center(of: link.from),
                    toPort: frames[link.toTopology].center(of: link.to))
            }, gapX: 48, gapY: 72)
        let margin = 16.0
        page.open(
            width: layout.width + 2 * margin, height: layout.height + 2 * margin,
            title: explanation.topologies.map { "\($0.name) v\($0.version)" }
                .joined(separator: ", "))
        for (frame, box) in zip(frames, layout.boxes) {
            frame.draw(on: &page, x: margin + box.x, y: margin + box.y)
        }
        for (index, link) in explanation.links.enumerated() where !layout.runs[index].isEmpty {
            var runs = layout.runs[index].map {
                LayeredLayout.Run(
                    x: $0.x + margin, top: $0.top + margin, bottom: $0.bottom + margin)
            }
            if !layout.pointsUp[index] {
                // From the sink's box to the frame's edge, and on to the source's box.
                let (from, to) = (link.fromTopology, link.toTopology)
                runs[0].top = margin + layout.boxes[from].y + frames[from].bottom(of: link.from)
                runs[runs.count - 1].bottom =
                    margin + layout.boxes[to].y + frames[to].top(of: link.to)
            }
            page.edge(
                runs, isReversed: layout.pointsUp[index], style: "pl-link", title: link.topic)
        }
        page.close()
        return page.text
    }
}

/// One topology's part of the drawing.
struct SVGFrame {
    private let topology: ExplainedTopology
    private let boxes: [SVGBox]
    private let layout: LayeredLayout
    private let header: [String]
    private static let padding = 20.0
    private static let lineHeight = 17.0

    init(_ explanation: Explanation, _ index: Int) {
        let topology = explanation.topologies[index]
        self.topology = topology
        let writing = Set(explanation.links.filter { $0.fromTopology == index }.map(\.from))
        let reading = Set(explanation.links.filter { $0.toTopology == index }.map(\.to))
        boxes = topology.nodes.map { SVGBox($0, in: topology) }
        let indices = Dictionary(
            uniqueKeysWithValues: topology.nodes.enumerated().map { ($1.id, $0) })
        layout = LayeredLayout(
            boxes.map { box in
                LayeredLayout.Box(
                    width: box.width, height: box.height,
                    isFirst: reading.contains(box.node.id), isLast: writing.contains(box.node.id))
            },
            topology.edges.map {
                LayeredLayout.Edge(from: indices[$0.from] ?? 0, to: indices[$0.to] ?? 0)
            }, gapX: 28, gapY: 44)
        let columns = max(40, Int(layout.width / SVGBox.columnWidth))
        header =
            TextWidth.wrapped(topology.describe, width: columns, lineLimit: 2).filter {
                !$0.isEmpty
            }
            + ["rejects → \(topology.rejects.joined(separator: ", "))"]
    }

    private var headerHeight: Double { 26 + Self.lineHeight * Double(header.count) + 12 }

    var width: Double {
        let lines = header.map { Double(TextWidth.columns($0)) * SVGBox.columnWidth }
        let title = Double(TextWidth.columns(topology.name) + 8) * 10
        return max(layout.width, lines.max() ?? 0, title) + 2 * Self.padding
    }

    var height: Double { headerHeight + layout.height + 2 * Self.padding }

    private var left: Double { (width - layout.width) / 2 }
    private var top: Double { headerHeight + Self.padding }

    private func placed(_ id: String) -> LayeredLayout.Box? {
        zip(boxes, layout.boxes).first { $0.0.node.id == id }?.1
    }

    /// Places of a node's box within the frame.
    func center(of id: String) -> Double? { placed(id).map { left + $0.x + $0.width / 2 } }
    func top(of id: String) -> Double { top + (placed(id)?.y ?? 0) }
    func bottom(of id: String) -> Double { top + (placed(id).map { $0.y + $0.height } ?? 0) }

    func draw(on page: inout SVGPage, x: Double, y: Double) {
        page.rectangle(x, y, width, height, radius: 10, style: "pl-frame")
        for (index, edge) in topology.edges.enumerated() {
            let runs = layout.runs[index].map {
                LayeredLayout.Run(
                    x: x + left + $0.x, top: y + top + $0.top, bottom: y + top + $0.bottom)
            }
            let isLookup = edge.kind == .lookup
            page.edge(
                runs, isReversed: layout.pointsUp[index],
                style: isLookup ? "pl-edge pl-lookup" : "pl-edge",
                title: isLookup ? "\(edge.to) looks up \(edge.from)" : "\(edge.from) → \(edge.to)")
        }
        for (box, place) in zip(boxes, layout.boxes) {
            box.draw(on: &page, x: x + left + place.x, y: y + top + place.y)
        }
        let textX = x + Self.padding
        page.line(
            [.init("\(topology.name) ", "pl-topology"), .init("v\(topology.version)", "pl-muted")],
            x: textX, y: y + 28)
        for (index, line) in header.enumerated() {
            page.line(
                [.init(line, index == header.count - 1 ? "pl-muted" : "pl-text")], x: textX,
                y: y + 28 + Self.lineHeight * Double(index + 1) + 2)
        }
    }
}
