"""Programs that answer requests (RFC 3875): weir serve --cgi PREFIX=DIR."""

import concurrent.futures
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import textwrap
import time

import pytest

import talk
from conftest import WEIR, Starter, wait_until
from frames import PREFACE, fields, frame
from talk import OVER, Client, Gone

PYTHON = "#!/usr/bin/python3 -S\n"
SHELL = "#!/bin/sh\n"

PROGRAMS = {
    # What a program finds, as JSON.
    "env": PYTHON + """
import json, os, sys
fds = {}
for fd in os.listdir('/proc/self/fd'):
    try:
        fds[int(fd)] = os.readlink('/proc/self/fd/' + fd)
    except OSError:
        pass  # the listing's own
signals = [l.split()[1] for l in open('/proc/self/status') if l.startswith(('SigBlk', 'SigIgn'))]
found = {'env': dict(os.environ), 'fds': fds, 'args': sys.argv, 'folder': os.getcwd(), 'signals': signals,
         'leads': os.getpgid(0) == os.getpid(), 'input': sys.stdin.buffer.read().decode('latin-1')}
print('Content-Type: application/json\\n')
print(json.dumps(found))
""",
    "echo": SHELL + "printf 'Content-Type: text/plain\\r\\n\\r\\n'\nexec cat\n",
    "count": PYTHON + """
import sys
total = 0
while data := sys.stdin.buffer.read(65536):
    total += len(data)
print(f'Content-Type: text/plain\\n\\n{total}')
""",
    "zeros": SHELL + """printf 'Content-Type: application/octet-stream\\n\\n'\nexec head -c "${QUERY_STRING:-1}" /dev/zero\n""",
    "say": SHELL + "exec cat \"$(printf %s \"$QUERY_STRING\" | tr -cd a-z0-9-).txt\"\n",
    "nph-say": SHELL + "exec cat \"$(printf %s \"$QUERY_STRING\" | tr -cd a-z0-9-).txt\"\n",
    "complain": SHELL + "printf 'one\\033[2J\\ntwo' >&2\nprintf 'Content-Type: text/plain\\n\\n'\nprintf %s \"$UNIQUE_ID\"\n",
    "hang": SHELL + "echo $$ > \"$QUERY_STRING\"\nsleep 300\n",
    "stubborn": SHELL + "trap '' TERM\necho $$ > \"$QUERY_STRING\"\nwhile :; do sleep 1; done\n",
    "drip": SHELL + "echo $$ > \"$QUERY_STRING\"\nprintf 'Content-Type: text/plain\\n\\n'\nwhile :; do echo x; sleep 0.1; done\n",
    "die": SHELL + "kill -9 $$\n",
    "die-within": SHELL + "printf 'Content-Type: text/plain\\n\\nhalf'\nsleep 0.2\nkill -9 $$\n",
    "silent": SHELL + "exit 3\n",
    "leave-behind": SHELL + "printf 'Content-Type: text/plain\\n\\nhere'\nsleep 20 &\n",
    "slow": SHELL + "sleep 0.5\nprintf 'Content-Type: text/plain\\n\\nslow'\n",
    "deaf": SHELL + "exec <&-\nprintf 'Content-Type: text/plain\\nContent-Length: 4\\n\\ndeaf'\n",
    "hungry": PYTHON + "x = bytearray(400 << 20)\nprint('Content-Type: text/plain\\n\\nfat')\n",
    "busy": SHELL + "printf 'Content-Type: text/plain\\n\\n'\nwhile :; do :; done\n",
    "no-program": "neither a program nor a script\n",
    "no-interpreter": "#!/nowhere/at/all\n",
    "sub/deeper/inner": SHELL + "printf 'Content-Type: text/plain\\n\\n%s|%s' \"$SCRIPT_NAME\" \"$PATH_INFO\"\n",
}

ANSWERS = {
    "missing": "Status: 404 Not here\n\n",
    "made": "Status: 201 Made\nContent-Type: text/plain\nX-One: 1\n\nmade",
    "own": "Content-Type: text/plain\nx-frame-options: DENY\nVary: Cookie\nSet-Cookie: a=1\nSet-Cookie: b=2\n\nown",
    "elsewhere": "Location: http://example.org/there\n\n",
    "moved": "Status: 301 Moved\nLocation: /there\n\nmoved",
    "host": "Location: //example.org/there\n\n",
    "file": "Location: /page.html\n\n",
    "program": "Location: /cgi-bin/env/more?a=b\n\n",
    "circle": "Location: /cgi-bin/say?circle\n\n",
    "nothing": "Status: 204\n\nnothing may follow",
    "same": "Status: 304\nETag: \"x\"\n\nnothing may follow",
    "hop": "Content-Type: text/plain\nConnection: X-One\nKeep-Alive: 5\nTE: x\nTrailer: y\nUpgrade: z\nDate: never\n\nhop",
    "length": "Content-Type: text/plain\nContent-Length: 6\n\nlength",
    "short": "Content-Type: text/plain\nContent-Length: 10\n\nshort",
    "long": "Content-Type: text/plain\nContent-Length: 2\n\nlong",
    "whole": "HTTP/1.1 299 Odd\r\nX-Raw:  y\r\n\r\nraw",
    # nonsense
    "bad-empty": "\n",
    "bad-colon": "Content-Type text/plain\n\nx",
    "bad-name": "Content Type: text/plain\n\nx",
    "bad-fold": "Content-Type: text/plain\n folded\n\nx",
    "bad-byte": "Content-Type: text/plain\nX: a\x01b\n\nx",
    "bad-nul": "Content-Type: text/plain\nX: a\0b\n\nx",
    "bad-cr": "Content-Type: text/plain\nX: a\rb\n\nx",
    "bad-none": "X-Only: 1\n\nx",
    "bad-status": "Status: twenty\n\nx",
    "bad-interim": "Status: 100\n\nx",
    "bad-twice": "Status: 200\nStatus: 404\n\nx",
    "bad-length": "Content-Type: text/plain\nContent-Length: -1\n\nx",
    "bad-lengths": "Content-Type: text/plain\nContent-Length: 1\nContent-Length: 1\n\nx",
    "bad-coding": "Content-Type: text/plain\nTransfer-Encoding: chunked\n\n1\r\nx\r\n0\r\n\r\n",
    "bad-large": "Content-Type: text/plain\n" + "X: " + "y" * 20000 + "\n\nx",
    "bad-many": "Content-Type: text/plain\n" + "X: y\n" * 200 + "\nx",
    "bad-unended": "Content-Type: text/plain\n",
}


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    path.chmod(0o755)


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """A folder of programs, and a site beside it."""
    top = tmp_path_factory.mktemp("cgi")
    folder, root = top / "programs", top / "site"
    for name, text in PROGRAMS.items():
        write_program(folder / name, text)
    for name, text in ANSWERS.items():
        (folder / f"{name}.txt").write_bytes(text.encode("latin-1"))
    (folder / "plain").write_text("not executable\n")
    write_program(folder / ".hidden", PROGRAMS["echo"])
    write_program(folder / ".git/hook", PROGRAMS["echo"])
    write_program(top / "outside", PROGRAMS["echo"])
    (folder / "out-link").symlink_to("../outside")
    (folder / "absolute-link").symlink_to(top / "outside")
    (folder / "out-folder").symlink_to("..")
    (folder / "in-link").symlink_to("sub/deeper/inner")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo")
    root.mkdir()
    (root / "index.html").write_text("<p>site\n")
    (root / "page.html").write_text("<p>page\n")
    return top


def start_cgi(starter, programs, model, *words, **options):
    return starter.serve(programs / "site", model, "--cgi", f"/cgi-bin={programs / 'programs'}", *words, **options)


@pytest.fixture(scope="module")
def _cgi(model, programs, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("cgi-server"))
    yield start_cgi(starter, programs, model, "--cgi-timeout", 20, env={**os.environ, "SECRET_OF_THE_SERVER": "1"})
    starter.end()


@pytest.fixture
def cgi(_cgi):
    yield _cgi
    assert _cgi.process.poll() is None, f"the server ended\n{_cgi.said()}"
    _cgi.check_healthy()


class Reply:
    def __init__(self, response, body):
        self.status, self.fields, self.body = response.status, response.headers, body


def ask(server, target, method="GET", body=None, fields=None, timeout=30, connection=None):
    own = connection is None
    connection = connection or talk.connection(server.port, timeout)
    try:
        connection.request(method, target, body=body, headers=fields or {}, encode_chunked=False)
        response = connection.getresponse()
        return Reply(response, response.read())
    finally:
        if own:
            connection.close()


def found(server, target="/cgi-bin/env", **options):
    reply = ask(server, target, **options)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def chunks(data, size):
    return b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + size]), data[i:i + size]) for i in range(0, len(data), size)) + b"0\r\n\r\n"


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pid_in(path):
    assert wait_until(lambda: path.exists() and path.read_text().endswith("\n"), 10)
    return int(path.read_text())


# --- what a program is given ---

@pytest.mark.smoke
@pytest.mark.threads
def test_environment(cgi, programs):
    got = found(cgi, "/cgi-bin/env/a%20b/c?q=1&r=%20", fields={"X-Mine": "yes"})
    env = got["env"]
    assert {name: env.get(name) for name in (
        "GATEWAY_INTERFACE", "SERVER_PROTOCOL", "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING",
        "SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REMOTE_HOST", "HTTP_X_MINE", "REQUEST_URI", "SCRIPT_FILENAME",
        "DOCUMENT_ROOT", "REQUEST_SCHEME")} == {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/cgi-bin/env", "PATH_INFO": "/a b/c", "PATH_TRANSLATED": f"{programs}/site/a b/c",
        "QUERY_STRING": "q=1&r=%20", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(cgi.port), "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1", "HTTP_X_MINE": "yes", "REQUEST_URI": "/cgi-bin/env/a%20b/c?q=1&r=%20",
        "SCRIPT_FILENAME": f"{programs}/programs/env", "DOCUMENT_ROOT": f"{programs}/site", "REQUEST_SCHEME": talk.SCHEME}
    assert env["SERVER_SOFTWARE"].startswith("weir/")
    assert not {"CONTENT_LENGTH", "CONTENT_TYPE", "AUTH_TYPE", "REMOTE_USER", "SECRET_OF_THE_SERVER", "HOME"} & set(env)
    assert got["folder"] == f"{programs}/programs" and got["args"] == ["./env"]
    assert set(got["fds"]) <= {"0", "1", "2", "3"} and got["fds"]["0"] == "/dev/null"
    assert got["fds"]["1"].startswith("pipe:") and got["fds"]["2"].startswith("pipe:")
    assert got["leads"] and int(got["signals"][0], 16) == 0


def test_content_variables(cgi):
    env = found(cgi, method="POST", body=b"a=b", fields={"Content-Type": "application/x-www-form-urlencoded"})
    assert env["input"] == "a=b"
    assert env["env"]["CONTENT_LENGTH"] == "3" and env["env"]["CONTENT_TYPE"] == "application/x-www-form-urlencoded"
    assert not {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"} & set(env["env"])
    assert "CONTENT_LENGTH" not in found(cgi, method="POST", body=b"")["env"]
    assert "QUERY_STRING" in found(cgi)["env"]


def test_fields_that_programs_do_not_see(cgi):
    with Client(cgi.port) as client:
        client.request("/cgi-bin/env", "Proxy: evil:1", "Authorization: Basic eDp5", "Proxy-Authorization: x", "X_Under: 1",
                       "X-Under: 2", "X.Dot: 3", "Cookie: a=1", "Cookie: b=2", "X-Many: 1", "x-many: 2", "TE: trailers",
                       "Connection: close")
        env = json.loads(re.search(rb"\{.*\}", client.rest(), re.S).group())["env"]
    assert {name: value for name, value in env.items() if name.startswith("HTTP_")} == {
        "HTTP_HOST": "test", "HTTP_X_UNDER": "2", "HTTP_COOKIE": "a=1; b=2", "HTTP_X_MANY": "1, 2"}


def test_server_name_without_a_host(cgi):
    with Client(cgi.port) as client:
        client.send("GET /cgi-bin/env HTTP/1.0\r\n\r\n")
        env = json.loads(re.search(rb"\{.*\}", client.rest(), re.S).group())["env"]
    assert env["SERVER_NAME"] == "127.0.0.1" and env["SERVER_PORT"] == str(cgi.port)
    assert env["SERVER_PROTOCOL"] == "HTTP/1.0" and "HTTP_HOST" not in env


@pytest.mark.parametrize("target, info", [
    ("/cgi-bin/env", None), ("/cgi-bin/env/", "/"), ("/cgi-bin/env/x", "/x"), ("/cgi-bin//env///x", "/x"),
    ("/cgi-bin/./env/y/../x", "/x"), ("/x/../cgi-bin/env/%2e%2e/env/x", "/x"), ("/cgi-bin/env/gr%C3%BC%C3%9Fe", "/grüße"),
    ("/cgi-bin/%65nv/.x", "/.x"),
])
def test_path_info(cgi, target, info):
    assert found(cgi, target)["env"].get("PATH_INFO") == info


@pytest.mark.parametrize("target, status", [
    ("/cgi-bin", 404), ("/cgi-bin/", 404), ("/cgi-bin/sub", 404), ("/cgi-bin/sub/", 404), ("/cgi-bin/sub/deeper/", 404),
    ("/cgi-bin/none", 404), ("/cgi-binenv", 404), ("/cgi-bin/envx", 404), ("/cgi-bin/plain", 403), ("/cgi-bin/say.txt", 404),
    ("/cgi-bin/.hidden", 404), ("/cgi-bin/.git/hook", 404), ("/cgi-bin/out-link", 404), ("/cgi-bin/absolute-link", 404),
    ("/cgi-bin/out-folder/outside", 404), ("/cgi-bin/../outside", 404), ("/cgi-bin/%2e%2e/outside", 404),
    ("/cgi-bin/..%2foutside", 404), ("/cgi-bin/env%00", 400), ("/cgi-bin/loop", 404), ("/cgi-bin/fifo", 404),
    ("/cgi-bin/" + "x/" * 100, 404), ("/cgi-bin/" + "y" * 300, 404), ("/cgi-bin/no-program", 500),
    ("/cgi-bin/no-interpreter", 500),
])
def test_no_program(cgi, target, status):
    with Client(cgi.port) as client:
        assert client.ask(target).status == status


def test_programs_in_folders(cgi):
    assert ask(cgi, "/cgi-bin/sub/deeper/inner/x").body == b"/cgi-bin/sub/deeper/inner|/x"
    assert ask(cgi, "/cgi-bin/in-link/x").body == b"/cgi-bin/in-link|/x"
    assert ask(cgi, "/").body == b"<p>site\n"


def test_methods(cgi):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert found(cgi, method=method, body=b"x")["env"]["REQUEST_METHOD"] == method
    with Client(cgi.port) as client:
        assert client.ask("/cgi-bin/env", method="TRACE").status in (405, 501)


# --- content ---

@pytest.mark.smoke
@pytest.mark.threads
def test_content_by_length(cgi):
    data = os.urandom(300_000)
    assert ask(cgi, "/cgi-bin/echo", "POST", data).body == data


@pytest.mark.smoke
@pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_000])
def test_content_of_unknown_length(cgi, size):
    data = os.urandom(size)
    with Client(cgi.port) as client:
        client.send("POST /cgi-bin/count HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert client.rest().endswith(b"\n0\n")
    with Client(cgi.port) as client:
        client.request("/cgi-bin/count", "Transfer-Encoding: chunked", "Connection: close", method="POST")
        client.send(chunks(data, 7919))
        assert f"\r\n{size}\n".encode() in client.rest()


def test_too_much_of_unknown_length(starter, programs, model):
    server = start_cgi(starter, programs, model, "--cgi-spool", "64K")
    with Client(server.port) as client:
        client.request("/cgi-bin/count", "Transfer-Encoding: chunked", method="POST")
        client.send(chunks(bytes(100_000), 10_000))
        assert client.answer().status == 413
    with Client(server.port) as client:
        client.request("/cgi-bin/count", "Transfer-Encoding: chunked", "Connection: close", method="POST")
        client.send(chunks(bytes(60_000), 10_000))
        assert b"\r\n60000\n" in client.rest()


def test_expect(cgi):
    with Client(cgi.port) as client:
        client.request("/cgi-bin/echo", "Expect: 100-continue", "Content-Length: 4", "Connection: close", method="POST")
        assert client.answer().status == 100
        client.send("data")
        assert b"data" in client.rest()
    with Client(cgi.port) as client:
        client.request("/cgi-bin/none", "Expect: 100-continue", "Content-Length: 4", method="POST")
        assert client.answer().status == 404


def test_answer_before_the_content_is_read(cgi):
    with Client(cgi.port) as client:
        client.request("/cgi-bin/deaf", "Content-Length: 100000", method="POST")
        client.send(bytes(50_000))
        reply = client.answer()
        client.send(bytes(50_000))
        assert reply.body == b"deaf"
        assert client.ask("/page.html").body == b"<p>page\n"


def peak_kib(server):
    """The most that one of its processes ever had in memory, programs aside."""
    total = 0
    for pid in server.processes():
        try:
            if os.readlink(f"/proc/{pid}/exe") == WEIR:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                total = max(total, int(re.search(r"VmHWM:\s+(\d+)", status).group(1)))
        except (OSError, AttributeError):
            pass
    return total


def upload(server, size):
    block = bytes(1 << 20)
    with Client(server.port, 120) as client:
        client.request("/cgi-bin/count", f"Content-Length: {size}", "Connection: close", method="POST")
        for _ in range(size // len(block)):
            client.send(block)
        return client.rest()


def download(server, size):
    with Client(server.port, 120) as client:
        client.request(f"/cgi-bin/zeros?{size}", version="1.0")
        head = client.socket.recv(65536)
        got = len(head) - head.index(b"\r\n\r\n") - 4
        time.sleep(0.2)  # the program runs ahead as far as it is let
        peak = 0
        while data := client.socket.recv(1 << 20):
            got += len(data)
            if got > size // 2 and not peak:
                peak = peak_kib(server)
        return got, peak


def check_streams(server, size):
    before = peak_kib(server)
    assert f"\r\n{size}\n\r\n0\r\n\r\n".encode() in upload(server, size)
    got, peak = download(server, size)
    assert got == size
    assert max(peak, peak_kib(server)) - before < 40_000


def start_lean(starter, programs, model):
    """What a sanitizer keeps of freed memory is not the server's."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=2"
    return start_cgi(starter, programs, model, env={**os.environ, "ASAN_OPTIONS": options})


def test_streams_in_flat_memory(starter, programs, model):
    check_streams(start_lean(starter, programs, model), 96 << 20)


@pytest.mark.long
def test_a_gigabyte_in_flat_memory(starter, programs, model):
    check_streams(start_lean(starter, programs, model), 1 << 30)


# --- the answer ---

@pytest.mark.parametrize("name, status, body, field", [
    ("missing", 404, b"", None), ("made", 201, b"made", ("X-One", "1")),
    ("elsewhere", 302, b"", ("Location", "http://example.org/there")), ("moved", 301, b"moved", ("Location", "/there")),
    ("host", 302, b"", ("Location", "//example.org/there")), ("length", 200, b"length", ("Content-Length", "6")),
    ("nothing", 204, b"", None), ("same", 304, b"", ("ETag", '"x"')), ("file", 200, b"<p>page\n", None),
])
def test_status_and_location(cgi, name, status, body, field):
    connection = talk.connection(cgi.port)
    reply = ask(cgi, f"/cgi-bin/say?{name}", connection=connection)
    assert (reply.status, reply.body) == (status, body)
    assert "Status" not in reply.fields
    if field:
        assert reply.fields[field[0]] == field[1]
    assert ask(cgi, "/page.html", connection=connection).body == b"<p>page\n"
    connection.close()


def test_a_programs_own_fields_count(starter, programs, model):
    """Not twice, with the site's of the same name; those that add up do."""
    server = start_cgi(starter, programs, model, "--security-fields", "--field", "X-One: site", "--field", "X-Two: site", "--field", "Vary: Origin")
    made = ask(server, "/cgi-bin/say?made").fields
    assert made.get_all("X-One") == ["1"] and made.get_all("X-Two") == ["site"] and made.get_all("X-Frame-Options") == ["SAMEORIGIN"]
    own = ask(server, "/cgi-bin/say?own").fields
    assert own.get_all("X-Frame-Options") == ["DENY"] and sorted(own.get_all("Vary")) == ["Cookie", "Origin"] and len(own.get_all("Set-Cookie")) == 2
    lost = ask(server, "/cgi-bin/say?bad-none").fields
    assert lost.get_all("X-One") == ["site"] and lost.get_all("X-Frame-Options") == ["SAMEORIGIN"]


def test_internal_redirect(cgi):
    got = found(cgi, "/cgi-bin/say?program", method="POST", body=b"content", fields={"Content-Type": "text/plain"})
    assert got["env"]["REQUEST_METHOD"] == "GET" and got["env"]["PATH_INFO"] == "/more"
    assert got["env"]["QUERY_STRING"] == "a=b" and got["input"] == ""
    assert "CONTENT_LENGTH" not in got["env"]
    reply = ask(cgi, "/cgi-bin/say?file", fields={"Range": "bytes=0-2"})
    assert (reply.status, reply.body) == (206, b"<p>")
    assert ask(cgi, "/cgi-bin/say?file", "HEAD").fields["Content-Length"] == "8"
    assert ask(cgi, "/cgi-bin/say?circle").status == 502


def test_redirect_waits_for_the_content(cgi):
    with Client(cgi.port) as client:
        client.request("/cgi-bin/say?file", "Content-Length: 1000", method="POST")
        client.send(bytes(400))
        time.sleep(0.3)
        client.send(bytes(600))
        assert client.answer().body == b"<p>page\n"
        assert client.ask("/").status == 200


@pytest.mark.smoke
def test_head_has_no_content(cgi):
    with Client(cgi.port) as client:
        for name, status in (("length", 200), ("made", 201), ("missing", 404)):
            assert client.ask(f"/cgi-bin/say?{name}", method="HEAD").status == status
        assert client.ask("/page.html").body == b"<p>page\n"


def test_fields_of_one_connection(cgi):
    reply = ask(cgi, "/cgi-bin/say?hop")
    assert reply.body == b"hop" and reply.fields["Date"] != "never"
    assert not {"Keep-Alive", "TE", "Trailer", "Upgrade"} & set(reply.fields.keys())
    answer = talk.get_over_h2(cgi.port, "/cgi-bin/say?hop", (), "GET", 20)
    assert answer.body == b"hop" and not {"connection", "keep-alive", "te", "upgrade", "transfer-encoding"} & set(answer.fields)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name.startswith("bad-")])
def test_nonsense(cgi, name):
    with Client(cgi.port) as client:
        assert client.ask(f"/cgi-bin/say?{name}").status == 502
        assert client.ask("/").status == 200


def test_whole_answers(cgi):
    with Client(cgi.port) as client:
        client.request("/cgi-bin/nph-say?whole")
        assert client.rest() == ANSWERS["whole"].encode()
    with Client(cgi.port) as client:
        assert client.ask("/cgi-bin/nph-say?made").status == 502


def test_whole_answers_are_of_http1(cgi):
    """RFC 3875 section 5.1 knows them as what a client of HTTP/1 reads: over HTTP/2 there is nobody to give one to."""
    assert talk.get_over_h2(cgi.port, "/cgi-bin/nph-say?whole", (), "GET", 20).status == 502
    assert talk.get_over_h2(cgi.port, "/cgi-bin/say?made", (), "GET", 20).status == 201


@pytest.mark.parametrize("name", ["short", "long"])
def test_lengths_that_lie(cgi, name):
    with Client(cgi.port) as client, pytest.raises(Gone):
        client.ask(f"/cgi-bin/say?{name}")


@pytest.mark.smoke
@pytest.mark.parametrize("name", ["die", "silent"])
def test_no_answer(cgi, name):
    assert ask(cgi, f"/cgi-bin/{name}").status == 502
    assert re.search(rf"cgi \S+ /cgi-bin/{name}: it ended without an answer", cgi.said())


def test_crash_within_the_answer(cgi):
    with Client(cgi.port) as client:
        client.request("/cgi-bin/die-within")
        got = client.rest()
    assert b"4\r\nhalf\r\n" in got and not got.endswith(b"0\r\n\r\n")


def test_crash_within_an_answer_of_unknown_length(cgi):
    """To HTTP/1.0 it has no end but that of the connection, which must not look like one."""
    with Client(cgi.port) as client, pytest.raises(ConnectionResetError):
        client.request("/cgi-bin/die-within", version="1.0")
        client.rest()


def test_complaints_go_to_the_log(cgi):
    reply = ask(cgi, "/cgi-bin/complain")
    name = reply.body.decode()
    assert re.fullmatch(r"[0-9a-f]{8,16}-[0-9]+", name)
    lines = wait_until(lambda: (at := re.findall(rf"^weir: cgi {name} /cgi-bin/complain: (.*)$", cgi.said(), re.M)) and
                       len(at) > 1 and at, 5)
    assert lines == ["one\\x1b[2J", "two"]
    assert ask(cgi, "/cgi-bin/complain").body.decode() != name


def test_pipelined(cgi):
    with Client(cgi.port) as client:
        client.send("".join(f"GET /cgi-bin/say?{name} HTTP/1.1\r\nHost: x\r\n\r\n" for name in ("length", "file", "length")))
        assert [client.answer().body for _ in range(3)] == [b"length", b"<p>page\n", b"length"]


def test_many_at_once(cgi):
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        bodies = pool.map(lambda i: ask(cgi, "/cgi-bin/echo", "POST", b"%d" % i).body, range(48))
        assert list(bodies) == [b"%d" % i for i in range(48)]


# --- time, and ends ---

@pytest.mark.smoke
@pytest.mark.parametrize("name", ["hang", "stubborn"])
def test_silence(starter, programs, model, tmp_path, name):
    server = start_cgi(starter, programs, model, "--cgi-timeout", 1)
    reply = ask(server, f"/cgi-bin/{name}?{tmp_path}/pid")
    assert reply.status == 504
    pid = pid_in(tmp_path / "pid")
    assert wait_until(lambda: not alive(pid), 10), "the program lives on"
    assert "silent for too long" in server.said()


class Deaf:
    """A client of HTTP/2 that opens no window: what it is answered does not go out."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.sendall(PREFACE + frame(4, 0, 0, b"\0\4\0\0\0\0"))

    def ask(self, target, *more, method=b"GET", flags=5):
        self.socket.sendall(frame(1, flags, 1, fields((b":method", method), (b":scheme", b"http"), (b":authority", b"x"),
                                                      (b":path", target.encode()), *more)))


@pytest.mark.skipif(OVER != "http", reason="in clear text")
def test_silence_ends_though_nobody_takes_the_answer(starter, programs, model, tmp_path):
    server = start_cgi(starter, programs, model, "--cgi-timeout", 1)
    client = Deaf(server.port)
    client.ask(f"/cgi-bin/hang?{tmp_path}/pid")
    pid = pid_in(tmp_path / "pid")
    assert wait_until(lambda: not alive(pid), 10), "the program lives on"
    client.socket.close()


@pytest.mark.skipif(OVER != "http", reason="in clear text")
def test_a_program_whose_content_stops_gives_its_place_back(starter, programs, model, tmp_path):
    """At once, and not when its client has taken that answer."""
    server = start_cgi(starter, programs, model, "--body-timeout", 1)
    client = Deaf(server.port)
    client.ask(f"/cgi-bin/hang?{tmp_path}/pid", (b"content-length", b"10"), method=b"POST", flags=4)
    pid = pid_in(tmp_path / "pid")
    assert wait_until(lambda: not alive(pid), 10), "the program lives on"
    client.socket.close()


@pytest.mark.skipif(OVER != "http", reason="in clear text")
def test_who_was_refused_in_the_queue_is_out_of_it(starter, programs, tmp_path):
    """Though its answer does not go out: its program is never started, and others are next."""
    server = start_cgi(starter, programs, "event", "--cgi-max", 1, "--workers", 1)
    with Client(server.port) as first:
        first.request(f"/cgi-bin/hang?{tmp_path}/pid")
        pid = pid_in(tmp_path / "pid")
        client = Deaf(server.port)
        client.ask(f"/cgi-bin/hang?{tmp_path}/mark")
        assert wait_until(lambda: "too many programs run already" in server.said(), 20)
    assert wait_until(lambda: not alive(pid), 15)
    assert ask(server, "/cgi-bin/echo").status == 200
    assert not (tmp_path / "mark").exists()
    client.socket.close()


@pytest.mark.parametrize("how", ["reset", "close"])
def test_client_goes_away(cgi, tmp_path, how):
    client = Client(cgi.port)
    client.request(f"/cgi-bin/hang?{tmp_path}/pid")
    pid = pid_in(tmp_path / "pid")
    getattr(client, how)()
    assert wait_until(lambda: not alive(pid), 15), "the program lives on"


def test_client_goes_away_within_the_answer(cgi, tmp_path):
    client = Client(cgi.port)
    client.request(f"/cgi-bin/drip?{tmp_path}/pid")
    pid = pid_in(tmp_path / "pid")
    client.socket.recv(10)
    client.close()
    assert wait_until(lambda: not alive(pid), 15), "the program lives on"


def test_client_that_closed_one_direction_gets_its_answer(cgi):
    with Client(cgi.port) as client:
        client.request("/cgi-bin/slow")
        client.end()
        assert b"slow" in client.rest()


def test_slow_reader_is_not_the_programs_fault(starter, programs, model):
    server = start_cgi(starter, programs, model, "--cgi-timeout", 1)
    with Client(server.port, receive_buffer=4096) as client:
        client.request("/cgi-bin/zeros?20000000", version="1.0")
        time.sleep(3)
        assert len(client.rest()) > 20_000_000


def test_output_held_open(cgi):
    start = time.monotonic()
    assert ask(cgi, "/cgi-bin/leave-behind").body == b"here"
    assert time.monotonic() - start < 15


def test_stop_lets_it_finish(starter, programs, model):
    server = start_cgi(starter, programs, model)
    with Client(server.port) as client:
        client.request("/cgi-bin/slow")
        time.sleep(0.2)
        server.signal()
        assert b"slow" in client.rest()
    server.wait()
    server.stop()


def test_stop_does_not_wait_for_ever(starter, programs, model, tmp_path):
    server = start_cgi(starter, programs, model, "--grace", 1)
    client = Client(server.port)
    client.request(f"/cgi-bin/stubborn?{tmp_path}/pid")
    pid = pid_in(tmp_path / "pid")
    server.signal()
    server.wait()
    server.stop(expect=3)
    assert wait_until(lambda: not alive(pid), 10)
    client.close()


def test_a_killed_worker_takes_its_programs_along(starter, programs, tmp_path):
    server = start_cgi(starter, programs, "event", "--workers", 1)
    client = Client(server.port)
    client.request(f"/cgi-bin/stubborn?{tmp_path}/pid")
    pid = pid_in(tmp_path / "pid")
    os.kill(server.children()[0], signal.SIGKILL)
    assert wait_until(lambda: not alive(pid), 10)
    client.close()
    assert ask(server, "/cgi-bin/say?length").body == b"length"


# --- limits ---

def test_places(starter, programs, model):
    server = start_cgi(starter, programs, model, "--cgi-max", 1)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        start = time.monotonic()
        assert [reply.body for reply in pool.map(lambda _: ask(server, "/cgi-bin/slow"), range(4))] == [b"slow"] * 4
        assert time.monotonic() - start > 1.9


@pytest.mark.long
def test_no_place(starter, programs, model, tmp_path):
    if model in ("sequential", "fork-wait"):
        pytest.skip("there is never a second one")
    server = start_cgi(starter, programs, model, "--cgi-max", 1, "--workers", 2)
    holder = Client(server.port)
    holder.request(f"/cgi-bin/hang?{tmp_path}/pid")
    pid_in(tmp_path / "pid")
    reply = ask(server, "/cgi-bin/echo")
    assert reply.status == 503 and int(reply.fields["Retry-After"]) > 0
    assert ask(server, "/page.html").status == 200
    holder.close()


def test_a_client_that_left_the_queue_gets_no_program(starter, programs, model, tmp_path):
    """Nor does it stand before others there."""
    if model in ("sequential", "fork-wait"):
        pytest.skip("there is never a second one")
    server = start_cgi(starter, programs, model, "--cgi-max", 1)
    holder = Client(server.port)
    holder.request(f"/cgi-bin/hang?{tmp_path}/first")
    first = pid_in(tmp_path / "first")
    for _ in range(3):
        with Client(server.port) as client:
            client.request(f"/cgi-bin/hang?{tmp_path}/second")
            time.sleep(0.1)
    time.sleep(5)
    with Client(server.port) as client:
        client.request("/cgi-bin/say?length")
        holder.reset()
        assert client.answer().body == b"length"
    assert not alive(first) and not (tmp_path / "second").exists()


def test_memory_and_time_of_a_program(starter, programs):
    server = start_cgi(starter, programs, "event", "--cgi-memory", "100M", "--cgi-cpu", 1)
    assert ask(server, "/cgi-bin/hungry").status == 502
    assert "MemoryError" in server.said()
    with Client(server.port) as client:
        client.request("/cgi-bin/busy")
        assert not client.rest().endswith(b"0\r\n\r\n")


def test_log_is_bounded(starter, programs, tmp_path):
    write_program(tmp_path / "bin/flood", SHELL + "yes complaint | head -c 3000000 >&2\nprintf 'Content-Type: text/plain\\n\\nok'\n")
    server = starter.serve(programs / "site", "event", "--cgi", f"/x={tmp_path}/bin")
    assert ask(server, "/x/flood").body == b"ok"
    assert len(server.said()) < 1_000_000 and "left out" in server.said()


# --- mounts ---

def test_mounts(starter, programs, tmp_path):
    for name in ("a", "b"):
        write_program(tmp_path / name / "x", SHELL + f"printf 'Content-Type: text/plain\\n\\n{name} %s' \"$SCRIPT_NAME\"\n")
    server = starter.serve(programs / "site", "event", "--cgi", f"/app={tmp_path}/a", "--cgi", f"/app/inner/={tmp_path}/b")
    assert ask(server, "/app/x").body == b"a /app/x"
    assert ask(server, "/app/inner/x").body == b"b /app/inner/x"
    assert ask(server, "/appx").status == 404
    assert ask(server, "/page.html").status == 200


@pytest.mark.parametrize("mount, words", [
    ("cgi", "PREFIX=FOLDER"), ("cgi=/tmp", "PREFIX=FOLDER"), ("/a/../b=/tmp", "PREFIX=FOLDER"), ("/a=", "PREFIX=FOLDER"),
    ("/a=/nowhere/at/all", "No such file"), ("/a={site}/inside", "source of its programs"),
])
def test_wrong_mounts(tmp_path, mount, words):
    (tmp_path / "site/inside").mkdir(parents=True)
    done = subprocess.run([WEIR, "serve", tmp_path / "site", "--cgi", mount.format(site=tmp_path / "site")],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and words in done.stderr


def test_mount_within_the_site(starter, tmp_path):
    write_program(tmp_path / "site/cgi-bin/x", SHELL + "printf 'Content-Type: text/plain\\n\\nran'\n")
    server = starter.serve(tmp_path / "site", "event", "--cgi", f"/cgi-bin={tmp_path}/site/cgi-bin")
    assert ask(server, "/cgi-bin/x").body == b"ran"
