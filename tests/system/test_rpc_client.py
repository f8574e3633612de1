"""The client of gRPC (weir/rpc_client.h) against python3-grpcio, and against peers that lie, stop, flood and die. rpc/client.c asks
and checks; rpc_peer.py answers."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from conftest import COMPLAINTS, ROOT, WEIR
from frames import fields, frame

pytest.importorskip("grpc")

BUILDS = [pathlib.Path(WEIR).parents[2], pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build-gcc"))]
FAILURE, DETAILS = "hello: 100 % wrong\n\u00fc", b"\0de\xfft\n\0"  # as both servers have them
PEER = pathlib.Path(__file__).with_name("rpc_peer.py")


def find(name):
    """Beside the weir under test, so that it is sanitized if that is."""
    found = [b / "tests/system/rpc" / name for b in BUILDS if (b / "tests/system/rpc" / name).exists()]
    assert found, f"no {name}: meson setup with -Dtests=true"
    return found[0]


@pytest.fixture(scope="session")
def messages(tmp_path_factory):
    """The folder of echo_pb2.py."""
    folder = tmp_path_factory.mktemp("rpc")
    subprocess.run(["protoc", f"--proto_path={ROOT / 'tests/system/rpc'}", f"--python_out={folder}", "echo.proto"],
                   check=True, timeout=60)
    return folder


class Peer:
    def __init__(self, messages, address):
        self.process = subprocess.Popen([sys.executable, PEER, messages, address], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready"), line
        self.port = int(line.split()[1])

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def peer(messages, tmp_path_factory):
    path = tmp_path_factory.mktemp("s") / "s"
    server = Peer(messages, f"unix:{path}")
    yield f"unix:{path}"
    server.stop()


def ask(endpoint, what, timeout=100):
    done = subprocess.run([find("rpc-client"), endpoint, what], capture_output=True, text=True, timeout=timeout)
    assert not COMPLAINTS.search(done.stderr), done.stderr
    return done


def passes(endpoint, what):
    done = ask(endpoint, what)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("what", ["stub", "stub-async", "unary", "nowhere", "down", "up", "both", "metadata", "deadline",
                                  "cancel", "events", "gzip", "spin"])
def test_client_of_grpcio(peer, what):
    passes(peer, what)


def test_over_tcp(messages):
    server = Peer(messages, "127.0.0.1:0")
    try:
        for what in ("stub", "unary", "both"):
            passes(f"tcp:127.0.0.1:{server.port}", what)
    finally:
        server.stop()


def test_a_server_that_dies_is_told_at_once(messages, tmp_path):
    server = Peer(messages, f"unix:{tmp_path}/s")
    try:
        passes(f"unix:{tmp_path}/s", "die")
        assert server.process.wait(10) == 7
    finally:
        server.stop()


def test_a_lost_connection_is_made_again_where_that_was_asked_for(messages, tmp_path):
    server = Peer(messages, f"unix:{tmp_path}/s")
    client = subprocess.Popen([find("rpc-client"), f"unix:{tmp_path}/s", "again"], stderr=subprocess.PIPE, text=True)
    try:
        assert server.process.wait(60) == 7
        server.stop()
        server = Peer(messages, f"unix:{tmp_path}/s")
        _, said = client.communicate(timeout=90)
        assert client.returncode == 0, said
    finally:
        client.kill()
        server.stop()


# --- peers that are no servers of gRPC, or bad ones ---

SETTINGS, ACK = frame(4, 0, 0), frame(4, 1, 0)
OK_HEAD = frame(1, 4, 1, fields((b":status", b"200"), (b"content-type", b"application/grpc")))
OK_END = frame(1, 5, 1, fields((b"grpc-status", b"0")))
EMPTY = frame(0, 0, 1, b"\0\0\0\0\0")


def until_request(connection):
    """Reads past the preface to the first HEADERS frame."""
    data = b""
    while True:
        at = 24
        while len(data) >= at + 9:
            length = int.from_bytes(data[at:at + 3], "big")
            if data[at + 3] == 1:
                return
            at += 9 + length
        piece = connection.recv(65536)
        if not piece:
            return
        data += piece


class Liar:
    """Answers each connection's first request with these bytes, then does what `after` says."""

    def __init__(self, tmp_path, answer, after="wait"):
        self.path, self.answer, self.after = tmp_path / "s", answer, after
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(5)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection:
            try:
                connection.settimeout(20)
                until_request(connection)
                if self.after == "flood":
                    end = time.monotonic() + 20
                    while time.monotonic() < end:
                        connection.sendall(self.answer)
                connection.sendall(self.answer)
                while self.after == "wait" and connection.recv(65536):
                    pass
            except OSError:
                pass

    def close(self):
        self.listener.close()


LIES = {
    "whole": (SETTINGS + OK_HEAD + EMPTY + OK_END, "wait", "OK"),
    "interim": (SETTINGS + frame(1, 4, 1, fields((b":status", b"103"))) + OK_HEAD + EMPTY + OK_END, "wait", "OK"),
    "no-message": (SETTINGS + OK_HEAD + OK_END, "wait", "INTERNAL"),
    "two-messages": (SETTINGS + OK_HEAD + EMPTY + EMPTY + OK_END, "wait", "INTERNAL"),
    "half-a-message": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\0\0\0\0\7abc") + OK_END, "wait", "INTERNAL"),
    "no-protobuf": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\0\0\0\0\3\xff\xff\xff") + OK_END, "wait", "INTERNAL"),
    "length-lie": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\0\xff\xff\xff\xff"), "wait", "RESOURCE_EXHAUSTED"),
    "bad-flag": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\7\0\0\0\0"), "wait", "INTERNAL"),
    "not-agreed": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\1\0\0\0\0"), "wait", "INTERNAL"),
    "bad-gzip": (SETTINGS + frame(1, 4, 1, fields((b":status", b"200"), (b"content-type", b"application/grpc"),
                                                  (b"grpc-encoding", b"gzip"))) + frame(0, 0, 1, b"\1\0\0\0\3abc"),
                 "wait", "INTERNAL"),
    "trailers-only": (SETTINGS + frame(1, 5, 1, fields((b":status", b"200"), (b"content-type", b"application/grpc"),
                                                       (b"grpc-status", b"5"), (b"grpc-message", b"no%20such%"))),
                      "wait", "NOT_FOUND: no such%"),
    "odd-status": (SETTINGS + OK_HEAD + frame(1, 5, 1, fields((b"grpc-status", b"99"))), "wait", "UNKNOWN"),
    "no-status": (SETTINGS + OK_HEAD + EMPTY + frame(0, 1, 1), "wait", "UNKNOWN"),
    "http-404": (SETTINGS + frame(1, 5, 1, fields((b":status", b"404"), (b"content-type", b"text/html"))), "wait",
                 "UNIMPLEMENTED"),
    "http-503": (SETTINGS + frame(1, 4, 1, fields((b":status", b"503"))) + frame(0, 0, 1, b"x" * 9000), "wait", "UNAVAILABLE"),
    "html": (SETTINGS + frame(1, 4, 1, fields((b":status", b"200"), (b"content-type", b"text/html"))), "wait", "UNKNOWN"),
    "reset": (SETTINGS + frame(3, 0, 1, struct.pack(">I", 8)), "wait", "CANCELLED"),
    "refused": (SETTINGS + frame(3, 0, 1, struct.pack(">I", 7)), "wait", "UNAVAILABLE"),
    "calm": (SETTINGS + frame(3, 0, 1, struct.pack(">I", 11)), "wait", "RESOURCE_EXHAUSTED"),
    "goaway-before": (SETTINGS + frame(7, 0, 0, struct.pack(">II", 0, 0)), "wait", "UNAVAILABLE"),
    "goaway-after": (SETTINGS + frame(7, 0, 0, struct.pack(">II", 1, 0)) + OK_HEAD + EMPTY + OK_END, "wait", "OK"),
    "many-fields": (SETTINGS + frame(1, 0, 1, fields((b":status", b"200"), (b"content-type", b"application/grpc"))) +
                    b"".join(frame(9, 0, 1, fields(*[(b"x", b"y" * 100)] * 100)) for _ in range(6)) + frame(9, 4, 1), "wait",
                    "RESOURCE_EXHAUSTED"),
    "http1": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "wait", "UNAVAILABLE"),
    "noise": (bytes(range(256)) * 50, "wait", "UNAVAILABLE"),
    "closes": (b"", "close", "UNAVAILABLE"),
    "closes-half-way": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\0\0\0\0\7abc"), "close", "UNAVAILABLE"),
    "silent": (b"", "wait", "DEADLINE_EXCEEDED"),
    "stops-half-way": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\0\0\0\0\7abc"), "wait", "DEADLINE_EXCEEDED"),
    "push": (SETTINGS + frame(5, 4, 1, struct.pack(">I", 2) + fields((b":method", b"GET"))), "wait", None),
    "wrong-stream": (SETTINGS + frame(1, 4, 7, fields((b":status", b"200"))), "wait", "UNAVAILABLE"),
    "past-the-window": (SETTINGS + OK_HEAD + frame(0, 0, 1, b"\0\0\x3f\0\0") + frame(0, 0, 1, b"x" * 16000) * 100, "wait",
                        None),
    "ping-flood": (frame(6, 0, 0, b"12345678") * 1000, "flood", None),
    "settings-flood": (SETTINGS * 1000, "flood", None),
    "empty-frames": (SETTINGS + OK_HEAD + frame(0, 0, 1) * 1000, "flood", None),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_bad_peer_gives_a_status_and_no_hang(tmp_path, lie):
    answer, after, status = LIES[lie]
    liar = Liar(tmp_path, answer, after)
    try:
        done = ask(f"unix:{tmp_path}/s", "status", 40)
        assert done.returncode == 0, done.stderr
        if status:
            assert done.stdout.startswith(status), done.stdout
        else:
            assert not done.stdout.startswith("OK"), done.stdout
    finally:
        liar.close()


def test_nobody_there(tmp_path):
    assert ask(f"unix:{tmp_path}/none", "status").stdout.startswith("UNAVAILABLE")


def test_connecting_is_part_of_a_calls_time(tmp_path):
    """The first connection is closed when the queue is full; 1.5 s later there is room, and then nobody answers."""
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        server.bind(str(tmp_path / "s"))
        server.listen(0)
        client = subprocess.Popen([find("rpc-client"), f"unix:{tmp_path}/s", "late"], stderr=subprocess.PIPE, text=True)
        taken = [server.accept()[0]]
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(str(tmp_path / "s"))
        taken[0].recv(1000)
        taken[0].close()
        time.sleep(1.5)
        server.setblocking(False)
        while client.poll() is None:
            try:
                taken.append(server.accept()[0])
            except BlockingIOError:
                time.sleep(0.01)
        said = client.communicate(timeout=20)[1]
        for connection in taken:
            connection.close()
        assert client.returncode == 0, said


def test_a_stopped_server_does_not_outlast_a_deadline(messages, tmp_path):
    server = Peer(messages, f"unix:{tmp_path}/s")
    try:
        os.kill(server.process.pid, signal.SIGSTOP)
        assert ask(f"unix:{tmp_path}/s", "status").stdout.startswith("DEADLINE_EXCEEDED")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
        server.stop()
