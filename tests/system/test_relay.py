"""`weir relay A B`: both ways between any two endpoints; `weir relay --listen ENDPOINT TARGET`: for every client."""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import WEIR, COMPLAINTS, session_processes, wait_until


class Relay:
    """A relay that waits for its client on a port of its own."""

    def __init__(self, log, second, *words):
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen([WEIR, "relay", *words, "listen:tcp:127.0.0.1:0", second], stderr=stderr,
                                            stdin=subprocess.DEVNULL)
        found = lambda: re.search(r"127\.0\.0\.1:(\d+)", self.said())
        if not wait_until(lambda: found() or self.process.poll() is not None, 20, 0.01) or not found():
            self.process.kill()
            self.process.wait()
            raise AssertionError(self.said())
        self.port = int(found().group(1))

    def said(self):
        return self.log.read_text()

    def end(self, expect=0):
        try:
            status = self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait()
        assert not COMPLAINTS.search(self.said())
        assert status == expect, self.said()
        return self.said()


@pytest.fixture
def relay(tmp_path):
    started = []

    def start(second, *words):
        started.append(Relay(tmp_path / f"relay-{len(started)}.log", second, *words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def memory(pid):
    """Resident bytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def exchange(client, data):
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
                before = memory(one.process.pid)
                near.settimeout(1)
                sent, block = 0, os.urandom(1 << 16)
                try:
                    while sent < 256 << 20:
                        sent += near.send(block)
                except TimeoutError:
                    pass
                assert sent < 64 << 20
                assert memory(one.process.pid) - before < 4 << 20
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


# --- weir relay --listen: many clients ---


@pytest.fixture
def many(starter):
    """Starts a relay for many clients; `.port` or `.urls[0]` says where."""
    return lambda model, target, *words, listen="tcp:127.0.0.1:0": starter(
        "relay", "--listen", listen, "--model", model, *words, *([target] if isinstance(target, str) else target))


class Target(socket.socket):
    """A server whose every move the test makes."""

    @property
    def endpoint(self):
        return "tcp:%s:%d" % self.getsockname()


def target(backlog=128):
    listener = Target()
    listener.bind(("127.0.0.1", 0))
    listener.listen(backlog)
    listener.settimeout(10)
    return listener


def accept(listener):
    far, _ = listener.accept()
    far.settimeout(10)
    return far


def connect(port, host="127.0.0.1"):
    near = socket.create_connection((host, port), 10)
    near.settimeout(10)
    return near


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def is_reset(sock):
    try:
        return sock.recv(1) is None
    except ConnectionResetError:
        return True


def read_all(sock):
    parts = []
    while part := sock.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def sums(server):
    found = re.search(r"relay: (\d+) connections?, (\d+) bytes there, (\d+) bytes back, (\d+) errors?$", server.said(), re.M)
    assert found, server.said()
    return tuple(int(number) for number in found.groups())


def one_at_a_time(model):
    return model in ("sequential", "fork-wait")


def talk(port, data):
    with connect(port) as near:
        return exchange(near, data) == data


@pytest.mark.smoke
@pytest.mark.threads
def test_many_clients_at_once(many, starter, model):
    echo = starter("echo", "--listen", "tcp:127.0.0.1:0")
    relay = many(model, echo.urls[0])
    blocks = [os.urandom(1 + i * 7919) for i in range(40)] + [os.urandom(3_000_001)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda data: talk(relay.port, data), blocks))
    relay.stop()
    total = sum(map(len, blocks))
    assert sums(relay) == (len(blocks), total, total, 0)


def test_open_at_once(many, model):
    """All of them are there at the same time, and each has its own."""
    count = 1 if one_at_a_time(model) else 6
    with target() as listener:
        relay = many(model, listener.endpoint)
        nears = [connect(relay.port) for _ in range(count)]
        fars = {}
        for i, near in enumerate(nears):
            near.sendall(bytes([i]))
        for _ in nears:
            far = accept(listener)
            fars[far.recv(1)[0]] = far
        for i, near in enumerate(nears):
            fars[i].sendall(b"you are %d" % i)
            assert near.recv(20) == b"you are %d" % i
        for sock in [*nears, *fars.values()]:
            sock.close()


@pytest.mark.parametrize("kind", ["unix", "shm", "exec"])
def test_kinds_of_target(many, starter, model, kind, tmp_path):
    name = f"{kind}:{tmp_path}/app"
    if kind == "exec":
        name = "exec:cat"
    else:
        starter("echo", "--listen", name)
    relay = many(model, name)
    data = os.urandom(1_000_003)
    assert talk(relay.port, data)
    assert talk(relay.port, b"once more")


def test_unix_listener(many, starter, model, tmp_path):
    """A Unix client that has sent everything and closed has still sent everything."""
    with target() as listener:
        many(model, listener.endpoint, listen=f"unix:{tmp_path}/front")
        data = os.urandom(2_000_000)
        with socket.socket(socket.AF_UNIX) as near:
            near.settimeout(10)
            near.connect(f"{tmp_path}/front")
            with accept(listener) as far:
                got = []
                reader = threading.Thread(target=lambda: (time.sleep(0.3), got.append(read_all(far))))
                reader.start()
                near.sendall(data)
                near.close()
                reader.join(10)
                assert got and got[0] == data


@pytest.mark.threads
def test_half_close_both_ways(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint)
        for first in ("near", "far"):
            with connect(relay.port) as near, accept(listener) as far:
                one, two = (near, far) if first == "near" else (far, near)
                one.sendall(b"bye")
                one.shutdown(socket.SHUT_WR)
                assert read_all(two) == b"bye"
                two.sendall(b"late")
                assert one.recv(10) == b"late"
                two.shutdown(socket.SHUT_WR)
                assert one.recv(10) == b""
        relay.stop()
        assert sums(relay) == (2, 7, 7, 0)


@pytest.mark.parametrize("slow", ["near", "far"])
def test_a_slow_reader_holds_the_other_back(many, model, slow):
    with target() as listener:
        relay = many(model, listener.endpoint)
        with connect(relay.port) as near, accept(listener) as far:
            writer, reader = (far, near) if slow == "near" else (near, far)
            resident = lambda: sum(memory(pid) for pid in relay.processes())
            writer.sendall(b"x")
            assert reader.recv(1) == b"x"
            before = resident()
            writer.settimeout(1)
            sent, block = 0, os.urandom(1 << 16)
            try:
                while sent < 256 << 20:
                    sent += writer.send(block)
            except TimeoutError:
                pass
            assert sent < 64 << 20
            assert resident() - before < 16 << 20
            writer.settimeout(10)
            writer.shutdown(socket.SHUT_WR)
            assert len(read_all(reader)) == sent
            reader.shutdown(socket.SHUT_WR)
            assert writer.recv(1) == b""


def test_the_two_ways_are_independent(many, model):
    """Whoever reads only after it has written everything can do so, though the other has much to say meanwhile."""
    with target() as listener:
        relay = many(model, listener.endpoint)
        with connect(relay.port) as near, accept(listener) as far:
            data, got = os.urandom(1 << 20) * 48, []

            def both():
                writer = threading.Thread(target=lambda: (far.sendall(data), far.shutdown(socket.SHUT_WR)))
                writer.start()
                got.append(read_all(far))
                writer.join(20)

            busy = threading.Thread(target=both)
            busy.start()
            time.sleep(0.3)  # all queues towards the near end are full
            near.sendall(data)
            near.shutdown(socket.SHUT_WR)
            assert read_all(near) == data
            busy.join(20)
            assert got and got[0] == data


def test_target_down(many, model):
    with target() as listener:
        endpoint = listener.endpoint
    relay = many(model, endpoint)
    with pytest.raises(ConnectionResetError), connect(relay.port) as near:  # it can come before connect() has returned
        near.recv(1)
    assert wait_until(lambda: "cannot reach" in relay.said(), 5)
    line = [line for line in relay.said().splitlines() if "cannot reach" in line]
    assert len(line) == 1 and endpoint in line[0] and "refused" in line[0]
    relay.stop()
    assert sums(relay) == (1, 0, 0, 1)


def test_a_hasty_target(many, model):
    """It has spoken and closed before the relay has looked at its connection."""
    with target() as listener:
        relay = many(model, listener.endpoint)

        def speak():
            for _ in range(50):
                far, _ = listener.accept()
                far.sendall(b"220 busy")
                far.close()

        speaker = threading.Thread(target=speak)
        speaker.start()
        for _ in range(50):
            with connect(relay.port) as near:
                assert read_all(near) == b"220 busy"
        speaker.join(10)


def test_the_next_target_is_tried(many, starter, model):
    echo = starter("echo", "--listen", "tcp:127.0.0.1:0")
    with target() as listener:
        down = listener.endpoint
    relay = many(model, [down, "unix:@nobody-listens-here", echo.urls[0]])
    assert talk(relay.port, b"found")
    relay.stop()
    assert sums(relay)[3] == 0 and "cannot reach" not in relay.said()


def fill_queue(listener, held):
    """Connections until the listener's queue is full: what comes then gets no answer."""
    address = listener.getsockname()
    while True:
        one = socket.socket()
        one.setblocking(False)
        held.append(one)
        one.connect_ex(address)
        if not select.select([], [one], [], 0.3)[1]:
            return


def test_target_never_answers(many, model):
    held = []
    with target(backlog=0) as listener:
        fill_queue(listener, held)
        relay = many(model, listener.endpoint, "--connect-timeout", 1)
        start = time.monotonic()
        with connect(relay.port) as near:
            assert is_reset(near)
        assert 0.9 < time.monotonic() - start < 6
        assert wait_until(lambda: "cannot reach" in relay.said(), 5) and "timed out" in relay.said()
    for one in held:
        one.close()


def test_targets_that_never_answer_hold_up_nobody_else(many, starter):
    """Two targets in turn, the first silent: clients do not queue up behind each other's attempts."""
    held = []
    echo = starter("echo", "--listen", "tcp:127.0.0.1:0")
    with target(backlog=0) as listener:
        fill_queue(listener, held)
        relay = many("event", [listener.endpoint, echo.urls[0]], "--connect-timeout", 1, "--workers", 1)
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            start = time.monotonic()
            assert all(pool.map(lambda i: talk(relay.port, b"%d" % i), range(24)))
            assert time.monotonic() - start < 8  # one after the other, it would be 24; by four helpers 6 and more
    for one in held:
        one.close()


def test_unix_target_with_a_full_queue(many, tmp_path):
    """It is waited for, until there is room."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/full")
        listener.listen(0)
        listener.settimeout(10)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(f"{tmp_path}/full")
            relay = many("event", f"unix:{tmp_path}/full")
            with connect(relay.port) as near:
                near.sendall(b"patience")
                time.sleep(0.3)
                with accept(listener), accept(listener) as far:
                    assert far.recv(20) == b"patience"


def test_idle_deadline(many, model):
    with target() as listener:
        relay = many(model, listener.endpoint, "--idle-timeout", 1, "--verbose")
        with connect(relay.port) as near, accept(listener) as far:
            for _ in range(3):  # any byte counts, in either direction
                time.sleep(0.5)
                near.sendall(b"x")
                assert far.recv(1) == b"x"
                time.sleep(0.5)
                far.sendall(b"y")
                assert near.recv(1) == b"y"
            start = time.monotonic()
            assert is_reset(near) and is_reset(far)
            assert 0.8 < time.monotonic() - start < 6
        assert wait_until(lambda: "no byte came for too long" in relay.said(), 5), relay.said()


@pytest.mark.parametrize("words", [["event", "--workers", "1"], ["thread"], ["fork"], ["pool", "--workers", "2"]])
def test_connection_limit(many, words):
    """Two places: the third client waits, and is served when one has gone."""
    model, *more = words
    limit = ["--max-connections", 2] if model != "pool" else []
    with target() as listener:
        relay = many(model, listener.endpoint, *more, *limit)
        nears = [connect(relay.port) for _ in range(5)]
        for i, near in enumerate(nears):
            near.sendall(b"%d" % i)
        fars = [accept(listener), accept(listener)]
        listener.settimeout(0.7)
        with pytest.raises(TimeoutError):
            accept(listener)
        listener.settimeout(10)
        for i in range(5):
            assert fars[i].recv(1) in b"01234"
            fars[i].close()
            ready = select.select(nears, [], [], 10)[0]
            assert len(ready) == 1 and ready[0].recv(1) == b""  # nobody is refused
            ready[0].close()
            nears.remove(ready[0])
            if i < 3:
                fars.append(accept(listener))
        relay.stop()
        assert sums(relay)[0] == 5 and sums(relay)[3] == 0, relay.said()


@pytest.mark.parametrize("way", ["there", "back", "pair"])
def test_rate(many, starter, relay, way):
    """Bytes that passed between two looks, against the time between them."""
    rate = 2_000_000
    with target() as listener:
        if way == "pair":
            one = relay(listener.endpoint, "--rate", str(rate))
        else:
            one = many("event", listener.endpoint, "--rate", rate)
        with connect(one.port) as near, accept(listener) as far:
            writer, reader = (far, near) if way == "back" else (near, far)
            stop = threading.Event()

            def send():
                block = bytes(1 << 16)
                writer.settimeout(0.2)
                while not stop.is_set():
                    try:
                        writer.send(block)
                    except TimeoutError:
                        pass

            sender = threading.Thread(target=send)
            sender.start()
            begun = time.monotonic()
            while time.monotonic() - begun < 0.5:  # what silence had saved up
                reader.recv(1 << 20)
            got, start = 0, time.monotonic()
            while (passed := time.monotonic() - start) < 3:
                got += len(reader.recv(1 << 20))
            stop.set()
            sender.join(5)
            # The straight line moves up to 1 MiB at once.
            slack = 0.1 * rate * passed + (1.1 * (1 << 20) if way == "pair" else 0)
            assert abs(got - rate * passed) < slack, (got / passed, rate)


@pytest.mark.parametrize("under", ["event", "fork"])
def test_rate_of_all(many, under):
    rate = 2_000_000
    with target() as listener:
        one = many(under, listener.endpoint, "--rate-total", rate)
        pairs = []
        for _ in range(4):
            near = connect(one.port)
            pairs.append((near, accept(listener)))
        stop = threading.Event()

        def send(sock):
            block = bytes(1 << 16)
            sock.settimeout(0.2)
            while not stop.is_set():
                try:
                    sock.send(block)
                except TimeoutError:
                    pass

        senders = [threading.Thread(target=send, args=(pair[i % 2],)) for i, pair in enumerate(pairs)]
        readers = [pair[1 - i % 2] for i, pair in enumerate(pairs)]
        for sender in senders:
            sender.start()
        begun = time.monotonic()
        while time.monotonic() - begun < 0.5:
            for reader in select.select(readers, [], [], 0.1)[0]:
                reader.recv(1 << 20)
        got, start = [0] * 4, time.monotonic()
        while (passed := time.monotonic() - start) < 3:
            for reader in select.select(readers, [], [], 0.1)[0]:
                got[readers.index(reader)] += len(reader.recv(1 << 20))
        stop.set()
        for sender in senders:
            sender.join(5)
        assert abs(sum(got) - rate * passed) < 0.1 * rate * passed, (got, passed)
        assert min(got) > 0
        for pair in pairs:
            for sock in pair:
                sock.close()


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
