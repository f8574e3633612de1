"""Relays under test, of one conversation and of many, and peers whose every move the test makes."""

import re
import socket
import subprocess

import pytest

from conftest import COMPLAINTS, WEIR, wait_until
from talk import exchange


class Relay:
    """A relay that waits for its client on a port of its own."""

    def __init__(self, log, second, *words):
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen([WEIR, "relay", *words, "listen:tcp:127.0.0.1:0", second], stderr=stderr,
                                            stdin=subprocess.DEVNULL)
        found = lambda: re.search(r"127\.0\.0\.1:(\d+)", self.said())
        if not wait_until(lambda: found() or self.process.poll() is not None, 20, 0.01) or not found():
            self.process.kill()
            self.process.wait()
            raise AssertionError(self.said())
        self.port = int(found().group(1))

    def said(self):
        return self.log.read_text()

    def end(self, expect=0):
        try:
            status = self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait()
        assert not COMPLAINTS.search(self.said())
        assert status == expect, self.said()
        return self.said()


@pytest.fixture
def relay(tmp_path):
    started = []

    def start(second, *words):
        started.append(Relay(tmp_path / f"relay-{len(started)}.log", second, *words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def many(starter):
    """Starts a relay for many clients; `.port` or `.urls[0]` says where."""
    return lambda model, target, *words, listen="tcp:127.0.0.1:0": starter(
        "relay", "--listen", listen, "--model", model, *words, *([target] if isinstance(target, str) else target))


class Target(socket.socket):
    """A server whose every move the test makes."""

    @property
    def endpoint(self):
        return "tcp:%s:%d" % self.getsockname()


def target(backlog=128):
    listener = Target()
    listener.bind(("127.0.0.1", 0))
    listener.listen(backlog)
    listener.settimeout(10)
    return listener


def accept(listener):
    far, _ = listener.accept()
    far.settimeout(10)
    return far


def connect(port, host="127.0.0.1"):
    near = socket.create_connection((host, port), 10)
    near.settimeout(10)
    return near


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def is_reset(sock):
    try:
        return sock.recv(1) is None
    except ConnectionResetError:
        return True


def read_all(sock):
    parts = []
    while part := sock.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def sums(server):
    found = re.search(r"relay: (\d+) connections?, (\d+) bytes there, (\d+) bytes back, (\d+) errors?$", server.said(), re.M)
    assert found, server.said()
    return tuple(int(number) for number in found.groups())


def one_at_a_time(model):
    return model in ("sequential", "fork-wait")


def talk(port, data):
    with connect(port) as near:
        return exchange(near, data) == data
