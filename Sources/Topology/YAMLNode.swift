import Primitives

/// A node of a YAML document with its place. Scalars are text as written: `0.90` stays `0.90`
/// and `no` stays `no`; what a text means is decided where it is read.
package struct YAMLNode: Sendable {
    /// How a scalar is written in the file (YAML 1.2, chapters 7 and 8).
    package enum Style: Sendable { case plain, singleQuoted, doubleQuoted, literal, folded }

    /// One key of a mapping with its value; `keyLocation` is where the key begins.
    package struct Entry: Sendable {
        package var key: String
        package var keyLocation: SourceLocation
        package var value: YAMLNode
    }

    /// A scalar's text, or what is nested, in the order of the file.
    package enum Content: Sendable {
        case scalar(String, Style)
        case mapping([Entry])
        case sequence([YAMLNode])
    }

    package var content: Content
    package var location: SourceLocation
    /// Column in Unicode scalars, from 1, of the node's start.
    package var scalarColumn: Int
    package var source: SourceText

    package var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    package var entries: [Entry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    package var items: [YAMLNode]? {
        if case .sequence(let items) = content { items } else { nil }
    }

    /// A plain scalar without text, as after `key:`.
    package var isEmpty: Bool {
        if case .scalar("", .plain) = content { true } else { false }
    }

    /// What it is, for messages.
    package var kind: String {
        switch content {
        case .scalar: isEmpty ? "nothing" : "a single value"
        case .mapping: "a mapping"
        case .sequence: "a list"
        }
    }

    /// The value under a key of a mapping.
    package subscript(_ key: String) -> YAMLNode? {
        entries?.first { $0.key == key }?.value
    }
}
