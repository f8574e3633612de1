"""HTTP/1.1 to the letter, over real sockets: limits as options, ranges, what a connection lives through. docs/http.md."""

import email.utils
import os
import re
import time

import pytest

from conftest import wait_until
from talk import CURL_VERSION, HTTP2, OVER, Client, Gone, curl, get, timed

LIMITS = ("--max-line", "200", "--max-fields", "1K", "--max-field-count", "4", "--max-body", "2K", "--min-rate", "1K",
          "--head-timeout", "1", "--body-timeout", "2", "--idle-timeout", "5")


def struck(log):
    """What the lines of an access log say of limits, in any order."""
    return sorted(re.findall(r" limit=(\S+)$", log.read_text(), re.M)) if log.exists() else []


@pytest.mark.smoke
def test_limits_are_options_and_named_in_the_log(starter, site, model, tmp_path):
    log = tmp_path / "log"
    server = starter("serve", site, "--listen", "127.0.0.1:0", "--model", model, "--access-log", log, *LIMITS)
    port = server.port
    assert get(port, "/digits.txt?" + "x" * 100).status == 200
    assert get(port, "/digits.txt?" + "x" * 200).status == 414
    assert get(port, "/digits.txt", "A: " + "x" * 1100).status == 431
    assert get(port, "/digits.txt", "A: 1", "B: 2").status == 200
    assert get(port, "/digits.txt", "A: 1", "B: 2", "C: 3", *(["D: 4"] if HTTP2 else [])).status == 431  # without Connection there
    assert get(port, "/digits.txt", "Content-Length: 2049", method="POST").status == 413
    with Client(port) as client:
        client.send("GET / HTTP/1.1\r\n")
        assert client.answer().status == 408
    server.stop()
    assert struck(log) == ["head-timeout", "max-body", "max-field-count", "max-fields", "max-line"]


def test_wrong_limits_are_refused(starter, site, model):
    for words in (["--max-line", "17K"], ["--max-line", "0"], ["--max-fields", "48K"], ["--max-field-count", "101"],
                  ["--max-body", "0"], ["--max-body", "much"], ["--min-rate", "-1"]):
        with pytest.raises(AssertionError, match="status 2"):
            starter.serve(site, model, *words)


def test_unwanted_content_that_drips_does_not_keep_the_connection(starter, site, model):
    """It is read past, but for no longer than --body-timeout, whatever comes in between."""
    server = starter.serve(site, model, "--body-timeout", "1")
    with Client(server.port) as client:
        client.request("/digits.txt", "Content-Length: 100000", method="POST")
        assert client.answer().status == 405
        start = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() - start < 30:
                client.send(b"x")
                time.sleep(0.1)


def test_min_rate_can_be_turned_off(starter, site, model):
    server = starter.serve(site, model, "--min-rate", "0")
    assert get(server.port, "/digits.txt", "Content-Length: 0", method="POST").status == 405


# ---- ranges

def parts_of(answer):
    """[(Content-Type, Content-Range, bytes)] of a multipart/byteranges answer, read strictly."""
    boundary = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-zA-Z]+)", answer.fields["content-type"]).group(1)
    head, *parts, end = answer.body.split(f"\r\n--{boundary}".encode())
    assert (head, end) == (b"", b"--\r\n")
    found = []
    for part in parts:
        fields, _, body = part.partition(b"\r\n\r\n")
        lines = fields.decode().split("\r\n")
        assert lines[0] == ""
        named = dict(line.split(": ", 1) for line in lines[1:])
        found.append((named.get("Content-Type"), named["Content-Range"], body))
    return found


@pytest.mark.smoke
def test_several_ranges(web, site):
    data = (site / "big.bin").read_bytes()
    answer = get(web.port, "/big.bin", "Range: bytes=5000000-5999999, 10-19,-70000")
    assert answer.status == 206 and "content-range" not in answer.fields
    assert int(answer.fields["content-length"]) == len(answer.body)
    size, kind = len(data), get(web.port, "/big.bin", method="HEAD").fields["content-type"]
    assert parts_of(answer) == [
        (kind, f"bytes 5000000-5999999/{size}", data[5000000:6000000]),
        (kind, f"bytes 10-19/{size}", data[10:20]),
        (kind, f"bytes {size - 70000}-{size - 1}/{size}", data[-70000:]),
    ]


def test_ranges_are_joined_and_bounded(web, site):
    data = (site / "big.bin").read_bytes()
    near = get(web.port, "/big.bin", "Range: bytes=0-9,20-29,15-22")
    assert (near.status, near.fields["content-range"], near.body) == (206, f"bytes 0-29/{len(data)}", data[:30])
    many = ",".join(f"{i * 1000}-{i * 1000}" for i in range(64))
    assert len(parts_of(get(web.port, "/big.bin", f"Range: bytes={many}"))) == 64
    for flood in (many + ",99000-99000", "0-,0-,0-,0-", ",".join(["-1"] * 1000)):
        answer = get(web.port, "/a.css", f"Range: bytes={flood}")
        assert (answer.status, len(answer.body)) == (200, 612), flood[:40]


def test_boundaries_differ(web):
    kinds = {get(web.port, "/big.bin", "Range: bytes=0-0,1000-1000").fields["content-type"] for _ in range(5)}
    assert len(kinds) == 5


def test_ranges_with_curl(web, site):
    data = (site / "big.bin").read_bytes()
    head, body = curl("-r", "0-99,5000000-5000099", web.url + "/big.bin")
    assert head.startswith(f"{CURL_VERSION} 206 ") and data[5000000:5000100] in body
    head, body = curl("-r", "100-199", web.url + "/big.bin")
    assert body == data[100:200]


def test_if_range(web):
    tag = get(web.port, "/digits.txt").fields["etag"]
    answer = get(web.port, "/digits.txt", f"If-Range: {tag}", "Range: bytes=2-3")
    assert (answer.status, answer.body, answer.fields.get("content-range")) == (206, b"23", "bytes 2-3/10")
    assert "content-type" not in answer.fields and answer.fields["etag"] == tag
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    assert get(web.port, "/digits.txt", f"If-Range: {date}", "Range: bytes=2-3").status == 206
    for value in ('"other"', f"W/{tag}", "Tue, 14 Nov 2023 22:13:21 GMT", "nonsense"):
        answer = get(web.port, "/digits.txt", f"If-Range: {value}", "Range: bytes=2-3")
        assert (answer.status, answer.body) == (200, b"0123456789"), value


# ---- methods

@pytest.mark.parametrize("method, target, status", [
    ("TRACE", "/digits.txt", 405), ("CONNECT", "x:443", 405), ("CONNECT", "x:", 400), ("CONNECT", "/digits.txt", 400),
    ("OPTIONS", "*", 204), ("OPTIONS", "/digits.txt", 204), ("GET", "*", 400), ("MMMMMMMMMMMMMMMMMMMM", "/", 501),
])
def test_methods_and_their_targets(web, method, target, status):
    answer = get(web.port, target, "Cookie: secret", method=method)
    assert answer.status == status and b"secret" not in answer.body
    if status in (204, 405):
        assert {"GET", "HEAD", "OPTIONS"} <= set(re.split(r"\s*,\s*", answer.fields["allow"]))
    assert (status == 204) == ("content-length" not in answer.fields)


def test_what_is_behind_connect_is_not_a_request(web):
    with Client(web.port) as client:
        client.send("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\nGET /digits.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = client.answer()
        assert answer.status == 405 and answer.fields["connection"] == "close"
        assert client.rest() == b""


def test_https_addresses_need_tls(web):
    """A proxy in front of us may have spoken TLS, and tells so by HTTP/2's :scheme (docs/http2.md)."""
    assert get(web.port, "https://x/digits.txt").status == (421 if OVER == "http" else 200)
    assert get(web.port, "http://x/digits.txt").status == 200


def test_upgrade_is_ignored(web):
    fields = ("Upgrade: h2c, websocket", "HTTP2-Settings: AAMAAABkAAQAAP__")
    if HTTP2:  # which has none (RFC 9113 section 8.2.2)
        with pytest.raises(Gone, match="PROTOCOL_ERROR"):
            get(web.port, "/digits.txt", *fields)
        return
    answer = get(web.port, "/digits.txt", *fields)
    assert (answer.status, answer.body) == (200, b"0123456789") and "upgrade" not in answer.fields


# ---- connections

def test_nothing_behind_close_is_answered(web):
    with Client(web.port) as client:
        client.send("GET /digits.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                    "GET /a.css HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.answer().body == b"0123456789"
        assert client.rest() == b""


def test_a_refusal_is_not_eaten_by_a_reset(web):
    """The client is still sending when the answer and the end come: it reads both."""
    for _ in range(5):
        with Client(web.port) as client:
            client.send("POST /digits.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + "x" * 900000)
            answer = client.answer()
            assert answer.status == 405 and answer.fields["connection"] == "close"
            assert client.rest() == b""


def test_expect_continue_is_answered_at_once(web):
    with Client(web.port) as client:
        client.request("/digits.txt", "Expect: 100-continue", "Content-Length: 5", method="POST")
        answer = client.answer()  # no 100: nobody wants the content
        assert answer.status == 405 and answer.fields["connection"] == "close"
    assert get(web.port, "/digits.txt", "Expect: tea").status == 417


def test_curl_uploads_with_expect(web, tmp_path):
    (tmp_path / "body").write_bytes(b"x" * 2_000_000)
    head, _ = curl("-T", tmp_path / "body", web.url + "/digits.txt")
    assert head.startswith(f"{CURL_VERSION} 405 ")


def test_a_client_that_closes_is_noticed(starter, site, model):
    """Its place is free again at once: what it held is not kept until some deadline."""
    server = starter.serve(site, model, "--idle-timeout", 60)
    with Client(server.port) as client:
        assert client.ask("/digits.txt").status == 200
    seconds, answer = timed(get, server.port, "/digits.txt")
    assert answer.status == 200 and seconds < 5


# ---- dates

def test_no_date_is_later_than_now(starter, model, tmp_path):
    """RFC 9110 section 8.8.2.1: a file from the future is as old as the answer."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_text("x")
    later = time.time() + 100_000
    os.utime(root / "a.txt", (later, later))
    answer = get(starter.serve(root, model).port, "/a.txt")
    modified, date = (email.utils.parsedate_to_datetime(answer.fields[name]) for name in ("last-modified", "date"))
    assert modified <= date


def test_every_answer_has_a_date(web):
    for target, fields, method in (("/digits.txt", [], "GET"), ("/dir", [], "GET"), ("/nothing", [], "GET"),
                                   ("/digits.txt", ["If-None-Match: *"], "GET"), ("/digits.txt", [], "POST"),
                                   ("*", [], "OPTIONS"), ("/digits.txt", ["Range: bytes=0-0,500-"], "GET"),
                                   ("/digits.txt", ["Range: bytes=99-"], "GET"), ("/digits.txt", [], "BREW")):
        answer = get(web.port, target, *fields, method=method)
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.fields["date"]), (target, method)


def test_error_pages_explain(web):
    for target, fields, method in (("/nothing", [], "GET"), ("/digits.txt", [], "PUT"), ("/digits.txt", [], "BREW"),
                                   ("/digits.txt", ["Range: bytes=99-"], "GET"), ("/digits.txt", ['If-Match: "x"'], "GET")):
        answer = get(web.port, target, *fields, method=method)
        assert answer.status >= 400 and answer.fields["content-type"].startswith("text/html")
        assert str(answer.status).encode() in answer.body and b"<p>" in answer.body
        with Client(web.port) as client:
            client.request(target, "Connection: close", *fields, method="HEAD" if method == "GET" else method)
            assert client.rest().endswith(b"\r\n\r\n" if method == "GET" else b"</html>\n")


def test_406_says_what_there_is(web):
    answer = get(web.port, "/a.png", "Accept-Encoding: identity;q=0")
    assert answer.status == 406 and b"as it is, or coded with br, zstd or gzip" in answer.body


def test_a_client_of_http_10_gets_no_chunks(web):
    with Client(web.port) as client:
        client.send("GET /digits.txt HTTP/1.0\r\n\r\n")
        rest = client.rest()
        assert b"\r\nTransfer-Encoding" not in rest and rest.endswith(b"\r\n\r\n0123456789")


# ---- content that somebody wants

@pytest.fixture
def uploads(starter, site, model, tmp_path):
    """Starts a server with a program that reads all its content and says how much it was."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/count"
    program.write_text('#!/bin/sh\nn=$(wc -c)\nprintf "Content-Type: text/plain\\n\\n%s\\n" "$n"\n')
    program.chmod(0o755)

    def start(*words):
        return starter("serve", site, "--listen", "127.0.0.1:0", "--model", model, "--cgi", f"/bin={tmp_path}/bin", *words)

    return start


def drip(client, seconds):
    """A byte each 0.2 s, until there is an answer."""
    end = time.monotonic() + seconds
    client.socket.settimeout(0.2)
    while time.monotonic() < end:
        client.send(b"x")
        try:
            client._more()
        except TimeoutError:
            continue
        break
    client.socket.settimeout(15)


def test_content_that_drips_is_answered_408(uploads, tmp_path):
    """Each byte keeps --body-timeout away; the least rate strikes after its ten seconds of grace."""
    log = tmp_path / "log"
    server = uploads("--min-rate", "1K", "--access-log", log)
    with Client(server.port) as client:
        client.request("/bin/count", "Content-Length: 100000", method="POST")
        seconds, _ = timed(drip, client, 40)
        answer = client.answer()
        assert answer.status == 408 and answer.fields["connection"] == "close" and 8 < seconds < 30
    server.stop()
    assert struck(log) == ["min-rate"]


def test_content_that_stops_is_answered_408(uploads, tmp_path):
    log = tmp_path / "log"
    server = uploads("--body-timeout", "1", "--access-log", log)
    with Client(server.port) as client:
        client.request("/bin/count", "Content-Length: 100000", method="POST")
        client.send(b"x" * 1000)
        seconds, answer = timed(client.answer)
        assert answer.status == 408 and 0.5 < seconds < 10
    server.stop()
    assert struck(log) == ["body-timeout"]


def test_content_in_its_own_time(uploads):
    server = uploads("--min-rate", "0")
    with Client(server.port) as client:
        client.request("/bin/count", "Content-Length: 5", "Connection: close", method="POST")
        for _ in range(5):
            time.sleep(0.3)
            client.send(b"x")
        assert re.search(rb"\b5\n", client.rest())
