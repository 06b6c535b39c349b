/// Puts episodes together from the events of alarm topics. Events of one topology, rule and key
/// come in their order in the topic.
package struct EpisodeCollector: Sendable {
    private struct Place: Hashable {
        var topology: String
        var rule: String
        var key: String
    }

    /// Finished or standing, in the order in which they were raised.
    package private(set) var episodes: [Episode] = []
    /// The standing one of each place, by index.
    private var standing: [Place: (index: Int, rank: Int)] = [:]

    package init() {}

    /// Takes one event of an alarm topic; false when its name is none of an alarm's.
    ///
    /// `raised` begins an episode, `escalated` may raise its level, `cleared` ends it; `eased` and
    /// `correction` change nothing. A `breach` or a passed `deadline` of a state machine is an
    /// episode without length.
    ///
    /// - Parameter rank: place of the level in its ladder, from 0.
    package mutating func add(
        topology: String, rule: String, key: String, event: String, level: String, rank: Int,
        time: Int64
    ) -> Bool {
        let place = Place(topology: topology, rule: rule, key: key)
        switch event {
        case "raised", "breach", "deadline":
            if event == "raised" { standing[place] = (episodes.count, rank) }
            episodes.append(
                Episode(
                    topology: topology, rule: rule, key: key, level: level, raised: time))
        case "escalated":
            if let now = standing[place], now.rank < rank {
                episodes[now.index].level = level
                standing[place] = (now.index, rank)
            }
        case "cleared": standing[place] = nil
        case "eased", "correction": break
        default: return false
        }
        return true
    }
}
