import Primitives

/// A partition of a topic, as in Kafka.
package struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var topic: String
    package var partition: Int

    package init(_ topic: String, _ partition: Int) {
        self.topic = topic
        self.partition = partition
    }

    /// The name of the partition's directory: `topic-partition`.
    package var description: String { "\(topic)-\(partition)" }

    /// Reads a directory's name; nil when it is not a live partition's.
    package init?(directoryName name: String) {
        guard let dash = name.lastIndex(of: "-") else { return nil }
        let number = name[name.index(after: dash)...]
        guard let partition = Int(number), String(partition) == number,
            (0...Int(Int32.max)).contains(partition),
            Self.fault(inTopicName: String(name[..<dash])) == nil
        else { return nil }
        self.init(String(name[..<dash]), partition)
    }

    package static func < (a: Self, b: Self) -> Bool {
        if a.topic != b.topic { return a.topic.utf8.lexicographicallyPrecedes(b.topic.utf8) }
        return a.partition < b.partition
    }

    /// What is wrong with a topic's name by Kafka's rule (`Topic.validate`), or nil.
    package static func fault(inTopicName name: String) -> String? {
        if name.isEmpty { return "it is empty" }
        if name == "." || name == ".." { return "it is a directory's name" }
        if name.utf8.count > 249 { return "it is longer than 249 characters" }
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return allowed ? nil : "only letters a to z, digits, '.', '_' and '-' are allowed"
    }
}

/// The names of a segment's files.
enum SegmentName {
    /// `00000000000000000042.log`; the number is the segment's first offset.
    static func file(_ baseOffset: Int64, _ suffix: String) -> String {
        let digits = String(baseOffset)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits + suffix
    }

    /// The offset in a name with this suffix, or nil when it is another's.
    static func baseOffset(_ name: String, _ suffix: String) -> Int64? {
        guard name.hasSuffix(suffix) else { return nil }
        let digits = name.dropLast(suffix.count)
        guard digits.utf8.count == 20,
            digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else { return nil }
        // Far enough from the end that sums with relative offsets cannot overflow.
        return Int64(digits).flatMap { $0 < Int64.max - (1 << 32) ? $0 : nil }
    }
}
