import RecordLog

/// Topics as a reader sees them: what is committed, and nothing else.
///
/// Threading: one thread at a time, unless the type says more.
package protocol TopicReader: AnyObject {
    /// What the user calls it: a data directory, or a cluster's addresses.
    var name: String { get }
    /// The topics, by name.
    func topics() throws -> [TopicDescription]
    /// Reads a partition's committed records.
    func source(_ place: TopicPartition) throws -> any RecordSource
}
