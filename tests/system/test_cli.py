"""The command line: help, tables, and one clear line for whatever is wrong."""

import re
import socket
import subprocess

import pytest

from conftest import WEIR, wait_until

COMMANDS = ["serve", "echo", "connect", "relay", "pipe", "spool", "models", "load", "bench"]
MODEL_NAMES = ["sequential", "fork-wait", "fork", "thread", "pool", "prefork", "event"]


def weir(*words, **options):
    return subprocess.run([WEIR, *map(str, words)], capture_output=True, text=True, timeout=15,
                          stdin=subprocess.DEVNULL, **options)


@pytest.mark.smoke
def test_help_lists_the_commands():
    for words in (["--help"], ["help"], ["-h"]):
        done = weir(*words)
        if words == ["--help"] or done.returncode == 0:
            assert done.returncode == 0 and done.stderr == ""
            assert all(re.search(rf"^\s+{name}\b", done.stdout, re.M) for name in COMMANDS)


def test_no_command_is_wrong_usage():
    done = weir()
    assert done.returncode == 2 and done.stdout == "" and "weir --help" in done.stderr


def test_version():
    done = weir("--version")
    assert done.returncode == 0 and re.fullmatch(r"weir \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name):
    done = weir(name, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert re.search(rf"weir {name}\b", done.stdout) and re.search("example", done.stdout, re.I)
    assert re.search(r"\b0\b", done.stdout), "exit status"
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize("name, options", [
    ("serve", ["listen", "model", "workers", "max-connections", "queue", "grace", "idle-timeout", "head-timeout", "access-log"]),
    ("echo", ["listen", "model", "workers"]), ("connect", ["line", "frame"]),
])
def test_options_are_in_the_help(name, options):
    said = weir(name, "--help").stdout
    assert [option for option in options if f"--{option}" not in said] == []


def test_models_table():
    done = weir("models")
    assert done.returncode == 0 and done.stderr == ""
    rows = [line.split()[0] for line in done.stdout.splitlines() if line.split() and line.split()[0] in MODEL_NAMES]
    assert rows == MODEL_NAMES


def wrong(tmp_path):
    """Words, the exit status, and what the one line has to name."""
    (tmp_path / "file").write_text("")
    (tmp_path / "site").mkdir()
    site = tmp_path / "site"
    return [
        (["dance"], 2, "dance"),
        (["--dance"], 2, "dance"),
        (["serve", "--dance"], 2, "dance"),
        (["serve", "-Z"], 2, "Z"),
        (["serve", site, "extra"], 2, "extra"),
        (["serve", f"{site}/none"], 1, f"{site}/none"),
        (["serve", f"{tmp_path}/file"], 1, f"{tmp_path}/file"),
        (["serve", site, "--model", "waltz"], 2, "waltz"),
        (["serve", site, "--model"], 2, "model"),
        (["serve", site, "--workers", "0x"], 2, "0x"),
        (["serve", site, "--workers", "-1"], 2, "-1"),
        (["serve", site, "--workers", "99999999999999"], 2, "99999999999999"),
        (["serve", site, "--workers", "99999999"], 2, "99999999"),
        (["serve", site, "--grace", ""], 2, "grace"),
        (["serve", site, "--listen", "tcp:"], 2, "tcp:"),
        (["serve", site, "--listen", "tcp:127.0.0.1"], 2, "tcp:127.0.0.1"),
        (["serve", site, "--listen", "tcp:127.0.0.1:99999"], 2, "99999"),
        (["serve", site, "--listen", "tcp:127.0.0.1:-1"], 2, "-1"),
        (["serve", site, "--listen", "carrier:pigeon"], 2, "carrier"),
        (["serve", site, "--listen", ""], 2, ""),
        (["serve", site, "--listen", "file:/tmp/x"], 2, "file:"),
        (["serve", site, "--listen", "unix:"], 2, "unix:"),
        (["serve", site, "--listen", "unix:/" + "x" * 200], 2, "x"),
        (["serve", site, "--listen", f"unix:{tmp_path}/none/sock"], 1, "none/sock"),
        (["serve", site, "--listen", "127.0.0.1:0", "--access-log", f"{tmp_path}/none/log"], 1, "none/log"),
        (["serve", site, "--listen", "tcp:192.0.2.1:0"], 1, "192.0.2.1"),
        (["echo", "--listen", "fd:99"], 1, "fd:99"),
        (["echo", "--listen", "fd:x"], 2, "fd:x"),
        (["connect"], 2, ""),
        (["connect", "a", "b"], 2, ""),
        (["connect", "nonsense"], 2, "nonsense"),
        (["connect", "tcp:127.0.0.1:99999"], 2, "99999"),
        (["connect", f"unix:{tmp_path}/none"], 1, "none"),
        (["connect", f"file:{tmp_path}/none"], 1, "none"),
        (["connect", "exec:"], 2, "exec:"),
        (["connect", "exec:'open"], 2, "exec:"),
        (["connect", "--line", "--frame", "exec:cat"], 2, "--"),
        (["relay"], 2, ""),
        (["relay", "-"], 2, ""),
        (["relay", "-", "nonsense"], 2, "nonsense"),
        (["models", "extra"], 2, "extra"),
    ]


@pytest.mark.parametrize("row", range(41))
def test_what_is_wrong_is_said_in_one_line(row, tmp_path):
    rows = wrong(tmp_path)
    assert len(rows) == 41
    words, status, names = rows[row]
    done = weir(*words)
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
    assert done.stderr.startswith("weir")
    assert names in done.stderr, done.stderr
    assert done.returncode == status, done.stderr
    assert done.stdout == ""


def test_a_host_that_does_not_exist():
    done = weir("connect", "tcp:does-not-exist.invalid:80")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "does-not-exist.invalid" in done.stderr


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words in (["serve", tmp_path], ["echo"]):
            done = weir(*words, "--listen", f"tcp:127.0.0.1:{port}")
            assert done.returncode == 1 and done.stderr.count("\n") == 1
            assert str(port) in done.stderr and "in use" in done.stderr


def test_a_wrong_name_shows_a_right_one():
    for name in ("nonsense", "tcp:", "unix:", "fd:x", ""):
        said = weir("connect", name).stderr
        assert re.search(r"\b(tcp|unix|fd):\S", said.replace(f'"{name}"', "")), said


def test_options_in_all_spellings(tmp_path):
    """--name=value, --name value, after and before what they belong to, and -- ends them."""
    for words in (["--model=waltz"], ["--model", "waltz"], [tmp_path, "--model=waltz"]):
        assert "waltz" in weir("serve", *words).stderr
    assert "--model" in weir("serve", "--", "--model").stderr


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run([WEIR, "models"], stdout=full, stderr=subprocess.PIPE, timeout=15)
    assert done.returncode != 0


def closed(how, *words, **options):
    """With some of 0, 1 and 2 closed, as <&- and >&- do it in a shell."""
    return subprocess.run(["sh", "-c", f'exec "$0" "$@" {how}', WEIR, *map(str, words)], timeout=60,
                          **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})


def test_nothing_said_gets_into_a_file_that_has_the_number_of_a_closed_stream(tmp_path):
    (tmp_path / "in").write_text("hello\n")
    done = closed(">&- 2>&-", "relay", f"file:{tmp_path}/in", f"file:{tmp_path}/out")
    assert (done.returncode, (tmp_path / "out").read_text()) == (0, "hello\n")


def test_a_server_runs_with_streams_closed(tmp_path):
    address = tmp_path / "socket"
    server = subprocess.Popen(["sh", "-c", 'exec "$0" echo --listen tcp:127.0.0.1:0 --listen "unix:$1" <&- 2>&-', WEIR, address])
    try:
        assert wait_until(lambda: address.exists() or server.poll() is not None, 30) and server.poll() is None
        assert weir("connect", "--timeout", 20, f"unix:{address}").returncode == 0
        server.terminate()
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("how, words", [
    ("<&-", ["relay", "-", "file:/dev/null"]), ("<&-", ["connect", "exec:cat"]), (">&-", ["connect", "exec:cat"]),
    ("<&-", ["spool", "write", "{}/spool"]), (">&-", ["models"]), (">&-", ["--version"]), (">&-", ["relay", "file:/dev/zero", "-"]),
])
def test_a_closed_stream_that_is_needed_is_an_error(how, words, tmp_path):
    done = closed(how, *(word.format(tmp_path) for word in words))
    assert done.returncode == 1 and b"Bad file descriptor" in done.stderr and done.stderr.count(b"\n") == 1, done


def test_a_child_of_a_weir_without_standard_error(tmp_path):
    (tmp_path / "in").write_text("hello\n")
    with (tmp_path / "in").open() as given:
        done = closed("2>&-", "connect", "exec:sort", stdin=given)
    assert (done.returncode, done.stdout) == (0, b"hello\n")
