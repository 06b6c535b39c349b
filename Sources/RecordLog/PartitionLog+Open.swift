import Primitives

extension PartitionLog {
    /// How a partition is opened.
    struct Opening {
        /// The directory was closed cleanly: batches need not be checked.
        var isClean: Bool
        /// Cut damaged batches even where that loses published records.
        var cutsPublished: Bool
    }

    /// Opens a partition by Kafka's rule (`LogLoader`, `LogSegment.recover`): leftovers go,
    /// missing or wrong indexes rebuilt; after a crash every batch from the recovery point on is
    /// checked, the log is cut at the first bad one and later segments are removed.
    ///
    /// One thing differs: a cut that would lose published records is refused with
    /// `damagedPartition`, nothing changed, unless `cutsPublished`.
    static func open(
        _ place: TopicPartition, in directory: String, _ storage: any Storage,
        _ options: LogOptions, _ state: DirectoryState, _ opening: Opening
    ) throws(RecordLogError) -> PartitionLog {
        let path = "\(directory)/\(place)"
        var bases = try tidy(path, storage)
        var report = RecoveryReport(partition: place)
        if bases.isEmpty {
            try storageCall { () throws(StorageError) in
                try Segment.create(0, in: path, storage).close()
                try storage.syncDirectory(path)
            }
            bases = [0]
        }
        var mender = Mender(
            place: place, path: path, storage: storage, published: state.published(place),
            cutsPublished: opening.cutsPublished, report: report)
        let firstUnsafe =
            opening.isClean
            ? bases.count
            : (bases.lastIndex { $0 <= state.recoveryPoint(place) } ?? 0)
        let active = try mender.load(&bases, scanningFrom: firstUnsafe)
        report = mender.report
        if state.published(place) > active.nextOffset {
            state.setPublished(place, active.nextOffset)
        }
        if state.recoveryPoint(place) > active.nextOffset {
            state.setRecoveryPoint(place, active.nextOffset)
        }
        return PartitionLog(
            place, path: path, storage, options, state, segments: bases, active: active,
            recovery: report)
    }

    /// Removes what an interrupted change left behind and lists the segments.
    private static func tidy(
        _ path: String, _ storage: any Storage
    ) throws(RecordLogError) -> [Int64] {
        let names = try storageCall { () throws(StorageError) in try storage.list(path) }
        if let swap = names.first(where: { $0.hasSuffix(".log.swap") }) {
            throw .malformedFile(
                path: path + "/" + swap,
                reason: "an interrupted compaction; start Kafka once on this directory to finish it"
            )
        }
        let bases = names.compactMap { SegmentName.baseOffset($0, ".log") }.sorted()
        let logs = Set(bases)
        try storageCall { () throws(StorageError) in
            for name in names {
                let isLeftover =
                    name.hasSuffix(".deleted") || name.hasSuffix(".cleaned")
                    || name.hasSuffix(".swap")
                let isOrphan = [".index", ".timeindex", ".txnindex"].contains { suffix in
                    SegmentName.baseOffset(name, suffix).map { !logs.contains($0) } ?? false
                }
                if isLeftover || isOrphan { try storage.remove(path + "/" + name) }
            }
        }
        return bases
    }
}

/// Loads the segments of a partition and mends what a crash has left.
private struct Mender {
    let place: TopicPartition
    let path: String
    let storage: any Storage
    let published: Int64
    let cutsPublished: Bool
    var report: RecoveryReport

    /// Loads segments in order; from index `firstUnsafe` on every batch is checked. Returns the
    /// last one, open.
    mutating func load(
        _ bases: inout [Int64], scanningFrom firstUnsafe: Int
    ) throws(RecordLogError) -> Segment {
        var index = 0
        var active: Segment?
        while index < bases.count {
            active?.close()
            let base = bases[index]
            let segment = try storageCall { () throws(StorageError) in
                try Segment.open(base, in: path, storage)
            }
            active = segment
            if let fault = try loadOne(segment, scans: index >= firstUnsafe) {
                try refuseOrCut(segment, fault, later: Array(bases[(index + 1)...]))
                bases.removeLast(bases.count - index - 1)
            }
            index += 1
        }
        guard let active else {
            throw .malformedFile(path: path, reason: "there is no segment")
        }
        if active.nextOffset < published, !cutsPublished {
            throw .damagedPartition(
                path: active.path, position: active.size, offset: active.nextOffset,
                published: published, .truncated)
        }
        return active
    }

    /// Loads or recovers a segment; returns what is wrong with its batches.
    private mutating func loadOne(
        _ segment: Segment, scans: Bool
    ) throws(RecordLogError) -> RecordLogError? {
        if !scans, try segment.load() { return nil }
        let hadIndexes = scans ? try segment.load() : false
        if scans { report.scannedSegments += 1 }
        if !hadIndexes { report.rebuiltIndexes += 1 }
        if let fault = try segment.recover() { return fault }
        try storageCall { () throws(StorageError) in try segment.cut() }
        return nil
    }

    /// Cuts at the fault and removes later segments, or refuses because records were published.
    private mutating func refuseOrCut(
        _ segment: Segment, _ fault: RecordLogError, later: [Int64]
    ) throws(RecordLogError) {
        if segment.nextOffset < published, !cutsPublished,
            case .corruptBatch(let file, let position, let reason) = fault
        {
            throw .damagedPartition(
                path: file, position: position, offset: segment.nextOffset,
                published: published, reason)
        }
        try storageCall { () throws(StorageError) in
            for base in later.reversed() {
                let log = try storage.open(Segment.path(base, ".log", in: path), .read)
                report.truncatedBytes += try log.size()
                log.close()
                try Segment.remove(base, in: path, storage)
                report.removedSegments += 1
            }
            report.truncatedBytes += try segment.excess()
            try segment.cut()
            try Segment.removeSnapshots(after: segment.nextOffset, in: path, storage)
            try storage.syncDirectory(path)
        }
        report.fault = fault
    }
}

extension Segment {
    /// Removes a segment's files, the log last, so that a crash in between leaves no log without
    /// a reason.
    static func remove(
        _ baseOffset: Int64, in directory: String, _ storage: any Storage
    ) throws(StorageError) {
        for suffix in [".index", ".timeindex", ".txnindex", ".log"] {
            try storage.remove(path(baseOffset, suffix, in: directory))
        }
    }

    /// Removes producer snapshots of a state beyond the log's end.
    static func removeSnapshots(
        after offset: Int64, in directory: String, _ storage: any Storage
    ) throws(StorageError) {
        for name in try storage.list(directory) {
            if let taken = SegmentName.baseOffset(name, ".snapshot"), taken > offset {
                try storage.remove(directory + "/" + name)
            }
        }
    }
}
