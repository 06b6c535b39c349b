import Columnar
import Primitives

/// The table of keys: the hash table of the engine.
let keyCases = [
    MicroEntry("keys: 2,000 in turn") { known(keys: 2_000, inTurn: true) },
    MicroEntry("keys: 2,000 at random") { known(keys: 2_000, inTurn: false) },
    MicroEntry("keys: 1,000,000 at random") { known(keys: 1_000_000, inTurn: false) },
    MicroEntry("keys: a new one each time", new),
]

private func name(_ number: Int) -> [UInt8] {
    let digits = String(number)
    return Array("device-\(String(repeating: "0", count: 8 - digits.count))\(digits)".utf8)
}

private func known(keys count: Int, inTurn: Bool) -> MicroCase {
    var table = KeyTable()
    for number in 0..<count { _ = table.intern(name(number)) }
    var random = RandomSource(seed: 5)
    let rounds = (0..<16).map { round in
        var bytes = ByteValues()
        for row in 0..<Batch.maximumRowCount {
            let turn = (round * Batch.maximumRowCount + row) % count
            bytes.append(name(inTurn ? turn : random.int(in: 0...count - 1)))
        }
        return bytes
    }
    return interning(table) { rounds[$0 % 16] }
}

/// Each key new: the table grows, amortised.
@Sendable private func new() -> MicroCase {
    interning(KeyTable()) { n in
        var bytes = ByteValues()
        for row in 0..<Batch.maximumRowCount {
            bytes.append(name((n * Batch.maximumRowCount + row) % 99_999_999))
        }
        return bytes
    }
}

private func interning(_ table: KeyTable, _ keys: @escaping (Int) -> ByteValues) -> MicroCase {
    let table = Box(table)
    let codes = Box([Int32](repeating: 0, count: Batch.maximumRowCount))
    let ready = Box<[Int: ByteValues]>([:])
    return MicroCase(
        count: Batch.maximumRowCount,
        prepare: { n in ready.value[n] = keys(n) },
        result: {
            var digest = Digest()
            for code in codes.value { digest.add(code) }
            return digest
        },
        run: { n in
            guard let keys = ready.value.removeValue(forKey: n) else { return }
            intern(keys, &table.value, &codes.value)
        })
}

/// As a decoder does it: one access to the table a batch.
private func intern(_ keys: ByteValues, _ table: inout KeyTable, _ codes: inout [Int32]) {
    let bytes = keys.bytes.span
    for row in codes.indices { codes[row] = table.intern(bytes.extracting(keys.range(row))) }
}
