import CAllocations

/// Calls of malloc and the like that the calling thread has made so far.
package func allocationCount() -> UInt64 { allocation_count() }
