#!/usr/bin/python3
"""Holds docs/http.md and docs/http2.md to what they say: a row for each sentence of RFC 9110 and 9112, and of RFC 9113, 9218 and 8441, that
asks for something (docs/http-sections.txt and docs/http2-sections.txt count them), no empty cell, and tests that exist, ran and passed.

    tests/check/http_table.py [--meson TESTLOG]... [--junit REPORT]...

Without arguments it reads what `make check` left: meson-logs/testlog.json of build-gcc and build-asan, and build-check/*.xml. A test that is skipped
or that fails once (under one model, with one parameter) has not passed.
"""

import argparse
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = {"docs/http.md": "docs/http-sections.txt", "docs/http2.md": "docs/http2-sections.txt"}
COLUMNS = 5
WORDS = re.compile(r"(MUST|SHOULD|SHALL)( NOT)?|REQUIRED|(NOT )?RECOMMENDED")
NAME = re.compile(r"`((script|unit|system):([^`]+))`")
FREE = re.compile(r"(does not bind|not done): \S.*")
CMOCKA = re.compile(r"^\[\s+(OK|FAILED)\s+\] (\w+)$", re.M)
TAP = re.compile(r"^(not )?ok \d+ - \S*/((?:http1|h2)/[^/,\s]+\.t)\b", re.M)

Row = collections.namedtuple("Row", "table line rfc section word binds asks shown")


def rows_of(text, table="docs/http.md"):
    """Rows of the tables under "## RFC ...", and what is malformed."""
    rows, found, rfc = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            heading = re.fullmatch(r"## RFC (\d+)", line)
            rfc = heading.group(1) if heading else None
        if not rfc or not line.startswith("|") or re.match(r"\| (section|---) ", line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != COLUMNS:
            found.append(f"{table}:{number}: {len(cells)} cells, expected {COLUMNS}")
            continue
        rows.append(Row(table, number, rfc, *cells))
    return rows, found


def sections_of(text):
    """{(rfc, section): sentences}"""
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {(rfc, section): int(count) for rfc, section, count in lines}


def cells(rows):
    """Nothing empty, and the last cell names tests or says why there is none."""
    for row in rows:
        if not all(row[3:]):
            yield f"{row.table}:{row.line}: an empty cell"
        if not WORDS.fullmatch(row.word):
            yield f"{row.table}:{row.line}: '{row.word}' is no word of RFC 2119"
        if not FREE.fullmatch(row.shown) and NAME.sub("", row.shown).strip():
            yield f"{row.table}:{row.line}: neither tests nor 'does not bind: why' nor 'not done: why': {row.shown}"


def counts(rows, sections):
    """As many rows as sentences, section by section."""
    have = collections.Counter((row.rfc, row.section) for row in rows)
    for key in sorted(have.keys() | sections.keys()):
        if have[key] != sections.get(key, 0):
            yield f"RFC {key[0]} section {key[1]}: {have[key]} rows for {sections.get(key, 0)} sentences"


def names(rows):
    """{test: first line that names it}; also what stands in brackets behind "does not bind"."""
    found = {}
    for row in rows:
        plain = re.findall(r"\b((?:script|unit|system):[^\s)`]+)", row.shown)
        for name in plain:
            found.setdefault(name, row.line)
    return found


def split(name):
    """script:http1/a.t → (script, http1, a.t); unit:http/h1.c:x → (unit, http/h1.c, x); system:test_x.py::y"""
    kind, _, rest = name.partition(":")
    where, what = rest.rpartition("/")[::2] if kind == "script" else re.split(":{1,2}", rest, 1)
    return kind, where, what


def exists(root, name):
    """In the sources."""
    kind, where, what = split(name)
    if kind == "script":
        return (root / "tests/script" / where / what).is_file()
    path = root / "tests" / kind / where
    defined = rf"^static void {what}\(void \*\*" if kind == "unit" else rf"^def {what}\("
    return path.is_file() and re.search(defined, path.read_text(), re.M) is not None


def of_meson(report):
    """(test, passed) of one testlog.json."""
    for line in report.read_text().splitlines():
        program = json.loads(line)
        said = program.get("stdout", "") + "\n" + program.get("stderr", "")
        name = program["name"].rpartition(" / ")[2]
        for bad, script in TAP.findall(said):
            yield f"script:{script}", not bad
        unit = re.fullmatch(r"unit-([a-z]+)-(\w+)", name)
        for word, test in CMOCKA.findall(said) if unit else []:
            yield f"unit:{unit.group(1)}/{unit.group(2)}.c:{test}", word == "OK"


def of_junit(report):
    """(test, passed) of one report of pytest, without parameters."""
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        file = case.get("classname").rpartition(".")[2]
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        yield f"system:{file}.py::{case.get('name').partition('[')[0]}", not kinds


def results_of(meson, junit):
    """{test: every run of it passed}"""
    results = {}
    for read, reports in ((of_meson, meson), (of_junit, junit)):
        for report in reports:
            for name, passed in read(report):
                results[name] = results.get(name, True) and passed
    return results


def problems(root, results=None):
    """Everything that is wrong; without `results` only what the sources show."""
    root = pathlib.Path(root)
    found = []
    for table, sections in TABLES.items():
        if not (root / table).exists():  # of a tree that has one of them
            continue
        rows, wrong = rows_of((root / table).read_text(), table)
        found += wrong + list(cells(rows)) + list(counts(rows, sections_of((root / sections).read_text())))
        for name, line in names(rows).items():
            if not exists(root, name):
                found.append(f"{table}:{line}: there is no {name}")
            elif results is not None and name not in results:
                found.append(f"{table}:{line}: {name} did not run")
            elif results is not None and not results[name]:
                found.append(f"{table}:{line}: {name} did not pass")
    return found


def main():
    """Prints what is wrong, or how much is right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meson", action="append", type=pathlib.Path, metavar="TESTLOG")
    parser.add_argument("--junit", action="append", type=pathlib.Path, metavar="REPORT")
    arguments = parser.parse_args()
    meson = arguments.meson or [log for name in ("gcc", "asan") for log in ROOT.glob(f"build-{name}/meson-logs/testlog.json")]
    junit = arguments.junit or sorted(ROOT.glob("build-check/*.xml"))
    found = problems(ROOT, results_of(meson, junit))
    rows = [row for table in TABLES for row in rows_of((ROOT / table).read_text(), table)[0]]
    shown = sum(bool(NAME.search(row.shown)) for row in rows)
    print("\n".join(found) or f"{len(rows)} rows: {shown} shown by {len(names(rows))} tests, {len(rows) - shown} do not bind, or are not done and say why")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
