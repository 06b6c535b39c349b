import Columnar
import Primitives

/// A constant that folds into one row of a column.
enum Constant: Hashable, Sendable {
    case null(ValueType)
    case bool(Bool)
    case int64(Int64)
    /// By bit pattern, so that NaN equals itself and -0.0 is not 0.0.
    case double(UInt64)
    case bytes([UInt8])
}

/// What a node computes from its arguments. Each case but the leaves is one kernel.
enum Operation: Hashable, Sendable {
    case column(Int)
    case constant(Constant)
    /// The element (0) or second variable (1) of an enclosing macro.
    case loopVariable(loop: Int, slot: Int)
    case int64(Int64Operator)
    /// Sum (or difference) of operands scaled by the two factors.
    case addScaled(Int64, Int64, subtracts: Bool)
    case negateInt64, absoluteInt64
    case scaleInt64(Int64)
    case checkRange(ClosedRange<Int64>)
    case divideConstant(Int64, isFloor: Bool)
    case double(DoubleOperator)
    case negateDouble, absoluteDouble
    case scaleDouble(numerator: Int64, denominator: Int64)
    case compareInt64(Comparison)
    case compareScaled(Comparison, Int64, Int64)
    case compareDouble(Comparison)
    case compareBool(Comparison)
    case compareBytes(Comparison)
    /// Nil divisors stand for ratio operands, others for units of 1/divisor.
    case compareRatio(Comparison, Int64?, Int64?)
    case equalNested(isEqual: Bool)
    case ratio(RatioOperator, Int64?, Int64?)
    case negateRatio, absoluteRatio
    case int64ToRatio(Int64)
    case int64ToDouble(Int64)
    case ratioToDouble
    case doubleToInt64
    case roundInt64(from: Int, to: Int)
    case roundRatio(Int)
    case roundDouble(Int)
    case truncateRatio
    case and, or, not
    case isNull(Bool)
    case choose
    /// To the storage that scalar kernels read; added by the lowering.
    case flatten
    case concatenate, codePointCount, byteCount
    case test(StringTest)
    case field(Int)
    case listElement, mapElement, mapContains, listContains, elementCount
    case makeList, makeMap, concatenateLists
    case interpolate(InterpolationScales)
    case interpolateDouble
    case convert(Conversion)
    case timePart(TimePart, Zone)
    case localDate(Zone)
    /// The start of the day, week or month that holds a timestamp.
    case startOf(CalendarGrid)
    case durationPart(TimePart)
    case comprehension(Comprehension, loop: Int)
}

/// A node of the checked tree: typed, names resolved, literals settled.
final class Node: Sendable {
    let operation: Operation
    let arguments: [Node]
    let type: ValueType
    let isNullable: Bool
    /// Whether elements (values) of a list (map) may be null.
    let hasNullableElements: Bool
    /// Set while it is a number as written, whose type the other operand may still decide.
    let number: WrittenNumber?
    /// Set on the result of `type(x)` and on type names: they exist while checking only.
    let typeName: String?
    /// Macros whose variables it uses.
    let loops: Set<Int>

    init(
        _ operation: Operation, _ arguments: [Node], _ type: ValueType,
        isNullable: Bool? = nil, hasNullableElements: Bool = false,
        number: WrittenNumber? = nil, typeName: String? = nil
    ) {
        self.operation = operation
        self.arguments = arguments
        self.type = type
        self.isNullable = isNullable ?? arguments.contains { $0.isNullable }
        self.hasNullableElements = hasNullableElements
        self.number = number
        self.typeName = typeName
        var loops = Set<Int>()
        for argument in arguments { loops.formUnion(argument.loops) }
        switch operation {
        case .loopVariable(let loop, _): loops.insert(loop)
        case .comprehension(_, let loop): loops.remove(loop)
        default: break
        }
        self.loops = loops
    }
}

/// The macros over lists and maps.
enum Comprehension: Hashable, Sendable {
    case all, exists, existsOne
    /// Second argument: the new element.
    case map
    /// Second argument: the condition; third: the new element.
    case filter
}
