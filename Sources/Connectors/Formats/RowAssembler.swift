import Columnar
import Dataflow
import RecordLog

/// Why a field's value could not be used; names of ``RejectReason`` as trivial values.
enum FieldFault: UInt8 {
    case none
    case malformed
    case precision
    case outOfRange
    case missing
    case wrongType

    var reason: RejectReason {
        switch self {
        case .none, .malformed: .malformed
        case .precision: .precision
        case .outOfRange: .outOfRange
        case .missing: .missingField
        case .wrongType: .wrongType
        }
    }
}

/// What a decoder of one format shares with those of the others: which fields it reads, their
/// columns under construction, the end of a row and the end of a run.
struct RowAssembler {
    let sinks: ColumnSinks
    /// Roots in the order of ``SourcePlan/fieldsRead``, without the arrival: their fields of the
    /// schema.
    let fields: [Int]
    let fieldCount: Int
    let keyRoot: Int
    let timeRoot: Int

    private(set) var keys: [Int32] = []
    private(set) var faults: [DecodeFault] = []
    private var keyText: [UInt8] = []

    init(_ source: SourcePlan) {
        let timeField =
            switch source.role {
            case .stream(let rule): rule.field
            case .table(let rule): rule.timeField
            }
        // Key and time are among the fields read by contract; adding them costs nothing if so.
        let fieldsRead = source.fieldsRead.filter { $0 != source.arrivalField }
        fields = Array(Set(fieldsRead + [source.keyField, timeField])).sorted()
        fieldCount = source.schema.fields.count
        sinks = ColumnSinks(fields.map { source.schema.fields[$0] })
        keyRoot = fields.firstIndex(of: source.keyField) ?? 0
        timeRoot = fields.firstIndex(of: timeField) ?? 0
    }

    mutating func begin(_ rowCount: Int) {
        sinks.reset()
        for root in fields.indices { sinks.nodes[root].reserve(rowCount) }
        keys = []
        keys.reserveCapacity(rowCount)
        faults = []
    }

    /// Ends row `row` (relative to the run). Roots that have no value yet are missing.
    ///
    /// `fault` is the first fault of a field, `node` its node.
    @inline(__always)
    mutating func endRow(_ row: Int, fault: FieldFault, node: Int, table: inout KeyTable) {
        var isWhole = fault == .none
        for root in 0..<fields.count where sinks.nodes[root].count != row &+ 1 {
            isWhole = false
        }
        if isWhole, !sinks.nodes[keyRoot].hasNulls, !sinks.nodes[timeRoot].hasNulls {
            keys.append(internKey(row, &table))
        } else {
            endOddRow(row, fault: fault, node: node, table: &table)
        }
    }

    @inline(never)
    private mutating func endOddRow(
        _ row: Int, fault: FieldFault, node: Int, table: inout KeyTable
    ) {
        var fault = fault
        var node = node
        let hasKey = isPresent(keyRoot, row)
        let hasTime = isPresent(timeRoot, row)
        for root in fields.indices where sinks.nodes[root].count <= row {
            if fault == .none, !sinks.nodes[root].isNullable {
                fault = .missing
                node = root
            }
            sinks.settle(root, rows: row + 1)
        }
        // A row needs a key and a time, whatever the schema says of nulls.
        if fault == .none, !hasKey || !hasTime {
            fault = .missing
            node = hasKey ? timeRoot : keyRoot
        }
        keys.append(hasKey ? internKey(row, &table) : -1)
        if fault != .none {
            faults.append(
                DecodeFault(
                    row: Int32(row), reason: fault.reason, detail: detail(fault, node),
                    timeIsReadable: hasTime))
        }
    }

    /// Ends a row that is rejected as a whole, whatever was read of it.
    mutating func rejectRow(_ row: Int, _ reason: RejectReason, _ detail: String) {
        for root in fields.indices { sinks.settle(root, rows: row) }
        for root in fields.indices { sinks.settle(root, rows: row + 1) }
        keys.append(-1)
        faults.append(
            DecodeFault(row: Int32(row), reason: reason, detail: detail, timeIsReadable: false))
    }

    /// The columns of all rows ended since ``begin(_:)``.
    func finish(_ block: RecordBlock, firstRow: Int, table: KeyTable) -> DecodedRows {
        let count = keys.count
        var columns = Array(repeating: Column(.null(count: count)), count: fieldCount)
        for (root, field) in fields.enumerated() where root != keyRoot || !isTextKey {
            columns[field] = sinks.column(root)
        }
        if isTextKey { columns[fields[keyRoot]] = table.column(keys) }
        return DecodedRows(
            block: block, firstRow: firstRow, rowCount: count, columns: columns,
            // Null rows hold 0.
            times: sinks.int64s(timeRoot), keys: keys, faults: faults)
    }

    private var isTextKey: Bool {
        sinks.nodes[keyRoot].kind == .string || sinks.nodes[keyRoot].kind == .bytes
    }

    private func isPresent(_ root: Int, _ row: Int) -> Bool {
        sinks.nodes[root].count == row + 1 && sinks.nodes[root].isValid(row)
    }

    /// The code of a row's key, which must be there.
    @inline(__always)
    private mutating func internKey(_ row: Int, _ table: inout KeyTable) -> Int32 {
        let node = sinks.nodes + keyRoot
        if node.pointee.kind == .string || node.pointee.kind == .bytes {
            let start = node.pointee.end(row &- 1)
            let text = UnsafeBufferPointer(
                start: node.pointee.bytes + start, count: node.pointee.end(row) &- start)
            return table.intern(text.span)
        }
        keyText.removeAll(keepingCapacity: true)
        keyText.append(contentsOf: String(node.pointee.int64(row)).utf8)
        return table.intern(keyText.span)
    }

    /// `node` is -1 where the value as a whole has the wrong type.
    private func detail(_ fault: FieldFault, _ node: Int) -> String {
        guard node >= 0 else { return "the value is not a JSON object" }
        let type = sinks.types[node]
        let name = sinks.names[node]
        switch fault {
        case .none, .malformed: return "field \(name): malformed"
        case .precision: return "field \(name): more digits than \(type) holds"
        case .outOfRange: return "field \(name): out of the range of \(type)"
        case .missing: return "field \(name): missing or null"
        case .wrongType: return "field \(name): not a \(type)"
        }
    }
}
