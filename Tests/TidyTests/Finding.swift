/// One breach of a house rule: where it is, what is wrong, and the way out.
struct Finding: Hashable, Comparable, CustomStringConvertible {
    var path: String
    /// From 1; 0 when the whole file is meant.
    var line: Int
    var message: String

    init(_ path: String, _ line: Int, _ message: String) {
        self.path = path
        self.line = line
        self.message = message
    }

    var description: String {
        line > 0 ? "\(path):\(line): \(message)" : "\(path): \(message)"
    }

    static func < (left: Finding, right: Finding) -> Bool {
        (left.path, left.line, left.message) < (right.path, right.line, right.message)
    }
}
