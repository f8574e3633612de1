"""Clients as the world has them: slow, silent, rude, gone."""

import hashlib
import time

import pytest

from talk import Client, Gone, get, timed

ONE_PLACE = ("sequential", "fork-wait")
REQUEST = "GET /digits.txt HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.smoke
def test_a_byte_at_a_time(web):
    with Client(web.port) as client:
        for byte in REQUEST * 2:
            client.send(byte)
            time.sleep(0.0005)
        assert client.answer().body == b"0123456789"
        assert client.answer().body == b"0123456789"


def test_cut_in_the_middle_of_pipelined_requests(web):
    stream = REQUEST * 3
    with Client(web.port) as client:
        for at in range(0, len(stream), 17):
            client.send(stream[at:at + 17])
            time.sleep(0.001)
        for _ in range(3):
            assert client.answer().status == 200


@pytest.mark.smoke
@pytest.mark.threads
def test_half_close_after_the_request(web):
    """The whole answer comes although the client will say no more."""
    with Client(web.port) as client:
        client.request("/big.bin")
        client.end()
        assert len(client.answer().body) == 13107400
        assert client.closed()


def test_half_close_in_the_middle_of_a_head(web):
    with Client(web.port) as client:
        client.send("GET / HT")
        client.end()
        rest = client.rest()
        assert rest == b"" or rest.startswith(b"HTTP/1.1 400 ")


def test_half_close_without_a_word(web):
    with Client(web.port) as client:
        client.end()
        assert client.closed()


@pytest.mark.threads
def test_vanishing_clients_harm_nobody(web):
    for _ in range(10):
        client = Client(web.port)
        client.send("GET /digits")
        client.reset()
        client = Client(web.port)
        client.request("/big.bin")
        client.socket.recv(1000)
        client.reset()
        client = Client(web.port)
        client.send(REQUEST * 100)
        client.reset()
        Client(web.port).reset()
    assert get(web.port, "/digits.txt").body == b"0123456789"


def test_a_slow_reader_gets_every_byte(web, site):
    with Client(web.port, receive_buffer=4096) as client:
        client.request("/big.bin", "Range: bytes=0-1999999")
        digest, have = hashlib.sha256(), 0
        answer_head = b""
        while b"\r\n\r\n" not in answer_head:
            answer_head += client.socket.recv(100)
        data = answer_head.partition(b"\r\n\r\n")[2]
        while True:
            digest.update(data)
            have += len(data)
            if have == 2000000:
                break
            data = client.socket.recv(30000)
            assert data
            if have < 400000:
                time.sleep(0.01)
    assert digest.digest() == hashlib.sha256((site / "big.bin").read_bytes()[:2000000]).digest()


@pytest.mark.smoke
@pytest.mark.threads
def test_others_are_answered_while_one_stops_reading(starter, site, model):
    """Where a model has one place, the one who stopped is cut off at the idle deadline; elsewhere nobody waits."""
    server = starter.serve(site, model, "--idle-timeout", 2)
    with Client(server.port, receive_buffer=4096) as stuck:
        stuck.request("/big.bin")
        stuck.socket.recv(10)
        for _ in range(3):
            seconds, answer = timed(get, server.port, "/digits.txt")
            assert answer.status == 200
            assert seconds < (2 + 1 if model in ONE_PLACE else 1.5)


@pytest.mark.smoke
@pytest.mark.threads
def test_others_are_answered_while_some_are_silent(starter, site, model):
    server = starter.serve(site, model, "--idle-timeout", 3)
    silent = [Client(server.port) for _ in range(5)]
    try:
        for _ in range(5):
            seconds, answer = timed(get, server.port, "/digits.txt")
            assert answer.status == 200 and seconds < 3
    finally:
        for client in silent:
            client.close()


def test_a_head_that_never_ends_gets_408(starter, site, model):
    server = starter.serve(site, model, "--head-timeout", 1)
    with Client(server.port) as client:
        client.send("GET / HTTP/1.1\r\nHo")
        seconds, answer = timed(client.answer)
        assert answer.status == 408 and 0.5 < seconds < 4
        assert answer.fields["connection"].lower() == "close"
        assert client.closed()


def test_a_head_that_drips_gets_408_too(starter, site, model):
    """The deadline is for the whole head, not for each byte."""
    server = starter.serve(site, model, "--head-timeout", 1)
    with Client(server.port) as client:
        start = time.monotonic()
        try:
            for byte in "GET / HTTP/1.1\r\nHost: x\r\nA: " + "b" * 1000:
                client.send(byte)
                time.sleep(0.05)
                assert time.monotonic() - start < 6
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert client.answer().status == 408
        except (Gone, ConnectionResetError):
            pass
        assert time.monotonic() - start < 6


@pytest.mark.smoke
def test_an_idle_connection_is_closed_at_its_deadline(starter, site, model):
    server = starter.serve(site, model, "--idle-timeout", 1)
    with Client(server.port) as client:
        assert client.ask("/digits.txt").status == 200
        seconds, closed = timed(client.closed)
        assert closed and 0.5 < seconds < 3


def test_a_body_that_never_comes_does_not_hold_the_place(starter, site, model):
    server = starter.serve(site, model, "--idle-timeout", 1, "--head-timeout", 1)
    with Client(server.port) as client:
        client.request("/digits.txt", "Content-Length: 1000", method="POST")
        assert client.answer().status in (405, 408)
        seconds, closed = timed(client.closed, 15)
        assert closed and seconds < 12
