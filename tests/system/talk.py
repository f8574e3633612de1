"""A client with its hands on every byte, and what carries them: HTTP/1.1 or HTTP/2, in clear text or over TLS."""

import atexit
import dataclasses
import functools
import http.client
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

# What carries the requests of get(), so that files of tests can be run over it as they are: "http", "https", "h2" (in clear text), "h2s" (over TLS).
# Client speaks HTTP/1.1 over any of them; over TLS where get() does.
OVER = os.environ.get("WEIR_OVER", "http")
SECURE = OVER in ("https", "h2s")
HTTP2 = OVER in ("h2", "h2s")
SCHEME = "https" if SECURE else "http"
VERSION = "HTTP/2.0" if HTTP2 else "HTTP/1.1"  # of get(), as a log has it


@functools.lru_cache
def certificate():
    """(cert, key) of 127.0.0.1 and localhost, of its own making."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-cert-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key", "-out", folder / "cert"],
                   check=True, capture_output=True, timeout=60)
    return folder / "cert", folder / "key"


@functools.lru_cache
def context(*protocols):
    made = ssl.create_default_context(cafile=certificate()[0])
    made.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    made.set_alpn_protocols(protocols)
    return made


class Secured:
    """A socket with TLS around it. Unlike Python's own it can end one side alone, and one thread may read while another writes; an end without a
    goodbye is CutOff."""

    def __init__(self, plain, *protocols):
        self.state, self.order = threading.Lock(), threading.Lock()  # of the machine; of what it has to send
        self.plain, self.incoming, self.outgoing = plain, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(*protocols).wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self._do(self.tls.do_handshake)

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def _flush(self, wait=True):
        """Whoever reads never waits for whoever writes: the peer may take nothing before something of its own is read."""
        if not self.outgoing.pending or not self.order.acquire(blocking=wait):
            return
        try:
            with self.state:
                data = self.outgoing.read()
            self.plain.sendall(data)
        finally:
            self.order.release()

    def _do(self, function, *words):
        while True:
            try:
                with self.state:
                    value = function(*words)
                self._flush(wait=function != self.tls.read)
                return value
            except ssl.SSLWantReadError:
                self._flush(wait=False)
                data = self.plain.recv(1 << 16)
                if not data:
                    raise CutOff("an end without close_notify") from None
                with self.state:
                    self.incoming.write(data)

    def recv(self, size):
        try:
            return self._do(self.tls.read, size)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def sendall(self, data):
        view = memoryview(data)
        while view:
            view = view[self._do(self.tls.write, view[:1 << 14]):]

    def shutdown(self, _):
        with self.state:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
        self._flush()
        self.plain.shutdown(socket.SHUT_WR)

    def close(self):
        self.plain.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def secured(plain, *protocols):
    """It, or over TLS what it carries."""
    return Secured(plain, *protocols) if SECURE else plain


@dataclasses.dataclass
class Answer:
    version: str
    status: int
    reason: str
    fields: dict  # lower-case names; repeated ones joined by ", "
    body: bytes


class Gone(Exception):
    """The server closed before the answer was whole."""


class CutOff(ConnectionResetError):
    """Over TLS: the end of the connection came before close_notify, so it is none of what was said."""


def dial(port, timeout=20, source=None, host="127.0.0.1"):
    """A connection with nothing said on it, but for TLS."""
    plain = socket.create_connection((host, port), timeout, (source, 0) if source else None)
    try:
        return secured(plain, "http/1.1")
    except BaseException:
        plain.close()
        raise


def connection(port, timeout=30, source=None):
    """Python's own client."""
    source = (source, 0) if source else None
    if SECURE:
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, source_address=source, context=context("http/1.1"))
    return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout, source_address=source)


class Client:
    def __init__(self, port, timeout=15, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = secured(self.socket, "http/1.1")
        self.held, self.cut_off = b"", False

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

    def _recv(self, size):
        try:
            return self.socket.recv(size)
        except CutOff:
            self.cut_off = True
            return b""

    def _more(self):
        data = self._recv(65536)
        if not data:
            raise Gone(f"closed after {self.held[-200:]!r}")
        self.held += data

    def take(self, length):
        parts, have = [self.held], len(self.held)
        while have < length:
            data = self._recv(1 << 20)
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
            data = self._recv(1 << 20)
            if not data:
                return b"".join(parts)
            parts.append(data)


def h2_head(target, fields, method):
    """A request's head as HTTP/2 has it. What belongs to HTTP/1.1's connection is left out; a whole address is taken apart."""
    split = [(name.lower().strip(), value.strip()) for name, _, value in (field.partition(":") for field in fields)]
    host = next((value for name, value in split if name == "host"), "test")
    told = [(name, value) for name, value in split if name not in ("host", "connection")]
    scheme, path = SCHEME, target
    if target.startswith(("http://", "https://")):
        scheme, _, rest = target.partition("://")
        host, slash, path = rest.partition("/")
        path = slash + path
    if method == "CONNECT":
        return [(":method", method), (":authority", target), *told]
    return [(":method", method), (":scheme", scheme), (":authority", host), (":path", path), *told]


def get_over_h2(port, target, fields, method, timeout):
    """The same answer by HTTP/2."""
    import h2.config  # pylint: disable=import-outside-toplevel
    import h2.connection
    import h2.events
    import hyperframe.frame

    class Connection(h2.connection.H2Connection):
        """h2 takes a GOAWAY for the end of all, but the answers of what was asked before are still to come (RFC 9113, 6.8)."""

        def __init__(self, config):
            super().__init__(config)
            close = self._frame_dispatch_table[hyperframe.frame.GoAwayFrame]
            self._frame_dispatch_table[hyperframe.frame.GoAwayFrame] = lambda frame: close(frame) if frame.error_code else ([], [])

    head = h2_head(target, fields, method)
    promised = any(name == "content-length" and value != "0" for name, value in head)  # and never sent
    found, parts = [], []
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as plain:
        sock = secured(plain, "h2")
        config = h2.config.H2Configuration(client_side=True, header_encoding="latin-1", validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        connection = Connection(config)
        connection.initiate_connection()
        connection.send_headers(1, head, end_stream=not promised)
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
                    raise Gone(f"reset with {event.error_code!r}")
                elif isinstance(event, h2.events.ConnectionTerminated) and event.error_code:
                    raise Gone(f"ended with {event.error_code!r}")
                elif isinstance(event, h2.events.StreamEnded):
                    values = {}
                    for name, value in found[1:]:
                        values[name] = f"{values[name]}, {value}" if name in values else value
                    return Answer("HTTP/2", int(found[0][1]), "", values, b"".join(parts))


def get(port, target="/", *fields, method="GET", timeout=15):
    if HTTP2:
        return get_over_h2(port, target, fields, method, timeout)
    with Client(port, timeout) as client:
        return client.ask(target, "Connection: close", *fields, method=method)


# Without TLS curl stays with HTTP/1.1: when 7.88 takes up a connection again that began with HTTP/2, it begins anew (curl issue 10634).
CARRIED = {"http": [], "h2": [], "https": ["--http1.1"], "h2s": ["--http2"]}
CURL_VERSION = "HTTP/2" if OVER == "h2s" else "HTTP/1.1"  # as it shows it


def curl(*words, ok=True):
    """Runs the real curl; returns (head, body): the last answer's head as lines, the body as bytes."""
    trust = ["--cacert", certificate()[0]] if SECURE else []
    done = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "--max-time", "20", "-D", "/dev/stderr", *CARRIED[OVER], *trust, *map(str, words)],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=30)
    if ok:
        assert done.returncode == 0, done.stderr.decode("latin-1")
    return done.stderr.decode("latin-1"), done.stdout


def exchange(client, data):
    """Sends all and half-closes, while reading to the end."""
    def send():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    parts = []
    while part := client.recv(1 << 18):
        parts.append(part)
    sender.join(10)
    return b"".join(parts)


def timed(function, *words, **named):
    start = time.monotonic()
    value = function(*words, **named)
    return time.monotonic() - start, value
