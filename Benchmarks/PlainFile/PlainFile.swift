import Dataflow
import Engine
import Glibc
import RecordLog
import Topology

/// Runs a topology over plain files of JSON lines, without a log: what the yardstick does.
///
/// usage: PlainFile TOPOLOGY OUTPUT FILE…   one file a source, in the order of the topology
///
/// Writes the values of the first sink's records as lines.
@main
enum PlainFile {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4 else {
            print("usage: PlainFile TOPOLOGY OUTPUT FILE…, one file a source")
            exit(64)
        }
        do {
            try run(arguments[1], output: arguments[2], files: Array(arguments[3...]))
        } catch {
            print("PlainFile: \(error)")
            exit(1)
        }
    }

    private static func run(_ topology: String, output: String, files: [String]) throws {
        let plan = try TopologyLoader.load(directory: topology).plan
        guard files.count == plan.sources.count else {
            throw LineSource.Failure(
                description: "\(topology) has \(plan.sources.count) sources, "
                    + "\(files.count) files are named")
        }
        guard let out = fopen(output, "w") else {
            throw LineSource.Failure(description: "\(output) cannot be written")
        }
        defer { fclose(out) }
        let decoder = RecordBatchDecoder()
        var rejects = 0
        let task = PlainTask(plan: plan, sources: try files.map { try LineSource($0) })
        _ = try task.run { index, batches in
            for batch in batches {
                let block = try decoder.decodeAll(batch)
                if index == plan.sinks.count { rejects += block.count }
                guard index == 0 else { continue }
                block.bytes.withUnsafeBufferPointer { bytes in
                    for row in 0..<block.count where block.valueLengths[row] >= 0 {
                        let start = bytes.baseAddress.map { $0 + Int(block.valueStarts[row]) }
                        fwrite(start, 1, Int(block.valueLengths[row]), out)
                        putc(10, out)
                    }
                }
            }
        }
        if rejects > 0 { print("\(rejects) records were rejected") }
    }
}
