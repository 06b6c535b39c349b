/// Deviations from the standard that a frame may have and is still read. The names are stable:
/// users filter by them. The meaning of each is in `docs/reference/hj212.md`.
enum HJ212Tag: Int, CaseIterable {
    case shortLength
    case lowerCaseCRC
    case missingQN
    case badQN
    case emptyMN
    case missingMN
    case irregularMN
    case missingFlag
    case unknownVersion
    case splitFlagWithoutPacket
    case packetWithoutSplitFlag
    case headerAfterData
    case trailingSemicolon
    case emptyItem
    case badItem
    case emptyValue
    case unknownSuffix
    case duplicateItem
    case timeFromQN
    case badDataTime
    case timeWithMilliseconds
    case dayOfYear
    case encrypted

    /// As it stands in `@tags`.
    var name: String {
        switch self {
        case .shortLength: "short-length"
        case .lowerCaseCRC: "lower-case-crc"
        case .missingQN: "missing-qn"
        case .badQN: "bad-qn"
        case .emptyMN: "empty-mn"
        case .missingMN: "missing-mn"
        case .irregularMN: "irregular-mn"
        case .missingFlag: "missing-flag"
        case .unknownVersion: "unknown-version"
        case .splitFlagWithoutPacket: "split-flag-without-packet-number"
        case .packetWithoutSplitFlag: "packet-number-without-split-flag"
        case .headerAfterData: "header-after-data"
        case .trailingSemicolon: "trailing-semicolon"
        case .emptyItem: "empty-item"
        case .badItem: "bad-item"
        case .emptyValue: "empty-value"
        case .unknownSuffix: "unknown-suffix"
        case .duplicateItem: "duplicate-item"
        case .timeFromQN: "time-from-qn"
        case .badDataTime: "bad-data-time"
        case .timeWithMilliseconds: "time-with-milliseconds"
        case .dayOfYear: "day-of-year"
        case .encrypted: "encrypted"
        }
    }
}

/// A set of ``HJ212Tag``.
struct HJ212Tags: Equatable {
    private(set) var bits: UInt32 = 0

    mutating func insert(_ tag: HJ212Tag) { bits |= 1 << UInt32(tag.rawValue) }

    func contains(_ tag: HJ212Tag) -> Bool { bits & 1 << UInt32(tag.rawValue) != 0 }

    /// The names in the order of ``HJ212Tag``, joined by commas; empty for a clean frame.
    var text: String {
        bits == 0
            ? "" : HJ212Tag.allCases.filter { contains($0) }.map(\.name).joined(separator: ",")
    }
}
