"""Clients of a Unix socket, whose answers' being read the event loop is told of (docs/decisions/0014): quick ones and silent ones beside each other."""

import os
import socket
import threading
import time

import pytest

import talk

REQUEST = b"GET /digits.txt HTTP/1.1\r\nHost: test\r\n\r\n"


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(str(path))
    return client


def hear(client):
    answer = b""
    while not answer.endswith(b"0123456789"):
        piece = client.recv(4096)
        assert piece, answer
        answer += piece


def ask(client):
    client.sendall(REQUEST)
    hear(client)


@pytest.fixture
def path(starter, site, tmp_path):
    if os.environ.get("WEIR_OVER"):
        pytest.skip("speaks HTTP/1.1 in clear text")
    server = starter("serve", site, "--listen", f"unix:{tmp_path}/web", "--model", "event", "--workers", 1, "--idle-timeout", 2,
                     "--head-timeout", 2)
    yield tmp_path / "web"
    server.stop()


def test_many_questions(path):
    """Each follows its answer at once; two clients, so that now and then both happen at the same time."""
    def many():
        with connect(path) as client:
            for _ in range(3000):
                ask(client)
            done.append(1)
    done = []
    threads = [threading.Thread(target=many) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2


def test_silence_ends_in_time(path):
    """That another client's answer was read, late, is no reason to be late for whom nobody hears of."""
    with connect(path) as silent, connect(path) as other:
        begin = time.monotonic()
        other.sendall(REQUEST)
        time.sleep(1.5)
        hear(other)
        assert silent.recv(1) == b"" and 1.9 < time.monotonic() - begin < 3
        seconds, data = talk.timed(other.recv, 1)
        assert data == b"" and seconds < 3
