"""Functions in C that block (weir/routes.h) under every model: the thread that feeds a connection goes on whatever they do, every queue
is bounded, and they may outlive their client. handler_server.c is the application."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

import talk
from conftest import COMPLAINTS, ROOT, WEIR, memory_of, session_processes, wait_until
from talk import Client, Gone

BUILDS = [pathlib.Path(WEIR).parents[2], pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build-gcc"))]
MULTIPART = "Content-Type: multipart/form-data; boundary=cut"
SHARED = ("event", "thread", "pool", "sequential")  # one process here sees what became of another client's function


@pytest.fixture(scope="session")
def program():
    found = [build / "tests/system/handler-server" for build in BUILDS if (build / "tests/system/handler-server").exists()]
    assert found, "no handler-server: meson setup with -Dtests=true"
    return found[0]


class Application:
    def __init__(self, program, folder, model, grace=10):
        self.folder, self.model, self.log = folder, model, folder / "log"
        (folder / "file.bin").write_bytes(bytes(range(256)) * 4000)
        # What a sanitizer keeps of freed memory is not what is measured here.
        env = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"}
        with self.log.open("w") as stderr:
            self.process = subprocess.Popen([program, "tcp:127.0.0.1:0", model, folder, str(grace), *(talk.certificate() if talk.SECURE else ())], stderr=stderr,
                                            stdin=subprocess.DEVNULL, start_new_session=True, env=env)
        assert wait_until(lambda: self.ready() or self.process.poll() is not None, 20, 0.01)
        assert self.ready(), self.log.read_text()
        self.port = int(self.ready()[1])

    def ready(self):
        return re.search(r"^handlers at .*127\.0\.0\.1:(\d+)", self.log.read_text(), re.M)

    def get(self, target, *fields, method="GET"):
        with Client(self.port, 30) as client:
            return client.ask(target, *fields, method=method)

    def post(self, target, content, *fields, method="POST"):
        with Client(self.port, 30) as client:
            client.request(target, f"Content-Length: {len(content)}", *fields, method=method)
            client.send(content)
            return client.answer()

    def ended(self):
        """How many functions were called, how many of them have returned, and what the last one was told."""
        started, ended, why = self.get("/after").body.decode().split()
        return int(started), int(ended), why

    def memory(self):
        """Of all its processes, in KiB."""
        return memory_of(session_processes(self.process.pid)) >> 10

    def stop(self, expect=0):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == expect, self.log.read_text()
        assert wait_until(lambda: not session_processes(self.process.pid), 5)
        assert not COMPLAINTS.search(self.log.read_text()), self.log.read_text()

    def kill(self):
        for pid in session_processes(self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


@pytest.fixture
def start(program, model, tmp_path):
    apps = []

    def start(**options):
        folder = tmp_path / str(len(apps))
        folder.mkdir()
        apps.append(Application(program, folder, model, **options))
        return apps[-1]

    yield start
    try:
        for app in apps:
            if app.process.poll() is None:
                app.stop()
    finally:
        for app in apps:
            app.kill()


@pytest.fixture
def app(start):
    return start()


def dechunk(data):
    """Content of one chunked answer that is all of `data` behind its head; None: it was cut."""
    parts, rest = [], data.partition(b"\r\n\r\n")[2]
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if int(size, 16) == 0:
            return b"".join(parts)
        parts.append(rest[:int(size, 16)])
        rest = rest[int(size, 16) + 2:]
    return None


@pytest.mark.smoke
@pytest.mark.threads
def test_routes(app):
    assert app.get("/hello/7?q=a%20b+c", "X-Agent: me").body == b"7|a b c|me\n"
    assert app.get("/hello/7").fields["x-arg"] == "hello"
    assert app.get("/hello/me").fields["x-arg"] == "none"
    assert app.get("/hello/%c3%bc?x&q=").body == "ü||-\n".encode()
    assert app.get("/hello/7?q=%00").body == b"7|none|-\n"
    assert app.get("/rest/a//b/../c").body == b"a/c"
    assert app.get("/rest/").body == b""
    assert app.get("/quick/x%20y").body == b"x y"
    assert app.get("/quick/x").fields["x-arg"] == "quick"
    head = app.get("/hello/7", method="HEAD")
    assert head.status == 200 and head.fields["content-length"] == "9"
    for target in ("/", "/hello", "/hello/", "/hello/a/b", "/hello/a%2fb", "/rest", "/HELLO/7", "/hello/.."):
        assert app.get(target).status == 404, target
    assert app.get("/hello/%zz").status == 400
    wrong = app.get("/hello/7", method="PUT")
    assert wrong.status == 405 and wrong.fields["allow"] == "GET, HEAD, DELETE, OPTIONS"
    options = app.get("/sum", method="OPTIONS")
    assert options.status == 204 and options.fields["allow"] == "POST, OPTIONS"


def test_files_beside(app):
    assert len(app.get("/files/file.bin").body) == 256 * 4000
    assert app.get("/files/none").status == 404
    assert app.get("/files").fields["location"] == "/files/"
    sent = app.get("/send")
    assert sent.body == bytes(range(256)) * 4000 and sent.fields["content-length"] == "1024000"
    assert app.get("/send", method="HEAD").fields["content-length"] == "1024000"


@pytest.mark.threads
def test_content_goes_both_ways(app):
    data = os.urandom(3_000_000)
    assert app.post("/sum", data).body == f"{len(data)} {sum(data)}\n".encode()
    assert app.post("/whole", b"x" * 1000).body == b"x" * 1000
    assert app.post("/whole", b"x" * 1001).status == 413
    with Client(app.port, 30) as client:  # both at once: it answers while it reads
        client.request("/echo", f"Content-Length: {len(data)}", "Connection: close", method="PUT")
        threading.Thread(target=client.send, args=(data,), daemon=True).start()
        assert dechunk(client.rest()) == data


@pytest.mark.smoke
@pytest.mark.threads
def test_a_function_never_starves_its_own_connection(app):
    """DESIGN, section 3: content that comes slowly, and an answer many times the queue that is taken slowly."""
    with Client(app.port, 30) as client:
        client.request("/both", "Content-Length: 200000", "Connection: close", method="POST")
        for _ in range(20):
            client.send(b"z" * 10000)
            time.sleep(0.01)
        data = b""
        while len(data) < 500000:
            data += client.socket.recv(5000)
            time.sleep(0.0005)
        client.held = data
        assert dechunk(client.rest()) == b"200000\n" + b"x" * 4_000_000


def test_an_answer_goes_out_in_parts(app):
    with Client(app.port) as client:
        client.request("/stream", "Connection: close")
        begun = time.monotonic()
        while b"part 0" not in client.held:
            client._more()
        first = time.monotonic() - begun
        assert dechunk(client.rest()) == b"part 0\npart 1\npart 2\n"
        assert time.monotonic() - begun > first + 0.05
    assert app.get("/twice").body == b"123"


def test_failures(app):
    failed = app.get("/fail")
    assert failed.status == 500 and "x-lost" not in failed.fields
    for target in ("/fail?late=1", "/big?bytes=500&length=1000", "/big?bytes=200000&length=100000"):
        with Client(app.port) as client:
            client.request(target, "Connection: close")
            data = client.rest()
            assert dechunk(data) is None if b"chunked" in data else len(data) < 110000, target
    assert app.get("/hello/1").status == 200


@pytest.mark.threads
def test_forms(app):
    url = "Content-Type: application/x-www-form-urlencoded"
    assert app.post("/form", b"a=1&b=x+y%21&c&&d=", url).body == b"a=1\nb=x y!\nc=\nd=\n"
    assert app.post("/form", b"", url).body == b""
    body = (b'--cut\r\nContent-Disposition: form-data; name="note"\r\n\r\nhe said\r\n--cut\r\n'
            b'Content-Disposition: form-data; name="f"; filename="a \\"b\\".bin"\r\nContent-Type: image/png\r\n\r\n'
            + b"\r\n--cu" * 50000 + b"\r\n--cut--\r\n")
    assert app.post("/form", body, MULTIPART).body == b'note=he said\nf: a "b".bin image/png 300000\n'
    for bad in (body[:-10], body.replace(b"form-data;", b"attachment;", 1), b"", b"a=1",
                body.replace(b"\r\n--cut\r\n", b"\r\n--cut!\r\n")):
        assert app.post("/form", bad, MULTIPART).status == 400
    assert app.post("/form", b"a=%4", url).status == 400
    assert app.post("/form", b"a=%00", url).status == 400
    assert app.post("/form", b"n" * 9000, url).status == 413
    assert app.post("/form", b"a=" + b"v" * 1001, url).status == 413
    assert app.post("/form", b"a=1", "Content-Type: text/plain").status == 415
    assert app.post("/form", b"a=1", "Content-Type: multipart/form-data").status == 400


def test_an_upload_takes_no_memory(app):
    app.post("/sum", b"x" * 100000)
    before, most, block = app.memory(), 0, b"y" * 1_000_000
    with Client(app.port, 60) as client:
        client.request("/sum", "Content-Length: 100000000", method="POST")
        for i in range(100):
            client.send(block)
            if i % 10 == 0:
                most = max(most, app.memory())
        assert client.answer().body == f"100000000 {100000000 * ord('y')}\n".encode()
    assert most - before < 30_000, (before, most)


@pytest.mark.threads
def test_clients_vanish(app):
    """In an upload, in a download, and before the answer: the function is told, and the next client is served."""
    client = Client(app.port)
    client.request("/sum", "Content-Length: 1000000", method="POST")
    client.send(b"x" * 70000)
    client.reset()
    client = Client(app.port, receive_buffer=4096)
    client.request("/big?bytes=100000000")
    client.take(100000)
    client.reset()
    client = Client(app.port)
    client.request("/sleep?ms=500")
    time.sleep(0.1)
    client.reset()
    assert app.get("/hello/1").body == b"1|none|-\n"
    if app.model in SHARED:
        # One that was still waiting for a thread when its client went is not called.
        assert wait_until(lambda: app.ended() in [(n, n, "EPIPE") for n in (1, 2, 3)], 10, 0.1), app.ended()


def test_a_function_takes_longer_than_it_may(app):
    with Client(app.port) as client:
        assert client.ask("/sleep?ms=4500").status == 504
    if app.model in SHARED:
        assert wait_until(lambda: app.ended() == (1, 1, "EPIPE"), 10, 0.1), app.ended()


def test_many_at_once(app):
    if app.model != "event":
        pytest.skip("a connection of its own driver never waits for the threads of another")
    clients = [Client(app.port, 30) for _ in range(300)]
    try:
        for client in clients:
            client.request("/sleep?ms=300")
        begun = time.monotonic()
        assert Client(app.port).ask("/quick/x").body == b"x"
        assert time.monotonic() - begun < 1.5, "handlers and files do not wait for functions"
        answers = [client.answer() for client in clients]
    finally:
        for client in clients:
            client.close()
    busy = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} == {200, 503}
    assert len(answers) - len(busy) >= 80
    assert all(answer.fields["retry-after"] for answer in busy)


def test_a_stop_waits(start):
    app = start()
    with Client(app.port) as client:
        client.request("/sleep?ms=1000")
        time.sleep(0.3)
        app.process.send_signal(signal.SIGTERM)
        assert client.answer().body == b"awake\n"
    assert app.process.wait(20) == 0
    app = start(grace=1)
    client = Client(app.port)
    client.request("/sleep?ms=2900")
    time.sleep(0.3)
    begun = time.monotonic()
    app.process.send_signal(signal.SIGTERM)
    assert app.process.wait(20) == 3
    assert time.monotonic() - begun < 10
    client.close()
