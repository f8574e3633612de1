"""A client with its hands on every byte."""

import dataclasses
import socket
import subprocess
import time


@dataclasses.dataclass
class Answer:
    version: str
    status: int
    reason: str
    fields: dict  # lower-case names; repeated ones joined by ", "
    body: bytes


class Gone(Exception):
    """The server closed before the answer was whole."""


class Client:
    def __init__(self, port, timeout=15, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Goes away without a goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def request(self, target, *fields, method="GET", version="1.1"):
        lines = [f"{method} {target} HTTP/{version}", "Host: test", *fields]
        self.send("\r\n".join(lines) + "\r\n\r\n")

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Gone(f"closed after {self.held[-200:]!r}")
        self.held += data

    def take(self, length):
        parts, have = [self.held], len(self.held)
        while have < length:
            data = self.socket.recv(1 << 20)
            if not data:
                raise Gone(f"closed {length - have} bytes early")
            parts.append(data)
            have += len(data)
        data = b"".join(parts)
        self.held = data[length:]
        return data[:length]

    def answer(self, method="GET"):
        while b"\r\n\r\n" not in self.held:
            self._more()
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = first.split(" ", 2)
        fields = {}
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon and name and name == name.strip(), line
            name, value = name.lower(), value.strip()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        assert "\n" not in head.decode("latin-1").replace("\r\n", "")
        status = int(status)
        bodiless = method == "HEAD" or status in (204, 304) or 100 <= status < 200
        body = b""
        if not bodiless:
            assert "content-length" in fields, f"no length, and no coding is expected: {head!r}"
            body = self.take(int(fields["content-length"]))
        return Answer(version, status, reason, fields, body)

    def ask(self, target, *fields, method="GET", version="1.1"):
        self.request(target, *fields, method=method, version=version)
        return self.answer(method)

    def closed(self, seconds=10):
        """True when nothing more comes and the end does, within `seconds`."""
        self.socket.settimeout(seconds)
        try:
            return self.held == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def rest(self):
        """Everything until the end."""
        parts = [self.held]
        self.held = b""
        while True:
            data = self.socket.recv(1 << 20)
            if not data:
                return b"".join(parts)
            parts.append(data)


def get(port, target="/", *fields, method="GET", timeout=15):
    with Client(port, timeout) as client:
        return client.ask(target, "Connection: close", *fields, method=method)


def curl(*words, ok=True):
    """Runs the real curl; returns (head, body): the last answer's head as lines, the body as bytes."""
    done = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "--max-time", "20", "-D", "/dev/stderr", *map(str, words)],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=30)
    if ok:
        assert done.returncode == 0, done.stderr.decode("latin-1")
    return done.stderr.decode("latin-1"), done.stdout


def timed(function, *words, **named):
    start = time.monotonic()
    value = function(*words, **named)
    return time.monotonic() - start, value
