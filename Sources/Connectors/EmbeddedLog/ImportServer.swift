import Foundation
import Glibc
import Primitives
import RecordLog

/// Takes imports of other processes while this one holds the log: the other end of
/// ``RemoteImportTarget``. The protocol is ``ImportSocket``'s.
///
/// Threading: `start()` and `stop()` from one thread, in this order; it runs threads of its own.
package final class ImportServer: @unchecked Sendable {
    // `@unchecked`: everything that changes is guarded by `condition`.

    private static let maximumConnections = 16

    private let dataPath: String
    private let appender: ImportAppender
    private let listener: Int32
    private let condition = NSCondition()
    private var connections: Set<Int32> = []
    private var isAccepting = false
    private var isStopped = false

    /// Binds the socket in the log's data directory, for this user only. One that is there is a
    /// dead process's: `log` holds the directory.
    package init(log: EmbeddedLog) throws {
        dataPath = log.path
        appender = ImportAppender(log: log)
        let path = "\(dataPath)/\(ImportSocket.name)"
        guard unlink(path) == 0 || errno == ENOENT else {
            throw ImportSocket.failure(.remove, path)
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ImportSocket.failure(.open, path) }
        listener = descriptor
        // Before `bind`, so that there is no moment at which others may connect.
        fchmod(descriptor, 0o600)
        let bound = try ImportSocket.withAddress(in: dataPath) { address, length in
            bind(descriptor, address, length)
        }
        guard bound == 0, chmod(path, 0o600) == 0, listen(descriptor, 16) == 0 else {
            let error = ImportSocket.failure(.open, path)
            close(descriptor)
            throw error
        }
    }

    /// Starts to take connections.
    package func start() {
        condition.lock()
        isAccepting = true
        condition.unlock()
        Thread.detachNewThread { self.accept() }
    }

    /// Lets requests that have begun end, then closes all connections and removes the socket. Does
    /// nothing the second time.
    package func stop() {
        condition.lock()
        guard !isStopped else { return condition.unlock() }
        isStopped = true
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in connections { shutdown(connection, Int32(SHUT_RD)) }
        while isAccepting || !connections.isEmpty { condition.wait() }
        condition.unlock()
        unlink("\(dataPath)/\(ImportSocket.name)")
        close(listener)
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            let error = errno
            if connection >= 0 { _ = fcntl(connection, F_SETFD, FD_CLOEXEC) }
            condition.lock()
            if isStopped {
                if connection >= 0 { close(connection) }
                isAccepting = false
                condition.broadcast()
                condition.unlock()
                return
            }
            let isFull = connections.count >= Self.maximumConnections
            if connection >= 0, !isFull { connections.insert(connection) }
            condition.unlock()
            if connection < 0 {
                // Too many open files, for example; not for ever.
                if error != EINTR { usleep(50_000) }
            } else if isFull {
                _ = ImportSocket.send(
                    Self.reply(Diagnostic("too many imports at once", hint: "try again later")),
                    on: connection)
                close(connection)
            } else {
                Thread.detachNewThread { self.serve(connection) }
            }
        }
    }

    private func serve(_ connection: Int32) {
        while let (kind, body) = ImportSocket.receive(on: connection) {
            let reply = answer(kind, body)
            guard ImportSocket.send(reply, on: connection) else { break }
        }
        condition.lock()
        connections.remove(connection)
        close(connection)
        condition.broadcast()
        condition.unlock()
    }

    private func answer(_ kind: UInt8, _ body: ByteCursor) -> [UInt8] {
        do {
            guard let kind = ImportSocket.Kind(rawValue: kind),
                let numbers = try perform(kind, body)
            else { throw Diagnostic("a request of an import could not be read") }
            var frame = ImportSocket.frame(.numbers)
            frame.appendBigEndian(Int32(clamping: numbers.count))
            for number in numbers { frame.appendBigEndian(number) }
            return frame
        } catch let diagnostic as Diagnostic {
            return Self.reply(diagnostic)
        } catch {
            return Self.reply(Diagnostic("\(error)"))
        }
    }

    private static func reply(_ diagnostic: Diagnostic) -> [UInt8] {
        var frame = ImportSocket.frame(.error)
        ImportSocket.append(diagnostic.message, to: &frame)
        ImportSocket.append(diagnostic.hint ?? "", to: &frame)
        return frame
    }

    /// Does what a request asks; nil when its body cannot be read.
    private func perform(_ kind: ImportSocket.Kind, _ body: ByteCursor) throws -> [Int64]? {
        var body = body
        guard let topic = body.readText() else { return nil }
        switch kind {
        case .ensureTopic:
            guard let partitions = body.readInt32() else { return nil }
            return try appender.ensureTopic(
                topic, partitions: partitions == 0 ? nil : Int(partitions))
        case .recordCounts:
            guard let producerID = body.readInt64(), let count = body.readInt32() else {
                return nil
            }
            var offsets: [Int64] = []
            for _ in 0..<max(count, 0) {
                guard let offset = body.readInt64() else { return nil }
                offsets.append(offset)
            }
            return try appender.recordCounts(
                topic: topic, producerID: producerID, from: offsets)
        case .append:
            guard let count = body.readInt32() else { return nil }
            var batches: [ImportBatch] = []
            for _ in 0..<max(count, 0) {
                guard let partition = body.readInt32(), let length = body.readInt32(),
                    let bytes = body.readBytes(Int(length))
                else { return nil }
                batches.append(ImportBatch(partition: Int(partition), bytes: bytes))
            }
            try appender.append(topic: topic, batches)
            return []
        case .numbers, .error: return nil
        }
    }
}
