"""Very many connections that say nothing, and one that does."""

import resource

import pytest

from talk import Client, get, timed


def hold(starter, site, count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < count + 500:
        pytest.skip(f"at most {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Each of two workers gets about half of them: room for all in one, whatever the kernel's hash does.
    server = starter.serve(site, "event", "--workers", 2, "--max-connections", count + 100, "--idle-timeout", 300,
                           "--head-timeout", 300)  # over TLS the first has waited long when the last has shaken hands
    clients = []
    try:
        for _ in range(count):
            clients.append(Client(server.port, timeout=30))
        for client in clients:
            assert client.ask("/digits.txt").body == b"0123456789"
        seconds, answer = timed(get, server.port, "/index.html")
        assert answer.status == 200 and seconds < 2
        for client in clients:
            client.request("/a.css")
        for client in clients:
            assert len(client.answer().body) == 612
    finally:
        for client in clients:
            client.close()
    server.stop()


def test_a_thousand_idle_connections(starter, site):
    hold(starter, site, 1000)


@pytest.mark.long
def test_ten_thousand_idle_connections(starter, site):
    hold(starter, site, 10000)
