"""shm:PATH: shared memory, under the programs that use any endpoint, with peers that die. What every way has in common
is in test_echo.py and test_ways.py."""

import os
import random
import signal
import subprocess
import time

import pytest

from conftest import WEIR, session_processes, wait_until


def connect(endpoint, data=b"", *words, timeout=20):
    return subprocess.run([WEIR, "connect", endpoint, *words], input=data, capture_output=True, timeout=timeout)


def open_client(endpoint):
    return subprocess.Popen([WEIR, "connect", endpoint], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)


@pytest.fixture
def echo(starter, model, tmp_path):
    server = starter("echo", "--listen", f"shm:{tmp_path}/x", "--model", model)
    yield server
    server.check_healthy()


def test_clients_that_are_killed_are_forgotten(echo):
    for number in range(8):
        with open_client(echo.urls[0]) as client:
            client.stdin.write(b"some words")
            client.stdin.flush()
            assert client.stdout.read(4) == b"some"
            client.kill()
    assert connect(echo.urls[0], b"the next").stdout == b"the next"
    echo.stop()


def test_a_server_that_is_killed_ends_its_clients(starter, tmp_path):
    server = starter("echo", "--listen", f"shm:{tmp_path}/y", "--model", "event", "--workers", "1")
    with open_client(server.urls[0]) as client:
        client.stdin.write(b"hello")
        client.stdin.flush()
        assert client.stdout.read(5) == b"hello"
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        before = time.monotonic()
        assert client.stdout.read() == b""
        assert time.monotonic() - before < 2
        client.stdin.close()
        client.wait(10)
    assert wait_until(lambda: connect(server.urls[0], b"again").stdout == b"again", 5)
    server.stop()


def test_a_path_left_behind_is_replaced(starter, tmp_path):
    first = starter("echo", "--listen", f"shm:{tmp_path}/z?size=4K")
    for pid in session_processes(first.pid):
        os.kill(pid, signal.SIGKILL)
    first.status = first.process.wait(10)
    assert (tmp_path / "z").exists()
    second = starter("echo", "--listen", f"shm:{tmp_path}/z?size=1M")
    assert connect(second.urls[0], b"x" * 100000).stdout == b"x" * 100000
    second.stop()
    assert not (tmp_path / "z").exists()


@pytest.mark.parametrize("protocol, option", [("line", "--line"), ("frame", "--frame")])
def test_messages(tmp_path, protocol, option):
    lines = b"".join(b"line %d\n" % number for number in range(20000))
    server = subprocess.Popen([WEIR, "echo", "--listen", f"shm:{tmp_path}/m", "--protocol", protocol],
                              stderr=subprocess.DEVNULL)
    try:
        assert wait_until((tmp_path / "m").exists, 10)
        assert connect(f"shm:{tmp_path}/m", lines, option).stdout == lines
    finally:
        server.terminate()
        assert server.wait(20) == 0


def test_relay_from_a_socket(starter, tmp_path):
    server = starter("echo", "--listen", f"shm:{tmp_path}/far")
    data = random.Random(6).randbytes(3 << 20)
    relay = subprocess.Popen([WEIR, "relay", "--quiet", f"listen:unix:{tmp_path}/near", server.urls[0]],
                             stdin=subprocess.DEVNULL)
    assert wait_until((tmp_path / "near").exists, 10)
    assert connect(f"unix:{tmp_path}/near", data).stdout == data
    assert relay.wait(10) == 0


def test_wrong_names():
    for name, word in (("shm:/tmp/x?size=1", b"listener"), ("shm:", b"missing")):
        done = connect(name)
        assert done.returncode == 2 and word in done.stderr and done.stderr.count(b"\n") <= 2
    done = subprocess.run([WEIR, "echo", "--listen", "shm:/tmp/x?size=0"], capture_output=True, timeout=10)
    assert done.returncode == 2 and b"number of bytes" in done.stderr
