"""What `weir serve` answers, request by request."""

import datetime
import email.utils
import hashlib
import os
import re
import time

import pytest

from conftest import wait_until
from talk import CURL_VERSION, HTTP2, OVER, SCHEME, VERSION, Client, Gone, curl, get, timed

HTTP_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
                       r"\d\d:\d\d:\d\d GMT")


@pytest.mark.smoke
@pytest.mark.threads
def test_index(web):
    head, body = curl(web.url + "/")
    assert head.startswith("HTTP/2 200 \r\n" if OVER == "h2s" else "HTTP/1.1 200 OK\r\n")
    assert body == b"<!doctype html><title>weir</title>\n"
    assert re.search(r"^content-type: text/html(; *charset=utf-8)?\r$", head, re.I | re.M)


@pytest.mark.smoke
def test_head_is_get_without_a_body(web):
    plain, head = get(web.port, "/digits.txt"), get(web.port, "/digits.txt", method="HEAD")
    assert (plain.status, plain.body) == (200, b"0123456789")
    for fields in (plain.fields, head.fields):
        fields.pop("date")
    assert (head.status, head.fields) == (200, plain.fields)
    with Client(web.port) as client:
        client.request("/digits.txt", "Connection: close", method="HEAD")
        assert client.rest().endswith(b"\r\n\r\n")


def test_head_with_curl(web):
    head, body = curl("-I", web.url + "/big.bin")
    assert "content-length: 13107400" in head.lower()


@pytest.mark.smoke
@pytest.mark.parametrize("target", ["/nothing", "/dir/nothing", "/digits.txt/x", "/digits.txt/", "/nothing/"])
def test_not_found(web, target):
    answer = get(web.port, target)
    assert answer.status == 404 and answer.body and "content-type" in answer.fields
    assert get(web.port, target, method="HEAD").status == 404


@pytest.mark.parametrize("target, location", [
    ("/dir", "/dir/"), ("/dir?a=b", "/dir/?a=b"), ("/dir/deeper", "/dir/deeper/"), ("/%64ir", "/dir/"),
    ("/inside-dir", "/inside-dir/"),
])
def test_a_folder_without_its_slash(web, target, location):
    answer = get(web.port, target)
    assert answer.status == 301
    # Decoded or as it was asked for: both name the same folder.
    as_asked = re.sub(r"(?=\?|$)", "/", target, count=1)
    assert re.sub(r"^http://[^/]*", "", answer.fields["location"]) in (location, as_asked)


def test_a_redirect_never_leaves_the_site(web):
    """//host/… in Location would be another site."""
    for target in ("//dir", "///dir", "//dir/deeper", "/\\dir", "//example.com/%2e%2e/dir"):
        answer = get(web.port, target)
        location = re.sub(r"^http://test(?=/)", "", answer.fields.get("location", "/"))
        assert location.startswith("/") and location[1:2] not in ("/", "\\"), (target, location)


def test_curl_follows_the_redirect(web):
    head, body = curl("-L", web.url + "/dir")
    assert body == b"<p>dir\n"


def test_a_folder_without_an_index(web):
    assert get(web.port, "/bare/").status in (403, 404)


@pytest.mark.parametrize("name, kind", [
    ("index.html", "text/html"), ("a.css", "text/css"), ("a.js", "text/javascript"), ("a.json", "application/json"),
    ("a.svg", "image/svg+xml"), ("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a.gif", "image/gif"),
    ("a.webp", "image/webp"), ("a.wasm", "application/wasm"), ("a.pdf", "application/pdf"), ("digits.txt", "text/plain"),
    ("a.woff2", "font/woff2"), ("a.mp4", "video/mp4"),
    ("noending", "application/octet-stream"),
])
def test_types(web, name, kind):
    answer = get(web.port, "/" + name)
    assert answer.status == 200
    assert answer.fields["content-type"].partition(";")[0].strip() == kind
    if kind.startswith("text/"):
        assert "charset=utf-8" in answer.fields["content-type"].lower().replace(" ", "")


def test_date_and_validators(web):
    answer = get(web.port, "/digits.txt")
    assert HTTP_DATE.fullmatch(answer.fields["date"])
    age = datetime.datetime.now(datetime.timezone.utc) - email.utils.parsedate_to_datetime(answer.fields["date"])
    assert abs(age.total_seconds()) <= 2
    assert answer.fields["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert re.fullmatch(r'(W/)?"[^"\s]+"', answer.fields["etag"])


def test_date_goes_on_while_a_connection_stays(web):
    with Client(web.port) as client:
        first = client.ask("/digits.txt").fields["date"]
        time.sleep(1.2)
        assert client.ask("/digits.txt").fields["date"] != first


@pytest.mark.parametrize("wanted, status, content_range, body", [
    ("bytes=0-4", 206, "bytes 0-4/10", b"01234"),
    ("bytes=0-0", 206, "bytes 0-0/10", b"0"),
    ("bytes=5-", 206, "bytes 5-9/10", b"56789"),
    ("bytes=9-", 206, "bytes 9-9/10", b"9"),
    ("bytes=-3", 206, "bytes 7-9/10", b"789"),
    ("bytes=-99", 206, "bytes 0-9/10", b"0123456789"),
    ("bytes=3-99999999999999999999999999", 206, "bytes 3-9/10", b"3456789"),
    ("bytes=0-9", 206, "bytes 0-9/10", b"0123456789"),
    ("bytes=10-", 416, "bytes */10", None),
    ("bytes=10-20", 416, "bytes */10", None),
    ("bytes=-0", 416, "bytes */10", None),
    ("bytes=99999999999999999999999999-", 416, "bytes */10", None),
    ("bytes=4-2", 200, None, b"0123456789"),
    ("bytes=", 200, None, b"0123456789"),
    ("bytes=a-b", 200, None, b"0123456789"),
    ("bytes=1", 200, None, b"0123456789"),
    ("bytes=--1", 200, None, b"0123456789"),
    ("lines=0-4", 200, None, b"0123456789"),
    ("0-4", 200, None, b"0123456789"),
])
def test_ranges(web, wanted, status, content_range, body):
    answer = get(web.port, "/digits.txt", f"Range: {wanted}")
    assert (answer.status, answer.fields.get("content-range")) == (status, content_range)
    assert body is None or answer.body == body
    if status == 200:
        assert answer.fields.get("accept-ranges") == "bytes"


def test_a_range_of_a_big_file(web, site):
    data = (site / "big.bin").read_bytes()
    answer = get(web.port, "/big.bin", "Range: bytes=1000003-9000009")
    assert answer.status == 206
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(data[1000003:9000010]).digest()


def test_range_of_an_empty_file(web):
    assert get(web.port, "/empty.txt", "Range: bytes=0-").status in (200, 416)
    answer = get(web.port, "/empty.txt")
    assert (answer.status, answer.fields["content-length"], answer.body) == (200, "0", b"")


def test_head_ignores_range(web):
    """RFC 9110 section 14.2: Range is defined for GET alone."""
    answer = get(web.port, "/digits.txt", "Range: bytes=0-4", method="HEAD")
    assert (answer.status, answer.fields["content-length"]) == (200, "10")


def not_modified(web, *fields, method="GET"):
    answer = get(web.port, "/digits.txt", *fields, method=method)
    assert answer.status in (200, 304)
    if answer.status == 304:
        assert {"date", "etag"} <= set(answer.fields)
        assert answer.fields.get("content-length", "10") == "10"
    return answer.status == 304


def test_if_none_match(web):
    tag = get(web.port, "/digits.txt").fields["etag"]
    bare = tag.removeprefix("W/")
    for value in (tag, bare, "W/" + bare, f'"x", {tag}', f'"a,b",{tag}', f'{tag} , "y"', "*"):
        assert not_modified(web, f"If-None-Match: {value}"), value
        assert not_modified(web, f"If-None-Match: {value}", method="HEAD"), value
    for value in ('"x"', '"x", W/"y"', bare.strip('"'), '""', "", ","):
        assert not not_modified(web, f"If-None-Match: {value}"), value


def test_if_modified_since(web):
    for value in ("Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:21 GMT", "Tuesday, 14-Nov-23 22:13:20 GMT",
                  "Tue Nov 14 22:13:20 2023"):
        assert not_modified(web, f"If-Modified-Since: {value}"), value
    for value in ("Tue, 14 Nov 2023 22:13:19 GMT", "yesterday", "", "Tue, 14 Nov 2023 25:13:20 GMT", "0"):
        assert not not_modified(web, f"If-Modified-Since: {value}"), value


def test_if_none_match_comes_before_if_modified_since(web):
    later = "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT"
    assert not not_modified(web, 'If-None-Match: "x"', later)


def test_conditions_come_before_ranges(web):
    tag = get(web.port, "/digits.txt").fields["etag"]
    assert get(web.port, "/digits.txt", f"If-None-Match: {tag}", "Range: bytes=0-1").status == 304


def test_curl_saves_what_it_has(web, tmp_path):
    """--time-cond and --etag-compare, as people use them."""
    head, _ = curl("--etag-save", tmp_path / "tag", "-o", tmp_path / "copy", web.url + "/digits.txt")
    assert (tmp_path / "copy").read_text() == "0123456789"
    head, body = curl("--etag-compare", tmp_path / "tag", web.url + "/digits.txt")
    assert head.startswith(f"{CURL_VERSION} 304 ") and body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_known_methods_that_are_not_allowed(web, method):
    answer = get(web.port, "/digits.txt", "Content-Length: 0", method=method)
    assert answer.status == 405
    assert {"GET", "HEAD"} <= set(re.split(r"\s*,\s*", answer.fields["allow"]))


@pytest.mark.parametrize("method", ["BREW", "get", "GETX", "M-SEARCH"])
def test_unknown_methods(web, method):
    assert get(web.port, "/digits.txt", method=method).status == 501


def test_post_with_curl(web):
    head, _ = curl("-d", "a=b", web.url + "/digits.txt")
    assert head.startswith(f"{CURL_VERSION} 405 ")


def test_a_large_body_that_is_not_wanted(web, tmp_path):
    """The answer arrives although the body was not read: no reset eats it."""
    (tmp_path / "body").write_bytes(b"x" * 300_000)
    head, _ = curl("-H", "Expect:", "--data-binary", f"@{tmp_path / 'body'}", web.url + "/digits.txt")
    assert head.startswith(f"{CURL_VERSION} 405 ")


@pytest.mark.smoke
@pytest.mark.threads
def test_one_connection_many_requests(web):
    with Client(web.port) as client:
        for _ in range(50):
            assert client.ask("/digits.txt").body == b"0123456789"
        assert client.ask("/nothing").status == 404
        assert client.ask("/index.html").status == 200


def test_curl_keeps_its_connection(web):
    head, _ = curl("-v", web.url + "/digits.txt", web.url + "/index.html")
    assert len(re.findall(r"Re-using existing connection", head)) == 1


def test_close_is_honoured_and_said(web):
    for fields in (["Connection: close"], ["Connection: Close"], ["Connection: foo, close"], ["Connection: foo", "Connection: close"]):
        with Client(web.port) as client:
            answer = client.ask("/digits.txt", *fields)
            assert answer.status == 200 and answer.fields.get("connection", "").lower() == "close"
            assert client.closed()


def test_http_10(web):
    with Client(web.port) as client:
        client.send("GET /digits.txt HTTP/1.0\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.body) == (200, b"0123456789")
        assert client.closed()
    with Client(web.port) as client:
        answer = client.ask("/digits.txt", "Connection: keep-alive", version="1.0")
        if answer.fields.get("connection", "").lower() == "keep-alive":
            assert client.ask("/digits.txt", version="1.0").status == 200
        assert client.closed()


def test_curl_http_10(web):
    head, body = curl("-0", web.url + "/digits.txt")
    assert body == b"0123456789"


@pytest.mark.smoke
@pytest.mark.threads
def test_pipelined_answers_come_in_order(web):
    names = ["digits.txt", "a.css", "nothing", "index.html", "empty.txt", "big.bin"] * 5
    with Client(web.port) as client:
        client.send("".join(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n" for name in names))
        for name in names:
            answer = client.answer()
            assert answer.status == (404 if name == "nothing" else 200)
            if name not in ("nothing", "index.html"):
                assert len(answer.body) == {"digits.txt": 10, "a.css": 612, "empty.txt": 0, "big.bin": 13107400}[name]


def test_many_pipelined_in_one_write(web):
    with Client(web.port) as client:
        client.send("GET /digits.txt HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        for _ in range(2000):
            assert client.answer().body == b"0123456789"


def test_a_body_between_requests_is_skipped(web):
    with Client(web.port) as client:
        client.send("GET /digits.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                    "GET /a.css HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /digits.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nGET /\r\n0\r\nA: b\r\n\r\n"
                    "GET /a.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert [len(client.answer().body) for _ in range(4)] == [10, 612, 10, 612]
        assert client.closed()


def test_empty_lines_before_a_request_are_forgiven(web):
    """RFC 9112 section 2.2."""
    with Client(web.port) as client:
        client.send("\r\nGET /digits.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.answer().status == 200


MALFORMED = {
    "nonsense": "hello\r\n\r\n",
    "no version": "GET /\r\nHost: x\r\n\r\n",
    "two spaces": "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "version in small letters": "GET / http/1.1\r\nHost: x\r\n\r\n",
    "version without minor": "GET / HTTP/1\r\nHost: x\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "space before the colon": "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "no colon": "GET / HTTP/1.1\r\nHost: x\r\nhello\r\n\r\n",
    "empty name": "GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "folded line": "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "folded first line": "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "NUL in a value": "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "CR in a value": "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "control byte in a name": "GET / HTTP/1.1\r\nHost: x\r\nA\1: b\r\n\r\n",
    "control byte in the target": "GET /\1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad escape": "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "cut escape": "GET /% HTTP/1.1\r\nHost: x\r\n\r\n",
    "target without a slash": "GET index.html HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "length with a sign": "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
    "length too large": "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    "length and coding": "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    "chunk size": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests(web, name):
    with Client(web.port) as client:
        client.send(MALFORMED[name])
        answer = client.answer()
        allowed = {"chunked not last": (400, 501), "chunk size": (400, 405)}.get(name, (400,))
        assert answer.status in allowed
        if "escape" not in name:  # that head was whole: the next one can be found
            assert client.closed(), "a connection whose framing is lost must end"


def test_what_follows_a_malformed_request_is_not_answered(web):
    with Client(web.port) as client:
        client.send("GET / HTTP/1.1\r\nHost : x\r\n\r\nGET /digits.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.answer().status == 400
        assert b"0123456789" not in client.rest()


def test_limits_of_the_head(web):
    # Over HTTP/2 a head of more than 64 KiB, as it is sent, ends the connection (script:h2/continuation-large.t); x has seven bits there.
    long = "x" * (70_000 if HTTP2 else 100_000)
    assert get(web.port, "/" + long).status == 414
    assert get(web.port, "/digits.txt", "A: " + long).status == 431
    assert get(web.port, "/digits.txt", *[f"A{i}: b" for i in range(5000)]).status == 431
    with Client(web.port) as client:
        client.send("GET /" + "y" * 3_000)
        client.send(" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.answer().status in (404, 414)


def test_an_endless_head_is_cut_off(web):
    """The server does not read for ever from a client that never ends its head."""
    with Client(web.port, timeout=20) as client:
        sent = 0
        try:
            client.send("GET / HTTP/1.1\r\nHost: x\r\n")
            while sent < 64 << 20:
                client.send(b"a: b\r\n" * 10000)
                sent += 60000
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 64 << 20


@pytest.mark.parametrize("coding", ["gzip", "identity", "chunked, chunked", "x-odd, chunked"])
def test_unknown_transfer_codings(web, coding):
    if HTTP2:  # which has none (RFC 9113 section 8.2.2)
        with pytest.raises(Gone, match="PROTOCOL_ERROR"):
            get(web.port, "/", f"Transfer-Encoding: {coding}")
    else:
        assert get(web.port, "/", f"Transfer-Encoding: {coding}").status in (400, 501)


@pytest.mark.parametrize("version, status", [("2.0", 505), ("3.0", 505), ("9.9", 505), ("0.9", 505), ("1.2", 200)])
def test_versions(web, version, status):
    with Client(web.port) as client:
        client.request("/digits.txt", "Connection: close", version=version)
        answer = client.answer()
        assert (answer.status, answer.version) == (status, "HTTP/1.1")


def test_http_2_preface_in_clear(web, starter, site, model):
    """HTTP/2 by prior knowledge begins with the server's SETTINGS; where it is off, it is a version nobody speaks."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    with Client(web.port) as client:
        client.send(preface + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        assert client.socket.recv(9)[3:9] == bytes([4, 0, 0, 0, 0, 0])
    with Client(starter.serve(site, model, "--http2", "off").port) as client:
        client.send(preface)
        assert client.answer().status == 505
        assert client.closed()


def test_absolute_form_and_query(web):
    assert get(web.port, "http://other.example/digits.txt").body == b"0123456789"
    assert get(web.port, "/digits.txt?a=b&c=../..").body == b"0123456789"
    assert get(web.port, "/?").body == b"<!doctype html><title>weir</title>\n"


@pytest.mark.parametrize("target, body", [
    ("/a%20b.txt", b"space\n"), ("/100%25.txt", b"percent\n"), ("/gr%C3%BC%C3%9Fe.txt", b"umlaut\n"),
    ("/%64%69%67its.txt", b"0123456789"), ("/dir/../digits.txt", b"0123456789"), ("/./digits.txt", b"0123456789"),
    ("/dir/%2e%2e/digits.txt", b"0123456789"), ("/dir/deeper/page.html", b"<p>page\n"), ("//digits.txt", b"0123456789"),
])
def test_paths(web, target, body):
    answer = get(web.port, target)
    if answer.status == 301:  # to its normal form is fine too
        answer = get(web.port, re.sub(r"^http://[^/]*", "", answer.fields["location"]))
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("target", [
    "/.hidden", "/.git/config", "/dir/../.hidden", "/%2ehidden", "/%2Ehidden", "/.git", "/.git/", "/./.hidden",
    "/../secret.txt", "/../../../../etc/passwd", "/dir/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
    "/%2e%2e%2fsecret.txt", "/dir/..%2f..%2fsecret.txt", "/..\\secret.txt", "/%5c..%5csecret.txt", "/digits.txt%00.html",
    "/%00", "//etc/passwd", "/%2fetc/passwd", "/....//secret.txt", "/%252e%252e/secret.txt", "/dir%2findex.html/",
    "/absolute.txt", "/up.txt", "/up-dir/secret.txt", "/up-dir/", "/up-dir", "/loop", "/dangling", "/absolute-inside.txt",
    "/inside-dir/../../secret.txt", "http://x/../secret.txt", "/%c0%ae%c0%ae/secret.txt",
])
def test_nothing_hidden_or_outside_is_served(web, target):
    answer = get(web.port, target)
    assert b"SECRET" not in answer.body and b"root:" not in answer.body
    assert answer.status in (301, 400, 403, 404), answer
    if answer.status == 301:
        answer = get(web.port, re.sub(r"^http://[^/]*", "", answer.fields["location"]))
        assert answer.status in (400, 403, 404)


def test_absolute_links_are_not_found(web):
    assert get(web.port, "/absolute.txt").status == 404
    assert get(web.port, "/absolute-inside.txt").status == 404
    assert get(web.port, "/up.txt").status == 404


def test_links_that_stay_inside_are_followed(web):
    assert get(web.port, "/inside.txt").body == b"0123456789"
    assert get(web.port, "/inside-dir/index.html").body == b"<p>dir\n"


def test_well_known_is_not_hidden(web):
    assert get(web.port, "/.well-known/thing").body == b"known\n"


def test_a_named_pipe_is_never_waited_for(web):
    seconds, answer = timed(get, web.port, "/fifo")
    assert answer.status in (403, 404) and seconds < 2
    assert get(web.port, "/digits.txt").status == 200


@pytest.mark.smoke
@pytest.mark.threads
def test_a_big_file_arrives_whole(web, site):
    want = hashlib.sha256((site / "big.bin").read_bytes()).hexdigest()
    _, body = curl(web.url + "/big.bin")
    assert hashlib.sha256(body).hexdigest() == want


@pytest.mark.threads
def test_several_big_files_at_once(web, site, tmp_path):
    """curl -Z: parallel transfers, as a browser does."""
    words = []
    for i in range(6):
        words += ["-o", tmp_path / f"copy{i}", f"{web.url}/big.bin"]
    curl("-Z", *words)
    want = hashlib.sha256((site / "big.bin").read_bytes()).digest()
    for i in range(6):
        assert hashlib.sha256((tmp_path / f"copy{i}").read_bytes()).digest() == want


LOG_LINE = re.compile(
    r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(?P<request>[^"]*)" (?P<status>\d{3}) '
    r'(?P<bytes>\d+|-) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)" (?P<rest>\S+)')


def test_access_log(starter, site, model, tmp_path):
    log = tmp_path / "access.log"
    server = starter("serve", site, "--listen", "127.0.0.1:0", "--model", model, "--access-log", log)
    get(server.port, "/digits.txt?q", "Referer: http://r/", "User-Agent: test/1")
    get(server.port, "/nothing")
    get(server.port, '/"\\x', 'User-Agent: a"b\\c')
    with Client(server.port) as client:
        client.send("nonsense\r\n\r\n")
        client.answer()
    server.stop()
    lines = [LOG_LINE.fullmatch(line) for line in log.read_text().splitlines()]
    assert len(lines) == 4 and all(lines), log.read_text()
    # Each worker writes its own lines: they need not come in order.
    by_request = {line["request"]: line for line in lines}
    good = by_request[f"GET /digits.txt?q {VERSION}"]
    assert (good["status"], good["bytes"], good["referer"], good["agent"]) == ("200", "10", "http://r/", "test/1")
    assert float(re.sub(r"[^\d.]", "", good["rest"])) >= 0
    assert by_request[f"GET /nothing {VERSION}"]["status"] == "404"
    assert sorted(line["status"] for line in lines)[:2] == ["200", "400"]


def test_access_log_appears_while_it_runs(starter, site, model, tmp_path):
    log = tmp_path / "access.log"
    server = starter("serve", site, "--listen", "127.0.0.1:0", "--model", model, "--access-log", log)
    get(server.port, "/digits.txt")
    assert wait_until(lambda: log.exists() and log.read_text().count("\n") == 1, 4)


def test_access_log_on_standard_output(starter, site, model, tmp_path):
    with (tmp_path / "out").open("w") as out:
        server = starter("serve", site, "--listen", "127.0.0.1:0", "--model", model, "--access-log", "-", stdout=out)
        for _ in range(20):
            get(server.port, "/digits.txt")
        server.stop()
    lines = (tmp_path / "out").read_text().splitlines()
    assert len(lines) == 20 and all(LOG_LINE.fullmatch(line) for line in lines)


def test_files_that_change_are_seen(starter, model, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_text("one")
    server = starter.serve(root, model)
    assert get(server.port, "/a.txt").body == b"one"
    (root / "b.txt").write_text("three")
    os.rename(root / "b.txt", root / "a.txt")
    assert wait_until(lambda: get(server.port, "/a.txt").body == b"three", 3, 0.2)
    (root / "a.txt").unlink()
    assert wait_until(lambda: get(server.port, "/a.txt").status == 404, 3, 0.2)


@pytest.mark.smoke
def test_several_listeners(starter, site, model, tmp_path):
    server = starter("serve", site, "--listen", "127.0.0.1:0", "--listen", f"unix:{tmp_path}/web", "--listen",
                     "http://127.0.0.1:0", "--model", model, "--access-log", "off", listeners=3)
    tcp = [url for url in server.urls if ":" in url and "unix" not in url]
    assert len(tcp) == 2
    for url in tcp:
        assert curl(url.rstrip("/") + "/digits.txt")[1] == b"0123456789"
    assert curl("--unix-socket", tmp_path / "web", "http://x/digits.txt")[1] == b"0123456789"
    server.stop()
    assert not (tmp_path / "web").exists()


@pytest.mark.smoke
def test_ready_line_names_the_model(web, model, site):
    assert web.how.startswith(model)
    assert f"weir: serving {site} at {SCHEME}://127.0.0.1:{web.port}/ ({model}" in web.said()
