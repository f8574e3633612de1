"""--listen -: one conversation over standard input and output, as inetd, exec: and named pipes want it."""

import os
import signal
import socket
import subprocess
import time

import pytest

from conftest import WEIR, session_processes, wait_until
from talk import timed


class Conversation:
    def __init__(self, log, *words, **pipes):
        self.log = log
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **pipes}
        with log.open("w") as stderr:
            self.process = subprocess.Popen([WEIR, *map(str, words), "--listen", "-"], stderr=stderr, bufsize=0,
                                            start_new_session=True, **pipes)
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def said(self):
        return self.log.read_text(errors="replace")

    def say(self, words):
        self.stdin.write(words)
        assert self.stdout.read(len(words)) == words

    def worker(self):
        return wait_until(lambda: [p for p, (_, parent) in session_processes(self.process.pid).items()
                                   if parent == self.process.pid], 10)[0]

    def wait(self):
        status = self.process.wait(20)
        assert wait_until(lambda: not session_processes(self.process.pid), 5)
        return status

    def end(self):
        for pid in session_processes(self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        for pipe in (self.stdin, self.stdout):
            if pipe:
                pipe.close()


@pytest.fixture
def converse(tmp_path):
    started = []

    def start(*words, **pipes):
        started.append(Conversation(tmp_path / f"log-{len(started)}", *words, **pipes))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_it_ends_with_the_conversation_and_says_nothing(converse):
    echo = converse("echo")
    echo.say(b"hello")
    echo.stdin.close()
    assert echo.stdout.read() == b""
    assert echo.wait() == 0 and echo.said() == ""


def test_a_socket_as_both(converse):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        echo = converse("echo", stdin=theirs, stdout=theirs)
        theirs.close()
        ours.settimeout(15)
        ours.sendall(b"hello")
        assert ours.recv(100) == b"hello"
        ours.shutdown(socket.SHUT_WR)
        assert ours.recv(100) == b""
        assert echo.wait() == 0


def test_a_lent_socket_is_left_blocking(converse):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        echo = converse("echo", stdin=theirs, stdout=theirs)
        ours.sendall(b"x")
        assert ours.recv(1) == b"x"
        assert os.get_blocking(theirs.fileno())
        ours.shutdown(socket.SHUT_WR)
        assert echo.wait() == 0


def test_files(converse, tmp_path):
    data = os.urandom(300_000)
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
        assert converse("echo", stdin=source, stdout=target).wait() == 0
    assert (tmp_path / "out").read_bytes() == data


def test_who_reads_sees_the_end_while_the_server_still_listens_to_it(converse, site):
    """After `Connection: close` the server waits for its peer to close as well; the peer waits for the end."""
    web = converse("serve", site)
    web.stdin.write(b"GET /digits.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    seconds, answer = timed(web.stdout.read)
    assert answer.endswith(b"0123456789") and seconds < 1.5
    web.stdin.close()
    assert web.wait() == 0


def test_a_stop_lets_it_finish(converse, site):
    web = converse("serve", site)
    web.stdin.write(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
    head = web.stdout.read(1000)
    web.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    body = (head + b"".join(iter(lambda: web.stdout.read(1 << 20), b""))).partition(b"\r\n\r\n")[2]
    assert body == (site / "big.bin").read_bytes()
    assert web.wait() == 0


def test_a_stop_is_bounded(converse, site):
    web = converse("serve", site, "--grace", "1")
    web.stdin.write(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
    assert web.stdout.read(100)
    web.process.send_signal(signal.SIGTERM)
    seconds, status = timed(web.wait)
    assert status == 3 and 0.8 < seconds < 8 and "cut" in web.said()


def test_a_second_signal_cuts(converse, site):
    web = converse("serve", site)
    web.stdin.write(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
    assert web.stdout.read(100)
    web.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)  # within a tenth of a second it would be the first one, said twice
    web.process.send_signal(signal.SIGINT)
    seconds, status = timed(web.wait)
    assert status == 3 and seconds < 5


def test_a_crash_is_said(converse):
    echo = converse("echo")
    echo.say(b"hello")
    os.kill(echo.worker(), signal.SIGKILL)  # a sanitizer would tell of SIGSEGV itself
    assert echo.stdout.read() == b""
    assert echo.wait() == 1
    assert "killed by SIGKILL" in echo.said() and echo.said().count("\n") == 1


def test_it_dies_with_its_supervisor(converse):
    echo = converse("echo", "--grace", "1")
    echo.say(b"hello")
    echo.process.kill()
    echo.process.wait(10)
    assert wait_until(lambda: not session_processes(echo.process.pid), 10)


@pytest.mark.parametrize("words, said", [
    (["--model", "pool"], "model"), (["--listen", "tcp:127.0.0.1:0"], "beside"), (["--listen", "-"], "beside"),
])
def test_nothing_else_goes_with_it(converse, words, said):
    echo = converse("echo", *words)
    assert echo.wait() == 2
    assert said in echo.said() and echo.said().count("\n") == 1


def test_a_log_does_not_go_between_the_answers(converse, site):
    web = converse("serve", site, "--access-log", "-")
    assert web.wait() == 2
    assert "--access-log" in web.said() and web.said().count("\n") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_descriptors(closed):
    done = subprocess.run(["sh", "-c", f'exec "$0" echo --listen - {closed}', WEIR], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=20)
    assert done.returncode == 2 and b"closed" in done.stderr and done.stderr.count(b"\n") == 1


def test_nobody_reads(converse):
    """The peer goes before the answer: no signal, no complaint, an end."""
    echo = converse("echo")
    echo.stdout.close()
    echo.stdin.write(b"x" * 1000)
    assert echo.wait() == 0 and echo.said() == ""
    echo.stdout = None
