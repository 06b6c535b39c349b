import Crypto

/// The SHA-256 of bytes that come in pieces. One thread.
package struct ContentHash {
    private var hash = SHA256()

    package init() {}

    /// Takes the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    /// The 32 bytes of the hash of all bytes so far.
    package func finalize() -> [UInt8] { Array(hash.finalize()) }

    /// The hash of some bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
