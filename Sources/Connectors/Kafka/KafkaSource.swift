import CRdkafka
import Foundation
import Primitives
import RecordLog

/// One partition of a cluster's topic as a task reads it: batches of messages, straight from
/// librdkafka's queue into a record block.
///
/// Threading: one task owns it, one thread at a time.
final class KafkaSource: RecordSource {
    /// Messages taken from the queue at a time.
    private static let batchCount = 2048
    /// How long an observed end counts as the end now.
    private static let freshSeconds = 0.5

    private typealias Message = UnsafeMutablePointer<rd_kafka_message_t>

    private let place: TopicPartition
    private let readers: KafkaReaders
    private var reading: (handle: KafkaHandle, topic: OpaquePointer, queue: OpaquePointer)?
    /// Offset of the next message of the queue.
    private var next: Int64 = 0
    /// The committed end, as observed after the last message.
    private var observedEnd: (offset: Int64, time: Date)?
    /// The block read last, and from where on it holds all records.
    private var last: (start: Int64, block: RecordBlock)?
    private let messages: UnsafeMutablePointer<Message?>
    private let blocks = RecordBlockCopier()

    init(_ place: TopicPartition, _ readers: KafkaReaders) {
        self.place = place
        self.readers = readers
        messages = .allocate(capacity: Self.batchCount)
        messages.initialize(repeating: nil, count: Self.batchCount)
    }

    deinit {
        stop()
        messages.deallocate()
    }

    func firstOffset() throws -> Int64 { try ends().first }

    private func end() throws -> Int64 {
        let handle = try readers.asking()
        return try readers.patience.call("the end of \(place)", handle) { () throws(KafkaError) in
            try handle.end(place.topic, place.partition)
        }
    }

    func committedEnd() throws -> Int64 { try freshEnd() }

    private func ends() throws -> (first: Int64, end: Int64) {
        let handle = try readers.asking()
        return try readers.patience.call("the ends of \(place)", handle) {
            () throws(KafkaError) in
            try handle.ends(place.topic, place.partition)
        }
    }

    /// Waits until records arrive or the end is known, so nil always means the end. What lies
    /// before `limit` is committed, whatever the end was when it was last observed.
    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        // Recovery reads up to each epoch's end, and from there again.
        if let last, next != offset, offset >= last.start, offset < last.block.nextOffset {
            return last.block
        }
        if next != offset {
            stop()
            next = offset
            observedEnd = nil
        }
        var wait = KafkaPatience.Wait(what: "records of \(place)")
        while true {
            if let reading {
                let count = rd_kafka_consume_batch_queue(
                    reading.queue, 0, messages, Self.batchCount)
                if count > 0, let block = try take(count, from: offset) { return block }
            }
            if next >= limit ?? 0 {
                guard try freshEnd() > next else { return nil }
            }
            if reading == nil { try start() }
            guard let reading else { return nil }
            messages[0] = rd_kafka_consume_queue(reading.queue, 100)
            if messages[0] != nil, let block = try take(1, from: offset) { return block }
            try readers.patience.check(&wait, reading.handle.lastLog)
        }
    }

    /// The committed end as observed after the last message and not long ago.
    private func freshEnd() throws -> Int64 {
        if let observedEnd,
            observedEnd.offset > next
                || Date().timeIntervalSince(observedEnd.time) < Self.freshSeconds
        {
            return observedEnd.offset
        }
        let now = Date()
        let end = try end()
        observedEnd = (end, now)
        // Serves what the client has to say.
        reading?.handle.poll(0)
        return end
    }

    // MARK: Start and stop

    /// Fetches from `next` on. Only when there is something to fetch: a client that is told of a
    /// partition at its end waits for more with all its partitions.
    private func start() throws {
        let handle = try readers.begin(place)
        let topic: OpaquePointer
        do {
            topic = try handle.topic(place.topic)
        } catch {
            readers.end(place, handle)
            throw error
        }
        guard let queue = rd_kafka_queue_new(handle.client) else {
            readers.end(place, handle)
            throw Diagnostic("\(place) cannot be read: out of memory")
        }
        reading = (handle, topic, queue)
        rd_kafka_queue_cb_event_enable(
            queue,
            { _, opaque in
                guard let opaque else { return }
                Unmanaged<ChangeSignal>.fromOpaque(opaque).takeUnretainedValue().change()
            }, Unmanaged.passUnretained(readers.signal).toOpaque())
        guard
            rd_kafka_consume_start_queue(topic, Int32(place.partition), next, queue) == 0
        else {
            throw KafkaError(rd_kafka_last_error()).diagnostic("\(place) cannot be read")
        }
    }

    private func stop() {
        guard let reading else { return }
        rd_kafka_consume_stop(reading.topic, Int32(place.partition))
        rd_kafka_queue_cb_event_enable(reading.queue, nil, nil)
        rd_kafka_queue_destroy(reading.queue)
        readers.end(place, reading.handle)
        self.reading = nil
    }

    // MARK: Messages

    /// Copies messages into a block and frees them. Nil when none brought anything: no record and
    /// no offset passed.
    private func take(_ count: Int, from offset: Int64) throws -> RecordBlock? {
        defer {
            for index in 0..<count {
                if let message = messages[index] { rd_kafka_message_destroy(message) }
                messages[index] = nil
            }
        }
        blocks.begin()
        for index in 0..<count {
            guard let message = messages[index] else { continue }
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                // A message before the start may be in the first batch.
                guard message.pointee.offset >= next else { continue }
                try blocks.append(message)
                next = message.pointee.offset + 1
                observedEnd = nil
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                next = max(next, message.pointee.offset)
                observedEnd = (next, Date())
            default: try refuse(message)
            }
        }
        // Transactions' markers take offsets: the end passes them.
        guard blocks.count > 0 || next > offset else { return nil }
        let block = blocks.finish(nextOffset: next)
        last = (offset, block)
        return block
    }

    private func refuse(_ message: Message) throws {
        let error = KafkaError(message.pointee.err)
        guard !error.isTemporary else { return }
        switch error.code {
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            let ends = try ends()
            throw Diagnostic(
                "\(place) has no offset \(next): it holds \(ends.first) to \(ends.end)",
                hint: "records that were not yet read, or that re-execution needs, are gone:"
                    + " retention removed them or the topic was made anew. Keep inputs at least"
                    + " back to the last snapshot; to begin anew raise the topology's version")
        default:
            let text = message.pointee.payload.map { payload in
                String(
                    decoding: UnsafeRawBufferPointer(start: payload, count: message.pointee.len),
                    as: UTF8.self)
            }
            throw error.diagnostic("\(place) cannot be read", lastLog: text)
        }
    }
}
