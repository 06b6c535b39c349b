/// Why a record could not be used: the stable name that stands in its reject record.
package struct RejectReason: Hashable, Sendable {
    package let name: String

    package init(name: String) { self.name = name }

    package static let malformed = RejectReason(name: "malformed")
    package static let unknownSchema = RejectReason(name: "unknown-schema")
    package static let precision = RejectReason(name: "precision")
    package static let outOfRange = RejectReason(name: "out-of-range")
    package static let missingField = RejectReason(name: "missing-field")
    package static let wrongType = RejectReason(name: "wrong-type")
    package static let checksum = RejectReason(name: "crc")
    package static let clock = RejectReason(name: "clock")
    package static let late = RejectReason(name: "late")
    package static let outOfOrder = RejectReason(name: "out-of-order")
    package static let duplicate = RejectReason(name: "duplicate")
    package static let unmatched = RejectReason(name: "unmatched")
    package static let wrongPartition = RejectReason(name: "wrong-partition")
    package static let unexpected = RejectReason(name: "unexpected")
    package static let nullValue = RejectReason(name: "null-value")
}
