// The yardstick for the dust queries: one job, one thread, simdjson On-Demand.
//
// usage: dust d1|d2|p0 FILE OUTPUT
//
// d1: mean of 15 minutes per device; d2: the same every minute. Minutes are kept in a ring per
// device and a window is written when the greatest time seen, less a minute, has reached its end; a
// row that comes later than that is counted and left out. Concentrations are tenths of a microgram,
// so sums are exact. p0: decodes the same fields and adds them up.
#include <algorithm>

#include "input.hpp"

namespace {
constexpr int64_t minute = 60'000;
constexpr int64_t size = 15;   // minutes of a window
constexpr int64_t ring = 32;   // minutes kept; a power of two above size + disorder
constexpr int64_t limit = 2500;

struct Row {
    std::string_view device;
    int64_t time, tsp;
};

Row decode(simdjson::ondemand::object &object) {
    Row row;
    row.device = object["device"].get_string();
    row.time = object["ts"].get_int64();
    row.tsp = units(object["tsp"].get_double(), 10);
    return row;
}

struct Pane {
    int32_t sum = 0, count = 0;
};

class Means {
  public:
    Means(int64_t every, Output &out) : every(every), out(out) {}

    void add(const Row &row) {
        int64_t at = row.time / minute;
        if (next == INT64_MIN) {
            // The first window that a row as old as can still come may lie in.
            next = (at - 1) / every * every + every;
            greatest = row.time;
        }
        if (row.time > greatest) {
            greatest = row.time;
            close((greatest - minute) / minute);
        }
        if (at < next - every) {
            late++;
            return;
        }
        uint32_t device = names.number(row.device);
        if (device >= devices.size()) devices.resize(names.size());
        Pane &pane = devices[device].panes[at & (ring - 1)];
        pane.sum += static_cast<int32_t>(row.tsp);
        pane.count++;
    }

    void finish() {
        close(greatest / minute + size + every);
        if (late != 0) std::fprintf(stderr, "dust: %lld late rows\n", static_cast<long long>(late));
    }

  private:
    struct Device {
        Pane panes[ring];
        Pane window;  // the last `size` minutes before `next`
    };
    int64_t every;
    Output &out;
    Names names;
    std::vector<Device> devices;
    int64_t next = INT64_MIN;  // the end of the next window, in minutes
    int64_t greatest = 0;
    int64_t late = 0;

    // Writes the windows that end by `end`.
    void close(int64_t end) {
        for (; next <= end; next += every) {
            for (uint32_t number = 0; number < devices.size(); number++) {
                Device &device = devices[number];
                for (int64_t at = next - every; at < next; at++) {
                    Pane &fresh = device.panes[at & (ring - 1)];
                    Pane &old = device.panes[(at - size) & (ring - 1)];
                    device.window.sum += fresh.sum - old.sum;
                    device.window.count += fresh.count - old.count;
                    old = {};
                }
                if (device.window.count != 0) write(number, device.window);
            }
        }
    }

    void write(uint32_t number, const Pane &window) {
        // Tenths by count, as ten-thousandths, half to even.
        int64_t scaled = int64_t(window.sum) * 1000;
        int64_t mean = scaled / window.count, rest = scaled % window.count * 2;
        if (rest > window.count || (rest == window.count && mean % 2 != 0)) mean++;
        out.text("{\"device\":\"");
        out.text(names.name(number));
        out.text("\",\"start\":");
        out.number((next - size) * minute);
        out.text(",\"mean\":");
        out.four_digits(mean);
        out.text(window.sum > limit * window.count ? ",\"exceeded\":true}\n"
                                                   : ",\"exceeded\":false}\n");
    }
};

void means(const char *path, int64_t every, Output &out) {
    Means state(every, out);
    each_document(path, [&](simdjson::ondemand::object &object) { state.add(decode(object)); });
    state.finish();
}

void p0(const char *path, Output &out) {
    int64_t length = 0, time = 0, tsp = 0;
    each_document(path, [&](simdjson::ondemand::object &object) {
        Row row = decode(object);
        length += static_cast<int64_t>(row.device.size());
        time += row.time & 0xFFFFFF;
        tsp += row.tsp;
    });
    for (int64_t sum : {length, time, tsp}) {
        out.number(sum);
        out.text("\n");
    }
}
}  // namespace

int main(int count, char **arguments) {
    std::string_view query = count == 4 ? arguments[1] : "";
    if (query != "d1" && query != "d2" && query != "p0") {
        std::fprintf(stderr, "usage: dust d1|d2|p0 FILE OUTPUT\n");
        return 64;
    }
    Output out(arguments[3]);
    if (query == "p0")
        p0(arguments[2], out);
    else
        means(arguments[2], query == "d1" ? size : 1, out);
}
