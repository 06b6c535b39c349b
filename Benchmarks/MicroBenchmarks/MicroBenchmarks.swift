import Benchmark
import Glibc
import Micro

/// Runs every case of ``Micro`` with the package `benchmark` and prints a table in Markdown.
///
/// usage: MicroBenchmarks [--filter REGEX] [--skip REGEX], as the package has them; a case's name
/// begins with its topic. The target also runs under `swift package benchmark`, which keeps
/// baselines and compares them.
@main
struct MicroBenchmarks: BenchmarkRunnerHooks {
    private static let time = BenchmarkMetric.custom("CPU, ps a unit", useScalingFactor: false)
    private static let allocations = BenchmarkMetric.custom(
        "allocations in a thousand batches", useScalingFactor: false)
    /// Where the table goes; nil under the package's own tool, which prints tables of its own.
    nonisolated(unsafe) private static var table: Int32?

    static func main() async {
        if !CommandLine.arguments.contains("--output-fd") {
            write("| case | a | CPU ns | M a CPU second | allocations a batch | digest |", to: 1)
            write("|---|---|---|---|---|---|", to: 1)
            table = dup(1)
            // The package prints a histogram of each metric; the table has what is wanted of them.
            let nowhere = open("/dev/null", O_WRONLY)
            dup2(nowhere, 1)
        }
        await BenchmarkRunner.setupBenchmarkRunner(registerBenchmarks: registerBenchmarks)
    }

    static func registerBenchmarks() {
        for entry in MicroEntry.all { register(entry) }
    }

    private static func register(_ entry: MicroEntry) {
        let state = CaseState(entry)
        Benchmark(
            entry.name,
            configuration: .init(
                metrics: [time, allocations], warmupIterations: 0,
                maxDuration: .milliseconds(1000), maxIterations: 200)
        ) { benchmark in
            guard let sample = state.sample() else {
                return benchmark.error("\(entry.name) was not made ready")
            }
            benchmark.measurement(time, sample.picoseconds)
            benchmark.measurement(allocations, sample.allocations)
        } setup: {
            try state.begin()
        } teardown: {
            if let table { write(state.end(), to: table) }
        }
    }

    private static func write(_ line: String, to file: Int32) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    }
}
