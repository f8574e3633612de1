"""Private keys in a process of their own (--key-process), files that change, and OCSP responses, under every model."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import WEIR, session_processes, wait_until
from test_handshakes import ask, dial, secure_port, shake
from test_tls import certs, context, curl, keys, make_cert  # pylint: disable=unused-import

KINDS = {"rsa": ("rsa:2048",), "ec": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "p384": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
         "ed25519": ("ed25519",)}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_cert(folder, name, "localhost", kind=kind) for name, kind in KINDS.items()}


def https(starter, site, pair, model, *words):
    return starter("serve", site, "--listen", "https://127.0.0.1:0", "--model", model, *keys(pair), *words)


def secrets(key):
    """The private numbers of a key file in both byte orders (little-endian is how OpenSSL keeps them), and lines of its text."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-text", "-noout"], check=True, capture_output=True, text=True).stdout
    numbers = [bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
               for name, digits in re.findall(r"^(\w+):\n((?:    [0-9a-f:]+\n?)+)", text, re.M)
               if name in ("priv", "privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient")]
    assert numbers
    lines = pathlib.Path(key).read_bytes().splitlines()[1:-1]
    return [n for number in numbers for n in (number, number[::-1])] + lines[1:2] + lines[:1] * (len(lines) == 1)


def memory(pid):
    """All of a process's memory that it can read itself, map by map."""
    with open(f"/proc/{pid}/mem", "rb", 0) as mem, open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(n, 16) for n in span.split("-"))
            if "r" not in rights or "[v" in line or end - start > 1 << 36:  # [vvar] cannot be read, nor a sanitizer's shadow
                continue
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except OSError:
                continue


def holders(server, sought):
    """(processes that hold any of it, those that do not, those that cannot be looked into)."""
    have, clean, closed = [], [], []
    for pid in session_processes(server.pid):
        try:
            (have if any(s in part for part in memory(pid) for s in sought) else clean).append(pid)
        except PermissionError:
            closed.append(pid)
    return have, clean, closed


@pytest.mark.skipif(b"__asan_init" in pathlib.Path(WEIR).read_bytes(), reason="a sanitizer's memory is terabytes")
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_no_byte_of_a_key_is_in_a_worker(starter, site, pairs, model, kind):
    pair, sought = pairs[kind], secrets(pairs[kind][1])
    ctx = context({"ca": pair}, trust="ca")
    for with_process in (False, True):
        server = https(starter, site, pair, model, *(["--key-process"] if with_process else []))
        threads = [threading.Thread(target=shake, args=(server.port, ctx, 10)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with ctx.wrap_socket(dial(server.port), server_hostname="localhost") as sock:
            ask(sock)  # so that a model that forks has somebody there now
            have, clean, closed = holders(server, sought)
        if with_process:
            assert len(have) + len(closed) == 1 and len(clean) >= 2, (have, clean, closed)
        else:
            assert len(have) >= 2 and not clean, (have, clean, closed)  # the search finds what is there
        server.stop()


@pytest.mark.smoke
@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_keys_sign(starter, site, pairs, model, kind):
    server = https(starter, site, pairs[kind], model, "--key-process")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        ctx = context({"ca": pairs[kind]}, version, "ca")
        with ctx.wrap_socket(dial(server.port), server_hostname="localhost") as sock:
            assert ask(sock) < 20
    server.stop()


def key_process(server):
    """The child that has given up new privileges."""
    def there():
        return [pid for pid in server.children() if re.search(r"^NoNewPrivs:\s+1$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)]
    pid, = wait_until(there, 20)
    return pid


def halt(pid):
    """Stops a process; a thread that is at work does so only when it gets its turn."""
    os.kill(pid, signal.SIGSTOP)
    states = lambda: {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}
    assert wait_until(lambda: states() == {"T"}, 20)


def test_it_dies_and_comes_back(starter, site, pairs, model):
    server = https(starter, site, pairs["rsa"], model, "--key-process", "--workers", "2")
    ctx = context({"ca": pairs["rsa"]}, trust="ca")
    shake(server.port, ctx, 3)
    for _ in range(3):
        before = key_process(server)
        os.kill(before, signal.SIGKILL)
        shake(server.port, ctx)  # it waits for the successor, rather than fail
        assert before not in server.children()
    assert wait_until(lambda: server.said().count("the process that keeps keys") == 3, 10), server.said()
    halt(key_process(server))  # it neither lives nor dies
    began = time.monotonic()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake(server.port, ctx)
    assert time.monotonic() - began < 15
    for pid in server.children():
        os.kill(pid, signal.SIGCONT)
    shake(server.port, ctx)
    server.stop()


def test_it_ends_after_the_workers(starter, site, pairs):
    server = https(starter, site, pairs["rsa"], "event", "--key-process", "--access-log", site.parent / "keys.log")
    with context({"ca": pairs["rsa"]}, trust="ca").wrap_socket(dial(server.port), server_hostname="localhost") as sock:
        ask(sock)
        server.signal()
    assert server.wait() == 0
    server.check_gone()


def test_it_has_given_up_what_it_does_not_need(starter, site, pairs):
    server = https(starter, site, pairs["ec"], "event", "--key-process")
    shake(server.port, context({"ca": pairs["ec"]}, trust="ca"))
    pid = key_process(server)
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    if b"__asan_init" not in pathlib.Path(WEIR).read_bytes() and b"__tsan_init" not in pathlib.Path(WEIR).read_bytes():
        assert re.search(r"^Seccomp:\s+2$", status, re.M)
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"^Max core file size\s+0\s+0", limits, re.M)
    if os.geteuid() == 0:  # else it cannot be looked at, which shows the same
        links = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        inodes = {link[8:-1] for link in links if link.startswith("socket:")}
        tcp = {line.split()[9] for line in pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]}
        assert not inodes & tcp  # neither listener nor connection


def put(to, pair):
    """Replaces both files, each in one step."""
    for source, target in zip(pair, to):
        next_one = target.with_suffix(".next")
        next_one.write_bytes(source.read_bytes())
        next_one.rename(target)


def shown(port, workers):
    """The certificates that a server shows now, as PEM, to so many clients at once: in a model of one client a worker, those of all workers."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    with contextlib.ExitStack() as clients:
        return {ssl.DER_cert_to_PEM_cert(clients.enter_context(ctx.wrap_socket(dial(port))).getpeercert(True)) for _ in range(workers)}


def pem(pair):
    return pair[0].read_text()


@pytest.mark.parametrize("words", [[], ["--key-process"]])
def test_files_that_change_are_read_again(starter, site, pairs, tmp_path, model, words):
    files = tmp_path / "site.pem", tmp_path / "site.key"
    put(files, pairs["ec"])
    server = https(starter, site, files, model, *words, *(["--workers", "2"] if model != "event" else ["--workers", "1"]))
    port, workers = server.port, 2 if model == "prefork" else 1
    assert shown(port, workers) == {pem(pairs["ec"])}
    old = context({"ca": pairs["ec"]}, trust="ca").wrap_socket(dial(port), server_hostname="localhost")
    lives = model not in ("sequential", "fork-wait", "prefork")  # elsewhere it would be in the way
    if not lives:
        old.close()
    put(files, pairs["rsa"])
    assert wait_until(lambda: shown(port, workers) == {pem(pairs["rsa"])}, 20, 0.3), server.said()
    if lives:
        ask(old)  # it keeps what it has
        old.close()
    files[1].write_text("nonsense")
    time.sleep(1.2)
    for _ in range(30):
        assert shown(port, workers) == {pem(pairs["rsa"])}
        if "in force" in server.said():
            break
        time.sleep(0.3)
    said = server.said()
    assert len(re.findall("before stays? in force", said)) == 1 and "site.key" in said, said
    put(files, pairs["p384"])
    assert wait_until(lambda: shown(port, workers) == {pem(pairs["p384"])}, 20, 0.3), server.said()
    server.stop()


# --- OCSP ---

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A small authority, and a certificate of it with the chain behind it."""
    folder = tmp_path_factory.mktemp("ocsp")
    ca = make_cert(folder, "ca", "ca.test")
    cert, key = make_cert(folder, "leaf", "localhost", ca=ca)
    chain = folder / "chain.pem"
    chain.write_text(cert.read_text() + ca[0].read_text())
    return {"folder": folder, "ca": ca, "leaf": (chain, key), "cert": cert}


def respond(authority, name, *words, cert=None, status="V"):
    """An OCSP response in a file; `words` say how long it counts."""
    folder, cert = authority["folder"], cert or authority["cert"]
    serial = subprocess.run(["openssl", "x509", "-in", cert, "-serial", "-noout"], check=True, capture_output=True, text=True).stdout.strip().split("=")[1]
    revoked = "240101000000Z" if status == "R" else ""
    (folder / "index").write_text(f"{status}\t491231000000Z\t{revoked}\t{serial}\tunknown\t/CN=leaf\n")
    out = folder / name
    run = subprocess.run(["openssl", "ocsp", "-index", folder / "index", "-CA", authority["ca"][0], "-rsigner", authority["ca"][0], "-rkey",
                          authority["ca"][1], "-issuer", authority["ca"][0], "-cert", cert, "-respout", out, "-noverify", *words],
                         capture_output=True, text=True, check=False)
    assert out.exists(), run.stderr
    return out


def stapled(port):
    run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-status"], input=b"",
                         capture_output=True, timeout=30, check=False)
    return b"OCSP Response Status: successful" in run.stdout and b"Cert Status: good" in run.stdout


@pytest.mark.parametrize("words", [[], ["--key-process"]])
def test_an_ocsp_response_is_shown(starter, site, authority, model, words):
    file = authority["folder"] / "shown.der"
    file.write_bytes(respond(authority, "good.der", "-ndays", "3").read_bytes())
    server = https(starter, site, authority["leaf"], model, "--ocsp", file, *words)
    assert stapled(server.port)
    shake(server.port, context({"ca": authority["ca"]}, trust="ca"))
    server.stop()


@pytest.mark.first
def test_an_expired_response_is_not_shown(starter, site, authority):
    file = authority["folder"] / "short.der"
    file.write_bytes(respond(authority, "short.new", "-nmin", "1").read_bytes())
    written = time.time()
    server = https(starter, site, authority["leaf"], "event", "--ocsp", file, "--workers", "1")
    assert stapled(server.port) or time.time() - written > 59
    assert wait_until(lambda: not stapled(server.port), 75, 2)
    for _ in range(3):
        assert not stapled(server.port)
    assert server.said().count("has expired and is not sent") == 1
    file.write_bytes(respond(authority, "later.new", "-ndays", "2").read_bytes())
    assert wait_until(lambda: stapled(server.port), 20, 0.5), server.said()


@pytest.mark.parametrize("what, said", [("other", "another certificate"), ("revoked", "does not say that the certificate is good"),
                                        ("nonsense", "it is none"), ("forever", "until when"), ("missing", "No such file"),
                                        ("forged", "not the issuer's"), ("alone", "does not hold its issuer")])
def test_a_wrong_response_is_refused(authority, what, said):
    folder, cert = authority["folder"], authority["leaf"][0]
    file = folder / f"{what}.der"
    if what == "other":
        stranger, _ = make_cert(folder, "stranger", "localhost", ca=authority["ca"])
        respond(authority, file.name, "-ndays", "3", cert=stranger)
    elif what == "revoked":
        respond(authority, file.name, "-ndays", "3", status="R")
    elif what == "forever":
        respond(authority, file.name)
    elif what == "forged":
        data = bytearray(respond(authority, file.name, "-ndays", "3").read_bytes())
        signature = re.search(rb"\x03[\x40-\x4a]\x00\x30[\x3e-\x48]\x02", data, re.S)  # two numbers in a bit string
        data[signature.end() + 10] ^= 1
        file.write_bytes(data)
    elif what == "nonsense":
        file.write_bytes(b"nonsense")
    elif what == "alone":
        respond(authority, file.name, "-ndays", "3")
        cert = authority["cert"]
    result = subprocess.run([WEIR, "serve", str(folder), "--listen", "https://127.0.0.1:0", "--cert", cert, "--key", authority["leaf"][1], "--ocsp",
                             file], capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode in (1, 2) and said in result.stderr, result.stderr


@pytest.mark.parametrize("words, said", [
    (["--cert", "BOTH", "--key", "KEY", "--key-process"], "holds a private key"),
    (["--cert", "BOTH", "--key-process"], "a file of its own"),
    (["--cert", "CERT", "--key", "OTHER", "--key-process"], "not the certificate's"),
    (["--cert", "CERT", "--key", "/nowhere.key", "--key-process"], "/nowhere.key: No such file"),
    (["--cert", "/nowhere.pem", "--key", "KEY", "--key-process"], "/nowhere.pem: No such file"),
    (["--cert", "CERT", "--key", "KEY", "--ocsp", "a", "--ocsp", "b"], "one --ocsp for each"),
])
def test_what_cannot_be_used_is_said(pairs, tmp_path, words, said):
    both = tmp_path / "both.pem"
    both.write_text(pem(pairs["ec"]) + pairs["ec"][1].read_text())
    names = {"BOTH": both, "CERT": pairs["ec"][0], "KEY": pairs["ec"][1], "OTHER": pairs["rsa"][1]}
    result = subprocess.run([WEIR, "serve", str(tmp_path), "--listen", "https://127.0.0.1:0", *[str(names.get(word, word)) for word in words]],
                            capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode in (1, 2) and said in result.stderr, result.stderr
    assert result.stderr.count("\n") <= 2
