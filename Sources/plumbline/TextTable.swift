import Topology

/// Columns of text for a terminal, as wide as what stands in them.
struct TextTable {
    enum Column {
        case left(String)
        case right(String)
    }

    private let columns: [Column]
    private var rows: [[String]]

    init(_ columns: [Column]) {
        self.columns = columns
        rows = [
            columns.map { column in
                switch column {
                case .left(let title), .right(let title): title
                }
            }
        ]
    }

    /// Adds a row with a text for each column.
    mutating func add(_ row: [String]) { rows.append(row) }

    /// All lines, each with a line feed and no blanks at its end.
    var text: String {
        let widths = columns.indices.map { column in
            rows.map { TextWidth.columns($0[column]) }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let blanks = String(
                    repeating: " ", count: widths[index] - TextWidth.columns(cell))
                if index > 0 { line += "  " }
                if case .right = columns[index] {
                    line += blanks + cell
                } else {
                    line += cell + blanks
                }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
