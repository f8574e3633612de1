"""docs/http.md as the sources show it, and that the check of it can fail. That its tests passed is looked at by the last step of
tests/run."""

import json
import pathlib

import pytest

import http_table

ROOT = pathlib.Path(__file__).parents[2]


def test_every_sentence_has_its_row_and_its_tests():
    assert http_table.problems(ROOT) == []


SCRIPT, UNIT, SYSTEM = "script:http1/basic.t", "unit:http/date.c:writes", "system:test_serve.py::test_index"
SECTIONS = "# comment\n9110 2.2 2\n9112 9.3.2 1\n"
TABLE = f"""# A page
| in the last column | means |
## RFC 9110
| section | word | binds | asks | shown by |
| --- | --- | --- | --- | --- |
| 2.2 | MUST NOT | sender | this | `{SCRIPT}` `{UNIT}` |
| 2.2 | SHOULD | client | that | does not bind: it is a server |
## RFC 9112
| section | word | binds | asks | shown by |
| 9.3.2 | MUST | server | order | `{SYSTEM}` |
"""
ALL = {SCRIPT: True, UNIT: True, SYSTEM: True}


@pytest.fixture
def tree(tmp_path):
    for name, text in (("docs/http.md", TABLE), ("docs/http-sections.txt", SECTIONS), ("tests/script/http1/basic.t", ""),
                       ("tests/unit/http/date.c", "static void writes(void **state)\n"),
                       ("tests/system/test_serve.py", "def test_index(web):\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_good_table_is_good(tree):
    assert http_table.problems(tree, ALL) == []


@pytest.mark.parametrize("old, new, words", [
    ("| sender |", "|  |", "an empty cell"),
    ("| this |", "| this | and that |", "6 cells"),
    ("MUST NOT", "MAY", "no word"),
    ("| MUST |", "| MUST, SHOULD |", "no word"),
    (f"`{SYSTEM}`", "tested by hand", "neither tests"),
    (f"`{SYSTEM}`", "does not bind:", "neither tests"),
    ("9.3.2", "9.3.1", "section 9.3.1: 1 rows for 0"),
    ("| 2.2 | SHOULD | client | that | does not bind: it is a server |\n", "", "section 2.2: 1 rows for 2"),
    ("basic.t", "renamed.t", "there is no script"),
    ("c:writes", "c:write", "there is no unit"),
    ("::test_index", "::test_inde", "there is no system"),
])
def test_a_bad_table_is_found(tree, old, new, words):
    assert old in TABLE
    (tree / "docs/http.md").write_text(TABLE.replace(old, new))
    assert any(words in line for line in http_table.problems(tree, ALL)), http_table.problems(tree, ALL)


@pytest.mark.parametrize("name", [SCRIPT, UNIT, SYSTEM])
def test_a_test_must_have_run_and_passed(tree, name):
    assert "did not run" in http_table.problems(tree, {key: True for key in ALL if key != name})[0]
    assert "did not pass" in http_table.problems(tree, {**ALL, name: False})[0]


@pytest.mark.parametrize("path, old, new", [
    ("tests/unit/http/date.c", "writes", "renamed"), ("tests/system/test_serve.py", "test_index", "test_renamed")])
def test_a_test_that_is_renamed_is_found(tree, path, old, new):
    (tree / path).write_text((tree / path).read_text().replace(old, new))
    assert "there is no" in http_table.problems(tree, ALL)[0]


def test_reports_are_read(tmp_path):
    log, report = tmp_path / "testlog.json", tmp_path / "report.xml"
    log.write_text("\n".join(json.dumps(line) for line in (
        {"name": "weir:script / script-http1", "stdout": "1..2\nok 1 - /x/tests/script/http1/basic.t, 9 runs\n"
                                                          "not ok 2 - /x/tests/script/http1/big.t, 1 runs\n"},
        {"name": "weir / unit-http-date", "stdout": "[ RUN      ] writes\n[       OK ] writes\n[  FAILED  ] reads\n",
         "stderr": "[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] reads\n"},
        {"name": "weir / other", "stdout": "[       OK ] other\n"})))
    report.write_text('<testsuites><testsuite><testcase classname="tests.system.test_serve" name="test_index[event]"/>'
                      '<testcase classname="tests.system.test_serve" name="test_index[fork]"/>'
                      '<testcase classname="tests.system.test_serve" name="test_head"><skipped/></testcase>'
                      '<testcase classname="tests.system.test_serve" name="test_one[a]"><failure/></testcase>'
                      '<testcase classname="tests.system.test_serve" name="test_one[b]"/></testsuite></testsuites>')
    assert http_table.results_of([log], [report]) == {
        SCRIPT: True, "script:http1/big.t": False, UNIT: True, "unit:http/date.c:reads": False, SYSTEM: True,
        "system:test_serve.py::test_head": False, "system:test_serve.py::test_one": False}


@pytest.mark.parametrize("page, at_least", [("docs/http.md", 151), ("docs/http2.md", 60)])
def test_a_section_cannot_be_forgotten(page, at_least):
    """The real table, with each section taken out in turn."""
    text = (ROOT / page).read_text()
    sections = http_table.sections_of((ROOT / http_table.TABLES[page]).read_text())
    assert len(sections) >= at_least
    for rfc, section in sections:
        head, mark, tail = text.partition(f"## RFC {rfc}\n")
        left = "\n".join(line for line in tail.splitlines() if not line.startswith(f"| {section} |"))
        rows, _ = http_table.rows_of(head + mark + left)
        assert any(f"RFC {rfc} section {section}:" in line for line in http_table.counts(rows, sections))
