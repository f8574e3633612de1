"""More clients than places: nobody starves behind the silent and the idle."""

import collections
import resource
import threading
import time

import pytest

from conftest import wait_until
from talk import Client, Gone, get, timed

IDLE_S = 3

# Options that give a model few places, and how many those are.
FEW = {
    "sequential": ([], 1),
    "fork-wait": ([], 1),
    "fork": (["--max-connections", 4], 4),
    "thread": (["--max-connections", 4], 4),
    "pool": (["--workers", 4, "--queue", 4], 4),
    "prefork": (["--workers", 4], 4),
    "event": (["--workers", 1, "--max-connections", 8], 8),
}


class Persistent:
    """A client that asks now and again, never closes, and connects anew when the server did."""

    def __init__(self, port):
        self.port, self.client, self.waits = port, Client(port), []

    def ask(self):
        start = time.monotonic()
        while True:
            try:
                if not self.client:
                    self.client = Client(self.port)
                assert self.client.ask("/digits.txt").body == b"0123456789"
                break
            except (Gone, ConnectionResetError, BrokenPipeError):
                # A connection that was idle may have been closed: RFC 9112 section 9.3.1 lets a client try again.
                self.client.close()
                self.client = None
                assert time.monotonic() - start < 30
        self.waits.append(time.monotonic() - start)


def run_all(functions):
    errors = []

    def guarded(function):
        try:
            function()
        except Exception as error:  # pylint: disable=broad-except
            errors.append(repr(error))

    threads = [threading.Thread(target=guarded, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors


@pytest.mark.smoke
@pytest.mark.threads
def test_four_times_more_clients_than_places(starter, site, model):
    options, places = FEW[model]
    server = starter.serve(site, model, "--idle-timeout", IDLE_S, *options)
    silent = [Client(server.port) for _ in range(4 * places)]
    clients = [Persistent(server.port) for _ in range(4 * places)]
    for _ in range(2):
        run_all([client.ask for client in clients])
    waits = [wait for client in clients for wait in client.waits]
    assert len(waits) == 8 * places
    assert max(waits) < IDLE_S + 1, sorted(waits)
    # Those who were silent until now can still speak, or were let go.
    for client in silent:
        try:
            assert client.ask("/digits.txt").status == 200
        except (Gone, ConnectionResetError, BrokenPipeError):
            pass
        client.close()
    for client in clients:
        if client.client:
            client.client.close()


def test_a_crowd_is_answered_and_none_is_dropped(starter, site, model):
    """Far more at once than places and queue hold: the rest waits in the kernel's queue."""
    options, _ = FEW[model]
    server = starter.serve(site, model, *options)
    run_all([lambda: [get(server.port, "/digits.txt", timeout=30) for _ in range(3)]] * 60)


@pytest.mark.parametrize("model_with_children", ["fork"])
def test_children_are_capped(starter, site, model, model_with_children):
    if model != model_with_children:
        pytest.skip("a matter of fork")
    server = starter.serve(site, model, "--max-connections", 3)
    (acceptor,) = server.children()
    # Its own children: a leak checker has helpers of its own beneath those.
    alive = lambda: {pid for pid, (state, parent) in server.processes().items() if parent == acceptor and state != "Z"}
    clients = [Client(server.port) for _ in range(12)]
    for client in clients:
        client.request("/digits.txt")
    most = 0
    end = time.monotonic() + 1
    while time.monotonic() < end:
        seen = alive()
        if seen == alive():  # /proc is not read at one moment: one may go and another come meanwhile
            most = max(most, len(seen))
        time.sleep(0.01)
    assert 1 <= most <= 3
    for client in clients:
        client.close()


def test_out_of_descriptors_it_accepts_later(starter, site, model):
    """Not one error, not one lost client: only patience."""

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    server = starter.serve(site, model, "--idle-timeout", 2, preexec_fn=few)
    clients = [Client(server.port, timeout=30) for _ in range(100)]
    for client in clients:
        client.request("/digits.txt")
    outcomes = collections.Counter()
    for client in clients:
        try:
            outcomes[client.answer().status] += 1
        except (Gone, ConnectionResetError) as error:
            outcomes[repr(error)] += 1
        client.close()
    assert outcomes == {200: 100}, server.said()
    seconds, answer = timed(get, server.port, "/digits.txt")
    assert answer.status == 200 and seconds < 2


def test_unfinished_heads_that_hold_all_descriptors_make_room(starter, site, model):
    """Who has begun to ask holds a place, and descriptors, until the deadline for its head; then the next one comes."""

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    server = starter.serve(site, model, "--head-timeout", 1, "--idle-timeout", 2, preexec_fn=few)
    slow = [Client(server.port) for _ in range(4 if FEW[model][1] == 1 else 50)]
    for client in slow:
        client.send("GET")
    # Where eight at a time are looked after, 50 of them take seven rounds: a second for the head, two to let go.
    seconds, answer = timed(get, server.port, "/digits.txt", timeout=30)
    assert answer.status == 200 and seconds < 7 * 3 + 2
    for client in slow:
        client.close()
    assert wait_until(lambda: get(server.port, "/digits.txt").status == 200, 5)
