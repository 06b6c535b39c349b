import CRdkafka
import RecordLog

/// The clients with which one worker reads. One client reads a partition once, so a second reader
/// of the same partition gets another client. Threading: one thread at a time.
final class KafkaReaders {
    private let settings: KafkaSettings
    let patience: KafkaPatience
    /// Told when records arrive; called on librdkafka's threads.
    let signal: ChangeSignal
    private var asker: KafkaHandle?
    private var readers: [(handle: KafkaHandle, places: Set<TopicPartition>)] = []

    init(_ settings: KafkaSettings, patience: KafkaPatience, signal: ChangeSignal) {
        self.settings = settings
        self.patience = patience
        self.signal = signal
    }

    /// A client that does not read the place; it counts as reading it from now on.
    func begin(_ place: TopicPartition) throws -> KafkaHandle {
        if let index = readers.firstIndex(where: { !$0.places.contains(place) }) {
            readers[index].places.insert(place)
            return readers[index].handle
        }
        let handle = try Self.makeHandle(settings)
        readers.append((handle, [place]))
        return handle
    }

    /// The client reads the place no longer.
    func end(_ place: TopicPartition, _ handle: KafkaHandle) {
        for index in readers.indices where readers[index].handle === handle {
            readers[index].places.remove(place)
        }
    }

    /// A client that reads nothing, to ask something: brokers answer in the order of the questions,
    /// and a client that reads has one open that waits for records.
    func asking() throws -> KafkaHandle {
        if let asker { return asker }
        let handle = try Self.makeHandle(settings)
        asker = handle
        return handle
    }

    private static func makeHandle(_ settings: KafkaSettings) throws -> KafkaHandle {
        try KafkaHandle(
            RD_KAFKA_CONSUMER, settings,
            [
                ("isolation.level", "read_committed"), ("enable.partition.eof", "true"),
                ("auto.offset.reset", "error"), ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
            ])
    }
}
