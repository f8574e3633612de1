"""Programs that people use, doing what they do in life: curl, wget, wrk, h2load, nghttp, Python's http.client and urllib; over HTTP/1.1, and
over HTTP/2 in clear text and within TLS."""

import email
import email.message
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import urllib.request

import pytest

from conftest import INSTRUMENTED, Starter
from test_cgi import write_program
from test_tls import certs, keys  # pylint: disable=unused-import

PROGRAMS = {
    # What came, as JSON; forms are read by Python's own parser of mail, which is strict about multipart.
    "form": """#!/usr/bin/python3 -S
import email, hashlib, json, os, sys, urllib.parse
kind, data = os.environ.get('CONTENT_TYPE', ''), sys.stdin.buffer.read()
found = {'method': os.environ['REQUEST_METHOD'], 'type': kind, 'bytes': len(data), 'sha256': hashlib.sha256(data).hexdigest(),
         'query': os.environ['QUERY_STRING'], 'url': os.environ['REQUEST_URI'], 'host': os.environ['SERVER_NAME']}
if kind.startswith('application/x-www-form-urlencoded'):
    found['fields'] = urllib.parse.parse_qs(data.decode(), strict_parsing=True)
elif kind.startswith('multipart/form-data'):
    parts = email.message_from_bytes(b'Content-Type: ' + kind.encode() + b'\\r\\n\\r\\n' + data).get_payload()
    found['fields'] = {p.get_param('name', header='content-disposition'): [p.get_filename(), len(p.get_payload(decode=True))] for p in parts}
print('Content-Type: application/json\\n')
print(json.dumps(found))
""",
    # As much content as it is asked for, without its length.
    "zeros": "#!/bin/sh\nprintf 'Content-Type: application/octet-stream\\n\\n'\nexec head -c \"$QUERY_STRING\" /dev/zero\n",
}
BIG = 24 << 20


@pytest.fixture(scope="session")
def world(site, tmp_path_factory):
    """A site with a listing, text worth coding, and programs; what clients send lies beside it."""
    top = tmp_path_factory.mktemp("world")
    root = top / "site"
    shutil.copytree(site, root, symlinks=True, ignore=lambda folder, names: [n for n in names if n == "fifo"])
    (root / "text.html").write_text("<p>A weir holds a river back.\n" * 4000)
    (root / "shelf").mkdir()
    for name in ("one.txt", "two words.txt", "drei-grüße.txt", "100%.txt", "a&b.txt", "q?x#y.txt"):
        (root / "shelf" / name).write_text(name)
    for name, text in PROGRAMS.items():
        write_program(top / "programs" / name, text)
    block = bytes(i * 7 % 253 for i in range(1 << 16))
    (top / "upload").write_bytes(block * (BIG // len(block)))
    return top


@pytest.fixture(scope="module")
def _server(model, world, certs, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("real"))
    os.symlink(starter.folder, link := world / f"run-{model}")
    yield starter("serve", world / "site", "--listing", "--cgi", f"/cgi-bin={world / 'programs'}", "--model", model, "--access-log", "off",
                  "--listen", "http://127.0.0.1:0", "--listen", "http://[::1]:0", "--listen", f"unix:{link}/s", "--listen", "https://127.0.0.1:0",
                  *keys(certs["localhost"]), listeners=4)
    starter.end()
    link.unlink()


@pytest.fixture
def server(_server, world, model):
    _server.world, _server.socket = world, world / f"run-{model}/s"
    yield _server
    assert _server.process.poll() is None, f"the server ended\n{_server.said()}"
    _server.check_healthy()


def run(*words, status=0, timeout=60, **options):
    """A program without settings of its user's; its standard output and error."""
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    env |= {"HOME": "/nonexistent", "LC_ALL": "C.UTF-8"} | options.pop("env", {})
    done = subprocess.run([str(word) for word in words], capture_output=True, timeout=timeout, env=env, **options)
    assert done.returncode == status, f"{words}\n{done.returncode}\n{done.stdout[-2000:]}\n{done.stderr.decode(errors='replace')[-2000:]}"
    return done.stdout, done.stderr.decode(errors="replace")


def curl(*words, **options):
    return run("curl", "-q", "-sS", "--max-time", 50, *words, **options)[0]


def wget(*words, **options):
    return run("wget", "--no-config", "--no-hsts", "-t", 1, "-T", 50, *words, **options)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- curl ---


@pytest.mark.smoke
def test_curl_keeps_one_connection(server):
    """Files, an error, a form and an upload in a row, each read to its end: nothing is left over between them."""
    said = curl("-w", "%{http_code} %{num_connects} %{size_download}\n", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
                f"{server.url}/digits.txt", f"{server.url}/nothing", f"{server.url}/big.bin",
                "--next", "-sS", "-w", "%{http_code} %{num_connects}\n", "-o", "/dev/null", "-d", "a=1", f"{server.url}/cgi-bin/form",
                "--next", "-sS", "-w", "%{http_code} %{num_connects}\n", "-o", "/dev/null", "-T", server.world / "upload", f"{server.url}/cgi-bin/form",
                "--next", "-sS", "-w", "%{http_code} %{num_connects} %{size_download}\n", "-I", "-o", "/dev/null", f"{server.url}/digits.txt").decode()
    lines = said.splitlines()
    assert lines[0] == "200 1 10"
    assert lines[1].startswith("404 0") and lines[2] == "200 0 13107400"
    assert lines[3:5] == ["200 0", "200 0"] and lines[5] == "200 0 0"


def test_curl_resumes(server, tmp_path):
    whole, part = server.world / "site/big.bin", tmp_path / "part"
    part.write_bytes(whole.read_bytes()[:5_000_001])
    said = curl("-C", "-", "-o", part, "-w", "%{http_code} %{size_download}", f"{server.url}/big.bin")
    assert said == b"206 8107399" and digest(part) == digest(whole)
    # All of it is there: 416, which curl takes for the end.
    assert curl("-C", "-", "-o", part, "-w", "%{http_code}", f"{server.url}/big.bin", status=0) == b"416"
    assert digest(part) == digest(whole)


def test_curl_ranges(server):
    assert curl("-r", "2-4", f"{server.url}/digits.txt") == b"234"
    assert curl("-r", "-3", f"{server.url}/digits.txt") == b"789"
    text = (server.world / "site/text.html").read_text()
    message = email.message_from_bytes(curl("-r", "2-6,5000-5009,-5", "-i", f"{server.url}/text.html").partition(b"\r\n")[2])
    assert [part.get_payload() for part in message.get_payload()] == [text[2:7], text[5000:5010], text[-5:]]


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_curl_compressed(server, world, coding, tmp_path):
    """The answer is coded, and what curl or the tool of that coding makes of it is the file."""
    text = (world / "site/text.html").read_bytes()
    coded, head = tmp_path / "coded", tmp_path / "head"
    for _ in range(2):
        curl("-H", f"Accept-Encoding: {coding}", "-D", head, "-o", coded, f"{server.url}/text.html")
        assert f"content-encoding: {coding}" in head.read_text().lower() and coded.stat().st_size < len(text) // 20
        tool = {"gzip": "gzip", "br": "brotli", "zstd": "zstd"}[coding]
        assert run(tool, "-dc", stdin=coded.open("rb"))[0] == text
    assert curl("--compressed", f"{server.url}/text.html") == text
    assert curl(f"{server.url}/text.html") == text


def test_curl_conditions(server, tmp_path):
    url, tag, file = f"{server.url}/digits.txt", tmp_path / "tag", tmp_path / "file"
    assert curl("--etag-save", tag, "-o", file, "-R", "-w", "%{http_code}", url) == b"200"
    assert file.stat().st_mtime == 1700000000
    assert curl("--etag-compare", tag, "-w", "%{http_code} %{size_download}", url) == b"304 0"
    assert curl("-z", file, "-w", "%{http_code}", url) == b"304"
    assert curl("-z", "-Mon, 01 Jan 2001 00:00:00 GMT", "-w", "%{http_code}", "-o", "/dev/null", url) == b"412"
    assert curl("-z", "Mon, 01 Jan 2001 00:00:00 GMT", "-w", "%{http_code}", "-o", "/dev/null", url) == b"200"
    assert curl("-H", 'If-Match: "no"', "-w", "%{http_code}", "-o", "/dev/null", url) == b"412"


@pytest.mark.smoke
def test_curl_posts_forms(server, world):
    found = json.loads(curl("--data-urlencode", "name=Jörg & Söhne", "-d", "empty=x", f"{server.url}/cgi-bin/form?q=1"))
    assert found["fields"] == {"name": ["Jörg & Söhne"], "empty": ["x"]} and found["query"] == "q=1" and found["method"] == "POST"
    found = json.loads(curl("-F", "note=he said", "-F", f"file=@{world / 'upload'};filename=ü.bin", f"{server.url}/cgi-bin/form"))
    assert found["fields"]["note"] == [None, 7] and found["fields"]["file"][1] == BIG


@pytest.mark.smoke
def test_curl_uploads_with_expect(server, world):
    """Of known and of unknown length, each asked for by 100 (Continue) and each in one piece; without it, too."""
    upload = world / "upload"
    for words in (["-T", upload], ["-T", "-"], ["-T", upload, "-H", "Transfer-Encoding: chunked"], ["-T", upload, "-H", "Expect:"],
                  ["--data-binary", f"@{upload}", "-H", "Content-Type: application/x-weir"]):
        expects = [] if "Expect:" in words else ["-H", "Expect: 100-continue"]
        with upload.open("rb") as file:
            out, err = run("curl", "-q", "-sSv", "--max-time", 50, "--expect100-timeout", 45, *expects, *words, f"{server.url}/cgi-bin/form", stdin=file)
        assert json.loads(out)["sha256"] == digest(upload), words
        assert ("100 Continue" in err) == bool(expects), err


def test_curl_is_refused_before_it_uploads(server, world):
    """A final answer instead of 100: not a byte of content is sent."""
    said = curl("-T", world / "upload", "-H", "Expect: 100-continue", "--expect100-timeout", 45, "-o", "/dev/null", "-w", "%{http_code} %{size_upload}",
                f"{server.url}/digits.txt")
    assert said == b"405 0"


@pytest.mark.smoke
def test_curl_over_ipv6_and_unix_sockets(server):
    assert curl("-g", server.urls[1] + "digits.txt") == b"0123456789"
    assert "[::1]" in server.urls[1]
    assert curl("--unix-socket", server.socket, "http://localhost/digits.txt") == b"0123456789"
    found = json.loads(curl("--unix-socket", server.socket, "-F", f"f=@{server.world / 'upload'}", "http://localhost/cgi-bin/form"))
    assert found["fields"]["f"][1] == BIG


def test_absolute_form_of_a_proxys_client(server):
    """A client that takes the server for a proxy sends the whole address; the server answers as the site it is."""
    assert curl("-x", server.url, "http://site.test/digits.txt") == b"0123456789"
    assert curl("-x", server.url, "http://site.test:81/cgi-bin/form?a=b", "-d", "x=1").startswith(b"{")
    proxies = urllib.request.ProxyHandler({"http": server.url})
    with urllib.request.build_opener(proxies).open("http://site.test/digits.txt", timeout=20) as answer:
        assert answer.read() == b"0123456789"
    # It is no proxy: a tunnel is refused.
    out = run("curl", "-q", "-sS", "-x", server.url, "https://site.test/", "-w", "%{http_connect}", "--max-time", 20, status=56)[0]
    assert out == b"405" or out == b"501", out


def test_curl_in_parallel(server, tmp_path):
    curl("-Z", "--parallel-max", 20, *[word for n in range(40) for word in ("-o", tmp_path / f"{n}", f"{server.url}/{'big.bin' if n % 8 == 0 else 'digits.txt'}")],
         timeout=90)
    for n in range(40):
        assert (tmp_path / f"{n}").stat().st_size == (13107400 if n % 8 == 0 else 10)


def test_curl_slowly(server):
    """An answer of a program without a length, at the pace of the reader."""
    assert len(curl("--limit-rate", "4M", f"{server.url}/cgi-bin/zeros?6000000", timeout=60)) == 6_000_000
    assert len(curl("--http1.0", f"{server.url}/cgi-bin/zeros?300000")) == 300_000


# --- HTTP/2 ---


@pytest.fixture(params=["clear", "tls"])
def h2(request, server, certs):
    """words of curl, and where: by prior knowledge, or as TLS agrees on it."""
    if request.param == "clear":
        return ["--http2-prior-knowledge"], server.url
    return ["--http2", "--cacert", certs["localhost"][0]], server.urls[3].rstrip("/")


OVER_TLS = pytest.mark.parametrize("h2", ["tls"], indirect=True)  # curl 7.88 begins a second request by prior knowledge with a preface


@pytest.mark.smoke
@OVER_TLS
def test_curl_over_http2_on_one_connection(server, world, h2):
    words, url = h2
    seen = "%{http_version} %{http_code} %{num_connects} %{size_download}\n"
    asks = [["-o", "/dev/null", f"{url}/digits.txt"], ["-o", "/dev/null", f"{url}/nothing"], ["-o", "/dev/null", f"{url}/big.bin"],
            ["-o", "/dev/null", "-d", "a=1", f"{url}/cgi-bin/form"], ["-o", "/dev/null", "-T", world / "upload", f"{url}/cgi-bin/form"],
            ["-o", "/dev/null", "-I", f"{url}/big.bin"], ["-o", "/dev/null", f"{url}/cgi-bin/zeros?3000000"], ["-o", "/dev/null", "-T", world / "upload", f"{url}/digits.txt"],
            ["-o", "/dev/null", f"{url}/digits.txt"]]
    line = []
    for ask in asks:
        line += (["--next"] if line else []) + [*words, "-sS", "--max-time", 50, "-w", seen, *ask]
    said = [one.split() for one in run("curl", "-q", *line, timeout=90)[0].decode().splitlines()]
    assert [one[0] for one in said] == ["2"] * len(asks)
    assert [one[1] for one in said] == ["200", "404", "200", "200", "200", "200", "200", "405", "200"]
    assert [one[2] for one in said][:7] == ["1", "0", "0", "0", "0", "0", "0"]
    assert said[2][3] == "13107400" and said[5][3] == "0" and said[6][3] == "3000000"


def test_curl_over_http2_as_in_life(server, world, h2, tmp_path):
    words, url = h2
    whole, part = world / "site/big.bin", tmp_path / "part"
    part.write_bytes(whole.read_bytes()[:5_000_001])
    assert curl(*words, "-C", "-", "-o", part, "-w", "%{http_code} %{size_download}", f"{url}/big.bin") == b"206 8107399" and digest(part) == digest(whole)
    assert curl(*words, "--compressed", f"{url}/text.html") == (world / "site/text.html").read_bytes()
    assert curl(*words, "--etag-save", tmp_path / "tag", "-o", "/dev/null", "-w", "%{http_code}", f"{url}/digits.txt") == b"200"
    assert curl(*words, "--etag-compare", tmp_path / "tag", "-w", "%{http_code}", f"{url}/digits.txt") == b"304"
    found = json.loads(curl(*words, "-F", "note=he said", "-F", f"file=@{world / 'upload'}", f"{url}/cgi-bin/form"))
    assert found["fields"]["note"] == [None, 7] and found["fields"]["file"][1] == BIG
    with (world / "upload").open("rb") as file:  # its length is not known: CGI needs it all the same
        assert json.loads(curl(*words, "-T", "-", f"{url}/cgi-bin/form", stdin=file))["sha256"] == digest(world / "upload")
    assert len(curl(*words, "--limit-rate", "4M", f"{url}/cgi-bin/zeros?6000000")) == 6_000_000


@OVER_TLS
def test_curl_over_http2_in_parallel(server, h2, tmp_path):
    """Forty answers at once on one connection, some of them long."""
    words, url = h2
    curl(*words, "-Z", "--parallel-max", 40, *[word for n in range(40) for word in ("-o", tmp_path / f"{n}", f"{url}/{'big.bin' if n % 8 == 0 else 'digits.txt'}")],
         timeout=90)
    for n in range(40):
        assert (tmp_path / f"{n}").stat().st_size == (13107400 if n % 8 == 0 else 10)


@pytest.mark.smoke
def test_h2load_over_http2(server, model, h2):
    clients, many = (1, 300) if model in ("sequential", "fork-wait", "prefork") else (4, 400 if INSTRUMENTED else 2000)
    _, url = h2
    said = run("h2load", f"-n{many}", f"-c{clients}", "-m16", f"{url}/digits.txt", f"{url}/text.html", timeout=90)[0].decode()
    assert f"{many} succeeded, 0 failed, 0 errored, 0 timeout" in said and "Application protocol: h2" in said, said


def test_nghttp(server, h2):
    """The client of nghttp2 asks for a page and for others meanwhile."""
    _, url = h2
    said = run("nghttp", "-v", f"{url}/text.html", f"{url}/digits.txt", f"{url}/nothing")[0].decode()
    assert sorted(re.findall(r":status: (\d+)", said)) == ["200", "200", "404"], said
    assert "0123456789" in said


def test_clients_without_http2_are_served_beside_it(server, certs, tmp_path):
    """Over TLS, HTTP/1.1 for who does not offer more."""
    url = server.urls[3].rstrip("/")
    assert curl("--http1.1", "--cacert", certs["localhost"][0], "-w", "%{http_version}", "-o", "/dev/null", f"{url}/digits.txt") == b"1.1"
    wget(f"--ca-certificate={certs['localhost'][0]}", "-O", tmp_path / "big", f"{url}/big.bin")
    assert digest(tmp_path / "big") == digest(server.world / "site/big.bin")
    said = run("wrk", "-t1", "-c1", "-d1s", f"{url}/digits.txt")[0].decode()
    assert requests_of_wrk(said) > 20


# --- wget ---


def test_wget_resumes(server, tmp_path):
    whole, part = server.world / "site/big.bin", tmp_path / "big.bin"
    part.write_bytes(whole.read_bytes()[:9_999_999])
    _, said = wget("-c", f"{server.url}/big.bin", cwd=tmp_path)
    assert "206 Partial Content" in said and digest(part) == digest(whole)
    _, said = wget("-c", f"{server.url}/big.bin", cwd=tmp_path)
    assert "nothing to do" in said and digest(part) == digest(whole)


def test_wget_by_time(server, tmp_path):
    wget("-N", f"{server.url}/digits.txt", cwd=tmp_path)
    assert (tmp_path / "digits.txt").stat().st_mtime == 1700000000
    assert "304 Not Modified" in wget("-N", f"{server.url}/digits.txt", cwd=tmp_path)[1]


@pytest.mark.smoke
def test_wget_mirrors_a_listing(server, tmp_path):
    """Over one connection where the model keeps it; every odd name arrives as it is."""
    wget("-r", "-np", "-nH", "--restrict-file-names=nocontrol", "-R", "index.html*,shelf", f"{server.url}/shelf/", cwd=tmp_path)
    names = {"one.txt", "two words.txt", "drei-grüße.txt", "100%.txt", "a&b.txt", "q?x#y.txt"}
    have = {path.name: path.read_text() for path in (tmp_path / "shelf").iterdir() if not path.name.startswith("index.html")}
    assert have == {name: name for name in names}


def test_wget_compressed_posted_and_looked_at(server, world, tmp_path):
    wget("--compression=auto", "-O", tmp_path / "text", f"{server.url}/text.html")
    assert digest(tmp_path / "text") == digest(world / "site/text.html")
    found = json.loads(wget("-qO-", "--post-data", "a=1&b=2", f"{server.url}/cgi-bin/form")[0])
    assert found["fields"] == {"a": ["1"], "b": ["2"]}
    found = json.loads(wget("-qO-", "--method=PUT", "--header=Content-Type: application/x-weir", f"--body-file={world / 'upload'}", f"{server.url}/cgi-bin/form")[0])
    assert found["sha256"] == digest(world / "upload") and found["method"] == "PUT"
    assert "exists" in wget("--spider", f"{server.url}/digits.txt")[1]
    wget("--spider", f"{server.url}/nothing", status=8)
    assert wget("-qO-", "http://site.test/digits.txt", env={"http_proxy": server.url})[0] == b"0123456789"


# --- load ---


PIPELINE = """
init = function(args)
    local r = {}
    for i = 1, 16 do r[i] = wrk.format("GET", i % 4 == 0 and "/text.html" or "/digits.txt") end
    many = table.concat(r)
end
request = function() return many end
"""


def requests_of_wrk(said):
    assert "Socket errors" not in said and "Non-2xx" not in said, said
    return int(re.search(r"(\d+) requests in", said)[1])


@pytest.mark.smoke
@pytest.mark.parametrize("pipelined", [False, True], ids=["one", "pipelined"])
def test_wrk(server, model, tmp_path, pipelined):
    """A slow worker of prefork may come so late to a client who waits that another, between two requests, has left for it: wrk calls that an error."""
    script = tmp_path / "pipeline.lua"
    script.write_text(PIPELINE)
    clients = 1 if model in ("sequential", "fork-wait", *(["prefork"] if INSTRUMENTED else [])) else 8
    said = run("wrk", "-t1", f"-c{clients}", "-d1s", "--timeout", "20s", *(["-s", script] if pipelined else []), f"{server.url}/digits.txt")[0].decode()
    assert requests_of_wrk(said) > 50


@pytest.mark.smoke
def test_h2load_speaks_http1(server, model):
    """One client where a connection may be asked to leave (Connection: close) when another waits: h2load gives up what it had still to ask."""
    clients, many = (1, 300) if model in ("sequential", "fork-wait", "prefork") else (8, 400 if INSTRUMENTED else 2000)
    for words in (["-m1"], ["-m8"]):
        said = run("h2load", "--h1", f"-n{many}", f"-c{clients}", *words, f"{server.url}/digits.txt", f"{server.url}/text.html")[0].decode()
        assert f"{many} succeeded, 0 failed, 0 errored, 0 timeout" in said, said
        assert f"status codes: {many} 2xx" in said


# --- Python ---


@pytest.mark.smoke
def test_http_client_on_one_connection(server, world):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def ask(method, target, body=None, **fields):
        connection.request(method, target, body, {name.replace("_", "-"): value for name, value in fields.items()}, encode_chunked=True)
        answer = connection.getresponse()
        return answer, answer.read()

    first, _ = ask("GET", "/digits.txt")
    own = connection.sock
    assert ask("HEAD", "/big.bin")[0].getheader("Content-Length") == "13107400"
    assert ask("GET", "/digits.txt", If_None_Match=first.getheader("ETag"))[0].status == 304
    assert ask("GET", "/digits.txt", Range="bytes=1-2")[1] == b"12"
    assert ask("GET", "/nothing")[0].status == 404
    assert ask("POST", "/digits.txt", b"x" * 1000)[0].status == 405
    block = (world / "upload").read_bytes()[:3_000_000]
    found = json.loads(ask("POST", "/cgi-bin/form", block, Content_Type="application/octet-stream")[1])
    assert found["sha256"] == hashlib.sha256(block).hexdigest()
    chunks = iter([block[:10], block[10:70000], block[70000:]])
    found = json.loads(ask("POST", "/cgi-bin/form", chunks, Transfer_Encoding="chunked")[1])
    assert found["sha256"] == hashlib.sha256(block).hexdigest()
    answer, body = ask("GET", "/cgi-bin/zeros?200000")
    assert len(body) == 200000 and answer.chunked
    assert ask("OPTIONS", "*")[0].status == 204
    assert connection.sock is own, "one connection served them all"
    connection.close()


def test_http_client_many_threads(server):
    """Twelve users, each with a connection that lasts as long as the model lets it."""
    faults = []

    def user():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=40)
        try:
            for _ in range(10):
                for attempt in (1, 2):  # a server may close a connection that rests, just when it is used again
                    try:
                        connection.request("GET", "/text.html")
                        body = connection.getresponse().read()
                        break
                    except (http.client.RemoteDisconnected, ConnectionError):
                        connection.close()
                        if attempt == 2:
                            raise
                assert len(body) == 30 * 4000
        except Exception as error:  # pylint: disable=broad-except
            faults.append(repr(error))
        finally:
            connection.close()

    users = [threading.Thread(target=user) for _ in range(12)]
    for one in users:
        one.start()
    for one in users:
        one.join()
    assert not faults, faults


def test_urllib(server):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{server.url}/dir", timeout=20) as answer:
        assert answer.url.endswith("/dir/") and answer.read() == b"<p>dir\n"
        assert isinstance(answer.headers, email.message.Message)


def test_pipelining_over_a_unix_socket(server):
    """Requests of every kind in one write; their answers in order, and then the end that was asked for."""
    many = "".join(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n" for name in ("digits.txt", "nothing", "text.html"))
    many += "HEAD /big.bin HTTP/1.1\r\nHost: x\r\n\r\nPOST /cgi-bin/form HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=1"
    many += "GET /digits.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(server.socket))
        client.sendall(many.encode())
        data = b""
        while block := client.recv(1 << 16):
            data += block
    assert re.findall(rb"HTTP/1\.1 (\d+)", data) == [b"200", b"404", b"200", b"200", b"200", b"206"]
    assert data.endswith(b"\r\n\r\n01")
