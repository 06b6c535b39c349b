/// Names of topics that the engine gives to its own: nobody else writes these.
package enum OwnTopics {
    private static let suffixes = [".journal", ".rejects", ".plans", ".state"]

    /// The ending by which a name is the engine's own; nil for any other name.
    package static func suffix(of topic: String) -> String? {
        suffixes.first { topic.hasSuffix($0) }
    }
}
