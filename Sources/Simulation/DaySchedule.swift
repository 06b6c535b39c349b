import Primitives

/// A day cut into slots of equal length; each thing that is put in gets slots of its own, so that
/// none of a site touches another.
struct DaySchedule {
    struct Block {
        var kind: SiteEvent.Kind
        var level = ""
        /// Slots that it takes.
        var length: Int
        /// First slot, once placed.
        var first = 0
    }

    /// The blocks that fit, in random order with random pauses. O(blocks).
    static func place(
        _ blocks: [Block], in slots: Range<Int>, _ random: inout RandomSource
    ) -> [Block] {
        var order = blocks
        for index in order.indices.reversed() where index > 0 {
            order.swapAt(index, random.int(in: 0...index))
        }
        var free = slots.count - order.reduce(0) { $0 + $1.length }
        while free < 0, let last = order.popLast() { free += last.length }
        var placed: [Block] = []
        var slot = slots.lowerBound
        for (index, block) in order.enumerated() {
            // Twice the even share at most, so that the pauses spread over the day.
            let pause = random.int(in: 0...min(free, 2 * free / (order.count - index) + 1))
            free -= pause
            slot += pause
            var copy = block
            copy.first = slot
            placed.append(copy)
            slot += block.length
        }
        return placed
    }
}
