import Foundation
import Glibc
import Primitives

/// Answers `GET /metrics` over HTTP on the loopback address, one request a connection.
///
/// Threading: made on one thread, serves on one of its own, until the process ends.
final class MetricsServer: Sendable {
    /// Longest request that is read.
    private static let mostBytes = 8 << 10
    /// A client that is slower is hung up on.
    private static let patienceSeconds = 2

    private let descriptor: Int32
    private let text: @Sendable () -> String
    /// The port that it listens on.
    let port: UInt16

    /// Port 0 takes a free one. Throws when the port is taken.
    init(port: UInt16, _ text: @escaping @Sendable () -> String) throws {
        self.text = text
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var reuse: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isOpen else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw Diagnostic(
                "--metrics \(port): \(reason)", hint: "name another port; 0 takes a free one")
        }
        self.port = UInt16(bigEndian: address.sin_port)
    }

    func start() {
        let thread = Thread { [self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else {
                    // Out of descriptors, for example: later there may be some.
                    usleep(100_000)
                    continue
                }
                answer(client)
                close(client)
            }
        }
        thread.name = "plumbline metrics"
        thread.start()
    }

    private func answer(_ client: Int32) {
        var limit = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                client, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard let request = read(client) else { return }
        let words = request.split(separator: " ", maxSplits: 2)
        let path = words.count > 1 ? words[1].prefix { $0 != "?" } : ""
        var status = "200 OK"
        var body = ""
        if words.first != "GET" && words.first != "HEAD" {
            status = "405 Method Not Allowed"
        } else if path == "/metrics" {
            body = text()
        } else {
            status = "404 Not Found"
            body = "figures are at /metrics\n"
        }
        let head =
            "HTTP/1.1 \(status)\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        write(Array((words.first == "HEAD" ? head : head + body).utf8), to: client)
    }

    /// The request up to the end of its head; nil when it does not come.
    private func read(_ client: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        while bytes.count < Self.mostBytes {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            if text.contains("\r\n\r\n") { return text }
        }
        return nil
    }

    private func write(_ bytes: [UInt8], to client: Int32) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                send(
                    client, all.baseAddress.map { $0 + done }, all.count - done,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            done += count
        }
    }
}
