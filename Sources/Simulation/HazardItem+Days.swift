import Primitives

extension HazardItem {
    /// A day's events, in order of time.
    func events(onDay day: Int, _ options: SimulationOptions, site: Int, index: Int)
        -> [HazardEvent]
    {
        guard day >= startDay, day <= endDay else { return [] }
        var random = options.random(.hazardDay, site: site, index: index, day: day)
        var events: [HazardEvent] = []
        let midnight = options.start(ofDay: day)
        func add(_ hour: Int, _ name: String, _ members: String = "") {
            // Within three quarters of an hour, so that hours keep their order.
            let time =
                midnight + hour * SimulationOptions.hour + random.int(in: 0...2_699) * 1000
            events.append(HazardEvent(time: time, name: name, members: members))
        }
        paperwork(day, add)
        if suspendedDays.contains(day) {
            change(day, add)
        } else if day == suspendedDays.upperBound, isChanged {
            add(7, "resumed", Self.role("chief-supervisor"))
            work(day, add)
        } else if day >= workDay, day < endDay {
            work(day, add)
        } else if day == endDay {
            add(10, "archived", Self.role("contractor"))
        }
        return events.sorted { $0.time < $1.time }
    }

    private static func role(_ name: String) -> String { ",\"role\":\"\(name)\"" }

    private typealias Add = (Int, String, String) -> Void

    /// What must be done before the work, a day each.
    private func paperwork(_ day: Int, _ add: Add) {
        switch day - startDay {
        case 0:
            add(9, "identified", ",\"type\":\"\(type)\",\(parameters)" + Self.role("contractor"))
        case 1: add(10, "plan_submitted", Self.role("contractor"))
        case 2: add(11, "plan_reviewed", Self.role("contractor-technical-head"))
        case 3 where incident != .workWithoutPlan:
            add(11, "plan_reviewed", Self.role("chief-supervisor"))
        case 4 where isOverScale && incident != .overScaleWithoutReview: review(add)
        case 6:
            add(9, "announced", Self.role("contractor"))
            add(14, "disclosed", Self.role("author"))
        case 9 where incident == .workWithoutPlan:
            add(11, "plan_reviewed", Self.role("chief-supervisor"))
        case 10 where incident == .overScaleWithoutReview: review(add)
        default: break
        }
    }

    private func review(_ add: Add) {
        add(14, "expert_review", ",\"result\":\"pass\",\"experts\":5" + Self.role("experts"))
    }

    /// The work stops, the plan is changed, and goes the same way again.
    private func change(_ day: Int, _ add: Add) {
        switch day - suspendedDays.lowerBound {
        case 0:
            add(10, "suspended", Self.role("chief-supervisor"))
            add(11, "changed", Self.role("designer"))
            add(15, "plan_submitted", Self.role("contractor"))
        case 1:
            add(9, "plan_reviewed", Self.role("contractor-technical-head"))
            add(11, "plan_reviewed", Self.role("chief-supervisor"))
        default:
            if isOverScale { review(add) }
        }
    }

    private func work(_ day: Int, _ add: Add) {
        let starts = stepDays
        let step = (starts.firstIndex { $0 > day } ?? starts.count) - 1
        let number = ",\"step\":\(step + 1)"
        let isFirst = day == starts[step]
        if isFirst {
            add(8, step == 0 ? "work_started" : "next_step_started", number)
        }
        if !isMissing(.leaderAbsent, day) {
            add(9, "leader_on_duty", Self.role("project-leader"))
        }
        add(10, "patrol", Self.role("safety-officer"))
        if day == starts[step] + steps[step] - 1 {
            add(14, "step_finished", number)
            if !isLateAcceptance(step) {
                add(15, "accepted", number + Self.role("chief-supervisor"))
            }
        }
        if step > 0, day == starts[step] + 1, isLateAcceptance(step - 1) {
            add(15, "accepted", ",\"step\":\(step)" + Self.role("chief-supervisor"))
        }
        if incident == .deviationUnreported {
            if day == incidentDay { add(11, "deviation", Self.role("supervisor")) }
            if day == incidentDay + 2 { add(16, "reported", Self.role("chief-supervisor")) }
        } else if step == 0, day == workDay + 3 {
            // An ordinary one, put right within the day.
            add(11, "deviation", Self.role("supervisor"))
            add(16, "rectified", Self.role("contractor"))
        }
        if !isMissing(.monitoringMissing, day) {
            add(17, "monitoring_report", Self.role("monitor"))
        }
    }

    /// For two days.
    private func isMissing(_ kind: Incident, _ day: Int) -> Bool {
        incident == kind && (incidentDay..<incidentDay + 2).contains(day)
    }

    /// The first step's, two days late.
    private func isLateAcceptance(_ step: Int) -> Bool {
        incident == .nextStepWithoutAcceptance && step == 0
    }
}
