"""Random values of `Fixtures/site.proto`, and what they are as fields: an encoder of its own, by
the text of "Encoding" (Protocol Buffers). `make_protobuf_samples.py` compares it with Google's.

    protobuf_oracle.py SEED VALUES

Prints a JSON object a line: {"value": hex, "expected": [text of each field]}, in the order of
FIELDS. Texts are those of the tests' `show`.
"""
import json
import random
import struct
import sys
from decimal import Decimal

FIELDS = [
    ["k", "string"], ["t", "timestamp"], ["mass", "decimal(2)"], ["radius", "decimal(1)"],
    ["i32", "int"], ["i64", "int"], ["u32", "int"], ["u64", "int"], ["s32", "int"],
    ["s64", "int"], ["f32", "int"], ["f64", "int"], ["sf32", "int"], ["sf64", "int"],
    ["on", "bool"], ["raw", "bytes"], ["mode", "string"], ["since", "duration?"],
    ["wind", "decimal(1)?"], ["card", "string?"], ["badge", "int?"], ["crew.name", "string?"],
    ["numbers", "list<int>"], ["names", "list<string>"],
    ["parts", "list<struct{name: string, size: int}>"], ["limits", "map<string, decimal(1)>"],
    ["chart", "map<int, struct{size: int}>"], ["part", "struct{name: string}?"],
    ["part.size", "int?"], ["part.next.name", "string?"], ["loose", "list<decimal(3)>"],
    ["modes", "list<string>"], ["deltas", "list<int>"],
]
MODES = {"OFF": 0, "ON": 1, "FAULT": -1}
WORDS = ["", "a", "塔吊", "C1", "é", "longer than sixteen bytes", "🏗"]


def varint(value):
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def field(number, kind, content):
    content = varint(len(content)) + content if kind == 2 else content
    return varint(number << 3 | kind) + content


def text(number, value):
    return field(number, 2, value.encode())


def edge(source, low, high):
    return source.choice([0, 1, low, high, source.randint(low, high)])


def number(source, scale, digits):
    """Units, and the double that is written for them."""
    units = source.choice([0, source.randint(-10**digits, 10**digits)])
    return units, float(Decimal(units).scaleb(-scale))


def moment(source, low, high):
    micros = source.choice([0, source.randint(low, high)])
    seconds, rest = divmod(micros, 1_000_000)
    content = b""
    if seconds:
        content += field(1, 0, varint(seconds))
    if rest:
        content += field(2, 0, varint(rest * 1000))
    return micros, content


def part(source, depth=0):
    """A part's members, and its bytes."""
    made = {"name": source.choice(WORDS), "size": edge(source, -2**31, 2**31 - 1), "next": None}
    content = b""
    if made["name"]:
        content += text(1, made["name"])
    if made["size"]:
        content += field(2, 0, varint(made["size"]))
    if depth < 2 and source.random() < 0.5:
        made["next"], inner = part(source, depth + 1)
        content += field(3, 2, inner)
    return made, content


def scalars(source, out, shown):
    def put(name, number_, kind, value, encoded):
        shown[name] = str(value)
        if value:
            out.append(field(number_, kind, encoded))
    units, value = number(source, 2, 14)
    put("mass", 3, 1, units, struct.pack("<d", value))
    units, value = number(source, 1, 5)
    put("radius", 4, 5, units, struct.pack("<f", value))
    value = edge(source, -2**31, 2**31 - 1)
    put("i32", 5, 0, value, varint(value))
    value = edge(source, -2**63, 2**63 - 1)
    put("i64", 6, 0, value, varint(value))
    value = edge(source, 0, 2**32 - 1)
    put("u32", 7, 0, value, varint(value))
    value = edge(source, 0, 2**63 - 1)
    put("u64", 8, 0, value, varint(value))
    value = edge(source, -2**31, 2**31 - 1)
    put("s32", 9, 0, value, zigzag(value))
    value = edge(source, -2**63, 2**63 - 1)
    put("s64", 10, 0, value, zigzag(value))
    for name, place, kind, form, low, high in [
            ("f32", 11, 5, "<I", 0, 2**32 - 1), ("f64", 12, 1, "<Q", 0, 2**63 - 1),
            ("sf32", 13, 5, "<i", -2**31, 2**31 - 1), ("sf64", 14, 1, "<q", -2**63, 2**63 - 1)]:
        value = edge(source, low, high)
        put(name, place, kind, value, struct.pack(form, value))
    value = source.random() < 0.5
    put("on", 15, 0, value, b"\x01")
    shown["on"] = str(value).lower()
    value = bytes(source.choice(b"abc") for _ in range(source.randint(0, 20)))
    put("raw", 16, 2, value, value)
    shown["raw"] = f"'{value.decode()}'"
    mode = source.choice(list(MODES))
    put("mode", 17, 0, MODES[mode], varint(MODES[mode]))
    shown["mode"] = f"'{mode}'"


def choices(source, out, shown):
    shown |= dict.fromkeys(["since", "wind", "card", "badge", "crew.name"], "null")
    if source.random() < 0.6:
        micros, content = moment(source, -10**14, 10**14)
        # Both parts of a duration have one sign.
        micros, content = (micros, content) if micros >= 0 else (0, b"")
        shown["since"] = str(micros)
        out.append(field(18, 2, content))
    if source.random() < 0.6:
        units, value = number(source, 1, 8)
        shown["wind"] = str(units)
        out.append(field(19, 1, struct.pack("<d", value)))
    which = source.choice(["card", "badge", "crew", None])
    if which == "card":
        shown["card"] = f"'{(value := source.choice(WORDS))}'"
        out.append(text(20, value))
    elif which == "badge":
        shown["badge"] = str(value := edge(source, -2**63, 2**63 - 1))
        out.append(field(21, 0, varint(value)))
    elif which == "crew":
        made, content = part(source)
        shown["crew.name"] = f"'{made['name']}'"
        out.append(field(22, 2, content))


def lists(source, out, shown):
    def some(make):
        return [make() for _ in range(source.choice([0, 0, 1, 2, 5]))]

    def packed(place, contents):
        if contents:
            out.append(field(place, 2, b"".join(contents)))
    numbers = some(lambda: edge(source, -2**31, 2**31 - 1))
    packed(23, [varint(value) for value in numbers])
    shown["numbers"] = "[" + " ".join(map(str, numbers)) + "]"
    names = some(lambda: source.choice(WORDS))
    out += [text(24, name) for name in names]
    shown["names"] = "[" + " ".join(f"'{name}'" for name in names) + "]"
    parts = some(lambda: part(source))
    out += [field(25, 2, content) for _, content in parts]
    shown["parts"] = "[" + " ".join(f"('{made['name']}' {made['size']})" for made, _ in parts) + "]"
    entries = []
    for key in source.sample(WORDS, source.choice([0, 1, 3])):
        units, value = number(source, 1, 8)
        out.append(field(26, 2, text(1, key) + field(2, 1, struct.pack("<d", value))))
        entries.append(f"'{key}':{units}")
    shown["limits"] = "{" + " ".join(entries) + "}"
    entries = []
    for key in source.sample([0, 1, -5, 2**31 - 1], source.choice([0, 1, 3])):
        made, content = part(source)
        out.append(field(27, 2, field(1, 0, varint(key)) + field(2, 2, content)))
        entries.append(f"{key}:({made['size']})")
    shown["chart"] = "{" + " ".join(entries) + "}"
    shown |= dict.fromkeys(["part", "part.size", "part.next.name"], "null")
    if source.random() < 0.7:
        made, content = part(source)
        shown["part"] = f"('{made['name']}')"
        shown["part.size"] = str(made["size"])
        if made["next"]:
            shown["part.next.name"] = f"'{made['next']['name']}'"
        out.append(field(28, 2, content))
    loose = some(lambda: number(source, 3, 10))
    out += [field(29, 1, struct.pack("<d", value)) for _, value in loose]
    shown["loose"] = "[" + " ".join(str(units) for units, _ in loose) + "]"
    modes = some(lambda: source.choice(list(MODES)))
    packed(30, [varint(MODES[mode]) for mode in modes])
    shown["modes"] = "[" + " ".join(f"'{mode}'" for mode in modes) + "]"
    deltas = some(lambda: edge(source, -2**63, 2**63 - 1))
    packed(31, [zigzag(value) for value in deltas])
    shown["deltas"] = "[" + " ".join(map(str, deltas)) + "]"


def load(source):
    """The fields of a value on the wire, in the order of their numbers, and their texts."""
    micros, content = moment(source, -10**12, 10**16)
    shown = {"k": "'a'", "t": str(micros)}
    out = [text(1, "a"), field(2, 2, content)]
    scalars(source, out, shown)
    choices(source, out, shown)
    lists(source, out, shown)
    if source.random() < 0.3:
        out.append(field(1000, 0, varint(source.getrandbits(64))))
    return out, [shown[name] for name, _ in FIELDS]


def main(seed, count):
    source = random.Random(seed)
    for _ in range(count):
        parts, expected = load(source)
        # Members may stand in any order; those of one list keep theirs.
        source.random() < 0.5 and parts.sort(key=lambda part: part[0])
        print(json.dumps({"value": b"".join(parts).hex(), "expected": expected}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
