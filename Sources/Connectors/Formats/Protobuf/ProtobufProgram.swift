import Columnar
import Dataflow

/// What ``ProtobufReader`` does with a member that a field wants.
enum ProtobufOperation: UInt8 {
    // Varints, by how they stand for numbers.
    case bool, int32, int64, uint32, uint64, sint32, sint64
    case fixed32, sfixed32, fixed64, sfixed64, float, double
    // Lengths with bytes.
    case text, bytes, timeText, durationText, instant, structure
    case symbol
    /// A message on the way of dotted paths.
    case path

    /// How values of one are written (wire types 0, 1, 2 and 5).
    var wireType: Int {
        switch self {
        case .bool, .int32, .int64, .uint32, .uint64, .sint32, .sint64, .symbol: 0
        case .fixed64, .sfixed64, .double: 1
        case .fixed32, .sfixed32, .float: 5
        default: 2
        }
    }
}

/// Where a member's values go.
struct ProtobufTarget {
    var operation: ProtobufOperation
    /// A node of ``ColumnSinks``; of a path, the first of those below it.
    var node: Int
    /// The power of ten of a number.
    var digits = 0
    /// The message's place in ``ProtobufProgram/places``, of a structure, path or map entry; the
    /// enumeration of a symbol.
    var inner = -1
    /// Every occurrence counts: the node is a list or, with entries, a map.
    var isList = false
    var isMap = false
}

/// A member that is wanted, and where it was found last in the message being read.
struct ProtobufSlot {
    var number: Int
    var wireType: Int
    var firstTarget = 0
    var targetCount = 0
    var isRepeated: Bool
    var isMessage: Bool
    var hasPresence: Bool
    /// Members of one `oneof` of a place share it; -1 for others.
    var oneof: Int
    /// Of the value, after its tag; -1 where it was not found.
    var position = -1
}

/// A message at one place of what is read: its wanted members.
struct ProtobufPlace {
    var firstSlot = 0
    var slotCount = 0
}

/// How values of one message are read into ``ColumnSinks``. Place 0 is the value itself.
final class ProtobufProgram {
    let places: UnsafeMutablePointer<ProtobufPlace>
    let slots: UnsafeMutablePointer<ProtobufSlot>
    let targets: UnsafeMutablePointer<ProtobufTarget>
    let symbols: [[Int32: [UInt8]]]

    /// `roots` pairs each root's node with its dotted path; all of them can be read.
    init(
        _ schema: ProtobufSchema, roots: [(path: String, node: Int)], sinks: ColumnSinks
    ) {
        var compiler = ProtobufCompiler(schema: schema, sinks: sinks)
        compiler.compile(
            0,
            roots.map {
                ProtobufCompiler.Want(
                    path: $0.path.split(separator: ".", omittingEmptySubsequences: false)
                        .map(String.init)[...], node: $0.node)
            })
        func copy<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
            let pointer = UnsafeMutablePointer<Value>.allocate(capacity: max(1, values.count))
            pointer.initialize(from: values, count: values.count)
            return pointer
        }
        places = copy(compiler.places)
        slots = copy(compiler.slots)
        targets = copy(compiler.targets)
        symbols = schema.enumerations.map { $0.symbols.mapValues { Array($0.utf8) } }
    }

    deinit {
        places.deallocate()
        slots.deallocate()
        targets.deallocate()
    }
}

/// Makes a ``ProtobufProgram``.
struct ProtobufCompiler {
    /// A node of the sinks, and where it lies below the message at hand.
    struct Want {
        var path: ArraySlice<String>
        var node: Int
    }

    let schema: ProtobufSchema
    let sinks: ColumnSinks
    private(set) var places: [ProtobufPlace] = []
    private(set) var slots: [ProtobufSlot] = []
    private(set) var targets: [ProtobufTarget] = []

    init(schema: ProtobufSchema, sinks: ColumnSinks) {
        self.schema = schema
        self.sinks = sinks
    }

    /// Adds a place for a message; its index.
    @discardableResult
    mutating func compile(_ message: Int, _ wants: [Want]) -> Int {
        let place = places.count
        places.append(ProtobufPlace())
        var own: [ProtobufSlot] = []
        for member in schema.messages[message].members {
            let wanted = wants.filter { $0.path.first == member.name }
            if wanted.isEmpty { continue }
            var list = wanted.filter { $0.path.count == 1 }.compactMap { target(member, $0.node) }
            let below = wanted.filter { $0.path.count > 1 }
            if !below.isEmpty, case .message(let inner) = member.kind {
                let index = compile(
                    inner, below.map { Want(path: $0.path.dropFirst(), node: $0.node) })
                list.append(ProtobufTarget(operation: .path, node: below[0].node, inner: index))
            }
            guard let first = list.first else { continue }
            let isMessage = if case .message = member.kind { true } else { false }
            own.append(
                ProtobufSlot(
                    number: member.number, wireType: first.operation.wireType,
                    firstTarget: targets.count, targetCount: list.count,
                    isRepeated: member.isRepeated, isMessage: isMessage,
                    hasPresence: member.hasPresence, oneof: member.oneof ?? -1))
            targets += list
        }
        // The other members of a oneof take away the one that is wanted.
        for member in schema.messages[message].members {
            guard let oneof = member.oneof, own.contains(where: { $0.oneof == oneof }),
                !own.contains(where: { $0.number == member.number })
            else { continue }
            own.append(
                ProtobufSlot(
                    number: member.number, wireType: -1, isRepeated: false, isMessage: false,
                    hasPresence: true, oneof: oneof))
        }
        places[place] = ProtobufPlace(firstSlot: slots.count, slotCount: own.count)
        slots += own
        return place
    }

    private mutating func target(_ member: ProtobufSchema.Member, _ node: Int) -> ProtobufTarget? {
        guard member.isRepeated else { return single(member.kind, node) }
        switch sinks.types[node] {
        case .list:
            guard let element = single(member.kind, sinks.nodes[node].firstChild) else {
                return nil
            }
            return wrap(element, node, isMap: false)
        case .map:
            guard case .message(let entry) = member.kind else { return nil }
            let key = sinks.nodes[node].firstChild
            // An entry's members are named so by protoc.
            let place = compile(
                entry, [Want(path: ["key"], node: key), Want(path: ["value"], node: key + 1)])
            return wrap(
                ProtobufTarget(operation: .path, node: key, inner: place), node, isMap: true)
        default: return nil
        }
    }

    private func wrap(_ element: ProtobufTarget, _ node: Int, isMap: Bool) -> ProtobufTarget {
        var target = element
        target.isList = true
        target.isMap = isMap
        target.node = node
        return target
    }

    /// What one value of a kind does; nil where it does not fit, which the plan's check refused.
    private mutating func single(_ kind: ProtobufSchema.Kind, _ node: Int) -> ProtobufTarget? {
        let sink = sinks.nodes[node]
        guard let reading = schema.reading(kind, as: sinks.types[node], sink.encoding) else {
            return nil
        }
        var target = ProtobufTarget(operation: .bool, node: node)
        switch reading {
        case .bool: return target
        case .text: target.operation = .text
        case .bytes: target.operation = .bytes
        case .timeText: target.operation = .timeText
        case .durationText: target.operation = .durationText
        case .instant: target.operation = .instant
        case .symbol:
            target.operation = .symbol
            if case .enumeration(let index) = kind { target.inner = index }
        case .structure(let message):
            target.operation = .structure
            guard case .structure(let fields) = sinks.types[node] else { return nil }
            target.inner = compile(
                message,
                fields.indices.map {
                    Want(path: [fields[$0].name], node: sink.firstChild + $0)
                })
        case .whole(let digits), .number(let digits):
            target.operation = Self.operation(kind)
            target.digits = digits
        case .double: target.operation = Self.operation(kind)
        }
        return target
    }

    private static func operation(_ kind: ProtobufSchema.Kind) -> ProtobufOperation {
        switch kind {
        case .double: .double
        case .float: .float
        case .int32: .int32
        case .int64: .int64
        case .uint32: .uint32
        case .uint64: .uint64
        case .sint32: .sint32
        case .sint64: .sint64
        case .fixed32: .fixed32
        case .fixed64: .fixed64
        case .sfixed32: .sfixed32
        case .sfixed64: .sfixed64
        default: .bool
        }
    }
}
