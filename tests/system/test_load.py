"""`weir load`: what it counts is what happened, and it says so in one way for people and one for programs."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import WEIR


def load(*words, timeout=30, status=None):
    done = subprocess.run([WEIR, "load", *map(str, words)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)
    if status is not None:
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def measured(*words, status=0, **options):
    return json.loads(load(*words, "--json", status=status, **options).stdout)


@pytest.fixture(scope="module")
def _echo_server(tmp_path_factory):
    from conftest import Starter
    starter = Starter(tmp_path_factory.mktemp("load"))
    yield {"echo": starter.echo("event"), "frame": starter.echo("event", "--protocol", "frame")}
    starter.end()


class Odd:
    """A server that answers each connection by a function of its socket."""

    def __init__(self, talk):
        self.talk, self.accepted = talk, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            with client:
                self.talk(client)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def leave(self):
        with contextlib.suppress(OSError):  # it has left before
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


def requests_of(client):
    """Whole request heads, one at a time."""
    held = b""
    while True:
        while b"\r\n\r\n" not in held:
            data = client.recv(65536)
            if not data:
                return
            held += data
        head, _, held = held.partition(b"\r\n\r\n")
        yield head.decode("latin-1")


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.smoke
def test_every_model_answers(web, model):
    for words in ([], ["--new"], ["--pipeline", 8]):
        result = measured(f"{web.url}/digits.txt", "-c", 12, "-n", 60, *words)
        assert result["requests"] == 60 and result["statuses"]["2xx"] == result["requests"], (model, words, result)
        assert sum(result["errors"].values()) == 0


def test_counts_exactly(starter, site, tmp_path):
    log = tmp_path / "access.log"
    server = starter("serve", site, "--listen", "http://127.0.0.1:0", "--access-log", log)
    result = measured(f"{server.url}/digits.txt", "-c", 7, "-n", 500)
    assert result["requests"] == 500 and result["statuses"]["2xx"] == 500
    server.stop()
    lines = [line for line in log.read_text().splitlines() if "/digits.txt" in line]
    assert len(lines) == 500


def test_text_says_the_same(web):
    said = load(f"{web.url}/digits.txt", "-c", 2, "-n", 100, status=0).stdout
    assert re.search(r"requests +100 ", said) and "2xx 100" in said and re.search(r"errors +none", said)
    assert re.search(r"p50 .* p90 .* p99 .* p99\.9 .* max", said)


def test_what_is_sent():
    heads = []

    def talk(client):
        for head in requests_of(client):
            heads.append(head)
            client.sendall(OK)

    with Odd(talk) as server:
        measured(server.url + "a?b", "-c", 1, "-n", 1, "-H", "X-One: 1", "-H", "X-Two: 2", "-X", "DELETE")
        measured(server.url, "-c", 1, "-n", 1, "--new")
        measured(f"tcp:127.0.0.1:{server.port}", "--path", "/p", "-c", 1, "-n", 1)
        measured("http://example.org/q", "--endpoint", f"tcp:127.0.0.1:{server.port}", "-c", 1, "-n", 1)
    assert heads[0] == f"DELETE /a?b HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-One: 1\r\nX-Two: 2"
    assert heads[1].endswith("\r\nConnection: close")
    assert heads[2].startswith("GET /p HTTP/1.1")
    assert heads[3] == "GET /q HTTP/1.1\r\nHost: example.org"


def test_body():
    bodies = []

    def talk(client):
        if request := client.recv(65536):  # weir connects once to see who is there
            bodies.append(request.partition(b"\r\n\r\n"))
            client.sendall(OK)
            client.recv(1)

    with Odd(talk) as server:
        measured(server.url, "-c", 1, "-n", 1, "-X", "POST", "--body", "a=b")
    assert b"Content-Length: 3" in bodies[0][0] and bodies[0][2] == b"a=b"


def test_http_over_unix(starter, site, tmp_path):
    starter("serve", site, "--listen", f"unix:{tmp_path}/s")
    result = measured(f"unix:{tmp_path}/s", "--path", "/digits.txt", "-c", 3, "-n", 30)
    assert result["statuses"]["2xx"] == 30


@pytest.mark.parametrize("words", [["-c", 4], ["-c", 4, "-p", 8], ["-c", 2, "--new"], ["-c", 4, "-t", 2]])
@pytest.mark.parametrize("protocol, size", [("echo", 1), ("echo", 300000), ("frame", 1), ("frame", 300000)])
def test_blocks(_echo_server, protocol, size, words):
    target = f"tcp:127.0.0.1:{_echo_server[protocol].port}"
    result = measured(target, f"--{protocol}", size, *words, "-n", 60)
    assert result["requests"] == 60
    assert result["bytes_in"] == result["bytes_out"] == 60 * (size + (4 if protocol == "frame" else 0))


def test_open_loop_waiting_is_latency():
    """A server that stands still for 300 ms once: closed loop hides it, open loop shows it."""
    def run(*words):
        stalled = []

        def talk(client):
            for number, _ in enumerate(requests_of(client)):
                if number == 20 and not stalled:
                    stalled.append(1)
                    time.sleep(0.3)
                client.sendall(OK)

        with Odd(talk) as server:
            return measured(server.url, "-c", 1, "-d", "1.2", *words)

    opened = run("--rate", 200)
    assert 200 <= opened["requests"] <= 245
    assert opened["latency_us"]["p90"] > 100000, opened["latency_us"]
    assert opened["latency_us"]["max"] > 280000
    closed = run()
    assert closed["latency_us"]["p90"] < 50000 and closed["latency_us"]["max"] > 280000


def test_rate_is_kept(web, model):
    """Where there is one place there is one client: several would take turns, with a process each time, and that is what would be measured."""
    result = measured(f"{web.url}/digits.txt", "-c", 1 if model in ("sequential", "fork-wait") else 4, "-d", 1, "--rate", 500)
    assert 495 <= result["requests"] + result["unfinished"] <= 505 and result["requests"] > 250
    assert result["rate"] == 500


def test_unanswered_are_counted():
    with Odd(lambda client: time.sleep(5)) as server:
        result = measured(server.url, "-c", 2, "-d", "0.5", "--rate", 100, status=1)
    assert result["requests"] == 0 and 45 <= result["unfinished"] <= 52
    assert result["latency_us"]["max"] > 450000


def slow(client):
    for _ in requests_of(client):
        time.sleep(0.2)
        client.sendall(OK)


def test_a_server_too_slow_for_the_rate():
    """That requests are on their way at the end is normal; that they never were, since no connection was free for long, is not."""
    with Odd(slow) as server:
        result = measured(server.url, "-c", 1, "-d", 2, "--rate", 100, status=3)
        assert 1 <= result["requests"] <= 20 and 100 < result["overdue"] < result["unfinished"]
        said = load(server.url, "-c", 1, "-d", 2, "--rate", 100, status=3).stdout
        assert re.search(r"unfinished +\d+ were due.* \d+ of them since more than 500 ms", said, re.DOTALL), said


def test_on_their_way_at_the_end():
    with Odd(slow) as server:
        result = measured(server.url, "-c", 40, "-d", 2, "--rate", 20, status=0)
        assert result["requests"] > 0 and result["overdue"] == 0


def test_nothing_answered_says_so():
    with Odd(lambda client: time.sleep(5)) as server:
        assert re.search("unfinished +2 were asked", load(server.url, "-c", 2, "-d", "0.3", status=1).stdout)


def says(answer):
    """Reads the request, says this, and closes without a reset."""
    def talk(client):
        if client.recv(65536):
            client.sendall(answer)
            client.shutdown(socket.SHUT_WR)
            client.recv(1)
    return talk


@pytest.mark.parametrize("talk, kind", [
    (says(b"SSH-2.0-x\r\n"), "protocol"), (says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), "protocol"),
    (says(b""), "reset"), (lambda client: client.recv(10), "reset"), (lambda client: time.sleep(3), "timeout"),
], ids=["noise", "short", "end", "reset", "silence"])
def test_errors_by_kind(talk, kind):
    with Odd(talk) as server:
        result = measured(server.url, "-c", 2, "-d", "1.3", "--timeout", 1, status=1)
    errors = {name: n for name, n in result["errors"].items() if n}
    assert result["requests"] == 0 and list(errors) == [kind], errors
    assert errors[kind] < 200, "it tries again, but not as fast as it can"


def test_other_bytes_come_back():
    def talk(client):
        while data := client.recv(100):
            client.sendall(data[::-1])

    with Odd(talk) as server:
        result = measured(f"tcp:127.0.0.1:{server.port}", "--echo", 10, "-c", 1, "-d", "0.2", status=1)
    assert result["errors"]["content"] > 0


def test_a_server_that_closes_after_each_answer():
    """Without saying so before: what was sent into that is asked again, and nothing counts as failed."""
    def talk(client):
        for _ in requests_of(client):
            client.sendall(OK)
            return

    with Odd(talk) as server:
        result = measured(server.url, "-c", 3, "-n", 60)
    assert result["requests"] == 60 and sum(result["errors"].values()) == 0
    assert result["connects"] >= 57


def test_head_requests(web):
    result = measured(f"{web.url}/big.bin", "-X", "HEAD", "-c", 2, "-n", 50)
    assert result["statuses"]["2xx"] == 50 and result["bytes_in"] < 50 * 1000


def test_refusals_are_a_status(web):
    assert measured(f"{web.url}/none", "-c", 2, "-n", 10, status=3)["statuses"]["4xx"] == 10


def test_warm_up_is_not_counted(web):
    result = measured(f"{web.url}/digits.txt", "-c", 1, "-d", "0.3", "--warm-up", "0.3", "--rate", 100)
    assert 15 <= result["requests"] <= 33 and result["seconds"] < 0.59


def test_warm_up_spends_no_requests(web):
    result = measured(f"{web.url}/digits.txt", "-c", 2, "-n", 4, "--warm-up", "0.5")
    assert result["requests"] == result["statuses"]["2xx"] == 4


def test_html_page(web, tmp_path):
    page = tmp_path / "load.html"
    load(f"{web.url}/digits.txt?<b>", "-c", 2, "-d", "0.3", "--html", page, status=0)
    text = page.read_text()
    assert text.count("<svg class=\"plot\"") == 3 and not re.search(r"\b(nan|inf)\b", text)
    assert "<b>" not in text and "&lt;b&gt;" in text
    assert not re.search(r"<script|src=|href=|url\(|@import", text), "self-contained"


def test_interrupted(web):
    process = subprocess.Popen([WEIR, "load", f"{web.url}/digits.txt", "-c", "2", "-d", "60", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=5)
    result = json.loads(out)
    assert process.returncode == 0 and err == "" and result["interrupted"] and result["requests"] > 0


def test_nobody_is_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = load(f"http://127.0.0.1:{port}/", status=1)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1 and "refused" in done.stderr


def test_fewer_requests_than_threads(web):
    assert measured(f"{web.url}/digits.txt", "-c", 4, "-t", 4, "-n", 2)["requests"] == 2


def test_a_server_that_goes_away():
    """With a number of requests, what fails counts: the run ends, and all are accounted for."""
    def talk(client):
        for number, _ in enumerate(requests_of(client)):
            if number == 10:
                server.leave()
                return
            client.sendall(OK)

    with Odd(talk) as server:
        result = measured(server.url, "-c", 1, "-n", 1000000, "--timeout", 1, status=3)
    assert result["requests"] == 10 and list(name for name, n in result["errors"].items() if n) == ["connect"]
    assert sum(result["errors"].values()) == 1000000 - 10 and result["unfinished"] == 0


def test_page_that_cannot_be_written(web):
    done = load(f"{web.url}/digits.txt", "-n", 1, "--html", "/nowhere/x.html", status=1)
    assert "/nowhere/x.html" in done.stderr


@pytest.mark.parametrize("words, names", [
    ([], "URL"), (["http://h/", "http://i/"], "URL"), (["http://h/", "-k"], "https"), (["tcp:h:1", "--ca", "x"], "tls:"), (["exec:cat"], "exec:cat"),
    (["http://h/", "-c", "0"], "connections"), (["http://h/", "-d", "soon"], "soon"), (["http://h/", "-d", "0"], "duration"),
    (["tcp:h:1", "--echo", "1", "--frame", "1"], "--frame"), (["tcp:h:1", "--echo", "1", "--path", "/"], "path"),
    (["http://h/", "--new", "-p", "2"], "pipeline"), (["http://h/", "-H", "x"], "Name: value"),
    (["http://h/", "-H", "A: b\r\nC: d"], "Name: value"), (["http://h/a b"], "%20"), (["http://h/", "--wam-up", "1"], "warm-up"),
])
def test_wrong_usage(words, names):
    done = load(*words, status=2)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1 and names in done.stderr
