"""The manual: what its pages say of a mistake is what `check` says.

A page's example (blocks whose first line is "```yaml NAME") must be right. Each row of a table that
begins "| instead of | written |" changes that example in one place; `check` must refuse it, and say
every text between backquotes in the row's third column.
"""
import re

import _harness as harness

MANUAL = harness.ROOT / "docs/reference"
HEAD = "| instead of | written |"


def files(text):
    """The named blocks of a page, by name."""
    return dict(re.findall(r"^```yaml (\S+)\n(.*?)^```$", text, re.S | re.M))


def mistakes(text):
    """(what stands there, what is written instead, texts of the message), row by row."""
    rows = []
    inside = False
    for line in text.splitlines():
        if line.startswith(HEAD):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            cells = [re.findall(r"`([^`]+)`", cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            harness.check(
                len(cells) == 3 and len(cells[0]) == len(cells[1]) == 1 and cells[2],
                f"not a change of one place and a message: {line}")
            rows.append((cells[0][0], cells[1][0], cells[2]))
    return rows


def write(example, folder):
    for name, content in example.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def check_page(page, scratch):
    text = page.read_text()
    example = files(text)
    folder = scratch / page.stem
    write(example, folder)
    code, output, errors = harness.execute("check", folder)
    harness.check(code == 0, f"{page.name}: its example is refused:\n{output}{errors}")
    rows = mistakes(text)
    for old, new, messages in rows:
        holders = [name for name, content in example.items()
                   if not name.startswith("cases/") and content.count(old) == 1]
        harness.check(len(holders) == 1, f"{page.name}: '{old}' is in {holders or 'no file'}")
        write({holders[0]: example[holders[0]].replace(old, new)}, folder)
        harness.refused(["check", folder], *messages)
        write(example, folder)
    return len(rows)


def main():
    pages = sorted(MANUAL.glob("operators/*.md")) + sorted(MANUAL.glob("functions/*.md"))
    harness.check(pages, "there is no manual")
    with harness.scratch() as scratch:
        count = sum(check_page(page, scratch) for page in pages)
    harness.check(count > 0, "no page says what is refused")
    harness.say(f"{len(pages)} pages, {count} mistakes told as the pages say")


if __name__ == "__main__":
    main()
