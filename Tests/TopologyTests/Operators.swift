/// A topology with every operator and option.
enum Operators {
    static let everything =
        Crane.sources.replacing("clock: key, abandon: 1h", with: "idle: 30s, granule: 500ms") + """
            steps:
              - once: {from: load, key: device, distinct: {order: time}}
              - hop:
                  from: once
                  key: device
                  window:
                    hopping: {size: 15m, every: 1m}
                    offset: 30s
                    aggregate:
                      m: mean(mass)
                      s: sum(mass)
                      lo: min(ts)
                      f: first(falls)
                      l: last(percent)
              - share:
                  from: hop
                  filter: s > quantity(1.5, "t")
                  otherwise: little
                  select: {part: m / s, many: 's > 10.0 ? "a: b" : ''c'''}
              - low:
                  from: share
                  key: device
                  levels:
                    of: part
                    raise: {low: 0.5, lower: 0.25}
                    clear: {low: 0.6, lower: 0.3}
                    direction: below
                    confirm: 90s
                    hold: 10m
                    order: time
                    ties: judge
              - work:
                  from: once
                  key: device
                  machine:
                    order: arrival
                    initial: idle
                    states: [idle, lifting, lost]
                    remember:
                      most: {type: "decimal(2) t?", initial: "1.50"}
                      lifts: {type: int, initial: 0}
                      note: string?
                    transitions:
                      - on: mass > 0.5
                        from: [lost, idle]
                        to: lifting
                        when: machine.lifts < 100 || has(machine.note)
                        set: {most: 'mass > machine.most ? mass : machine.most', \
                          lifts: machine.lifts + 1}
                      - {on: mass <= 0.5, from: any, to: idle, set: {note: '"a: b"'}, describe: x}
                      - {on: falls == 4, from: lifting}
                    invariants:
                      - {name: heavy, on: falls == 2, require: 'machine.state != "lifting"'}
                    deadlines:
                      - {name: long, in: lifting, after: 90s, repeat: 1h, to: lost}
                      - {name: none, since: mass > 0.0, until: falls == 4, in: [lifting, idle], \
                         after: ts - timestamp("2026-01-01T00:00:00Z"), clock: tick}
                    unexpected: ignore
              - joined:
                  from: load
                  lookup: {crane: device}
                  select: {model: crane.model, device: load.device}
            sinks:
              - {from: low, topic: low, codec: zstd}
              - {from: joined, topic: joined}
              - {from: little, topic: little}
              - {from: work, topic: work}
            """
}
