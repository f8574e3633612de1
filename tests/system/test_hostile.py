"""Clients that mean harm, many at once, while an honest one keeps asking: it is answered, memory stays small, the log says what was done."""

import contextlib
import math
import socket
import threading
import time

import pytest

from conftest import INSTRUMENTED, memory_of, wait_until
from talk import Client, Gone

DEADLINE_S = 2  # of heads, bodies, readers and silence
ATTACK_S = 3
HOSTILE = 24
PAUSE_S = 0.1 if INSTRUMENTED else 0.005  # before a client that was thrown out comes back
FEW = {  # options that give a model few places, and how many those are
    "sequential": ([], 1),
    "fork-wait": ([], 1),
    "fork": (["--max-connections", 8], 8),
    "thread": (["--max-connections", 8], 8),
    "pool": (["--workers", 8], 8),
    "prefork": (["--workers", 8], 8),
    "event": (["--workers", 1], None),
}
MEMORY_CAP = 96 << 20  # of the whole tree, 24 clients of each kind under way; sanitizers are not measured
HEAD = "Host: x\r\n"


class Over(Exception):
    """The attack has lasted long enough."""


class Attack:
    """One hostile client. It comes back as soon as it was thrown out."""

    def __init__(self, port, until):
        self.port, self.until, self.thrown_out, self.statuses = port, until, 0, set()

    def going_on(self):
        return time.monotonic() < self.until

    def client(self, **options):
        return Client(self.port, timeout=1, **options)

    def round(self):
        raise NotImplementedError

    def run(self):
        while self.going_on():
            with contextlib.suppress(OSError, Gone, TimeoutError, ValueError):
                self.round()
            self.thrown_out += 1
            time.sleep(PAUSE_S)

    def note(self, client):
        """What the server said before it closed."""
        with contextlib.suppress(OSError, Gone, TimeoutError):
            self.statuses.add(client.answer().status)


class SlowHead(Attack):
    def round(self):
        with self.client() as client:
            client.send("GET /digits.txt HTTP/1.1\r\n" + HEAD)
            for number in range(1000):
                if not self.going_on():
                    return
                client.send(f"X-{number}: 1\r\n")
                time.sleep(0.1)
                client.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    if client.socket.recv(1, socket.MSG_PEEK) is not None:
                        break
                client.socket.setblocking(True)
            client.socket.settimeout(1)
            self.note(client)


class SlowBody(Attack):
    def round(self):
        with self.client() as client:
            client.send("GET /digits.txt HTTP/1.1\r\n" + HEAD + "Content-Length: 1000000\r\n\r\n")
            while self.going_on():
                client.send("x")
                time.sleep(0.1)


class SlowReader(Attack):
    def round(self):
        with self.client(receive_buffer=4096) as client:
            client.request("/big.bin")
            while self.going_on():
                if not client.socket.recv(1):
                    return
                time.sleep(0.1)


class NoReader(Attack):
    """Asks again and again and takes nothing."""

    def round(self):
        with self.client(receive_buffer=4096) as client:
            for _ in range(1000):
                client.send("GET /big.bin HTTP/1.1\r\n" + HEAD + "\r\n")


class Ranges(Attack):
    def round(self):
        with self.client() as client:
            for _ in range(50):
                ranges = ",".join(f"{number}-{number}" for number in range(0, 2000, 2))
                client.request("/big.bin", "Range: bytes=" + ranges)
                client.request("/big.bin", "Range: bytes=" + ",".join(["0-"] * 1000))
                client.socket.recv(65536)


class HugeFields(Attack):
    def round(self):
        with self.client() as client:
            client.send("GET / HTTP/1.1\r\n" + HEAD + "X: ")
            with contextlib.suppress(OSError):
                for _ in range(64):
                    client.send("x" * 65536)
            self.note(client)


class ManyFields(Attack):
    def round(self):
        with self.client() as client:
            with contextlib.suppress(OSError):
                client.send("GET / HTTP/1.1\r\n" + HEAD + "".join(f"X{number}: 1\r\n" for number in range(5000)))
            self.note(client)


class LongLine(Attack):
    def round(self):
        with self.client() as client:
            with contextlib.suppress(OSError):
                client.send("GET /" + "a" * 100000)
            self.note(client)


class HalfOpen(Attack):
    """Connects and says nothing; some say goodbye in one direction only."""

    def round(self):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.client()) for _ in range(4)]
            clients[0].end()
            clients[1].send("G")
            while self.going_on() and not all(client.closed(0.05) for client in clients):
                pass


class Pipeline(Attack):
    """Requests without end, answers taken as they come."""

    def round(self):
        with self.client() as client:
            block = ("GET /digits.txt HTTP/1.1\r\n" + HEAD + "\r\n") * 500
            client.socket.settimeout(0.05)
            while self.going_on():
                with contextlib.suppress(TimeoutError):
                    client.send(block)
                with contextlib.suppress(TimeoutError):
                    while client.socket.recv(1 << 20):
                        pass


class Resets(Attack):
    def round(self):
        client = self.client()
        client.request("/big.bin")
        client.reset()


class Nonsense(Attack):
    def round(self):
        for text in ("\0" * 100, "\x16\x03\x01\x02\x00\x01\x00\x01", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "POST / HTTP/1.1\r\n" + HEAD + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            with self.client() as client:
                client.send(text)
                self.note(client)


ATTACKS = [SlowHead, SlowBody, SlowReader, NoReader, Ranges, HugeFields, ManyFields, LongLine, HalfOpen, Pipeline, Resets, Nonsense]


# What the log says of them.
STRUCK = {SlowHead: "limit=head-timeout", HugeFields: "limit=max-field", ManyFields: "limit=max-field", LongLine: "limit=max-line"}


class Honest:
    """Asks over a new connection now and then; keeps the longest wait."""

    def __init__(self, port, bound):
        self.port, self.bound, self.waits, self.faults, self.over = port, bound, [], [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            start, asked = time.monotonic(), None
            try:
                with Client(self.port, timeout=self.bound) as client:
                    client.request("/digits.txt", "Connection: close")
                    asked = time.monotonic()
                    answer = client.answer()
                    assert answer.status == 200 and answer.body == b"0123456789", answer
            except Exception as error:  # pylint: disable=broad-except
                # A client that connects and says nothing has its place for 200 ms where others wait; among so many threads this one can be late.
                late = asked is not None and asked - start > 0.2 and isinstance(error, Gone) and not client.held
                if not late:
                    self.faults.append(repr(error))
            self.waits.append(time.monotonic() - start)
            self.over.wait(0.02)

    def end(self):
        self.over.set()
        self.thread.join()
        assert not self.faults, self.faults[:3]
        return max(self.waits)


def start(starter, site, model, log):
    options, places = FEW[model]
    words = [word for name in ("head", "body", "send", "idle") for word in (f"--{name}-timeout", DEADLINE_S)]
    patience = ["--grace", 60] if INSTRUMENTED else []  # whoever queued is answered still, by a slow process each
    return starter.serve(site, model, *words, *options, *patience, "--access-log", log), places


def attack(kinds, server, count):
    until = time.monotonic() + ATTACK_S
    attacks = [kinds[number % len(kinds)](server.port, until) for number in range(count)]
    threads = [threading.Thread(target=one.run) for one in attacks]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, memory_of(server.processes()))
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    return attacks, most


def hostile_for(places):
    """How many there are, and how long an honest client may then wait: a deadline, and a moment for the goodbye, for each hostile one
    before it at a place; `event` has a place for everyone."""
    if places is None:
        return HOSTILE, 2.0
    count = 2 * places
    return count, 2 * DEADLINE_S * math.ceil(count / places) + 3


@pytest.mark.parametrize("kind", ATTACKS, ids=lambda kind: kind.__name__)
def test_an_honest_client_is_answered(starter, site, tmp_path, model, kind):
    log = tmp_path / "access.log"
    server, places = start(starter, site, model, log)
    count, bound = hostile_for(places)
    honest = Honest(server.port, bound * (5 if INSTRUMENTED else 1))
    attacks, most = attack([kind], server, count)
    honest.end()
    if not INSTRUMENTED:
        assert most < MEMORY_CAP, f"{most >> 20} MiB"
    assert sum(one.thrown_out for one in attacks) > 0
    server.stop()
    lines = log.read_text()
    assert '"GET /digits.txt HTTP/1.1" 200' in lines
    assert STRUCK.get(kind, "") in lines, lines[-2000:]


@pytest.mark.smoke
def test_all_of_them_at_once(starter, site, tmp_path, model):
    """Every kind together, and afterwards the server is as before."""
    log = tmp_path / "access.log"
    server, places = start(starter, site, model, log)
    before = memory_of(server.processes())
    count, bound = hostile_for(places)
    honest = Honest(server.port, bound * (5 if INSTRUMENTED else 1))
    _, most = attack(ATTACKS, server, max(count, len(ATTACKS)) if places != 1 else 2)
    honest.end()
    if not INSTRUMENTED:
        assert most < MEMORY_CAP, f"{most >> 20} MiB"
        assert wait_until(lambda: memory_of(server.processes()) < before + (8 << 20), 4 * DEADLINE_S + 2), f"{before >> 10} KiB, then {memory_of(server.processes()) >> 10}"
    with Client(server.port) as client:
        assert client.ask("/digits.txt").body == b"0123456789"


def test_a_million_pipelined_requests(starter, site, model):
    """On one connection, answered in order, in flat memory. Fewer where sanitizers watch."""
    server = starter.serve(site, model)
    wanted = 50_000 if INSTRUMENTED else 1_000_000
    block = b"GET /digits.txt HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    with Client(server.port, timeout=60) as client:
        client.request("/digits.txt")
        first = len(client.socket.recv(4096))

        def send():
            for _ in range(wanted // 1000):
                client.socket.sendall(block)

        sender = threading.Thread(target=send)
        sender.start()
        count, rest, most, looked = 0, b"", 0, 0.0
        while count < wanted:
            data = rest + client.socket.recv(1 << 20)
            assert len(data) > len(rest), "closed early"
            count += data.count(b"HTTP/1.1 200 OK\r\n")
            rest = data[-16:] if not data.endswith(b"0123456789") else b""
            assert b"HTTP/1.1 200 OK\r\n" not in rest
            if time.monotonic() - looked > 0.5:
                most, looked = max(most, memory_of(server.processes())), time.monotonic()
        sender.join()
        assert count == wanted and first > 200
    if not INSTRUMENTED:
        assert most < 48 << 20, f"{most >> 20} MiB"
