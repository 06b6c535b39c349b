/// Names of items in an HJ 212 data area.
enum HJ212Names {
    /// What may follow the hyphen of an item's name: HJ 212-2017 tables 6 and 9, and two counters
    /// that devices in the field send.
    private static let suffixes: [[UInt8]] = [
        "Rtd", "Min", "Avg", "Max", "Cou", "Flag", "EFlag", "ZsRtd", "ZsMin", "ZsAvg", "ZsMax",
        "ZsCou", "SampleTime", "Data", "DayData", "NightData", "RS", "RT", "Info", "SN",
        "LowValue", "UpValue", "Ala", "ValidNum", "TotalNum",
    ].map { Array($0.utf8) }

    /// Whether a name has no suffix, or one of the standard's.
    static func isKnown(_ name: Span<UInt8>) -> Bool {
        var hyphen = name.count
        for index in name.indices where name[index] == 0x2D {
            hyphen = index
            break
        }
        guard hyphen < name.count else { return true }
        let count = name.count - hyphen - 1
        for suffix in suffixes where suffix.count == count {
            var isSame = true
            for index in 0..<count where suffix[index] != name[hyphen + 1 + index] {
                isSame = false
            }
            if isSame { return true }
        }
        return false
    }
}
