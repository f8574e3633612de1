#!/usr/bin/python3
"""Holds docs/http2.md to tests/script/h2: each talk is in a table, and none is named that is not there. http_table.py looks at the rest."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = re.compile(r"`script:h2/([^`]+\.t)`")


def problems(text, talks):
    named = {name for line in text.splitlines() if line.startswith("|") for name in NAME.findall(line)}
    yield from (f"docs/http2.md: no such talk: {name}" for name in sorted(named - talks))
    yield from (f"docs/http2.md: tests/script/h2/{name} is in no row" for name in sorted(talks - named))


if __name__ == "__main__":
    lines = list(problems((ROOT / "docs/http2.md").read_text(), {path.name for path in (ROOT / "tests/script/h2").glob("*.t")}))
    print("\n".join(lines))
    sys.exit(bool(lines))
