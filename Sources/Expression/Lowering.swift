import Columnar

/// Turns checked trees into a ``Block``: equal parts once, constant parts computed now.
struct Lowering {
    private struct Key: Hashable {
        let operation: Operation
        let arguments: [Int]
        let type: ValueType
    }

    /// A block under construction; the enclosing ones stand below it.
    private struct Frame {
        let loop: Int?
        var instructions: [Instruction] = []
        var registerCount = 0
        var known: [Key: Int] = [:]
        var nodes: [ObjectIdentifier: Int] = [:]
        var constants: [Int: Column] = [:]
        var constantOrder: [Int] = []
        var captures: [(outer: Int, inner: Int)] = []
        var loopVariables: [(slot: Int, register: Int)] = []

        mutating func newRegister() -> Int {
            registerCount += 1
            return registerCount - 1
        }

        mutating func constant(_ column: Column) -> Int {
            let register = newRegister()
            constants[register] = column
            constantOrder.append(register)
            return register
        }

        func finish(_ results: [Int]) -> Block {
            Block(
                instructions: instructions, registerCount: registerCount,
                constants: constantOrder.compactMap { register in
                    constants[register].map { (register, $0) }
                }, captures: captures, loopVariables: loopVariables, results: results)
        }
    }

    private var frames = [Frame(loop: nil)]

    /// The register of a node in the outermost block.
    mutating func lower(_ node: Node) -> Int { lower(node, in: 0) }

    func finish(_ results: [Int]) -> Block { frames[0].finish(results) }

    /// The register of a node in frame `level`, as the node left it.
    private mutating func lower(_ node: Node, in level: Int) -> Int {
        if let register = frames[level].nodes[ObjectIdentifier(node)] { return register }
        let register = lowerNew(node, in: level)
        frames[level].nodes[ObjectIdentifier(node)] = register
        return register
    }

    private mutating func lowerNew(_ node: Node, in level: Int) -> Int {
        if case .constant(let constant) = node.operation {
            let key = Key(operation: node.operation, arguments: [], type: node.type)
            if let register = frames[level].known[key] { return register }
            let register = frames[level].constant(Self.column(constant))
            frames[level].known[key] = register
            return register
        }
        let home = frames.lastIndex { $0.loop.map { node.loops.contains($0) } ?? true } ?? 0
        if home < level { return capture(lower(node, in: home), from: home, to: level) }
        switch node.operation {
        case .loopVariable(_, let slot):
            if let known = frames[level].loopVariables.first(where: { $0.slot == slot }) {
                return known.register
            }
            let register = frames[level].newRegister()
            frames[level].loopVariables.append((slot, register))
            return register
        case .comprehension(_, let loop):
            return lowerLoop(node, loop, in: level)
        default:
            let arguments = node.arguments.map { lowerFlat($0, in: level) }
            return emit(node.operation, arguments, node.arguments.map(\.type), node.type, level)
        }
    }

    /// The register of a node in the storage that kernels read.
    private mutating func lowerFlat(_ node: Node, in level: Int) -> Int {
        let register = lower(node, in: level)
        switch node.operation {
        case .column, .loopVariable, .field, .listElement, .mapElement:
            return emit(.flatten, [register], [node.type], node.type, level)
        default: return register
        }
    }

    private mutating func capture(_ register: Int, from home: Int, to level: Int) -> Int {
        var register = register
        for inner in home + 1...level {
            if let known = frames[inner].captures.first(where: { $0.outer == register }) {
                register = known.inner
            } else {
                let new = frames[inner].newRegister()
                frames[inner].captures.append((register, new))
                register = new
            }
        }
        return register
    }

    private mutating func lowerLoop(_ node: Node, _ loop: Int, in level: Int) -> Int {
        let range = lowerFlat(node.arguments[0], in: level)
        frames.append(Frame(loop: loop))
        let inner = frames.count - 1
        let results = node.arguments.dropFirst().map { lowerFlat($0, in: inner) }
        let body = frames.removeLast().finish(results)
        let register = frames[level].newRegister()
        frames[level].instructions.append(
            Instruction(
                operation: node.operation, arguments: [range],
                argumentTypes: node.arguments.map(\.type), type: node.type, result: register,
                body: body))
        return register
    }

    private mutating func emit(
        _ operation: Operation, _ arguments: [Int], _ argumentTypes: [ValueType],
        _ type: ValueType, _ level: Int
    ) -> Int {
        let key = Key(operation: operation, arguments: arguments, type: type)
        if let register = frames[level].known[key] { return register }
        let instruction = Instruction(
            operation: operation, arguments: arguments, argumentTypes: argumentTypes, type: type,
            result: frames[level].registerCount, body: nil)
        let register = folded(instruction, level) ?? add(instruction, level)
        frames[level].known[key] = register
        return register
    }

    private mutating func add(_ instruction: Instruction, _ level: Int) -> Int {
        frames[level].instructions.append(instruction)
        return frames[level].newRegister()
    }

    /// Computes an instruction over constants on one row; nil when it is none, or when it faults
    /// and so must fault for every row.
    private mutating func folded(_ instruction: Instruction, _ level: Int) -> Int? {
        if case .column = instruction.operation { return nil }
        var vectors: [Vector] = []
        for argument in instruction.arguments {
            guard let column = frames[level].constants[argument] else { return nil }
            vectors.append(Vector(broadcast(column, count: 1)))
        }
        for (index, vector) in vectors.enumerated() {
            vectors[index] = flatten(vector, type: instruction.argumentTypes[index], count: 1)
        }
        let result = execute(instruction, vectors, count: 1)
        guard result.faults == nil else { return nil }
        return frames[level].constant(result.column.slice(0..<1).flattened())
    }

    private static func column(_ constant: Constant) -> Column {
        switch constant {
        case .null(let type): nullColumn(type, count: 1)
        case .bool(let value): Column(.bool([value]))
        case .int64(let value): Column(.int64([value]))
        case .double(let bits): Column(.double([Double(bitPattern: bits)]))
        case .bytes(let bytes):
            Column(.bytes(ByteValues(offsets: [0, Int32(bytes.count)], bytes: bytes)))
        }
    }
}
