"""Every cell of the manual's tables of promises has its test, and the check that says so can fail."""

import pathlib
import shutil

import pytest

import promises

ROOT = pathlib.Path(__file__).parents[2]


def test_every_promise_has_its_test():
    assert promises.problems(ROOT) == []


def test_the_tables_have_every_kind_and_promise():
    cells = {cell[:2] for cell in promises.promised((ROOT / promises.PAGE).read_text())}
    kinds, columns = {kind for kind, _ in cells}, {promise for _, promise in cells}
    assert {"tcp", "unix", "socketpair", "shm", "pipe", "named pipe", "exec", "file", "fd"} <= kinds
    assert len(columns) >= 9 and len(cells) == len(kinds) * len(columns)


@pytest.mark.parametrize("name, old, new, words", [
    (promises.PAGE, "|  shm\n:  two\n", "|  shm\n:  one\n", "'shm: directions': the manual says 'one', its test 'two'"),
    (promises.PAGE, "|  shm\n:  two\n", "|  ring\n:  two\n", "'ring: directions' has no test"),
    (promises.PAGE, ":[ *half-close*", ":[ *whole close*", "'tcp: half-close' is not in the manual"),
    (promises.PAGE, "|  unix\n:  two\n", "|  tcp\n:  two\n", "'tcp: directions' is there twice"),
    (promises.PAGE, "# PROMISES", "# OTHER", "there are no promises"),
    (promises.TESTS + "/promises_ends.c", 'CELL("tcp", "half-close", "yes", leaves_the_way_back),', "",
     "'tcp: half-close' has no test"),
    (promises.TESTS + "/promises_ends.c", '"yes", leaves_the_way_back)', '"yes", wishful)', "there is no test wishful()"),
    (promises.TESTS + "/promises.h", '{"tcp", {', '{"udp", {', "does not make a 'tcp'"),
])
def test_the_check_can_fail(tmp_path, name, old, new, words):
    (tmp_path / "docs/man").mkdir(parents=True)
    shutil.copy(ROOT / promises.PAGE, tmp_path / promises.PAGE)
    (tmp_path / promises.TESTS).mkdir(parents=True)
    for path in (ROOT / promises.TESTS).glob("promises*"):
        shutil.copy(path, tmp_path / promises.TESTS)
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new))
    found = promises.problems(tmp_path)
    assert any(words in line for line in found), found
