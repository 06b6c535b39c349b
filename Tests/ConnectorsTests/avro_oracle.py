"""Random Avro schemas and values, and what they are as fields: an encoder of its own, by the text
of the specification (Apache Avro 1.12, "Binary Encoding"). `make_avro_samples.py` compares it with
fastavro.

    avro_oracle.py SEED DOCUMENTS

Prints a JSON object a line: {"schema", "fields": [[name, type, may be null]], "values": [hex],
"expected": [[text of each field]]}. Texts are those of the tests' `show`. The fields `k` and `t`
are key and time.
"""
import datetime
import json
import random
import struct
import sys
import uuid
from decimal import Decimal

DAY = 86_400_000_000
WORDS = ["", "a", "塔吊", "C1", "x y", "é", "longer than sixteen bytes", "\n\"", "🏗"]


class Names:
    def __init__(self):
        self.count = 0

    def new(self, kind):
        self.count += 1
        return f"{kind}{self.count}"


def varint(value):
    value = value * 2 if value >= 0 else -value * 2 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def blocks(source, parts):
    """Parts as blocks; without a source as one block, as most writers do."""
    out = b""
    while parts:
        count = source.randint(1, len(parts)) if source else len(parts)
        block = b"".join(parts[:count])
        if source and source.random() < 0.5:
            out += varint(-count) + varint(len(block)) + block
        else:
            out += varint(count) + block
        parts = parts[count:]
    return out + varint(0)


def encode(schema, value, source):
    if isinstance(schema, list):
        branch, inner = value
        return varint(branch) + encode(schema[branch], inner, source)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "null":
        return b""
    if kind == "boolean":
        return bytes([value])
    if kind in ("int", "long"):
        return varint(value)
    if kind == "float":
        return struct.pack("<f", value)
    if kind == "double":
        return struct.pack("<d", value)
    if kind in ("bytes", "string"):
        value = value.encode() if isinstance(value, str) else value
        return varint(len(value)) + value
    if kind == "fixed":
        assert len(value) == schema["size"]
        return value
    if kind == "enum":
        return varint(schema["symbols"].index(value))
    if kind == "array":
        return blocks(source, [encode(schema["items"], item, source) for item in value])
    if kind == "map":
        return blocks(source, [encode("string", key, source) + encode(
            schema["values"], item, source) for key, item in value.items()])
    assert kind == "record", kind
    return b"".join(
        encode(field["type"], value[field["name"]], source) for field in schema["fields"])


def twos(value, size=None):
    size = size or (value + (value < 0)).bit_length() // 8 + 1
    return value.to_bytes(size, "big", signed=True)


def units(source, digits):
    return source.choice([0, 1, -1, source.randint(-10**digits, 10**digits)])


def number(source, names):
    """A decimal in one of its written forms."""
    scale = source.randint(0, 4)
    kind = f"decimal({scale})"
    form = source.choice(["double", "float", "bytes", "fixed", "long", "int"])
    if form in ("double", "float"):
        def make():
            value = units(source, 14 if form == "double" else 5)
            return float(Decimal(value).scaleb(-scale)), str(value)
        return kind, form, make
    if form in ("bytes", "fixed"):
        written = source.randint(0, scale + 2)
        schema = {"type": form, "logicalType": "decimal", "precision": 20, "scale": written}
        if form == "fixed":
            schema |= {"name": names.new("Fixed"), "size": source.choice([9, 12, 20])}

        def make():
            value = units(source, 12)
            if written > scale:
                value -= value % 10**(written - scale)
            shown = value * 10**scale // 10**written
            return twos(value, schema.get("size")), str(shown)
        return kind, schema, make

    def make():
        value = units(source, 9)
        return value, str(value * 10**scale)
    return kind, form, make


def text(source, names):
    form = source.choice(["string", "enum", "uuid", "fixed uuid"])
    if form == "enum":
        symbols = ["ON", "OFF", "_x1"]
        schema = {"type": "enum", "name": names.new("Enum"), "symbols": symbols}

        def make():
            value = source.choice(symbols)
            return value, f"'{value}'"
        return "string", schema, make
    if form == "string":
        def make():
            value = source.choice(WORDS)
            return value, f"'{value}'"
        return "string", "string", make
    schema = {"type": "string", "logicalType": "uuid"}
    if form == "fixed uuid":
        schema = {"type": "fixed", "name": names.new("Fixed"), "size": 16, "logicalType": "uuid"}

    def make():
        value = uuid.UUID(int=source.getrandbits(128))
        return (str(value) if form == "uuid" else value.bytes), f"'{value}'"
    return "string", schema, make


def time(source, names):
    form = source.choice(["millis", "micros", "nanos", "date", "plain", "text"])
    schema = {"type": "long", "logicalType": f"timestamp-{form}"}
    if form == "date":
        schema = {"type": "int", "logicalType": "date"}
    elif form == "plain":
        schema = "long"
    elif form == "text":
        schema = "string"
    unit = {"millis": 1000, "plain": 1000, "date": DAY}.get(form, 1)

    def make():
        value = source.randint(-60_000_000_000, 200_000_000_000_000) * 1000
        if form in ("micros", "nanos"):
            value += source.randint(0, 999)
        if form == "nanos":  # they end in the year 2262
            value //= 100
        value -= value % unit
        if form == "text":
            moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)
            return moment.isoformat() + "Z", str(value)
        return value * 1000 if form == "nanos" else value // unit, str(value)
    return "timestamp", schema, make


def duration(source, names):
    form = source.choice(["time-millis", "time-micros", "plain", "fixed", "text"])
    schema = {
        "time-millis": {"type": "int", "logicalType": form},
        "time-micros": {"type": "long", "logicalType": form}, "plain": "long", "text": "string",
        "fixed": {
            "type": "fixed", "name": names.new("Fixed"), "size": 12, "logicalType": "duration"},
    }[form]

    def make():
        millis = source.randint(0, 86_399_999)
        if form == "fixed":
            days = source.randint(0, 1000)
            return struct.pack("<III", 0, days, millis), str(days * DAY + millis * 1000)
        if form == "text":
            return f"{millis}ms", str(millis * 1000)
        return millis * (1000 if form == "time-micros" else 1), str(millis * 1000)
    return "duration", schema, make


def plain(source, names):
    kind = source.choice(["bool", "int", "long", "double", "bytes", "fixed", "doubles"])
    if kind == "bool":
        def make():
            value = source.random() < 0.5
            return value, str(value).lower()
        return "bool", "boolean", make
    if kind in ("int", "long"):
        def make():
            edge = 2**31 if kind == "int" else 2**63
            value = source.choice([0, -1, 63, -64, 64, edge - 1, -edge, units(source, 8)])
            return value, str(value)
        return "int", kind, make
    if kind in ("double", "doubles"):
        form = "double" if kind == "double" else source.choice(["float", "int"])

        def make():
            value = source.randint(-8000, 8000) / (1 if form == "int" else 8)
            return (int(value) if form == "int" else value), str(value)
        return "double", form, make
    schema = "bytes"
    if kind == "fixed":
        schema = {"type": "fixed", "name": names.new("Fixed"), "size": 3}

    def make():
        value = bytes(source.choice(b"abc") for _ in range(
            3 if kind == "fixed" else source.randint(0, 9)))
        return value, f"'{value.decode()}'"
    return "bytes", schema, make


def nested(source, names, depth):
    form = source.choice(["list", "map", "int map", "struct"])
    if form == "struct":
        fields = [(f"f{index}", *field(source, names, depth + 1, may_be_null=True))
                  for index in range(source.randint(1, 3))]
        extra = [(f"x{index}", *field(source, names, depth + 1)[1:])
                 for index in range(source.randint(0, 2))]
        order = [(name, schema) for name, _, schema, _ in fields] + [
            (name, schema) for name, schema, _ in extra]
        source.shuffle(order)
        schema = {"type": "record", "name": names.new("Record"), "fields": [
            {"name": name, "type": inner} for name, inner in order]}
        kind = "struct{" + ", ".join(f"{name}: {inner}" for name, inner, _, _ in fields) + "}"

        def make():
            made = {name: make_one() for name, _, _, make_one in fields}
            rest = {name: make_one() for name, _, make_one in extra}
            shown = "(" + " ".join(made[name][1] for name, _, _, _ in fields) + ")"
            return {name: value[0] for name, value in (made | rest).items()}, shown
        return kind, schema, make
    kind, inner, make_one = field(source, names, depth + 1)
    if form == "list":
        def make():
            items = [make_one() for _ in range(source.randint(0, 4))]
            return [item[0] for item in items], "[" + " ".join(item[1] for item in items) + "]"
        return f"list<{kind}>", {"type": "array", "items": inner}, make

    def make():
        keys = random_keys(source, form)
        items = [(key, make_one()) for key in keys]
        show = (lambda key: key) if form == "int map" else (lambda key: f"'{key}'")
        shown = " ".join(f"{show(key)}:{item[1]}" for key, item in items)
        return {key: item[0] for key, item in items}, "{" + shown + "}"
    key = "int" if form == "int map" else "string"
    return f"map<{key}, {kind}>", {"type": "map", "values": inner}, make


def random_keys(source, form):
    known = ["1", "-2", "0", "9000"] if form == "int map" else WORDS
    return source.sample(known, source.randint(0, 3))


def field(source, names, depth=0, may_be_null=False):
    """A field's type, the schema of its values, and what makes a value and its text."""
    makers = [number, text, time, duration, plain]
    if depth < 3 and source.random() < 0.3:
        kind, schema, make = nested(source, names, depth)
    else:
        kind, schema, make = source.choice(makers)(source, names)
    if not may_be_null or source.random() < 0.6:
        return kind, schema, make
    branches = [schema, "null"] if source.random() < 0.5 else ["null", schema]

    def make_or_null():
        if source.random() < 0.4:
            return (branches.index("null"), None), "null"
        value, shown = make()
        return (branches.index(schema), value), shown
    return f"{kind}?", branches, make_or_null


def document(source):
    names = Names()
    fields = [
        ("k", "string", "string", lambda: ("a", "'a'")),
        ("t", "timestamp", {"type": "long", "logicalType": "timestamp-millis"},
         lambda: (0, "0"))]
    fields += [(f"c{index}", *field(source, names, may_be_null=True))
               for index in range(source.randint(1, 6))]
    extra = [(f"x{index}", *field(source, names, may_be_null=True)[1:])
             for index in range(source.randint(0, 4))]
    order = [(name, schema) for name, _, schema, _ in fields] + [
        (name, schema) for name, schema, _ in extra]
    source.shuffle(order)
    schema = {"type": "record", "name": "Row", "namespace": "site", "fields": [
        {"name": name, "type": inner, "doc": "a field"} for name, inner in order]}
    rows, expected = [], []
    for _ in range(source.randint(1, 8)):
        made = {name: make() for name, _, _, make in fields}
        expected.append([made[name][1] for name, _, _, _ in fields])
        made |= {name: make() for name, _, make in extra}
        rows.append({name: value[0] for name, value in made.items()})
    listed = [[name, kind.removesuffix("?"), kind.endswith("?")] for name, kind, _, _ in fields]
    return schema, listed, rows, expected


def main(seed, documents):
    source = random.Random(seed)
    for _ in range(documents):
        schema, fields, rows, expected = document(source)
        print(json.dumps({
            "schema": schema, "fields": fields, "expected": expected,
            "values": [encode(schema, row, source).hex() for row in rows]}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
