import Primitives
import Topology

/// The topology of the language's documentation, as texts.
enum Crane {
    static let loadSchema = """
        schema: crane-load
        describe: One reading of a crane
        fields:
          device: string
          ts: timestamp
          mass: decimal(2) t
          radius: decimal(1) m
          falls: int
          percent: decimal(1) %?
        """

    static let craneSchema = """
        schema: crane
        fields:
          device: string
          ts: timestamp
          model: string
          chart: "map<int, list<struct{radius: decimal(2) m, capacity: decimal(3) t}>>"
        """

    static let sources = """
        topology: crane-overload
        version: 1
        describe: Load against the rated chart
        sources:
          load:
            topic: telemetry.crane
            schema: crane-load
            key: device
            time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m, clock: key, abandon: 1h}
          crane:
            topic: registry.crane
            schema: crane
            table: {key: device, asOf: ts}

        """

    static let topology =
        sources + """
            steps:
              - rated:
                  from: load
                  lookup: {crane: device}
                  filter: load.mass > 0.0
                  select:
                    ratio: load.mass / interpolate(crane.chart[load.falls], load.radius)
                    falls: load.falls
              - overload:
                  from: rated
                  key: device
                  levels:
                    of: ratio
                    raise: {warning: 0.90, alarm: 1.00, critical: 1.1}
                    clear: {warning: 0.85, alarm: 0.95, critical: 1.00}
                    confirm: 2 readings
              - mean15:
                  from: load
                  key: device
                  window:
                    tumbling: 15m
                    aggregate: {m: mean(load.mass), n: count(), \
                      top: max( load.mass ), d: count(load.mass)}
            sinks:
              - {from: overload, topic: alarms.crane, codec: lz4}
              - {from: mean15, topic: means.crane, codec: none}
            """

    static func texts(_ topology: String) -> TopologyTexts {
        TopologyTexts([
            "topology.yaml": topology, "schemas/crane-load.yaml": loadSchema,
            "schemas/crane.yaml": craneSchema,
        ])
    }
}

/// Loads a topology of the crane's schemas and gives what is wrong with it.
func problems(_ topology: String) -> [Diagnostic] {
    problems(Crane.texts(topology))
}

func problems(_ files: TopologyTexts) -> [Diagnostic] {
    do {
        _ = try TopologyLoader.load(files)
        return []
    } catch {
        return error.diagnostics
    }
}

/// `line:column message` of each, without the file when it is `topology.yaml`.
func summary(_ diagnostics: [Diagnostic]) -> [String] {
    diagnostics.map { diagnostic in
        guard let place = diagnostic.location else { return diagnostic.message }
        let file = place.file == "topology.yaml" ? "" : "\(place.file):"
        return "\(file)\(place.line):\(place.column) \(diagnostic.message)"
    }
}

/// A text with `‸` where diagnostics are expected, in the order of the places.
struct Marked {
    var text = ""
    /// `line:column` of each mark, counted by hand: lines by newline, columns by character.
    var places: [String] = []

    init(_ marked: String) {
        var line = 1
        var column = 1
        for character in marked {
            if character == "‸" {
                places.append("\(line):\(column)")
                continue
            }
            text.append(character)
            column += 1
            if character == "\n" {
                line += 1
                column = 1
            }
        }
    }

    func with(_ messages: [String]) -> [String] {
        zip(places, messages).map { "\($0) \($1)" } + messages.dropFirst(places.count)
    }
}
