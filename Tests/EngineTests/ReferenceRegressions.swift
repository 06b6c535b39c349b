/// Seeds on which the engines once differed, each with what was wrong.
enum ReferenceRegressions {
    static let seeds: [(seed: UInt64, what: String)] = [
        (12, "a looked-up column that waited lost its values"),
        (13, "a row released by a far move was late for distinct"),
        (16, "a row released by a far move was late for its window"),
        (19, "levels passed a clock move on without its own columns"),
        (24, "a withdraw carried the revision of what it withdraws"),
        (309, "flush closed windows of released rows under key clocks"),
        (3351, "a correction was cut from its earlier version before a waiting step"),
        (2602, "rejects of one step stood by kind, then by row, as batches were cut"),
        (3185, "a withdrawn row was rejected a second time"),
        (3869, "what waiting rows set downstream fired after later timers"),
    ]
}
