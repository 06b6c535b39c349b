import Primitives

/// A topic of a log directory.
package struct TopicDescription: Hashable, Sendable {
    package var name: String
    package var partitionCount: Int

    package init(name: String, partitionCount: Int) {
        self.name = name
        self.partitionCount = partitionCount
    }
}

extension LogDirectory {
    /// The topics, by name; for readers too. A missing directory has none. A topic whose creation
    /// was interrupted is not listed.
    package static func topics(
        in path: String, storage: any Storage = PosixStorage()
    ) throws(RecordLogError) -> [TopicDescription] {
        let names = try storageCall { () throws(StorageError) in
            try storage.kind(of: path) == .directory ? try storage.list(path) : []
        }
        var partitions: [String: Set<Int>] = [:]
        for name in names {
            guard let place = TopicPartition(directoryName: name) else { continue }
            partitions[place.topic, default: []].insert(place.partition)
        }
        // Partition 0 is created last, so it says that the topic is whole.
        return partitions.compactMap { name, numbers in
            guard numbers.contains(0), let last = numbers.max() else { return nil }
            return TopicDescription(name: name, partitionCount: last + 1)
        }
        .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The topics of this directory, by name.
    package func topics() throws(RecordLogError) -> [TopicDescription] {
        try Self.topics(in: path, storage: storage)
    }

    /// The number of partitions of a topic, or nil when there is no such topic.
    package func partitionCount(of topic: String) throws(RecordLogError) -> Int? {
        try topics().first { $0.name == topic }?.partitionCount
    }

    /// Makes sure that a topic exists with that many partitions; true when it was created.
    ///
    /// Throws `partitionCountDiffers` when it exists with another count, and `invalidTopicName`.
    @discardableResult
    package func createTopic(_ name: String, partitions: Int) throws(RecordLogError) -> Bool {
        if let reason = TopicPartition.fault(inTopicName: name) {
            throw .invalidTopicName(name, reason: reason)
        }
        guard (1...10_000).contains(partitions) else {
            throw .invalidPartitionCount(topic: name, count: partitions)
        }
        if let existing = try partitionCount(of: name) {
            guard existing == partitions else {
                throw .partitionCountDiffers(topic: name, existing: existing, wanted: partitions)
            }
            return false
        }
        try clearInterruptedCreation(of: name)
        let identifier = KafkaUUID.random()
        for partition in (0..<partitions).reversed() {
            try storageCall { () throws(StorageError) in
                try createPartition(TopicPartition(name, partition), identifier)
            }
        }
        return true
    }

    /// Removes the empty partitions of a topic whose creation stopped before partition 0.
    ///
    /// Partitions with records are somebody's data, a broker's for example, and are not touched.
    private func clearInterruptedCreation(of topic: String) throws(RecordLogError) {
        let names = try storageCall { () throws(StorageError) in try storage.list(path) }
        for place in names.compactMap(TopicPartition.init(directoryName:))
        where place.topic == topic {
            try removeEmptyPartition(place)
        }
    }

    private func removeEmptyPartition(_ place: TopicPartition) throws(RecordLogError) {
        let directory = "\(path)/\(place)"
        let files = try storageCall { () throws(StorageError) in try storage.list(directory) }
            .map { directory + "/" + $0 }
        for file in files where file.hasSuffix(".log") {
            let size = try storageCall { () throws(StorageError) in
                try storage.open(file, .read).size()
            }
            guard size == 0 else {
                throw .malformedFile(
                    path: file,
                    reason: "topic \(place.topic) has records here but no partition 0;"
                        + " move this directory away or choose another topic name")
            }
        }
        try storageCall { () throws(StorageError) in
            for file in files { try storage.remove(file) }
            try storage.removeDirectory(directory)
        }
    }

    private func createPartition(
        _ place: TopicPartition, _ identifier: String
    ) throws(StorageError) {
        let final = "\(path)/\(place)"
        try storage.createDirectory(final)
        try storage.writeAtomically(
            Array("version: 0\ntopic_id: \(identifier)".utf8), to: final + "/partition.metadata")
        try storage.writeAtomically(
            Array("0\n1\n0 0\n".utf8), to: final + "/leader-epoch-checkpoint")
        try Segment.create(0, in: final, storage).close()
        try storage.syncDirectory(final)
        try storage.syncDirectory(path)
    }

    /// Gives a new directory Kafka's `meta.properties`, and before it the file of published ends.
    static func writeFirstFiles(
        _ path: String, _ storage: any Storage
    ) throws(StorageError) {
        let file = path + "/meta.properties"
        guard try storage.kind(of: file) == nil else { return }
        let ends = path + "/" + CheckpointFile.published
        if try storage.kind(of: ends) == nil {
            try storage.writeAtomically(CheckpointFile.encode([:]), to: ends)
        }
        let text = """
            #
            node.id=1
            directory.id=\(KafkaUUID.random())
            version=1
            cluster.id=\(KafkaUUID.random())

            """
        try storage.writeAtomically(Array(text.utf8), to: file)
    }
}

/// Kafka's textual form of a UUID: 16 bytes in base64url without padding.
enum KafkaUUID {
    /// A random one (version 4); never in a record. It does not begin with a dash, which Kafka's
    /// command line would take for an option.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        while true {
            let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
            let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
            let text = encode(high, low)
            if text.first != "-" { return text }
        }
    }

    static func encode(_ high: UInt64, _ low: UInt64) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var rest = UInt128(high) << 64 | UInt128(low)
        // 128 bits are 21 digits of 6 bits and one of 2, which stands in the upper two bits.
        var digits = [alphabet[Int(rest & 3) << 4]]
        rest >>= 2
        for _ in 0..<21 {
            digits.append(alphabet[Int(rest & 63)])
            rest >>= 6
        }
        return String(digits.reversed())
    }
}
