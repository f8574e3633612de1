"""`weir relay A B`: both ways between any two endpoints."""

import hashlib
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import WEIR, memory_of
from relays import accept, connect, relay, target  # pylint: disable=unused-import
from talk import exchange


def test_tcp_to_a_service_and_the_bytes_counted(relay, starter):
    echo = starter("echo", "--listen", "tcp:127.0.0.1:0")
    one = relay(echo.urls[0])
    data = os.urandom(5_000_001)
    with socket.create_connection(("127.0.0.1", one.port), 15) as client:
        assert exchange(client, data) == data
    said = one.end()
    assert said.count("5000001") == 2, said


def test_unix_and_exec(relay, starter, tmp_path):
    starter("echo", "--listen", f"unix:{tmp_path}/app.sock")
    for second, sent, back in ((f"unix:{tmp_path}/app.sock", b"unix", b"unix"), ("exec:tr a-z A-Z", b"exec", b"EXEC")):
        one = relay(second)
        with socket.create_connection(("127.0.0.1", one.port), 15) as client:
            assert exchange(client, sent) == back
        one.end()


def test_half_close_is_passed_on_each_way(relay):
    """The far side ends first; the near side still sends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        one = relay(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", one.port), 15) as near:
            far, _ = listener.accept()
            with far:
                far.settimeout(10)
                far.sendall(b"bye")
                far.shutdown(socket.SHUT_WR)
                assert near.recv(10) == b"bye" and near.recv(10) == b""
                near.sendall(b"late")
                assert far.recv(10) == b"late"
                near.shutdown(socket.SHUT_WR)
                assert far.recv(10) == b""
        one.end()


def test_a_slow_side_slows_the_other_and_memory_stays_flat(relay):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        one = relay(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", one.port), 15) as near:
            far, _ = listener.accept()
            with far:
                before = memory_of([one.process.pid])
                near.settimeout(1)
                sent, block = 0, os.urandom(1 << 16)
                try:
                    while sent < 256 << 20:
                        sent += near.send(block)
                except TimeoutError:
                    pass
                assert sent < 64 << 20
                assert memory_of([one.process.pid]) - before < 4 << 20
                near.settimeout(10)
                near.shutdown(socket.SHUT_WR)
                got = 0
                far.settimeout(10)
                while part := far.recv(1 << 20):
                    got += len(part)
                assert got == sent
                far.shutdown(socket.SHUT_WR)
        one.end()


def test_a_lot_arrives_whole(relay, tmp_path):
    data = os.urandom(1 << 20) * 32
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        one = relay(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", one.port), 15) as near:
            far, _ = listener.accept()
            with far:
                far.settimeout(10)
                sender = threading.Thread(target=lambda: (near.sendall(data), near.shutdown(socket.SHUT_WR)))
                sender.start()
                digest = hashlib.sha256()
                while part := far.recv(1 << 20):
                    digest.update(part)
                sender.join(10)
        assert digest.digest() == hashlib.sha256(data).digest()
        one.end()


def test_file_to_file(tmp_path):
    """relay file: to file: would not know which end to read: from a file to a program that keeps it."""
    (tmp_path / "in").write_bytes(os.urandom(300_000))
    done = subprocess.run([WEIR, "relay", f"file:{tmp_path}/in", f"exec:dd of={tmp_path}/out status=none"],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
    assert b"300000" in done.stderr


def test_standard_streams_to_a_program():
    done = subprocess.run([WEIR, "relay", "-", "exec:rev"], input=b"weir\n", capture_output=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, b"riew\n")


def test_far_side_refuses(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    done = subprocess.run([WEIR, "relay", "-", f"tcp:127.0.0.1:{port}"], capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=20)
    assert done.returncode not in (0, 2) and done.stderr.count(b"\n") == 1 and b"refused" in done.stderr.lower()


def test_the_relay_ends_when_both_are_gone(relay):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        one = relay(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", one.port), 15):
            far, _ = listener.accept()
            far.close()
        start = time.monotonic()
        one.process.wait(10)
        assert time.monotonic() - start < 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
def test_a_stop_ends_a_child_too(relay, trap, number):
    one = relay(f'exec:sh -c "{trap}echo $$; exec sleep 60"')
    with connect(one.port) as near:
        child = int(near.makefile().readline())
        one.process.send_signal(number)
        assert "b→a" in one.end(expect=128 + number)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
