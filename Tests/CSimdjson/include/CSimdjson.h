// simdjson's DOM parser behind a C face: the oracle of the JSON decoder's tests.
#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum csimdjson_kind {
    CSIMDJSON_MISSING = 0,
    CSIMDJSON_NULL = 1,
    CSIMDJSON_BOOL = 2,
    CSIMDJSON_INT64 = 3,
    CSIMDJSON_UINT64 = 4,
    CSIMDJSON_DOUBLE = 5,
    CSIMDJSON_STRING = 6,
    CSIMDJSON_ARRAY = 7,
    CSIMDJSON_OBJECT = 8
};

/// What a member of a document's top-level object holds.
struct csimdjson_member {
    int32_t kind;
    /// How often the member stands in the object.
    int32_t occurrences;
    int64_t int64;
    double number;
    /// Length of a string; its first bytes are in the buffer given.
    size_t length;
};

/// simdjson's error code for a document: 0 when it is valid.
int32_t csimdjson_parse(const uint8_t *bytes, size_t count);

/// Whether an error code is the one for numbers that are malformed, or too large for simdjson.
int32_t csimdjson_is_number_error(int32_t code);

/// Looks a member up in a document that is valid.
struct csimdjson_member csimdjson_find(
    const uint8_t *bytes, size_t count, const char *name, uint8_t *buffer, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
