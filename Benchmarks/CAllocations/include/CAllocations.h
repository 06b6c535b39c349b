#pragma once
#include <stdint.h>

/// Calls of malloc, calloc, realloc and the aligned ones that this thread has made so far.
///
/// The functions of this target stand before the C library's own in any program that it is linked
/// into; one addition to a variable of the thread is all that they add. glibc only.
uint64_t allocation_count(void);

/// Bytes that these calls asked for.
uint64_t allocation_bytes(void);
