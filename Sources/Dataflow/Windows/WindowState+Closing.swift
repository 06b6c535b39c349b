import Columnar
import Expression
import Primitives

extension WindowState {
    /// Closes a key's windows up to a watermark, in time order, and forgets what is expired.
    mutating func close(
        _ key: Int32, through watermark: Int64, before: Int64, sequence: Int64,
        _ emission: inout WindowEmission
    ) {
        while nextClose[Int(key)] <= watermark {
            let end = nextClose[Int(key)]
            _ = say(
                key: key, end: end,
                .init(before: min(before, end - 1), after: end, sequence: sequence), &emission)
            nextClose[Int(key)] = nextEnd(key: key, after: end)
        }
        let lastKept = pane(of: watermark.subtractingSaturating(lateness))
        panes.removePanes(key: key, before: lastKept - panesPerWindow + 1)
        if var kept = versions[key] {
            kept.removeAll { isExpired($0.end, at: watermark) }
            versions[key] = kept.isEmpty ? nil : kept
        }
    }

    /// End of the first window after `end` that has rows of the key; `Int64.max` for none.
    mutating func nextEnd(key: Int32, after end: Int64) -> Int64 {
        let closedPane = pane(of: end - 1)
        guard let first = panes.firstPane(key: key, from: closedPane - panesPerWindow + 2) else {
            return .max
        }
        return windowEnd(lastPane: max(first, closedPane + 1))
    }

    /// Emits what a window gives when it closes or is flushed: one row, none when it was flushed
    /// and has not changed since, or a correction of what was flushed. Returns the result that
    /// stands now, where one was said.
    private mutating func say(
        key: Int32, end: Int64, _ mark: WindowEmission.Mark, _ emission: inout WindowEmission
    ) -> Int32? {
        let window = windowPanes(of: key, endingAt: end)
        guard let index = versions[key]?.firstIndex(where: { $0.end == end }),
            let version = versions[key]?[index]
        else {
            guard hasRows(window) else { return nil }
            let result = results.note(window, end: end)
            emission.append(key: key, end: end, mark, result: result)
            return result
        }
        guard version.isDirty else { return nil }
        let hasRows = hasRows(window)
        versions[key]?[index].isDirty = false
        versions[key]?[index].isWithdrawn = !hasRows
        var mark = mark
        if !version.isWithdrawn {
            let before = results.recall(version.columns, version.causes)
            mark.change = hasRows ? .before : .withdraw
            mark.revision = hasRows ? version.revision : version.revision + 1
            emission.append(key: key, end: end, mark, result: before)
            mark.change = .correct
            mark.revision = version.revision + 1
            versions[key]?[index].revision = mark.revision
        }
        guard hasRows else { return nil }
        let after = results.note(window, end: end)
        emission.append(key: key, end: end, mark, result: after)
        emission.remember(key: key, end: end, result: after)
        return after
    }

    func revision(key: Int32, end: Int64) -> Int32 {
        versions[key]?.first { $0.end == end }?.revision ?? 0
    }

    mutating func setRevision(_ revision: Int32, key: Int32, end: Int64) {
        if let index = versions[key]?.firstIndex(where: { $0.end == end }) {
            versions[key]?[index].revision = revision
            return
        }
        insert(WindowVersion(end: end, revision: revision), key: key)
    }

    private mutating func insert(_ version: WindowVersion, key: Int32) {
        var list = versions[key] ?? []
        let index = list.firstIndex { $0.end > version.end } ?? list.count
        list.insert(version, at: index)
        versions[key] = list
    }

    mutating func advance(to watermark: Int64, _ output: inout StepOutput) {
        guard !usesKeyClocks else { return }
        var emission = WindowEmission()
        emission.isFired = true
        // Between two ends of panes the watermark moves in steps that depend on how batches are
        // cut.
        let before =
            self.watermark == .min
            ? .min : min(self.watermark, windowEnd(lastPane: pane(of: self.watermark) - 1))
        if nextTimer <= watermark {
            if sortedKeys.count != output.keys.count { sortedKeys = output.keys.sortedCodes() }
            var next = Int64.max
            for key in sortedKeys where Int(key) < nextClose.count {
                if nextClose[Int(key)] <= watermark {
                    close(
                        key, through: watermark, before: before,
                        sequence: output.nextSequence, &emission)
                    output.nextSequence += 1
                }
                next = min(next, nextClose[Int(key)])
            }
            nextTimer = next
        }
        emit(&emission, &output)
        self.watermark = max(self.watermark, watermark)
    }

    mutating func flush(_ output: inout StepOutput) {
        flush(output.keys.sortedCodes(), &output)
    }

    /// Emits the open windows of some keys, which come in byte order, without closing them.
    mutating func flush(_ keys: [Int32], _ output: inout StepOutput) {
        var open: [(end: Int64, key: Int32)] = []
        for key in keys where Int(key) < nextClose.count {
            var end = nextClose[Int(key)]
            while end != .max {
                open.append((end, key))
                end = nextEnd(key: key, after: end)
            }
        }
        // Stable: keys of one end keep their byte order.
        var emission = WindowEmission()
        for (_, window) in open.enumerated().sorted(by: {
            ($0.element.end, $0.offset) < ($1.element.end, $1.offset)
        }) {
            let time = window.end - 1000
            let mark = WindowEmission.Mark(
                before: time, after: time, sequence: output.nextSequence)
            output.nextSequence += 1
            guard let result = say(key: window.key, end: window.end, mark, &emission),
                versions[window.key]?.contains(where: { $0.end == window.end }) != true
            else { continue }
            insert(WindowVersion(end: window.end, revision: 0), key: window.key)
            emission.remember(key: window.key, end: window.end, result: result)
        }
        emit(&emission, &output)
    }

    // MARK: Output

    mutating func emit(_ emission: inout WindowEmission, _ output: inout StepOutput) {
        if emission.isEmpty { return }
        let results = results.take(accumulators, panes)
        for (key, end, result) in emission.said {
            guard let index = versions[key]?.firstIndex(where: { $0.end == end }) else { continue }
            versions[key]?[index].columns = results.columns([result])
            versions[key]?[index].causes = results.causes.map { $0[Int(result)] }
        }
        var start = 0
        while start < emission.rowCount {
            let end = emission.batchEnd(from: start, maximumRowCount: output.maximumRowCount)
            emit(start..<end, of: &emission, results, &output)
            start = end
        }
        emit(start..<start, of: &emission, results, &output)
    }

    private mutating func emit(
        _ range: Range<Int>, of emission: inout WindowEmission, _ results: WindowResults,
        _ output: inout StepOutput
    ) {
        var (batch, context, ends, places) = emission.batch(
            range, of: results, causeInputs: panes.causeInputs)
        context.ghosts = emission.takeMoves(among: range)
        batch.columns = [
            keyColumn(batch.keys, output.keys),
            Column(.int64(ends.map { assigner.start(ofWindowEndingAt: $0) })),
            Column(.int64(ends)),
        ]
        batch.columns += results.columns(places)
        let fits = places.map { results.fits[Int($0)] }
        guard fits.contains(false) else {
            output.emit(batch, context)
            return
        }
        for row in fits.indices where !fits[row] && batch.change(row) != .before {
            output.reject(
                RejectReason(name: "overflow"),
                "a result of the window ending \(Timestamp.text(ends[row])) does not fit",
                row: row, of: batch, context)
        }
        let (kept, keptContext) = selectRows(
            fits, of: batch, context, keepsGhosts: output.keepsGhosts)
        output.emit(kept, keptContext)
    }

    private func keyColumn(_ codes: [Int32], _ keys: KeyTable) -> Column {
        guard keyIsInteger else { return keys.column(codes) }
        return Column(
            .int64(codes.map { Int64(String(decoding: keys.bytes($0), as: UTF8.self)) ?? 0 }))
    }
}
