"""How files are served: types, Cache-Control, the fallback, error pages, hostile paths, files that change under way."""

import gzip
import os
import socket
import subprocess
import threading
import time

import pytest

from conftest import WEIR, wait_until
from talk import Client, Gone, get

HTML = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"


def write(path, content, age=10):
    """A file that was not changed just now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (time.time() - age,) * 2)


def refused(*words):
    run = subprocess.run([WEIR, "serve", *map(str, words)], capture_output=True, text=True, timeout=20, check=False)
    return run.returncode, run.stderr


# --- types ---

@pytest.fixture
def typed(tmp_path):
    root = tmp_path / "root"
    for name in ("a.html", "a.odd", "a.pcap", "a.xyz", "b.UPPER"):
        write(root / name, "content")
    types = tmp_path / "types"
    types.write_text("# types\nx-test/one\todd xyz\ntext/x-mine html upper # not html\n")
    return root, types


def kind(server, name):
    return get(server.port, "/" + name).fields["content-type"]


def test_a_file_of_types_of_ones_own(starter, model, typed):
    root, types = typed
    server = starter.serve(root, model, "--mime-types", types)
    assert kind(server, "a.odd") == kind(server, "a.xyz") == "x-test/one"
    assert kind(server, "a.html") == kind(server, "b.UPPER") == "text/x-mine; charset=utf-8"
    assert kind(server, "a.pcap") == "application/octet-stream"


@pytest.mark.skipif(not os.path.exists("/etc/mime.types"), reason="this machine has no /etc/mime.types")
def test_the_machines_types_fill_gaps(starter, typed):
    server = starter.serve(typed[0], "event")
    assert kind(server, "a.pcap") == "application/vnd.tcpdump.pcap"
    assert kind(server, "a.html") == "text/html; charset=utf-8"
    server = starter.serve(typed[0], "event", "--mime-types", "off")
    assert kind(server, "a.pcap") == "application/octet-stream"


def test_a_file_of_types_that_cannot_be_read(tmp_path):
    status, said = refused(tmp_path, "--mime-types", tmp_path / "nothing")
    assert status == 1 and "types" in said


# --- Cache-Control ---

def test_cache_control(starter, model, tmp_path):
    for name in ("assets/app.js", "assets/deep/x.css", "index.html", "a.css", "a.png", "a.txt"):
        write(tmp_path / name, "content " * 200)
    server = starter.serve(tmp_path, model, "--cache-control", "/assets/*=public, max-age=31536000, immutable",
                           "--cache-control", "*.css=max-age=600", "--cache-control", "image/*=max-age=60",
                           "--cache-control", "text/html=no-cache")
    for target, value in (("/assets/app.js", "public, max-age=31536000, immutable"), ("/a.css", "max-age=600"),
                          ("/assets/deep/x.css", "public, max-age=31536000, immutable"), ("/a.png", "max-age=60"),
                          ("/index.html", "no-cache"), ("/", "no-cache"), ("/a.txt", None)):
        for fields in ([], ["Accept-Encoding: gzip"], ["Range: bytes=0-1"]):
            assert get(server.port, target, *fields).fields.get("cache-control") == value
        tag = get(server.port, target).fields["etag"]
        assert get(server.port, target, f"If-None-Match: {tag}").fields.get("cache-control") == value


@pytest.mark.parametrize("wrong", ["*.css", "=x", "*.css=", "a=b\r\nX: y"])
def test_wrong_cache_control(tmp_path, wrong):
    status, said = refused(tmp_path, "--cache-control", wrong)
    assert status == 2 and "PATTERN=VALUE" in said


# --- the fallback of single-page applications ---

@pytest.fixture
def spa(starter, model, tmp_path):
    write(tmp_path / "index.html", "<p>app")
    write(tmp_path / "app.js", "code")
    write(tmp_path / "folder/other.html", "other")
    return starter.serve(tmp_path, model, "--fallback", "/index.html")


@pytest.mark.parametrize("target", ["/users/7", "/users/", "/a/b/c?x=1", "/john.doe", "/v1.2", "/old.html", "/folder/", "/gr%C3%BC%C3%9Fe"])
@pytest.mark.parametrize("fields", [[HTML], ["Sec-Fetch-Mode: navigate"], ["Sec-Fetch-Mode: navigate", "Accept: */*"]])
def test_navigations_get_the_fallback(spa, target, fields):
    answer = get(spa.port, target, *fields)
    assert (answer.status, answer.body) == (200, b"<p>app")
    assert "Sec-Fetch-Mode" in answer.fields["vary"] and "Accept" in answer.fields["vary"]
    assert get(spa.port, target, *fields, method="HEAD").status == 200


@pytest.mark.parametrize("target, fields", [
    ("/missing.js", [HTML]), ("/missing.css", ["Sec-Fetch-Mode: navigate"]), ("/x/missing.png", [HTML]),
    ("/users/7", ["Accept: */*"]), ("/users/7", []), ("/users/7", ["Accept: application/json"]),
    ("/users/7", ["Sec-Fetch-Mode: cors", HTML]), ("/users/7", ["Sec-Fetch-Mode: no-cors"]), ("/users/7", ["Accept: text/html;q=0"]),
    ("/.hidden", [HTML]), ("/x/.git/config", [HTML]), ("/a%2fb", [HTML]),
])
def test_what_is_no_navigation_is_not_found(spa, target, fields):
    answer = get(spa.port, target, *fields)
    assert answer.status == 404 and answer.body != b"<p>app"


def test_what_is_there_is_not_replaced(spa):
    assert get(spa.port, "/app.js", HTML).body == b"code"
    assert get(spa.port, "/folder", HTML).status == 301
    assert get(spa.port, "/%", HTML).status == 400
    tag = get(spa.port, "/x", HTML).fields["etag"]
    assert get(spa.port, "/y", HTML, f"If-None-Match: {tag}").status == 304
    assert get(spa.port, "/x", HTML, method="POST").status == 405


def test_a_fallback_that_is_not_there(starter, tmp_path):
    server = starter.serve(tmp_path, "event", "--fallback", "/none.html")
    assert get(server.port, "/x", HTML).status == 404
    assert refused(tmp_path, "--fallback", "index.html")[0] == 2


# --- error pages ---

def test_error_pages(starter, model, tmp_path):
    write(tmp_path / "errors/404.html", "<p>lost")
    write(tmp_path / "errors/large.html", b"L" * 200000)
    write(tmp_path / "errors/405.txt", "no such method")
    write(tmp_path / "page.html", "page")
    server = starter.serve(tmp_path, model, "--error-page", "404=/errors/404.html", "--error-page", "405=/errors/405.txt",
                           "--error-page", "400=/errors/large.html", "--error-page", "416=/not/there.html")
    answer = get(server.port, "/nothing")
    assert (answer.status, answer.body) == (404, b"<p>lost")
    assert answer.fields["content-type"] == "text/html; charset=utf-8"
    assert not {"etag", "last-modified", "accept-ranges"} & answer.fields.keys(), "they would be of another page"
    head = get(server.port, "/nothing", method="HEAD")
    assert head.status == 404 and head.fields["content-length"] == "7"
    assert get(server.port, "/nothing", "Range: bytes=0-1", "If-None-Match: *").status == 404
    answer = get(server.port, "/page.html", method="POST")
    assert (answer.status, answer.body) == (405, b"no such method") and "GET" in answer.fields["allow"]
    answer = get(server.port, "/%")
    assert (answer.status, answer.body) == (400, b"L" * 200000)
    with Client(server.port) as client:  # a request that never reached a handler
        client.send("GET / HTTP/1.1\r\n\r\n")
        assert client.answer().body == b"L" * 200000 and client.closed()
    answer = get(server.port, "/page.html", "Range: bytes=100-")
    assert answer.status == 416 and b"Range Not Satisfiable" in answer.body
    assert get(server.port, "/errors/404.html").status == 200
    os.unlink(tmp_path / "errors/404.html")
    assert wait_until(lambda: b"Not Found" in get(server.port, "/nothing").body, 5), "the built-in page takes its place"


@pytest.mark.parametrize("wrong", ["404", "404=x.html", "200=/x", "600=/x", "abc=/x"])
def test_wrong_error_pages(tmp_path, wrong):
    status, said = refused(tmp_path, "--error-page", wrong)
    assert status == 2 and "404=/404.html" in said


# --- paths (RFC 3986) ---

PATHS = [  # what is asked for; the file that answers, or the status
    ("/plain.txt", "plain"), ("/%70lain.txt", "plain"), ("/%70%6C%61%69%6e%2etxt", "plain"), ("/./plain.txt", "plain"),
    ("/a/../plain.txt", "plain"), ("/a/b/../../plain.txt", "plain"), ("//plain.txt", "plain"), ("/a//b///in.txt", "in"),
    ("/a/./b/./in.txt", "in"), ("/../plain.txt", "plain"), ("/../../../../plain.txt", "plain"), ("/%2e/plain.txt", "plain"),
    ("/a/%2e%2e/plain.txt", "plain"), ("/a/.%2E/plain.txt", "plain"), ("/nothing/../plain.txt", "plain"),
    ("/plain.txt?x=/../../etc/passwd", "plain"), ("/plain.txt?", "plain"), ("/plain.txt?%00", "plain"),
    ("/gr%C3%BC%C3%9Fe.txt", "utf8"), ("/gr%c3%bc%c3%9fe.txt", "utf8"), ("/%F0%9F%8C%8A.txt", "wave"),
    ("/decomposed-u%CC%88.txt", "nfd"), ("/decomposed-%C3%BC.txt", 404),  # names are bytes: no normal form is made up
    ("/latin-%FC.txt", "latin"), ("/a%20b.txt", "space"), ("/a+b.txt", 404), ("/a%2Bb.txt", 404), ("/100%25.txt", "percent"),
    ("/q%3Fm.txt", "question"), ("/h%23h.txt", "hash"), ("/semi;x.txt", "semicolon"), ("/semi%3Bx.txt", "semicolon"),
    ("/new%0Aline.txt", "newline"), ("/back%5Cslash.txt", "backslash"), ("/back\\slash.txt", "backslash"),
    ("/%22quote%22.txt", "quote"), ("/%3Ctag%3E.txt", "tag"), ("/..dots.txt", 404), ("/dots...txt", "dots"), ("/~home.txt", "tilde"),
    ("/x%2f..%2fplain.txt", 404), ("/a%2fb/in.txt", 404), ("/..%2fsecret.txt", 404), ("/%2e%2e%2fsecret.txt", 404),
    ("/%2e%2e/secret.txt", 404), ("/..%5csecret.txt", 404), ("/%252e%252e/secret.txt", 404), ("/%c0%ae%c0%ae/secret.txt", 404),
    ("/%e0%80%ae%e0%80%ae/secret.txt", 404), ("/..;/secret.txt", 404), ("/.%00./secret.txt", 400), ("/%2e%2e%00/secret.txt", 400),
    ("/plain.txt%00", 400), ("/plain.txt%00.html", 400), ("/%", 400), ("/%1", 400), ("/%zz", 400), ("/%%35%63", 400), ("/%u002e", 400),
    ("/plain.txt/", 404), ("/plain.txt/.", 404), ("/plain.txt/../plain.txt", "plain"), ("/plain.txt/x", 404), ("/PLAIN.TXT", 404), ("/plain.txt.", 404),
    ("/plain.txt%20", 404), ("/plain.txt::$DATA", 404), ("/CON", 404), ("/.hidden", 404), ("/%2ehidden", 404), ("/a/.hidden", 404),
    ("/a/.%2e/.hidden", 404), ("/.well-known/acme", "acme"), ("/.well-known/.x", 404), ("/a/.well-known/x", 404),
    ("/.well-known/../.hidden", 404), ("/.well-known%2facme", 404), ("/.well-knownx", 404), ("/out", 404), ("/out/secret.txt", 404),
    ("/out.txt", 404), ("/absolute.txt", 404), ("/inner/in.txt", "in"), ("/chain", "plain"), ("/loop", 404), ("/dangling", 404),
    ("/proc-self/environ", 404), ("/device", 404), ("/fifo", 404), ("/socket", 404),
    ("/" + "x" * 300, 404), ("/" + "a/" * 2000 + "x", 404), ("/" + "%61" * 1000, 404), ("/" + "../" * 1300 + "plain.txt", "plain"),
    ("/" + "/" * 3000 + "plain.txt", "plain"),
]


@pytest.fixture(scope="module")
def paths_root(tmp_path_factory):
    top = tmp_path_factory.mktemp("paths")
    (top / "secret.txt").write_text("SECRET")
    root = top / "root"
    for name, content in (
            ("plain.txt", "plain"), ("a/b/in.txt", "in"), ("grüße.txt", "utf8"), ("\U0001f30a.txt", "wave"), ("decomposed-u\u0308.txt", "nfd"),
            ("a b.txt", "space"), ("100%.txt", "percent"), ("q?m.txt", "question"), ("h#h.txt", "hash"), ("semi;x.txt", "semicolon"),
            ("new\nline.txt", "newline"), ("back\\slash.txt", "backslash"), ('"quote".txt', "quote"), ("<tag>.txt", "tag"),
            ("..dots.txt", "SECRET"), ("dots...txt", "dots"), ("~home.txt", "tilde"), (".hidden", "SECRET"), ("a/.hidden", "SECRET"),
            (".well-known/acme", "acme"), (".well-known/.x", "SECRET"), ("a/.well-known/x", "SECRET"), (".well-knownx", "SECRET")):
        write(root / name, content)
    with open(os.fsencode(root) + b"/latin-\xfc.txt", "wb") as f:
        f.write(b"latin")
    (root / "out").symlink_to("..")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "absolute.txt").symlink_to(top / "secret.txt")
    (root / "inner").symlink_to("a/b")
    (root / "link").symlink_to("plain.txt")
    (root / "chain").symlink_to("link")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    (root / "proc-self").symlink_to("/proc/self")
    (root / "device").symlink_to("/dev/zero")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(root / "socket"))
    return root


@pytest.mark.parametrize("options", [[], ["--listing", "--fallback", "/plain.txt", "--error-page", "404=/out.txt"]])
def test_paths(starter, model, paths_root, options):
    """The same under options that try harder to find something."""
    server = starter.serve(paths_root, model, *options)
    for target, want in PATHS:
        answer = get(server.port, target)
        assert b"SECRET" not in answer.body and b"root:" not in answer.body, target
        if isinstance(want, str):
            assert (answer.status, answer.body.decode()) == (200, want), target
        else:
            assert answer.status == want, target


def test_the_absolute_form_names_the_same_files(starter, paths_root):
    server = starter.serve(paths_root, "event")
    for target, want in PATHS:
        with Client(server.port) as client:
            client.send(f"GET http://test{target} HTTP/1.1\r\nHost: test\r\n\r\n")
            answer = client.answer()
        assert (answer.body.decode() if isinstance(want, str) else answer.status) == want, target


# --- files that change while they are sent ---

def slow(port, target, take):
    """Asks with a small window, takes a little, and stays."""
    client = Client(port, receive_buffer=4096)
    client.request(target)
    while len(client.held) < take:
        client._more()
    return client


@pytest.fixture
def moving(starter, model, tmp_path):
    write(tmp_path / "film.bin", os.urandom(1 << 20) * 24)
    server = starter.serve(tmp_path, model)
    return server, tmp_path / "film.bin"


def test_a_file_that_is_cut_while_it_is_sent_ends_the_connection(moving):
    server, film = moving
    with slow(server.port, "/film.bin", 1000) as client:
        os.truncate(film, 1 << 20)
        with pytest.raises((Gone, ConnectionResetError)):
            client.answer()
    assert get(server.port, "/film.bin").status == 200


def test_a_file_that_is_removed_while_it_is_sent_arrives_whole(moving):
    server, film = moving
    content = film.read_bytes()
    with slow(server.port, "/film.bin", 1000) as client:
        film.unlink()
        assert client.answer().body == content
    assert wait_until(lambda: get(server.port, "/film.bin").status == 404, 5)


def test_a_file_that_is_replaced_while_it_is_sent_is_of_one_piece(moving):
    server, film = moving
    old = film.read_bytes()
    with slow(server.port, "/film.bin", 1000) as client:
        write(film.parent / "next", b"new " * 1000000)
        os.rename(film.parent / "next", film)
        assert client.answer().body == old
    assert wait_until(lambda: get(server.port, "/film.bin").body == b"new " * 1000000, 5)


def test_a_file_that_grows_is_sent_as_long_as_it_was(moving):
    server, film = moving
    old = film.read_bytes()
    with slow(server.port, "/film.bin", 1000) as client:
        with open(film, "ab") as f:
            f.write(b"more")
        assert client.answer().body == old


def test_a_small_file_under_many_changes_is_always_of_one_piece(starter, model, tmp_path):
    """Replaced by rename as fast as it goes, while clients ask in every coding."""
    contents = [bytes([65 + i]) * 3000 for i in range(8)]
    write(tmp_path / "page.txt", contents[0])
    server = starter.serve(tmp_path, model)
    stop, wrong = threading.Event(), []

    def ask(coding):
        while not stop.is_set():
            answer = get(server.port, "/page.txt", f"Accept-Encoding: {coding}")
            body = gzip.decompress(answer.body) if answer.fields.get("content-encoding") == "gzip" else answer.body
            if answer.status != 200 or body not in contents:
                wrong.append((answer.status, body[:20], len(body)))

    threads = [threading.Thread(target=ask, args=(coding,)) for coding in ("gzip", "identity")]
    for thread in threads:
        thread.start()
    for i in range(150):
        write(tmp_path / "next", contents[i % 8], age=i)
        os.rename(tmp_path / "next", tmp_path / "page.txt")
        time.sleep(0.005)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


# --- caches ---

def test_sizes_of_the_caches_are_options(starter, tmp_path):
    """With next to nothing kept, answers are the same."""
    for i in range(40):
        write(tmp_path / f"{i}.bin", b"%d " % i * 3000)
    server = starter.serve(tmp_path, "event", "--workers", 1, "--ready-bytes", "64K", "--ready-max", "1K", "--ready-files", 2,
                           "--open-files", 3)
    worker = server.children()[0]
    for _ in range(2):
        for i in range(40):
            assert get(server.port, f"/{i}.bin").body == b"%d " % i * 3000
    kept = [link for link in os.listdir(f"/proc/{worker}/fd") if os.readlink(f"/proc/{worker}/fd/{link}").endswith(".bin")]
    assert len(kept) <= 3
