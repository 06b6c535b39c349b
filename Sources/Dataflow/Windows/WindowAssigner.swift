import Primitives

/// How a window step cuts time: into panes one after the other, and windows of whole panes.
package enum WindowGrid: Hashable, Sendable {
    /// Windows of `size`, one beginning `offset` after every multiple of `every` since
    /// 1970-01-01T00:00:00Z; `size` is a multiple of `every`. Microseconds.
    case fixed(size: Int64, every: Int64, offset: Int64)
    /// Days, weeks or months of a time zone.
    case calendar(CalendarGrid)
}

/// Finds the panes and windows of times. Numbers of panes ascend by one with time.
struct WindowAssigner {
    let grid: WindowGrid
    let panesPerWindow: Int64
    /// The calendar's pane that was found last: rows mostly stay in one.
    private var last: (index: Int64, start: Int64, end: Int64) = (0, 0, 0)

    init(_ grid: WindowGrid) {
        self.grid = grid
        switch grid {
        case .fixed(let size, let every, _): panesPerWindow = size / every
        case .calendar: panesPerWindow = 1
        }
    }

    /// The pane that holds a time.
    mutating func pane(of time: Int64) -> Int64 {
        switch grid {
        case .fixed(_, let every, let offset):
            let shifted = time - offset
            let quotient = shifted / every
            return shifted % every < 0 ? quotient - 1 : quotient
        case .calendar(let calendar):
            if time >= last.start, time < last.end { return last.index }
            let index = calendar.index(of: time)
            last = (index, calendar.start(index), calendar.start(index + 1))
            return index
        }
    }

    /// When a pane begins, which is when the one before it ends.
    func start(_ pane: Int64) -> Int64 {
        switch grid {
        case .fixed(_, let every, let offset): pane * every + offset
        case .calendar(let calendar): calendar.start(pane)
        }
    }

    /// The panes of the window that ends at a time.
    mutating func panes(endingAt end: Int64) -> Range<Int64> {
        let last = pane(of: end - 1)
        return last - panesPerWindow + 1..<last + 1
    }

    /// The start of the window that ends at a time.
    mutating func start(ofWindowEndingAt end: Int64) -> Int64 {
        switch grid {
        case .fixed(let size, _, _): end - size
        case .calendar: start(pane(of: end - 1))
        }
    }
}
