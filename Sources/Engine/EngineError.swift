/// A job that cannot go on: what is wrong and the way out. Nothing accepted is lost by it.
package struct EngineError: Error, Sendable, CustomStringConvertible {
    package var message: String
    package var hint: String?

    package init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    package var description: String {
        hint.map { "\(message)\n    hint: \($0)" } ?? message
    }
}
