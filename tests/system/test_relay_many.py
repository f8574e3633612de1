"""`weir relay --listen ENDPOINT TARGET`: every client, under the models: targets, deadlines, places, rates."""

import concurrent.futures
import os
import select
import socket
import threading
import time

import pytest

from conftest import memory_of, wait_until
from relays import accept, connect, is_reset, many, one_at_a_time, read_all, relay, sums, talk, target  # pylint: disable=unused-import


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
            resident = lambda: memory_of(relay.processes())
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
