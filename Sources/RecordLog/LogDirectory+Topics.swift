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
    /// was interrupted is not listed; partitions whose directories are gone count where records of
    /// them were published.
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
        partitions = partitions.filter { $0.value.contains(0) }
        // Without that file there is nothing published to be read, which is told where it is read.
        let published = (try? CheckpointFile.readPublished(path, storage)) ?? [:]
        for (place, end) in published where end > 0 {
            partitions[place.topic]?.insert(place.partition)
        }
        return partitions.map { name, numbers in
            TopicDescription(name: name, partitionCount: (numbers.max() ?? 0) + 1)
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
        for place in try partitions(of: topic) { try removeEmptyPartition(place) }
    }

    /// Removes a topic of which no record was ever published, what was stored of it too; false when
    /// one was. Its partitions must not have been opened.
    package func removeTopicWithoutRecords(_ name: String) throws(RecordLogError) -> Bool {
        let places = try partitions(of: name)
        guard places.allSatisfy({ state.published($0) == 0 }) else { return false }
        // The first goes first: then there is no topic of the name.
        for place in places {
            try storageCall { () throws(StorageError) in
                try removePartition(place, files: try storage.list("\(path)/\(place)"))
            }
        }
        return true
    }

    /// The partitions whose directories are there, ascending.
    private func partitions(of topic: String) throws(RecordLogError) -> [TopicPartition] {
        try storageCall { () throws(StorageError) in try storage.list(path) }
            .compactMap(TopicPartition.init(directoryName:)).filter { $0.topic == topic }.sorted()
    }

    /// The partitions of a topic of `count` whose directories are gone while others are there. A
    /// topic whose creation was interrupted has lost none.
    package func lostPartitions(of topic: String, count: Int) throws(RecordLogError) -> [Int] {
        let there = Set(try partitions(of: topic).map(\.partition))
        let all = 0..<count
        let wasWhole =
            there.contains(0) || all.contains { state.published(TopicPartition(topic, $0)) > 0 }
        return wasWhole && !there.isEmpty ? all.filter { !there.contains($0) } : []
    }

    /// Makes directories of lost partitions again, without records.
    package func restorePartitions(
        of topic: String, _ numbers: [Int]
    ) throws(RecordLogError) {
        guard let sibling = try partitions(of: topic).first else { return }
        let metadata = "\(path)/\(sibling)/partition.metadata"
        try storageCall { () throws(StorageError) in
            // A topic has one identifier, which each partition states.
            let text = try storage.contents(of: metadata).map {
                String(decoding: $0, as: UTF8.self)
            }
            let line = text?.split(separator: "\n").first { $0.hasPrefix("topic_id: ") }
            let identifier = line.map { String($0.dropFirst(10)) } ?? KafkaUUID.random()
            for number in numbers.sorted(by: >) {
                try createPartition(TopicPartition(topic, number), identifier)
            }
        }
    }

    private func removePartition(
        _ place: TopicPartition, files: [String]
    ) throws(StorageError) {
        for file in files { try storage.remove("\(path)/\(place)/\(file)") }
        try storage.removeDirectory("\(path)/\(place)")
    }

    private func removeEmptyPartition(_ place: TopicPartition) throws(RecordLogError) {
        let directory = "\(path)/\(place)"
        let files = try storageCall { () throws(StorageError) in try storage.list(directory) }
        for file in files where file.hasSuffix(".log") {
            let size = try storageCall { () throws(StorageError) in
                try storage.open(directory + "/" + file, .read).size()
            }
            guard size == 0 else {
                throw .malformedFile(
                    path: directory + "/" + file,
                    reason: "topic \(place.topic) has records here but no partition 0;"
                        + " move this directory away or choose another topic name")
            }
        }
        try storageCall { () throws(StorageError) in try removePartition(place, files: files) }
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
