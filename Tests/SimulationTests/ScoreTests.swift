import Simulation
import Testing

struct Scoring {
    private func incident(
        _ start: Int64, _ end: Int64, key: String = "K", level: String = "alarm"
    ) -> Incident {
        Incident(
            topology: "t", rule: "r", key: key, level: level, kind: "k", start: start, end: end)
    }

    private func episode(
        _ raised: Int64, key: String = "K", level: String = "alarm", rule: String = "r"
    ) -> Episode {
        Episode(topology: "t", rule: rule, key: key, level: level, raised: raised)
    }

    private func score(_ incidents: [Incident], _ episodes: [Episode]) -> Score {
        Score(incidents: incidents, episodes: episodes, tolerance: 10)
    }

    @Test("An alarm counts from the tolerance before the start to that after the end")
    func edges() {
        for (raised, isFound) in [(89, false), (90, true), (210, true), (211, false)] {
            let result = score([incident(100, 200)], [episode(Int64(raised))])
            #expect(result.total.found == (isFound ? 1 : 0), "raised at \(raised)")
            #expect(result.total.falseAlarms == (isFound ? 0 : 1))
            #expect(result.total.delays == (isFound ? [Int64(raised) - 100] : []))
        }
    }

    @Test("Key and rule must agree")
    func places() {
        for other in [episode(150, key: "L"), episode(150, rule: "s")] {
            let result = score([incident(100, 200)], [other])
            #expect(result.misses.count == 1 && result.falseAlarms.count == 1)
            #expect(result.misses.first?.reached == nil)
        }
    }

    @Test("Several alarms of one incident are all true; the first gives the delay")
    func repeated() {
        let result = score([incident(100, 200)], [episode(180), episode(120), episode(150)])
        #expect(result.total.precision == 1 && result.total.recall == 1)
        #expect(result.total.delays == [20])
    }

    @Test("Another level than the incident's is a miss, not a false alarm")
    func levels() {
        let result = score([incident(100, 200)], [episode(120, level: "warning")])
        #expect(result.total.recall == 0 && result.total.precision == 1)
        #expect(result.misses.first?.reached == "warning")
    }

    @Test("What must raise nothing is no incident, and an alarm in it is false")
    func normal() {
        let quiet = incident(100, 200, level: "normal")
        #expect(score([quiet], []).total.incidents == 0)
        #expect(score([quiet], [episode(150)]).falseAlarms.count == 1)
    }

    @Test("Nothing to find and nothing raised is perfect")
    func empty() {
        let result = score([], [])
        #expect(result.total.recall == 1 && result.total.precision == 1)
        #expect(result.total.delay(percent: 50) == nil)
    }

    @Test("Quantiles are nearest ranks")
    func quantiles() {
        // 1 to 20: of twenty values the tenth is the median, the nineteenth the 95th percentile.
        let incidents = (1...20).map { incident(Int64($0) * 1000, Int64($0) * 1000 + 500) }
        let episodes = (1...20).map { episode(Int64($0) * 1001) }
        let total = score(incidents, episodes).total
        #expect(total.delay(percent: 50) == 10)
        #expect(total.delay(percent: 95) == 19)
        #expect(total.delay(percent: 100) == 20)
    }

    @Test("The level of an episode is the highest that it reached")
    func collecting() {
        var collector = EpisodeCollector()
        func add(_ event: String, _ level: String, _ rank: Int, _ time: Int64) -> Bool {
            collector.add(
                topology: "t", rule: "r", key: "K", event: event, level: level, rank: rank,
                time: time)
        }
        let events = [
            add("raised", "warning", 0, 1), add("escalated", "critical", 2, 2),
            add("eased", "warning", 0, 3), add("escalated", "alarm", 1, 4),
            add("correction", "alarm", 1, 4), add("cleared", "normal", 0, 5),
            add("raised", "alarm", 1, 6), add("breach", "alarm", 0, 7),
        ]
        #expect(events.allSatisfy { $0 })
        #expect(!add("transition", "", 0, 8), "no event of an alarm")
        #expect(collector.episodes.map(\.level) == ["critical", "alarm", "alarm"])
        #expect(collector.episodes.map(\.raised) == [1, 6, 7])
    }
}
