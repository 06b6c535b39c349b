import Columnar
import Dataflow
import Glibc
import RecordLog

/// Decodes rows of CSV, one a record, straight into columns.
///
/// The columns are named by the record's header ``RecordHeaders/csvHeader``, or are the schema's
/// fields in order. Values are read as in JSON; an empty field without quotes is null. See
/// `docs/reference/formats.md`.
final class CSVRecordDecoder: RecordDecoder {
    /// A column that is read, and the node it goes to.
    private struct Target {
        var column: Int
        var node: Int
    }

    private var assembler: RowAssembler
    private let form: CSVForm
    /// The name of each root's column.
    private let names: [[UInt8]]
    /// No objects: the reader is used for single values.
    private let layouts: JSONLayouts
    private let state = UnsafeMutablePointer<JSONRowState>.allocate(capacity: 1)
    private let padded = PaddedText()
    private let paddedCell = PaddedText()
    private var row = CSVRow()

    /// The header row that `targets` and `columnCount` are of; empty before the first.
    private var header: [UInt8] = []
    /// What is wrong with that header row.
    private var headerFault: String?
    /// By column.
    private var targets: [Target] = []
    private var columnCount = 0

    init(_ source: SourcePlan, _ form: CSVForm) {
        let assembler = RowAssembler(source)
        self.assembler = assembler
        self.form = form
        names = assembler.fields.map { Array(source.schema.fields[$0].path.utf8) }
        layouts = JSONLayouts([], sinks: assembler.sinks)
        state.initialize(to: JSONRowState())
        if !form.hasHeader {
            columnCount = source.valueFields.count
            targets = assembler.fields.enumerated().map { Target(column: $1, node: $0) }
        }
    }

    deinit {
        state.deallocate()
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        assembler.begin(rows.count)
        block.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<rows.count {
                let start = Int(block.valueStarts[rows.lowerBound + index])
                let length = Int(block.valueLengths[rows.lowerBound + index])
                if length < 0 {
                    assembler.rejectRow(index, .nullValue, "the record has no value")
                } else if let fault = takeHeader(bytes, block, rows.lowerBound + index) {
                    assembler.rejectRow(index, .malformed, fault)
                } else {
                    decode(padded.text(bytes, start, count: length), index, &keys)
                }
            }
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }

    // MARK: Columns

    /// Makes `targets` those of a row's header row; what is wrong with it, or nil.
    @inline(__always)
    private func takeHeader(
        _ bytes: UnsafeBufferPointer<UInt8>, _ block: RecordBlock, _ blockRow: Int
    ) -> String? {
        guard form.hasHeader else { return nil }
        guard
            let range = RecordHeaders.csvHeaderRow(
                bytes, at: Int(block.headerStarts[blockRow]),
                count: Int(block.headerCounts[blockRow]))
        else { return "no header \(RecordHeaders.csvHeader) names the columns" }
        let found = UnsafeBufferPointer(rebasing: bytes[range])
        if !isKnown(found) { learn(found) }
        return headerFault
    }

    private func isKnown(_ found: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = found.baseAddress, header.count == found.count else { return false }
        return header.withUnsafeBytes { known in
            guard let knownStart = known.baseAddress else { return false }
            return memcmp(knownStart, start, known.count) == 0
        }
    }

    @inline(never)
    private func learn(_ bytes: UnsafeBufferPointer<UInt8>) {
        header = Array(bytes)
        headerFault = nil
        targets = []
        let columns: [[UInt8]]
        do {
            columns = try CSVHeader(bytes, separator: form.separator).names
        } catch {
            headerFault = "the header row: \(error.detail)"
            return
        }
        columnCount = columns.count
        for (column, name) in columns.enumerated() where names.contains(name) {
            if columns[..<column].contains(name) {
                let text = String(decoding: name, as: UTF8.self)
                headerFault = "the header row names column \(text) twice"
                return
            }
            for node in names.indices where names[node] == name {
                targets.append(Target(column: column, node: node))
            }
        }
        if targets.isEmpty {
            let text = String(decoding: bytes.prefix(80), as: UTF8.self)
            headerFault = "the header row names no field that is read: \(text)"
        }
    }

    // MARK: Rows

    private func decode(_ text: JSONText, _ index: Int, _ keys: inout KeyTable) {
        let bytes = text.bytes(0..<text.end)
        do throws(CSVRow.Failure) {
            try row.parse(bytes, separator: form.separator)
        } catch {
            return assembler.rejectRow(index, .malformed, error.detail)
        }
        guard row.cells.count == columnCount else {
            let count = row.cells.count
            return assembler.rejectRow(
                index, .malformed,
                "\(count) column\(count == 1 ? "" : "s"), the"
                    + " \(form.hasHeader ? "header row" : "schema") has \(columnCount)")
        }
        guard text.isUTF8() else { return assembler.rejectRow(index, .malformed, "not UTF-8") }
        state.pointee = JSONRowState(row: index)
        let reader = JSONReader(text, layouts, assembler.sinks, state)
        for target in targets {
            let cell = row.cells[target.column]
            if cell.isEmpty, !cell.isQuoted {
                reader.null(target.node)
            } else if cell.hasEscapes {
                unescaped(cell, bytes, target.node)
            } else {
                reader.plainValue(target.node, cell.start, cell.end)
            }
        }
        assembler.endRow(
            index, fault: state.pointee.fault, node: state.pointee.faultNode, table: &keys)
    }

    /// Takes a field in which quotes stand doubled.
    @inline(never)
    private func unescaped(
        _ cell: CSVRow.Cell, _ bytes: UnsafeBufferPointer<UInt8>, _ node: Int
    ) {
        row.content(cell, bytes).withUnsafeBufferPointer { content in
            let text = paddedCell.text(content)
            JSONReader(text, layouts, assembler.sinks, state).plainValue(node, 0, text.end)
        }
    }
}
