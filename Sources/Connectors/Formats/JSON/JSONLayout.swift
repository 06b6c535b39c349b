import Columnar

/// What the decoder wants of one member of a JSON object.
struct JSONMember {
    /// The member's name: a range of ``JSONLayouts/names``.
    var nameStart: Int
    var nameCount: Int
    /// Where its value goes: a range of ``JSONLayouts/targets``; one target almost always.
    var firstTarget: Int
    var targetCount: Int
}

/// The text between two values, as it stood in the last object of the same layout: from the byte
/// after the brace or the last value to the byte before the next value, or past the last brace.
///
/// Producers write members in the same order with the same spaces, so the next object's text is
/// compared with this before it is parsed. Text longer than 32 bytes is not remembered.
struct JSONTemplate {
    static let maximumCount = 32

    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var masks: (UInt64, UInt64, UInt64, UInt64) = (~0, ~0, ~0, ~0)
    var count = 0
    /// What to do with the value: ``skip``, a node of ``ColumnSinks``, or `~2 - index` for a
    /// member that has several targets or lies on a path. ``end`` where there is none.
    var action = JSONTemplate.skip

    static let skip = -1
    static let end = -2

    /// Fits nothing but NULs, which are not JSON, and a value is read there.
    init() {}

    /// Remembers the text `start..<end`.
    init(_ text: JSONText, _ start: Int, _ end: Int, action: Int) {
        guard end - start <= Self.maximumCount else { return }
        self.action = action
        count = end - start
        func mask(_ word: Int) -> UInt64 {
            let bits = (count - word * 8) * 8
            return bits >= 64 ? ~0 : bits <= 0 ? 0 : (1 << UInt64(bits)) - 1
        }
        masks = (mask(0), mask(1), mask(2), mask(3))
        words = (
            text.load(start) & masks.0, text.load(start + 8) & masks.1,
            text.load(start + 16) & masks.2, text.load(start + 24) & masks.3
        )
    }
}

extension JSONTemplate {
    /// Whether the text at `position` is the template's.
    @inline(__always)
    func fits(_ text: JSONText, _ position: Int) -> Bool {
        var difference =
            (text.load(position) ^ words.0) & masks.0
            | (text.load(position &+ 8) ^ words.1) & masks.1
        if count > 16 {
            difference |=
                (text.load(position &+ 16) ^ words.2) & masks.2
                | (text.load(position &+ 24) ^ words.3) & masks.3
        }
        return difference == 0 && position &+ count <= text.end
    }
}

/// One kind of JSON object: the top level, an object on the way of a dotted path, or a structure.
struct JSONLayout {
    /// Templates in use; one more of each layout stays empty, so that looking ahead is safe.
    static let templateCapacity = 512

    var firstMember = 0
    var memberCount = 0
    let templates: UnsafeMutablePointer<JSONTemplate>
    /// The last row that had an object on this way: it may have one only.
    var lastRow = -1

    init() {
        templates = .allocate(capacity: Self.templateCapacity + 1)
        templates.initialize(repeating: JSONTemplate(), count: Self.templateCapacity + 1)
    }
}

/// The members that a source's fields need, by object. Built once a decoder.
final class JSONLayouts {
    let layouts: UnsafeMutablePointer<JSONLayout>
    let layoutCount: Int
    let members: UnsafeMutablePointer<JSONMember>
    /// A node of ``ColumnSinks``, or the complement of a layout's index.
    let targets: UnsafeMutablePointer<Int>
    let names: UnsafeMutablePointer<UInt8>

    /// `roots` pairs each root's node with its dotted path. Layout 0 is the top level.
    init(_ roots: [(path: String, node: Int)], sinks: ColumnSinks) {
        var builder = Builder(sinks: sinks)
        builder.add(
            roots.map {
                (
                    $0.path.split(separator: ".", omittingEmptySubsequences: false)
                        .map(String.init), $0.node
                )
            })
        layoutCount = builder.layouts.count
        layouts = .allocate(capacity: max(1, builder.layouts.count))
        layouts.initialize(from: builder.layouts, count: builder.layouts.count)
        members = .allocate(capacity: max(1, builder.members.count))
        members.initialize(from: builder.members, count: builder.members.count)
        targets = .allocate(capacity: max(1, builder.targets.count))
        targets.initialize(from: builder.targets, count: builder.targets.count)
        names = .allocate(capacity: max(1, builder.names.count))
        names.initialize(from: builder.names, count: builder.names.count)
    }

    deinit {
        for index in 0..<layoutCount { layouts[index].templates.deallocate() }
        layouts.deallocate()
        members.deallocate()
        targets.deallocate()
        names.deallocate()
    }

    private struct Builder {
        let sinks: ColumnSinks
        var layouts: [JSONLayout] = []
        var members: [JSONMember] = []
        var targets: [Int] = []
        var names: [UInt8] = []

        /// Adds a layout for paths below one object and gives its index.
        @discardableResult
        mutating func add(_ entries: [(path: [String], node: Int)]) -> Int {
            let index = layouts.count
            layouts.append(JSONLayout())
            var order: [String] = []
            for entry in entries where !order.contains(entry.path[0]) {
                order.append(entry.path[0])
            }
            var own: [JSONMember] = []
            for name in order {
                var ownTargets: [Int] = []
                var below: [(path: [String], node: Int)] = []
                for entry in entries where entry.path[0] == name {
                    if entry.path.count == 1 {
                        addStructures(entry.node)
                        ownTargets.append(entry.node)
                    } else {
                        below.append((Array(entry.path.dropFirst()), entry.node))
                    }
                }
                if !below.isEmpty { ownTargets.append(~add(below)) }
                own.append(
                    JSONMember(
                        nameStart: names.count, nameCount: name.utf8.count,
                        firstTarget: targets.count, targetCount: ownTargets.count))
                names.append(contentsOf: name.utf8)
                targets.append(contentsOf: ownTargets)
            }
            layouts[index].firstMember = members.count
            layouts[index].memberCount = own.count
            members.append(contentsOf: own)
            return index
        }

        /// Adds the layouts of all structures inside a node.
        private mutating func addStructures(_ node: Int) {
            let first = sinks.nodes[node].firstChild
            let count = sinks.nodes[node].childCount
            if case .structure(let fields) = sinks.types[node] {
                let paths = fields.enumerated().map { ([$1.name], first + $0) }
                let layout = add(paths)
                sinks.nodes[node].layout = layout
            } else {
                for child in 0..<count { addStructures(first + child) }
            }
        }
    }
}
