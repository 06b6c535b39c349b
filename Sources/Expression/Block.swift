import Columnar

/// One kernel call: registers in, one register out.
struct Instruction: Sendable {
    let operation: Operation
    let arguments: [Int]
    /// Types of the arguments and of the result.
    let argumentTypes: [ValueType]
    let type: ValueType
    let result: Int
    /// The body of a macro.
    let body: Block?
}

/// A flat program over registers: the whole of a ``Program``, or the body of a macro, which runs
/// over the elements of all rows together.
final class Block: Sendable {
    let instructions: [Instruction]
    let registerCount: Int
    /// Registers that hold a constant, and its one row.
    let constants: [(register: Int, column: Column)]
    /// Registers of the enclosing block that the body reads, and where it has them.
    let captures: [(outer: Int, inner: Int)]
    /// Registers of the loop's variables.
    let loopVariables: [(slot: Int, register: Int)]
    let results: [Int]

    init(
        instructions: [Instruction], registerCount: Int,
        constants: [(register: Int, column: Column)], captures: [(outer: Int, inner: Int)],
        loopVariables: [(slot: Int, register: Int)], results: [Int]
    ) {
        self.instructions = instructions
        self.registerCount = registerCount
        self.constants = constants
        self.captures = captures
        self.loopVariables = loopVariables
        self.results = results
    }
}
