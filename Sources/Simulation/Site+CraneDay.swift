import Primitives

extension Site {
    /// Cranes work from 06:00 to 22:00.
    static let craneHours = 6..<22

    /// Incidents and faults of a day's cranes, in slots of half an hour.
    func craneDay(_ day: Int) -> [SiteEvent] {
        guard options.craneCount > 0 else { return [] }
        var random = options.random(.craneDay, site: index, day: day)
        let faults = options.faults
        var blocks: [DaySchedule.Block] = []
        func add(_ kind: SiteEvent.Kind, _ level: String, _ length: Int) {
            blocks.append(DaySchedule.Block(kind: kind, level: level, length: length))
        }
        for level in ["warning", "alarm", "critical"] where options.incidents.draws(&random) {
            add(.overload, level, 1)
        }
        if options.incidents.draws(&random) { add(.unidentified, "alarm", 1) }
        if options.incidents.draws(&random) { add(.wind, "stop", 3) }
        if options.incidents.draws(&random) { add(.climb, "alarm", 2) }
        if faults.contains(.falls) { add(.chartMismatch, "mismatch", 2) }
        if faults.contains(.gaps) { add(.gap, "", 1) }
        if faults.contains(.clockJump) { add(.clockJump, "", 1) }
        if faults.contains(.clock8h) { add(.clock8h, "suspect", 1) }
        if faults.contains(.backfill) { add(.backfill, "", 5) }
        let slots = Self.craneHours.lowerBound * 2 + 1..<Self.craneHours.upperBound * 2 - 1
        let placed = DaySchedule.place(blocks, in: slots, &random)
        return placed.flatMap { block in craneEvents(block, day, &random) }
    }

    private func craneEvents(
        _ block: DaySchedule.Block, _ day: Int, _ random: inout RandomSource
    ) -> [SiteEvent] {
        let slot = 30 * SimulationOptions.minute
        let start = options.start(ofDay: day) + block.first * slot
        let crane = random.int(in: 0...options.craneCount - 1)
        func event(_ kind: SiteEvent.Kind, _ level: String, _ from: Int, _ minutes: Int)
            -> SiteEvent
        {
            SiteEvent(
                kind: kind, key: self.crane(crane), level: level,
                span: from..<from + minutes * SimulationOptions.minute)
        }
        switch block.kind {
        case .wind:
            return (0..<options.craneCount).map { crane in
                SiteEvent(
                    kind: .wind, key: self.crane(crane), level: block.level,
                    span: start..<start + 40 * SimulationOptions.minute)
            }
        case .overload, .unidentified: return [event(block.kind, block.level, start, 6)]
        case .climb: return [event(block.kind, block.level, start, 40)]
        case .chartMismatch: return [event(block.kind, block.level, start, 30)]
        case .backfill:
            var events = [event(.backfill, "", start, 120)]
            // What happens off-line is not lost.
            if options.incidents.draws(&random) {
                events.append(event(.overload, "critical", start + slot, 6))
            }
            return events
        case .gap: return [event(block.kind, "", start, 10)]
        default: return [event(block.kind, block.level, start, 5)]
        }
    }

    /// The alarms that a day's cranes must raise, and their faults.
    func craneTruth(_ day: Int) -> [Truth] {
        craneDay(day).map { event in
            func truth(_ rule: String, _ span: Range<Int>) -> Truth {
                Truth(
                    topology: "crane-overload", rule: rule, key: event.key, level: event.level,
                    kind: event.kind.rawValue, span: span)
            }
            let start = event.span.lowerBound
            switch event.kind {
            case .overload:
                let number = (0..<options.craneCount).first { crane($0) == event.key } ?? 0
                return truth("overload", CraneSimulation.overloadSpan(event, crane: number))
            case .wind:
                let rise = event.span.count / 4 * SiteWind.warnPercent / 100
                return truth("wind_stop", start + rise..<event.span.upperBound - rise)
            case .chartMismatch:
                return truth(
                    "chart_mismatch", CraneSimulation.pickUp(event)..<event.span.upperBound)
            case .unidentified:
                return truth(
                    "unidentified", CraneSimulation.pickUp(event)..<event.span.upperBound)
            case .climb: return truth("climb_wind", event.span)
            case .clock8h:
                var truth = truth("clock", event.span)
                truth.lag = SiteEvent.clockLag
                return truth
            default: return truth("", event.span)
            }
        }
    }
}
