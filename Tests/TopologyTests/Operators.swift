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
              - joined:
                  from: load
                  lookup: {crane: device}
                  select: {model: crane.model, device: load.device}
            sinks:
              - {from: low, topic: low, codec: zstd}
              - {from: joined, topic: joined}
            """
}
