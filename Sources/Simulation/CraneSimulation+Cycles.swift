import Primitives

extension CraneSimulation {
    /// How long a lift that is put in takes.
    private static let plannedLift = 6 * SimulationOptions.minute

    /// Hook and load at an instant; instants come in ascending order.
    mutating func state(at time: Int) -> Waypoint {
        while passed + 1 >= waypoints.count || waypoints[passed + 1].time <= time {
            if passed + 1 < waypoints.count {
                passed += 1
            } else {
                planCycle(from: waypoints[passed])
            }
        }
        let low = waypoints[passed]
        let high = waypoints[passed + 1]
        let part = time - low.time
        let whole = max(1, high.time - low.time)
        func between(_ a: Int, _ b: Int) -> Int { a + (b - a) * part / whole }
        return Waypoint(
            time: time, radius: between(low.radius, high.radius),
            height: between(low.height, high.height), slew: between(low.slew, high.slew),
            mass: low.mass)
    }

    /// When what was put in no longer moves the hook; nil for what does not.
    private static func plannedEnd(_ event: SiteEvent) -> Int? {
        switch event.kind {
        case .overload, .chartMismatch, .unidentified: event.span.lowerBound + plannedLift
        case .climb: event.span.upperBound
        default: nil
        }
    }

    /// The next cycle: what was put in when it is due, else an ordinary lift that ends before it.
    private mutating func planCycle(from last: Waypoint) {
        let next = events.filter { (Self.plannedEnd($0) ?? 0) > last.time }
            .min { $0.span.lowerBound < $1.span.lowerBound }
        passed = 0
        if let next, next.span.lowerBound <= last.time {
            waypoints = planned(next, from: last)
            return
        }
        waypoints = lift(from: last)
        guard let next, let end = waypoints.last?.time, end > next.span.lowerBound else { return }
        // No time for a whole lift before it: wait where the hook is.
        var still = last
        still.time = next.span.lowerBound
        still.mass = 0
        waypoints = [last, still]
        waypoints[0].mass = 0
    }

    /// An ordinary lift, at most 82 % of the rated load anywhere on its way.
    private mutating func lift(from last: Waypoint) -> [Waypoint] {
        let outermost = chart.tipRadius - 150
        let target = random.int(in: 500...outermost)
        let home = random.int(in: 500...2500)
        let worst = max(last.radius, target)
        let capacity = chart.capacity(radius: worst, falls: falls) ?? 0
        let mass = max(10, capacity / 10 * random.int(in: 150...820) / 1000)
        let slew = random.int(in: 0...3599)
        let top = random.int(in: 1800...3600)
        let bottom = random.int(in: 100...1600)
        var idle = random.int(in: 20...90)
        if random.int(in: 1...10) == 1 { idle += random.int(in: 240...720) }
        var path = [last]
        path[0].mass = 0
        func step(_ seconds: Int, _ change: (inout Waypoint) -> Void) {
            var point = path[path.count - 1]
            point.time += seconds * 1000
            change(&point)
            path.append(point)
        }
        step(idle) { $0.mass = mass }
        step(random.int(in: 40...60)) { $0.height = top }
        step(random.int(in: 60...120)) {
            $0.radius = target
            $0.slew = slew
        }
        step(random.int(in: 30...60)) { $0.height = bottom }
        step(random.int(in: 20...40)) { $0.mass = 0 }
        step(random.int(in: 20...30)) { $0.height = top }
        step(random.int(in: 60...100)) {
            $0.radius = home
            $0.slew = random.int(in: 0...3599)
        }
        step(random.int(in: 30...60)) { $0.height = 200 }
        return path
    }

    /// The movement of something put in, from its start on.
    private func planned(_ event: SiteEvent, from last: Waypoint) -> [Waypoint] {
        var first = last
        first.time = event.span.lowerBound
        first.mass = 0
        let length = (Self.plannedEnd(event) ?? first.time) - first.time
        func point(_ share: Int, _ radius: Int, _ height: Int, _ mass: Int) -> Waypoint {
            Waypoint(
                time: first.time + length * share / 1000, radius: radius, height: height,
                slew: last.slew, mass: mass)
        }
        switch event.kind {
        case .overload:
            // Picked up at 18 m and trolleyed out to 35 m, where it is too heavy, and back.
            let mass = Self.overloadMass(event.level, crane: index)
            return [
                first, point(200, 1800, 200, mass), point(350, 1800, 2600, mass),
                point(500, 3500, 2600, mass), point(800, 3500, 2600, mass),
                point(920, 1800, 2600, mass), point(970, 1800, 200, 0), point(1000, 1800, 200, 0),
            ]
        case .climb:
            var end = first
            end.time = event.span.upperBound
            return [first, end]
        default:
            // Half of the rated load at 12 m: with the falls of the other chart, a quarter or all.
            let mass = (chart.capacity(radius: 1200, falls: falls) ?? 0) / 20
            return [
                first, point(200, 1200, 200, mass), point(400, 1200, 2600, mass),
                point(800, 1200, 2600, mass), point(950, 1200, 200, 0), point(1000, 1200, 200, 0),
            ]
        }
    }

    private static func overloadMass(_ level: String, crane: Int) -> Int {
        let percent =
            switch level {
            case "warning": 95
            case "alarm": 104
            default: 115
            }
        let capacity = chart(crane).capacity(radius: 3500, falls: falls(crane)) ?? 0
        return capacity * percent / 1000
    }

    /// When the load of something put in leaves the ground.
    static func pickUp(_ event: SiteEvent) -> Int {
        event.span.lowerBound + plannedLift * 200 / 1000
    }

    /// When an overload reaches 90 % of the rated load on its way out, and is below it again.
    static func overloadSpan(_ event: SiteEvent, crane: Int) -> Range<Int> {
        let mass = overloadMass(event.level, crane: crane)
        var radius = 1800
        while radius < 3500 {
            let capacity = chart(crane).capacity(radius: radius, falls: falls(crane)) ?? 0
            if mass * 100 >= capacity * 9 { break }
            radius += 1
        }
        func instant(_ share: Int, _ length: Int, _ part: Int) -> Int {
            event.span.lowerBound + plannedLift * share / 1000 + plannedLift * length / 1000
                * part / 1700
        }
        return instant(350, 150, radius - 1800)..<instant(800, 120, 3500 - radius)
    }
}
