/// Places the boxes of a directed graph in layers from the top down, and its arrows between them.
///
/// Layers by longest path, few crossings by barycentre sweeps, positions by least squares over
/// the neighbours. Equal input gives equal output. Source: Sugiyama, Tagawa and Toda, IEEE
/// Transactions on Systems, Man, and Cybernetics 11(2), 1981; Eades and Wormald, 1994.
struct LayeredLayout {
    struct Box {
        var width: Double
        var height: Double
        /// Kept in the first (last) layer, so that a line from above (below) reaches it.
        var isFirst = false
        var isLast = false
        /// The upper left corner, once placed.
        var x = 0.0
        var y = 0.0
    }

    struct Edge {
        var from: Int
        var to: Int
        /// Where on the boxes the edge ends, from their left; spread over the box when nil.
        var fromPort: Double?
        var toPort: Double?
    }

    /// A stretch of an edge that runs straight down; between two of them it bends.
    struct Run {
        var x: Double
        var top: Double
        var bottom: Double
    }

    private(set) var boxes: [Box]
    /// Per edge: its runs from the box above to the one below; none for a box's edge to itself.
    private(set) var runs: [[Run]] = []
    /// Per edge: it points up, because the graph has a circle.
    private(set) var pointsUp: [Bool] = []
    private(set) var width = 0.0
    private(set) var height = 0.0

    private let edges: [Edge]
    private let gap: (x: Double, y: Double)
    /// Boxes first, then the bends of long edges.
    private var layerOf: [Int] = []
    private var layers: [[Int]] = []
    private var above: [[Int]] = []
    private var below: [[Int]] = []
    /// Per edge: its vertices from the upper box to the lower one.
    private var chains: [[Int]] = []
    private var centers: [Double] = []
    private var layerTops: [Double] = []
    private var layerBottoms: [Double] = []

    /// Lays out. O(edges² × boxes) a sweep.
    init(_ boxes: [Box], _ edges: [Edge], gapX: Double, gapY: Double) {
        self.boxes = boxes
        self.edges = edges
        gap = (gapX, gapY)
        guard !boxes.isEmpty else { return }
        findDirections()
        assignLayers()
        addBends()
        orderLayers()
        placeAcross()
        placeDown()
        route()
    }

    // MARK: Layers

    /// Edges that close a circle, found by a walk in the order of the boxes, count as reversed.
    private mutating func findDirections() {
        pointsUp = edges.map { _ in false }
        // 0 not seen, 1 on the path, 2 done.
        var state = boxes.map { _ in 0 }
        var out = boxes.map { _ in [Int]() }
        for (index, edge) in edges.enumerated() where edge.from != edge.to {
            out[edge.from].append(index)
        }
        for start in boxes.indices where state[start] == 0 {
            var path: [(box: Int, next: Int)] = [(start, 0)]
            state[start] = 1
            while let (box, next) = path.last {
                guard next < out[box].count else {
                    state[box] = 2
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let edge = out[box][next]
                let target = edges[edge].to
                if state[target] == 1 { pointsUp[edge] = true }
                if state[target] == 0 {
                    state[target] = 1
                    path.append((target, 0))
                }
            }
        }
    }

    /// The upper and the lower box of an edge.
    private func ends(_ edge: Int) -> (upper: Int, lower: Int) {
        pointsUp[edge] ? (edges[edge].to, edges[edge].from) : (edges[edge].from, edges[edge].to)
    }

    /// Longest path from the top; a box that nothing points to stands right above what it feeds.
    private mutating func assignLayers() {
        layerOf = boxes.map { _ in 0 }
        let links = edges.indices.filter { edges[$0].from != edges[$0].to }.map { ends($0) }
        for _ in boxes.indices {
            for (upper, lower) in links {
                layerOf[lower] = max(layerOf[lower], layerOf[upper] + 1)
            }
        }
        let last = layerOf.max() ?? 0
        let hasLinkAbove = Set(links.map(\.lower))
        for box in boxes.indices {
            if boxes[box].isLast { layerOf[box] = last }
            guard !boxes[box].isFirst, !hasLinkAbove.contains(box) else { continue }
            let fed = links.filter { $0.upper == box }.map { layerOf[$0.lower] }
            if let nearest = fed.min() { layerOf[box] = nearest - 1 }
        }
    }

    private mutating func addBends() {
        above = boxes.map { _ in [] }
        below = above
        func link(_ upper: Int, _ lower: Int) {
            below[upper].append(lower)
            above[lower].append(upper)
        }
        for index in edges.indices {
            let (upper, lower) = ends(index)
            var chain = [upper]
            for layer in (layerOf[upper] + 1)..<max(layerOf[lower], layerOf[upper] + 1) {
                layerOf.append(layer)
                above.append([])
                below.append([])
                chain.append(layerOf.count - 1)
            }
            chain.append(lower)
            chains.append(upper == lower ? [] : chain)
            if upper == lower { continue }
            for (one, other) in zip(chain, chain.dropFirst()) { link(one, other) }
        }
        layers = Array(repeating: [], count: (layerOf.max() ?? 0) + 1)
        for vertex in layerOf.indices { layers[layerOf[vertex]].append(vertex) }
    }

    // MARK: Order in a layer

    private mutating func orderLayers() {
        var best = (crossings: crossings(), layers: layers)
        for sweep in 0..<16 where best.crossings > 0 || sweep < 2 {
            let goesDown = sweep % 2 == 0
            let order = goesDown ? Array(layers.indices) : layers.indices.reversed()
            for layer in order.dropFirst() {
                sort(layer, by: goesDown ? above : below, layers[layer + (goesDown ? -1 : 1)])
            }
            // A crossing that moves on may go away in another layer.
            if !goesDown {
                for layer in layers.indices { exchangeNeighbours(in: layer, once: true) }
            }
            for layer in layers.indices { exchangeNeighbours(in: layer, once: false) }
            let count = crossings()
            if count < best.crossings { best = (count, layers) }
        }
        layers = best.layers
    }

    /// Puts a layer in the order of the mean places of its neighbours; who has none stays.
    private mutating func sort(_ layer: Int, by neighbours: [[Int]], _ fixed: [Int]) {
        let place = Dictionary(uniqueKeysWithValues: fixed.enumerated().map { ($1, Double($0)) })
        let scale = Double(fixed.count) / Double(max(1, layers[layer].count))
        let keyed = layers[layer].enumerated().map { index, vertex -> (Double, Int, Int) in
            let near = neighbours[vertex].compactMap { place[$0] }
            let mean = near.reduce(0, +) / Double(max(1, near.count))
            return (near.isEmpty ? Double(index) * scale : mean, index, vertex)
        }
        layers[layer] = keyed.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

    /// Exchanges two that stand side by side, as long as that takes crossings away; with `once`
    /// one time each, also where there are as many afterwards.
    private mutating func exchangeNeighbours(in layer: Int, once: Bool) {
        var count = crossings(around: layer)
        var hasImproved = true
        while hasImproved, count > 0 {
            hasImproved = false
            for place in layers[layer].indices.dropLast() {
                layers[layer].swapAt(place, place + 1)
                let changed = crossings(around: layer)
                if changed < count || (once && changed == count) {
                    (count, hasImproved) = (changed, !once)
                } else {
                    layers[layer].swapAt(place, place + 1)
                }
            }
        }
    }

    private func crossings() -> Int {
        layers.indices.dropLast().reduce(0) { $0 + crossings(below: $1) }
    }

    private func crossings(around layer: Int) -> Int {
        (layer > 0 ? crossings(below: layer - 1) : 0)
            + (layer + 1 < layers.count ? crossings(below: layer) : 0)
    }

    /// Crossings between a layer and the next one.
    private func crossings(below layer: Int) -> Int {
        var count = 0
        var ends: [(Int, Int)] = []
        let places = Dictionary(
            uniqueKeysWithValues: layers[layer + 1].enumerated().map { ($1, $0) })
        for (index, vertex) in layers[layer].enumerated() {
            ends += below[vertex].map { (index, places[$0] ?? 0) }
        }
        for (index, one) in ends.enumerated() {
            for other in ends[(index + 1)...]
            where (one.0 - other.0) * (one.1 - other.1) < 0 { count += 1 }
        }
        return count
    }

    // MARK: Places

    private func width(_ vertex: Int) -> Double {
        vertex < boxes.count ? boxes[vertex].width : 0
    }

    private mutating func placeAcross() {
        centers = layerOf.map { _ in 0 }
        for layer in layers {
            var x = 0.0
            for vertex in layer {
                centers[vertex] = x + width(vertex) / 2
                x += width(vertex) + gap.x
            }
        }
        let both = zip(above, below).map { $0 + $1 }
        for pass in 0..<60 {
            let goesDown = pass % 2 == 0
            let neighbours = pass >= 40 ? both : goesDown ? above : below
            for layer in goesDown ? Array(layers.indices) : layers.indices.reversed() {
                settle(layer, neighbours)
            }
        }
        // What hangs on one box alone stands straight below it.
        for layer in layers.indices { settle(layer, above) }
        let left = layers.joined().map { centers[$0] - width($0) / 2 }.min() ?? 0
        for vertex in centers.indices { centers[vertex] = (centers[vertex] - left).rounded() }
        width = layers.joined().map { centers[$0] + width($0) / 2 }.max() ?? 0
    }

    /// Moves a layer's vertices towards their neighbours' means, as near as order and gaps allow:
    /// least squares by pooling adjacent violators.
    private mutating func settle(_ layer: Int, _ neighbours: [[Int]]) {
        let vertices = layers[layer]
        var offset = 0.0
        var offsets: [Double] = []
        var pools: [(sum: Double, weight: Double, count: Int)] = []
        for (index, vertex) in vertices.enumerated() {
            if index > 0 {
                offset += width(vertices[index - 1]) / 2 + gap.x + width(vertex) / 2
            }
            offsets.append(offset)
            let near = neighbours[vertex].map { centers[$0] }
            let wanted =
                near.isEmpty ? centers[vertex] : near.reduce(0, +) / Double(near.count)
            // Bends weigh more, so that long edges are straight.
            let weight = near.isEmpty ? 0.1 : vertex < boxes.count ? 1.0 : 4.0
            pools.append(((wanted - offset) * weight, weight, 1))
            while pools.count > 1 {
                let last = pools[pools.count - 1]
                let before = pools[pools.count - 2]
                guard before.sum / before.weight > last.sum / last.weight else { break }
                pools.removeLast()
                pools[pools.count - 1] = (
                    before.sum + last.sum, before.weight + last.weight, before.count + last.count
                )
            }
        }
        var index = 0
        for pool in pools {
            for _ in 0..<pool.count {
                centers[vertices[index]] = pool.sum / pool.weight + offsets[index]
                index += 1
            }
        }
    }

    private mutating func placeDown() {
        var y = 0.0
        for layer in layers {
            let tallest = layer.map { $0 < boxes.count ? boxes[$0].height : 0 }.max() ?? 0
            layerTops.append(y)
            layerBottoms.append(y + tallest)
            y += tallest + gap.y
        }
        height = layerBottoms.last ?? 0
        for box in boxes.indices {
            boxes[box].x = centers[box] - boxes[box].width / 2
            boxes[box].y = layerTops[layerOf[box]]
        }
    }

    // MARK: Edges

    private mutating func route() {
        var fromPorts = edges.map { _ in 0.0 }
        var toPorts = fromPorts
        for box in boxes.indices {
            let lower = edges.indices.filter { !chains[$0].isEmpty && ends($0).upper == box }
            let upper = edges.indices.filter { !chains[$0].isEmpty && ends($0).lower == box }
            for (edge, x) in spread(lower, on: box, next: { chains[$0][1] }) {
                fromPorts[edge] = port(edge, upper: true) ?? x
            }
            for (edge, x) in spread(upper, on: box, next: { chains[$0][chains[$0].count - 2] }) {
                toPorts[edge] = port(edge, upper: false) ?? x
            }
        }
        for (edge, chain) in chains.enumerated() {
            guard let first = chain.first, let last = chain.last else {
                runs.append([])
                continue
            }
            var own = [
                Run(
                    x: fromPorts[edge], top: boxes[first].y + boxes[first].height,
                    bottom: layerBottoms[layerOf[first]])
            ]
            for bend in chain.dropFirst().dropLast() {
                own.append(
                    Run(
                        x: centers[bend], top: layerTops[layerOf[bend]],
                        bottom: layerBottoms[layerOf[bend]]))
            }
            own.append(Run(x: toPorts[edge], top: boxes[last].y, bottom: boxes[last].y))
            runs.append(own)
        }
    }

    /// A port that was asked for, as a place in the drawing.
    private func port(_ edge: Int, upper: Bool) -> Double? {
        let isFrom = upper != pointsUp[edge]
        let box = isFrom ? edges[edge].from : edges[edge].to
        return (isFrom ? edges[edge].fromPort : edges[edge].toPort).map { boxes[box].x + $0 }
    }

    /// Ends of edges along a side of a box, in the order of where they lead.
    private func spread(
        _ own: [Int], on box: Int, next: (Int) -> Int
    ) -> [(edge: Int, x: Double)] {
        let sorted = own.sorted { (centers[next($0)], $0) < (centers[next($1)], $1) }
        let step = min(36, boxes[box].width / Double(sorted.count + 1))
        let start = centers[box] - step * Double(sorted.count - 1) / 2
        return sorted.enumerated().map { ($1, (start + step * Double($0)).rounded()) }
    }
}
