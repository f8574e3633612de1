"""Starts weir, stops it, and sees to it that nothing is left behind.

WEIR         the program; build/weir if not set
WEIR_MODELS  the models that tests with a `model` run under, with commas; event,fork if not set
WEIR_ALL     set: also what takes long (make check-all)
WEIR_OVER    what carries requests (talk.py): http if not set, https, h2, h2s
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import talk  # pylint: disable=wrong-import-position

ROOT = pathlib.Path(__file__).parents[2]
WEIR = str(pathlib.Path(os.environ.get("WEIR", ROOT / "build/weir")).resolve())
# Sanitizers make programs slow and keep memory of their own.
INSTRUMENTED = any(name in pathlib.Path(WEIR).read_bytes() for name in (b"__asan_init", b"__tsan_init")) if os.path.exists(WEIR) else False
MODELS = os.environ.get("WEIR_MODELS", "event,fork").split(",")

READY = re.compile(r"^weir: (?:serving .* at (?P<url>\S+)|(?:echo|discard|line|frame|relay)\b.* at (?P<endpoint>\S+)) \((?P<how>.*)\)$", re.M)
COMPLAINTS = re.compile(r"Sanitizer|runtime error:|Assertion|core dumped")
START_S = 20  # a sanitizer's start on a busy machine
STOP_S = 90 if INSTRUMENTED else 20


def heed_signals():
    """Whoever runs the tests may have them ignored (nohup, a shell's background), and programs under test would inherit that."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def pytest_configure(config):
    heed_signals()
    config.addinivalue_line("markers", "smoke: the few tests that `make check` runs under every model")
    config.addinivalue_line("markers", "threads: run under ThreadSanitizer too")
    config.addinivalue_line("markers", "long: only in `make check-all`")
    config.addinivalue_line("markers", "first: takes a minute, and would be waited for at the end")
    config.addinivalue_line("filterwarnings", "error::pytest.PytestUnhandledThreadExceptionWarning")  # a thread's test fails, too


# Clients that ask before anybody has taken them: over TLS hands are shaken first. Forty that come while the server stops: listeners close 20 ms after
# the last one spoke, and so many threads of Python are later than that with their handshakes. And HTTP/2 by prior knowledge, which TLS has none of.
CLEAR_ALONE = {"test_sigterm_answers_what_is_queued", "test_out_of_descriptors_it_accepts_later", "test_http_2_preface_in_clear",
               "test_a_connection_that_turns_to_http2_is_one", "test_a_burst_on_a_stopping_server_is_answered_or_refused"}


def pytest_collection_modifyitems(items):
    if talk.SECURE:
        items[:] = [item for item in items if getattr(item, "originalname", item.name) not in CLEAR_ALONE]
    if not os.environ.get("WEIR_ALL"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="make check-all"))
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_generate_tests(metafunc):
    if "model" in metafunc.fixturenames:
        metafunc.parametrize("model", MODELS, scope="module")


def session_processes(session):
    """Processes of a session as {pid: (state, parent)}."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                found[int(entry.name)] = (fields[0], int(fields[1]))
    return found


def memory_of(pids):
    """Bytes that processes hold together: files aside, and a page that several share counts once (Pss)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            shares = re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
            total += sum(map(int, shares)) << 10
    assert total, "none of them lives, or the kernel does not tell (Linux 5.9)"
    return total


def wait_until(condition, seconds, step=0.02):
    """What `condition` returned last; true as soon as it is, within `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


@dataclasses.dataclass
class Server:
    process: subprocess.Popen
    log: pathlib.Path
    urls: list
    how: str
    status: int = None

    @property
    def url(self):
        return self.urls[0].rstrip("/")

    @property
    def port(self):
        return int(re.search(r":(\d+)/?$", self.urls[0]).group(1))

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        return self.log.read_text(errors="replace")

    def processes(self):
        return session_processes(self.pid)

    def children(self):
        return [pid for pid, (state, parent) in self.processes().items() if parent == self.pid and state != "Z"]

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=STOP_S):
        self.status = self.process.wait(seconds)
        return self.status

    def stop(self, expect=0):
        """SIGTERM; exit status `expect`; nothing left."""
        if self.status is None:
            self.signal()
            self.wait()
        self.check_gone()
        assert self.status == expect, f"exit status {self.status}, expected {expect}\n{self.said()}"

    def check_gone(self):
        left = lambda: session_processes(self.pid)
        assert wait_until(lambda: not left(), 5), f"processes left: {left()}\n{self.said()}"
        self.check_healthy()

    def check_healthy(self):
        said = self.said()
        assert not COMPLAINTS.search(said), said

    def kill(self):
        for pid in session_processes(self.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(10)


PLAIN = re.compile(r"(?:http://)?(127\.0\.0\.\d+:0)")


def over_tls(words):
    """The same server with TLS at its listeners, where requests go over that."""
    words = list(words)
    if not talk.SECURE or words[0] != "serve" or {"--cert", "--tls-dev"} & set(words):
        return words
    if {"--config", "-c"} & set(words) and "--listen" not in words:  # which counts more than the file
        words += ["--listen", "127.0.0.1:0"]
    found = [at + 1 for at, word in enumerate(words[:-1]) if word == "--listen" and PLAIN.fullmatch(str(words[at + 1]))]
    for at in found:
        words[at] = PLAIN.sub(r"https://\1", words[at])
    cert, key = talk.certificate()
    return [*words, "--cert", cert, "--key", key] if found else words


def start(log, *words, listeners=1, **options):
    """Starts a weir that serves and waits for its ready lines."""
    words = over_tls(words)
    with log.open("w") as stderr:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **options}
        process = subprocess.Popen([WEIR, *map(str, words)], stderr=stderr, start_new_session=True, **options)
    server = Server(process, log, [], "")
    ready = wait_until(
        lambda: len(list(READY.finditer(server.said()))) >= listeners or process.poll() is not None, START_S, 0.01)
    lines = list(READY.finditer(server.said()))
    if not ready or len(lines) < listeners:
        server.kill()
        raise AssertionError(f"weir {' '.join(map(str, words))}: not ready, status {process.returncode}\n{server.said()}")
    server.urls = [line["url"] or line["endpoint"] for line in lines]
    server.how = lines[0]["how"]
    return server


class Starter:
    """Starts servers and stops them all at the end."""

    def __init__(self, folder):
        self.folder, self.servers = folder, []

    def __call__(self, *words, **options):
        server = start(self.folder / f"server-{len(self.servers)}.log", *words, **options)
        self.servers.append(server)
        return server

    def serve(self, root, model, *words, **options):
        return self("serve", root, "--listen", "http://127.0.0.1:0", "--model", model, "--access-log", "off", *words,
                    **options)

    def echo(self, model, *words, **options):
        return self("echo", "--listen", "tcp:127.0.0.1:0", "--model", model, *words, **options)

    def end(self):
        try:
            for server in self.servers:
                if server.status is None:
                    server.stop()
        finally:
            for server in self.servers:
                server.kill()


@pytest.fixture
def starter(tmp_path):
    starter = Starter(tmp_path)
    yield starter
    starter.end()


@pytest.fixture(scope="module")
def _web(model, site, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("web"))
    yield starter.serve(site, model, "--idle-timeout", 20)
    starter.end()


@pytest.fixture
def web(_web):
    """A server on the site, shared by the tests of a module: leave it as it was found."""
    yield _web
    assert _web.process.poll() is None, f"the server ended\n{_web.said()}"
    _web.check_healthy()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder with something of everything, and secrets around it."""
    top = tmp_path_factory.mktemp("top")
    (top / "secret.txt").write_text("SECRET\n")
    (top / "outside").mkdir()
    (top / "outside/secret.txt").write_text("SECRET\n")
    root = top / "site"
    (root / "dir/deeper").mkdir(parents=True)
    (root / "bare").mkdir()
    (root / ".well-known").mkdir()
    (root / ".git").mkdir()
    (root / "index.html").write_text("<!doctype html><title>weir</title>\n")
    (root / "dir/index.html").write_text("<p>dir\n")
    (root / "dir/deeper/page.html").write_text("<p>page\n")
    (root / "bare/file.txt").write_text("bare\n")
    (root / ".hidden").write_text("SECRET\n")
    (root / ".git/config").write_text("SECRET\n")
    (root / ".well-known/thing").write_text("known\n")
    (root / "digits.txt").write_text("0123456789")
    (root / "empty.txt").write_text("")
    (root / "a b.txt").write_text("space\n")
    (root / "100%.txt").write_text("percent\n")
    (root / "grüße.txt").write_text("umlaut\n")
    for ending in ("css", "js", "json", "svg", "png", "jpg", "gif", "webp", "wasm", "pdf", "xml", "woff2", "ico", "mp4",
                   "odd"):
        (root / f"a.{ending}").write_bytes(b"x" * 612)
    (root / "noending").write_text("none\n")
    block = bytes(i * i % 251 for i in range(65536))
    (root / "big.bin").write_bytes(b"".join(bytes([i]) + block for i in range(200)))  # 13 MB
    (root / "inside.txt").symlink_to("digits.txt")
    (root / "inside-dir").symlink_to("dir")
    (root / "absolute.txt").symlink_to(top / "secret.txt")
    (root / "absolute-inside.txt").symlink_to(root / "digits.txt")
    (root / "up.txt").symlink_to("../secret.txt")
    (root / "up-dir").symlink_to("../outside")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "fifo")
    os.utime(root / "digits.txt", (1700000000, 1700000000))
    return root
