"""`tls:HOST:PORT` as an endpoint: against openssl s_server, against weir's own server under every model, and against servers that lie."""

import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import WEIR, wait_until
from test_tls import keys, make_cert


def weir(*words, data=b"", timeout=60, **options):
    return subprocess.run([WEIR, *map(str, words)], input=data, capture_output=True, timeout=timeout, **options)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """An authority, and what it has signed: {name: (cert, key)}."""
    folder = tmp_path_factory.mktemp("authority")
    ca = make_cert(folder, "authority")
    signed = {"ca": ca, "localhost": make_cert(folder, "site", "localhost", ca=ca),
              "other": make_cert(folder, "other", "other.example", ca=ca), "client": make_cert(folder, "client", ca=ca)}
    signed["expired"] = expired(folder, ca)
    signed["common"] = common_name(folder, ca)
    (folder / "chain.pem").write_bytes(signed["localhost"][0].read_bytes() + ca[0].read_bytes())
    return signed


def expired(folder, ca):
    """One whose time was over yesterday: `openssl ca` is the tool of Debian 12 that can say so."""
    cert, key = folder / "expired.pem", folder / "expired.key"
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("1000\n")
    (folder / "ca.cnf").write_text(f"[ca]\ndefault_ca=d\n[d]\nnew_certs_dir={folder}\ndatabase={folder}/index.txt\nserial={folder}/serial\n"
                                   "default_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
    run = lambda *words: subprocess.run(words, check=True, capture_output=True, timeout=60)
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(folder / "expired.csr"))
    run("openssl", "ca", "-batch", "-config", str(folder / "ca.cnf"), "-cert", str(ca[0]), "-keyfile", str(ca[1]), "-in",
        str(folder / "expired.csr"), "-out", str(cert), "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext")
    return cert, key


def common_name(folder, ca):
    """One that has its name where names were in the last century."""
    cert, key = folder / "common.pem", folder / "common.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                    "-CA", str(ca[0]), "-CAkey", str(ca[1]), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True, timeout=60)
    return cert, key


class OpenSSL:
    """openssl s_server, which sends back each line reversed (-rev), or whatever `words` say."""

    def __init__(self, pair, *words):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", str(pair[0]), "-key", str(pair[1]),
                                         "-quiet", *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def up():
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return True
            except OSError:
                return False
        assert wait_until(up, 20)

    @property
    def endpoint(self):
        return f"tls:localhost:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def echo(starter, authority):
    def begin(model="event", cert="localhost", *words):
        server = starter("echo", "--listen", "tls:127.0.0.1:0", "--model", model, *keys(authority[cert]), *words)
        return f"tls:localhost:{server.port}"
    return begin


# --- connect ---

@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_answers(authority, version):
    with OpenSSL(authority["localhost"], version, "-rev") as server:
        done = weir("connect", "--line", "--idle", 5, "--ca", authority["ca"][0], server.endpoint, data=b"stressed\n")
        assert done.stdout == b"desserts\n", done.stderr
        done = weir("connect", "--line", "--idle", 5, "--ca", authority["ca"][0], f"tls:127.0.0.1:{server.port}", data=b"was\n")
        assert done.stdout == b"saw\n", done.stderr


def test_there_and_back(echo, authority, model):
    data = os.urandom(3 << 20)
    done = weir("connect", "--ca", authority["ca"][0], echo(model), data=data)
    assert (done.returncode, done.stdout == data, done.stderr) == (0, True, b"")


def test_system_authorities_by_the_usual_variable(echo, authority):
    done = weir("connect", echo(), data=b"hello\n", env={**os.environ, "SSL_CERT_FILE": str(authority["ca"][0])})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"hello\n", b"")


def test_files_with_odd_names(echo, authority, tmp_path):
    odd = tmp_path / "a&b %20?.pem"
    odd.write_bytes(authority["ca"][0].read_bytes())
    done = weir("connect", "--ca", odd, echo(), data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"hello\n"), done.stderr


@pytest.mark.parametrize("cert, words, why", [
    ("localhost", [], r'signed by "authority", which is not trusted here; to trust it, name the file .*--ca FILE'),
    ("other", ["--ca"], r"not for localhost but for other\.example, 127\.0\.0\.1"),
    ("common", ["--ca"], r"not for localhost"),
    ("expired", ["--ca"], r"expired on 2020-01-02 00:00 UTC"),
])
def test_wrong_certificates(echo, authority, cert, words, why):
    words = [words[0], authority["ca"][0]] if words else []
    name = echo("event", cert)
    done = weir("connect", *words, name, data=b"x")
    said = done.stderr.decode()
    assert done.returncode == 1 and done.stdout == b"" and said.count("\n") == 1
    assert re.search(rf"^weir connect: cannot open {name}\S*: its certificate .*{why}", said), said
    done = weir("connect", "--insecure", name, data=b"x")
    assert (done.returncode, done.stdout) == (0, b"x")
    assert b"somebody in the middle" in done.stderr and done.stderr.count(b"\n") == 1


def test_client_certificate(echo, authority):
    name = echo("event", "localhost", "--client-ca", authority["ca"][0])
    trust = ["--ca", authority["ca"][0]]
    done = weir("connect", *trust, *keys(authority["client"]), name, data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"hello\n"), done.stderr
    done = weir("connect", *trust, name, data=b"hello\n")
    assert done.returncode == 1 and done.stdout == b""
    assert b"it wants a certificate of ours (--cert FILE --key FILE)" in done.stderr


class Liar(threading.Thread):
    """A server without TLS, for one client."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tls:127.0.0.1:{self.listener.getsockname()[1]}"
        self.answer = answer
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        with client, self.listener:
            client.settimeout(10)
            try:
                client.recv(4096)
                self.answer(client)
            except OSError:
                pass


def flood(client):
    for _ in range(2000):
        client.sendall(b"\x16\x03\x03\x40\x00" + bytes(16384))


@pytest.mark.parametrize("answer, why", [
    (lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), b"what it answers is no TLS"),
    (lambda client: client.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n"), b"what it answers is no TLS"),
    (lambda client: None, b"does it speak TLS?"),
    (lambda client: client.recv(1), b"no TLS handshake came of it in time"),
    (flood, b": "),
    (lambda client: client.sendall(os.urandom(100000)), b": "),
])
def test_liars(answer, why):
    done = weir("connect", "--timeout", 2, Liar(answer).endpoint, data=b"x", timeout=30)
    assert done.returncode == 1 and done.stdout == b""
    assert why in done.stderr and done.stderr.count(b"\n") == 1, done.stderr


def test_nobody_there_and_names():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = weir("connect", f"tls:127.0.0.1:{port}")
    assert done.returncode == 1 and b"nobody listens there" in done.stderr
    for words, why in [(["tls:localhost"], b"port is missing"), (["-k", "tcp:localhost:1"], b"--insecure is for tls:"),
                       (["tls:localhost:1?color=red"], b"behind the ?")]:
        done = weir("connect", *words)
        assert done.returncode == 2 and why in done.stderr


def serve_once(authority, act):
    """A server in this process that speaks TLS and then does what the test says. Its endpoint."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(*map(str, authority["localhost"]))
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with listener, listener.accept()[0] as plain:
            plain.settimeout(10)
            try:
                act(ctx.wrap_socket(plain, server_side=True))
            except OSError:
                pass
    threading.Thread(target=run, daemon=True).start()
    return f"tls:localhost:{listener.getsockname()[1]}"


def test_a_cut_is_told_and_an_end_is_not(authority):
    def cut(client):
        client.sendall(b"half of it")
        time.sleep(0.3)  # else the kernel may call it a reset
        client.shutdown(socket.SHUT_RDWR)

    def end(client):
        client.sendall(b"all of it")
        client.unwrap()
    done = weir("connect", "--ca", authority["ca"][0], serve_once(authority, cut))
    assert (done.returncode, done.stdout) == (1, b"half of it")
    assert b"without a close_notify: what came may not be all of it" in done.stderr
    done = weir("connect", "--ca", authority["ca"][0], serve_once(authority, end))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"all of it", b"")


# --- dialled: the relay's target ---

@pytest.fixture
def relay(starter, authority):
    def begin(model, target, *words):
        server = starter("relay", "--listen", "tcp:127.0.0.1:0", "--model", model, *words, target)
        return server, server.port
    return begin


def plain_talk(port, data):
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.settimeout(30)
        sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)), daemon=True)
        sender.start()
        parts = []
        while part := client.recv(65536):
            parts.append(part)
        sender.join(10)
    return b"".join(parts)


def test_relay_to_tls(echo, relay, authority, model):
    """More than all queues hold, both ways at once: nothing stands still, nothing is lost."""
    server, port = relay(model, f"{echo()}?ca={authority['ca'][0]}")
    data = os.urandom(8 << 20)
    assert plain_talk(port, data) == data
    assert [plain_talk(port, b"%d" % i) for i in range(5)] == [b"%d" % i for i in range(5)]


def test_relay_to_a_server_that_is_not_trusted(echo, relay, authority, model):
    server, port = relay(model, echo("event", "other") + f"?ca={authority['ca'][0]}")
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.settimeout(20)
        with pytest.raises(ConnectionResetError):
            client.sendall(b"x")
            assert client.recv(1) == b""
            raise ConnectionResetError  # an end is as good where the kernel was faster
    assert wait_until(lambda: "cannot reach tls:" in server.said(), 10), server.said()


def test_relay_tries_the_next_target(echo, starter, authority):
    bad = Liar(lambda client: client.sendall(b"no\r\n")).endpoint
    server = starter("relay", "--listen", "tcp:127.0.0.1:0", "--model", "event", bad, f"{echo()}?ca={authority['ca'][0]}")
    assert plain_talk(server.port, b"hello") == b"hello"


# --- relays that speak TLS to their clients, and load ---

def tls_talk(port, authority, data):
    return weir("connect", "--ca", authority["ca"][0], f"tls:localhost:{port}", data=data)


def test_relay_from_tls(starter, authority, model):
    server = starter("relay", "--listen", "tls:127.0.0.1:0", *keys(authority["localhost"]), "--model", model, "exec:cat")
    assert server.urls[0].startswith("tls:127.0.0.1:")
    data = os.urandom(2 << 20)
    done = tls_talk(server.port, authority, data)
    assert (done.returncode, done.stdout == data, done.stderr) == (0, True, b"")


def test_relay_from_tls_to_tls(starter, echo, authority, model):
    server = starter("relay", "--listen", "tls:127.0.0.1:0", *keys(authority["localhost"]), "--model", model, "--ca", authority["ca"][0], echo())
    data = os.urandom(4 << 20)
    done = tls_talk(server.port, authority, data)
    assert (done.returncode, done.stdout == data, done.stderr) == (0, True, b"")


class Pair:
    """weir relay A B, one of which waits for a client."""

    def __init__(self, *words):
        self.process = subprocess.Popen([WEIR, "relay", *map(str, words)], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        match = re.match(r"weir: relay at (tls|tcp):.*:(\d+)$", line)
        assert match, line + self.process.stderr.read()
        self.kind, self.port = match[1], int(match[2])

    def end(self):
        said = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(20), said


def test_pair_that_listens_by_tls(authority):
    pair = Pair("listen:tls:127.0.0.1:0", *keys(authority["localhost"]), "exec:cat")
    assert pair.kind == "tls"
    data = os.urandom(1 << 20)
    done = tls_talk(pair.port, authority, data)
    assert (done.returncode, done.stdout == data) == (0, True), done.stderr
    assert pair.end() == (0, f"weir relay: a→b {len(data)} bytes, b→a {len(data)} bytes\n")


def test_pair_to_tls(echo, authority):
    pair = Pair("--ca", authority["ca"][0], "listen:tcp:127.0.0.1:0", echo())
    data = os.urandom(8 << 20)
    assert plain_talk(pair.port, data) == data
    assert pair.end()[0] == 0


def test_pair_and_a_server_that_is_not_trusted(echo, authority):
    pair = Pair("--ca", authority["ca"][0], "listen:tcp:127.0.0.1:0", echo("event", "other"))
    with socket.create_connection(("127.0.0.1", pair.port), 10):
        status, said = pair.end()
    assert status == 1 and "its certificate is not for localhost but for other.example" in said


@pytest.mark.parametrize("words, why", [
    (["--listen", "tls:127.0.0.1:0", "exec:cat"], "TLS needs a certificate: --cert FILE --key FILE"),
    (["listen:tls:127.0.0.1:0", "exec:cat"], "TLS needs a certificate"),
    (["--listen", "tcp:127.0.0.1:0", "-k", "tcp:127.0.0.1:1"], "--insecure is for an end that is connected to by TLS"),
    (["--listen", "tcp:127.0.0.1:0", "--send-proxy-v2", "tls:127.0.0.1:1"], "would have to come before TLS"),
    (["--cert", "x", "tcp:127.0.0.1:1", "exec:cat"], "waits for clients by TLS"),
])
def test_relay_words(words, why):
    done = weir("relay", *words)
    assert done.returncode == 2 and why in done.stderr.decode(), done.stderr


@pytest.mark.parametrize("words", [[], ["--new"], ["-p", 4]])
def test_load_of_https(starter, site, authority, words):
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", "--access-log", "off", "--model", "event", *keys(authority["localhost"]))
    url = f"https://localhost:{server.port}/digits.txt"
    done = weir("load", url, "--ca", authority["ca"][0], "-n", 200, "-c", 8, "--json", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["requests"] == 200
    done = weir("load", url, "-n", 1)
    assert done.returncode == 1 and b"not trusted here" in done.stderr and done.stdout == b""
    done = weir("load", url, "-n", 1, "-k")
    assert done.returncode == 0 and b"--insecure" in done.stderr


def test_load_of_tls(echo, authority, model):
    done = weir("load", echo(model) + f"?ca={authority['ca'][0]}", "--echo", 1000, "-n", 100, "-c", 2)
    assert done.returncode == 0, done.stderr
