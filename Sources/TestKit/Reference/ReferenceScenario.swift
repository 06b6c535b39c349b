import Primitives

/// Kinds of random topologies. What a seed of one kind makes does not depend on the others.
package enum ReferenceFamily: String, CaseIterable, Sendable {
    case plain
    /// With rules, statistics, calendar windows and windows over windows.
    case varied
    /// With unions, look-ups that wait, and global tables.
    case joined
    /// With rekeyed streams, in several tasks.
    case staged
}

/// A topology, in how many tasks it runs, and what happens.
package struct ReferenceScenario: Sendable, Codable {
    package var topology: ReferenceTopology
    package var taskCount: Int
    package var script: [ReferenceAction]

    /// The scenario of a seed.
    package init(_ family: ReferenceFamily, seed: UInt64) {
        taskCount = 1
        switch family {
        case .plain, .varied:
            var generator = ReferenceGenerator(seed: seed)
            topology = family == .plain ? generator.topology() : generator.variedTopology()
            script = generator.script(topology)
        case .joined:
            var generator = ReferenceGenerator(seed: seed, feature: "joined topology")
            topology = generator.joinedTopology()
            generator = ReferenceGenerator(seed: seed, feature: "joined script")
            script = generator.script(topology)
        case .staged:
            var generator = ReferenceGenerator(seed: seed, feature: "staged topology")
            topology = generator.stagedTopology()
            generator = ReferenceGenerator(seed: seed, feature: "staged script")
            script = generator.script(topology)
            generator = ReferenceGenerator(seed: seed, feature: "staged tasks")
            taskCount = generator.random.int(in: 1...3)
            generator.spread(&script, topology, taskCount)
        }
    }
}

extension ReferenceGenerator {
    /// A generator of its own for each feature: what one draws does not move the others.
    init(seed: UInt64, feature: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in feature.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var mixed = RandomSource(seed: seed ^ hash)
        self.init(seed: mixed.next())
    }

    /// Puts records into the partitions of their keys; those without one, and a few more, anywhere.
    mutating func spread(
        _ script: inout [ReferenceAction], _ topology: ReferenceTopology, _ taskCount: Int
    ) {
        for index in script.indices {
            guard case .append(let source, var record) = script[index] else { continue }
            let key = record.values[topology.sources[source].fields[0].name]
            record.partition = random.int(in: 0...taskCount - 1)
            if !chance(2), let text = key.flatMap({ ReferenceTask.keyText($0) }) {
                record.partition = ReferencePartitioner.partition(text, count: taskCount)
            }
            script[index] = .append(source, record)
        }
    }
}
