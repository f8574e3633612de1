"""examples/: each is compiled against libweir.a and run as its head comment says (examples/README.md)."""

import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess

import pytest

from conftest import COMPLAINTS, ROOT, session_processes, wait_until

EXAMPLES = ROOT / "examples"
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build-gcc"))
CASE = re.compile(r"^ \* (?P<how>run|serve): (?P<rest>.+)$", re.M)


def libraries():
    """What a program that takes libweir.a has to name too."""
    text = (BUILD / "meson-private/weir.pc").read_text()
    return shlex.split(re.search(r"^Libs.private: (.*)$", text, re.M).group(1))


def cases():
    for source in sorted(EXAMPLES.glob("*.c")):
        head = source.read_text().partition("*/")[0]
        for match in CASE.finditer(head):
            yield pytest.param(source.stem, match["how"], match["rest"], id=f"{source.stem}: {match['rest'][:40]}")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")

    def build(name):
        program = folder / name
        if not program.exists():
            done = subprocess.run(
                ["cc", "-std=gnu17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-I", ROOT / "include", EXAMPLES / f"{name}.c",
                 BUILD / "src/lib/libweir.a", *libraries(), "-o", program], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
        return program

    return build


def words_of(command, program, tmp_path):
    command = command.replace("TMP", str(tmp_path)).replace("SITE", str(ROOT / "site"))
    command = command.replace("ENDPOINT", "tcp:127.0.0.1:0")
    return [str(program) if word == f"./{program.name}" else word for word in shlex.split(command)]


def text_of(quoted):
    """A JSON string, and whether it is only the beginning."""
    value, end = json.JSONDecoder().raw_decode(quoted)
    rest = quoted[end:].strip()
    assert rest in ("", "..."), quoted
    return value.encode(), rest == "..."


def agrees(got, expected):
    text, only_the_beginning = expected
    return got.startswith(text) if only_the_beginning else got == text


def run(words, expected):
    done = subprocess.run(words, cwd=EXAMPLES, capture_output=True, stdin=subprocess.DEVNULL, timeout=30)
    assert done.returncode == 0, done.stderr
    assert agrees(done.stdout, expected), done.stdout


def serve(words, sent, expected, log):
    with log.open("w") as stderr:
        process = subprocess.Popen(words, cwd=EXAMPLES, stderr=stderr, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        port = lambda: re.search(r"127\.0\.0\.1:(\d+).*\n", log.read_text())
        assert wait_until(port, 20, 0.01), log.read_text()
        with socket.create_connection(("127.0.0.1", int(port().group(1))), 15) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            got = b""
            while part := client.recv(65536):
                got += part
        assert agrees(got, expected), got
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, log.read_text()
        assert wait_until(lambda: not session_processes(process.pid), 5)
        assert not COMPLAINTS.search(log.read_text())
    finally:
        for pid in session_processes(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait(10)


@pytest.mark.parametrize("name, how, rest", cases())
def test_example(name, how, rest, built, tmp_path):
    program = built(name)
    if how == "run":
        command, _, quoted = rest.rpartition(" -> ")
        run(words_of(command, program, tmp_path), text_of(quoted))
    else:
        command, _, talk = rest.partition("; ")
        sent, end = json.JSONDecoder().raw_decode(talk)
        serve(words_of(command, program, tmp_path), sent.encode(), text_of(talk[end:].strip().removeprefix("->").strip()),
              tmp_path / "log")


def test_every_example_says_how_to_run_it():
    named = {case.values[0] for case in cases()}
    assert named == {source.stem for source in EXAMPLES.glob("*.c")}
