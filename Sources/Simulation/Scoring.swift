/// An alarm that must be raised, or must not: a line of the ground truth.
package struct Incident: Sendable, Hashable {
    package var topology: String
    package var rule: String
    package var key: String
    /// Highest level to be raised; "normal" when nothing may be.
    package var level: String
    /// What was put in.
    package var kind: String
    /// Milliseconds since the epoch, both ends included.
    package var start: Int64
    package var end: Int64

    package init(
        topology: String, rule: String, key: String, level: String, kind: String, start: Int64,
        end: Int64
    ) {
        self.topology = topology
        self.rule = rule
        self.key = key
        self.level = level
        self.kind = kind
        self.start = start
        self.end = end
    }
}

/// An alarm from its raising on.
package struct Episode: Sendable, Hashable {
    package var topology: String
    package var rule: String
    package var key: String
    /// Highest level reached.
    package var level: String
    /// When it was raised, in milliseconds since the epoch.
    package var raised: Int64

    package init(topology: String, rule: String, key: String, level: String, raised: Int64) {
        self.topology = topology
        self.rule = rule
        self.key = key
        self.level = level
        self.raised = raised
    }
}

/// How well alarms match a ground truth.
///
/// An episode belongs to an incident of the same topology, rule and key when it was raised between
/// the incident's start and end, the tolerance added on both sides; to the one that starts first.
/// An incident is found when one of its episodes reached just its level. An episode that belongs to
/// no incident is a false alarm; several of one incident are not.
package struct Score: Sendable {
    /// Counts of one rule of a topology.
    package struct Rule: Sendable {
        package var topology: String
        package var rule: String
        package var incidents = 0
        package var found = 0
        package var episodes = 0
        package var falseAlarms = 0
        /// From the incident's start to the first alarm of it, in milliseconds, ascending.
        package var delays: [Int64] = []

        /// Found of all incidents; 1 without any.
        package var recall: Double { incidents == 0 ? 1 : Double(found) / Double(incidents) }

        /// True of all episodes; 1 without any.
        package var precision: Double {
            episodes == 0 ? 1 : Double(episodes - falseAlarms) / Double(episodes)
        }

        /// The delay that a share of the incidents does not exceed (nearest rank); nil without any.
        package func delay(percent: Int) -> Int64? {
            guard !delays.isEmpty else { return nil }
            return delays[max(0, (delays.count * percent + 99) / 100 - 1)]
        }
    }

    /// An incident that was not found.
    package struct Miss: Sendable {
        package var incident: Incident
        /// Level that was reached instead; nil when nothing was raised.
        package var reached: String?
    }

    /// By topology and rule, in order of their names.
    package private(set) var rules: [Rule] = []
    /// All rules together, without names.
    package private(set) var total = Rule(topology: "", rule: "")
    /// In order of time, as are the false alarms.
    package private(set) var misses: [Miss] = []
    package private(set) var falseAlarms: [Episode] = []

    private struct Place: Hashable {
        var topology: String
        var rule: String
        var key: String
    }

    /// - Parameter tolerance: milliseconds. O(n log n).
    package init(incidents: [Incident], episodes: [Episode], tolerance: Int64) {
        var byRule: [[String]: Rule] = [:]
        func count(_ topology: String, _ rule: String, _ change: (inout Rule) -> Void) {
            change(&byRule[[topology, rule], default: Rule(topology: topology, rule: rule)])
            change(&total)
        }
        let real = incidents.enumerated().filter { $0.element.level != "normal" }
            .sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
            .map(\.element)
        var places: [Place: [Int]] = [:]
        for (index, incident) in real.enumerated() {
            let place = Place(
                topology: incident.topology, rule: incident.rule, key: incident.key)
            places[place, default: []].append(index)
        }
        var matched = [[Episode]](repeating: [], count: real.count)
        for episode in episodes.sorted(by: Self.isBefore) {
            let place = Place(topology: episode.topology, rule: episode.rule, key: episode.key)
            let owner = places[place, default: []].first { index in
                real[index].start - tolerance <= episode.raised
                    && episode.raised <= real[index].end + tolerance
            }
            count(episode.topology, episode.rule) { rule in
                rule.episodes += 1
                if owner == nil { rule.falseAlarms += 1 }
            }
            if let owner { matched[owner].append(episode) } else { falseAlarms.append(episode) }
        }
        for (incident, found) in zip(real, matched) {
            let isFound = found.contains { $0.level == incident.level }
            count(incident.topology, incident.rule) { rule in
                rule.incidents += 1
                if isFound { rule.found += 1 }
                if isFound, let first = found.first {
                    rule.delays.append(first.raised - incident.start)
                }
            }
            if !isFound {
                misses.append(Miss(incident: incident, reached: found.first?.level))
            }
        }
        total.delays.sort()
        rules = byRule.values.sorted { ($0.topology, $0.rule) < ($1.topology, $1.rule) }
        for index in rules.indices { rules[index].delays.sort() }
    }

    private static func isBefore(_ one: Episode, _ other: Episode) -> Bool {
        (one.raised, one.topology, one.rule, one.key, one.level)
            < (other.raised, other.topology, other.rule, other.key, other.level)
    }
}
