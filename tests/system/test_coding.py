"""Content coding: neighbours, coding on the fly, what is said of it, and what is kept."""

import concurrent.futures
import gzip
import os
import pathlib
import random
import re
import subprocess
import time
import urllib.request

import pytest

from conftest import INSTRUMENTED, Starter, WEIR, wait_until
from talk import SECURE, Client, context, curl, get

TEXT = " ".join(random.Random(7).choices("river bank water stone bridge field path light".split(), k=4000)).encode()
ALL = "gzip, deflate, br, zstd"


def decode(coding, content):
    if coding == "identity":
        return content
    if coding == "gzip":
        return gzip.decompress(content)
    return subprocess.run([{"br": "brotli", "zstd": "zstd"}[coding], "-dc"], input=content, stdout=subprocess.PIPE, check=True).stdout


def ask(port, target, accept=None, *fields, method="GET"):
    return get(port, target, *([f"Accept-Encoding: {accept}"] if accept is not None else []), *fields, method=method)


def coding_of(answer):
    return answer.fields.get("content-encoding", "identity")


def varies(answer):
    return [word.strip().lower() for word in answer.fields.get("vary", "").split(",")] == ["accept-encoding"]


def write(path, content, age=10):
    """A file that was not changed just now: those go out as they are."""
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("coded")
    write(root / "page.html", TEXT)
    write(root / "small.css", b"p{}" * 20)
    write(root / "picture.png", TEXT)
    write(root / "noise.txt", random.Random(3).randbytes(20000))
    write(root / "data.bin", TEXT)
    write(root / "large.txt", TEXT * 40)
    write(root / "neighbours.js", TEXT)
    write(root / "neighbours.js.gz", gzip.compress(b"GZIP " + TEXT))
    write(root / "neighbours.js.br", subprocess.run(["brotli", "-c"], input=b"BR " + TEXT, stdout=subprocess.PIPE, check=True).stdout)
    write(root / "stale.js", TEXT, age=10)
    write(root / "stale.js.gz", gzip.compress(b"STALE"), age=1000)
    write(root / "archive.tar.bin", TEXT)
    write(root / "archive.tar.bin.gz", gzip.compress(TEXT))
    (root / "outside.js").write_bytes(TEXT)
    secret = tmp_path_factory.mktemp("secret") / "s.gz"
    secret.write_bytes(gzip.compress(b"SECRET"))
    (root / "outside.js.gz").symlink_to(secret)
    (root / "folder.js").write_bytes(TEXT)
    (root / "folder.js.gz").mkdir()
    time.sleep(0.1)
    return root


@pytest.fixture(scope="module")
def _coded(model, tree, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("server"))
    yield starter.serve(tree, model)
    starter.end()


@pytest.fixture
def coded(_coded):
    yield _coded
    assert _coded.process.poll() is None, _coded.said()
    _coded.check_healthy()


@pytest.mark.smoke
@pytest.mark.threads
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_what_is_coded_comes_back(coded, coding):
    for _ in range(3):
        answer = ask(coded.port, "/page.html", coding)
        assert answer.status == 200 and coding_of(answer) == coding and varies(answer)
        assert answer.fields["content-type"] == "text/html; charset=utf-8"
        assert len(answer.body) < len(TEXT) / 3
        assert decode(coding, answer.body) == TEXT


CHOICES = [
    (None, "identity"), ("", "identity"), ("identity", "identity"), ("deflate", "identity"), ("gzip;q=0", "identity"),
    (ALL, "br"), ("gzip, zstd", "zstd"), ("gzip;q=1, br;q=0.5", "gzip"), ("gzip;q=0.5, br;q=0.001", "gzip"), ("*", "br"),
    ("identity, br;q=0.9", "identity"), ("identity;q=0.5, br", "br"), ("br;q=0, *", "zstd"), ("x-gzip", "gzip"),
    ("GZIP", "gzip"), ("identity;q=0, gzip", "gzip"), ("*;q=0, gzip", "gzip"), ("gzip;q=nonsense", "identity"),
    ("gzip;q=0.9999", "identity"),
]


@pytest.mark.parametrize("accept, coding", CHOICES)
def test_the_client_chooses(coded, accept, coding):
    answer = ask(coded.port, "/page.html", accept)
    assert (answer.status, coding_of(answer)) == (200, coding)
    assert varies(answer), "also when it goes out as it is"
    assert decode(coding, answer.body) == TEXT


def test_several_fields_are_one_list(coded):
    assert coding_of(get(coded.port, "/page.html", "Accept-Encoding: gzip;q=0.5", "Accept-Encoding: br")) == "br"
    assert coding_of(get(coded.port, "/page.html", "Accept-Encoding: *;q=0", "Accept-Encoding: zstd")) == "zstd"


@pytest.mark.parametrize("accept, status", [
    ("identity;q=0", 406), ("*;q=0", 406), ("identity;q=0, deflate", 406), ("br, identity;q=0", 406), ("*;q=0, identity", 200),
])
@pytest.mark.parametrize("target", ["/picture.png", "/small.css", "/noise.txt"])
def test_what_does_not_come_coded(coded, target, accept, status):
    """Refusing the plain content, too, leaves nothing; every other list gets the plain content."""
    answer = ask(coded.port, target, accept)
    assert answer.status == status and "content-encoding" not in answer.fields  # nor does it say identity
    if status == 406:
        assert varies(answer)
    assert ask(coded.port, target, ALL).status == 200


@pytest.mark.parametrize("target, there", [
    ("/page.html", True), ("/neighbours.js", True), ("/archive.tar.bin", True), ("/large.txt", True), ("/noise.txt", True),
    ("/small.css", False), ("/picture.png", False), ("/data.bin", False),
])
def test_vary_is_said_where_there_is_a_choice(coded, target, there):
    for accept in (None, ALL, "identity", "gzip"):
        for method in ("GET", "HEAD"):
            assert varies(ask(coded.port, target, accept, method=method)) == there


def test_neighbours(coded):
    for accept, coding, first in (("gzip", "gzip", b"GZIP "), ("br", "br", b"BR "), (ALL, "br", b"BR "), (None, "identity", b"")):
        answer = ask(coded.port, "/neighbours.js", accept)
        assert coding_of(answer) == coding and varies(answer)
        assert answer.fields["content-type"] == "text/javascript; charset=utf-8"
        assert decode(coding, answer.body) == first + TEXT
    # What lies there comes before what would have to be made; a coding without a neighbour is made.
    assert coding_of(ask(coded.port, "/neighbours.js", "zstd, gzip")) == "gzip"
    assert decode("zstd", ask(coded.port, "/neighbours.js", "zstd").body) == TEXT
    assert coding_of(ask(coded.port, "/archive.tar.bin", ALL)) == "gzip", "of a type that is not coded on the fly"


def test_neighbours_that_do_not_count(coded):
    """Older than the file, outside the root, or no file at all."""
    for target in ("/stale.js", "/outside.js", "/folder.js"):
        answer = ask(coded.port, target, "gzip")
        assert answer.status == 200 and decode(coding_of(answer), answer.body) == TEXT


def test_a_neighbour_asked_for_by_its_name_is_not_coded(coded):
    answer = ask(coded.port, "/neighbours.js.gz", ALL)
    assert coding_of(answer) == "identity" and answer.fields["content-type"] == "application/gzip"
    assert gzip.decompress(answer.body) == b"GZIP " + TEXT


@pytest.mark.parametrize("target", ["/page.html", "/neighbours.js"])
def test_entity_tags_differ_by_coding(coded, target):
    tags = {accept: ask(coded.port, target, accept).fields["etag"] for accept in ("identity", "gzip", "br", "zstd")}
    assert len(set(tags.values())) == 4 and all(tag.startswith('"') for tag in tags.values())
    for accept, tag in tags.items():
        again = ask(coded.port, target, accept, f"If-None-Match: {tag}")
        assert again.status == 304 and again.fields["etag"] == tag and varies(again) and "content-type" not in again.fields
        assert ask(coded.port, target, accept, f"If-Match: {tag}").status == 200
        for other in set(tags.values()) - {tag}:
            assert ask(coded.port, target, accept, f"If-None-Match: {other}").status == 200
            assert ask(coded.port, target, accept, f"If-Match: {other}").status == 412


def test_ranges_are_of_the_coded_content(coded):
    whole = ask(coded.port, "/page.html", "br")
    part = ask(coded.port, "/page.html", "br", "Range: bytes=100-299")
    assert part.status == 206 and part.body == whole.body[100:300] and coding_of(part) == "br"
    assert part.fields["content-range"] == f"bytes 100-299/{len(whole.body)}"
    rest = ask(coded.port, "/page.html", "br", "Range: bytes=300-", f"If-Range: {whole.fields['etag']}")
    assert rest.status == 206 and decode("br", whole.body[:300] + rest.body) == TEXT
    other = ask(coded.port, "/page.html", "gzip", "Range: bytes=300-", f"If-Range: {whole.fields['etag']}")
    assert other.status == 200 and decode("gzip", other.body) == TEXT
    assert ask(coded.port, "/page.html", "br", f"Range: bytes={len(whole.body)}-").status == 416


@pytest.mark.parametrize("accept", [None, "br", "gzip", ALL, "identity;q=0"])
def test_head_has_the_fields_of_get(coded, accept):
    for target in ("/page.html", "/neighbours.js", "/picture.png"):
        plain, head = ask(coded.port, target, accept), ask(coded.port, target, accept, method="HEAD")
        for fields in (plain.fields, head.fields):
            fields.pop("date")
        assert (head.status, head.fields) == (plain.status, plain.fields)


def test_a_large_file_goes_out_as_it_is_until_it_is_coded(coded, model):
    """It may be coded already by an earlier request; in the end it is, for everybody."""
    first = ask(coded.port, "/large.txt", "gzip")
    assert decode(coding_of(first), first.body) == TEXT * 40
    assert wait_until(lambda: coding_of(ask(coded.port, "/large.txt", "gzip")) == "gzip", 20, 0.1)
    assert decode("gzip", ask(coded.port, "/large.txt", "gzip").body) == TEXT * 40


def test_a_large_file_is_waited_for_by_who_refuses_it_plain(coded):
    answer = ask(coded.port, "/large.txt", "zstd, identity;q=0")
    assert coding_of(answer) == "zstd" and decode("zstd", answer.body) == TEXT * 40


def test_http_10_and_pipelined_requests(coded):
    with Client(coded.port) as client:
        client.send("".join(f"GET /page.html HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {coding}\r\n\r\n"
                            for coding in ("gzip", "identity", "zstd", "br", "gzip")))
        for coding in ("gzip", "identity", "zstd", "br", "gzip"):
            answer = client.answer()
            assert coding_of(answer) == coding and decode(coding, answer.body) == TEXT
    with Client(coded.port) as client:
        answer = client.ask("/page.html", "Accept-Encoding: gzip", version="1.0")
        assert coding_of(answer) == "gzip" and decode("gzip", answer.body) == TEXT


def test_curl_and_python_decode_it(coded):
    assert curl("--compressed", coded.url + "/page.html")[1] == TEXT
    request = urllib.request.Request(coded.url + "/page.html", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30, context=context("http/1.1") if SECURE else None) as answer:
        assert gzip.decompress(answer.read()) == TEXT


def store_of(server):
    """The private folder of a server, by the descriptors it holds."""
    for link in pathlib.Path(f"/proc/{server.pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if "/weir-coded-" in target:
            return pathlib.Path(target)
    return None


def results(folder):
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def test_a_file_is_coded_once_by_all_workers(starter, model, tmp_path):
    """Many clients at once, several workers: one result, and right answers for all."""
    root = tmp_path / "root"
    root.mkdir()
    write(root / "page.html", TEXT * 8)
    time.sleep(0.1)
    server = starter.serve(root, model, "--workers", 3)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(server.port, "/page.html", "br"), range(16)))
    assert all(decode(coding_of(answer), answer.body) == TEXT * 8 for answer in answers)
    folder = store_of(server)
    assert folder.stat().st_mode & 0o777 == 0o700
    made = results(folder)
    assert len(made) == 1 and made[0].name.split("-")[-2].startswith("br")
    inode = made[0].stat().st_ino
    for _ in range(8):
        assert coding_of(ask(server.port, "/page.html", "br")) == "br"
    assert results(folder)[0].stat().st_ino == inode
    server.stop()
    assert not folder.exists(), "the folder goes with the server"


def test_a_changed_file_is_coded_anew(starter, model, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    server = starter.serve(root, model)
    for i in range(3):
        content = TEXT + b"%d" % i
        write(root / "next", content, age=100 - i)
        os.rename(root / "next", root / "page.html")
        seen = lambda: decode(coding_of(answer := ask(server.port, "/page.html", "gzip")), answer.body) == content and coding_of(answer)
        assert wait_until(lambda: seen() == "gzip", 10)


def test_a_folder_of_ones_own_outlives_the_server(starter, model, tmp_path):
    root, cache = tmp_path / "root", tmp_path / "cache"
    root.mkdir()
    cache.mkdir(mode=0o700)
    write(root / "page.html", TEXT)
    time.sleep(0.1)
    for _ in range(2):
        server = starter.serve(root, model, "--coding-cache", cache)
        assert coding_of(ask(server.port, "/page.html", "gzip")) == "gzip"
        server.stop()
        assert len(results(cache)) == 1
    before = results(cache)[0].stat().st_ino
    server = starter.serve(root, model, "--coding-cache", cache, "--gzip-level", 9)
    assert coding_of(ask(server.port, "/page.html", "gzip")) == "gzip"
    assert len(results(cache)) == 2 and before in [entry.stat().st_ino for entry in results(cache)]


def test_the_store_is_bounded(starter, model, tmp_path):
    root, cache = tmp_path / "root", tmp_path / "cache"
    root.mkdir()
    cache.mkdir(mode=0o700)
    for i in range(60):
        write(root / f"{i}.txt", TEXT + b"%d" % i)
    time.sleep(0.1)
    server = starter.serve(root, model, "--coding-cache", cache, "--coding-bytes", "128K")
    for i in range(60):
        answer = ask(server.port, f"/{i}.txt", "gzip")
        assert decode(coding_of(answer), answer.body) == TEXT + b"%d" % i
        blocks = sum(-(-entry.stat().st_size // 4096) * 4096 for entry in results(cache))
        assert blocks <= 128 * 1024 + 16 * 1024  # one more result and it is swept


@pytest.mark.skipif(INSTRUMENTED,
                    reason="sanitizers keep memory of their own")
def test_memory_of_ready_replies_is_bounded(starter, tmp_path):
    """Four codings of many files through a worker that may keep 4 MiB."""
    root = tmp_path / "root"
    root.mkdir()
    content = random.Random(5).randbytes(24000).hex().encode()  # halves at most
    for i in range(150):
        write(root / f"{i}.txt", content + b"%d" % i)
    time.sleep(0.1)
    server = starter.serve(root, "event", "--workers", 1, "--ready-bytes", "4M", "--gzip-level", 1)
    worker = server.children()[0]
    resident = lambda: int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{worker}/status").read_text()).group(1)) // 1024
    with Client(server.port) as client:
        for accept in ("identity", "gzip"):
            for i in range(150):
                client.ask(f"/{i}.txt", f"Accept-Encoding: {accept}")
    assert resident() < 40  # 11 MB of content was asked for; a helper's memory for coding is in it


def test_off_and_neighbours_only(starter, tree, model):
    server = starter.serve(tree, model, "--coding", "off")
    for target in ("/page.html", "/neighbours.js"):
        answer = ask(server.port, target, ALL)
        assert coding_of(answer) == "identity" and "vary" not in answer.fields
    assert store_of(server) is None
    server = starter.serve(tree, model, "--coding-neighbours")
    assert coding_of(ask(server.port, "/page.html", ALL)) == "identity" and store_of(server) is None
    assert coding_of(ask(server.port, "/neighbours.js", ALL)) == "br"
    server = starter.serve(tree, model, "--coding", "gzip,br", "--coding-max", "4K")
    assert coding_of(ask(server.port, "/neighbours.js", ALL)) == "gzip"
    assert coding_of(ask(server.port, "/page.html", ALL)) == "identity"


def test_a_file_that_was_just_written_goes_out_as_it_is(starter, tmp_path):
    server = starter.serve(tmp_path, "event")
    for i in range(20):
        content = TEXT + b"%d" % i
        (tmp_path / f"{i}.html").write_bytes(content)
        answer = ask(server.port, f"/{i}.html", ALL)
        assert varies(answer) and decode(coding_of(answer), answer.body) == content


def test_a_worker_that_dies_while_coding_leaves_the_rest_at_work(starter, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    write(root / "page.html", TEXT)
    write(root / "slow.txt", TEXT * 200)
    time.sleep(0.1)
    server = starter.serve(root, "event", "--workers", 2, "--br-level", 11)
    assert ask(server.port, "/slow.txt", "br").status == 200  # begins what takes seconds
    for worker in server.children():
        os.kill(worker, 9)
    assert wait_until(lambda: len(server.children()) == 2, 10)
    answer = ask(server.port, "/page.html", "br")
    assert decode(coding_of(answer), answer.body) == TEXT


def test_a_server_that_was_killed_leaves_a_folder_for_the_next_to_remove(starter, tmp_path, monkeypatch):
    home = tmp_path / "run"
    home.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(home))
    dead = home / "weir-coded-abcdef"
    dead.mkdir(mode=0o700)
    (dead / "result").write_bytes(b"x")
    first = starter.serve(tmp_path, "event")
    assert dead.exists(), "it could be of a server that is just starting"
    assert store_of(first).parent == home
    first.stop()


@pytest.mark.parametrize("words, says", [
    (["--coding", "lzma"], "lzma"), (["--br-level", "12"], "1 to 11"), (["--coding-max", "much"], "64K"),
    (["--coding-bytes", "0"], "64K"), (["--ready-bytes", "-1"], "64K"),
])
def test_wrong_options(words, says, tmp_path):
    run = subprocess.run([WEIR, "serve", str(tmp_path), *words], capture_output=True, text=True,
                         timeout=20, check=False)
    assert run.returncode == 2 and says in run.stderr


def test_a_cache_others_may_write_to_is_refused(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    run = subprocess.run([WEIR, "serve", str(tmp_path), "--coding-cache", str(shared)],
                         capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 1 and "nobody else may write" in run.stderr
