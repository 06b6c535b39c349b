"""Schemas of Avro sources from a registry: `fetch` against a server that speaks the registry's REST
paths as Confluent documents them, the files it writes, and what it says when something is wrong.
"""
import base64
import http.server
import json
import threading

import _harness as harness

USER = "site:secret"
RECORD = {"type": "record", "name": "Load", "fields": [
    {"name": "device", "type": "string"},
    {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "mass", "type": "double"}]}
TOPOLOGY = """
topology: loads
version: 1
sources:
  load:
    topic: telemetry.load
    format: avro
    schema: load
    key: device
    time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m}
steps:
  - heavy: {from: load, filter: load.mass > 2.0}
sinks:
  - {from: heavy, topic: heavy}
"""
SCHEMA = "schema: load\nfields: {device: string, ts: timestamp, mass: decimal(2) t}\n"


class Registry(http.server.BaseHTTPRequestHandler):
    """GET /subjects/{subject}/versions and /subjects/{subject}/versions/{version}."""
    subjects = {}
    user = None

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        expected = "Basic " + base64.b64encode((self.user or "").encode()).decode()
        if self.user and self.headers.get("Authorization") != expected:
            return self.answer(401, {"error_code": 401, "message": "Unauthorized"})
        versions = self.subjects.get(parts[1]) if len(parts) > 1 else None
        if versions is None:
            return self.answer(404, {"error_code": 40401, "message": "Subject not found."})
        if isinstance(versions, int):
            return self.answer(versions, {"error_code": 50001, "message": "Error in the store"})
        if isinstance(versions, str):
            return self.answer(200, versions)
        if len(parts) == 3:
            return self.answer(200, list(range(1, len(versions) + 1)))
        number = int(parts[3])
        return self.answer(200, {"subject": parts[1], "version": number} | versions[number - 1])

    def answer(self, status, value):
        body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def version(number, record, **more):
    return {"id": number, "schema": json.dumps(record)} | more


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with harness.scratch() as scratch:
            site(scratch, url)
    finally:
        server.shutdown()


def site(scratch, url):
    folder = scratch / "topologies/loads"
    folder.mkdir(parents=True)
    (folder / "topology.yaml").write_text(TOPOLOGY)
    schemas = scratch / "topologies/schemas"
    schemas.mkdir()
    (schemas / "load.yaml").write_text(SCHEMA)
    harness.refused(["check", folder], "topology.yaml:7:13: error: there are no schemas of subject"
                    " 'telemetry.load-value'", "plumbline fetch")
    fetch = ["fetch", "--set", f"schema.registry.url={url}", folder]
    # A subject is written when it is there as a whole.
    harness.refused(fetch, "there is no subject 'telemetry.load-value'", f"{url}/subjects")
    wide = dict(RECORD, fields=RECORD["fields"] + [{"name": "extra", "type": ["null", "bytes"]}])
    Registry.subjects["telemetry.load-value"] = [
        version(17, RECORD), version(70000, wide, schemaType="AVRO")]
    rows = [json.loads(line) for line in harness.plumbline(*fetch, "--json").splitlines()]
    harness.check([(row["id"], row["version"], row["isNew"]) for row in rows]
                  == [(17, 1, True), (70000, 2, True)], rows)
    found = sorted(path.name for path in (schemas / "telemetry.load-value").iterdir())
    harness.check(found == ["17.avsc", "70000.avsc"], found)
    text = (schemas / "telemetry.load-value/70000.avsc").read_text()
    harness.check(json.loads(text) == wide, text)
    again = [json.loads(line) for line in harness.plumbline(*fetch, "--json").splitlines()]
    harness.check(not any(row["isNew"] for row in again), again)
    harness.check(b"loads version 1" in harness.plumbline("check", folder), "check")
    explained = harness.plumbline("explain", folder).decode()
    harness.check("schema ids 17, 70000" in explained, explained)
    harness.say("two versions of a subject become files that check takes")
    refusals(scratch, folder, url, fetch, schemas)


def refusals(scratch, folder, url, fetch, schemas):
    subject = Registry.subjects["telemetry.load-value"]
    changed = dict(RECORD, name="Other")
    Registry.subjects["telemetry.load-value"] = [version(17, changed)]
    harness.refused(fetch, "17.avsc:1:1: error: the registry has another schema with this id")
    harness.check(json.loads((schemas / "telemetry.load-value/17.avsc").read_text()) == RECORD,
                  "a schema was overwritten")
    for bad, message in [
            (version(18, RECORD, schemaType="PROTOBUF"), "is PROTOBUF, not Avro"),
            (version(18, RECORD, references=[{"name": "x"}]), "refers to other schemas"),
            (version(18, {"type": "recrd"}), "there is no type 'recrd'"),
            ({"id": 18, "schema": "{"}, "18.avsc:"),
            ({"id": 18}, "does not answer as a schema registry does")]:
        Registry.subjects["telemetry.load-value"] = [subject[0], bad]
        harness.refused(fetch, message)
        harness.check(not (schemas / "telemetry.load-value/18.avsc").exists(), message)
    Registry.subjects["telemetry.load-value"] = 500
    harness.refused(fetch, "answers HTTP 500: Error in the store")
    Registry.subjects["telemetry.load-value"] = "<html>"
    harness.refused(fetch, "does not answer as a schema registry does")
    Registry.subjects["telemetry.load-value"] = subject
    Registry.user = USER
    harness.refused(fetch, "refuses access (HTTP 401)", "basic.auth.user.info")
    harness.refused([*fetch, "--set", "basic.auth.user.info=a:b"], "refuses access (HTTP 401)")
    harness.plumbline(*fetch, "--set", f"basic.auth.user.info={USER}")
    # Settings of a client's file: those of other programs say nothing.
    file = scratch / "client.properties"
    file.write_text(f"bootstrap.servers=localhost:9092\nschema.registry.url={url}/\n"
                    f"basic.auth.credentials.source=USER_INFO\nbasic.auth.user.info={USER}\n")
    harness.plumbline("fetch", "--config", file, folder)
    Registry.user = None
    # The first address does not answer: the second is asked.
    dead = "http://127.0.0.1:1"
    harness.plumbline("fetch", "--set", f"schema.registry.url={dead},{url}", folder)
    harness.refused(["fetch", "--set", f"schema.registry.url={dead}", folder],
                    f"the schema registry {dead} cannot be reached", "schema.registry.url")
    harness.refused(["fetch", folder], "no schema registry is named")
    harness.refused(["fetch", "--set", "schema.registry.url=localhost", folder],
                    "'localhost' is no address of a schema registry")
    harness.refused(["fetch", "--set", "registry.url=x", folder],
                    "not a setting of a schema registry")
    harness.refused(["fetch", "--set", f"schema.registry.url={url}", scratch / "none"],
                    "no such folder")
    harness.refused(["fetch", "--set", f"schema.registry.url={url}"], "", expect=64)
    # A field that a writer does not give is found by check, in the writer's file.
    (schemas / "load.yaml").write_text(SCHEMA.replace("mass:", "gone: int, mass:"))
    harness.refused(["check", folder], "17.avsc:1:", "record Load has no 'gone'")
    harness.say("what is wrong with a registry, its answers and the settings is said")


if __name__ == "__main__":
    main()
