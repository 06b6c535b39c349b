import Glibc
import Primitives
import RecordLog

/// Opens what an import of this moment writes to.
package enum ImportTargets {
    /// The log itself when it is free, else the process that holds it, if that takes imports.
    ///
    /// Waits up to `patience` seconds for one of both, since a run may be starting or ending.
    package static func open(
        _ dataPath: String, patience: Double = 2
    ) throws -> any ImportTarget {
        var waited = 0.0
        while true {
            do {
                return DirectImportTarget(log: try EmbeddedLog.open(dataPath))
            } catch RecordLogError.directoryLocked {}
            if let remote = try RemoteImportTarget.connect(dataPath) { return remote }
            guard waited < patience else { break }
            usleep(100_000)
            waited += 0.1
        }
        throw Diagnostic(
            "\(dataPath) is in use by another process that takes no imports",
            hint: "wait until it has ended, another import for example; a `plumbline run` on it"
                + " takes imports while it works")
    }
}
