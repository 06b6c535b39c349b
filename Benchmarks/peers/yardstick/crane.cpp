// The yardstick for the crane queries: one job, one thread, simdjson On-Demand.
//
// usage: crane c1|p0 FILE OUTPUT
//
// c1: capacity by interpolation, the level of the ratio (0.9, 1.0, 1.1), a line out when a device's
// level rises. p0: decodes the same fields and adds them up. Loads are kilograms, radii
// centimetres; a ratio is compared by cross-multiplication, so a load exactly on a level is on it.
#include <algorithm>

#include "input.hpp"

namespace {
struct Point {
    int64_t radius, load;
};
constexpr Point chart[] = {{250, 6000},  {1370, 6000}, {1600, 5000}, {2000, 3900}, {2500, 3000},
                           {3000, 2400}, {3500, 2000}, {4000, 1700}, {4500, 1450}, {5000, 1300}};
constexpr const char *levels[] = {"normal", "warning", "alarm", "critical"};

struct Row {
    std::string_view device;
    int64_t time, load, radius;
};

Row decode(simdjson::ondemand::object &object) {
    Row row;
    row.device = object["device"].get_string();
    row.time = object["ts"].get_int64();
    row.load = units(object["load_t"].get_double(), 1000);
    row.radius = units(object["radius_m"].get_double(), 100);
    return row;
}

int level(int64_t load, int64_t radius) {
    const Point *high = chart + 1;
    while (high->radius < radius) high++;
    const Point *low = high - 1;
    int64_t width = high->radius - low->radius;
    // The capacity times the width, and ten times the load beside tenths of it.
    int64_t capacity = low->load * width + (high->load - low->load) * (radius - low->radius);
    int64_t tenfold = load * 10 * width;
    return (tenfold >= capacity * 9) + (tenfold >= capacity * 10) + (tenfold >= capacity * 11);
}

void c1(const char *path, Output &out) {
    Names names;
    std::vector<uint8_t> held;
    each_document(path, [&](simdjson::ondemand::object &object) {
        Row row = decode(object);
        if (row.radius < chart[0].radius || row.radius > std::end(chart)[-1].radius) return;
        uint32_t device = names.number(row.device);
        if (device >= held.size()) held.resize(names.size());
        int now = level(row.load, row.radius);
        if (now > held[device]) {
            out.text("{\"device\":\"");
            out.text(row.device);
            out.text("\",\"ts\":");
            out.number(row.time);
            out.text(",\"level\":\"");
            out.text(levels[now]);
            out.text("\"}\n");
        }
        held[device] = static_cast<uint8_t>(now);
    });
}

void p0(const char *path, Output &out) {
    int64_t length = 0, time = 0, load = 0, radius = 0;
    each_document(path, [&](simdjson::ondemand::object &object) {
        Row row = decode(object);
        length += static_cast<int64_t>(row.device.size());
        time += row.time & 0xFFFFFF;
        load += row.load;
        radius += row.radius;
    });
    for (int64_t sum : {length, time, load, radius}) {
        out.number(sum);
        out.text("\n");
    }
}
}  // namespace

int main(int count, char **arguments) {
    std::string_view query = count == 4 ? arguments[1] : "";
    if (query != "c1" && query != "p0") {
        std::fprintf(stderr, "usage: crane c1|p0 FILE OUTPUT\n");
        return 64;
    }
    Output out(arguments[3]);
    query == "c1" ? c1(arguments[2], out) : p0(arguments[2], out);
}
