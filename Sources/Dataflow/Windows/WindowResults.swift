import Columnar

/// The values of windows' rows on their way into an emission, each known by its place.
///
/// A window is noted with its panes and counted out with others in one go: ``settle(_:_:)`` must be
/// called before a pane changes.
struct PendingResults {
    private var windows: [PaneRun] = []
    private var ends: [Int64] = []
    /// Per causing input and settled result.
    private var causes: [[PaneCause]] = []
    /// Per settled result: whether every aggregate fits its type.
    private var fits: [Bool] = []
    /// Results that were said before, by their place among all results.
    private var recalled: [(result: Int, columns: [Column], causes: [PaneCause])] = []
    private var count = 0

    /// Whether windows wait to be counted out.
    var isPending: Bool { !windows.isEmpty }

    /// Notes a window; returns the place of its result.
    mutating func note(_ panes: PaneRun, end: Int64) -> Int32 {
        windows.append(panes)
        ends.append(end)
        count += 1
        return Int32(count - 1)
    }

    /// Takes a result that was said before.
    mutating func recall(_ columns: [Column], _ past: [PaneCause]) -> Int32 {
        recalled.append((count, columns, past))
        count += 1
        return Int32(count - 1)
    }

    /// Has the accumulators append the results of the windows noted so far.
    mutating func settle(_ accumulators: [any Accumulator], _ panes: PaneStore) {
        guard isPending else { return }
        var fit = Array(repeating: true, count: windows.count)
        for accumulator in accumulators {
            accumulator.appendResults(windows, ends: ends, fits: &fit)
        }
        if causes.isEmpty { causes = panes.causeInputs.map { _ in [] } }
        panes.appendCauses(windows, to: &causes)
        fits += fit
        windows.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    /// All results since the last call, settled, with what is recalled put in its place.
    mutating func take(_ accumulators: [any Accumulator], _ panes: PaneStore) -> WindowResults {
        settle(accumulators, panes)
        if causes.isEmpty { causes = panes.causeInputs.map { _ in [] } }
        var results = WindowResults(
            columns: accumulators.map { $0.takeResults() }, causes: causes, fits: fits)
        defer { self = PendingResults() }
        guard !recalled.isEmpty else { return results }
        var order: [Int32] = []
        var made: Int32 = 0
        for result in 0..<count {
            let place = order.count - Int(made)
            if place < recalled.count, recalled[place].result == result {
                order.append(Int32(fits.count + place))
            } else {
                order.append(made)
                made += 1
            }
        }
        for past in recalled { results.append(past.columns, past.causes) }
        return results.gather(order)
    }
}

/// The values of windows' rows, as columns.
struct WindowResults {
    /// One an aggregate.
    var columns: [Column]
    /// One a causing input.
    var causes: [[PaneCause]]
    /// Whether every aggregate fits its type.
    var fits: [Bool]

    fileprivate mutating func append(_ row: [Column], _ past: [PaneCause]) {
        for index in columns.indices { columns[index].append(row[index]) }
        for index in causes.indices { causes[index].append(past[index]) }
        fits.append(true)
    }

    /// The results at some places.
    func gather(_ places: [Int32]) -> WindowResults {
        WindowResults(
            columns: columns(places), causes: causes.map { take($0, places) },
            fits: take(fits, places))
    }

    /// The values at some places.
    func columns(_ places: [Int32]) -> [Column] {
        guard let first = places.first,
            places.indices.allSatisfy({ places[$0] == first + Int32($0) })
        else { return columns.map { $0.gather(places) } }
        return columns.map { $0.slice(Int(first)..<Int(first) + places.count) }
    }
}
