import Glibc
import RecordLog

extension EmbeddedLog {
    /// Opens a data directory for a run: waits while an import holds it, and throws
    /// `RecordLogError.directoryLocked` when another run does.
    ///
    /// `shouldWait` is asked before each wait of a tenth of a second; false ends with the error.
    package static func open(
        _ path: String, whileAnImportHoldsIt shouldWait: () -> Bool
    ) throws -> EmbeddedLog {
        while true {
            do {
                return try open(path)
            } catch let error as RecordLogError {
                guard case .directoryLocked = error else { throw error }
                // A run answers at its socket, an import does not.
                if let run = try RemoteImportTarget.connect(path) {
                    try run.close()
                    throw error
                }
                guard shouldWait() else { throw error }
                usleep(100_000)
            }
        }
    }
}
