import Columnar
import Dataflow

/// What ``AvroReader`` does with a written value.
enum AvroOperation: UInt8 {
    // Passing over what no field reads.
    case nothing
    case skipInt, skipLong, skipBoolean, skipBytes, skipFixed
    case skipEnumeration, skipArray, skipMap
    /// Reads its parts one after another.
    case record
    case union
    /// Reads the same value once for each part.
    case several
    /// Ends a structure; its parts are read like those of a record.
    case structure
    /// Values of a node that has none here: null, and nothing is read.
    case null
    /// A value of a type that does not fit: a fault, and the value is passed over.
    case refuse
    /// The same where the fields lie further inside: the value is passed over, they stay missing.
    case refusePath
    // Values.
    case boolean
    case int, long, days
    case float, double
    case intDouble, longDouble, floatDouble, doubleDouble
    case decimal, decimalDouble
    case text, symbol, uuid, bytes, fixed
    case timeText, durationText, calendar
    case list, map
}

/// One step of a program.
struct AvroAction {
    var operation: AvroOperation
    /// Where the value goes in ``ColumnSinks``; -1 where it goes nowhere.
    var node = -1
    /// A power of ten, or the number of bytes or symbols to pass over.
    var number = 0
    /// Further actions: a range of ``AvroProgram/parts``. Of an enumeration: of the symbols. The
    /// count alone is that of a fixed's bytes.
    var firstPart = 0
    var partCount = 0
    /// Whether a part of a list or map takes at least one byte.
    var partsHaveBytes = true
}

/// A program as its reader walks it: a tree of actions (a graph where a type that is passed over
/// recurses), the first of them the schema's own type.
struct AvroTables {
    let actions: UnsafeMutablePointer<AvroAction>
    let parts: UnsafeMutablePointer<Int>
    /// Ends of symbols in `symbolBytes`, one more than there are symbols.
    let symbolEnds: UnsafeMutablePointer<Int>
    let symbolBytes: UnsafeMutablePointer<UInt8>
}

/// How values of one writer's schema are read into ``ColumnSinks``. Owns its tables.
final class AvroProgram {
    let tables: AvroTables

    /// `roots` pairs each root's node with its dotted path.
    init(
        _ schema: AvroSchema, roots: [(path: String, node: Int)], sinks: ColumnSinks
    ) {
        var compiler = AvroCompiler(schema: schema, sinks: sinks)
        let targets = roots.map {
            AvroCompiler.Target(
                path: $0.path.split(separator: ".", omittingEmptySubsequences: false)
                    .map(String.init)[...], node: $0.node)
        }
        compiler.compileRoot(targets)
        func copy<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
            let pointer = UnsafeMutablePointer<Value>.allocate(capacity: max(1, values.count))
            pointer.initialize(from: values, count: values.count)
            return pointer
        }
        tables = AvroTables(
            actions: copy(compiler.actions), parts: copy(compiler.parts),
            symbolEnds: copy(compiler.symbolEnds), symbolBytes: copy(compiler.symbolBytes))
    }

    deinit {
        tables.actions.deallocate()
        tables.parts.deallocate()
        tables.symbolEnds.deallocate()
        tables.symbolBytes.deallocate()
    }
}

/// Makes an ``AvroProgram``.
struct AvroCompiler {
    /// A node of the sinks, and where it lies below the type at hand.
    struct Target {
        var path: ArraySlice<String>
        var node: Int
    }

    let schema: AvroSchema
    let sinks: ColumnSinks
    private(set) var actions: [AvroAction] = []
    private(set) var parts: [Int] = []
    private(set) var symbolEnds: [Int] = [0]
    private(set) var symbolBytes: [UInt8] = []
    /// Actions that pass over a type, by its node.
    private var skips: [Int: Int] = [:]

    init(schema: AvroSchema, sinks: ColumnSinks) {
        self.schema = schema
        self.sinks = sinks
    }

    /// Makes action 0.
    mutating func compileRoot(_ targets: [Target]) {
        let root = add(AvroAction(operation: .record))
        let value = compile(0, targets)
        // Nullable roots that no value can have.
        let absent = targets.filter { !reaches(0, $0.path) }.map { null($0.node) }
        setParts(root, [value] + absent)
    }

    private mutating func add(_ action: AvroAction) -> Int {
        actions.append(action)
        return actions.count - 1
    }

    private mutating func setParts(_ action: Int, _ list: [Int]) {
        actions[action].firstPart = parts.count
        actions[action].partCount = list.count
        parts += list
    }

    private mutating func null(_ node: Int) -> Int { add(AvroAction(operation: .null, node: node)) }

    /// Whether a value below a type can stand on a path: every record on it has the member.
    private func reaches(_ type: Int, _ path: ArraySlice<String>) -> Bool {
        guard let name = path.first else { return true }
        switch schema.nodes[type].kind {
        case .record(let members):
            guard let member = members.first(where: { $0.name == name }) else { return false }
            return reaches(member.node, path.dropFirst())
        // What else stands there says itself that it does not fit.
        default: return true
        }
    }

    // MARK: Types

    private mutating func compile(_ type: Int, _ targets: [Target]) -> Int {
        guard let first = targets.first else { return skip(type) }
        if case .union(let branches) = schema.nodes[type].kind {
            let index = add(AvroAction(operation: .union))
            setParts(index, branches.map { compile($0, targets) })
            return index
        }
        let own = targets.filter(\.path.isEmpty)
        let below = targets.filter { !$0.path.isEmpty }
        if own.count == 1, below.isEmpty { return value(type, first.node) }
        if own.isEmpty { return path(type, below) }
        // Read again for each, from the same place.
        var list = own.map { value(type, $0.node) }
        if !below.isEmpty { list.append(path(type, below)) }
        let index = add(AvroAction(operation: .several))
        setParts(index, list)
        return index
    }

    /// A record on the way of dotted paths.
    private mutating func path(_ type: Int, _ targets: [Target]) -> Int {
        guard case .record(let members) = schema.nodes[type].kind else {
            // As in JSON: null leaves what lies below missing.
            if schema.nodes[type].kind == .null { return skip(type) }
            let passing = skip(type)
            let index = add(AvroAction(operation: .refusePath, node: targets[0].node))
            setParts(index, [passing])
            return index
        }
        let index = add(AvroAction(operation: .record))
        let list = members.map { member in
            compile(
                member.node,
                targets.filter { $0.path.first == member.name }.map {
                    Target(path: $0.path.dropFirst(), node: $0.node)
                })
        }
        setParts(index, list)
        return index
    }

    private mutating func value(_ type: Int, _ node: Int) -> Int {
        if schema.nodes[type].kind == .null { return null(node) }
        let sink = sinks.nodes[node]
        guard let reading = schema.reading(type, as: sinks.types[node], sink.encoding) else {
            let passing = skip(type)
            let index = add(AvroAction(operation: .refuse, node: node))
            setParts(index, [passing])
            return index
        }
        switch reading {
        case .list(let element):
            let index = add(AvroAction(operation: .list, node: node))
            setParts(index, [compile(element, [Target(path: [], node: sink.firstChild)])])
            actions[index].partsHaveBytes = schema.isNeverEmpty(element)
            return index
        case .map(let value):
            let index = add(AvroAction(operation: .map, node: node))
            setParts(index, [compile(value, [Target(path: [], node: sink.firstChild + 1)])])
            return index
        case .record: return structure(type, node)
        default: return add(simple(type, node, reading))
        }
    }

    private mutating func structure(_ type: Int, _ node: Int) -> Int {
        let index = add(AvroAction(operation: .structure, node: node))
        guard case .structure(let fields) = sinks.types[node] else { return index }
        let targets = fields.indices.map {
            Target(path: [fields[$0].name], node: sinks.nodes[node].firstChild + $0)
        }
        let record = path(type, targets)
        setParts(index, [record] + targets.filter { !reaches(type, $0.path) }.map { null($0.node) })
        return index
    }

    private mutating func simple(_ type: Int, _ node: Int, _ reading: AvroReading) -> AvroAction {
        let kind = schema.nodes[type].kind
        var action = AvroAction(operation: .nothing, node: node)
        if case .fixed(let size) = kind { action.partCount = size }
        switch reading {
        case .boolean: action.operation = .boolean
        case .whole(let digits):
            action.operation = kind == .int ? .int : .long
            action.number = digits
        case .days: action.operation = .days
        case .number(let digits):
            action.operation = kind == .float ? .float : .double
            action.number = digits
        case .decimal(let digits):
            action.operation = .decimal
            action.number = digits
        case .double:
            switch kind {
            case .int: action.operation = .intDouble
            case .long: action.operation = .longDouble
            case .float: action.operation = .floatDouble
            default: action.operation = .doubleDouble
            }
        case .decimalDouble(let scale):
            action.operation = .decimalDouble
            action.number = scale
        case .text: action.operation = .text
        case .symbol:
            action.operation = .symbol
            guard case .enumeration(let symbols) = kind else { break }
            action.firstPart = symbolEnds.count - 1
            action.partCount = symbols.count
            for symbol in symbols {
                symbolBytes += symbol.utf8
                symbolEnds.append(symbolBytes.count)
            }
        case .uuid: action.operation = .uuid
        case .bytes: action.operation = kind == .bytes ? .bytes : .fixed
        case .timeText: action.operation = .timeText
        case .durationText: action.operation = .durationText
        case .calendar: action.operation = .calendar
        case .list, .map, .record: break
        }
        return action
    }

    // MARK: Passing over

    private mutating func skip(_ type: Int) -> Int {
        if let known = skips[type] { return known }
        let index = add(AvroAction(operation: .nothing))
        skips[type] = index
        switch schema.nodes[type].kind {
        case .null: break
        case .boolean: actions[index].operation = .skipBoolean
        case .int: actions[index].operation = .skipInt
        case .long: actions[index].operation = .skipLong
        case .float: (actions[index].operation, actions[index].number) = (.skipFixed, 4)
        case .double: (actions[index].operation, actions[index].number) = (.skipFixed, 8)
        case .bytes, .string: actions[index].operation = .skipBytes
        case .fixed(let size):
            (actions[index].operation, actions[index].number) = (.skipFixed, size)
        case .enumeration(let symbols):
            (actions[index].operation, actions[index].number) = (.skipEnumeration, symbols.count)
        case .array(let element):
            actions[index].operation = .skipArray
            actions[index].partsHaveBytes = schema.isNeverEmpty(element)
            setParts(index, [skip(element)])
        case .map(let value):
            actions[index].operation = .skipMap
            setParts(index, [skip(value)])
        case .union(let branches):
            actions[index].operation = .union
            setParts(index, branches.map { skip($0) })
        case .record(let members):
            actions[index].operation = .record
            setParts(index, members.map { skip($0.node) })
        }
        return index
    }
}
