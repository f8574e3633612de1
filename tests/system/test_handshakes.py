"""Handshakes that take long, never end, or come in crowds: the others are answered all the while."""

import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import INSTRUMENTED, session_processes, wait_until
from test_tls import certs, context, keys, make_cert  # pylint: disable=unused-import


@pytest.fixture(scope="module")
def rsa(certs):
    """A key whose signatures take less than a millisecond, but not much less."""
    return {**certs, "rsa": make_cert(certs["folder"], "rsa", "localhost", kind=("rsa:2048",))}


@pytest.fixture(scope="module")
def big(certs):
    """A key whose signatures take a millisecond, and which is made in one: one of RSA-4096 takes a busy machine a minute."""
    return {**certs, "big": make_cert(certs["folder"], "big", "localhost", kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-384"))}


def both(starter, site, pair, model, *words):
    return starter("serve", site, "--listen", "http://127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--model", model, *keys(pair), *words,
                   listeners=2)


def secure_port(server):
    return int(re.search(r":(\d+)/?$", server.urls[1]).group(1))


def hello(ctx):
    """What a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ctx.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def dial(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def ask(sock):
    """One request on a persistent connection; how long it took."""
    began = time.monotonic()
    sock.sendall(b"GET /digits.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b"0123456789"):
        part = sock.recv(4096)
        assert part, answer
        answer += part
    return time.monotonic() - began


def shake(port, ctx, count=1):
    for _ in range(count):
        with ctx.wrap_socket(dial(port), server_hostname="localhost") as sock:
            assert sock.version()


def cpu(task):
    """Seconds of one thread."""
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def workers(server):
    """Processes with several threads: a loop and its helpers."""
    return [tasks for pid in session_processes(server.pid) if len(tasks := sorted(pathlib.Path(f"/proc/{pid}/task").iterdir())) > 1]


@pytest.mark.threads
def test_helpers_sign(starter, site, big):
    """A hundred handshakes that cost 3 ms, all with P-384: the time is the helpers', not the loop's; and plain requests come through all the while."""
    server = both(starter, site, big["big"], "event", "--workers", "1")
    ctx, port = context(big, trust="big"), secure_port(server)
    ctx.set_ecdh_curve("secp384r1")
    crowd = [threading.Thread(target=shake, args=(port, ctx, 13)) for _ in range(8)]
    slowest = 0
    with dial(server.port) as plain:
        for thread in crowd:
            thread.start()
        while any(thread.is_alive() for thread in crowd):
            slowest = max(slowest, ask(plain))
    assert slowest < 2
    tasks, = workers(server)
    loop, helpers = cpu(tasks[0]), sum(cpu(task) for task in tasks[1:])
    assert helpers > 0.1
    if not INSTRUMENTED:
        assert loop < helpers / 2, (loop, helpers)


def signers(server):
    """Helpers that sign: they stand back behind the loop."""
    stats = [task / "stat" for pid in session_processes(server.pid) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    return sum(stat.read_text().rpartition(")")[2].split()[16] == "10" for stat in stats)


@pytest.mark.threads
def test_a_loop_that_is_alone_signs_itself(starter, site, rsa):
    """What takes less than a millisecond, while there are but clients that shake hands; as soon as there is another, helpers do it."""
    server = both(starter, site, rsa["rsa"], "event", "--workers", "1")
    ctx, port = context(rsa, trust="rsa"), secure_port(server)
    shake(port, ctx, 5)
    assert signers(server) == 0
    with dial(server.port) as plain:
        ask(plain)
        shake(port, ctx, 5)
        ask(plain)
    assert signers(server) in (1, 2)
    shake(port, ctx, 5)


@pytest.mark.threads
def test_many_wait_for_a_loop_that_is_alone(starter, site, rsa):
    """More hellos at once than it keeps to itself, half of the clients gone by then: all others are answered, and it stops in order."""
    server = both(starter, site, rsa["rsa"], "event", "--workers", "1")
    ctx, port = context(rsa, trust="rsa"), secure_port(server)
    first = hello(ctx)
    crowd = [dial(port) for _ in range(120)]
    for sock in crowd:
        sock.sendall(first)
    for sock in crowd[::2]:
        sock.close()
    for sock in crowd[1::2]:
        assert sock.recv(1) == b"\x16"
    more = [dial(port) for _ in range(40)]
    for sock in more:
        sock.sendall(first)
    server.signal()
    for sock in crowd[1::2] + more:
        sock.close()
    assert server.wait() == 0, server.said()
    server.check_gone()


def test_clients_that_go_while_a_helper_signs(starter, site, big):
    """They break off right behind their hello; nothing is left of them, and the next one is served."""
    server = both(starter, site, big["big"], "event", "--workers", "1")
    ctx, port = context(big, trust="big"), secure_port(server)
    first = hello(ctx)
    for _ in range(20):
        crowd = [dial(port) for _ in range(20)]
        for sock in crowd:
            sock.sendall(first)
        for sock in crowd:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
    shake(port, ctx)
    worker = int(workers(server)[0][0].parts[2])
    sockets = lambda: sum("socket:" in os.readlink(fd) for fd in pathlib.Path(f"/proc/{worker}/fd").iterdir() if fd.is_symlink())
    before = sockets()
    assert wait_until(lambda: sockets() <= before, 10) and before < 20


def test_the_server_stops_while_a_helper_signs(starter, site, big):
    server = both(starter, site, big["big"], "event", "--workers", "1")
    first = hello(context(big, trust="big"))
    crowd = [dial(secure_port(server)) for _ in range(40)]
    for sock in crowd:
        sock.sendall(first)
    for sock in crowd[::2]:
        sock.close()
    time.sleep(0.05)
    server.signal()
    for sock in crowd[1::2]:
        assert sock.recv(1) in (b"\x16", b"")  # its hello, or the server was faster
        sock.close()
    assert server.wait() == 0, server.said()
    server.check_gone()


@pytest.mark.smoke
def test_half_handshakes_hold_up_nobody(starter, site, certs, model):
    """Some say nothing, some half a hello, some all of it and then nothing: others are answered, and the silent ones leave within 10 s."""
    few = model in ("sequential", "fork-wait", "prefork", "pool")
    server = both(starter, site, certs["localhost"], model, *(["--workers", "4"] if few else []))
    port, ctx = secure_port(server), context(certs)
    first, crowd = hello(ctx), []
    for i in range(3 if few else 120):
        sock = dial(port)
        sock.sendall([b"", first[:1], first[:100], first][i % 4])
        crowd.append(sock)
    began = time.monotonic()
    shake(port, ctx, 3)
    with dial(server.port) as plain:
        ask(plain)
    with ctx.wrap_socket(dial(port), server_hostname="localhost") as sock:
        ask(sock)
    assert time.monotonic() - began < (40 if few else 9)
    if not few:
        for sock in crowd[1::4]:
            sock.settimeout(25)
            assert sock.recv(1) == b""
    for sock in crowd:
        sock.close()


@pytest.mark.parametrize("kind", ["event", "pool"])
def test_half_handshakes_make_room(starter, site, certs, kind):
    """There are more of them than places: each gives its own up when somebody else wants it."""
    server = both(starter, site, certs["localhost"], kind, *(["--workers", "1", "--max-connections", "16"] if kind == "event" else ["--workers", "2"]))
    port, ctx = secure_port(server), context(certs)
    first = hello(ctx)
    crowd = []
    for i in range(40):
        sock = dial(port)
        sock.sendall(first[:1 + i])
        crowd.append(sock)
    began = time.monotonic()
    with ctx.wrap_socket(dial(port), server_hostname="localhost") as sock:
        ask(sock)
    assert time.monotonic() - began < (9 if not INSTRUMENTED else 30)
    for sock in crowd:
        sock.close()


def test_a_slow_client_gets_through(starter, site, certs, model):
    """Its hello comes a few bytes at a time, and so does the rest."""
    server = both(starter, site, certs["localhost"], model)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(certs).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with dial(secure_port(server)) as sock:
        for _ in range(100):
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
            data = outgoing.read()
            for at in range(0, len(data), 29):
                sock.sendall(data[at:at + 29])
                time.sleep(0.01)
            if not data:
                incoming.write(sock.recv(700))
        assert client.version() == "TLSv1.3"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("how", ["-new", "-reuse"])
def test_s_time(starter, site, big, version, how):
    """OpenSSL's own measure of handshakes, and of requests behind them."""
    server = both(starter, site, big["big"], "event", "--workers", "2")
    run = subprocess.run(["openssl", "s_time", "-connect", f"127.0.0.1:{secure_port(server)}", version, how, "-www", "/digits.txt", "-time", "2"],
                         capture_output=True, text=True, timeout=60, check=False)
    made = re.findall(r"^(\d+) connections in (\d+) real seconds, (\d+) bytes read", run.stdout, re.M)
    assert run.returncode == 0 and made and int(made[-1][0]) > 0 and int(made[-1][2]) > 0, run.stdout + run.stderr


def test_a_client_that_begins_with_a_group_we_lack(starter, site, big):
    """It is asked to begin again (HelloRetryRequest); both its hellos may need a helper."""
    server = both(starter, site, big["big"], "event", "--workers", "1")
    for groups in ("P-521:P-256", "P-521:X25519", "P-384", "P-521:P-384"):
        run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{secure_port(server)}", "-groups", groups, "-tls1_3", "-servername",
                              "localhost", "-ign_eof"], input=b"GET /digits.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                             capture_output=True, timeout=30, check=False)
        assert b"0123456789" in run.stdout, (groups, run.stdout[-500:], run.stderr)


def test_one_ticket_a_connection(starter, site, certs):
    """A whole handshake gives one, and so does one with a ticket, which is used up by that."""
    server = both(starter, site, certs["localhost"], "event")
    session = certs["folder"] / "session"
    for words in (["-sess_out", session], ["-sess_in", session]):
        run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{secure_port(server)}", "-servername", "localhost", "-msg", "-ign_eof", "-tls1_3",
                              *map(str, words)], input=b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", capture_output=True,
                             timeout=30, check=False)
        assert run.stdout.count(b"NewSessionTicket") == 1, run.stdout
        assert (b"Reused, TLSv1.3" in run.stdout) == (words[0] == "-sess_in")
