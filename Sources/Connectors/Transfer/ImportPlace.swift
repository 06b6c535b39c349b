/// Where the topic of an import is.
package enum ImportPlace {
    /// The log of a data directory.
    case directory(String)
    /// A cluster, as one import uses it.
    case cluster(KafkaImport)

    /// Its topics.
    var log: any TopicReader {
        switch self {
        case .directory(let path): PublishedLog(path)
        case .cluster(let cluster): cluster.log
        }
    }

    /// Takes the import of one content into one topic for this process; `identity` is a number of
    /// both.
    func states(topic: String, hash: String, identity: Int64) throws -> any ImportStates {
        switch self {
        case .directory(let path):
            try ImportStateFile(dataPath: path, topic: topic, hash: hash, identity: identity)
        case .cluster(let cluster): try cluster.begin(topic: topic, hash: hash)
        }
    }
}
