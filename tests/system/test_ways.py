"""Messages and HTTP by every way: sockets, shared memory, a pair of named pipes, a child's standard input and output."""

import hashlib
import random
import struct
import time

import pytest

from talk import Gone
from ways import service  # pylint: disable=unused-import


def frame(message):
    return struct.pack(">I", len(message)) + message


def nothing_comes(client, seconds=0.15):
    client.socket.settimeout(seconds)
    try:
        return client.socket.recv(1) is None
    except TimeoutError:
        return True
    finally:
        client.socket.settimeout(15)


# --- lines and frames ---


@pytest.mark.smoke
@pytest.mark.parametrize("protocol, whole, half, rest", [
    ("line", b"first\nsecond\n\n", b"thi", b"rd\n"),
    ("frame", frame(b"first") + frame(b"") + frame(b"x" * 70000), frame(b"third")[:6], frame(b"third")[6:]),
], ids=["line", "frame"])
def test_only_whole_messages_come_back(service, protocol, whole, half, rest):
    with service("echo", "--protocol", protocol).client() as client:
        client.send(whole + half)
        assert client.take(len(whole)) == whole
        assert nothing_comes(client)
        client.send(rest)
        assert client.take(len(half + rest)) == half + rest
        client.send(half)
        client.end()
        assert client.closed()


@pytest.mark.threads
@pytest.mark.parametrize("protocol", ["line", "frame"])
def test_many_messages_cut_anywhere(service, protocol):
    seed = random.Random(3)
    messages = [seed.randbytes(seed.randrange(200)).replace(b"\n", b" ") for _ in range(3000)]
    data = b"".join(frame(m) if protocol == "frame" else m + b"\n" for m in messages)
    with service("echo", "--protocol", protocol).client() as client:
        at = 0
        while at < len(data):
            piece = data[at:at + seed.randrange(1, 9000)]
            client.send(piece)
            at += len(piece)
            client.held += client.socket.recv(1 << 20) if seed.random() < 0.5 and at - len(client.held) > 9000 else b""
        client.end()
        assert client.rest() == data


@pytest.mark.parametrize("protocol, bytes_", [("line", b"x" * 200_000), ("frame", b"\x7f\xff\xff\xff" + b"x" * 100)],
                         ids=["line", "frame"])
def test_a_message_that_is_too_long_ends_it(service, protocol, bytes_):
    with service("echo", "--protocol", protocol).client() as client:
        try:
            client.send(bytes_)
            assert client.closed()
        except (BrokenPipeError, ConnectionResetError):
            pass


# --- HTTP ---


@pytest.fixture
def web(service, site):
    return service("serve", site)


@pytest.mark.smoke
def test_a_page(web):
    with web.client() as client:
        answer = client.ask("/")
        assert (answer.status, answer.body) == (200, b"<!doctype html><title>weir</title>\n")
        assert answer.fields["content-type"].startswith("text/html")


@pytest.mark.smoke
@pytest.mark.threads
def test_one_conversation_has_many_requests(web):
    with web.client() as client:
        for target, method, status, body in [
                ("/digits.txt", "GET", 200, b"0123456789"), ("/digits.txt", "HEAD", 200, b""),
                ("/nothing", "GET", 404, None), ("/dir", "GET", 301, None), ("/empty.txt", "GET", 200, b""),
                ("/../secret.txt", "GET", None, None), ("/digits.txt", "GET", 200, b"0123456789")]:
            answer = client.ask(target, method=method)
            assert status in (None, answer.status) and b"SECRET" not in answer.body, target
            assert body is None or answer.body == body
        assert client.ask("/digits.txt", "Range: bytes=2-4").body == b"234"
        assert client.ask("/digits.txt", "Connection: close").status == 200
        assert client.closed()


def test_pipelined_requests_are_answered_in_order(web):
    targets = ["/digits.txt", "/a%20b.txt", "/empty.txt", "/dir/index.html"] * 8
    bodies = [b"0123456789", b"space\n", b"", b"<p>dir\n"] * 8
    with web.client() as client:
        client.send("".join(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n" for target in targets))
        assert [client.answer().body for _ in targets] == bodies


@pytest.mark.smoke
@pytest.mark.threads
def test_a_big_file(web, site):
    data = (site / "big.bin").read_bytes()
    with web.client() as client:
        client.request("/big.bin", "Connection: close")
        answer = client.answer()
        assert hashlib.sha256(answer.body).digest() == hashlib.sha256(data).digest()
        assert client.closed()


def test_a_slow_reader_gets_it_all(web, site):
    """The queue is full long before the file has ended; the server waits."""
    with web.client() as client:
        client.request("/big.bin", "Connection: close")
        time.sleep(0.3)
        assert client.answer().body == (site / "big.bin").read_bytes()


def test_a_request_that_comes_byte_by_byte(web):
    with web.client() as client:
        for byte in b"GET /digits.txt HTTP/1.1\r\nHost: test\r\n\r\n":
            client.send(bytes([byte]))
        assert client.answer().body == b"0123456789"


def test_who_has_said_all_is_still_answered(web):
    with web.client() as client:
        client.request("/digits.txt")
        client.request("/dir/index.html")
        client.end()
        assert client.answer().body == b"0123456789"
        assert client.answer().body == b"<p>dir\n"
        assert client.closed()


def test_an_older_version_closes(web):
    with web.client() as client:
        answer = client.ask("/digits.txt", version="1.0")
        assert (answer.status, answer.body) == (200, b"0123456789")
        assert client.closed()


@pytest.mark.parametrize("bytes_", [
    b"\0\1\2\3 \r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
], ids=["garbage", "no-host", "two-hosts", "two-lengths"])
def test_what_is_wrong_is_refused_and_closed(web, bytes_):
    with web.client() as client:
        client.send(bytes_)
        assert client.answer().status == 400
        assert client.closed()


def test_half_a_request_is_not_answered_as_a_whole(web):
    with web.client() as client:
        client.send("GET /digits.txt HTTP/1.1\r\nHo")
        client.end()
        try:
            assert client.answer().status == 400
        except Gone:
            pass
        assert client.closed()


def test_clients_that_vanish_in_the_middle(web):
    for _ in range(4):
        client = web.client()
        client.request("/big.bin")
        client.take(1000)
        client.reset()
    with web.client() as client:
        assert client.ask("/digits.txt", "Connection: close").body == b"0123456789"
