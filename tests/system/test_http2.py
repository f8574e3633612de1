"""HTTP/2 from outside, by python3-h2, which shows each frame, and python3-httpx; over TLS 1.2 and 1.3 and in clear text."""

import contextlib
import random
import re
import socket
import ssl
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import httpx
import pytest

from conftest import INSTRUMENTED, wait_until
from test_tls import certs, context, keys  # noqa: F401

BIG = 3_000_000


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    top = tmp_path_factory.mktemp("h2")
    (top / "a").mkdir()
    for name in ("digits.txt", "digits.html", "a/index.html"):
        (top / name).write_text("0123456789")
    (top / "big.bin").write_bytes(bytes(i * 7 % 251 for i in range(1000)) * (BIG // 1000))
    return top


@pytest.fixture
def server(starter, model, root, certs, tmp_path):  # noqa: F811
    # Where a place is a process or the one worker, a client that stays would keep others away.
    return starter.serve(root, model, "--listen", "https://127.0.0.1:0", *keys(certs["localhost"]),
                         "--access-log", tmp_path / "log", "--server-timing", listeners=2)


class Client:
    """One connection. Answers are collected by stream; content is acknowledged as it comes unless `takes` is false."""

    def __init__(self, sock, takes=True):
        self.sock, self.takes = sock, takes
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.answers, self.ended, self.resets, self.goaways, self.closed = {}, set(), {}, [], False
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        try:
            self.sock.sendall(self.h2.data_to_send())
        except OSError:
            self.closed = True

    def ask(self, path, method="GET", content=b"", fields=()):
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path), *fields]
        self.h2.send_headers(stream, head, end_stream=not content)
        while content:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                self.flush()
                self.hear()
                continue
            self.h2.send_data(stream, content[:room], end_stream=len(content) <= room)
            content = content[room:]
        self.flush()
        self.answers[stream] = {"fields": None, "content": b""}
        return stream

    def hear(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.answers[event.stream_id]["fields"] = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id]["content"] += event.data
                if self.takes:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                self.resets[event.stream_id] = event.error_code
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaways.append((event.last_stream_id, event.error_code))
        self.flush()

    def until(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition() and not self.closed:
            assert time.monotonic() < end, (self.answers.keys(), self.ended, self.goaways)
            self.hear()
        return self

    def get(self, path, **more):
        stream = self.ask(path, **more)
        self.until(lambda: stream in self.ended)
        answer = self.answers[stream]
        return int(answer["fields"][":status"]), answer["fields"], answer["content"]


def clear(server, **more):
    return Client(socket.create_connection(("127.0.0.1", server.port), timeout=20), **more)


def secure(server, certs, version=None, **more):  # noqa: F811
    ctx = context(certs, version)
    ctx.set_alpn_protocols(["h2", "http/1.1"])
    port = int(re.search(r":(\d+)/$", server.urls[1]).group(1))
    sock = ctx.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname="localhost")
    assert sock.selected_alpn_protocol() == "h2"
    return Client(sock, **more)


@pytest.fixture(params=["clear", "tls1.2", "tls1.3"])
def client(request, server, certs):  # noqa: F811
    versions = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}
    one = clear(server) if request.param == "clear" else secure(server, certs, versions[request.param])
    yield one
    one.sock.close()


@pytest.mark.smoke
def test_answers(client, root):
    status, fields, content = client.get("/digits.txt")
    assert (status, content) == (200, b"0123456789")
    assert fields["content-length"] == "10" and fields["content-type"].startswith("text/plain") and fields["server-timing"].startswith("receive;dur=")
    assert client.get("/nothing")[0] == 404
    assert client.get("/big.bin")[2] == (root / "big.bin").read_bytes()
    assert client.get("/digits.txt", fields=[("range", "bytes=2-4")])[2] == b"234"
    assert client.get("/digits.txt", method="HEAD")[2] == b""
    assert client.get("/digits.txt", fields=[("if-none-match", fields["etag"])])[0] == 304
    assert client.get("/digits.txt", method="POST", content=b"x" * 200000)[0] == 405
    assert client.get("/digits.txt")[2] == b"0123456789"


ASKED = [
    {"path": "/digits.txt"},
    {"path": "/digits.html"},  # as long, of another type
    {"path": "/digits.txt", "method": "HEAD"},
    {"path": "/digits.txt", "fields": [("range", "bytes=2-4")]},
    {"path": "/digits.txt", "fields": [("range", "bytes=3-5")]},
    {"path": "/a/"},
    {"path": "/a", "method": "HEAD"},
    {"path": "/no"},
    {"path": "/digits.txt", "method": "POST"},
]


def test_each_answer_has_its_own_head(starter, root):
    """What was packed for one is sent for another only if that says the same; the first answer of a connection borrows from none."""
    server = starter.serve(root, "event", "--workers", 1)

    def told(client, asked):
        status, fields, content = client.get(**asked)
        return status, {name: value for name, value in fields.items() if name != "date"}, content
    alone = []
    for asked in ASKED:
        with contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as sock:
            alone.append(told(Client(sock), asked))
    assert len({str(one[:2]) for one in alone}) == len(ASKED) - 1  # HEAD says what GET does
    chance = random.Random(1)
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as sock:
        client = Client(sock)
        for _ in range(120):
            i = chance.randrange(len(ASKED))
            for _ in range(chance.randrange(1, 4)):
                assert told(client, ASKED[i]) == alone[i], ASKED[i]
    server.stop()


def test_many_at_once(client, root):
    streams = [client.ask("/big.bin" if i % 20 == 0 else "/digits.txt") for i in range(100)]
    client.until(lambda: client.ended.issuperset(streams), 120)
    whole = (root / "big.bin").read_bytes()
    for i, stream in enumerate(streams):
        assert client.answers[stream]["content"] == (whole if i % 20 == 0 else b"0123456789"), i


def test_one_that_takes_nothing_holds_back_itself_alone(client):
    """Its window is full; others of the connection go on as long as theirs is open."""
    client.takes = False
    client.h2.increment_flow_control_window(1_000_000)
    slow = client.ask("/big.bin")
    client.until(lambda: len(client.answers[slow]["content"]) == 65535)
    assert client.get("/digits.txt")[2] == b"0123456789"
    assert len(client.answers[slow]["content"]) == 65535 and slow not in client.ended


def test_cancelled(client):
    client.takes = False
    stream = client.ask("/big.bin")
    client.until(lambda: client.answers[stream]["content"])
    client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
    client.flush()
    client.takes = True
    client.h2.increment_flow_control_window(1_000_000)
    assert client.get("/digits.txt")[2] == b"0123456789"


@pytest.mark.smoke
def test_a_stop_is_told(server, certs):  # noqa: F811
    """GOAWAY names the last request that was answered, and the server ends."""
    one = secure(server, certs)
    assert one.get("/digits.txt")[0] == 200
    server.signal()
    one.until(lambda: one.closed)
    assert one.goaways and one.goaways[-1] == (1, h2.errors.ErrorCodes.NO_ERROR)
    one.sock.close()
    server.stop()


def test_logs(server, certs, tmp_path):  # noqa: F811
    one = secure(server, certs)
    one.get("/digits.txt?a=b", fields=[("referer", "https://a/"), ("user-agent", "someone")])
    one.sock.close()
    log = tmp_path / "log"
    wait_until(lambda: log.exists() and "digits" in log.read_text(), 10)
    assert re.search(r'"GET /digits\.txt\?a=b HTTP/2\.0" 200 10 "https://a/" "someone"', log.read_text())


def test_rapid_reset(server, tmp_path):
    """CVE-2023-44487: the connection ends, the log says why, others do not notice."""
    one = clear(server)
    try:
        for _ in range(20):
            for _ in range(100):
                stream = one.ask("/big.bin")
                one.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            one.flush()
        one.until(lambda: one.closed)
    except (h2.exceptions.ProtocolError, OSError):
        pass
    one.sock.close()
    wait_until(lambda: "limit=h2-resets" in (tmp_path / "log").read_text(), 20)
    assert httpx.get(f"{server.url}/digits.txt", timeout=20).text == "0123456789"


def test_off(starter, model, root, certs):  # noqa: F811
    server = starter.serve(root, model, "--listen", "https://127.0.0.1:0", *keys(certs["localhost"]), "--http2", "off", listeners=2)
    ctx = context(certs)
    ctx.set_alpn_protocols(["h2", "http/1.1"])
    port = int(re.search(r":(\d+)/$", server.urls[1]).group(1))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain, ctx.wrap_socket(plain, server_hostname="localhost") as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 505 ")


@pytest.mark.smoke
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_httpx(server, root, certs, version):  # noqa: F811
    url = f"https://localhost:{re.search(r':([0-9]+)/$', server.urls[1]).group(1)}"
    with httpx.Client(http2=True, http1=True, verify=context(certs, version), timeout=30) as client:
        answer = client.get(url + "/digits.txt")
        assert (answer.http_version, answer.status_code, answer.text) == ("HTTP/2", 200, "0123456789")
        for _ in range(2 if INSTRUMENTED else 5):
            assert client.get(url + "/big.bin").content == (root / "big.bin").read_bytes()
        assert client.post(url + "/digits.txt", content=b"x" * 100000).status_code == 405
        assert client.get(url + "/nothing").status_code == 404
