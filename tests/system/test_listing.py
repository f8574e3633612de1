"""Folders as pages and as JSON."""

import base64
import hashlib
import html
import html.parser
import json
import os
import re
import subprocess
import time
import urllib.parse

import pytest

from conftest import Starter
from talk import Client, get

ODD = ["plain.txt", "two words.txt", "grüße.txt", "\U0001f30a wave.txt", 'quo"te\'s.txt', "<script>alert(1).txt", "a&amp;b.txt",
       "javascript:alert(1)", "new\nline.txt", "tab\there", "back\\slash", "100%.txt", "q?a=b.txt", "h#h.txt", "semi;colon.txt",
       "\u202egpj.exe", "x" * 255, "-rf", "~tilde", "dots..txt"]


class Page(html.parser.HTMLParser):
    """Links of the table's rows, and what would load or run something."""

    def __init__(self, text):
        super().__init__()
        self.links, self.names, self.foreign, self.rows, self.inside = [], [], [], 0, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.foreign += [(tag, name) for name in attrs if name in ("src", "style") or name.startswith("on")]
        if tag in ("script", "img", "link", "iframe", "object", "form", "base"):
            self.foreign.append((tag, ""))
        if tag == "tbody":
            self.inside = True
        if tag == "a" and self.inside:
            self.links.append(attrs["href"])
            self.names.append("")

    def handle_endtag(self, tag):
        if tag == "table":
            self.inside = False

    def handle_data(self, data):
        if self.inside and self.names and self.get_starttag_text().startswith("<bdi"):
            self.names[-1] += data


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    top = tmp_path_factory.mktemp("listing")
    (top / "secret.txt").write_text("SECRET")
    root = top / "root"
    odd, sizes, deep = root / "odd", root / "sizes", root / "a b/grü<b>&"
    for folder in (odd, sizes, deep, root / "empty", root / "with-index", sizes / "folder10", sizes / "folder9"):
        folder.mkdir(parents=True)
    for name in ODD:
        (odd / name).write_text(name)
    with open(os.fsencode(odd) + b"/latin-\xfc\x80", "wb") as f:
        f.write(b"latin")
    (odd / ".hidden").write_text("SECRET")
    (odd / "out").symlink_to("../../secret.txt")
    (odd / "out-folder").symlink_to("../..")
    (odd / "in").symlink_to("../sizes/1.bin")
    (odd / "in-folder").symlink_to("../sizes")
    (odd / "dangling").symlink_to("nothing")
    os.mkfifo(odd / "fifo")
    for size in (1, 999, 1000, 1234, 12345, 999999, 1000000, 5500000):
        with open(sizes / f"{size}.bin", "wb") as f:
            f.truncate(size)
        os.utime(sizes / f"{size}.bin", (1700000000 - size, 1700000000 - size))
    (root / "with-index/index.html").write_text("<p>index")
    time.sleep(0.05)
    return root


@pytest.fixture(scope="module")
def _listed(model, shelf, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("server"))
    yield starter.serve(shelf, model, "--listing")
    starter.end()


@pytest.fixture
def listed(_listed):
    yield _listed
    assert _listed.process.poll() is None, _listed.said()
    _listed.check_healthy()


def page(server, target, *fields):
    answer = get(server.port, target, *fields)
    assert answer.status == 200 and answer.fields["content-type"] == "text/html; charset=utf-8"
    return Page(answer.body.decode())


def entries(server, target):
    answer = get(server.port, target, "Accept: application/json")
    assert answer.status == 200 and answer.fields["content-type"] == "application/json"
    return json.loads(answer.body)["entries"]


@pytest.mark.smoke
@pytest.mark.threads
def test_each_link_leads_to_its_file(listed, shelf):
    got = page(listed, "/odd/")
    assert not got.foreign
    for href in got.links[1:]:
        assert href.startswith("./") and re.fullmatch(r"[!-~]*", href)
        target = urllib.parse.urljoin("http://x/odd/", href)
        assert target.startswith("http://x/odd/"), "nothing in a name leads elsewhere"
        answer = get(listed.port, target.removeprefix("http://x"))
        if not href.endswith("/"):
            name = urllib.parse.unquote_to_bytes(href[2:])
            want = b"\0" if name == b"in" else b"latin" if name.startswith(b"latin") else name
            assert (answer.status, answer.body) == (200, want)
    names = {urllib.parse.unquote_to_bytes(href[2:]) for href in got.links[1:]}
    assert names == {os.fsencode(name) for name in ODD} | {b"latin-\xfc\x80", b"in", b"in-folder/"}


def test_names_are_shown_as_they_are_and_nothing_else(listed):
    text = get(listed.port, "/odd/").body.decode()
    names = page(listed, "/odd/").names
    for name in ("grüße.txt", "\U0001f30a wave.txt", "<script>alert(1).txt", "a&amp;b.txt", 'quo"te\'s.txt'):
        assert name in names
    assert "<script" not in text and "\u202e" not in text and "\ufffdgpj.exe" in names and "new\ufffdline.txt" in names
    assert "latin-\ufffd\ufffd" in names and "SECRET" not in text and "hidden" not in text


def test_the_policy_allows_the_style_and_nothing_else(listed):
    answer = get(listed.port, "/odd/")
    style = re.search(r"<style>(.*?)</style>", answer.body.decode(), re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.fields["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert answer.fields["x-content-type-options"] == "nosniff"


def test_the_policy_is_the_only_one(starter, tmp_path, model):
    """Two would both count, and the site's may forbid the style."""
    (tmp_path / "site").mkdir()
    server = starter.serve(tmp_path / "site", model, "--listing", "--security-fields", "--field", "Content-Security-Policy: default-src 'self'", "--field", "X-Own: 1")
    with Client(server.port) as client:
        listing, missing = client.ask("/"), client.ask("/nothing")
    assert listing.fields["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "default-src 'self'" not in listing.fields["content-security-policy"]
    assert listing.fields["x-own"] == "1" and "referrer-policy" in listing.fields
    assert missing.fields["content-security-policy"] == "default-src 'self'"


def test_json_says_the_same(listed):
    got = entries(listed, "/odd/")
    assert [entry["href"] for entry in got] == page(listed, "/odd/").links[1:]
    by_name = {entry["name"]: entry for entry in got}
    assert by_name["plain.txt"]["type"] == "file" and by_name["plain.txt"]["size"] == 9
    assert by_name["in-folder"]["type"] == "folder" and "size" not in by_name["in-folder"]
    assert by_name["new\nline.txt"]["href"] == "./new%0Aline.txt" and "\u202egpj.exe" in by_name
    sizes = {entry["name"]: entry for entry in entries(listed, "/sizes/")}
    assert sizes["1000.bin"]["modified"] == "2023-11-14T21:56:40Z"


@pytest.mark.parametrize("fields, kind", [
    ([], "text/html"), (["Accept: */*"], "text/html"), (["Accept: text/html, application/json"], "text/html"),
    (["Accept: application/json"], "application/json"), (["Accept: text/html;q=0.4, application/json;q=0.5"], "application/json"),
    (["Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], "text/html"),
])
def test_the_client_chooses_the_form(listed, fields, kind):
    answer = get(listed.port, "/sizes/", *fields)
    assert answer.fields["content-type"].startswith(kind)
    assert "Accept" in [word.strip() for word in answer.fields["vary"].split(",")]
    assert get(listed.port, "/sizes/?format=json", *fields).fields["content-type"] == "application/json"
    assert get(listed.port, "/sizes/?a=b&format=html&c", *fields).fields["content-type"].startswith("text/html")


@pytest.mark.parametrize("query, first, last", [
    ("", "1.bin", "5500000.bin"), ("?sort=name", "1.bin", "5500000.bin"), ("?sort=name&order=desc", "5500000.bin", "1.bin"),
    ("?sort=size", "1.bin", "5500000.bin"), ("?sort=size&order=desc", "5500000.bin", "1.bin"), ("?sort=time", "5500000.bin", "1.bin"),
    ("?sort=time&order=desc", "1.bin", "5500000.bin"), ("?sort=nonsense&order=up", "1.bin", "5500000.bin"),
])
def test_sorting(listed, query, first, last):
    got = [entry["name"] for entry in entries(listed, "/sizes/" + query)]
    assert set(got[:2]) == {"folder9", "folder10"} and (got[2], got[-1]) == (first, last)
    assert [urllib.parse.unquote(href[2:]).rstrip("/") for href in page(listed, "/sizes/" + query).links[1:]] == got
    if query in ("", "?sort=name"):
        assert got == ["folder9", "folder10", "1.bin", "999.bin", "1000.bin", "1234.bin", "12345.bin", "999999.bin", "1000000.bin",
                       "5500000.bin"], "numbers in names count as numbers"


def test_headings_turn_the_order_around(listed):
    text = get(listed.port, "/sizes/?sort=size").body.decode()
    assert 'aria-sort="ascending"><a href="?sort=size&amp;order=desc">' in text and '<a href="?sort=name">' in text
    text = get(listed.port, "/sizes/?sort=size&order=desc").body.decode()
    assert 'aria-sort="descending"><a href="?sort=size">' in text


def test_sizes_are_for_people(listed):
    text = get(listed.port, "/sizes/").body.decode()
    for size in ("<td>1 B<", "<td>999 B<", "<td>1.0 kB<", "<td>1.2 kB<", "<td>12 kB<", "<td>999 kB<", "<td>1.0 MB<", "<td>5.5 MB<"):
        assert size in text
    assert "2 folders, 8 files, 7.5 MB" in text


def test_the_trail_leads_up(listed):
    text = get(listed.port, "/a%20b/gr%C3%BC%3Cb%3E&/").body.decode()
    trail = re.search(r"<h1>(.*?)</h1>", text, re.S).group(1)
    links = re.findall(r'href="([^"]*)"', trail)
    assert links == ["/", "/a%20b/", "/a%20b/gr%C3%BC%3Cb%3E&amp;/"] and "grü&lt;b&gt;&amp;" in trail
    for link in links:
        assert get(listed.port, html.unescape(link)).status == 200
    assert get(listed.port, "/").body.decode().count('href="../"') == 0


MOUNTED = {
    "/docs/": ["/docs/"],
    "/docs/gr%C3%BC%3Cb%3E&/": ["/docs/", "/docs/gr%C3%BC%3Cb%3E&/"],
    "/up%20here/%C3%BC%3Ci%3E&/": ["/up%20here/", "/up%20here/%C3%BC%3Ci%3E&/"],
    "/up%20here/%C3%BC%3Ci%3E&/a%20b/": ["/up%20here/", "/up%20here/%C3%BC%3Ci%3E&/", "/up%20here/%C3%BC%3Ci%3E&/a%20b/"],
    "/docs/./x/..//gr%c3%bc%3cb%3e%26/": ["/docs/", "/docs/gr%C3%BC%3Cb%3E&/"],
    "/up%20here/": ["/up%20here/"],
}


@pytest.fixture
def mounted(starter, shelf, model, tmp_path):
    """Folders of other places in a site, one of them two segments deep."""
    (tmp_path / "site/up here").mkdir(parents=True)
    (tmp_path / "sites.conf").write_text(f"""
        listen = "127.0.0.1:0"
        listing = yes
        site "default" {{
            root = "{tmp_path}/site"
            mount "/docs" {{ root = "{shelf}/a b" }}
            mount "/up here/ü<i>&" {{ root = "{shelf}" }}
        }}""")
    return starter("serve", "--config", str(tmp_path / "sites.conf"), "--model", model)


def test_in_a_mount_the_trail_and_the_parent_stay_in_the_site(mounted):
    for target, above in MOUNTED.items():
        text = get(mounted.port, target).body.decode()
        trail = re.search(r"<h1>(.*?)</h1>", text, re.S).group(1)
        links = [html.unescape(link) for link in re.findall(r'href="([^"]*)"', trail)]
        assert links == ["/", *above], target
        names = [html.unescape(name) for name in re.findall(r"<bdi>(.*?)</bdi>", trail)]
        assert names == [urllib.parse.unquote(link).split("/")[-2] for link in above]
        assert trail.count("aria-current") == 1 and f'"{above[-1]}" aria-current="page"' in html.unescape(trail)
        assert html.unescape(re.search("<title>(.*?)</title>", text).group(1)) == urllib.parse.unquote(above[-1])
        assert Page(text).links[0] == "../"
        parent = get(mounted.port, urllib.parse.urljoin("http://x" + above[-1], "../").removeprefix("http://x"))
        assert parent.body == get(mounted.port, links[-2]).body


def test_in_a_mount_each_link_of_the_trail_leads_to_what_it_names(mounted):
    for above in MOUNTED.values():
        for link in ["/", *above]:
            answer = get(mounted.port, link, "Accept: application/json")
            assert answer.status == 200 and json.loads(answer.body)["path"] == urllib.parse.unquote(link)
    assert [entry["name"] for entry in entries(mounted, "/docs/")] == ["grü<b>&"]
    names = [entry["name"] for entry in entries(mounted, "/up%20here/%C3%BC%3Ci%3E&/odd/")]
    assert "in-folder" in names and "out" not in names, "a link in a mount is looked at from its root"


def test_an_index_comes_first_and_an_empty_folder_is_shown(listed):
    assert get(listed.port, "/with-index/").body == b"<p>index"
    assert "0 folders, 0 files" in get(listed.port, "/empty/").body.decode() and entries(listed, "/empty/") == []
    assert get(listed.port, "/empty").status == 301
    for target in ("/nothing/", "/odd/plain.txt/", "/odd/out-folder/", "/odd/.hidden/", "/.git/", "/odd/dangling/"):
        assert get(listed.port, target).status == 404


def test_head_conditions_ranges_codings(listed):
    plain, head = get(listed.port, "/sizes/"), get(listed.port, "/sizes/", method="HEAD")
    for fields in (plain.fields, head.fields):
        fields.pop("date")
    assert plain.fields == head.fields and plain.fields["cache-control"] == "no-cache"
    again = get(listed.port, "/sizes/", f"If-None-Match: {plain.fields['etag']}")
    assert again.status == 304 and again.fields["vary"] == plain.fields["vary"]
    assert get(listed.port, "/sizes/", "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT").status == 200
    coded = get(listed.port, "/sizes/", "Accept-Encoding: br")
    assert coded.fields["content-encoding"] == "br" and coded.fields["etag"] != plain.fields["etag"]
    assert subprocess.run(["brotli", "-dc"], input=coded.body, capture_output=True, check=True).stdout == plain.body
    assert get(listed.port, "/sizes/", "Range: bytes=0-14").body == b"<!DOCTYPE html>"


def test_without_the_option_there_is_none(starter, shelf, model):
    server = starter.serve(shelf, model)
    assert get(server.port, "/odd/").status == 404 and get(server.port, "/odd").status == 301


def test_a_folder_with_very_many_files_is_cut(starter, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for i in range(10050):
        os.close(os.open(many / f"{i}", os.O_CREAT | os.O_WRONLY))
    server = starter.serve(tmp_path, "event", "--listing", "--workers", 1)
    with Client(server.port) as other:
        other.ask("/many/none")
        with Client(server.port) as client:
            client.request("/many/")
            assert other.ask("/many/0").status == 200, "others are answered meanwhile"
            text = client.answer().body.decode()
    assert text.count("<tr><td>") == 10000 and "There is more here than is listed" in text
    got = json.loads(get(server.port, "/many/?format=json").body)
    assert got["truncated"] and len(got["entries"]) == 10000


def test_many_at_once_and_clients_that_leave(starter, shelf, model):
    server = starter.serve(shelf, model, "--listing")
    for _ in range(40):
        with Client(server.port) as client:
            client.request("/odd/")
            client.reset()
    clients = [Client(server.port) for _ in range(6)] if model not in ("sequential", "fork-wait") else []
    for client in clients:
        client.request("/odd/")
    for client in clients:
        assert client.answer().status == 200
        client.close()
    assert get(server.port, "/odd/").status == 200
