// What the two yardsticks share: lines of a file through simdjson, interned names, buffered output.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

[[noreturn]] inline void fail(const char *what) {
    std::perror(what);
    std::exit(1);
}

// Gives every document of an NDJSON file to `body`, in blocks of whole lines: constant memory.
template <typename Body>
void each_document(const char *path, Body body) {
    constexpr size_t block = 1 << 20;
    int file = open(path, O_RDONLY);
    if (file < 0) fail(path);
    posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    std::vector<char> buffer(block + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::parser parser;
    size_t held = 0;
    for (;;) {
        ssize_t got = read(file, buffer.data() + held, block - held);
        if (got < 0) fail(path);
        held += static_cast<size_t>(got);
        size_t whole = held;
        if (got != 0) {
            auto end = static_cast<char *>(memrchr(buffer.data(), '\n', held));
            if (end == nullptr) {
                if (held == block) fail("a line longer than a block");
                continue;
            }
            whole = static_cast<size_t>(end + 1 - buffer.data());
        }
        if (whole != 0) {
            simdjson::ondemand::document_stream documents;
            // One block is one batch, so the index is built once for all its lines.
            auto error = parser.iterate_many(buffer.data(), whole, block).get(documents);
            if (error) fail(simdjson::error_message(error));
            for (auto document : documents) {
                simdjson::ondemand::object row = document.get_object();
                body(row);
            }
        }
        if (got == 0) break;
        held -= whole;
        std::memmove(buffer.data(), buffer.data() + whole, held);
    }
    close(file);
}

// A decimal of the file in units of 1/scale. Exact: doubles carry 15 digits, readings have five.
inline int64_t units(double value, double scale) { return std::lrint(value * scale); }

// Names by number, in order of appearance: open addressing, the hash kept beside the number.
class Names {
  public:
    uint32_t number(std::string_view name) {
        uint64_t hash = 0xcbf29ce484222325;
        size_t index = 0;
        for (; index + 8 <= name.size(); index += 8) hash = mix(hash, word(&name[index], 8));
        hash = mix(hash, word(&name[index], name.size() - index) ^ name.size() << 56);
        size_t mask = slots.size() - 1;
        for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
            Slot &entry = slots[slot];
            if (entry.number == empty) return insert(name, hash, slot);
            if (entry.hash == hash && names[entry.number] == name) return entry.number;
        }
    }
    const std::string &name(uint32_t number) const { return names[number]; }
    size_t size() const { return names.size(); }

  private:
    static constexpr uint32_t empty = UINT32_MAX;
    struct Slot {
        uint64_t hash = 0;
        uint32_t number = empty;
    };
    std::vector<Slot> slots = std::vector<Slot>(1 << 14);
    std::vector<std::string> names;

    static uint64_t word(const char *bytes, size_t count) {
        uint64_t value = 0;
        std::memcpy(&value, bytes, count);
        return value;
    }
    static uint64_t mix(uint64_t hash, uint64_t value) {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15;
        return hash ^ hash >> 32;
    }
    uint32_t insert(std::string_view name, uint64_t hash, size_t slot) {
        uint32_t number = static_cast<uint32_t>(names.size());
        names.emplace_back(name);
        slots[slot] = {hash, number};
        if (names.size() * 2 > slots.size()) grow();
        return number;
    }
    void grow() {
        std::vector<Slot> old(slots.size() * 2);
        old.swap(slots);
        for (const Slot &entry : old) {
            if (entry.number == empty) continue;
            size_t slot = entry.hash & (slots.size() - 1);
            while (slots[slot].number != empty) slot = (slot + 1) & (slots.size() - 1);
            slots[slot] = entry;
        }
    }
};

// Output through one buffer, digits by hand.
class Output {
  public:
    explicit Output(const char *path) : file(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)) {
        if (file < 0) fail(path);
        bytes.resize(1 << 18);
    }
    ~Output() {
        flush();
        close(file);
    }
    void text(std::string_view value) {
        if (used + value.size() > bytes.size()) flush();
        std::memcpy(bytes.data() + used, value.data(), value.size());
        used += value.size();
    }
    void number(int64_t value) {
        char digits[20];
        size_t first = sizeof digits;
        uint64_t rest = static_cast<uint64_t>(value < 0 ? -value : value);
        do {
            digits[--first] = static_cast<char>('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
        if (value < 0) digits[--first] = '-';
        text({digits + first, sizeof digits - first});
    }
    // units / 10000 with four digits after the point.
    void four_digits(int64_t units) {
        number(units / 10000);
        char digits[5] = {'.'};
        for (int64_t place = 4, rest = units % 10000; place > 0; place--, rest /= 10)
            digits[place] = static_cast<char>('0' + rest % 10);
        text({digits, 5});
    }

  private:
    int file;
    std::vector<char> bytes;
    size_t used = 0;
    void flush() {
        for (size_t done = 0; done < used;) {
            ssize_t count = write(file, bytes.data() + done, used - done);
            if (count < 0) fail("output");
            done += static_cast<size_t>(count);
        }
        used = 0;
    }
};
