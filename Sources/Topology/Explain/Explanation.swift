/// What topologies do, as a picture needs it: boxes, what stands in them, and arrows.
///
/// Made of checked plans alone; renderers know nothing of operators. Equal plans give equal
/// explanations.
package struct Explanation: Encodable, Sendable {
    package var topologies: [ExplainedTopology]
    /// Where the sink of one topology is the source of another.
    package var links: [ExplainedLink]
}

/// One topology of an ``Explanation``.
package struct ExplainedTopology: Encodable, Sendable {
    package var name: String
    package var version: Int
    package var describe: String
    /// Topics of rejects and journals, one a stage.
    package var rejects: [String]
    package var journals: [String]
    /// Sources in their order, then steps, upstream first, then sinks.
    package var nodes: [ExplainedNode]
    package var edges: [ExplainedEdge]
}

/// A source, step or sink.
package struct ExplainedNode: Encodable, Sendable {
    /// What a renderer may tell apart by colour.
    package enum Kind: String, Encodable, Sendable { case stream, table, step, sink }

    /// Unique in the topology.
    package var id: String
    package var kind: Kind
    package var name: String
    /// What it does in a word or two, such as `lookup, select`.
    package var operation: String
    package var facts: [ExplainedFact]
    /// What its rows look like: of a source what it reads, of a sink what it writes.
    package var fields: [ExplainedField]
    package var state: [ExplainedState]
    /// Where exact values turn into doubles.
    package var doubles: [ExplainedDouble]

    mutating func add(_ name: String, _ value: String) { facts.append(ExplainedFact(name, value)) }
}

/// One thing to know about a node, such as `disorder: 5s`.
package struct ExplainedFact: Encodable, Sendable {
    package var name: String
    package var value: String
    /// Facts of one group may stand in one line.
    package var group: String?

    init(_ name: String, _ value: String, group: String? = nil) {
        self.name = name
        self.value = value
        self.group = group
    }

    /// Whether it only says what the node's name says: the topic of a sink.
    func isTitle(of node: ExplainedNode) -> Bool { node.kind == .sink && name == "topic" }
}

/// A field of the rows that leave a node.
package struct ExplainedField: Encodable, Sendable {
    package var name: String
    /// Type with unit, as schema files write it; a `?` last when it may be null.
    package var type: String
    /// What computes it; nil when the operator itself adds it, or when it is carried.
    package var expression: String?
    /// Whether it is the input's field of that name.
    package var isCarried: Bool
}

/// What a node remembers between rows.
package struct ExplainedState: Encodable, Sendable {
    package var what: String
    /// `key`, `partition` or `sending task`.
    package var per: String
    /// For how long, such as `until the watermark has passed the window's end by 1h`.
    package var kept: String
}

/// A place where an exact value turns into a double.
package struct ExplainedDouble: Encodable, Sendable {
    package var expression: String
    package var cause: String
}

/// An arrow between two nodes of one topology.
package struct ExplainedEdge: Encodable, Sendable {
    /// What goes along it.
    package enum Kind: String, Encodable, Sendable {
        /// Rows flow along it.
        case rows
        /// A table answers look-ups along it.
        case lookup
    }

    package var from: String
    package var to: String
    package var kind: Kind
}

/// An arrow from a sink of one topology to a source of another, through a topic.
package struct ExplainedLink: Encodable, Sendable {
    package var topic: String
    /// Index of the topology that writes the topic, and the sink's id.
    package var fromTopology: Int
    package var from: String
    /// Index of the topology that reads it, and the source's id.
    package var toTopology: Int
    package var to: String
}
