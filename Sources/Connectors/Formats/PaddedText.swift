/// Gives the values of a block's records as texts that may be read past their end: in place where
/// other records follow, else as a copy. One text at a time; one thread.
///
/// A class, so that a decoder asks for a text without a check of exclusive access for every row.
final class PaddedText {
    private var copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 0)

    deinit { copy.deallocate() }

    /// The `count` bytes from `start` on; they stay valid as long as the block and until the next
    /// call.
    @inline(__always)
    func text(
        _ block: UnsafeBufferPointer<UInt8>, _ start: Int, count: Int
    ) -> JSONText {
        start + count + JSONText.slack <= block.count
            ? JSONText(block.baseAddress.unsafelyUnwrapped + start, count: count)
            : text(UnsafeBufferPointer(rebasing: block[start..<start + count]))
    }

    /// A copy of some bytes.
    @inline(never)
    func text(_ bytes: UnsafeBufferPointer<UInt8>) -> JSONText {
        if bytes.count + JSONText.slack > copy.count {
            copy.deallocate()
            copy = .allocate(capacity: bytes.count * 2 + JSONText.slack)
            copy.initialize(repeating: 0)
        }
        let start = copy.baseAddress.unsafelyUnwrapped
        for index in bytes.indices { start[index] = bytes[index] }
        return JSONText(start, count: bytes.count)
    }
}
