"""Requests and replies over frames (weir/call.h) under every model: a service on real listeners, clients with their hands on
every byte, and the straight-line client of the library. call_server.c is both."""

import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import COMPLAINTS, ROOT, WEIR, session_processes, wait_until
from talk import Client, Gone

BUILDS = [pathlib.Path(WEIR).parents[2], pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build-gcc"))]
HELLO, REQUEST, REPLY, ERROR, CANCEL, CANCELLED, PING, PONG, LEAVE = range(9)


@pytest.fixture(scope="session")
def program():
    """Beside the weir under test, so that it is sanitized if that is."""
    found = [build / "tests/system/call-server" for build in BUILDS if (build / "tests/system/call-server").exists()]
    assert found, "no call-server: meson setup with -Dtests=true"
    return found[0]


class Service:
    def __init__(self, program, log, endpoint, model, requests_max=0, silent_ms=0):
        self.program, self.log = program, log
        with log.open("w") as stderr:
            self.process = subprocess.Popen([program, "serve", endpoint, model, str(requests_max), str(silent_ms)],
                                            stderr=stderr, stdin=subprocess.DEVNULL, start_new_session=True)
        assert wait_until(lambda: self.ready() or self.process.poll() is not None, 20, 0.01)
        assert self.ready(), log.read_text()
        self.endpoint = self.ready()[1]

    def ready(self):
        return re.search(r"^calls at .*?((?:tcp|unix|shm):\S+)", self.log.read_text(), re.M)

    @property
    def port(self):
        return int(self.endpoint.rpartition(":")[2])

    def ask(self, what):
        return subprocess.run([self.program, what, self.endpoint], capture_output=True, text=True, timeout=60)

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
def serve(program, model, tmp_path):
    services = []

    def start(endpoint="tcp:127.0.0.1:0", **options):
        service = Service(program, tmp_path / f"calls-{len(services)}.log", endpoint, options.pop("model", model), **options)
        services.append(service)
        return service

    yield start
    try:
        for service in services:
            if service.process.poll() is None:
                service.stop()
    finally:
        for service in services:
            service.kill()


def message(kind, id=0, value=0, content=b""):
    return struct.pack(">IBBHIQ", 16 + len(content), kind, 1, 0, value, id) + content


class Calls(Client):
    """A client that is greeted, and numbers its requests."""

    def __init__(self, service, hello=True, **options):
        super().__init__(service.port, **options)
        self.last = 0
        if hello:
            self.send(message(HELLO, 1 << 20, 0))
            kind, self.longest, self.at_once, _ = self.next()
            assert kind == HELLO

    def next(self):
        length, kind, version, zero, value, id = struct.unpack(">IBBHIQ", self.take(20))
        assert (version, zero) == (1, 0)
        return kind, id, value, self.take(length - 16)

    def request(self, content, value=0):
        self.last += 1
        self.send(message(REQUEST, self.last, value, content))
        return self.last

    def asked(self, content):
        id = self.request(content)
        kind, to, value, answer = self.next()
        assert (kind, to) == (REPLY, id)
        return answer


@pytest.mark.smoke
@pytest.mark.threads
def test_requests_are_answered(serve):
    service = serve()
    with Calls(service) as client:
        assert client.asked(b"hello") == b"hello"
        assert client.asked(b"") == b""
        client.request(b"error: no")
        assert client.next() == (ERROR, 3, 99, b"error: no")
        client.end()
        assert client.closed()


@pytest.mark.threads
@pytest.mark.parametrize("scheme", ["tcp", "unix", "shm"])
def test_straight_line_client(serve, tmp_path, scheme):
    service = serve({"tcp": "tcp:127.0.0.1:0"}.get(scheme, f"{scheme}:{tmp_path}/s"))
    for _ in range(2):
        done = service.ask("ask")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("scheme", ["tcp", "unix", "shm"])
def test_a_death_ends_every_call_at_once(serve, tmp_path, scheme):
    service = serve({"tcp": "tcp:127.0.0.1:0"}.get(scheme, f"{scheme}:{tmp_path}/s"))
    done = service.ask("die")
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split()[0]) < 5000  # a few, on a machine with nothing else to do
    again = service.ask("ask")  # somebody was started in its place
    assert again.returncode == 0, again.stdout


def test_many_in_any_order(serve):
    service = serve(requests_max=3000)
    with Calls(service) as client:
        ids = {}
        sender = threading.Thread(target=lambda: [client.request(b"hold") for _ in range(2000)])
        sender.start()
        sender.join(20)
        last = client.request(b"now")
        seen = [client.next() for _ in range(2001)]
        assert sorted(id for _, id, _, _ in seen) == list(range(1, last + 1))
        assert {kind for kind, *_ in seen} == {REPLY}
        assert [id for _, id, _, _ in seen] == [*range(2000, 0, -1), last]


def test_a_slow_answer_does_not_hold_up_others(serve):
    service = serve()
    with Calls(service) as client:
        slow, quick = client.request(b"slow"), client.request(b"quick")
        assert client.next()[:2] == (REPLY, quick)
        client.request(b"slow")
        client.send(message(CANCEL, slow))
        # Both sleep on helper threads, which end in either order.
        assert sorted([client.next(), client.next()]) == sorted([(CANCELLED, slow, 0, b""), (REPLY, 3, 0, b"slow")])


def test_a_flood_is_held_back(serve):
    service = serve(requests_max=8)
    with Calls(service) as client:
        assert client.at_once == 8
        client.socket.settimeout(1)
        sent, block = 0, b"".join(message(REQUEST, i, 0, b"hold" + b"." * 8192) for i in range(1, 20001))
        with pytest.raises(TimeoutError):
            while sent < len(block):
                sent += client.socket.send(block[sent:sent + 65536])
        assert sent < 40 << 20  # what the kernel holds of a socket, at most
        client.reset()
    with Calls(service) as client:
        assert client.asked(b"still here") == b"still here"


def test_a_client_that_does_not_read_is_dropped(serve):
    service = serve(silent_ms=500)
    with Calls(service, receive_buffer=4096) as client:
        for _ in range(50):
            client.request(b"big")
        start = time.monotonic()
        with pytest.raises((Gone, ConnectionError)):
            time.sleep(1.5)
            for _ in range(50):
                client.next()
        assert time.monotonic() - start < 15
    with Calls(service) as client:
        assert client.asked(b"x") == b"x"


LIES = {
    "no hello": message(REQUEST, 1, 0, b"x"),
    "too long": message(HELLO) + struct.pack(">I", 0xFFFFFFFF),
    "too short": message(HELLO) + b"\0\0\0\x0f",
    "unknown kind": message(HELLO) + message(99),
    "wrong version": message(HELLO)[:5] + b"\x07" + message(HELLO)[6:],
    "a reply nobody wants": message(HELLO) + message(REPLY, 1),
    "an id again": message(HELLO) + message(REQUEST, 1, 0, b"hold") + message(REQUEST, 1, 0, b"hold"),
    "an id left out": message(HELLO) + message(REQUEST, 2, 0, b"x"),
    "cancel of nothing": message(HELLO) + message(CANCEL, 5),
    "leaves twice": message(HELLO) + message(REQUEST, 1, 0, b"hold") + message(LEAVE) + message(LEAVE),
    "another protocol": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.smoke
def test_lies_end_the_connection(serve):
    service = serve()
    for name, lie in LIES.items():
        with Calls(service, hello=False) as client:
            client.send(lie)
            parts = []
            client.socket.settimeout(10)
            try:
                while part := client.socket.recv(4096):
                    parts.append(part)
            except ConnectionResetError:
                pass
            got = b"".join(parts)
            assert got[4] == HELLO and REPLY not in got[20:21], name
    with Calls(service) as client:
        assert client.asked(b"still here") == b"still here"


def test_noise(serve):
    service = serve()
    dice = random.Random(7)
    for _ in range(40):
        with Calls(service, hello=False) as client:
            start = message(HELLO, 1 << 20, 8) if dice.random() < 0.7 else b""
            client.send(start + b"".join(
                message(dice.randrange(10), dice.randrange(4), dice.randrange(3) * 50,
                        dice.choice([b"", b"hold", b"now", b"slow", b"x"])) for _ in range(dice.randrange(12))))
            if dice.random() < 0.5:
                client.reset()
    with Calls(service) as client:
        assert client.asked(b"still here") == b"still here"


@pytest.mark.threads
def test_half_close(serve):
    service = serve()
    with Calls(service) as client:
        client.request(b"slow")
        client.request(b"x")
        client.end()
        assert [client.next()[1] for _ in range(2)] == [2, 1]
        assert client.closed()


@pytest.mark.threads
def test_clients_that_go_away(serve):
    service = serve()
    for i in range(20):
        client = Calls(service)
        for content in (b"hold", b"slow", b"x", b"hold"):
            client.request(content)
        client.reset() if i % 2 else client.close()
    with Calls(service) as client:
        assert client.asked(b"still here") == b"still here"


def test_a_stop_finishes_what_is_under_way(serve):
    service = serve()
    with Calls(service) as client:
        assert client.asked(b"x") == b"x"
        client.request(b"slow")
        time.sleep(0.1)
        service.process.send_signal(signal.SIGTERM)
        kind, last, _, _ = client.next()
        assert (kind, last) == (LEAVE, 2)
        client.request(b"too late")
        assert client.next() == (REPLY, 2, 0, b"slow")
        assert client.closed()
    assert service.process.wait(20) == 0


@pytest.mark.parametrize("one_place", ["sequential", "fork-wait"])
def test_an_idle_client_makes_room(serve, model, one_place):
    if model != "event":
        pytest.skip("once is enough")
    service = serve(model=one_place)
    with Calls(service) as first:
        assert first.asked(b"x") == b"x"
        with Calls(service) as second:
            assert first.next() == (LEAVE, 1, 0, b"")
            assert second.asked(b"y") == b"y"
