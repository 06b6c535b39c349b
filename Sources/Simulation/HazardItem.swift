import Primitives

/// The course of one hazard project (危大工程), planned as a whole: what it is, when each thing
/// happens, and what goes wrong. Days count from the simulation's first.
struct HazardItem {
    enum Incident: String {
        case workWithoutPlan = "work_without_plan"
        case overScaleWithoutReview = "over_scale_without_review"
        case nextStepWithoutAcceptance = "next_step_without_acceptance"
        case monitoringMissing = "monitoring_missing"
        case leaderAbsent = "leader_absent"
        case deviationUnreported = "deviation_unreported"
    }

    /// Days before the first that courses of a short simulation begin.
    static let history = 24
    /// Until a missing report or leader is noticed: one and a half days.
    static let reportDeadline = 36 * SimulationOptions.hour
    /// Until an unanswered deviation must have been reported.
    static let deviationDeadline = 24 * SimulationOptions.hour

    let key: String
    let type: String
    /// JSON members with the physical parameters.
    let parameters: String
    let isOverScale: Bool
    let incident: Incident?
    let startDay: Int
    /// Days of each step of the work.
    let steps: [Int]
    /// Whether the work is changed and reviewed anew in its second step.
    let isChanged: Bool

    /// Kinds of project, with parameters below, at and over the scale of the expert review.
    private static let kinds: [(type: String, isOver: Bool, parameters: String, Incident?)] = [
        ("A1", true, #""depth":5.00"#, .overScaleWithoutReview),
        ("A1", false, #""depth":4.99"#, nil),
        ("B2", true, #""height":8.20,"span":12.00,"areaLoad":11.50"#, .nextStepWithoutAcceptance),
        ("D1", false, #""height":36.50"#, .workWithoutPlan),
        ("C3", true, #""force":300.0,"height":96.00"#, .monitoringMissing),
        ("G1", true, #""height":62.40"#, .leaderAbsent),
        ("D2", false, #""height":120.00"#, .deviationUnreported),
        ("B2", true, #""height":6.10,"span":17.99,"areaLoad":15.00"#, nil),
        ("G3", false, #""depth":15.90"#, .nextStepWithoutAcceptance),
        ("D4", false, #""height":80.00"#, .leaderAbsent),
        ("F1", true, #""span":6.20"#, .overScaleWithoutReview),
        ("C1", false, #""force":99.9"#, .workWithoutPlan),
    ]

    init(site: Site, index: Int) {
        let options = site.options
        var random = options.random(.hazardItem, site: site.index, index: index)
        let kind = Self.kinds[index % Self.kinds.count]
        key = site.item(index)
        type = kind.type
        parameters = kind.parameters
        isOverScale = kind.isOver
        let drawn = options.incidents.draws(&random) ? kind.3 : nil
        isChanged = index % Self.kinds.count == 7
        // A course that fits begins in the first third, else before the first day.
        let early = random.int(in: 0...max(0, options.dayCount / 3))
        let late = -random.int(in: 10...16)
        startDay = options.dayCount >= 45 ? early : late
        let count = random.int(in: 2...4)
        steps = (0..<count).map { _ in random.int(in: 5...8) }
        let lastDay =
            switch drawn {
            case .workWithoutPlan, .overScaleWithoutReview: startDay + 10
            case .nextStepWithoutAcceptance: startDay + 7 + steps[0] + 1
            default: startDay + 7 + 4
            }
        // What does not end within the data is left out.
        incident = lastDay < options.dayCount ? drawn : nil
    }

    /// Day on which the work starts.
    var workDay: Int { startDay + 7 }

    /// First day of each step.
    var stepDays: [Int] {
        var day = workDay
        return steps.map { length in
            defer { day += length }
            return day
        }
    }

    /// Day after the last step.
    var endDay: Int { workDay + steps.reduce(0, +) }

    /// Days of the second step on which the work is suspended for a change of the plan.
    var suspendedDays: Range<Int> {
        guard isChanged else { return 0..<0 }
        let start = stepDays[1] + 1
        return start..<start + 3
    }

    /// Day of the first step on which something goes wrong.
    var incidentDay: Int { workDay + 2 }
}

/// One event of a hazard project.
struct HazardEvent {
    var time: Int
    var name: String
    /// JSON members beyond the common ones, with a comma in front of each.
    var members = ""
}
