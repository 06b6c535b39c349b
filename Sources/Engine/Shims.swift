import Columnar
import RecordLog

func arrivalTimes(_ block: RecordBlock, rows: Range<Int>) -> [Int64] {
    Array(block.timestamps[rows])
}
func carriedHeaders(_ block: RecordBlock, rows: Range<Int>) -> ByteValues? { nil }
enum Partitioner {
    static func partition(of key: [UInt8], count: Int) -> Int { 0 }
}
