import Primitives

extension CraneSimulation {
    /// Hook and load at an instant; instants come in ascending order.
    mutating func state(at time: Int) -> Waypoint {
        while passed + 1 >= waypoints.count || waypoints[passed + 1].time <= time {
            if passed + 1 < waypoints.count {
                passed += 1
            } else {
                planCycle(from: waypoints[passed], at: time)
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

    /// The next cycle: an overload when one is due, else an ordinary lift; never into an overload.
    private mutating func planCycle(from last: Waypoint, at time: Int) {
        let next = events.filter { $0.kind == .overload && $0.span.upperBound > last.time }
            .min { $0.span.lowerBound < $1.span.lowerBound }
        passed = 0
        if let next, next.span.lowerBound <= last.time {
            waypoints = overload(next, from: last)
            return
        }
        waypoints = lift(from: last)
        guard let next, let end = waypoints.last?.time, end > next.span.lowerBound else { return }
        // No time for a whole lift before the overload: wait where the hook is.
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

    /// A load picked up at 18 m and trolleyed out to 35 m, where it is too heavy, and back.
    private func overload(_ event: SiteEvent, from last: Waypoint) -> [Waypoint] {
        let percent =
            switch event.level {
            case "warning": 95
            case "alarm": 104
            default: 115
            }
        let mass = (chart.capacity(radius: 3500, falls: falls) ?? 0) * percent / 1000
        let length = event.span.upperBound - event.span.lowerBound
        func point(_ share: Int, _ radius: Int, _ height: Int, _ mass: Int) -> Waypoint {
            Waypoint(
                time: event.span.lowerBound + length * share / 1000, radius: radius,
                height: height, slew: last.slew, mass: mass)
        }
        var first = last
        first.time = event.span.lowerBound
        first.mass = 0
        return [
            first, point(200, 1800, 200, mass), point(350, 1800, 2600, mass),
            point(500, 3500, 2600, mass), point(800, 3500, 2600, mass),
            point(920, 1800, 2600, mass), point(970, 1800, 200, 0), point(1000, 1800, 200, 0),
        ]
    }
}
