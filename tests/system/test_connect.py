"""`weir connect`: standard input and output to any endpoint."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import WEIR


def weir(*words, data=b"", timeout=20, **options):
    return subprocess.run([WEIR, *map(str, words)], input=data, capture_output=True, timeout=timeout, **options)


class Peer(threading.Thread):
    """A server for one client: what it got, and what it answers at which moment is the test's."""

    def __init__(self, talk):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.endpoint = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        self.talk, self.got = talk, None
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        with client, self.listener:
            client.settimeout(10)
            self.got = self.talk(client)


def everything(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.fixture
def echo(starter):
    return starter("echo", "--listen", "tcp:127.0.0.1:0").urls[0]


def test_there_and_back(echo):
    data = os.urandom(3 << 20)
    done = weir("connect", echo, data=data)
    assert (done.returncode, done.stdout == data, done.stderr) == (0, True, b"")


def test_nothing_to_say(echo):
    done = weir("connect", echo)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_end_of_input_is_passed_on_and_the_rest_still_comes():
    def talk(client):
        got = everything(client)
        time.sleep(0.3)
        client.sendall(b"after your end")
        return got

    peer = Peer(talk)
    done = weir("connect", peer.endpoint, data=b"request")
    peer.join(10)
    assert (done.returncode, done.stdout, peer.got) == (0, b"after your end", b"request")


def test_what_arrives_is_shown_at_once():
    peer = Peer(lambda client: (client.sendall(b"greeting\n"), everything(client))[1])
    with subprocess.Popen([WEIR, "connect", peer.endpoint], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"greeting\n"
        process.stdin.write(b"x")
        process.stdin.close()
        assert process.wait(10) == 0
    peer.join(10)
    assert peer.got == b"x"


def test_refused():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    done = weir("connect", f"tcp:127.0.0.1:{port}")
    assert done.returncode not in (0, 2) and done.stdout == b""
    assert done.stderr.count(b"\n") == 1 and b"refused" in done.stderr.lower() and str(port).encode() in done.stderr


def test_a_peer_that_resets_is_an_error():
    def talk(client):
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    peer = Peer(talk)
    done = weir("connect", peer.endpoint, data=b"x" * 100)
    assert done.returncode not in (0, 2) and done.stderr.count(b"\n") == 1


def test_a_reader_that_leaves_ends_it_without_a_word_too_many():
    """`weir connect … | head -1`: standard output goes away."""
    def talk(client):
        try:
            while True:
                client.sendall(b"line\n" * 10000)
        except OSError:
            return True

    peer = Peer(talk)
    done = subprocess.run(f"sleep 5 | {WEIR} connect {peer.endpoint} | head -1", shell=True, capture_output=True, timeout=20)
    assert done.stdout == b"line\n" and done.stderr.count(b"\n") <= 1
    peer.join(10)
    assert peer.got


@pytest.mark.parametrize("how", [[], ["--line"], ["--frame"]])
def test_an_output_that_fails_is_not_the_endpoints_fault(how, tmp_path):
    (tmp_path / "in").write_bytes(b"\0\0\0\x02hi\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([WEIR, "connect", "--read", *how, f"file:{tmp_path}/in"], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, timeout=30)
    assert (done.returncode, done.stderr) == (1, b"weir connect: standard input or output: No space left on device\n")


def test_nothing_is_said_of_messages_that_nobody_reads_any_more():
    process = subprocess.Popen([WEIR, "connect", "--line", "exec:yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (1, b"")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_unix_and_exec_and_name_without_a_scheme(starter, tmp_path):
    starter("echo", "--listen", f"unix:{tmp_path}/echo")
    done = weir("connect", f"unix:{tmp_path}/echo", data=b"unix")
    assert (done.returncode, done.stdout) == (0, b"unix")
    done = weir("connect", "exec:tr a-z A-Z", data=b"shout")
    assert (done.returncode, done.stdout) == (0, b"SHOUT")
    server = starter("echo", "--listen", "tcp:127.0.0.1:0")
    done = weir("connect", f"localhost:{server.port}", data=b"name")
    assert (done.returncode, done.stdout) == (0, b"name")


def test_exec_words_are_split_without_a_shell():
    done = weir("connect", r"""exec:printf %s| 'a b' "$HOME" c\ d""")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a b|$HOME|c d|", b"")


def test_the_childs_failure_is_told():
    done = weir("connect", "exec:false")
    assert done.returncode != 0
    done = weir("connect", "exec:/nonexistent/program")
    assert done.returncode != 0 and done.stderr.count(b"\n") == 1


def test_file_and_pipe(tmp_path):
    (tmp_path / "f").write_bytes(b"from a file")
    done = weir("connect", f"file:{tmp_path}/f")
    assert (done.returncode, done.stdout) == (0, b"from a file")


def test_lines(echo):
    data = b"one\ntwo\n\nthree\n"
    done = weir("connect", "--line", echo, data=data)
    assert (done.returncode, done.stdout) == (0, data)


def test_frames(echo):
    """Each line of input is one message; each message that comes is one line."""
    done = weir("connect", "--frame", echo, data=b"one\n\nthree\n")
    assert (done.returncode, done.stdout) == (0, b"one\n\nthree\n")


def test_frames_on_the_wire():
    def talk(client):
        got = everything(client)
        client.sendall(struct.pack(">I", 5) + b"reply" + struct.pack(">I", 0))
        return got

    peer = Peer(talk)
    done = weir("connect", "--frame", peer.endpoint, data=b"ab\nc\n")
    peer.join(10)
    assert peer.got == b"\0\0\0\2ab\0\0\0\1c"
    assert (done.returncode, done.stdout) == (0, b"reply\n\n")


def test_a_frame_that_is_cut_off_is_an_error():
    def talk(client):
        got = everything(client)
        client.sendall(struct.pack(">I", 5) + b"rep")
        return got

    done = weir("connect", "--frame", Peer(talk).endpoint, data=b"ab\n")
    assert done.returncode not in (0, 2) and done.stderr.count(b"\n") == 1


def test_a_frame_that_is_too_long_is_an_error():
    def talk(client):
        client.sendall(struct.pack(">I", 0xffffffff) + b"x" * 100)
        return everything(client)

    done = weir("connect", "--frame", Peer(talk).endpoint, data=b"")
    assert done.returncode not in (0, 2) and done.stderr.count(b"\n") == 1


def test_ctrl_c_ends_it(echo):
    with subprocess.Popen([WEIR, "connect", echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.stdout.read(1) == b"x"
        process.send_signal(signal.SIGINT)
        assert process.wait(5) != 0


def test_the_terminals_flags_are_left_as_they_were(echo):
    """O_NONBLOCK is shared with whoever gave us standard input: it must not be set there."""
    reading, writing = os.pipe()
    os.write(writing, b"hello")
    os.close(writing)
    done = subprocess.run([WEIR, "connect", echo], stdin=reading, capture_output=True, timeout=20)
    flags = int(pathlib.Path(f"/proc/self/fdinfo/{reading}").read_text().split("flags:")[1].split()[0], 8)
    os.close(reading)
    assert done.stdout == b"hello" and not flags & os.O_NONBLOCK


def test_input_and_output_may_be_files(echo, tmp_path):
    data = os.urandom(1 << 20)
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open() as source, (tmp_path / "out").open("w") as target:
        done = subprocess.run([WEIR, "connect", echo], stdin=source, stdout=target, timeout=20)
    assert done.returncode == 0 and (tmp_path / "out").read_bytes() == data
