"""Stopping, dying and starting again."""

import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import WEIR, session_processes, wait_until
from talk import SECURE, Client, Gone, get, timed


def refused(port):
    """Nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


@pytest.mark.smoke
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_quiet_server_stops_at_once(starter, site, model, number):
    server = starter.serve(site, model)
    get(server.port, "/digits.txt")
    server.signal(number)
    seconds, status = timed(server.wait)
    assert status == 0 and seconds < 3
    assert refused(server.port)
    server.check_gone()


def test_ctrl_c_reaches_the_whole_group(starter, site, model):
    server = starter.serve(site, model)
    with Client(server.port) as client:
        client.ask("/digits.txt")
        os.killpg(server.pid, signal.SIGINT)
        assert server.wait() == 0
    server.check_gone()


def one_at_a_time(model):
    """These clients come and wait before they ask; over TLS they shake hands first, and where there is one place that ends the one before."""
    if SECURE and model in ("sequential", "fork-wait"):
        pytest.skip("there is one connection at a time")


@pytest.mark.smoke
@pytest.mark.threads
def test_idle_connections_do_not_delay_a_stop(starter, site, model):
    one_at_a_time(model)
    server = starter.serve(site, model)
    clients = [Client(server.port) for _ in range(6)]
    for client in clients[:3]:
        client.ask("/digits.txt")
    server.signal()
    seconds, status = timed(server.wait)
    assert status == 0 and seconds < 3
    for client in clients[:3]:
        assert client.closed()
    for client in clients[3:]:
        # The kernel kept those from the server until they speak (TCP_DEFER_ACCEPT), and tells them only then.
        try:
            client.send(b"x")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert client.closed()
    for client in clients:
        client.close()


@pytest.mark.smoke
@pytest.mark.threads
def test_sigterm_answers_what_is_queued(starter, site, model):
    """One holds a place in the middle of an answer, others have asked: all get whole answers, then the server ends."""
    server = starter.serve(site, model, "--workers", 1, "--max-connections", 2, "--grace", 20)
    slow = Client(server.port, receive_buffer=4096)
    slow.request("/big.bin")
    slow.socket.recv(1)
    queued = [Client(server.port) for _ in range(10)]
    for client in queued:
        client.request("/digits.txt")
    time.sleep(0.2)
    server.signal()
    answers = []

    def read(client):
        try:
            answers.append(client.answer().body == b"0123456789")
        except (Gone, OSError) as error:
            answers.append(repr(error))

    threads = [threading.Thread(target=read, args=[client]) for client in queued]
    for thread in threads:
        thread.start()
    slow.socket.settimeout(10)
    rest = slow.rest()
    for thread in threads:
        thread.join(20)
    assert answers == [True] * 10, server.said()
    assert len(rest) + 1 > 13107400
    assert server.wait() == 0
    for client in queued:
        client.close()
    slow.close()


def test_a_keep_alive_client_is_told_that_it_ends(starter, site, model):
    server = starter.serve(site, model)
    with Client(server.port, receive_buffer=4096) as client:
        client.request("/big.bin")
        client.request("/digits.txt")
        client.socket.recv(1)
        server.signal()
        data = client.rest()
        assert len(data) > 13107400 and data.endswith(b"0123456789")
    assert server.wait() == 0


@pytest.mark.smoke
@pytest.mark.threads
def test_the_grace_period_has_an_exit_status_of_its_own(starter, site, model):
    server = starter.serve(site, model, "--grace", 1)
    with Client(server.port, receive_buffer=4096) as stuck:
        stuck.request("/big.bin")
        stuck.socket.recv(1)
        server.signal()
        seconds, status = timed(server.wait)
    assert status == 3 and 0.8 < seconds < 4
    server.check_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(starter, site, model, number):
    server = starter.serve(site, model, "--grace", 60)
    with Client(server.port, receive_buffer=4096) as stuck:
        stuck.request("/big.bin")
        stuck.socket.recv(1)
        server.signal(number)
        time.sleep(0.5)
        assert server.process.poll() is None
        server.signal(number)
        seconds, status = timed(server.wait)
    assert status == 3 and seconds < 2
    server.check_gone()


def test_a_signal_said_twice_is_one(starter, site, model):
    """timeout(1) signals its child and then its group; a wrapper passes on the Ctrl-C that reached us, too."""
    server = starter.serve(site, model)
    with Client(server.port) as client:
        client.send("GET /digits.txt HTTP/1.1\r\nHost: x\r\n")
        time.sleep(0.3)
        server.signal(signal.SIGTERM)
        time.sleep(0.02)
        server.signal(signal.SIGTERM)
        time.sleep(0.3)
        client.send("\r\n")
        assert client.answer().body == b"0123456789"
    assert server.wait() == 0


@pytest.mark.smoke
def test_a_killed_worker_is_started_again(starter, site, model):
    server = starter.serve(site, model)
    get(server.port, "/digits.txt")
    workers = server.children()
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: server.children() and not set(server.children()) & set(workers), 5)
    assert get(server.port, "/digits.txt").body == b"0123456789"
    assert "SIGKILL" in server.said() or "killed" in server.said(), "a worker that died is worth a line"


def test_clients_that_queue_while_no_worker_lives_are_answered(starter, site, model):
    one_at_a_time(model)
    server = starter.serve(site, model)
    killed = server.children()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    clients = [Client(server.port) for _ in range(5)]
    for client in clients:
        client.request("/digits.txt", "Connection: close")
    for client in clients:
        assert client.answer().status == 200
        client.close()
    assert wait_until(lambda: not set(server.processes()) & set(killed), 5)


def test_a_worker_that_keeps_dying_is_not_started_in_a_frenzy(starter, site, model):
    server = starter.serve(site, model)
    end, seen = time.monotonic() + 2, set()
    while time.monotonic() < end:
        for pid in server.children():
            seen.add(pid)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.005)
    assert len(seen) < 100
    assert wait_until(lambda: len(server.children()) > 0, 10)
    assert get(server.port, "/digits.txt").status == 200


@pytest.mark.smoke
def test_workers_end_when_the_supervisor_is_killed(starter, site, model):
    server = starter.serve(site, model)
    idle = Client(server.port)
    idle.ask("/digits.txt")
    assert len(server.processes()) > 1
    server.signal(signal.SIGKILL)
    server.wait()
    assert wait_until(lambda: not session_processes(server.pid), 5), session_processes(server.pid)
    assert refused(server.port)
    idle.close()


@pytest.mark.smoke
def test_no_zombies_stay(starter, site, model):
    server = starter.serve(site, model)
    for _ in range(60):
        get(server.port, "/digits.txt")
    zombies = lambda: [pid for pid, (state, _) in server.processes().items() if state == "Z"]
    assert wait_until(lambda: not zombies(), 2), zombies()


def test_no_descriptor_stays_open(starter, site, model):
    server = starter.serve(site, model)

    def descriptors():
        count = 0
        for pid in server.processes():
            try:
                count += len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                pass
        return count

    def adds_nothing():
        before = descriptors()
        for i in range(100):
            get(server.port, "/nothing" if i % 2 else "/digits.txt")
        Client(server.port).reset()
        return wait_until(lambda: descriptors() <= before, 3)

    for _ in range(20):
        get(server.port, "/digits.txt")
    assert wait_until(lambda: len(server.processes()) <= 20, 2)
    time.sleep(0.3)
    # Descriptors that stay are more each time; those of a worker's first request, or of its helper that shakes hands, are not.
    assert any(adds_nothing() for _ in range(4)), descriptors()


def test_a_burst_on_a_stopping_server_is_answered_or_refused(starter, site, model):
    """Whoever could connect before the listener closed gets an answer: nobody is dropped silently."""
    server = starter.serve(site, model)
    results = []

    def client():
        try:
            results.append(get(server.port, "/digits.txt").status)
        except ConnectionRefusedError:
            results.append("refused")
        except (Gone, ConnectionResetError) as error:
            results.append(repr(error))

    threads = [threading.Thread(target=client) for _ in range(40)]
    for number, thread in enumerate(threads):
        thread.start()
        if number == 20:
            server.signal()
    for thread in threads:
        thread.join(20)
    assert server.wait() == 0
    lost = [result for result in results if result not in (200, "refused")]
    # The kernel itself resets who is in the middle of its handshake when a listener closes.
    assert len(lost) <= 2, lost


def test_standard_input_is_left_alone(starter, site, model):
    reading, writing = os.pipe()
    try:
        server = starter.serve(site, model, stdin=reading)
        get(server.port, "/digits.txt")
        assert not int(pathlib.Path(f"/proc/self/fdinfo/{reading}").read_text().split("flags:")[1].split()[0], 8) & os.O_NONBLOCK
        os.close(writing)
        writing = -1
        assert get(server.port, "/digits.txt").status == 200
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def test_a_port_taken_by_a_second_server_is_an_error(starter, site, model):
    server = starter.serve(site, model)
    done = subprocess.run([WEIR, "serve", str(site), "--listen", f"127.0.0.1:{server.port}", "--model", model],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and str(server.port) in done.stderr
    assert get(server.port, "/digits.txt").status == 200
