"""A client with its hands on every byte."""

import dataclasses
import os
import socket
import subprocess
import time

# What carries the requests of get(): "h2" makes it HTTP/2 in clear text, so that files of tests can be run over it as they are.
OVER = os.environ.get("WEIR_OVER", "http")


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


def get_over_h2(port, target, fields, method, timeout):
    """The same answer by HTTP/2. What belongs to HTTP/1.1's connection is left out."""
    import h2.config  # pylint: disable=import-outside-toplevel
    import h2.connection
    import h2.events

    split = [(name.lower().strip(), value.strip()) for name, _, value in (field.partition(":") for field in fields)]
    told = [(name, value) for name, value in split if name not in ("host", "connection")]
    host = next((value for name, value in split if name == "host"), "test")
    found, parts = [], []
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
        config = h2.config.H2Configuration(client_side=True, header_encoding="latin-1", validate_outbound_headers=False)
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        connection.send_headers(1, [(":method", method), (":scheme", "http"), (":authority", host), (":path", target), *told], end_stream=True)
        while True:
            sock.sendall(connection.data_to_send())
            data = sock.recv(65536)
            if not data:
                raise Gone("closed before the answer was whole")
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    found = event.headers
                elif isinstance(event, h2.events.DataReceived):
                    parts.append(event.data)
                    connection.acknowledge_received_data(event.flow_controlled_length, 1)
                elif isinstance(event, h2.events.StreamReset):
                    raise Gone(f"reset with {event.error_code}")
                elif isinstance(event, h2.events.StreamEnded):
                    values = {}
                    for name, value in found[1:]:
                        values[name] = f"{values[name]}, {value}" if name in values else value
                    return Answer("HTTP/2", int(found[0][1]), "", values, b"".join(parts))


def get(port, target="/", *fields, method="GET", timeout=15):
    if OVER == "h2":
        return get_over_h2(port, target, fields, method, timeout)
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
