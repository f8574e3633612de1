"""`weir pipe`: stages joined by pipes, their ends told apart, and a meter that says which one is slow."""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from conftest import COMPLAINTS, WEIR, session_processes, wait_until

METERS = ["never", "count"]


def kill_session(session):
    for pid in session_processes(session):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def weir(*words, data=b"", timeout=60, **options):
    """Without a terminal, so in a session of its own; nothing of it may be left."""
    process = subprocess.Popen([WEIR, "pipe", *words], **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE,
                               "stderr": subprocess.PIPE, "start_new_session": True, **options})
    try:
        out, said = process.communicate(data, timeout)
    finally:
        kill_session(process.pid)
    assert not said or not COMPLAINTS.search(said.decode(errors="replace")), said
    return subprocess.CompletedProcess(words, process.returncode, out, said)


def as_json(*words, **options):
    done = weir("--json", *words, **options)
    return done, json.loads(done.stderr.splitlines()[-1])


# --- what goes through ---


@pytest.mark.parametrize("meter", METERS)
def test_stages_without_a_shell(meter, tmp_path):
    for name in ("a.conf", "b.conf", "proc.conf", "c.txt"):
        (tmp_path / name).write_text("")
    done = weir("--meter", meter, "--quiet", "--", f"find {tmp_path} -name '*.conf'", "grep -v proc", "wc -l")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"2\n", b"")


@pytest.mark.parametrize("meter", [["never"], ["count"], ["count", "--bytes"]])
def test_a_hundred_megabytes_byte_for_byte(meter, tmp_path):
    block = bytes(i * i % 251 for i in range(1 << 20))
    data = b"".join(bytes([i]) + block for i in range(100))
    (tmp_path / "data").write_bytes(data)
    done, said = as_json("--meter", *meter, "--", f"cat {tmp_path}/data", "cat", "sha256sum")
    assert done.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()
    if meter == ["never"]:
        assert said["pipes"] is None
    else:
        assert [p["bytes"] for p in said["pipes"]] == [len(data)] * 2
        assert [p.get("lines") for p in said["pipes"]] == [None if "--bytes" in meter else data.count(b"\n")] * 2


@pytest.mark.parametrize("meter", METERS)
def test_standard_input_and_output(meter):
    data = os.urandom(3 << 20)
    done = weir("--meter", meter, "-q", "--", "cat", "cat", data=data)
    assert (done.returncode, done.stdout == data, done.stderr) == (0, True, b"")


@pytest.mark.parametrize("meter", METERS)
def test_fifty_stages(meter):
    done, said = as_json("--meter", meter, "--", "seq 10000", *["cat"] * 48, "tail -n 1")
    assert (done.returncode, done.stdout) == (0, b"10000\n")
    assert [s["status"] for s in said["stages"]] == [0] * 50
    if meter == "count":
        assert {(p["bytes"], p["lines"]) for p in said["pipes"]} == {(48894, 10000)}


def test_one_stage():
    done, said = as_json("--meter", "count", "echo one")
    assert (done.returncode, done.stdout, said["pipes"], said["slowest"]) == (0, b"one\n", [], None)


@pytest.mark.parametrize("meter", METERS)
def test_no_descriptor_leaks_into_a_stage(meter):
    reading, writing = os.pipe()
    done = weir("--meter", meter, "-q", "--", "ls -m /proc/self/fd", "sh -c 'cat; exec ls -m /proc/self/fd'",
                "sh -c 'cat; exec ls -m /proc/self/fd'", pass_fds=[reading, writing])
    os.close(reading)
    os.close(writing)
    assert done.stdout == b"0, 1, 2, 3\n" * 3  # 3 is the folder that ls reads


@pytest.mark.parametrize("meter", METERS)
def test_standard_streams_that_are_closed(meter):
    def close_all():
        for fd in (0, 1, 2):
            os.close(fd)

    done = weir("--meter", meter, "--", "cat", "wc -c", preexec_fn=close_all)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = weir("--meter", meter, "-q", "--", "cat", "wc -c", preexec_fn=lambda: os.close(0))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0\n", b"")


# --- exit status ---


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("stages, status", [
    (["true", "true", "true"], 0),
    (["sh -c 'exit 3'", "cat", "true"], 3),
    (["sh -c 'exit 3'", "sh -c 'cat; exit 5'", "cat"], 5),
    (["true", "sh -c 'cat; exit 255'"], 255),
    (["sh -c 'kill -SEGV $$'", "cat"], 128 + signal.SIGSEGV),
    (["sh -c 'kill -KILL $$'", "cat"], 128 + signal.SIGKILL),
    (["sh -c 'exit 3'", "sh -c 'kill -TERM $$'"], 128 + signal.SIGTERM),
    (["yes", "head -n 1"], 0),
    (["yes", "cat", "cat", "head -n 1"], 0),
    (["yes", "sh -c 'head -n 1; exit 4'"], 4),
    (["yes", "sh -c 'exec <&-; sleep 0.3'"], 0),
    (["sh -c 'kill -PIPE $$'", "sh -c 'cat; sleep 0.3'"], 128 + signal.SIGPIPE),
])
def test_exit_status_is_that_of_the_last_failure(meter, stages, status):
    assert weir("--meter", meter, "--", *stages).returncode == status


@pytest.mark.parametrize("meter", METERS)
def test_being_cut_off_is_told_apart(meter):
    done, said = as_json("--meter", meter, "--", "yes", "head -n 1")
    first = said["stages"][0]
    assert (done.returncode, first["signal"], first["status"], first["cut_off"]) == (0, "SIGPIPE", None, True)
    done, said = as_json("--meter", meter, "--sigpipe-fails", "--", "yes", "head -n 1")
    assert done.returncode == said["status"] == 128 + signal.SIGPIPE
    done = weir("--meter", meter, "-q", "--sigpipe-fails", "--", "yes", "head -n 1")
    assert b"stage 1, 'yes', was cut off" in done.stderr


@pytest.mark.parametrize("meter", METERS)
def test_the_last_stage_is_cut_off(meter):
    """`weir pipe … | head -1`: its own reader ended."""
    command = f"{WEIR} pipe --meter {meter} --json -- yes cat | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=30, start_new_session=True)
    assert (done.returncode, done.stdout) == (0, b"y\n")
    assert [s["cut_off"] for s in json.loads(done.stderr)["stages"]] == [True, True]


def test_a_full_disk():
    with open("/dev/full", "wb") as full:
        done = weir("-q", "--", "echo one", "cat", stdout=full)
    assert done.returncode == 1 and b"No space left" in done.stderr
    assert weir("--report", "/dev/full", "--", "echo one", "cat").returncode == 1
    with open("/dev/full", "wb") as full:
        assert weir("--", "echo one", "cat", stderr=full).returncode == 0


def test_what_cannot_be_started(tmp_path):
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "script").write_text("echo no interpreter\n")
    (tmp_path / "script").chmod(0o755)
    marker = tmp_path / "marker"
    for stage, status in [("no-such-program", 127), (f"{tmp_path}/none", 127), (f"{tmp_path}/plain", 126),
                          (str(tmp_path), 126), (f"{tmp_path}/script", 126)]:
        began = time.monotonic()
        done = weir("--", "sleep 60", f"sh -c 'sleep 60; touch {marker}'", stage, "cat")
        assert done.returncode == status, done.stderr
        assert done.stderr.count(b"\n") == 1 and b"stage 3" in done.stderr and stage.encode() in done.stderr
        assert time.monotonic() - began < 30
    assert not marker.exists()


@pytest.mark.parametrize("words, names", [
    ([], "stages"), (["--"], "stages"), (["--", "cat", ""], "stage 2"), (["--", "cat", "  "], "stage 2"),
    (["--", "a 'b", "cat"], "stage 1"), (["--", "cat", 'a "b\\'], "stage 2"), (["--", *["cat"] * 257], "256"),
    (["--meter", "often", "cat"], "often"), (["--timeout", "soon", "cat"], "soon"), (["--timeout", "0", "cat"], "0"),
    (["--grace", "-1", "cat"], "-1"), (["--pipe-size", "1", "cat"], "1"), (["--pipe-size", "2M", "cat"], "2M"),
    (["--dance", "cat"], "dance"),
])
def test_wrong_usage(words, names):
    done = weir(*words)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert names in done.stderr.decode()


# --- deadlines and signals ---


@pytest.mark.parametrize("meter", METERS)
def test_a_stage_that_hangs(meter):
    done, said = as_json("--meter", meter, "--timeout", "300ms", "--", "echo one", "sleep 60", "cat")
    assert (done.returncode, said["status"], said["timed_out"]) == (124, 124, True)
    assert [(s["status"], s["signal"]) for s in said["stages"]][1:] == [(None, "SIGTERM"), (None, "SIGTERM")]
    assert b"not done after 300ms" in weir("--meter", meter, "-q", "-t", "300ms", "--", "sleep 60").stderr


@pytest.mark.parametrize("meter", METERS)
def test_a_stage_that_ignores_sigterm_and_what_it_has_started(meter):
    stubborn = "sh -c 'trap \"\" TERM; sleep 60 & while :; do sleep 60; done'"
    process = subprocess.Popen([WEIR, "pipe", "--meter", meter, "--json", "--timeout", "500ms", "--grace", "200ms", "--",
                                stubborn, "cat"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 124
    assert json.loads(said.splitlines()[-1])["stages"][0]["signal"] == "SIGKILL"
    assert wait_until(lambda: not session_processes(process.pid), 5)


def started(*words, **options):
    """A pipeline whose first stage has begun."""
    process = subprocess.Popen([WEIR, "pipe", *words], **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                               "stderr": subprocess.PIPE, "start_new_session": True, **options})
    assert process.stdout.read(1) == b"!"
    return process


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("meter", METERS)
def test_signals_go_to_all_stages_and_the_summary_comes(meter, number, status):
    process = started("--meter", meter, "--json", "--", "sh -c 'printf !; exec sleep 60'", "cat", "cat")
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == status
    said = json.loads(said.splitlines()[-1])
    assert [s["signal"] for s in said["stages"]] == [number.name] * 3
    assert wait_until(lambda: not session_processes(process.pid), 5)


def test_told_to_stop_is_not_success():
    process = started("--", "sh -c 'trap \"exit 0\" TERM; printf !; while :; do sleep 0.1; done'", "cat")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 143 and b"2 stages" in said


def test_stages_end_with_weir():
    process = started("--", "sh -c 'printf !; exec sleep 60'", "cat", "sh -c 'cat; sleep 60'")
    process.kill()
    process.communicate(timeout=30)
    left = lambda: [pid for pid, (state, _) in session_processes(process.pid).items() if state != "Z"]
    assert wait_until(lambda: len(left()) <= 1, 5)  # the last one's grandchild has nobody left to tell it
    kill_session(process.pid)


# --- the summary ---


def test_the_slow_one_is_found():
    for stages, slowest in [(["yes", "sh -c 'while read a; do sleep 0.02; done'", "cat"], 2),
                            (["sh -c 'while sleep 0.02; do echo; done'", "cat", "cat"], 1),
                            (["yes", "cat", "sleep 60"], 3)]:
        done, said = as_json("--meter", "count", "-t", "1s", "--", *stages)
        assert said["slowest"] == slowest, said
        text = weir("--meter", "count", "-t", "1s", "--", *stages).stderr.decode()
        assert re.search(rf"^  {slowest} \(\w+\) was the slow one: .*waited for it", text, re.M), text


def test_summary():
    done = weir("--meter", "count", "--", "seq 1000", "grep -v 7", "wc -l")
    text = done.stderr.decode()
    assert done.stdout == b"729\n" and text.startswith("weir pipe: 3 stages, ")
    rows = text.splitlines()
    assert re.search(r"stage +ended +time +CPU +wrote +lines +a second", rows[1])
    assert re.search(r"^ +1 seq 1000 +exited with status 0 .* 3\.80 KiB +1,000 ", rows[2])
    assert re.search(r"^ +2 grep -v 7 +exited with status 0 .* 729 ", rows[3])
    assert "\033" not in text
    done = weir("--", "seq 1000", "wc -l")
    assert "wrote" not in done.stderr.decode()


def test_json_holds_any_command(tmp_path):
    odd = b"printf '%s' '\xff\xc3\xa4\"\\\x01\n\xe2\x82'"
    done, said = as_json("--", odd, "cat")
    assert done.stdout == b"\xff\xc3\xa4\"\\\x01\n\xe2\x82"
    assert said["stages"][0]["command"] == "printf '%s' '\ufffd\u00e4\"\\\x01\n\ufffd\ufffd'"
    assert [s["status"] for s in said["stages"]] == [0, 0]
    report = tmp_path / "report"
    done = weir("--json", "--report", report, "--", odd, "cat")
    assert done.stderr == b"" and json.loads(report.read_text())["status"] == 0
    assert weir("--report", tmp_path / "none/report", "--", "true").returncode == 1


def test_cpu_time_is_that_of_the_stage():
    _, said = as_json("--", "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'", "cat")
    busy, idle = (s["user_seconds"] + s["system_seconds"] for s in said["stages"])
    assert busy > idle and said["stages"][0]["seconds"] <= said["seconds"]


def test_a_line_a_second_elsewhere():
    done = weir("--meter", "always", "-t", "2500ms", "--", "yes", "sh -c 'while read a; do sleep 0.05; done'")
    lines = [line for line in done.stderr.decode().splitlines() if re.match(r"weir pipe: \d+\.\d s;", line)]
    assert len(lines) >= 1 and "2 (sh) is the slow one" in lines[-1] and "100 % full" in lines[-1]
    assert b"\033" not in done.stderr and b"\r" not in done.stderr


# --- on a terminal ---


class Terminal:
    """A pipeline as the foreground job of a terminal of its own."""

    def __init__(self, *words, rows=24, columns=120, environment=(), **streams):
        self.said = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update({"TERM": "xterm", **dict(environment)})
            os.environ.pop("NO_COLOR", None) if "NO_COLOR" not in dict(environment) else None
            if streams.get("stdout"):
                os.dup2(os.open(streams["stdout"], os.O_WRONLY | os.O_CREAT), 1)
            os.execv(WEIR, [WEIR, "pipe", *words])

    def until(self, pattern, seconds=30):
        end = time.monotonic() + seconds
        while not (pattern and re.search(pattern, self.said)):
            assert time.monotonic() < end, self.said
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            try:
                part = os.read(self.fd, 65536)
            except OSError:
                part = b""
            if not part:
                assert not pattern, self.said
                return
            self.said += part

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self):
        """What was said, and the exit status."""
        self.until(None)
        return self.said.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self):
        kill_session(self.pid)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def terminal():
    opened = []

    def open_terminal(*words, **options):
        opened.append(Terminal(*words, **options))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


SLOW = ["yes", "sh -c 'while read a; do sleep 0.05; echo $a$a; done'", "grep --line-buffered y"]


def test_the_meter_on_a_terminal(terminal):
    t = terminal("-t", "2s", "--", *SLOW)
    text, status = t.end()
    assert status == 124
    assert "\033[1;20r" in text and text.index("\033[1;20r") < text.rindex("\033[r"), "the region is set and given back"
    frame = text[text.rindex("\033[21;1H"):text.rindex("\033[r")]
    text = text[text.rindex("\033[r"):]
    assert "\033" not in text.removeprefix("\033[r\0338") and "3 stages" in text
    assert re.search(r"2 \(sh\) was the slow one", text) and frame


def test_a_frame_says_rates_levels_and_who_waits(terminal):
    t = terminal("-t", "3s", "--", *SLOW)
    t.until(rb"(?s)is the slow one.*to write.*is the slow one.*to write")
    frame = t.said.decode()
    assert re.search(r" 1 yes .*/s +[\d.,]+ lines/s \[#+\]  waits for 2 \(sh\) to read", frame)
    assert re.search(r"\033\[1;33m> 2 sh -c .*/s .* lines/s \[ +\]  is the slow one\033\[0m", frame)
    assert re.search(r" 3 grep --line-buffered y +waits for 2 \(sh\) to write", frame)
    assert "\r\nyy\r\n" in frame, "the last stage writes to the terminal itself"


def test_no_colours_if_asked(terminal):
    t = terminal("--", *SLOW, environment={"NO_COLOR": "1"})
    t.until(rb"is the slow one")
    os.write(t.fd, b"\x03")
    text, _ = t.end()
    assert "\033[1;33m" not in text and "\033[1;20r" in text


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": ""}])
def test_no_escape_codes_on_a_terminal_that_knows_none(terminal, environment):
    t = terminal("-t", "1500ms", "--", *SLOW, environment=environment)
    text, status = t.end()
    assert status == 124 and "\033" not in text and "2 (sh) is the slow one" in text


def test_no_meter_if_nothing_is_shown(terminal, tmp_path):
    for words in (["--quiet"], ["--meter", "never"], ["--meter", "count"]):
        text, status = terminal(*words, "--", "sh -c 'sleep 0.8; echo one'", "cat").end()
        assert status == 0 and "\033" not in text and "one\r\n" in text


def test_what_is_done_at_once_leaves_the_terminal_alone(terminal):
    text, status = terminal("--", "echo one", "cat").end()
    assert status == 0 and text.startswith("one\r\nweir pipe: 2 stages") and "\033" not in text


def test_ctrl_c_reaches_the_stages_once_and_the_summary_comes(terminal):
    t = terminal("--", "sh -c 'trap \"echo caught >&2; exit 7\" INT; echo !; while :; do sleep 0.1; done'",
                 "sh -c 'trap \"\" INT; cat'")
    t.until(rb"!")
    os.write(t.fd, b"\x03")
    text, status = t.end()
    assert status == 7 and text.count("caught\r\n") == 1 and "exited with status 7" in text


def test_stages_read_the_terminal(terminal):
    t = terminal("--", "head -n 1", "cat")
    os.write(t.fd, b"hello\n")
    text, status = t.end()
    assert status == 0 and text.count("hello") == 2  # the echo, and the answer


def test_a_resized_terminal(terminal):
    t = terminal("--", *SLOW)
    t.until(rb"\033\[1;20r")
    t.resize(40, 100)
    t.until(rb"\033\[1;36r")
    t.resize(6, 40)
    t.until(rb"\033\[1;3r")
    os.write(t.fd, b"\x03")
    text, status = t.end()
    assert status == 130 and "\033[r" in text


def test_more_stages_than_rows(terminal):
    t = terminal("--", "yes", *["cat"] * 40, "sleep 60", rows=12)
    t.until(rb"> *42 sleep 60")
    os.write(t.fd, b"\x03")
    assert t.end()[1] == 130


def test_ctrl_z_gives_the_terminal_back(terminal):
    t = terminal("--", *SLOW)
    t.until(rb"is the slow one")
    os.write(t.fd, b"\x1a")
    assert wait_until(lambda: os.waitpid(t.pid, os.WUNTRACED | os.WNOHANG)[0] == t.pid, 10)
    t.until(rb"\033\[r")
    before = len(t.said)
    os.kill(t.pid, signal.SIGCONT)
    assert wait_until(lambda: t.until(rb"\033\[r(?s:.*)\033\[1;20r") or True, 10)
    os.write(t.fd, b"\x03")
    text, _ = t.end()
    assert text.count("\033[r") >= 2 and len(text) > before


def test_a_quit_gives_the_terminal_back(terminal):
    t = terminal("--", *SLOW)
    resource.prlimit(t.pid, resource.RLIMIT_CORE, (0, 0))
    t.until(rb"is the slow one")
    os.write(t.fd, b"\x1c")
    text, status = t.end()
    assert status == -signal.SIGQUIT and text.rfind("\033[r") > text.rfind("\033[1;")
