"""Writes avro-samples.txt: random values written by fastavro (PyPI), a document a line.

    python3 make_avro_samples.py > avro-samples.txt

The values and what they should be read as come from `avro_oracle.py`, whose own encoder must give
the same bytes. Written with fastavro 1.13.1.
"""
import io
import json
import pathlib
import random
import sys

import fastavro

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import avro_oracle  # noqa: E402


def plain(schema, value):
    """A value as fastavro takes it: without the branch numbers of unions."""
    if isinstance(schema, list):
        return plain(schema[value[0]], value[1])
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "array":
        return [plain(schema["items"], item) for item in value]
    if kind == "map":
        return {key: plain(schema["values"], item) for key, item in value.items()}
    if kind == "record":
        return {field["name"]: plain(field["type"], value[field["name"]])
                for field in schema["fields"]}
    return value


def main():
    source = random.Random(20261123)
    for _ in range(60):
        schema, fields, rows, expected = avro_oracle.document(source)
        parsed = fastavro.parse_schema(schema)
        values = []
        for row in rows:
            out = io.BytesIO()
            fastavro.schemaless_writer(out, parsed, plain(schema, row))
            own = avro_oracle.encode(schema, row, None)
            assert out.getvalue() == own, (schema, row)
            values.append(own.hex())
        print(json.dumps({
            "schema": schema, "fields": fields, "expected": expected, "values": values}))


main()
