import Glibc
import Primitives

/// Bytes to standard output, past the buffers of `print`.
enum StandardOutput {
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Columns of the terminal; nil when standard output is none, or does not say.
    static var columns: Int? {
        var size = winsize()
        guard isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0
        else { return nil }
        return Int(size.ws_col)
    }

    /// Fills the places of standard streams that are closed, so that no file that is opened later
    /// takes one and gets the messages. What is written to them fails as it did.
    static func claimDescriptors() {
        for descriptor in STDIN_FILENO...STDERR_FILENO
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // The lowest free number is this one; it is opened for what nobody does with it.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Writes all of a buffer and empties it. With `isStopped` it asks, while the reader at the
    /// other end takes nothing, whether to give up, and then leaves the rest in the buffer.
    static func write(_ output: inout [UInt8], unless isStopped: (() -> Bool)? = nil) throws {
        var done = 0
        defer { output.removeFirst(done) }
        while done < output.count {
            var size = output.count - done
            if let isStopped {
                // So much never blocks once the reader is ready (POSIX: PIPE_BUF).
                size = min(size, Int(PIPE_BUF))
                var poller = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                if poll(&poller, 1, 200) == 0 {
                    if isStopped() { return }
                    continue
                }
            }
            let step = output.withUnsafeBytes { bytes in
                Glibc.write(STDOUT_FILENO, bytes.baseAddress.map { $0 + done }, size)
            }
            if step < 0, errno == EINTR { continue }
            guard step > 0 else {
                let code = errno
                throw Diagnostic(
                    "cannot write the output: \(String(cString: strerror(code)))",
                    hint: code == ENOSPC ? "free some space, or send it elsewhere" : nil)
            }
            done += step
        }
    }
}
