import Primitives

extension Site {
    /// Incidents and faults of a day's dust monitors, in quarters of an hour, as the means are.
    func dustDay(_ day: Int) -> [SiteEvent] {
        guard options.stationCount > 0 else { return [] }
        var random = options.random(.dustDay, site: index, day: day)
        let faults = options.faults
        var morning: [DaySchedule.Block] = []
        var evening: [DaySchedule.Block] = []
        func block(_ kind: SiteEvent.Kind, _ level: String, _ quarters: Int) -> DaySchedule.Block {
            // One more, in which an alarm is over.
            DaySchedule.Block(kind: kind, level: level, length: quarters + 1)
        }
        if options.incidents.draws(&random) { morning.append(block(.dust, "alarm", 3)) }
        if options.incidents.draws(&random) { evening.append(block(.dust, "alarm", 4)) }
        if options.incidents.draws(&random) { morning.append(block(.dustAtLimit, "normal", 1)) }
        if options.incidents.draws(&random) {
            morning.append(block(.dustUnderEarthwork, "normal", 4))
        }
        if faults.contains(.gaps) { morning.append(block(.gap, "", 1)) }
        if faults.contains(.clockJump) { morning.append(block(.clockJump, "", 1)) }
        if faults.contains(.flags) { morning.append(block(.invalid, "", 2)) }
        if faults.contains(.frozen) { morning.append(block(.frozen, "suspect", 12)) }
        if faults.contains(.clock8h) { evening.append(block(.clock8h, "suspect", 1)) }
        if faults.contains(.backfill) { evening.append(block(.backfill, "", 8)) }
        if faults.contains(.units) {
            evening.append(block(.pressureUnit, "suspect", 4))
            evening.append(block(.dustUnit, "", 4))
        }
        // The change of stage has a quarter on each side that nothing else has.
        let middle = day == switchDay ? switchQuarter : 48
        let placed =
            DaySchedule.place(morning, in: 1..<middle - 1, &random)
            + DaySchedule.place(evening, in: middle + 1..<95, &random)
        return placed.flatMap { dustEvents($0, day, &random) }
    }

    private func dustEvents(
        _ block: DaySchedule.Block, _ day: Int, _ random: inout RandomSource
    ) -> [SiteEvent] {
        let quarter = 15 * SimulationOptions.minute
        let start = options.start(ofDay: day) + block.first * quarter
        let key = station(random.int(in: 0...options.stationCount - 1))
        func event(_ kind: SiteEvent.Kind, _ level: String, _ from: Int, _ length: Int)
            -> SiteEvent
        {
            SiteEvent(kind: kind, key: key, level: level, span: from..<from + length)
        }
        let whole = (block.length - 1) * quarter
        switch block.kind {
        case .gap, .clockJump, .clock8h:
            return [event(block.kind, block.level, start, 7 * SimulationOptions.minute)]
        case .backfill:
            var events = [event(.backfill, "", start, whole)]
            // What happens off-line is not lost.
            if options.incidents.draws(&random) {
                events.append(event(.dust, "alarm", start + 2 * quarter, 3 * quarter))
            }
            return events
        default: return [event(block.kind, block.level, start, whole)]
        }
    }

    /// The alarms that a day's monitors must raise, and their faults.
    func dustTruth(_ day: Int) -> [Truth] {
        dustDay(day).map { event in
            let rule =
                switch event.kind {
                case .dust, .dustAtLimit, .dustUnderEarthwork: "exceedance"
                case .pressureUnit: "pressure_unit"
                case .frozen: "frozen"
                case .clock8h: "clock"
                default: ""
                }
            return Truth(
                topology: "dust-exceedance", rule: rule, key: event.key, level: event.level,
                kind: event.kind.rawValue, span: event.span,
                lag: event.kind == .clock8h ? SiteEvent.clockLag : 0)
        }
    }
}
