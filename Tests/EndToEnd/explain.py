"""`explain`: what it says agrees with the YAML; its pictures are whole and tidy.

The YAML is read by another parser; SVG by Python's own XML parser, whose geometry is measured here;
Graphviz judges the dot. Random graphs of steps, and topologies that feed one another.
"""
import json
import random
import re
import subprocess
import unicodedata
import xml.etree.ElementTree as ElementTree

import yaml

import _harness as harness

SVG = "{http://www.w3.org/2000/svg}"
SCHEMA = """schema: reading
fields: {device: string, ts: timestamp, mass: decimal(2) t}
"""
TIME = "{field: ts, disorder: 5s, lateness: 1m, ahead: 10m}"


def explain(*arguments):
    return harness.plumbline("explain", *arguments).decode()


# What the YAML says.

def graph_of(folder):
    """Nodes and arrows of a topology's file: sources, steps and sinks by name."""
    document = yaml.load((folder / "topology.yaml").read_text(), yaml.BaseLoader)
    nodes = {name: "table" if "table" in source else "stream"
             for name, source in document["sources"].items()}
    edges = set()
    for step in document.get("steps", []):
        (name, body), = step.items()
        nodes[name] = "step"
        edges |= {(origin, name, "rows") for origin in body.get("union") or [body["from"]]}
        if "otherwise" in body:
            nodes[body["otherwise"]] = "step"
            edges.add((name, body["otherwise"], "rows"))
        edges |= {(table, name, "lookup") for table in body.get("lookup", {})
                  if table not in document.get("rules", {})}
    for sink in document["sinks"]:
        nodes["sink " + sink["topic"]] = "sink"
        edges.add((sink["from"], "sink " + sink["topic"], "rows"))
    return document, nodes, edges


def check_graph(folders):
    explained = json.loads(explain(*folders, "--json"))
    for folder, topology in zip(folders, explained["topologies"]):
        document, nodes, edges = graph_of(folder)
        found = {node["id"]: node["kind"] for node in topology["nodes"]}
        harness.check(found == nodes, f"{folder}: nodes {found}, not {nodes}")
        arrows = {(edge["from"], edge["to"], edge["kind"]) for edge in topology["edges"]}
        harness.check(arrows == edges, f"{folder}: arrows {arrows}, not {edges}")
        for node in topology["nodes"]:
            facts = {fact["name"]: fact["value"] for fact in node["facts"]}
            source = document["sources"].get(node["id"])
            if not source:
                continue
            for name, value in source.get("time", {}).items():
                name = "time" if name == "field" else name
                harness.check(facts.get(name) == value, f"{folder}: {node['id']}: {facts}")
            harness.check(facts["topic"] == source["topic"], f"{folder}: {facts}")
            key = source.get("key") or source["table"]["key"]
            harness.check(facts["key"] == key, f"{folder}: {facts}")
            for step in document.get("steps", []):
                names_fields(step, topology, document.get("rules", {}))
    return explained


def names_fields(step, topology, rules):
    """What a `select` computes stands in the explanation, each with a type; so do rule files."""
    (name, body), = step.items()
    node = next(node for node in topology["nodes"] if node["id"] == name)
    facts = [fact["value"] for fact in node["facts"] if fact["name"] == "looks up"]
    for one in body.get("lookup", {}):
        text = f"rules {rules[one]} " if one in rules else f"{one} by "
        harness.check(any(fact.startswith(text) for fact in facts), f"{name}: {facts}, no {one}")
    fields = {field["name"]: field for field in node["fields"]}
    wanted = body.get("select", {}) or body.get("window", {}).get("aggregate", {})
    for field, expression in wanted.items():
        harness.check(fields[field]["type"], f"{name}.{field} has no type")
        if not fields[field]["isCarried"]:
            harness.check(fields[field]["expression"] == " ".join(expression.split()),
                          f"{name}.{field}: {fields[field]}, not {expression}")


# What the picture looks like.

def columns(text):
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


class Picture:
    """Boxes, frames and arrows of a drawing, by their measures."""

    def __init__(self, text):
        root = ElementTree.fromstring(text)
        self.width, self.height = float(root.get("width")), float(root.get("height"))
        self.frames = [self.rectangle(one) for one in root.iter(SVG + "rect")
                       if one.get("class") == "pl-frame"]
        self.boxes = []
        for group in root.iter(SVG + "g"):
            if "pl-node" not in group.get("class", ""):
                continue
            box = self.rectangle(next(one for one in group.iter(SVG + "rect")))
            name = next("".join(one.itertext()) for one in group.iter(SVG + "tspan")
                        if one.get("class") == "pl-name")
            self.boxes.append((name, box, group))
        self.paths = [(path.get("class"), path.find(SVG + "title").text, path.get("d"))
                      for path in root.iter(SVG + "path")
                      if path.get("class").startswith(("pl-edge", "pl-link"))]

    @staticmethod
    def rectangle(element):
        x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
        return x, y, x + width, y + height


def points(data):
    """Points of a path of M, L and C, its curves in 16 pieces."""
    tokens = re.findall(r"[MLC]|-?[\d.]+", data)
    result, index = [], 0
    while index < len(tokens):
        count = {"M": 1, "L": 1, "C": 3}[tokens[index]]
        numbers = list(map(float, tokens[index + 1:index + 1 + 2 * count]))
        pairs = list(zip(numbers[::2], numbers[1::2]))
        if count == 3:
            start = result[-1]
            for piece in range(1, 17):
                t = piece / 16
                weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3]
                corners = [start, *pairs]
                result.append(tuple(sum(w * corner[axis] for w, corner in zip(weights, corners))
                                    for axis in (0, 1)))
        else:
            result += pairs
        index += 1 + 2 * count
    return result


def inside(point, box, margin=0.6):
    return box[0] + margin < point[0] < box[2] - margin \
        and box[1] + margin < point[1] < box[3] - margin


def check_picture(text, arrow_count, what):
    picture = Picture(text)
    boxes = [box for _, box, _ in picture.boxes]
    for number, (name, box, group) in enumerate(picture.boxes):
        harness.check(any(frame[0] < box[0] and box[2] < frame[2] and frame[1] < box[1]
                          and box[3] < frame[3] for frame in picture.frames),
                      f"{what}: {name} is in no frame")
        for other in boxes[number + 1:]:
            apart = box[2] < other[0] or other[2] < box[0] or box[3] < other[1] or other[3] < box[1]
            harness.check(apart, f"{what}: {name} {box} lies over {other}")
        for line in group.iter(SVG + "text"):
            content = "".join(line.itertext())
            # A column is 0.602 of 12 pixels in the widest of the usual fonts of equal widths.
            length = columns(content) * 12 * 0.602
            if line.get("text-anchor") != "end" and line.find(SVG + "tspan").get("class") != \
                    "pl-name":
                harness.check(float(line.get("x")) + length <= box[2] + 0.5,
                              f"{what}: {name}: '{content}' runs out of its box")
    for frame in picture.frames:
        harness.check(frame[0] >= 0 and frame[2] <= picture.width and frame[1] >= 0
                      and frame[3] <= picture.height, f"{what}: a frame leaves the page")
    harness.check(len(picture.paths) == arrow_count,
                  f"{what}: {len(picture.paths)} arrows, not {arrow_count}")
    for style, title, data in picture.paths:
        line = points(data)
        for end, side in ((line[0], 3), (line[-1], 1)):
            touched = [box for box in boxes if abs(end[1] - box[side]) < 0.6
                       and box[0] <= end[0] <= box[2]]
            harness.check(len(touched) == 1, f"{what}: {title} ends at {end}, at no box's side")
        crossed = [point for point in line if any(inside(point, box) for box in boxes)]
        harness.check(not crossed, f"{what}: {title} runs through a box at {crossed[:1]}")


def check_dot(text, node_count, arrow_count, what):
    done = subprocess.run(["dot", "-Tjson"], input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    harness.check(done.returncode == 0 and not done.stderr,
                  f"{what}: Graphviz: {done.stderr.decode()}")
    graph = json.loads(done.stdout)
    nodes = [one for one in graph["objects"] if not one["name"].startswith("cluster")]
    harness.check(len(nodes) == node_count, f"{what}: {len(nodes)} nodes, not {node_count}")
    harness.check(len(graph.get("edges", [])) == arrow_count, f"{what}: arrows of the dot")


def check_all(folders, what):
    explained = check_graph(folders)
    nodes = sum(len(one["nodes"]) for one in explained["topologies"])
    arrows = sum(len(one["edges"]) for one in explained["topologies"]) + len(explained["links"])
    picture = explain(*folders, "--format", "svg")
    check_picture(picture, arrows, what)
    harness.check(picture == explain(*folders, "--format", "svg"), f"{what}: two drawings differ")
    check_dot(explain(*folders, "--format", "dot"), nodes, arrows, what)
    outline = explain(*folders)
    for topology in explained["topologies"]:
        for node in topology["nodes"]:
            harness.check(f"\n  {node['name']} (" in outline, f"{what}: no {node['name']}")
    return explained


# Random graphs.

def write(folder, topology):
    folder.mkdir(parents=True)
    (folder.parent / "schemas").mkdir(exist_ok=True)
    (folder.parent / "schemas/reading.yaml").write_text(SCHEMA)
    (folder / "topology.yaml").write_text(topology)
    return folder


def random_topology(source, name, topics):
    """Steps that read any earlier one; every step that nothing reads has a sink."""
    lines = [f"topology: {name}", "version: 1", "describe: 塔吊与扬尘 <&\"> test", "sources:"]
    names = []
    for number, topic in enumerate(topics):
        names.append(f"in{number}")
        lines.append(f"  in{number}: {{topic: {topic}, schema: reading, key: device,"
                     f" time: {TIME}}}")
    lines.append("steps:")
    read = set()
    for number in range(source.randint(1, 12)):
        origin = source.choice(names)
        read.add(origin)
        body = source.choice([
            "filter: mass > 0.5",
            "filter: 'device != \"塔吊 <1> & \\\"2\\\"\"'",
            "select: {ts: ts, mass: mass, half: mass * 0.5}",
            "key: device, levels: {of: mass, raise: {low: 1, high: 2}}"])
        lines.append(f"  - s{number}: {{from: {origin}, {body}}}")
        if "levels" not in body:
            names.append(f"s{number}")
        else:
            read.add(f"s{number}")
            lines.append(f"  - t{number}: {{from: s{number}, "
                         " filter: level != 'normal', select: {ts: ts, mass: mass}}")
            names.append(f"t{number}")
    lines.append("sinks:")
    written = []
    for one in names:
        if one not in read or source.random() < 0.2:
            written.append(f"{name}.{one}")
            lines.append(f"  - {{from: {one}, topic: {name}.{one}}}")
    return "\n".join(lines) + "\n", written


def test_random(scratch, source):
    for number in range(12):
        folder = scratch / f"random{number}"
        folders, topics = [], ["raw.0", "raw.1"]
        for part in range(source.randint(1, 4)):
            inputs = source.sample(topics, min(len(topics), source.randint(1, 2)))
            text, written = random_topology(source, f"t{part}", inputs)
            folders.append(write(folder / f"t{part}", text))
            topics += written
        check_all(folders, f"random {number}")
    harness.say("12 random sets of topologies: drawn without overlap, valid for Graphviz")


def test_shipped():
    for folders in [[one] for one in harness.SHIPPED] + [harness.SHIPPED]:
        explained = check_all(folders, " ".join(one.name for one in folders))
        harness.check(not explained["links"], "links where there are none")


def test_manual(scratch):
    """The topologies of the manual's pages: every operator."""
    count = 0
    for page in sorted((harness.ROOT / "docs/reference/operators").glob("*.md")):
        folder = scratch / "manual" / page.stem
        for block in page.read_text().split("\n```yaml ")[1:]:
            name, _, text = block.partition("\n")
            file = folder / name
            if file.suffix != ".yaml":
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.split("\n```")[0] + "\n")
        if (folder / "topology.yaml").exists():
            check_all([folder], page.name)
            count += 1
    harness.check(count >= 4, f"{count} pages with a topology")


def test_links(scratch):
    first = write(scratch / "chain/one", f"""topology: one
version: 1
sources: {{load: {{topic: raw, schema: reading, key: device, time: {TIME}}}}}
steps: [{{heavy: {{from: load, filter: mass > 2.5}}}}]
sinks: [{{from: heavy, topic: heavy.loads}}]
""")
    second = write(scratch / "chain/two", f"""topology: two
version: 1
sources: {{heavy: {{topic: heavy.loads, schema: reading, key: device, time: {TIME}}}}}
sinks: [{{from: heavy, topic: copies}}]
""")
    # In any order of the folders.
    for folders in ([first, second], [second, first]):
        explained = check_all(folders, "two in a row")
        (link,) = explained["links"]
        names = [one["name"] for one in explained["topologies"]]
        harness.check((names[link["fromTopology"]], names[link["toTopology"]], link["topic"])
                      == ("one", "two", "heavy.loads"), f"{link}")
    harness.check("one → heavy.loads → two.heavy" in explain(first, second), "the outline's link")


def test_circle(scratch):
    """Topologies that feed each other: a run refuses them, the picture shows it."""
    folders = [write(scratch / f"circle/{name}", f"""topology: {name}
version: 1
sources: {{load: {{topic: {read}, schema: reading, key: device, time: {TIME}}}}}
sinks: [{{from: load, topic: {written}}}]
""") for name, read, written in (("a", "x", "y"), ("b", "y", "x"))]
    harness.check(len(json.loads(explain(*folders, "--json"))["links"]) == 2, "a circle's links")
    harness.check(len(Picture(explain(*folders, "--format", "svg")).paths) == 4, "a circle")


def test_output_and_errors(scratch):
    file = scratch / "crane.svg"
    folder = harness.SHIPPED[0]
    harness.check(explain(folder, "--format", "svg", "--output", file) == "", "not to the file")
    harness.check(file.read_text() == explain(folder, "--format", "svg"), "the file's content")
    missing = scratch / "none/crane.svg"
    harness.refused(["explain", folder, "--output", missing], missing, "does not exist")
    harness.check(not list(scratch.glob("*.part")), "a draft was left")
    harness.refused(["explain", scratch / "none"], "no such folder", "topology.yaml")
    broken = write(scratch / "broken/t", "topology: t\nversion: 0\n")
    harness.refused(["explain", broken, folder], "topology.yaml:2:10", "'0' is not a version")
    harness.refused(["explain"], "Missing expected argument", expect=64)
    harness.refused(["explain", folder, "--format", "png"], "svg", expect=64)
    harness.refused(["explain", folder, "--format", "svg", "--json"], "choose one", expect=64)


def main():
    source = random.Random(harness.SEED)
    harness.say(f"SEED={harness.SEED}")
    with harness.scratch() as scratch:
        test_shipped()
        test_manual(scratch)
        test_links(scratch)
        test_circle(scratch)
        test_random(scratch, source)
        test_output_and_errors(scratch)
    harness.say("graphs as in the YAML; files, errors and exit codes as documented")


if __name__ == "__main__":
    main()
