import Primitives

/// What gives lines slot by slot. A line never arrives before the slot in which it is made, but
/// for those of the first slot.
protocol LineSource {
    mutating func run(_ slot: Range<Int>, into lines: inout ArrivalLines)
}

/// A file that a simulation writes.
package enum SimulatedFile: String, Sendable, CaseIterable {
    case cranes = "registry.ndjson"
    case craneReadings = "crane.ndjson"
    case projects = "project.ndjson"
    case monitors = "monitor.ndjson"
    case dustFrames = "dust.hj212"
    case hazardEvents = "hazard.ndjson"
    case pitPoints = "pit-point.ndjson"
    case pitReadings = "pit.ndjson"
    case truth = "truth.ndjson"

    /// The topic that it is made for; nil for the truth.
    package var topic: String? {
        switch self {
        case .cranes: "registry.crane"
        case .craneReadings: "telemetry.crane"
        case .projects: "registry.project"
        case .monitors: "registry.monitor"
        case .dustFrames: "telemetry.dust"
        case .hazardEvents: "events.hazard"
        case .pitPoints: "registry.pit-point"
        case .pitReadings: "telemetry.pit"
        case .truth: nil
        }
    }

    /// Which part of a simulation it belongs to; nil for what belongs to all.
    package var stream: SimulatedStream? {
        switch self {
        case .cranes, .craneReadings: .crane
        case .projects, .monitors, .dustFrames: .dust
        case .hazardEvents: .hazard
        case .pitPoints, .pitReadings: .pit
        case .truth: nil
        }
    }
}

/// A part of a simulation.
package enum SimulatedStream: String, Sendable, CaseIterable { case crane, dust, hazard, pit }

/// Building sites' made-up data: tower cranes, dust monitors, hazard projects, a pit each, and
/// the list of what was put in on purpose.
///
/// Everything follows from the options by integer arithmetic: the same call gives the same bytes
/// on every machine, and one more site, device or kind of file changes no other. Not a model of
/// any real site.
package struct SiteSimulation: Sendable {
    package let options: SimulationOptions

    package init(_ options: SimulationOptions) { self.options = options }

    /// Gives a file's lines in order of arrival, line feed included. Memory: the devices' state,
    /// a minute of readings or a day of paperwork, and what is held back.
    ///
    /// - Parameter streams: whose truth a file of truth has.
    package func lines<E: Error>(
        of file: SimulatedFile,
        streams: Set<SimulatedStream> = Set(SimulatedStream.allCases),
        _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        let minute = SimulationOptions.minute
        let day = SimulationOptions.day
        switch file {
        case .cranes: try once({ $0.registerCranes(into: &$1) }, body)
        case .monitors: try once({ $0.registerMonitors(into: &$1) }, body)
        case .projects: try once({ $0.registerProject(into: &$1) }, body)
        case .pitPoints: try once({ $0.registerPoints(into: &$1) }, body)
        case .craneReadings:
            let dirt = options.faults.contains(.dirt) ? sites.map { CraneDirt(site: $0) } : []
            try merge(sites.flatMap(\.cranes), dirt, every: minute, body)
        case .dustFrames:
            let dirt = options.faults.contains(.dirt) ? sites.map { DustDirt(site: $0) } : []
            try merge(sites.flatMap(\.stations), dirt, every: minute, body)
        case .hazardEvents: try merge(sites.flatMap(\.items), [Nothing](), every: day, body)
        case .pitReadings: try merge(sites.flatMap(\.points), [Nothing](), every: day, body)
        case .truth:
            try merge(
                sites.map { TruthSource(site: $0, streams: streams) }, [Nothing](), every: day,
                body)
        }
    }

    private var sites: [Site] { (0..<options.siteCount).map { Site(options, $0) } }

    /// All sites' lines at once, for registries: O(sites) of memory.
    private func once<E: Error>(
        _ register: (Site, inout ArrivalLines) -> Void, _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        var lines = ArrivalLines()
        for site in sites { register(site, &lines) }
        try lines.drain(before: .max, body)
    }

    private func merge<Source: LineSource, Other: LineSource, E: Error>(
        _ sources: [Source], _ others: [Other], every length: Int,
        _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        var sources = sources
        var others = others
        var lines = ArrivalLines()
        let end = options.start(ofDay: options.dayCount)
        for start in stride(from: options.firstDay, to: end, by: length) {
            let slot = start..<start + length
            for index in sources.indices { sources[index].run(slot, into: &lines) }
            for index in others.indices { others[index].run(slot, into: &lines) }
            try lines.drain(before: slot.upperBound, body)
        }
        try lines.drain(before: .max, body)
    }
}

/// A source without lines.
private struct Nothing: LineSource {
    func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {}
}

/// What must be found in a site's data, in order of its start.
private struct TruthSource: LineSource {
    let site: Site
    let streams: Set<SimulatedStream>

    func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {
        let day = (slot.lowerBound - site.options.firstDay) / SimulationOptions.day
        var truths: [Truth] = []
        if streams.contains(.crane) { truths += site.craneTruth(day) }
        if streams.contains(.dust) { truths += site.dustTruth(day) }
        if streams.contains(.hazard) { truths += site.items.flatMap { $0.truth(onDay: day) } }
        if streams.contains(.pit) { truths += site.points.flatMap { $0.truth(onDay: day) } }
        for truth in truths { truth.write(into: &lines) }
    }
}

extension Site {
    var cranes: [CraneSimulation] {
        (0..<options.craneCount).map { CraneSimulation(site: self, index: $0) }
    }

    var stations: [DustSimulation] {
        (0..<options.stationCount).map { DustSimulation(site: self, index: $0) }
    }

    var items: [HazardSimulation] {
        (0..<options.itemCount).map { HazardSimulation(site: self, index: $0) }
    }

    var points: [PitSimulation] {
        (0..<options.pointCount).map { PitSimulation(site: self, index: $0) }
    }

    func registerCranes(into lines: inout ArrivalLines) {
        for crane in cranes { crane.register(into: &lines) }
    }

    func registerMonitors(into lines: inout ArrivalLines) {
        for station in stations { station.register(into: &lines) }
    }

    func registerPoints(into lines: inout ArrivalLines) {
        for point in points { point.register(into: &lines) }
    }

    /// The project's events: in earthwork since the day before, then the structure.
    func registerProject(into lines: inout ArrivalLines) {
        let stages = [
            (options.start(ofDay: -1), "earthwork"), (stageSwitch, "structure"),
        ]
        for (time, stage) in stages {
            var line = LineBuffer()
            line.put("{\"project\":\"\(project)\",\"ts\":")
            line.put(time)
            line.put(",\"event\":\"stage\",\"site\":\"\(name)\",\"region\":\"\(region)\"")
            line.put(",\"stage\":\"\(stage)\",\"arrival\":")
            line.put(time + 1_000)
            line.put("}\n")
            lines.append(line.bytes, arrival: time + 1_000)
        }
    }
}
