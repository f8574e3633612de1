"""`weir echo`: what is sent comes back, whole and in order, by every way and under every model."""

import os
import random
import re
import socket
import threading
import time

import pytest

from talk import Client, exchange, timed
from ways import service  # pylint: disable=unused-import


@pytest.fixture(scope="module")
def _echo(model, tmp_path_factory):
    from conftest import Starter
    starter = Starter(tmp_path_factory.mktemp("echo"))
    yield starter.echo(model)
    starter.end()


@pytest.fixture
def echo(_echo):
    yield _echo
    _echo.check_healthy()


@pytest.mark.smoke
@pytest.mark.threads
def test_ready_line(echo, model):
    assert re.search(rf"^weir: echo at tcp:127\.0\.0\.1:\d+ \({model}\b.*\)$", echo.said(), re.M)


@pytest.mark.smoke
def test_a_word_comes_back_before_more_is_said(service):
    with service("echo").client() as client:
        for word in (b"hello", b"\0\xff", b"x", b"y" * 1000):
            client.send(word)
            assert client.take(len(word)) == word
        client.end()
        assert client.closed()


@pytest.mark.smoke
@pytest.mark.threads
def test_megabytes_both_ways(service):
    data = random.Random(1).randbytes(5 << 20)
    with service("echo").client() as client:
        assert exchange(client.socket, data) == data


def test_nothing_at_all(service):
    with service("echo").client() as client:
        assert exchange(client.socket, b"") == b""


@pytest.mark.threads
def test_clients_at_once(service):
    echo = service("echo")
    results = []

    def talk(number, client):
        data = random.Random(number).randbytes(200_000 + number)
        with client:
            results.append(exchange(client.socket, data) == data)

    threads = [threading.Thread(target=talk, args=[i, echo.client()]) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [True] * 12


def test_a_writer_that_never_reads_is_held_back(service):
    """The queue is bounded: the writer waits; what was sent comes back when it reads at last."""
    with service("echo").client() as client:
        if hasattr(client.socket, "setsockopt"):
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.socket.settimeout(1)
        block, sent = os.urandom(65536), 0
        try:
            while sent < 128 << 20:
                sent += client.socket.send(block[sent % 65536:])
        except TimeoutError:
            pass
        assert sent < 64 << 20, "somebody holds it all in memory"
        client.socket.settimeout(15)
        client.end()
        back = client.rest()
        assert len(back) == sent
        for at in range(0, sent, 65536):
            assert back[at:at + 65536] == block[:min(65536, sent - at)]


def test_vanishing_clients(service):
    echo = service("echo")
    for _ in range(8):
        client = echo.client()
        client.send(b"x" * 50_000)
        client.reset()
    with echo.client() as client:
        assert exchange(client.socket, b"still here") == b"still here"


def test_unix_socket(starter, model, tmp_path):
    path = tmp_path / "echo"
    server = starter("echo", "--listen", f"unix:{path}", "--model", model)
    data = os.urandom(1 << 20)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(15)
        client.connect(str(path))
        assert exchange(client, data) == data
    server.stop()
    assert not path.exists()


def test_abstract_unix_socket(starter, model):
    name = f"weir-test-{os.getpid()}-{model}"
    starter("echo", "--listen", f"unix:@{name}", "--model", model)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(15)
        client.connect(f"\0{name}")
        assert exchange(client, b"hello") == b"hello"


def test_a_stale_path_is_replaced_a_live_one_is_not(starter, tmp_path):
    path = tmp_path / "echo"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    server = starter("echo", "--listen", f"unix:{path}")
    with pytest.raises(AssertionError, match="status 1"):
        starter("echo", "--listen", f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(15)
        client.connect(str(path))
        assert exchange(client, b"hello") == b"hello"
    server.stop()


def test_a_file_in_the_way_is_not_touched(starter, tmp_path):
    path = tmp_path / "echo"
    path.write_text("mine")
    with pytest.raises(AssertionError, match="status 1"):
        starter("echo", "--listen", f"unix:{path}")
    assert path.read_text() == "mine"


def test_ipv6(starter):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    server = starter("echo", "--listen", "tcp:[::1]:0")
    port = int(server.urls[0].rpartition(":")[2])
    with socket.create_connection(("::1", port), 15) as client:
        assert exchange(client, b"six") == b"six"


def test_a_name_listens_on_all_its_addresses_with_one_port(starter):
    server = starter("echo", "--listen", "tcp:localhost:0")
    families = {info[4][0] for info in socket.getaddrinfo("localhost", server.port, type=socket.SOCK_STREAM)}
    reached = 0
    for address in families:
        try:
            with socket.create_connection((address, server.port), 15) as client:
                assert exchange(client, b"name") == b"name"
                reached += 1
        except OSError:
            pass
    assert reached >= 1


@pytest.mark.smoke
@pytest.mark.threads
def test_stop_sends_back_what_is_under_way(starter, model):
    server = starter.echo(model)
    with Client(server.port) as client:
        client.send(b"before")
        assert client.take(6) == b"before"
        server.signal()
        seconds, rest = timed(client.rest)
        assert rest == b"" and seconds < 5
    assert server.wait() == 0


def test_a_silent_client_does_not_keep_others_out(starter, model):
    server = starter.echo(model)
    with Client(server.port):
        time.sleep(0.1)
        with Client(server.port) as client:
            seconds, back = timed(exchange, client.socket, b"hello")
            assert back == b"hello" and seconds < 4
