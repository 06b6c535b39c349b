#include "CCRC32C.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <nmmintrin.h>
#include <string.h>

bool ccrc32c_is_available(void) {
    unsigned int a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

__attribute__((target("sse4.2")))
uint32_t ccrc32c_extend(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    uint64_t state = ~crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        state = _mm_crc32_u64(state, word);
    }
    for (; count > 0; count--, next++) state = _mm_crc32_u8((uint32_t)state, *next);
    return ~(uint32_t)state;
}

#else

bool ccrc32c_is_available(void) { return false; }

uint32_t ccrc32c_extend(uint32_t crc, const void *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return crc;
}

#endif
