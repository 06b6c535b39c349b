import Columnar
import RecordLog

extension RecordBlock: RawRecords {
    /// A copy of a record's key; all records are of one input. O(log records).
    package func key(at place: RecordPlace) -> [UInt8]? {
        row(at: place.offset).flatMap { bytes(keyStarts[$0], keyLengths[$0]) }
    }

    /// A copy of a record's value. O(log records).
    package func value(at place: RecordPlace) -> [UInt8]? {
        row(at: place.offset).flatMap { bytes(valueStarts[$0], valueLengths[$0]) }
    }

    private func bytes(_ start: Int32, _ length: Int32) -> [UInt8]? {
        length < 0 ? nil : Array(bytes[Int(start)..<Int(start) + Int(length)])
    }
}
