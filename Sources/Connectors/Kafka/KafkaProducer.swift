import CRdkafka
import Foundation
import Primitives
import RecordLog

/// One worker's transactional producer: writes outputs, a journal record and positions in one
/// transaction. Threading: one thread at a time.
final class KafkaProducer {
    /// Why a transaction did not come through, and what holds then.
    enum Failure: Error {
        /// Nothing of it will ever be read; it can be written again.
        case aborted(KafkaError)
        /// Whether it was committed is not known. The client is gone.
        case indefinite(KafkaError)
    }

    private static let callMilliseconds: Int32 = 5000

    private let settings: KafkaSettings
    private let transactionalID: String
    private let patience: KafkaPatience
    private var handle: KafkaHandle?
    private let deliveries = Deliveries()
    private let decoder = RecordBatchDecoder()

    init(_ settings: KafkaSettings, transactionalID: String, patience: KafkaPatience) {
        self.settings = settings
        self.transactionalID = transactionalID
        self.patience = patience
    }

    /// Where the messages of the transaction under way were stored, by output.
    private final class Deliveries {
        private(set) var ranges: [(first: Int64, last: Int64, count: Int)] = []
        private(set) var error: KafkaError?

        func begin(_ outputs: Int) {
            ranges = Array(repeating: (.max, -1, 0), count: outputs)
            error = nil
        }

        func note(_ output: Int, _ offset: Int64, _ code: rd_kafka_resp_err_t) {
            guard ranges.indices.contains(output) else { return }
            // A batch that was sent twice may be confirmed without its offset.
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR, offset >= 0 else {
                if error == nil {
                    error =
                        code == RD_KAFKA_RESP_ERR_NO_ERROR
                        ? KafkaError(
                            RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER,
                            "a delivered message has no offset") : KafkaError(code)
                }
                return
            }
            ranges[output].first = min(ranges[output].first, offset)
            ranges[output].last = max(ranges[output].last, offset)
            ranges[output].count += 1
        }
    }

    /// The client, initialised: transactions that an earlier one of this id left open are over.
    private func open() throws -> KafkaHandle {
        if let handle { return handle }
        let context = KafkaHandle.Context()
        let deliveries = deliveries
        context.onDelivery = { deliveries.note($0, $1, $2) }
        let made = try KafkaHandle(
            RD_KAFKA_PRODUCER, settings,
            [
                ("transactional.id", transactionalID), ("enable.idempotence", "true"),
                ("transaction.timeout.ms", "10000"),
            ], context: context)
        try patience.call("transactions of \(transactionalID)", made) { () throws(KafkaError) in
            try KafkaError.check(rd_kafka_init_transactions(made.client, Self.callMilliseconds))
        }
        handle = made
        return made
    }

    /// Initialises the client: whatever else used the transactional id can commit nothing more,
    /// and what it left open is over.
    func prepare() throws { _ = try open() }

    /// What a transaction ends with: positions of a group, which fences it by its generation.
    struct Fence {
        var offsets: [(TopicPartition, Int64)]
        var group: OpaquePointer
    }

    /// What a transaction writes: records, then, when it is known where they stand, one or more
    /// that name them.
    struct Content {
        var outputs: [EpochOutput]
        var codecs: [TopicPartition: CompressionCodec]
        var last: ([Range<Int64>]) throws -> PartitionAppend
    }

    /// Writes a transaction until it is committed; returns where the outputs stand.
    ///
    /// `fence` is asked anew for each attempt. `stands` says, when the outcome of an attempt is
    /// not known, whether its last records are there. Throws `TasksLost` when the fence holds, a
    /// diagnostic for what no repetition helps, `TransportInterrupted`.
    func commit(
        _ content: Content, what: String, fence: () throws -> Fence? = { nil },
        stands: (PartitionAppend) throws -> Bool
    ) throws -> [Range<Int64>] {
        var wait = KafkaPatience.Wait(what: what)
        while true {
            var sent: (last: PartitionAppend, ranges: [Range<Int64>])?
            var attempt = content
            attempt.last = { ranges in
                let last = try content.last(ranges)
                sent = (last, ranges)
                return last
            }
            do {
                return try transaction(attempt, try fence())
            } catch Failure.aborted(let error) {
                try patience.check(&wait, error.text)
                Thread.sleep(forTimeInterval: 0.1)
            } catch Failure.indefinite(let error) {
                try patience.check(&wait, error.text)
                if let sent, try stands(sent.last) { return sent.ranges }
                if error.isFenced { throw TasksLost() }
            }
        }
    }

    private func transaction(_ content: Content, _ fence: Fence?) throws -> [Range<Int64>] {
        let handle = try open()
        let began = Date()
        do {
            try call(handle) { rd_kafka_begin_transaction(handle.client) }
            let count = content.outputs.count
            deliveries.begin(count + 1)
            for (index, output) in content.outputs.enumerated() {
                try send(
                    output.append, content.codecs[output.append.place] ?? .none, output: index,
                    handle)
            }
            try flush(handle)
            let ranges = deliveries.ranges.prefix(count).map { $0.first..<$0.last + 1 }
            let last = try content.last(Array(ranges))
            try send(last, content.codecs[last.place] ?? .none, output: count, handle)
            try flush(handle)
            if let fence { try sendOffsets(fence, handle) }
            try call(handle) {
                rd_kafka_commit_transaction(handle.client, Self.callMilliseconds)
            }
            settings.metrics?.observe(.transactionSeconds, Date().timeIntervalSince(began))
            settings.metrics?.add(.transactions, 1, [("outcome", "committed")])
            return Array(ranges)
        } catch let error as KafkaError {
            settings.metrics?.add(.transactions, 1, [("outcome", "failed")])
            throw try resolve(error, handle)
        } catch {
            abandon(handle)
            throw error
        }
    }

    /// Ends a transaction that nothing follows, so that readers do not wait for its timeout.
    private func abandon(_ handle: KafkaHandle) {
        try? KafkaError.check(rd_kafka_abort_transaction(handle.client, 1000))
        self.handle = nil
    }

    /// Makes a transactional call until it is done or fails for good.
    private func call(_ handle: KafkaHandle, _ body: () -> OpaquePointer?) throws {
        var wait = KafkaPatience.Wait(what: "a transaction of \(transactionalID)")
        while true {
            do throws(KafkaError) {
                return try KafkaError.check(body())
            } catch {
                guard error.remedy == .retry else { throw error }
                try patience.check(&wait, handle.lastLog ?? error.text)
            }
        }
    }

    /// Ends a transaction that has failed, and says what holds of it.
    private func resolve(_ error: KafkaError, _ handle: KafkaHandle) throws -> any Error {
        if error.remedy != .close {
            do {
                try call(handle) {
                    rd_kafka_abort_transaction(handle.client, Self.callMilliseconds)
                }
                return error.isFenced ? TasksLost() : Failure.aborted(error)
            } catch is KafkaError {}
        }
        self.handle = nil
        return Failure.indefinite(error)
    }

    private func sendOffsets(_ fence: Fence, _ handle: KafkaHandle) throws {
        let list = rd_kafka_topic_partition_list_new(Int32(fence.offsets.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (place, offset) in fence.offsets {
            rd_kafka_topic_partition_list_add(list, place.topic, Int32(place.partition))
                .pointee.offset = offset
        }
        try call(handle) {
            rd_kafka_send_offsets_to_transaction(
                handle.client, list, fence.group, Self.callMilliseconds)
        }
    }

    // MARK: Messages

    private func send(
        _ append: PartitionAppend, _ codec: CompressionCodec, output: Int,
        _ handle: KafkaHandle
    ) throws {
        let topic = try handle.topic(append.place.topic, [("compression.codec", "\(codec)")])
        for batch in append.batches {
            let block = try decoder.decodeAll(batch)
            for row in 0..<block.count {
                try send(block, row, topic, append.place, output: output, handle)
            }
        }
    }

    private func send(
        _ block: RecordBlock, _ row: Int, _ topic: OpaquePointer, _ place: TopicPartition,
        output: Int, _ handle: KafkaHandle
    ) throws {
        var wait = KafkaPatience.Wait(what: "room for records of \(place)")
        while true {
            let headers = try headers(of: block, row)
            let code = block.bytes.withUnsafeBytes { bytes in
                func part(_ start: Int32, _ length: Int32) -> UnsafeRawPointer? {
                    length < 0 ? nil : bytes.baseAddress.map { $0 + Int(start) }
                }
                return plumbline_rdkafka_produce(
                    handle.client, topic, Int32(place.partition),
                    // The library takes 0 for "now".
                    max(block.timestamps[row], 1),
                    part(block.keyStarts[row], block.keyLengths[row]),
                    Int(max(block.keyLengths[row], 0)),
                    part(block.valueStarts[row], block.valueLengths[row]),
                    Int(max(block.valueLengths[row], 0)), headers,
                    UnsafeMutableRawPointer(bitPattern: output))
            }
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { return }
            if let headers { rd_kafka_headers_destroy(headers) }
            switch code {
            case RD_KAFKA_RESP_ERR__QUEUE_FULL:
                handle.poll(100)
                try patience.check(&wait, handle.lastLog)
            case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
                throw KafkaError(code).diagnostic(
                    "a record of \(block.valueLengths[row]) bytes for \(place)")
            default: throw KafkaError(code)
            }
        }
    }

    /// A row's headers as librdkafka takes them; nil when it has none.
    private func headers(of block: RecordBlock, _ row: Int) throws -> OpaquePointer? {
        guard block.headerCounts[row] > 0 else { return nil }
        let headers = rd_kafka_headers_new(Int(block.headerCounts[row]))
        for header in block.headers(row) {
            let code = header.key.withUnsafeBytes { name in
                name.withMemoryRebound(to: CChar.self) { name in
                    guard let value = header.value else {
                        return rd_kafka_header_add(
                            headers, name.baseAddress, name.count, nil, 0)
                    }
                    return value.withUnsafeBytes { bytes in
                        rd_kafka_header_add(
                            headers, name.baseAddress, name.count, bytes.baseAddress,
                            bytes.count)
                    }
                }
            }
            try KafkaError.check(code)
        }
        return headers
    }

    /// Waits until everything that was sent is stored; throws when a message is not.
    private func flush(_ handle: KafkaHandle) throws {
        var wait = KafkaPatience.Wait(what: "records of \(transactionalID) to be stored")
        while rd_kafka_outq_len(handle.client) > 0 {
            rd_kafka_flush(handle.client, 1000)
            try patience.check(&wait, handle.lastLog)
        }
        if let error = deliveries.error { throw error }
    }
}
