import Primitives

/// The events of one hazard project as JSON lines.
struct HazardSimulation: LineSource {
    let site: Site
    let index: Int
    let item: HazardItem

    init(site: Site, index: Int) {
        self.site = site
        self.index = index
        item = HazardItem(site: site, index: index)
    }

    private func events(onDay day: Int) -> [HazardEvent] {
        item.events(onDay: day, site.options, site: site.index, index: index)
    }

    /// A day's events; what came before the first day, with it.
    func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {
        let day = (slot.lowerBound - site.options.firstDay) / SimulationOptions.day
        for past in (day == 0 ? -HazardItem.history : day)...day { write(past, into: &lines) }
    }

    private func write(_ day: Int, into lines: inout ArrivalLines) {
        let faults = site.options.faults
        var random = site.options.random(
            .hazardDay, site: site.index, index: index + 1_000_000, day: day)
        // The clerk is out until the evening, and then types in the whole day.
        let isTypedLate = faults.contains(.backfill) && random.int(in: 1...25) == 1
        for (number, event) in events(onDay: day).enumerated() {
            var line = LineBuffer()
            line.put("{\"id\":\"\(item.key)-\(day + HazardItem.history)-\(number + 1)\"")
            line.put(",\"item\":\"\(item.key)\",\"project\":\"\(site.project)\",\"ts\":\"")
            line.put(Timestamp.text(Int64(event.time) * 1000))
            line.put("\",\"event\":\"\(event.name)\"\(event.members)")
            var arrival = event.time + random.int(in: 20_000...240_000)
            let draw = random.int(in: 1...100)
            let wait = random.int(in: 1...5 * 3600) * 1000
            if isTypedLate {
                let evening = site.options.start(ofDay: day) + 19 * SimulationOptions.hour
                arrival = max(arrival, evening + number * 30_000)
            } else if draw <= 4, faults.contains(.disorder) {
                arrival += wait
            }
            Self.append(line, arrival, &lines)
            if draw >= 98, faults.contains(.duplicates) {
                Self.append(line, arrival + 600_000, &lines)
            }
        }
    }

    private static func append(
        _ stem: LineBuffer, _ arrival: Int, _ lines: inout ArrivalLines
    ) {
        var line = stem
        line.put(",\"arrival\":")
        line.put(arrival)
        line.put("}\n")
        lines.append(line.bytes, arrival: arrival)
    }

    /// The breach that must be raised, on the day on which it begins.
    func truth(onDay day: Int) -> [Truth] {
        guard let incident = item.incident else { return [] }
        func time(_ name: String, _ day: Int) -> Int? {
            events(onDay: day).first { $0.name == name }?.time
        }
        let span: Range<Int>?
        switch incident {
        case .workWithoutPlan:
            span = Self.span(
                time("work_started", item.workDay), time("plan_reviewed", item.startDay + 9))
        case .overScaleWithoutReview:
            span = Self.span(
                time("work_started", item.workDay), time("expert_review", item.startDay + 10))
        case .nextStepWithoutAcceptance:
            let next = item.stepDays[1]
            span = Self.span(time("next_step_started", next), time("accepted", next + 1))
        case .monitoringMissing:
            span = Self.span(
                time("monitoring_report", item.incidentDay - 1),
                time("monitoring_report", item.incidentDay + 2), after: HazardItem.reportDeadline)
        case .leaderAbsent:
            span = Self.span(
                time("leader_on_duty", item.incidentDay - 1),
                time("leader_on_duty", item.incidentDay + 2), after: HazardItem.reportDeadline)
        case .deviationUnreported:
            span = Self.span(
                time("deviation", item.incidentDay), time("reported", item.incidentDay + 2),
                after: HazardItem.deviationDeadline)
        }
        let end = site.options.start(ofDay: day + 1)
        let start = day == 0 ? Int.min : end - SimulationOptions.day
        guard let span, span.lowerBound >= start, span.lowerBound < end else { return [] }
        return [
            Truth(
                topology: "hazard-project", rule: incident.rawValue, key: item.key,
                level: "alarm", kind: incident.rawValue, span: span)
        ]
    }

    private static func span(_ from: Int?, _ to: Int?, after wait: Int = 0) -> Range<Int>? {
        guard let from, let to, from + wait < to else { return nil }
        return from + wait..<to
    }
}
