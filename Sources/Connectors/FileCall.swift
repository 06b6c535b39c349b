import Foundation
import Primitives
import RecordLog

/// Runs something of Foundation's on a file. Its error becomes one of the log's, so that it is told
/// with place, reason and way out, and a full disk is known as one.
package func fileCall<T>(
    _ operation: StorageError.Operation, _ path: String, _ body: () throws -> T
) throws(RecordLogError) -> T {
    do {
        return try body()
    } catch {
        let outer = error as NSError
        let cause = (outer.userInfo[NSUnderlyingErrorKey] as? any Error ?? error) as NSError
        let isSystem = cause.domain == NSPOSIXErrorDomain
        throw .storage(
            StorageError(
                operation, path, code: isSystem ? Int32(clamping: cause.code) : 0,
                reason: isSystem ? cause.localizedDescription : outer.localizedDescription))
    }
}
