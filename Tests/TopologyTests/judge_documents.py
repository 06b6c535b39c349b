"""Judges YAML documents by the JSON Schemas in docs/schema, for the tests of the parser.

A line of input is {"kind": "topology", "text": "…"}; the line of output is {"error": null} when the
document keeps to the schema, else {"error": "where: what"}. Scalars are read as YAML 1.2's core
schema has them: a plain date is text.
"""
import json
import pathlib
import re
import sys

import jsonschema
import yaml

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/schema"


class Loader(yaml.CSafeLoader):
    """YAML 1.2, core schema, by the parser that Yams has too (libyaml)."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
         list("-+0123456789."))):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)


def judges():
    for path in SCHEMAS.glob("*.schema.json"):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        yield path.name.split(".")[0], jsonschema.Draft202012Validator(schema)


def main():
    by_kind = dict(judges())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            document = yaml.load(request["text"], Loader)
            problem = jsonschema.exceptions.best_match(
                by_kind[request["kind"]].iter_errors(document))
            error = problem and f"{problem.json_path}: {problem.message}"
        except yaml.YAMLError as problem:
            error = f"no YAML: {problem}"
        print(json.dumps({"error": error}), flush=True)


if __name__ == "__main__":
    main()
