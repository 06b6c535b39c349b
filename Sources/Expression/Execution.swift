import Columnar

/// Runs one instruction over a batch: one `switch`, then a kernel's loop. `vectors` are the
/// arguments; columns, loops and captures are the evaluator's.
func execute(_ instruction: Instruction, _ vectors: [Vector], count: Int) -> Vector {
    switch instruction.operation {
    case .flatten: return flatten(vectors[0], type: instruction.type, count: count)
    case .int64(let op): return int64Arithmetic(op, vectors[0], vectors[1], count: count)
    case .addScaled(let left, let right, let subtracts):
        return addScaled(
            vectors[0], left, vectors[1], right, subtracts: subtracts, count: count)
    case .negateInt64: return negateInt64(vectors[0], count: count)
    case .absoluteInt64: return absoluteInt64(vectors[0], count: count)
    case .scaleInt64(let factor): return scaleInt64(vectors[0], by: factor, count: count)
    case .checkRange(let range): return checkRange(vectors[0], range, count: count)
    case .divideConstant(let divisor, let isFloor):
        return divideInt64(vectors[0], by: divisor, isFloor: isFloor, count: count)
    case .double(let op): return doubleArithmetic(op, vectors[0], vectors[1], count: count)
    case .negateDouble: return negateDouble(vectors[0], count: count)
    case .absoluteDouble: return absoluteDouble(vectors[0], count: count)
    case .scaleDouble(let numerator, let denominator):
        return scaleDouble(
            vectors[0], numerator: Double(numerator), denominator: Double(denominator),
            count: count)
    case .and: return logicalAnd(vectors[0], vectors[1], count: count)
    case .or: return logicalOr(vectors[0], vectors[1], count: count)
    case .not: return logicalNot(vectors[0], count: count)
    case .isNull(let expected): return isNull(vectors[0], equals: expected, count: count)
    case .choose:
        return choose(vectors[0], vectors[1], vectors[2], type: instruction.type, count: count)
    default:
        return executeComparison(instruction, vectors, count)
            ?? executeRatio(instruction, vectors, count)
            ?? executeNested(instruction, vectors, count)
            ?? executeText(instruction, vectors, count)
            ?? Vector(nullColumn(instruction.type, count: count))
    }
}

private func executeComparison(
    _ instruction: Instruction, _ vectors: [Vector], _ count: Int
) -> Vector? {
    switch instruction.operation {
    case .compareInt64(let comparison):
        return compareInt64(comparison, vectors[0], vectors[1], count: count)
    case .compareScaled(let comparison, let left, let right):
        return compareScaled(comparison, vectors[0], left, vectors[1], right, count: count)
    case .compareDouble(let comparison):
        return compareDouble(comparison, vectors[0], vectors[1], count: count)
    case .compareBool(let comparison):
        return compareBool(comparison, vectors[0], vectors[1], count: count)
    case .compareBytes(let comparison):
        return compareBytes(comparison, vectors[0], vectors[1], count: count)
    case .compareRatio(let comparison, let left, let right):
        return compareRatio(
            comparison, operand(vectors[0], left), operand(vectors[1], right), count: count)
    case .equalNested(let isEqual):
        return equalNested(vectors[0], vectors[1], isEqual: isEqual, count: count)
    default: return nil
    }
}

private func operand(_ vector: Vector, _ divisor: Int64?) -> RatioOperand {
    divisor.map { .decimal(vector, divisor: $0) } ?? .ratio(vector)
}

private func executeRatio(
    _ instruction: Instruction, _ vectors: [Vector], _ count: Int
) -> Vector? {
    switch instruction.operation {
    case .ratio(let op, let left, let right):
        return ratioArithmetic(
            op, operand(vectors[0], left), operand(vectors[1], right), count: count)
    case .negateRatio: return negateRatio(vectors[0], count: count)
    case .absoluteRatio: return absoluteRatio(vectors[0], count: count)
    case .int64ToRatio(let divisor):
        return int64ToRatio(vectors[0], divisor: divisor, count: count)
    case .int64ToDouble(let divisor):
        return int64ToDouble(vectors[0], divisor: divisor, count: count)
    case .ratioToDouble: return ratioToDouble(vectors[0], count: count)
    case .doubleToInt64: return doubleToInt64(vectors[0], count: count)
    case .roundInt64(let from, let to):
        return roundInt64(vectors[0], from: from, to: to, count: count)
    case .roundRatio(let scale): return roundRatio(vectors[0], scale: scale, count: count)
    case .roundDouble(let scale): return roundDouble(vectors[0], scale: scale, count: count)
    case .truncateRatio: return truncateRatio(vectors[0], count: count)
    case .interpolate(let scales):
        return interpolate(vectors[0], vectors[1], scales: scales, count: count)
    case .interpolateDouble: return interpolateDouble(vectors[0], vectors[1], count: count)
    default: return nil
    }
}

private func executeNested(
    _ instruction: Instruction, _ vectors: [Vector], _ count: Int
) -> Vector? {
    let type = instruction.type
    switch instruction.operation {
    case .field(let index): return structField(vectors[0], index, type: type, count: count)
    case .listElement: return listElement(vectors[0], vectors[1], type: type, count: count)
    case .mapElement: return mapElement(vectors[0], vectors[1], type: type, count: count)
    case .mapContains: return mapContains(vectors[0], vectors[1], count: count)
    case .listContains: return listContains(vectors[0], vectors[1], count: count)
    case .elementCount: return elementCount(vectors[0], count: count)
    case .concatenateLists: return concatenateLists(vectors[0], vectors[1], count: count)
    case .makeList:
        guard case .list(let element) = type else { return nil }
        return makeList(vectors, element: element, count: count)
    case .makeMap:
        guard case .map(let key, let value) = type else { return nil }
        return makeMap(vectors, key: key, value: value, count: count)
    default: return nil
    }
}

private func executeText(
    _ instruction: Instruction, _ vectors: [Vector], _ count: Int
) -> Vector? {
    switch instruction.operation {
    case .concatenate: return concatenate(vectors[0], vectors[1], count: count)
    case .codePointCount: return codePointCount(vectors[0], count: count)
    case .byteCount: return byteCount(vectors[0], count: count)
    case .test(let test): return testStrings(test, vectors[0], vectors[1], count: count)
    case .convert(let conversion): return convert(conversion, vectors[0], count: count)
    case .timePart(let part, let zone):
        return timestampPart(part, vectors[0], zone: zone, count: count)
    case .localDate(let zone): return localDate(vectors[0], zone: zone, count: count)
    case .startOf(let grid): return calendarStart(vectors[0], grid: grid, count: count)
    case .durationPart(let part): return durationPart(part, vectors[0], count: count)
    default: return nil
    }
}
