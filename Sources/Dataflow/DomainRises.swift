/// How the watermarks of a source's time domain, and of those downstream of it, rise over a run of
/// its rows. Lives for one call.
struct DomainRises {
    /// One domain's watermark before and after each row.
    struct Rise {
        let domain: Int
        let before: [Int64]
        let after: [Int64]

        init(domain: Int, from start: Int64, after: [Int64]) {
            self.domain = domain
            before = [start] + after.dropLast()
            self.after = after
        }

        func before(_ row: Int) -> Int64 { before[row] }

        /// The first row from `start` on after which the watermark is at `boundary`; the number of
        /// rows when there is none. O(rows).
        func firstRow(from start: Int, reaching boundary: Int64) -> Int {
            if boundary == .max { return after.count }
            var row = start
            while row < after.count, after[row] < boundary { row += 1 }
            return row
        }
    }

    private let graph: PipelineGraph
    private let source: Int
    private let watermarks: [Int64]
    /// Upstream first.
    private(set) var all: [Rise] = []

    init(graph: PipelineGraph, source: Int, watermarks: [Int64]) {
        self.graph = graph
        self.source = source
        self.watermarks = watermarks
    }

    /// Works out all rises from the source's watermark after each row. Under key clocks the
    /// source's own steps do not act on it, but other sources' rows meet it in a join.
    mutating func follow(_ after: [Int64]) {
        var marks: [Int: [Int64]] = [source: after]
        all.append(Rise(domain: source, from: watermarks[source], after: after))
        for domain in graph.domains[source].downstream {
            let start = watermarks[domain]
            let parents = graph.domains[domain].parents
            let own = after.indices.map { row in
                let least = parents.map { marks[$0]?[row] ?? watermarks[$0] }.min() ?? .min
                return max(start, least)
            }
            marks[domain] = own
            all.append(Rise(domain: domain, from: start, after: own))
        }
    }

    /// A value of each domain but the source's own.
    func others<Value>(_ value: (Rise) -> Value) -> [Int: Value] {
        var result: [Int: Value] = [:]
        for rise in all where rise.domain != source { result[rise.domain] = value(rise) }
        return result
    }
}
