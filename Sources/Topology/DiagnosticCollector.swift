import Primitives

/// Gathers diagnostics, so that one run reports several. One thread.
package final class DiagnosticCollector {
    private var diagnostics: [Diagnostic] = []

    package init() {}

    package var isEmpty: Bool { diagnostics.isEmpty }

    package var count: Int { diagnostics.count }

    /// Keeps a diagnostic made of these parts, unless the same one is kept already.
    package func report(_ message: String, at location: SourceLocation?, hint: String? = nil) {
        report(Diagnostic(message, at: location, hint: hint))
    }

    /// Keeps a diagnostic, unless the same one is kept already.
    package func report(_ diagnostic: Diagnostic) {
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }

    /// What was gathered, by file (`firstFile` before the others), line and column.
    package func list(firstFile: String) -> DiagnosticList {
        func rank(_ item: (offset: Int, element: Diagnostic)) -> (Int, String, Int, Int) {
            guard let place = item.element.location else { return (0, "", 0, 0) }
            return (place.file == firstFile ? 1 : 2, place.file, place.line, place.column)
        }
        let sorted = diagnostics.enumerated().sorted { a, b in
            let (left, right) = (rank(a), rank(b))
            return left == right ? a.offset < b.offset : left < right
        }
        return DiagnosticList(sorted.map(\.element))
    }
}
