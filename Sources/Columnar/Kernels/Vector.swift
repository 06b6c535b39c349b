/// What a kernel reads and writes: a column, and the rows of it that have no result.
///
/// A kernel is told its row count: a vector of a constant may have more rows of storage than the
/// batch, its validity and faults never. Validity and values of a faulted row mean nothing.
package struct Vector: Sendable {
    package var column: Column
    package var faults: RowFaults?

    package init(_ column: Column, faults: RowFaults? = nil) {
        self.column = column
        self.faults = faults
    }

    init(_ values: ColumnValues, _ validity: Bitmap?, _ faults: RowFaults?) {
        column = Column(values, validity: validity)
        self.faults = faults
    }

    /// Storage of a flat vector. A wrong kind is a bug of the lowering, never of the input.
    var int64: [Int64] {
        guard case .int64(let values) = column.values else { preconditionFailure("not int64") }
        return values
    }

    var double: [Double] {
        guard case .double(let values) = column.values else { preconditionFailure("not double") }
        return values
    }

    var bool: [Bool] {
        guard case .bool(let values) = column.values else { preconditionFailure("not bool") }
        return values
    }

    var ratio: RatioValues {
        guard case .ratio(let values) = column.values else { preconditionFailure("not ratio") }
        return values
    }

    var bytes: ByteValues {
        guard case .bytes(let values) = column.values else { preconditionFailure("not bytes") }
        return values
    }

    /// Whether a row has a value and no fault: only then a kernel may fault it. O(1).
    func isLive(_ row: Int) -> Bool {
        if let faults, faults.rows[row] { return false }
        if let validity = column.validity, !validity[row] { return false }
        return true
    }
}

/// Validity and faults of a result that needs both operands.
@inline(__always)
func joined(_ a: Vector, _ b: Vector) -> (validity: Bitmap?, faults: RowFaults?) {
    (
        Bitmap.intersection(a.column.validity, b.column.validity),
        RowFaults.merged(a.faults, b.faults)
    )
}
