"""Samples of rounds, and the table of their medians."""
import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Sample:
    """One run of a query: who, which round, how many records, and what it used."""

    query: str
    name: str
    round: int
    records: int
    cpu: float
    wall: float
    peak: float
    written: int


def spread(values, form="{:.2f}"):
    """A median with the least and the greatest."""
    if not values:
        return "–"
    middle, low, high = (
        form.format(part) for part in (statistics.median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low}–{high})"


def by_round(samples):
    """For every round the smaller and the larger of its two runs."""
    rounds = {}
    for sample in sorted(samples, key=lambda sample: sample.records):
        rounds.setdefault(sample.round, []).append(sample)
    return rounds


def per_record(pair):
    """CPU microseconds a record: steady (by difference, or None), and whole."""
    small, large = pair[0], pair[-1]
    more = large.records - small.records
    steady = (large.cpu - small.cpu) / more * 1e6 if more else None
    if steady is not None and steady <= 0:
        # Start-up varied by more than the records cost.
        steady = None
    return steady, large.cpu / large.records * 1e6


def ratios(mine, theirs, part):
    """CPU a record beside the yardstick's, round by round; part 0 is steady, 1 is whole."""
    found = []
    for number, pair in mine.items():
        if number not in theirs:
            continue
        own, other = per_record(pair)[part], per_record(theirs[number])[part]
        if own is not None and other is not None:
            found.append(own / other)
    return found


def row(name, samples, yardstick, verdict):
    """A contender's line of the table."""
    rounds = by_round(samples)
    large = [pair[-1] for pair in rounds.values()]
    steady = [per_record(pair)[0] for pair in rounds.values()]
    rates = [1 / value for value in steady if value is not None]
    return [
        name, f"{large[0].records:,}", spread(rates),
        spread(ratios(rounds, yardstick, 0)), spread([one.cpu for one in large]),
        spread(ratios(rounds, yardstick, 1)), spread([one.wall for one in large]),
        spread([one.records / one.cpu / 1e6 for one in large]),
        f"{max(one.peak for one in large):,.0f}", f"{large[0].written / 1e6:,.1f}",
        verdict.hash if verdict else "–",
        judgement(verdict),
    ]


def judgement(verdict):
    """What the table says of an output."""
    if verdict is None:
        return "–"
    lines = f"{verdict.lines:,} lines"
    return (verdict.findings or f"yes, {lines}") if verdict.compared else f"{lines}, not compared"


HEAD = [
    "contender", "records", "steady, M/CPU s", "steady × Y", "CPU s", "whole × Y", "wall s",
    "whole, M/CPU s", "peak MB", "MB out", "hash", "exact",
]


def markdown(query, samples, verdicts, yardstick):
    """The table of a query; `yardstick` is the name of the contender that others stand beside."""
    own = [sample for sample in samples if sample.query == query]
    names = list(dict.fromkeys(sample.name for sample in own))
    base = by_round([sample for sample in own if sample.name == yardstick])
    lines = [f"### {query}", "", "| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    for name in names:
        mine = [sample for sample in own if sample.name == name]
        cells = row(name, mine, base, verdicts.get((query, name)))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
