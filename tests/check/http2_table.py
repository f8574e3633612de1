#!/usr/bin/python3
"""Holds docs/http2.md to tests/script/h2: each talk is in the table once, no cell is empty, and none is named that is not there. That they
pass, the script runner tells."""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = re.compile(r"`script:h2/([^`]+\.t)`")


def problems(text, talks):
    named = collections.Counter()
    for number, line in enumerate(text.splitlines(), 1):
        found = NAME.findall(line) if line.startswith("|") else []
        if not found:
            continue
        named.update(found)
        if not all(cell.strip() for cell in line.strip().strip("|").split("|")):
            yield f"docs/http2.md:{number}: an empty cell"
    for name in sorted(named):
        if name not in talks:
            yield f"docs/http2.md: no such talk: {name}"
        if named[name] > 1:
            yield f"docs/http2.md: {name} is named {named[name]} times"
    for name in sorted(talks - set(named)):
        yield f"docs/http2.md: tests/script/h2/{name} is in no row"


if __name__ == "__main__":
    lines = list(problems((ROOT / "docs/http2.md").read_text(), {path.name for path in (ROOT / "tests/script/h2").glob("*.t")}))
    print("\n".join(lines))
    sys.exit(bool(lines))
