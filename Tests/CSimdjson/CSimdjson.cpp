#include "CSimdjson.h"

#include <cstring>
#include <simdjson.h>
#include <string_view>

namespace {

simdjson::dom::parser &parser() {
    thread_local simdjson::dom::parser instance;
    return instance;
}

}  // namespace

int32_t csimdjson_parse(const uint8_t *bytes, size_t count) {
    simdjson::padded_string text(reinterpret_cast<const char *>(bytes), count);
    return static_cast<int32_t>(parser().parse(text).error());
}

int32_t csimdjson_is_number_error(int32_t code) { return code == simdjson::NUMBER_ERROR; }

csimdjson_member csimdjson_find(
    const uint8_t *bytes, size_t count, const char *name, uint8_t *buffer, size_t capacity) {
    csimdjson_member result{};
    simdjson::padded_string text(reinterpret_cast<const char *>(bytes), count);
    simdjson::dom::object object;
    if (parser().parse(text).get(object) != simdjson::SUCCESS) return result;
    simdjson::dom::element found;
    for (auto field : object) {
        if (field.key != std::string_view(name)) continue;
        if (result.occurrences++ == 0) found = field.value;
    }
    if (result.occurrences == 0) return result;
    switch (found.type()) {
    case simdjson::dom::element_type::NULL_VALUE: result.kind = CSIMDJSON_NULL; break;
    case simdjson::dom::element_type::BOOL:
        result.kind = CSIMDJSON_BOOL;
        result.int64 = bool(found);
        break;
    case simdjson::dom::element_type::INT64:
        result.kind = CSIMDJSON_INT64;
        result.int64 = int64_t(found);
        break;
    case simdjson::dom::element_type::UINT64:
        result.kind = CSIMDJSON_UINT64;
        result.int64 = static_cast<int64_t>(uint64_t(found));
        break;
    case simdjson::dom::element_type::DOUBLE:
        result.kind = CSIMDJSON_DOUBLE;
        result.number = double(found);
        break;
    case simdjson::dom::element_type::STRING: {
        result.kind = CSIMDJSON_STRING;
        std::string_view value(found);
        result.length = value.size();
        std::memcpy(buffer, value.data(), value.size() < capacity ? value.size() : capacity);
        break;
    }
    case simdjson::dom::element_type::ARRAY: result.kind = CSIMDJSON_ARRAY; break;
    case simdjson::dom::element_type::OBJECT: result.kind = CSIMDJSON_OBJECT; break;
    }
    return result;
}
