"""Every way to a service: listeners of each kind, and one conversation over a child's standard input and output, as a pair
of named pipes or by exec:. Whoever talks has a Client in hand, whatever lies between."""

import os
import pathlib
import select
import shlex
import signal
import socket
import subprocess

import pytest

from conftest import COMPLAINTS, MODELS, WEIR, Starter, session_processes, wait_until
from talk import Client

LISTENING = ["tcp", "unix", "shm"]
STANDARD = ["pipe", "exec"]  # one conversation, no model
WAYS = [(way, model) for way in LISTENING for model in MODELS] + [(way, None) for way in STANDARD]
IDS = [f"{way}-{model}" if model else way for way, model in WAYS]


class Channel:
    """Two descriptors that are used like a socket, and the process behind them."""

    def __init__(self, reader, writer, process):
        self.reader, self.writer, self.process, self.timeout = reader, writer, process, 15
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

    def settimeout(self, seconds):
        self.timeout = seconds

    def _wait(self, fd, event):
        poll = select.poll()
        poll.register(fd, event)
        if not poll.poll(self.timeout * 1000):
            raise TimeoutError

    def recv(self, length):
        self._wait(self.reader, select.POLLIN)
        return os.read(self.reader, length)

    def send(self, data):
        """As much as there is room for. A pipe that polls writable takes at least 4096 bytes."""
        self._wait(self.writer, select.POLLOUT)
        return os.write(self.writer, data)

    def sendall(self, data):
        rest = memoryview(data)
        while rest:
            rest = rest[self.send(rest[:65536]):]

    def shutdown(self, _how):
        os.close(self.writer)
        self.writer = -1

    def close(self):
        for fd in (self.reader, self.writer):
            if fd >= 0:
                os.close(fd)
        self.reader = self.writer = -1


class WayClient(Client):
    def __init__(self, channel):  # pylint: disable=super-init-not-called
        self.socket, self.held = channel, b""

    def reset(self):
        """Goes away without a goodbye."""
        if isinstance(self.socket, socket.socket):
            super().reset()
        else:
            self.socket.process.kill()
            self.close()


def over_socket(family, address):
    channel = socket.socket(family)
    channel.settimeout(15)
    channel.connect(address)
    return channel


class Service:
    """`weir echo …` or `weir serve …`, reached by one way. Processes that were started are stopped by end()."""

    def __init__(self, way, model, words, folder):
        self.way, self.words, self.folder = way, list(map(str, words)), pathlib.Path(folder)
        self.starter, self.children, self.server = Starter(self.folder), [], None
        if way in LISTENING:
            where = {"tcp": "tcp:127.0.0.1:0"}.get(way, f"{way}:{self.folder}/x")
            self.server = self.starter(*self.words, "--listen", where, "--model", model)

    def _child(self, words, **pipes):
        log = self.folder / f"child-{len(self.children)}.log"
        with log.open("w") as stderr:
            child = subprocess.Popen(words, stderr=stderr, start_new_session=True, **pipes)
        child.log = log
        self.children.append(child)
        return child

    def _connect(self, endpoint):
        child = self._child([WEIR, "connect", endpoint], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        channel = Channel(os.dup(child.stdout.fileno()), os.dup(child.stdin.fileno()), child)
        child.stdout.close()
        child.stdin.close()
        return channel

    def _pipes(self):
        """The shell opens both as a user's would, and waits for us to open them."""
        there, back = (self.folder / f"{name}-{len(self.children)}" for name in ("there", "back"))
        os.mkfifo(there)
        os.mkfifo(back)
        command = shlex.join([WEIR, *self.words, "--listen", "-"])
        child = self._child(["sh", "-c", f"exec {command} <{shlex.quote(str(there))} >{shlex.quote(str(back))}"])
        writer = os.open(there, os.O_WRONLY)
        return Channel(os.open(back, os.O_RDONLY), writer, child)

    def client(self):
        if self.way == "tcp":
            return WayClient(over_socket(socket.AF_INET, ("127.0.0.1", self.server.port)))
        if self.way == "unix":
            return WayClient(over_socket(socket.AF_UNIX, f"{self.folder}/x"))
        if self.way == "shm":
            return WayClient(self._connect(f"shm:{self.folder}/x"))
        if self.way == "exec":
            return WayClient(self._connect("exec:" + shlex.join([WEIR, *self.words, "--listen", "-"])))
        return WayClient(self._pipes())

    def check_healthy(self):
        if self.server:
            assert self.server.process.poll() is None, self.server.said()
            self.server.check_healthy()
        for child in self.children:
            assert not COMPLAINTS.search(child.log.read_text(errors="replace")), child.log.read_text()

    def end(self):
        """Whoever talked has closed: the children end by themselves. The server is stopped."""
        try:
            for child in self.children:
                gone = lambda: child.poll() is not None and not session_processes(child.pid)  # pylint: disable=cell-var-from-loop
                assert wait_until(gone, 15), f"{child.args} goes on\n{child.log.read_text()}"
            self.starter.end()
        finally:
            for child in self.children:
                for pid in session_processes(child.pid):
                    os.kill(pid, signal.SIGKILL)
                child.wait(10)


@pytest.fixture(params=WAYS, ids=IDS)
def service(request, tmp_path):
    """service("echo", …): starts it, to be reached by each way in turn."""
    way, model = request.param
    started = []

    def start(*words):
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Service(way, model, words, folder))
        return started[-1]

    yield start
    for one in started:
        one.check_healthy()
        one.end()
