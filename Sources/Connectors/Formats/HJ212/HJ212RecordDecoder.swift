import Columnar
import Dataflow
import Primitives
import RecordLog

/// Decodes HJ 212 frames, one a record: framing of 2005, 2017 and 2025, told apart by Flag.
///
/// The CRC must fit; what else devices in the field do wrong is read where its meaning is plain,
/// and tagged (``HJ212Tag``). A packet of a split message is a row of its own.
final class HJ212RecordDecoder: RecordDecoder {
    /// Where a field's value stands.
    private enum Path {
        case header(HJ212Header)
        case dataTime
        case item([UInt8])
        case tags
    }

    private static let dataTimeName = Array("DataTime".utf8)

    private var assembler: RowAssembler
    private let utcOffsetMinutes: Int
    private let paths: [Path]
    private var frame = HJ212Frame()
    /// The first fault of the row, and the root it is in.
    private var fault = FieldFault.none
    private var faultRoot = 0

    init(_ source: SourcePlan, utcOffsetMinutes: Int) {
        let assembler = RowAssembler(source)
        self.assembler = assembler
        self.utcOffsetMinutes = utcOffsetMinutes
        paths = assembler.fields.map { field in
            let path = source.schema.fields[field].path
            if let header = HJ212Header.allCases.first(where: { $0.name == path }) {
                return .header(header)
            }
            switch path {
            case "DataTime": return .dataTime
            case "@tags": return .tags
            default: return .item(Array(path.utf8))
            }
        }
    }

    func decode(_ block: RecordBlock, rows: Range<Int>, keys: inout KeyTable) -> DecodedRows {
        assembler.begin(rows.count)
        block.bytes.withUnsafeBufferPointer { bytes in
            for row in 0..<rows.count {
                let start = Int(block.valueStarts[rows.lowerBound + row])
                let length = Int(block.valueLengths[rows.lowerBound + row])
                if length < 0 {
                    assembler.rejectRow(row, .nullValue, "the record has no value")
                } else {
                    let value = UnsafeBufferPointer(rebasing: bytes[start..<start + length])
                    decode(value, row, &keys)
                }
            }
        }
        return assembler.finish(block, firstRow: rows.lowerBound, table: keys)
    }

    private func decode(_ bytes: UnsafeBufferPointer<UInt8>, _ row: Int, _ keys: inout KeyTable) {
        do throws(HJ212Frame.Failure) {
            try frame.parse(bytes.span)
        } catch {
            switch error {
            case .malformed(let detail): assembler.rejectRow(row, .malformed, detail)
            case .crc(let detail): assembler.rejectRow(row, .checksum, detail)
            }
            return
        }
        fault = .none
        let times = readTimes(bytes.span)
        for root in paths.indices {
            switch paths[root] {
            case .header(.qn) where assembler.sinks.nodes[root].kind == .timestamp:
                append(times.qn, root)
            case .dataTime where assembler.sinks.nodes[root].kind == .timestamp:
                append(times.data, root)
            case .header(let field): append(frame.value(of: field), root, bytes)
            case .dataTime:
                append(frame.value(of: Self.dataTimeName, bytes.span), root, bytes)
            case .item(let name): append(frame.value(of: name, bytes.span), root, bytes)
            case .tags:
                let text = Array(frame.tags.text.utf8)
                text.withUnsafeBufferPointer { appendText($0, root) }
            }
        }
        assembler.endRow(row, fault: fault, node: faultRoot, table: &keys)
    }

    // MARK: Times

    /// QN and DataTime; the latter falls back on QN, with a tag.
    private func readTimes(_ bytes: Span<UInt8>) -> (qn: Int64?, data: Int64?) {
        var qn: Int64?
        if let range = frame.value(of: .qn), !range.isEmpty {
            let time = HJ212Time.parse(
                bytes.extracting(range), offsetMinutes: utcOffsetMinutes)
            if let time, time.hasMilliseconds, !time.isDayOfYear {
                qn = time.microseconds
            } else {
                // Good enough to read, but not the 17 digits of the standard.
                qn = time?.microseconds
                frame.tags.insert(.badQN)
            }
        }
        let range = frame.value(of: Self.dataTimeName, bytes)
        if let range, !range.isEmpty {
            let time = HJ212Time.parse(
                bytes.extracting(range), offsetMinutes: utcOffsetMinutes)
            if let time {
                if time.hasMilliseconds { frame.tags.insert(.timeWithMilliseconds) }
                if time.isDayOfYear { frame.tags.insert(.dayOfYear) }
                return (qn, time.microseconds)
            }
            frame.tags.insert(.badDataTime)
        }
        if qn != nil { frame.tags.insert(.timeFromQN) }
        return (qn, qn)
    }

    private func append(_ time: Int64?, _ root: Int) {
        if let time { assembler.sinks.nodes[root].append(time) }
    }

    // MARK: Values

    private func note(_ fault: FieldFault, _ root: Int) {
        guard self.fault == .none else { return }
        self.fault = fault
        faultRoot = root
    }

    /// Appends the text at `range`; nothing when it is absent, or empty and no text.
    private func append(
        _ range: Range<Int>?, _ root: Int, _ bytes: UnsafeBufferPointer<UInt8>
    ) {
        guard let range else { return }
        let kind = assembler.sinks.nodes[root].kind
        let value = UnsafeBufferPointer(rebasing: bytes[range])
        if kind == .string || kind == .bytes {
            guard kind == .bytes || String(validating: value, as: UTF8.self) != nil else {
                return note(.wrongType, root)
            }
            return appendText(value, root)
        }
        guard !range.isEmpty else { return }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: range.count + JSONText.slack) {
            copy in
            copy.initialize(repeating: 0)
            // Packet numbers and the like have leading zeros; JSON numbers must not.
            var zeros = 0
            while zeros + 1 < value.count, value[zeros] == 0x30, value[zeros + 1] &- 0x30 < 10 {
                zeros += 1
            }
            for index in zeros..<value.count { copy[index - zeros] = value[index] }
            let text = JSONText(copy.baseAddress.unsafelyUnwrapped, count: value.count - zeros)
            append(text, value.span, root)
        }
    }

    /// Appends a number or a time; `text` is without leading zeros.
    private func append(_ text: JSONText, _ value: Span<UInt8>, _ root: Int) {
        let node = assembler.sinks.nodes + root
        switch node.pointee.kind {
        case .decimal:
            let number = text.decimal(
                0, scale: node.pointee.scale, rounds: node.pointee.rounds)
            guard number.next == text.end else { return note(.wrongType, root) }
            switch number.status {
            case .value: node.pointee.append(number.value)
            case .inexact: note(.precision, root)
            case .overflow: note(.outOfRange, root)
            }
        case .double:
            let number = text.double(0)
            guard number.next == text.end else { return note(.wrongType, root) }
            if number.value.isFinite {
                node.pointee.append(number.value)
            } else {
                note(.outOfRange, root)
            }
        case .timestamp:
            guard let time = HJ212Time.parse(value, offsetMinutes: utcOffsetMinutes) else {
                return note(.wrongType, root)
            }
            node.pointee.append(time.microseconds)
        case .bool where text.end == 1 && text.byte(0) &- 0x30 < 2:
            node.pointee.append(text.byte(0) == 0x31)
        default: note(.wrongType, root)
        }
    }

    private func appendText(_ value: UnsafeBufferPointer<UInt8>, _ root: Int) {
        let node = assembler.sinks.nodes + root
        guard node.pointee.kind == .string || node.pointee.kind == .bytes else {
            return note(.wrongType, root)
        }
        node.pointee.reserveBytes(value.count)
        for byte in value {
            node.pointee.bytes[node.pointee.byteCount] = byte
            node.pointee.byteCount &+= 1
        }
        node.pointee.append(end: node.pointee.byteCount)
    }
}
