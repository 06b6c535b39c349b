// The processor's CRC-32C instruction (SSE 4.2), which Swift cannot reach.
#ifndef CCRC32C_H
#define CCRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has the instruction; never on other architectures than x86-64.
bool ccrc32c_is_available(void);

/// The checksum of what `crc` covers followed by `count` bytes. Only where it is available.
uint32_t ccrc32c_extend(uint32_t crc, const void *bytes, size_t count);

#endif
