import Connectors
import Dataflow
import Foundation

/// The figures of one task, noted at most once a second. Threading: one task owns it.
struct TaskMetrics {
    private let metrics: Metrics
    private let labels: [(String, String)]
    private var nextNote = Date.distantPast

    init?(_ metrics: Metrics?, _ identity: TaskIdentity) {
        guard let metrics else { return nil }
        self.metrics = metrics
        labels = [("task", identity.name)]
    }

    func read(_ rows: Int) { metrics.add(.rows, Double(rows), labels) }

    func committed(_ record: EpochRecord, seconds: Double) {
        metrics.add(.epochs, 1, labels)
        metrics.observe(.commitSeconds, seconds, labels)
        for range in record.outputs {
            metrics.add(.records, Double(range.records), labels + [("topic", range.topic)])
        }
    }

    func recovered(_ report: RecoveryReport, seconds: Double) {
        metrics.observe(.recoverySeconds, seconds, labels)
        metrics.add(.reexecuted, Double(report.executedRows), labels)
    }

    /// Notes where the task stands.
    mutating func noteState(_ core: TaskCore) throws {
        let now = Date()
        guard now >= nextNote else { return }
        nextNote = now.addingTimeInterval(1)
        for input in core.inputs {
            var place = labels
            place.append(("topic", input.slot.topic))
            place.append(("partition", "\(input.slot.partition)"))
            if input.slot.sharesPartition { place.append(("sender", "\(input.slot.writer)")) }
            let end = try input.committedEnd()
            metrics.set(.lag, Double(max(0, end - input.position)), place)
        }
        guard let watermark = core.pipeline.watermark, watermark != .min else { return }
        let seconds = Double(watermark) / 1_000_000
        metrics.set(.watermark, seconds, labels)
        metrics.set(.watermarkDelay, now.timeIntervalSince1970 - seconds, labels)
    }

    /// The task is another process's now.
    func forget() {
        for metric in [Metric.lag, .watermark, .watermarkDelay] { metrics.forget(metric, labels) }
    }
}
