"""`weir serve --tls-dev`: a local authority, its certificate, and who is made to trust them. Never the real home, never the real system."""

import os
import pathlib
import re
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
import time

import pytest

from conftest import START_S, WEIR, wait_until

READY = re.compile(r"^weir: serving .* at https://127\.0\.0\.1:(\d+)/", re.M)
CHROMIUM = os.environ.get("WEIR_CHROMIUM", "/usr/bin/chromium")


class Home:
    """A home folder of its own, and servers that live there."""

    def __init__(self, folder):
        self.home, self.site, self.servers = folder / "home", folder / "site", []
        self.home.mkdir()
        self.site.mkdir()
        (self.site / "index.html").write_text("<!doctype html><title>dev</title><p>hello\n")

    @property
    def kept(self):
        return self.home / ".local/share/weir"

    def env(self, **more):
        env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_") and name != "SSL_CERT_FILE"}
        return {**env, "HOME": str(self.home), **more}

    def start(self, *words, prefix=(), listen=("--listen", "https://127.0.0.1:0"), **more):
        log = self.home.parent / f"log-{len(self.servers)}"
        with log.open("w") as stderr:
            process = subprocess.Popen([*prefix, WEIR, "serve", self.site, "--tls-dev", "--access-log", "off", "--model", "event", "--workers", "1", *listen,
                                        *words], stderr=stderr, stdin=subprocess.DEVNULL, env=self.env(**more))
        self.servers.append(process)
        process.log = log
        return process

    def ready(self, *words, seconds=START_S, **options):
        process = self.start(*words, **options)
        wait_until(lambda: READY.search(process.log.read_text()) or process.poll() is not None, seconds)
        match = READY.search(process.log.read_text())
        assert match, process.log.read_text()
        process.port = int(match[1])
        return process

    def fails(self, *words, **options):
        """What a server says that does not start."""
        process = self.start(*words, **options)
        process.wait(START_S)
        return process.returncode, process.log.read_text()

    def end(self):
        for process in self.servers:
            if process.poll() is None:
                process.terminate()
                assert process.wait(20) == 0, process.log.read_text()


@pytest.fixture
def home():
    """Where any user may enter: some servers here run as nobody."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-dev-"))
    folder.chmod(0o755)
    home = Home(folder)
    yield home
    try:
        home.end()
    finally:
        shutil.rmtree(folder)


def fetch(server, home, name="localhost", ca=None):
    return subprocess.run(["curl", "-sS", "--cacert", str(ca or home.kept / "authority.pem"), "--resolve", f"{name}:{server.port}:127.0.0.1",
                           f"https://{name}:{server.port}/"], capture_output=True, timeout=30, text=True)


def fingerprint(path):
    return subprocess.run(["openssl", "x509", "-in", str(path), "-noout", "-fingerprint"], check=True, capture_output=True, timeout=20).stdout


def test_it_is_https_for_who_trusts_it(home):
    server = home.ready()
    for name in ("localhost", "127.0.0.1", socket.gethostname().lower()):
        done = fetch(server, home, name)
        assert "hello" in done.stdout, done.stderr
    assert fetch(server, home, "example.org").returncode == 60
    done = subprocess.run(["curl", "-sS", f"https://127.0.0.1:{server.port}/"], capture_output=True, timeout=30)
    assert done.returncode == 60
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.kept.iterdir()}
    assert modes == {"authority-key.pem": 0o600, "authority.pem": 0o644, "localhost.pem": 0o600, "lock": 0o600}
    assert stat.S_IMODE(home.kept.stat().st_mode) == 0o700
    assert "PRIVATE" not in (home.kept / "authority.pem").read_text()
    said = server.log.read_text()
    for words in ("a new local authority", "--trust", "update-ca-certificates", "certutil -A", "curl --cacert", "SSL_CERT_FILE="):
        assert words in said
    verified = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", str(home.kept / "authority.pem"), str(home.kept / "localhost.pem")],
                              capture_output=True, timeout=20)
    assert verified.returncode == 0, verified.stderr


def test_it_is_found_again(home):
    home.ready()
    home.end()
    before = {name: fingerprint(home.kept / name) for name in ("authority.pem", "localhost.pem")}
    again = home.ready()
    assert before == {name: fingerprint(home.kept / name) for name in before}
    assert "a new local authority" not in again.log.read_text()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    quiet = home.start("--quiet", listen=("--listen", f"https://127.0.0.1:{port}"))
    quiet.port = port
    assert wait_until(lambda: "hello" in fetch(quiet, home).stdout, START_S)
    quiet.terminate()
    assert quiet.wait(20) == 0 and quiet.log.read_text() == ""
    trusted = home.ready(SSL_CERT_FILE=str(home.kept / "authority.pem"))
    assert "has to be trusted" not in trusted.log.read_text()


def test_the_data_home_that_is_set(home, tmp_path):
    home.ready(XDG_DATA_HOME=str(tmp_path / "data"))
    assert (tmp_path / "data/weir/authority.pem").exists() and not home.kept.exists()
    home.ready(XDG_DATA_HOME="not/absolute")
    assert home.kept.exists()


@pytest.mark.first
def test_a_server_that_runs_renews_and_takes_up_what_another_did(home):
    server = home.ready()

    def shown():
        pem = ssl.get_server_certificate(("127.0.0.1", server.port), timeout=10)
        return pem.strip() in (home.kept / "localhost.pem").read_text()
    assert shown()
    os.truncate(home.kept / "localhost.pem", 100)
    home.ready()
    assert wait_until(shown, 20, 0.5)
    home.end()
    server = home.ready()
    os.truncate(home.kept / "localhost.pem", 100)
    assert not shown()
    assert wait_until(shown, 60, 1)  # it looks every half a minute
    assert "hello" in fetch(server, home).stdout
    shutil.rmtree(home.kept)
    time.sleep(35)
    assert not home.kept.exists()


@pytest.mark.parametrize("name, size", [("authority-key.pem", 300), ("authority-key.pem", 0), ("localhost.pem", 400), ("localhost.pem", 0), ("authority.pem", 20)])
def test_files_that_are_cut_short(home, name, size):
    home.ready()
    home.end()
    before = fingerprint(home.kept / "authority.pem")
    os.truncate(home.kept / name, size)
    server = home.ready()
    assert "hello" in fetch(server, home).stdout
    said = server.log.read_text()
    assert ("the one before could not be used any more" in said) == (name == "authority-key.pem")
    assert (fingerprint(home.kept / "authority.pem") == before) == (name != "authority-key.pem")


def test_a_certificate_that_ends_soon_is_renewed(home):
    home.ready()
    home.end()
    before = fingerprint(home.kept / "authority.pem")
    for days, renewed in (("10", True), ("25", False)):
        key, request, ext = (home.home / name for name in ("key", "request", "ext"))
        ext.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1,DNS:" + socket.gethostname().lower())
        run = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=30)
        run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", request)
        both = home.kept / "authority-key.pem"
        run("x509", "-req", "-in", request, "-CA", both, "-CAkey", both, "-days", days, "-extfile", ext, "-out", home.home / "cert", "-set_serial", days)
        (home.kept / "localhost.pem").write_text(key.read_text() + (home.home / "cert").read_text())
        mine = fingerprint(home.kept / "localhost.pem")
        server = home.ready()
        assert "hello" in fetch(server, home).stdout
        assert (fingerprint(home.kept / "localhost.pem") != mine) == renewed
        assert fingerprint(home.kept / "authority.pem") == before
        home.end()


def test_many_at_once_make_one(home):
    servers = [home.start() for _ in range(8)]
    for server in servers:
        assert wait_until(lambda: READY.search(server.log.read_text()), 60), server.log.read_text()
        server.port = int(READY.search(server.log.read_text())[1])
    assert sum("a new local authority" in server.log.read_text() for server in servers) == 1
    assert all("hello" in fetch(server, home).stdout for server in servers)
    assert sorted(path.name for path in home.kept.iterdir()) == ["authority-key.pem", "authority.pem", "localhost.pem", "lock"]


def nobody():
    """Words before a command that run it as a user without rights; tests are root in some places."""
    return [shutil.which("setpriv") or "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


def give_away(home):
    """All of it to that user."""
    if os.geteuid() == 0:
        for path in (home.home.parent, home.home, home.site, *home.site.iterdir()):
            os.chown(path, 65534, 65534)


def test_no_place_for_it(home):
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("setpriv")
    give_away(home)
    shut = home.home.parent / "shut"
    shut.mkdir(mode=0o555)
    status, said = home.fails(prefix=nobody(), HOME=str(shut))
    assert status == 1 and re.fullmatch(r"weir serve: --tls-dev: cannot make \S+/shut/.local/share/weir: Permission denied\n", said), said
    (home.home / ".local").write_text("a file")
    status, said = home.fails()
    assert status == 1 and "Not a directory" in said and said.count("\n") == 1


def test_others_are_kept_out(home):
    home.ready()
    home.end()
    home.kept.chmod(0o777)
    home.ready()
    assert stat.S_IMODE(home.kept.stat().st_mode) == 0o700
    home.end()
    if os.geteuid() == 0:
        os.chown(home.kept, 65534, 65534)
        status, said = home.fails()
        assert status == 1 and "Operation not permitted" in said


def test_words_that_do_not_go_together(home):
    for words, why in [(["--trust"], "--trust goes with --tls-dev"), (["--tls-dev", "--listen", "http://127.0.0.1:0"], "no listener has it")]:
        done = subprocess.run([WEIR, "serve", home.site, *words], capture_output=True, timeout=20, text=True, env=home.env())
        assert done.returncode == 2 and why in done.stderr


# --- trust: in a mount namespace of its own, so that the system's authorities are copies ---

def confined(folder):
    """Words before a command that give it its own /etc/ssl/certs and /usr/local/share/ca-certificates; None: they cannot be had here."""
    script = (f"cp -a /etc/ssl/certs {folder}/certs && mount --bind {folder}/certs /etc/ssl/certs && "
              "mkdir -p /usr/local/share/ca-certificates && mount -t tmpfs none /usr/local/share/ca-certificates && exec \"$@\"")
    words = ["unshare", "--mount", "sh", "-c", script, "sh"]
    try:
        done = subprocess.run([*words, "true"], capture_output=True, timeout=60)
    finally:
        shutil.rmtree(folder / "certs", ignore_errors=True)
    return words if done.returncode == 0 else None


@pytest.mark.skipif(os.geteuid() != 0 or not os.access("/usr/sbin/update-ca-certificates", os.X_OK), reason="root, and update-ca-certificates")
def test_trusted_by_the_system(home, tmp_path):
    prefix = confined(tmp_path)
    if not prefix:
        pytest.skip("a mount namespace")
    # The server and curl in one namespace: a shell runs both.
    script = (f'"$0" serve {home.site} --tls-dev --trust --listen https://127.0.0.1:0 --access-log off 2> {tmp_path}/said & '
              f'for i in $(seq 300); do port=$(sed -n "s/^weir: serving .*127.0.0.1:\\([0-9]*\\)\\/.*/\\1/p" {tmp_path}/said); [ -n "$port" ] && break; sleep 0.2; done; '
              f'curl -sS https://localhost:$port/; echo "curl $?"; rm /usr/local/share/ca-certificates/weir-local-authority.crt; '
              'update-ca-certificates --fresh >&2; echo "update $?"; curl -sS https://localhost:$port/ 2>/dev/null; echo "curl $?"; kill $!; wait $!')
    done = subprocess.run([*prefix, "sh", "-c", script, WEIR], capture_output=True, timeout=240, text=True, env=home.env())
    said = (tmp_path / "said").read_text()
    assert "hello" in done.stdout and "curl 0" in done.stdout, (done.stdout, done.stderr, said)
    if "update 0" not in done.stdout:
        pytest.skip(f"the system's update-ca-certificates: {done.stdout[-20:]}, {done.stderr[-500:]}")
    assert "curl 60" in done.stdout, (done.stdout, done.stderr[-1000:])  # undone as it was said
    assert "trusted by the system (/usr/local/share/ca-certificates/weir-local-authority.crt); to undo: sudo rm" in said
    shutil.rmtree(tmp_path / "certs", ignore_errors=True)
    assert not os.path.exists("/usr/local/share/ca-certificates/weir-local-authority.crt")


@pytest.fixture
def unprivileged(home):
    """A user who may not change the system."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("setpriv")
    give_away(home)
    return nobody()


def test_who_may_not_is_told_what_root_does(home, unprivileged):
    server = home.ready("--trust", prefix=unprivileged, seconds=60, PATH="/nowhere")
    said = server.log.read_text()
    assert re.search(r"root is needed: sudo cp \S+/authority.pem /usr/local/share/ca-certificates/weir-local-authority.crt && sudo update-ca-certificates", said)
    assert "certutil is needed: sudo apt install libnss3-tools" in said


@pytest.mark.skipif(not shutil.which("certutil"), reason="certutil")
def test_trusted_by_browsers(home, unprivileged):
    profile = home.home / ".mozilla/firefox/abc.default-release"
    profile.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "-d", f"sql:{profile}", "--empty-password"], check=True, timeout=60, capture_output=True)
    if os.geteuid() == 0:
        for path in (home.home / ".mozilla", home.home / ".mozilla/firefox", profile, *profile.iterdir()):
            os.chown(path, 65534, 65534)
    for _ in range(2):  # the second time it takes the place of the first
        server = home.ready("--trust", prefix=unprivileged, seconds=60)
        said = server.log.read_text()
        for folder in (home.home / ".pki/nssdb", profile):
            assert f"trusted in {folder}; to undo: certutil -D -d sql:{folder} -n 'weir local authority'" in said
            listed = subprocess.run(["certutil", "-L", "-d", f"sql:{folder}"], capture_output=True, timeout=30, text=True).stdout
            assert listed.count("weir local authority") == 1 and re.search(r"weir local authority\s+C,,", listed), listed
        home.end()


@pytest.mark.skipif(not shutil.which("certutil") or not os.access(CHROMIUM, os.X_OK), reason="certutil and Chromium")
def test_chromium_opens_it_without_a_warning(home, unprivileged):
    """A page with a script, a style and a picture, over https and HTTP/2; one whose authority is not trusted shows a warning instead."""
    (home.site / "page.html").write_text("<!doctype html><title>dev</title><link rel=stylesheet href=style.css><img src=dot.svg><p id=said>nothing"
                                         "<script type=module src=main.js></script>")
    (home.site / "style.css").write_text("p{color:rgb(1,2,3)}")
    (home.site / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30"/></svg>')
    (home.site / "main.js").write_text("await new Promise(done => document.images[0].complete ? done() : document.images[0].onload = done);"
                                       "const p = document.querySelector('#said');"
                                       "p.textContent = `${getComputedStyle(p).color} ${document.images[0].naturalWidth} ${isSecureContext} ${performance.getEntries()[0].nextHopProtocol}`;")
    server = home.ready("--trust", prefix=unprivileged, seconds=60)

    def look(env):
        done = subprocess.run([*unprivileged, CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", f"--user-data-dir={home.home}/profile-{len(env)}",
                               "--virtual-time-budget=20000", "--dump-dom", f"https://localhost:{server.port}/page.html"], capture_output=True, timeout=180, text=True,
                              env=env)
        return done.stdout
    seen = look(home.env())
    assert re.search(r"rgb\(1, 2, 3\) 40 true h2", seen), seen
    other = home.home / "other"
    other.mkdir()
    if os.geteuid() == 0:
        os.chown(other, 65534, 65534)
    assert "rgb(1, 2, 3)" not in look(home.env(HOME=str(other), WEIR_OTHER="1"))
