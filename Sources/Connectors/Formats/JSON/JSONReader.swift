import Columnar
import Primitives

/// What is known of the row being read.
struct JSONRowState {
    var row = 0
    var fault = FieldFault.none
    var faultNode = 0
    /// Set with a negative position: the member that stands twice.
    var duplicateNode = -1
}

/// Reads one JSON document into ``ColumnSinks``: recursive descent, directed by ``JSONLayouts``.
///
/// All pointers, no reference counting. Functions return positions as ``JSONText`` does: negative
/// where the text is not JSON, or a wanted member stands twice. A value that is JSON but not what
/// the field wants is noted in the row's state and skipped, so that the rest is still read.
struct JSONReader {
    let text: JSONText
    let nodes: UnsafeMutablePointer<SinkNode>
    let layouts: UnsafeMutablePointer<JSONLayout>
    let members: UnsafeMutablePointer<JSONMember>
    let targets: UnsafeMutablePointer<Int>
    let names: UnsafeMutablePointer<UInt8>
    let state: UnsafeMutablePointer<JSONRowState>
    let sinks: Unmanaged<ColumnSinks>

    init(
        _ text: JSONText, _ layouts: JSONLayouts, _ sinks: ColumnSinks,
        _ state: UnsafeMutablePointer<JSONRowState>
    ) {
        self.text = text
        nodes = sinks.nodes
        self.layouts = layouts.layouts
        members = layouts.members
        targets = layouts.targets
        names = layouts.names
        self.state = state
        self.sinks = Unmanaged.passUnretained(sinks)
    }

    /// Notes a fault; the first of a row counts.
    @inline(never)
    func note(_ fault: FieldFault, _ node: Int) {
        guard state.pointee.fault == .none else { return }
        state.pointee.fault = fault
        state.pointee.faultNode = node
    }

    // MARK: Objects

    /// Reads an object after its brace. `row` is the count that a member's node has before its
    /// value: one that has more stands twice.
    func object(_ start: Int, _ layout: Int, row: Int, depth: Int) -> Int {
        guard depth <= JSONText.maximumDepth else { return JSONText.tooDeep }
        let text = text
        let first = layouts[layout].templates
        let last = first + JSONLayout.templateCapacity
        var template = first
        var position = start
        while true {
            let action: Int
            if template < last, template.pointee.fits(text, position) {
                action = template.pointee.action
                position &+= template.pointee.count
                template += 1
            } else if template > first, template < last,
                template[1].fits(text, position)
            {
                // A member that was left out this time.
                action = template[1].action
                position &+= template[1].count
                template += 2
            } else {
                let learnt = learn(layout, template - first, position)
                guard learnt.next >= 0 else { return learnt.next }
                action = learnt.action
                position = learnt.next
                template += 1
            }
            if action == JSONTemplate.end { return position }
            position = text.skipSpace(position)
            if action >= 0 {
                position = value(action, position, row: row, depth: depth)
            } else if action == JSONTemplate.skip {
                let length = text.shortLength(position)
                position =
                    length > 0 ? position &+ length : text.skipValue(position, depth: depth)
            } else {
                position = members(~2 &- action, position, row: row, depth: depth)
            }
            guard position >= 0 else { return position }
        }
    }

    /// Reads what stands before a value, or ends the object, where it was not foreseen, and
    /// remembers it: the position after it, and what to do there. Slot 0 follows the brace.
    @inline(never)
    private func learn(_ layout: Int, _ slot: Int, _ start: Int) -> (next: Int, action: Int) {
        var position = text.skipSpace(start)
        var action = JSONTemplate.end
        if text.byte(position) == 0x7D {
            position &+= 1
        } else {
            if slot > 0 {
                guard text.byte(position) == 0x2C else { return (~position, action) }
                position = text.skipSpace(position &+ 1)
            }
            let name = position
            position = memberName(name)
            guard position >= 0 else { return (position, action) }
            action = find(layout, name)
        }
        if slot < JSONLayout.templateCapacity {
            layouts[layout].templates[slot] = JSONTemplate(text, start, position, action: action)
        }
        return (position, action)
    }

    /// Reads a name, a colon and white space: the position of the value.
    private func memberName(_ start: Int) -> Int {
        guard text.byte(start) == 0x22 else { return ~start }
        let end = text.skipString(start &+ 1)
        guard end >= 0 else { return end }
        let colon = text.skipSpace(end)
        guard text.byte(colon) == 0x3A else { return ~colon }
        return text.skipSpace(colon &+ 1)
    }

    /// What to do with the member whose name stands at `start`, checked already; see
    /// ``JSONTemplate/action``.
    private func find(_ layout: Int, _ start: Int) -> Int {
        let end = text.scanString(start &+ 1)
        let hasEscapes = text.byte(end) != 0x22
        let name: [UInt8]? = hasEscapes ? unescaped(start &+ 1) : nil
        let first = layouts[layout].firstMember
        for member in first..<first &+ layouts[layout].memberCount {
            let wanted = UnsafeBufferPointer(
                start: names + members[member].nameStart, count: members[member].nameCount)
            if let name {
                if wanted.elementsEqual(name) { return action(member) }
            } else if wanted.count == end &- start &- 1,
                wanted.elementsEqual(text.bytes(start &+ 1..<end))
            {
                return action(member)
            }
        }
        return JSONTemplate.skip
    }

    private func action(_ member: Int) -> Int {
        let target = targets[members[member].firstTarget]
        return members[member].targetCount == 1 && target >= 0 ? target : ~2 &- member
    }

    /// Reads the value of a member that has several targets, or lies on a path.
    @inline(never)
    private func members(_ member: Int, _ start: Int, row: Int, depth: Int) -> Int {
        let first = members[member].firstTarget
        var next = start
        for index in first..<first &+ members[member].targetCount where next >= 0 {
            let target = targets[index]
            next =
                target >= 0
                ? value(target, start, row: row, depth: depth)
                : pathObject(~target, start, row: row, depth: depth)
        }
        return next
    }

    /// Reads an object on the way of a dotted path. Null stands for an absent one.
    private func pathObject(_ layout: Int, _ start: Int, row: Int, depth: Int) -> Int {
        let anyNode = firstNode(layout)
        guard layouts[layout].lastRow != row else {
            state.pointee.duplicateNode = anyNode
            return ~start
        }
        layouts[layout].lastRow = row
        switch text.byte(start) {
        case 0x7B: return object(start &+ 1, layout, row: row, depth: depth &+ 1)
        case 0x6E: return text.skipNull(start)
        default:
            note(.wrongType, anyNode)
            return text.skipValue(start, depth: depth)
        }
    }

    private func firstNode(_ layout: Int) -> Int {
        var target = ~layout
        while target < 0 {
            target = targets[members[layouts[~target].firstMember].firstTarget]
        }
        return target
    }

    // MARK: Values

    /// Reads a value into a node that holds `row` rows; it has one more afterwards, null after a
    /// fault.
    @inline(__always)
    func value(_ node: Int, _ start: Int, row: Int, depth: Int) -> Int {
        let sink = nodes + node
        guard sink.pointee.count == row else {
            state.pointee.duplicateNode = node
            return ~start
        }
        let first = text.byte(start)
        if first == 0x6E { return null(node, start) }
        switch sink.pointee.kind {
        case .decimal:
            guard first &- 0x30 < 10 || first == 0x2D else { break }
            let number = text.decimal(
                start, scale: sink.pointee.scale, rounds: sink.pointee.rounds)
            guard number.next >= 0, number.status == .value else {
                return odd(number, node)
            }
            sink.pointee.append(number.value)
            return number.next
        case .string:
            guard first == 0x22 else { break }
            let end = text.scanString(start &+ 1)
            guard text.byte(end) == 0x22 else { return escapedString(node, start &+ 1) }
            let count = end &- start &- 1
            sink.pointee.reserveBytes(count)
            text.copy(start &+ 1, count: count, to: sink.pointee.bytes + sink.pointee.byteCount)
            sink.pointee.byteCount &+= count
            sink.pointee.append(end: sink.pointee.byteCount)
            return end &+ 1
        case .timestamp where first &- 0x30 < 10 && sink.pointee.takesEpoch:
            return epochTime(node, start)
        default: return otherValue(node, start, first, depth: depth)
        }
        return wrongType(node, start, depth: depth)
    }

    @inline(never)
    private func otherValue(_ node: Int, _ start: Int, _ first: UInt8, depth: Int) -> Int {
        let sink = nodes + node
        let isNumber = first &- 0x30 < 10 || first == 0x2D
        switch sink.pointee.kind {
        case .timestamp where first == 0x22 || isNumber:
            return timestamp(node, start, isNumber: isNumber)
        case .double where isNumber: return double(node, start)
        case .bool where first == 0x74 || first == 0x66:
            let next = first == 0x74 ? text.skipTrue(start) : text.skipFalse(start)
            if next >= 0 { sink.pointee.append(first == 0x74) }
            return next
        case .duration where isNumber: return scaled(node, start, scale: 3)
        case .duration where first == 0x22: return durationText(node, start)
        case .bytes where first == 0x22: return base64(node, start)
        case .list where first == 0x5B: return list(node, start &+ 1, depth: depth &+ 1)
        case .map where first == 0x7B: return map(node, start &+ 1, depth: depth &+ 1)
        case .structure where first == 0x7B:
            return structure(node, start &+ 1, depth: depth &+ 1)
        default: return wrongType(node, start, depth: depth)
        }
    }

    /// Notes a fault and takes the value as read, so that a second one is seen as such.
    @inline(never)
    func refuse(_ fault: FieldFault, _ node: Int) {
        note(fault, node)
        sinks._withUnsafeGuaranteedRef { $0.appendNull(node) }
    }

    @inline(never)
    private func wrongType(_ node: Int, _ start: Int, depth: Int) -> Int {
        refuse(.wrongType, node)
        return text.skipValue(start, depth: depth)
    }

    @inline(never)
    private func null(_ node: Int, _ start: Int) -> Int {
        let next = text.skipNull(start)
        if next >= 0 { null(node) }
        return next
    }

    /// Takes the node's value as read, without one.
    func null(_ node: Int) {
        if nodes[node].isNullable {
            sinks._withUnsafeGuaranteedRef { $0.appendNull(node) }
        } else {
            refuse(.missing, node)
        }
    }

    /// Ends a number that is none, or that the field cannot hold.
    @inline(never)
    private func odd(_ number: ScaledNumber, _ node: Int) -> Int {
        if number.next >= 0 {
            refuse(number.status == .inexact ? .precision : .outOfRange, node)
        }
        return number.next
    }

    /// Reads a number as units of 10^-`scale` into an `Int64` node.
    @inline(__always)
    func scaled(_ node: Int, _ start: Int, scale: Int) -> Int {
        let number = text.decimal(start, scale: scale, rounds: nodes[node].rounds)
        guard number.next >= 0, number.status == .value else { return odd(number, node) }
        nodes[node].append(number.value)
        return number.next
    }

    /// Reads a number into a `Double` node.
    func double(_ node: Int, _ start: Int) -> Int {
        let number = text.double(start)
        guard number.next >= 0 else { return number.next }
        if number.value.isFinite {
            nodes[node].append(number.value)
        } else {
            refuse(.outOfRange, node)
        }
        return number.next
    }

    /// Reads a number since the epoch.
    @inline(__always)
    func epochTime(_ node: Int, _ start: Int) -> Int {
        let number = text.decimal(
            start, scale: nodes[node].scale, rounds: nodes[node].rounds)
        guard number.next >= 0, number.status == .value else { return odd(number, node) }
        if number.value >= Timestamp.minimum, number.value <= Timestamp.maximum {
            nodes[node].append(number.value)
        } else {
            refuse(.outOfRange, node)
        }
        return number.next
    }

    private func timestamp(_ node: Int, _ start: Int, isNumber: Bool) -> Int {
        if isNumber {
            guard nodes[node].takesEpoch else { return wrongType(node, start, depth: 0) }
            return epochTime(node, start)
        }
        guard nodes[node].takesTimeText else { return wrongType(node, start, depth: 0) }
        let end = text.scanString(start &+ 1)
        guard text.byte(end) == 0x22 else { return wrongType(node, start, depth: 0) }
        rfc3339(node, text.bytes(start &+ 1..<end))
        return end &+ 1
    }

    /// Takes RFC 3339 text.
    func rfc3339(_ node: Int, _ time: UnsafeBufferPointer<UInt8>) {
        if let value = Timestamp.parse(time.span) {
            nodes[node].append(value)
        } else {
            fineTimestamp(node, Array(time))
        }
    }

    /// Judges RFC 3339 text that is finer than a microsecond, or no time at all.
    @inline(never)
    private func fineTimestamp(_ node: Int, _ time: [UInt8]) {
        // yyyy-MM-ddTHH:mm:ss. and six digits stay, further ones go.
        let kept = 26
        let rest = time.dropFirst(kept).prefix { $0 &- 0x30 < 10 }
        let shorter = Array(time.prefix(kept) + time.dropFirst(kept + rest.count))
        guard let first = rest.first, let value = Timestamp.parse(shorter.span) else {
            return refuse(.wrongType, node)
        }
        let isZero = rest.allSatisfy { $0 == 0x30 }
        guard isZero || nodes[node].rounds else { return refuse(.precision, node) }
        let isHalf = first == 0x35 && rest.dropFirst().allSatisfy { $0 == 0x30 }
        let isUp = isHalf ? value & 1 == 1 : first >= 0x35
        let rounded = value &+ (isUp ? 1 : 0)
        guard rounded <= Timestamp.maximum else { return refuse(.outOfRange, node) }
        nodes[node].append(rounded)
    }
}
