"""TLS at any listener, under every model: curl, openssl s_client and Python's ssl talk to it."""

import hashlib
import os
import random
import re
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import INSTRUMENTED, WEIR, Starter, memory_of, session_processes, wait_until


def make_cert(folder, name, *names, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), ca=None):
    """A certificate, of its own making or of `ca`'s: (cert, key)."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    alt = ",".join(f"DNS:{n}" for n in names or ["localhost"]) + ",IP:127.0.0.1"
    words = ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "30", "-subj", f"/CN={name}", "-addext",
             f"subjectAltName={alt}", "-keyout", str(key), "-out", str(cert)]
    if ca:
        words += ["-CA", str(ca[0]), "-CAkey", str(ca[1])]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return cert, key


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    return {
        "folder": folder,
        "localhost": make_cert(folder, "localhost"),
        "rsa": make_cert(folder, "rsa", "rsa.test", kind=("rsa:2048",)),
        "client": make_cert(folder, "client", "client.test"),
    }


def keys(pair):
    return ["--cert", pair[0], "--key", pair[1]]


def context(certs, version=None, trust="localhost"):
    ctx = ssl.create_default_context(cafile=str(certs[trust][0]))
    ctx.verify_flags &= ~ssl.VERIFY_X509_STRICT if hasattr(ssl, "VERIFY_X509_STRICT") else ~0
    if version:
        ctx.minimum_version = ctx.maximum_version = version
    return ctx


def connect(server, ctx, name="localhost", session=None):
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    return ctx.wrap_socket(plain, server_hostname=name, session=session, suppress_ragged_eofs=False)


def talk(sock, data):
    """Sends all, while reading as much back. In one thread: Python's ssl does not bear two on one connection."""
    seconds, sent, parts, left = sock.gettimeout(), 0, [], len(data)
    end = time.monotonic() + 20
    sock.setblocking(False)
    while left:
        assert time.monotonic() < end, f"{left} bytes did not come back, {len(data) - sent} were not taken"
        wait_write = False
        try:
            if sent < len(data):
                sent += sock.send(memoryview(data)[sent:sent + 65536])
        except ssl.SSLWantWriteError:
            wait_write = True
        except ssl.SSLWantReadError:
            pass
        try:
            part = sock.recv(min(left, 1 << 16))
            assert part
            parts.append(part)
            left -= len(part)
        except ssl.SSLWantReadError:
            if wait_write or sent == len(data):
                select.select([sock], [sock] if wait_write else [], [], 1)
    sock.settimeout(seconds)
    return b"".join(parts)


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def _https(model, site, certs, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("https"))
    yield starter("serve", site, "--listen", "https://127.0.0.1:0", "--model", model, *keys(certs["localhost"]))
    starter.end()


@pytest.fixture
def https(_https):
    yield _https
    assert _https.process.poll() is None, _https.said()
    _https.check_healthy()


@pytest.fixture(scope="module")
def _echo(model, certs, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("echo"))
    yield starter("echo", "--listen", "tls:127.0.0.1:0", "--model", model, *keys(certs["localhost"]))
    starter.end()


@pytest.fixture
def echo(_echo):
    yield _echo
    _echo.check_healthy()


def curl(server, certs, path, *words):
    return subprocess.run(["curl", "-sS", "--cacert", certs["localhost"][0], *words, f"https://localhost:{server.port}{path}"],
                          capture_output=True, timeout=60)


@pytest.mark.smoke
def test_ready_line(https, echo):
    assert re.search(r"^weir: serving .* at https://127\.0\.0\.1:\d+/ \(", https.said(), re.M)
    assert re.search(r"^weir: echo at tls:127\.0\.0\.1:\d+ \(", echo.said(), re.M)


@pytest.mark.smoke
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_gets_files(https, site, certs, version):
    limits = ["--tls-max", version, f"--tlsv{version}"]
    for name in ("digits.txt", "big.bin", "empty.txt"):
        answer = curl(https, certs, f"/{name}", *limits)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout == (site / name).read_bytes()
    twice = curl(https, certs, "/digits.txt", *limits, "-w", "%{num_connects}", f"https://localhost:{https.port}/digits.txt")
    assert twice.stdout.count(b"0123456789") == 2


@pytest.mark.smoke
@pytest.mark.parametrize("version", VERSIONS)
def test_megabytes_both_ways(echo, certs, version):
    data = random.Random(1).randbytes(5 << 20)
    with connect(echo, context(certs, version)) as sock:
        assert sock.version() == {VERSIONS[0]: "TLSv1.2", VERSIONS[1]: "TLSv1.3"}[version]
        assert talk(sock, data) == data
        sock.unwrap()  # our close_notify, and theirs


@pytest.mark.long
def test_a_hundred_megabytes_both_ways(echo, certs):
    block = os.urandom(1 << 20)
    sent, got = hashlib.sha256(), hashlib.sha256()
    with connect(echo, context(certs)) as sock:
        for _ in range(100):
            sent.update(block)
            got.update(talk(sock, block))
        sock.unwrap()
    assert sent.digest() == got.digest()


def test_a_slow_reader_is_waited_for(echo, certs):
    with connect(echo, context(certs)) as sock:
        sock.settimeout(1)
        block, sent = os.urandom(65536), 0
        try:
            while sent < 128 << 20:
                sent += sock.send(block)
        except (TimeoutError, ssl.SSLWantWriteError):
            pass
        assert sent < 64 << 20, "somebody holds it all in memory"
        sock.settimeout(20)
        left = sent
        while left > 0:
            time.sleep(0.001)
            left -= len(sock.recv(min(left, 300_000)))


def test_clients_at_once(echo, certs):
    ctx, results = context(certs), []

    def client(number):
        data = random.Random(number).randbytes(100_000 + number)
        with connect(echo, ctx) as sock:
            results.append(talk(sock, data) == data)

    threads = [threading.Thread(target=client, args=[i]) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert results == [True] * 12


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_resumed_by_any_worker(https, certs, tmp_path, version):
    session = tmp_path / "session"
    subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{https.port}", "-servername", "localhost", version,
                    "-sess_out", session, "-ign_eof"], input=b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   capture_output=True, timeout=30)
    for _ in range(6):
        again = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{https.port}", "-servername", "localhost", version,
                                "-sess_in", session], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        assert b"Reused, TLS" in again.stdout, again.stdout


def test_persistent_clients_share_the_threads_of_a_pool(starter, site, certs):
    """At rest they are parked, and go on with any thread."""
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", "--model", "pool", "--workers", "2", *keys(certs["localhost"]))
    clients = [connect(server, context(certs, VERSIONS[i % 2])) for i in range(12)]
    for _ in range(3):
        for client in clients:
            client.sendall(b"GET /digits.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"0123456789"):
                answer += client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" not in answer
    for client in clients:
        client.close()


def test_http2_needs_its_name(https, certs):
    """RFC 9113 section 3.3: over TLS it is agreed upon, and not begun by who knows beforehand."""
    for names in ([], ["http/1.1"]):
        ctx = context(certs)
        if names:
            ctx.set_alpn_protocols(names)
        with connect(https, ctx) as sock:
            sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            assert sock.recv(100).startswith(b"HTTP/1.1 505 ")


def test_what_every_http2_server_over_tls_12_has(starter, site, certs):
    """RFC 9113 section 9.2.2: one cipher suite, and a curve for it."""
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", *keys(certs["rsa"]))
    ctx = context(certs, ssl.TLSVersion.TLSv1_2, "rsa")
    ctx.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    ctx.set_ecdh_curve("prime256v1")
    ctx.set_alpn_protocols(["h2"])
    with connect(server, ctx, "rsa.test") as sock:
        assert sock.cipher()[0] == "ECDHE-RSA-AES128-GCM-SHA256" and sock.selected_alpn_protocol() == "h2"
        assert sock.compression() is None and sock.recv(9)[3:9] == bytes([4, 0, 0, 0, 0, 0])


def test_old_versions_and_weak_ciphers_are_refused(https):
    for words in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
                  ["-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"]):
        answer = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{https.port}", *words],
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        assert answer.returncode != 0, words


def test_alpn(https, certs):
    ctx = context(certs)
    ctx.set_alpn_protocols(["h2", "http/1.1"])
    with connect(https, ctx) as sock:
        assert sock.selected_alpn_protocol() == "h2"
    ctx.set_alpn_protocols(["http/1.1"])
    with connect(https, ctx) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
    ctx.set_alpn_protocols(["nonsense"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        connect(https, ctx)


def test_an_end_without_close_notify(https, certs):
    """A reply that ends the connection ends with close_notify; a client that just vanishes costs nothing."""
    with connect(https, context(certs)) as sock:
        sock.sendall(b"GET /digits.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        whole = b""
        while part := sock.recv(65536):  # an SSLEOFError otherwise
            whole += part
        assert whole.endswith(b"0123456789")
    for _ in range(5):
        sock = connect(https, context(certs))
        sock.sendall(b"GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        socket.socket(fileno=os.dup(sock.fileno())).shutdown(socket.SHUT_RDWR)
        sock.close()
    assert curl(https, certs, "/digits.txt").stdout == b"0123456789"


@pytest.mark.smoke
def test_garbage(https, certs):
    for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(3000), b"\x16\x03\x01\x02\x00" + b"\0" * 512, b"\x16"):
        with socket.create_connection(("127.0.0.1", https.port), timeout=20) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            try:
                assert len(sock.recv(1000)) <= 7
            except ConnectionResetError:
                pass
    assert curl(https, certs, "/digits.txt").stdout == b"0123456789"


def test_the_certificate_by_name(starter, site, certs):
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", *keys(certs["localhost"]), *keys(certs["rsa"]))
    for name in ("localhost", "rsa.test"):
        trust = "rsa" if name == "rsa.test" else "localhost"
        with connect(server, context(certs, trust=trust), name) as sock:
            assert ("DNS", name) in sock.getpeercert()["subjectAltName"]
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(server, context(certs), "other.test")


def test_http_and_https_side_by_side(starter, site, certs):
    server = starter("serve", site, "--listen", "http://127.0.0.1:0", "--listen", "https://127.0.0.1:0",
                     *keys(certs["localhost"]), listeners=2)
    assert [url.split(":")[0] for url in server.urls] == ["http", "https"]
    for url in server.urls:
        answer = subprocess.run(["curl", "-sS", "--cacert", certs["localhost"][0], f"{url}digits.txt"], capture_output=True, timeout=30)
        assert answer.stdout == b"0123456789", answer.stderr


def test_client_certificates(starter, certs):
    server = starter("echo", "--listen", "tls:127.0.0.1:0", *keys(certs["localhost"]), "--client-ca", certs["client"][0])
    ctx = context(certs)
    ctx.load_cert_chain(*certs["client"])
    with connect(server, ctx) as sock:
        assert talk(sock, b"known") == b"known"
    for stranger in (None, "rsa"):
        ctx = context(certs)
        if stranger:
            ctx.load_cert_chain(*certs[stranger])
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            with connect(server, ctx) as sock:
                talk(sock, b"unknown")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_whose_authority_is_removed_is_out(starter, certs, tmp_path, version):
    """No worker lets it in once more, and a session of before does not help."""
    trusted = tmp_path / "trusted.pem"
    shutil.copy(certs["client"][0], trusted)
    server = starter("echo", "--listen", "tls:127.0.0.1:0", *keys(certs["localhost"]), "--client-ca", trusted, "--model", "event",
                     "--workers", "2")
    ctx = context(certs, version)
    ctx.load_cert_chain(*certs["client"])
    with connect(server, ctx) as sock:
        assert talk(sock, b"known") == b"known"
        session = sock.session
    shutil.copy(certs["rsa"][0], tmp_path / "next.pem")
    (tmp_path / "next.pem").rename(trusted)
    time.sleep(1.2)
    for old in (session, session, session, session, None, None, None, None):
        with pytest.raises((ssl.SSLError, OSError)):
            with connect(server, ctx, session=old) as sock:
                assert talk(sock, b"known") == b"known"


def test_many_handshakes_and_no_growth(starter, certs):
    server = starter("echo", "--listen", "tls:127.0.0.1:0", *keys(certs["localhost"]), "--model", "event", "--workers", "1")
    ctx = context(certs)

    def some(count):
        for _ in range(count):
            with connect(server, ctx) as sock:
                assert talk(sock, b"x") == b"x"

    some(200)
    before = memory_of(session_processes(server.pid))
    some(2000 if os.environ.get("WEIR_ALL") else 400)
    if not INSTRUMENTED:  # sanitizers keep what was freed
        assert memory_of(session_processes(server.pid)) < before + (1500 << 10)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_redirect_and_hsts(starter, site, certs, model):
    port = free_port()
    server = starter("serve", site, "--listen", "http://127.0.0.1:0", "--listen", f"https://127.0.0.1:{port}", "--model", model,
                     "--https-redirect", "--hsts", *keys(certs["localhost"]), listeners=2)

    def head(url, *words):
        return subprocess.run(["curl", "-sSI", "--http1.1", "--cacert", certs["localhost"][0], *words, url], capture_output=True,
                              text=True, timeout=30).stdout

    plain = head(f"{server.url}/dir/a%20b?x=1&y", "-H", "Host: localhost:80")
    assert plain.startswith("HTTP/1.1 308 "), plain
    assert f"\nLocation: https://localhost:{port}/dir/a%20b?x=1&y\n" in plain
    assert "Strict-Transport" not in plain
    assert f"Location: https://[::1]:{port}/" in head(f"{server.url}/", "-H", "Host: [::1]")
    assert head(f"{server.url}/", "--http1.0", "-H", "Host:").startswith("HTTP/1.1 400 ")
    secure = head(f"https://localhost:{port}/digits.txt")
    assert secure.startswith("HTTP/1.1 200 ")
    assert "\nStrict-Transport-Security: max-age=63072000; includeSubDomains\n" in secure
    assert "Strict-Transport" in head(f"https://localhost:{port}/dir")  # a 301


def test_a_policy_of_ones_own_replaces_hsts(starter, site, certs, model):
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", "--model", model, *keys(certs["localhost"]), "--hsts", "--field",
                     "Strict-Transport-Security: max-age=60")
    for version in ("--http1.1", "--http2"):
        said = curl(server, certs, "/digits.txt", "-I", version).stdout.decode()
        assert re.findall(r"^strict-transport-security: (.*)\r$", said, re.M | re.I) == ["max-age=60"], said


def test_a_script_knows_that_it_is_https(starter, site, certs, tmp_path):
    script = tmp_path / "env"
    script.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n")
    script.chmod(0o755)
    server = starter("serve", site, "--listen", "http://127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--cgi",
                     f"/cgi={tmp_path}", *keys(certs["localhost"]), listeners=2)
    said = [subprocess.run(["curl", "-sS", "--cacert", certs["localhost"][0], f"{url}cgi/env"], capture_output=True, text=True,
                           timeout=30).stdout for url in server.urls]
    assert "REQUEST_SCHEME=http\n" in said[0] and "HTTPS" not in said[0]
    assert "REQUEST_SCHEME=https\n" in said[1] and "HTTPS=on\n" in said[1]
    assert all("REMOTE_ADDR=127.0.0.1\n" in text and re.search(r"REMOTE_PORT=[1-9]", text) for text in said)
    assert f"SERVER_PORT={server.urls[1].rstrip('/').rpartition(':')[2]}\n" in said[1]


def test_addresses_are_known_within_tls(starter, site, certs, tmp_path, model):
    """The log has them, and so have those who are let in by them."""
    log = tmp_path / "log"
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", "--model", model, "--access-log", log, "--status", "/status", *keys(certs["localhost"]))
    for version in ("--http1.1", "--http2"):
        assert curl(server, certs, "/status", version, "-o", "/dev/null", "-w", "%{http_code}").stdout == b"200"
    server.stop()
    for line, version in zip(log.read_text().splitlines(), ("1.1", "2.0"), strict=True):
        assert re.match(rf'127\.0\.0\.1 - - .* "GET /status HTTP/{re.escape(version)}" 200 ', line), line


def test_a_program_ends_when_its_client_leaves_tls(starter, site, certs, tmp_path, model):
    """The last word of such a client, close_notify, lies unread while the program works."""
    script = tmp_path / "hang"
    script.write_text("#!/bin/sh\necho $$ > pid\nexec sleep 300\n")
    script.chmod(0o755)
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", "--model", model, "--cgi", f"/cgi={tmp_path}", *keys(certs["localhost"]))
    for version in VERSIONS:
        (tmp_path / "pid").unlink(missing_ok=True)
        client = connect(server, context(certs, version))
        client.sendall(b"GET /cgi/hang HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"), 15)
        pid = int((tmp_path / "pid").read_text())
        client.settimeout(0.2)
        try:
            client.unwrap()  # says close_notify; nobody answers it yet
        except (OSError, ValueError):
            pass
        client.close()
        assert wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 20), "the program lives on"


@pytest.mark.parametrize("words, said", [
    (["--listen", "https://127.0.0.1:0", "--cert", "CERT", "--key", "KEY", "--https-redirect"], "needs the port"),
    (["--listen", "https://127.0.0.1:0"], "needs a certificate"),
    (["--listen", "http://127.0.0.1:0", "--cert", "x.pem"], "no listener has it"),
    (["--listen", "https://127.0.0.1:0", "--cert", "/nowhere.pem"], "/nowhere.pem: No such file"),
    (["--listen", "https://127.0.0.1:0", "--cert", "/dev/null"], "/dev/null"),
    (["--listen", "https://127.0.0.1:0", "--cert", "CERT", "--key", "OTHER"], "cannot use the key"),
    (["--listen", "https://127.0.0.1:0", "--cert", "CERT", "--cert", "CERT", "--key", "OTHER"], "one --key for each"),
    (["--listen", "https://127.0.0.1:0", "--cert", "CERT", "--key", "KEY", "--client-ca", "/nowhere.pem"], "authorities in /nowhere"),
])
def test_what_cannot_be_used_is_said(certs, words, said):
    names = {"CERT": certs["localhost"][0], "KEY": certs["localhost"][1], "OTHER": certs["rsa"][1]}
    words = [str(names.get(word, word)) for word in words]
    result = subprocess.run([WEIR, "serve", *words], capture_output=True, text=True, timeout=20)
    assert result.returncode in (1, 2) and said in result.stderr, result.stderr
    assert result.stderr.count("\n") <= 2


def test_a_certificate_for_each_site_of_a_configuration(starter, site, certs, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "index.html").write_text(folder.name)
    conf = tmp_path / "weir.conf"
    conf.write_text(f"""listen = "https://127.0.0.1:0"
cert = "{certs['localhost'][0]}"
key = "{certs['localhost'][1]}"
site "localhost" {{ root = "{one}" }}
site "rsa.test" {{
    root = "{other}"
    cert = "{certs['rsa'][0]}"
    key = "{certs['rsa'][1]}"
}}
""")
    server = starter("serve", "--config", conf)
    for name, text in (("localhost", "one"), ("rsa.test", "other")):
        with connect(server, context(certs, trust="rsa" if text == "other" else "localhost"), name) as sock:
            assert ("DNS", name) in sock.getpeercert()["subjectAltName"]
            sock.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            whole = b""
            while part := sock.recv(65536):
                whole += part
            assert whole.endswith(text.encode())
    config = lambda *words: subprocess.run([WEIR, "config", *map(str, words)], capture_output=True, text=True, timeout=20)
    assert f"{certs['rsa'][0]} (line 7)" in config("explain", conf, "https://rsa.test/").stdout
    assert config("show", conf).stdout.count("cert = ") == 3  # in force in three blocks
    assert config("check", conf).returncode == 0
    conf.write_text(conf.read_text().replace("    key = ", "    # key = ").replace("    cert = ", f"    key = {{\"a\", \"b\"}}\n    cert = "))
    wrong = config("check", conf)
    assert wrong.returncode == 2 and ":8:" in wrong.stderr and "one key for each" in wrong.stderr, wrong.stderr


def test_whose_certificate_it_was_is_logged(starter, site, certs, tmp_path):
    script = tmp_path / "who"
    script.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n%s' \"$SSL_CLIENT_S_DN\"\n")
    script.chmod(0o755)
    log = tmp_path / "access.log"
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", *keys(certs["localhost"]), "--client-ca", certs["client"][0],
                     "--access-log", log, "--log-format", "subject status target", "--cgi", f"/cgi={tmp_path}", "--model", "event")
    for version in ("1.2", "1.3"):
        answer = curl(server, certs, "/cgi/who", "--cert", certs["client"][0], "--key", certs["client"][1], "--tls-max", version)
        assert answer.stdout == b"CN=client", answer.stderr
    server.stop()
    assert log.read_text().splitlines() == ['subject="CN=client" status=200 target="/cgi/who"'] * 2
