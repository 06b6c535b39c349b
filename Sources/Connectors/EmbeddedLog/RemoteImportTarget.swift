import Glibc
import Primitives

/// The process that held the log has ended in the middle of an import. What it had answered is
/// stored; the import may go on with another target.
package struct ImportConnectionLost: Error, CustomStringConvertible {
    package let dataPath: String

    package var description: String {
        "the process that holds \(dataPath) has ended; start the import again, it goes on where it"
            + " was broken off"
    }
}

/// Hands an import over to the process that holds the log, over its socket.
package final class RemoteImportTarget: ImportTarget {
    private let dataPath: String
    private var descriptor: Int32

    private init(dataPath: String, descriptor: Int32) {
        self.dataPath = dataPath
        self.descriptor = descriptor
    }

    deinit { disconnect() }

    /// A connection to the process that holds a data directory; nil when none answers.
    static func connect(_ dataPath: String) throws -> RemoteImportTarget? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ImportSocket.failure(.open, dataPath) }
        let result = try ImportSocket.withAddress(in: dataPath) { address, length in
            Glibc.connect(descriptor, address, length)
        }
        if result == 0 { return RemoteImportTarget(dataPath: dataPath, descriptor: descriptor) }
        let error = ImportSocket.failure(.open, "\(dataPath)/\(ImportSocket.name)")
        _ = Glibc.close(descriptor)
        guard error.code == ENOENT || error.code == ECONNREFUSED else { throw error }
        return nil
    }

    package func ensureTopic(_ name: String, partitions: Int?) throws -> [Int64] {
        var frame = ImportSocket.frame(.ensureTopic)
        ImportSocket.append(name, to: &frame)
        // 0 is no count, so that a wrong one is judged at the other end.
        frame.appendBigEndian(Int32(clamping: partitions.map { $0 == 0 ? -1 : $0 } ?? 0))
        return try request(frame)
    }

    package func recordCounts(
        topic: String, producerID: Int64, from offsets: [Int64]
    ) throws -> [Int64] {
        var frame = ImportSocket.frame(.recordCounts)
        ImportSocket.append(topic, to: &frame)
        frame.appendBigEndian(producerID)
        frame.appendBigEndian(Int32(clamping: offsets.count))
        for offset in offsets { frame.appendBigEndian(offset) }
        let counts = try request(frame)
        guard counts.count == offsets.count else { throw lost() }
        return counts
    }

    package func append(topic: String, _ batches: [ImportBatch]) throws {
        var rest = batches[...]
        while !rest.isEmpty {
            var bytes = 0
            let part = rest.prefix { batch in
                bytes += batch.bytes.count + 8
                return bytes <= ImportSocket.maximumFrameBytes / 2
            }
            // A single batch that is longer goes alone.
            let count = max(part.count, 1)
            try send(topic, rest.prefix(count))
            rest = rest.dropFirst(count)
        }
    }

    private func send(_ topic: String, _ batches: ArraySlice<ImportBatch>) throws {
        var frame = ImportSocket.frame(.append)
        frame.reserveCapacity(batches.reduce(64) { $0 + $1.bytes.count + 8 })
        ImportSocket.append(topic, to: &frame)
        frame.appendBigEndian(Int32(clamping: batches.count))
        for batch in batches {
            frame.appendBigEndian(Int32(clamping: batch.partition))
            frame.appendBigEndian(Int32(clamping: batch.bytes.count))
            frame += batch.bytes
        }
        _ = try request(frame)
    }

    package func close() throws { disconnect() }

    private func disconnect() {
        guard descriptor >= 0 else { return }
        _ = Glibc.close(descriptor)
        descriptor = -1
    }

    private func lost() -> ImportConnectionLost { ImportConnectionLost(dataPath: dataPath) }

    private func request(_ frame: [UInt8]) throws -> [Int64] {
        guard ImportSocket.send(frame, on: descriptor),
            var reply = ImportSocket.receive(on: descriptor)
        else { throw lost() }
        switch ImportSocket.Kind(rawValue: reply.kind) {
        case .numbers:
            guard let count = reply.body.readInt32() else { throw lost() }
            var numbers: [Int64] = []
            for _ in 0..<max(count, 0) {
                guard let number = reply.body.readInt64() else { throw lost() }
                numbers.append(number)
            }
            return numbers
        case .error:
            guard let message = reply.body.readText(), let hint = reply.body.readText()
            else { throw lost() }
            throw Diagnostic(message, hint: hint.isEmpty ? nil : hint)
        default: throw lost()
        }
    }
}
