"""Logs: what their lines say, where they go, and that whoever reads them holds up nobody."""

import json
import os
import pathlib
import re
import signal
import socket
import threading
import time

import pytest

from conftest import wait_until
from talk import HTTP2, VERSION, Client, Gone, get

COMBINED = re.compile(r'\S+ - - \[[^]]+\] "(?:[^"\\]|\\x[0-9a-f]{2})*" \d{3} \d+ "[^"]*" "[^"]*" \d+\.\d{6}(?: limit=\S+)?')
BIG = "/digits.txt?" + "x" * 500


def serve(starter, site, model, *words, **options):
    """With --access-log among the words."""
    return starter("serve", site, "--listen", "http://127.0.0.1:0", "--model", model, *words, **options)


def lines_of(path):
    return path.read_text(errors="surrogateescape").splitlines() if path.exists() else []


def ask_many(port, count, path="/digits.txt"):
    """So many on one connection after the other, until one breaks; how many were answered."""
    answered = 0
    while answered < count:
        with Client(port) as client:
            for _ in range(min(100, count - answered)):
                client.request(path)
                if client.answer().status != 200:
                    return answered
                answered += 1
    return answered


@pytest.mark.smoke
def test_json_lines(starter, site, model, tmp_path):
    log = tmp_path / "log"
    server = serve(starter, site, model, "--access-log", log, "--log-format", "json", "--max-line", "300")
    get(server.port, '/digits.txt?a"b\\', 'User-Agent: x"\\é', "Referer: http://r/")
    get(server.port, "/digits.txt?" + "x" * 400)
    server.stop()
    first, second = sorted((json.loads(line) for line in lines_of(log)), key=lambda line: line["status"])
    assert list(first) == ["time", "remote", "user", "host", "method", "target", "protocol", "status", "bytes", "referrer", "agent", "id",
                           "limit", "why", "total", "receive", "parse", "open", "first", "last"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert (first["remote"], first["method"], first["protocol"]) == ("127.0.0.1", "GET", VERSION)
    assert (first["status"], first["bytes"], first["limit"], second["limit"]) == (200, 10, "", "max-line")
    assert first["referrer"] == "http://r/" and re.fullmatch(r"[0-9a-f]+-\d+", first["id"]) and first["id"] != second["id"]
    for step in ("total", "receive", "parse", "open", "first", "last"):
        assert 0 <= first[step] < 60
    assert first["total"] >= first["first"] > 0
    assert first["first"] >= first["receive"] + first["parse"]


@pytest.mark.parametrize("form, want", [
    ("time,status bytes", r"time=\"[^\"]+Z\" status=200 bytes=10"),
    ("method target remote", r'method="GET" target="/digits.txt" remote="127.0.0.1"'),
    ("json:status,agent", r'\{"status":200,"agent":"t/1"\}'),
    ("total first port id", r'total=0\.\d{6} first=0\.\d{6} port=\d+ id="[0-9a-f]+-\d+"'),
    ("combined", r'127\.0\.0\.1 - - \[[^]]+\] "GET /digits.txt ' + re.escape(VERSION) + r'" 200 10 "-" "t/1" \d\.\d{6}'),
])
def test_chosen_fields(starter, site, tmp_path, form, want):
    log = tmp_path / "log"
    server = serve(starter, site, "event", "--access-log", log, "--log-format", form)
    get(server.port, "/digits.txt", "User-Agent: t/1")
    server.stop()
    line, = lines_of(log)
    assert re.fullmatch(want, line), line


def test_hostile_bytes_cannot_make_a_line(starter, site, tmp_path):
    """Controls end a request or are escaped; every line of the file is one of ours, in each format."""
    for form in ("combined", "json", "line agent referrer target host"):
        log = tmp_path / f"log-{form[:4]}"
        server = serve(starter, site, "event", "--access-log", log, "--log-format", form)
        for value in (b"a\tb", b'" 200 0 "x', b"\\x22", b"\xff\xfe", b"\xe2\x80\xae", b"\x1b[2J", b"\r", b"\n127.0.0.1 - - ["):
            with Client(server.port) as client:
                client.send(b"GET /a" + value.replace(b"\t", b"") + b" HTTP/1.1\r\nHost: h\r\nUser-Agent: " + value + b"\r\n\r\n")
                try:
                    client.answer()
                except Gone:
                    pass
        server.stop()
        data = log.read_bytes()
        assert not re.search(rb"[^\x20-\x7e\n]", data)
        lines = data.decode().splitlines()
        assert len(lines) == 8
        if form == "json":
            assert all(json.loads(line)["remote"] == "127.0.0.1" for line in lines)
        elif form == "combined":
            assert all(COMBINED.fullmatch(line) for line in lines), data
        else:
            assert all(line.startswith("line=") for line in lines)


@pytest.mark.parametrize("mask, want", [("24/48", "127.0.0.0"), ("0/0", "0.0.0.0"), ("32/128", "127.0.0.1")])
def test_masks(starter, site, tmp_path, mask, want):
    log, errors = tmp_path / "log", tmp_path / "errors"
    server = serve(starter, site, "event", "--access-log", log, "--log-mask", mask, "--error-log", errors, "--max-line", "50")
    get(server.port, "/" + "x" * 60)
    server.stop()
    assert lines_of(log)[0].split()[0] == want
    assert want in [json.loads(line).get("remote") for line in lines_of(errors)]
    assert want == "127.0.0.1" or "127.0.0.1" not in log.read_text() + "".join(
        line for line in lines_of(errors) if '"request"' in line)


def test_version_6_is_masked(starter, site, tmp_path):
    log = tmp_path / "log"
    try:
        server = starter("serve", site, "--listen", "http://[::1]:0", "--access-log", log, "--log-mask", "24/0")
    except AssertionError:
        pytest.skip("no IPv6 here")
    with socket.create_connection(("::1", server.port)) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert s.recv(10)
    server.stop()
    assert lines_of(log)[0].split()[0] == "::"


@pytest.mark.parametrize("words", [
    ["--log-format", "status nonsense"], ["--log-format", ""], ["--log-format", "status status"], ["--log-mask", "24"],
    ["--log-mask", "33/48"], ["--log-mask", "24/129"], ["--log-mask", "24/48x"], ["--access-log", "|"], ["--error-log", "|"],
    ["--status", "status"], ["--status", "/"], ["--status-allow", "any"], ["--status", "/s", "--status-allow", "nobody"],
])
def test_wrong_words_are_refused(starter, site, words):
    with pytest.raises(AssertionError, match="status 2"):
        serve(starter, site, "event", *words)


def test_logs_that_cannot_be_opened(starter, site, tmp_path):
    for option, name in (("--access-log", "access log"), ("--error-log", "error log")):
        with pytest.raises(AssertionError, match=f"cannot write the {name} {tmp_path}/none/log"):
            serve(starter, site, "event", option, f"{tmp_path}/none/log")


def test_rotation_under_load_loses_nothing(starter, site, model, tmp_path):
    log = tmp_path / "log"
    server = serve(starter, site, model, "--access-log", log)
    answered, broken = [0, 0], [0, 0]
    over = threading.Event()

    def load(i):
        while not over.is_set():
            try:
                with Client(server.port) as client:
                    for _ in range(50):
                        client.request("/digits.txt")
                        assert client.answer().status == 200
                        answered[i] += 1
            except (Gone, OSError):
                broken[i] += 1  # one that rested made room for another

    threads = [threading.Thread(target=load, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(5):
        time.sleep(0.15)
        log.rename(tmp_path / f"log.{turn}")
        server.signal(signal.SIGUSR1)
        assert wait_until(log.exists, 5)
    over.set()
    for thread in threads:
        thread.join()
    server.stop()
    files = [tmp_path / f"log.{turn}" for turn in range(5)] + [log]
    lines = [line for file in files for line in lines_of(file)]
    assert sum(answered) <= len(lines) <= sum(answered) + sum(broken)
    assert all(COMBINED.fullmatch(line) for line in lines)
    assert sum(bool(lines_of(file)) for file in files) >= 4  # the new file is used at once
    assert "lost" not in server.said()


def workers_of(server):
    """Processes that serve: not the one that writes logs, which is the first child."""
    return sorted(server.children())[1:]


def test_a_killed_worker_loses_no_committed_line(starter, site, model, tmp_path):
    """Every answered request is in the log, as a whole line, whoever died; the next worker writes on."""
    log, errors = tmp_path / "log", tmp_path / "errors"
    server = serve(starter, site, model, "--access-log", log, "--error-log", errors)
    answered, over = [0], threading.Event()

    def load():
        while not over.is_set():
            try:
                with Client(server.port) as client:
                    for _ in range(20):
                        client.request("/digits.txt")
                        client.answer()
                        answered[0] += 1
            except (Gone, OSError):
                time.sleep(0.01)

    thread = threading.Thread(target=load)
    thread.start()
    for _ in range(2):
        time.sleep(0.3)
        for pid in workers_of(server):
            os.kill(pid, signal.SIGKILL)
        before = answered[0]
        assert wait_until(lambda: answered[0] > before + 20, 15)
    over.set()
    thread.join()
    server.stop()
    lines = lines_of(log)
    assert all(COMBINED.fullmatch(line) for line in lines)
    # A line is committed when its answer is handed over: the client may have seen it a moment earlier.
    assert len(lines) >= answered[0] - 20
    assert any("killed" in json.loads(line)["text"] for line in lines_of(errors) if '"server"' in line)


def test_a_killed_log_process_is_started_again(starter, site, model, tmp_path):
    log = tmp_path / "log"
    server = serve(starter, site, model, "--access-log", log)
    ask_many(server.port, 20)
    assert wait_until(lambda: len(lines_of(log)) == 20, 5)
    os.kill(min(server.children()), signal.SIGKILL)
    ask_many(server.port, 30)
    assert wait_until(lambda: len(lines_of(log)) == 50, 10)
    server.stop()
    assert "the process that writes logs" in server.said() and len(lines_of(log)) == 50


def test_a_full_disk_is_said_once(starter, site, model):
    server = serve(starter, site, model, "--access-log", "/dev/full")
    assert ask_many(server.port, 200) == 200
    time.sleep(0.5)
    assert ask_many(server.port, 100) == 100
    server.stop()
    assert server.said().count("No space left") == 1
    assert "300 lines of the access log (/dev/full) were lost" in server.said()


@pytest.mark.smoke
def test_a_program_gets_the_lines(starter, site, model, tmp_path):
    out = tmp_path / "out"
    server = serve(starter, site, model, "--access-log", f"|cat > '{out}'; echo over >> '{out}'")
    assert ask_many(server.port, 150) == 150
    server.stop()
    lines = lines_of(out)
    assert len(lines) == 151 and lines[-1] == "over" and all(COMBINED.fullmatch(line) for line in lines[:-1])


def test_a_program_that_dies_is_started_again(starter, site, model, tmp_path):
    out = tmp_path / "out"
    server = serve(starter, site, model, "--access-log", f"|for i in 1 2 3 4 5 6 7 8 9 10; do read x && echo \"$x\" >> '{out}'; done")
    sent = 0
    while len(lines_of(out)) < 25 and sent < 2000:
        sent += ask_many(server.port, 5)
        time.sleep(0.1)
    assert len(lines_of(out)) >= 25, server.said()
    assert "it is started again" in server.said()
    server.stop()
    lines, lost = lines_of(out), sum(map(int, re.findall(r"(\d+) lines of the access log", server.said())))
    assert all(COMBINED.fullmatch(line) for line in lines)
    assert sent - 10 <= len(lines) + lost <= sent  # the last program had a few in hand


def test_a_program_that_hangs_holds_up_nobody(starter, site, model):
    server = serve(starter, site, model, "--access-log", "|exec sleep 60")
    count = 6000 if model in ("event", "thread", "pool", "prefork", "sequential") else 1500
    start = time.monotonic()
    assert ask_many(server.port, count, BIG) == count
    assert time.monotonic() - start < 50
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 8
    said = sum(map(int, re.findall(r"(\d+) lines of the access log", server.said())))
    assert 0 < said <= count


def test_a_program_that_will_not_end_is_gone_after_a_stop(starter, site):
    server = serve(starter, site, "event", "--access-log", "|trap '' TERM; exec sleep 60")
    ask_many(server.port, 1)
    time.sleep(0.3)
    begin = time.monotonic()
    server.stop()  # looks for what is left
    assert time.monotonic() - begin < 8


def children_of(pid):
    return list(map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_program_that_reads_no_more_is_started_again(starter, site, tmp_path):
    """Though it goes on, and will not end when asked; and nobody spins meanwhile."""
    out = tmp_path / "out"
    server = serve(starter, site, "event", "--access-log", f"|echo x >> '{out}'; trap '' TERM; exec sleep 60 0<&-")
    ask_many(server.port, 1)
    assert wait_until(lambda: lines_of(out) == ["x"], 10)
    writer = next(pid for pid in children_of(server.process.pid) if children_of(pid))
    before = cpu_s(writer)
    time.sleep(1)
    assert cpu_s(writer) - before < 0.5
    deadline = time.monotonic() + 20
    while len(lines_of(out)) < 2 and time.monotonic() < deadline:
        ask_many(server.port, 1)
        time.sleep(0.1)
    assert len(lines_of(out)) >= 2, server.said()
    assert "it is started again" in server.said()
    server.stop()


def test_syslog(starter, site, model, tmp_path):
    path = tmp_path / "syslog"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(path))
        daemon.settimeout(10)
        server = serve(starter, site, model, "--access-log", f"syslog:{path}", "--log-format", "status target",
                       "--error-log", f"syslog:{path}", "--max-line", "100")
        get(server.port, "/digits.txt")
        get(server.port, "/" + "x" * 200)
        got = []
        while len([line for line in got if b"status=" in line]) < 2 or not any(b'"limit"' in line for line in got):
            got.append(daemon.recv(10000))
        server.stop()
    access = [line for line in got if b"status=" in line]
    assert re.fullmatch(rb'<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d weir\[\d+\]: status=200 target="/digits.txt"', access[0])
    assert any(re.fullmatch(rb'<27>.* weir\[\d+\]: \{"time":.*"limit":"max-line".*\}', line) for line in got)


@pytest.mark.smoke
def test_the_error_log(starter, site, model, tmp_path):
    """Its records have the request's id, as the access log has it."""
    log, errors = tmp_path / "log", tmp_path / "errors"
    server = serve(starter, site, model, "--access-log", log, "--log-format", "id status", "--error-log", errors,
                   "--head-timeout", "1", "--max-line", "100")
    get(server.port, "/digits.txt")
    get(server.port, "/" + "x" * 200)
    with Client(server.port) as client:
        client.send("GET / HTT")
        assert client.answer().status == 408
    server.stop()
    access = dict(re.fullmatch(r'id="(\S+)" status=(\d+)', line).groups() for line in lines_of(log))
    records = [json.loads(line) for line in lines_of(errors)]
    requests = {record["limit"]: record for record in records if record["what"] == "request"}
    assert set(requests) == {"max-line", "head-timeout"} and sorted(access.values()) == ["200", "408", "414"]
    for record in requests.values():
        assert access[record["id"]] == str(record["status"])
        assert record["remote"] == "127.0.0.1" and record["level"] == "warning"
    assert requests["max-line"].get("why") == (None if HTTP2 else "EPROTO")  # the connection goes on there


def test_errors_of_programs(starter, site, model, tmp_path):
    errors, programs = tmp_path / "errors", tmp_path / "cgi"
    programs.mkdir()
    (programs / "bad").write_text("#!/bin/sh\nprintf 'one\\033[2J\\ntwo \"quoted\"\\n' >&2\nexit 3\n")
    (programs / "bad").chmod(0o755)
    server = serve(starter, site, model, "--cgi", f"/cgi={programs}", "--error-log", errors)
    assert get(server.port, "/cgi/bad").status == 502
    server.stop()
    records = [json.loads(line) for line in lines_of(errors)]
    said = [record for record in records if record["what"] == "cgi"]
    request, = [record for record in records if record["what"] == "request"]
    texts = [record["text"] for record in said]
    assert texts.index("one\x1b[2J") < texts.index('two "quoted"')
    assert {record["program"] for record in said} == {"/cgi/bad"}
    assert {record["id"] for record in said} == {request["id"]} and request["status"] == 502 and request["level"] == "error"
    assert "quoted" not in server.said()


def test_a_request_that_got_no_answer_is_no_success(starter, site, model, tmp_path):
    log, errors, programs = tmp_path / "log", tmp_path / "errors", tmp_path / "cgi"
    programs.mkdir()
    (programs / "slow").write_text('#!/bin/sh\n: > "$0.began"\nexec sleep 60\n')
    (programs / "slow").chmod(0o755)
    server = serve(starter, site, model, "--cgi", f"/cgi={programs}", "--access-log", log, "--error-log", errors,
                   "--status", "/status")
    with Client(server.port) as client:
        client.request("/cgi/slow")
        assert wait_until((programs / "slow.began").exists, 20)
        client.reset()
    assert wait_until(lambda: lines_of(log), 20) and '"GET /cgi/slow HTTP/1.1" 499 0 ' in lines_of(log)[0]
    told = lambda: [record for record in map(json.loads, lines_of(errors)) if record["what"] == "request"]
    assert wait_until(told, 20) and [record["status"] for record in told()] == [499]
    said = get(server.port, "/status/metrics").body.decode()
    assert 'weir_requests_total{code="4xx"} 1\n' in said and 'weir_requests_total{code="2xx"} 0\n' in said
    assert "weir_requests_failed_total 1\n" in said


def test_the_error_log_on_standard_error(starter, site):
    server = serve(starter, site, "event", "--error-log", "-", "--max-line", "100")
    get(server.port, "/" + "x" * 200)
    assert wait_until(lambda: '"limit":"max-line"' in server.said(), 5)
    server.stop()


def test_a_signal_without_logs_harms_nobody(starter, site, model):
    server = serve(starter, site, model)
    server.signal(signal.SIGUSR1)
    for pid in server.children():
        os.kill(pid, signal.SIGUSR1)
    assert get(server.port, "/digits.txt").status == 200
    server.stop()


def test_the_log_process_outlives_a_killed_supervisor(starter, site, tmp_path):
    """What was answered meanwhile is still written, and nothing is left behind."""
    log = tmp_path / "log"
    server = serve(starter, site, "event", "--access-log", log)
    ask_many(server.port, 40)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    assert wait_until(lambda: len(lines_of(log)) == 40, 10)
    server.check_gone()
