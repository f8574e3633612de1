#!/usr/bin/python3
"""Holds the tables of promises in weir-streams(7) to their tests, cell by cell: the CELL rows of
tests/unit/stream/promises_*.c name the same kinds and promises, each once, with the words of the manual."""

import pathlib
import re
import sys

PAGE = "docs/man/weir-streams.7.scd"
TESTS = "tests/unit/stream"
CELL = re.compile(r'\bCELL\(\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)",\s*(\w+)\s*\)')
MADE = re.compile(r'^    \{"([^"]+)", \{', re.M)
MARKUP = re.compile(r"(?<!\w)([*_])(.+?)\1(?!\w)")


def plain(text):
    return MARKUP.sub(r"\2", text).strip()


def tables(text):
    """Each table of a page as a list of rows of plain words. A row begins with "[[" or "|", a cell with ":"."""
    rows = None
    for line in text.splitlines() + [""]:
        if match := re.match(r"(\[\[|\|)\s(.*)", line):
            rows = [] if rows is None else rows
            rows.append([plain(match[2])])
        elif rows and (match := re.match(r":\[?\s(.*)", line)):
            rows[-1].append(plain(match[1]))
        elif rows:
            yield rows
            rows = None


def promised(page):
    """What the manual says, as a list of (kind, promise, words)."""
    section = page.partition("\n# PROMISES\n")[2].partition("\n# ")[0]
    for table in tables(section):
        head, *rows = table
        for row in rows:
            if len(row) != len(head):
                yield row[0], "", f"{len(row)} cells where the table has {len(head)}"
            yield from ((row[0], promise, words) for promise, words in zip(head[1:], row[1:]))


def twice(cells, where):
    seen = set()
    for kind, promise, *_ in cells:
        if (kind, promise) in seen:
            yield f"{where}: '{kind}: {promise}' is there twice"
        seen.add((kind, promise))


def compare(page, tested):
    said = {cell[:2]: cell[2] for cell in page}
    done = {cell[:2]: cell[2] for cell in tested}
    for kind, promise in sorted(said.keys() | done.keys()):
        name = f"'{kind}: {promise}'"
        if (kind, promise) not in done:
            yield f"{PAGE}: {name} has no test"
        elif (kind, promise) not in said:
            yield f"{TESTS}: {name} is not in the manual"
        elif said[kind, promise] != done[kind, promise]:
            yield f"{name}: the manual says '{said[kind, promise]}', its test '{done[kind, promise]}'"


def problems(root):
    root = pathlib.Path(root)
    page = list(promised((root / PAGE).read_text()))
    tested, found = [], []
    for path in sorted((root / TESTS).glob("promises_*.c")):
        source = path.read_text()
        cells = CELL.findall(source)
        tested += cells
        found += [f"{path.name}: there is no test {test}()" for *_, test in cells
                  if not re.search(rf"^static void {test}\(const struct kind \*", source, re.M)]
    made = set(MADE.findall((root / TESTS / "promises.h").read_text()))
    found += [f"promises.h does not make a '{kind}'" for kind in sorted({cell[0] for cell in tested} - made)]
    if not page or not tested:
        found.append("there are no promises, or no tests of them")
    return [*found, *twice(page, PAGE), *twice(tested, TESTS), *compare(page, tested)]


if __name__ == "__main__":
    lines_found = problems(pathlib.Path(__file__).parents[2])
    print("\n".join(lines_found))
    sys.exit(bool(lines_found))
