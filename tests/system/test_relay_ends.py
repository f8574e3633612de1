"""`weir relay --listen`: whom the target hears of, deaths in the middle, the end, and what is said."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import WEIR, session_processes, wait_until
from relays import accept, connect, is_reset, many, read_all, relay, reset, sums, talk, target  # pylint: disable=unused-import


SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(far):
    head = b""
    while len(head) < 16:
        head += far.recv(16 - len(head))
    assert head[:12] == SIGNATURE
    length = int.from_bytes(head[14:16], "big")
    rest = b""
    while len(rest) < length:
        rest += far.recv(length - len(rest))
    return head[12], head[13], rest


def test_proxy_header_of_tcp4(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint, "--send-proxy-v2")
        with connect(relay.port) as near, accept(listener) as far:
            near.sendall(b"hello")
            assert header(far) == (0x21, 0x11, socket.inet_aton("127.0.0.1") * 2 + near.getsockname()[1].to_bytes(2, "big")
                                   + relay.port.to_bytes(2, "big"))
            assert far.recv(10) == b"hello"


def test_proxy_header_of_tcp6_and_v4_through_v6(many):
    with target() as listener:
        relay = many("event", listener.endpoint, "--send-proxy-v2", listen="tcp:[::1]:0")
        with connect(relay.port, "::1") as near, accept(listener) as far:
            ip = socket.inet_pton(socket.AF_INET6, "::1")
            assert header(far) == (0x21, 0x21, ip * 2 + near.getsockname()[1].to_bytes(2, "big")
                                   + relay.port.to_bytes(2, "big"))


def test_proxy_header_of_unix(many, tmp_path):
    with target() as listener:
        many("event", listener.endpoint, "--send-proxy-v2", listen=f"unix:{tmp_path}/front")
        with socket.socket(socket.AF_UNIX) as near:
            near.bind(f"{tmp_path}/me")
            near.connect(f"{tmp_path}/front")
            with accept(listener) as far:
                assert header(far) == (0x21, 0x31, f"{tmp_path}/me".encode().ljust(108, b"\0")
                                       + f"{tmp_path}/front".encode().ljust(108, b"\0"))


def test_proxy_header_of_one_conversation(relay):
    """A client that was waited for is named; where the relay itself called, it says so."""
    with target() as listener:
        one = relay(listener.endpoint, "--send-proxy-v2")
        with connect(one.port) as near, accept(listener) as far:
            assert header(far) == (0x21, 0x11, socket.inet_aton("127.0.0.1") * 2 + near.getsockname()[1].to_bytes(2, "big")
                                   + one.port.to_bytes(2, "big"))
        one.end()
        with subprocess.Popen([WEIR, "relay", "--send-proxy-v2", "-", listener.endpoint], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            with accept(listener) as far:
                assert header(far) == (0x20, 0x00, b"")
                process.stdin.close()
                assert far.recv(1) == b""
            assert process.wait(10) == 0


@pytest.mark.threads
def test_target_dies_in_the_middle(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint, "--verbose")
        with connect(relay.port) as near:
            far = accept(listener)
            far.sendall(b"half of")
            assert near.recv(7) == b"half of"
            reset(far)
            assert is_reset(near)
        assert wait_until(lambda: "the target: " in relay.said(), 5), relay.said()
        relay.stop()
        assert sums(relay) == (1, 0, 7, 1)


@pytest.mark.threads
def test_client_dies_in_the_middle(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint, "--verbose")
        near = connect(relay.port)
        with accept(listener) as far:
            near.sendall(b"half of")
            assert far.recv(7) == b"half of"
            reset(near)
            assert is_reset(far)
        assert wait_until(lambda: "the client: " in relay.said(), 5), relay.said()
        relay.stop()
        assert sums(relay) == (1, 7, 0, 1)


def send_until_cut(sock):
    try:
        for _ in range(2000):
            sock.sendall(bytes(1 << 16))
    except OSError:
        pass


def test_an_early_answer_arrives(many, model):
    """The target answers before it has read everything, and closes: the client still gets the answer."""
    with target() as listener:
        relay = many(model, listener.endpoint)
        with connect(relay.port) as near:
            far = accept(listener)
            sender = threading.Thread(target=send_until_cut, args=(near,))
            sender.start()
            far.recv(1000)
            far.sendall(b"too much")
            far.close()  # with bytes unread: a reset
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while part := near.recv(100):
                    got += part
            assert got == b"too much"
            near.close()
            sender.join(10)


def test_a_program_that_stops_reading_still_answers(many, model):
    relay = many(model, "exec:head -n 1")
    with connect(relay.port) as near:
        near.sendall(b"first\n" + b"rest\n" * 200_000)
        near.shutdown(socket.SHUT_WR)
        assert read_all(near) == b"first\n"


def test_stop_lets_the_conversation_finish(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint, "--grace", 15)
        with connect(relay.port) as near, accept(listener) as far:
            near.sendall(b"question")
            assert far.recv(20) == b"question"
            relay.signal()
            time.sleep(1.5)  # longer than the silence that ends an unused one
            far.sendall(b"answer")
            assert near.recv(20) == b"answer"
            near.shutdown(socket.SHUT_WR)
            assert far.recv(1) == b""
            far.close()
            assert near.recv(1) == b""
        assert relay.wait() == 0
        relay.check_gone()
        assert sums(relay) == (1, 8, 6, 0)


def test_stop_when_the_grace_is_over(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint, "--grace", 1)
        with connect(relay.port) as near, accept(listener) as far:
            near.sendall(b"x")
            assert far.recv(1) == b"x"
            relay.signal()
            assert relay.wait() == 3
            relay.check_gone()


def test_stop_ends_what_nobody_uses(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint, "--grace", 15)
        with connect(relay.port) as near, accept(listener) as far:
            start = time.monotonic()
            relay.signal()
            assert near.recv(1) == b"" and far.recv(1) == b""
            assert relay.wait() == 0
            assert time.monotonic() - start < 8


def test_json_and_verbose(many, tmp_path, starter):
    echo = starter("echo", "--listen", "tcp:127.0.0.1:0")
    with (tmp_path / "out").open("w") as out:
        relay = starter("relay", "--listen", "tcp:127.0.0.1:0", "--json", "--verbose", echo.urls[0], stdout=out)
        assert talk(relay.port, b"hello")
        relay.stop()
    found = json.loads((tmp_path / "out").read_text())
    assert 0 < found.pop("seconds") < 60
    assert found == {"connections": 1, "errors": 0, "bytes_there": 5, "bytes_back": 5}
    assert re.search(r"^weir relay: 127\.0\.0\.1:\d+ to tcp:127\.0\.0\.1:\d+: 5 bytes there, 5 bytes back, .*: both ended$",
                     relay.said(), re.M), relay.said()


def test_the_line_on_a_terminal(starter, tmp_path):
    echo = starter("echo", "--listen", "tcp:127.0.0.1:0")
    master, slave = pty.openpty()
    shown = b""
    with subprocess.Popen([WEIR, "relay", "--listen", "tcp:127.0.0.1:0", echo.urls[0]], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=slave, start_new_session=True) as process:
        try:
            os.close(slave)

            def read(pattern):
                nonlocal shown
                end = time.monotonic() + 15
                while not (found := re.search(pattern, shown)):
                    assert time.monotonic() < end, shown
                    if select.select([master], [], [], 0.5)[0]:
                        shown += os.read(master, 65536)
                return found

            port = int(read(rb"127\.0\.0\.1:(\d+)")[1])
            with connect(port) as near:
                near.sendall(b"x" * 1000)
                assert len(near.recv(1000, socket.MSG_WAITALL)) == 1000
                read(rb"\r\x1b\[K1 now, 1 so far; [^\n]*; 0 errors")
            read(rb"\r\x1b\[K0 now, 1 so far; [^\n]*; 0 errors")
            process.terminate()
            read(rb"\r\x1b\[Kweir relay: 1 connection, 1000 bytes there, 1000 bytes back, 0 errors\r\n")
            assert process.wait(10) == 0
        finally:
            process.kill()
            os.close(master)
    assert not session_processes(process.pid)


def test_a_killed_worker_is_not_counted_on(many):
    with target() as listener:
        relay = many("event", listener.endpoint, "--workers", 1)
        with connect(relay.port) as near, accept(listener):
            near.sendall(b"x")
            os.kill(relay.children()[0], signal.SIGKILL)
            with contextlib.suppress(ConnectionResetError):
                assert near.recv(1) == b""
        with connect(relay.port) as near, accept(listener) as far:
            near.sendall(b"again")
            assert far.recv(10) == b"again"
        relay.stop()
        assert sums(relay)[0] == 2


@pytest.mark.parametrize("words, says", [
    (["--listen", "tcp:127.0.0.1:0"], "needs a target"),
    (["--listen", "tcp:127.0.0.1:0", "file:/tmp/x"], "one way"),
    (["--listen", "tcp:127.0.0.1:0", "-"], "one conversation"),
    (["--listen", "tcp:127.0.0.1:0", "fd:3"], "one conversation"),
    (["--listen", "tcp:127.0.0.1:0", "listen:tcp:127.0.0.1:1"], "listen"),
    (["--listen", "tcp:127.0.0.1:0", "--rate", "fast", "unix:@x"], "bytes a second"),
    (["--listen", "tcp:127.0.0.1:0", "--rate", "0", "unix:@x"], "bytes a second"),
    (["--listen", "tcp:127.0.0.1:0", "--connect-timeout", "60", "unix:@x"], "1 to 10"),
    (["--listen", "-", "--json", "unix:@x"], "standard output"),
    (["--model", "fork", "-", "unix:@x"], "--listen"),
    (["--rate-total", "1M", "-", "unix:@x"], "--rate"),
    (["--send-proxy-v2", "-", "file:/tmp/x"], "--send-proxy-v2"),
    (["--send-proxy-v2", "-", "listen:unix:@x"], "--send-proxy-v2"),
])
def test_what_makes_no_sense_is_said(words, says):
    done = subprocess.run([WEIR, "relay", *words], capture_output=True, stdin=subprocess.DEVNULL, timeout=10)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and says in done.stderr.decode(), done.stderr


def test_standard_streams_as_the_client(starter):
    echo = starter("echo", "--listen", "tcp:127.0.0.1:0")
    done = subprocess.run([WEIR, "relay", "--listen", "-", echo.urls[0]], input=b"over here", capture_output=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, b"over here"), done.stderr
