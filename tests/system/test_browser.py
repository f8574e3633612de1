"""Chromium, as people use it: pages, a film, forms, a folder, the live figures, errors. tests/browser/browse.js looks, this judges.

`make check-browser` installs what it needs and sets WEIR_BROWSER; WEIR_PICTURES keeps the pictures in a folder, to be looked at."""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import zlib

import pytest

from conftest import ROOT, Starter
from test_cgi import write_program
from test_real_clients import PROGRAMS
from test_tls import certs, keys  # pylint: disable=unused-import

BROWSER = os.environ.get("WEIR_BROWSER")
NODE, CHROMIUM = shutil.which("node"), os.environ.get("WEIR_CHROMIUM", "/usr/bin/chromium")


def missing():
    """Why there can be no browser here; None: it can."""
    if not BROWSER:
        return "a browser: make check-browser"
    for what, there in (("Node.js", NODE), ("Chromium", os.access(CHROMIUM, os.X_OK)),
                        ("playwright-core", (pathlib.Path(BROWSER) / "node_modules/playwright-core").is_dir())):
        if not there:
            return f"a browser: there is no {what} here"
    return None


pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>A page</title>
<link rel=icon href=icon.svg><link rel=stylesheet href=style.css><script type=module src=main.js></script>
<h1>A page</h1><p id=said></p><img src=icon.svg alt=drawn><img src=dots.png alt=dots><img src="/cgi-bin/picture" alt=made>
"""
FORM = """<!doctype html><html lang=en><meta charset=utf-8><title>Forms</title>
<form id=words action=/cgi-bin/form method=post><input name=who><button>Send</button></form>
<form id=file action=/cgi-bin/form?q=1 method=post enctype=multipart/form-data><input name=who><input type=file name=upload><button>Send</button></form>
"""
FILM = '<!doctype html><html lang=en><title>A film</title><video src=film.webm controls muted preload=auto width=640></video>'
ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30" fill="teal"/></svg>'
NAMES = ["100%.txt", "a&b.txt", "drei-grüße.txt", "q?x#y.txt", "two words.txt", "<b>.txt", "日本.txt", "long" * 30 + ".txt"]


def png(width, height):
    """A picture without a library."""
    def part(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    rows = b"".join(b"\0" + bytes((x * y) % 256 for x in range(width * 3)) for y in range(height))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def film(path):
    """A film that is too large to be fetched at once: four seconds of noise, again and again."""
    run = lambda *words: subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True, timeout=180, stdin=subprocess.DEVNULL)
    part = path.with_name(".part.webm")
    run("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=8:duration=4,noise=alls=60:allf=t", "-c:v", "libvpx", "-b:v", "20M", "-qmax", "8", "-deadline", "realtime",
        "-cpu-used", "8", "-g", "8", part)
    run("-stream_loop", "3", "-i", part, "-c", "copy", path)


@pytest.fixture(scope="session")
def world(site, tmp_path_factory):
    top = tmp_path_factory.mktemp("browser")
    root = top / "site"
    (root / "app").mkdir(parents=True)
    (root / "shelf/deeper").mkdir(parents=True)
    files = {"app/index.html": PAGE, "app/style.css": "@import 'more.css';\nbody{font-family:sans-serif}\n" + "p{margin:1em}\n" * 100, "app/icon.svg": ICON,
             "app/more.css": "h1{color:rgb(0,90,120)}", "app/data.json": json.dumps({"words": "from a file " * 100}), "film.html": FILM, "form.html": FORM,
             "app/main.js": "import {say} from './say.js';\nconst found = await (await fetch('data.json')).json();\nsay(found.words.slice(0, 11));\n",
             "app/say.js": "export const say = text => document.querySelector('#said').textContent = text;\n" + "// nothing more\n" * 100}
    for name, text in files.items():
        (root / name).write_text(text)
    (root / "app/dots.png").write_bytes(png(64, 48))
    (root / "favicon.ico").write_bytes(png(16, 16))
    for number, name in enumerate(NAMES):
        (root / "shelf" / name).write_text("x" * (number * 37 % 11) + name)
        os.utime(root / "shelf" / name, (1700000000 + number * 7919 % 100000,) * 2)
    for name in ("digits.txt", "a.css"):
        shutil.copy(site / name, root / name)
    for name, text in PROGRAMS.items():
        write_program(top / "programs" / name, text)
    (top / "programs/made.png").write_bytes(png(20, 10))
    write_program(top / "programs/picture", "#!/bin/sh\nprintf 'Content-Type: image/png\\n\\n'\nexec cat made.png\n")
    (top / "upload.bin").write_bytes(bytes(range(256)) * 8000)
    return top


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    folder = pathlib.Path(os.environ.get("WEIR_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def spki(cert):
    """By which Chromium is told to believe one key: SHA-256 of the public key."""
    pem = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-pubkey"], check=True, capture_output=True, timeout=20).stdout
    return base64.b64encode(hashlib.sha256(base64.b64decode(b"".join(pem.splitlines()[1:-1]))).digest()).decode()


@pytest.fixture(scope="module", params=["http", "https"])
def _server(request, model, world, certs, tmp_path_factory):
    starter = Starter(tmp_path_factory.mktemp("browsed"))
    server = starter("serve", world / "site", "--listen", f"{request.param}://127.0.0.1:0", "--model", model, "--access-log", "off", "--listing",
                     "--cgi", f"/cgi-bin={world / 'programs'}", "--status", "/status", "--security-fields", *(keys(certs["localhost"]) if request.param == "https" else []))
    server.scheme = request.param
    yield server
    starter.end()


@pytest.fixture
def visit(_server, pictures, model, certs):
    """visit(name, words…): what the browser saw there."""
    def visit(name, *words, server=_server):
        folder = pictures / model / _server.scheme
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([NODE, ROOT / "tests/browser/browse.js", name, server.url, folder, *map(str, words)], capture_output=True, timeout=240,
                              env={**os.environ, "NODE_PATH": str(pathlib.Path(BROWSER) / "node_modules"), "WEIR_SPKI": spki(certs["localhost"][0])})
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return {"scheme": server.urls[0].partition(":")[0], **json.loads(done.stdout)}

    yield visit
    assert _server.process.poll() is None, f"the server ended\n{_server.said()}"
    _server.check_healthy()


def quiet(seen, *allowed):
    """Nothing failed, and the page had nothing to complain of but what is allowed."""
    assert not seen["failed"], seen["failed"]
    assert not [text for text in seen["complaints"] if not any(word in text for word in allowed)], seen["complaints"]


def test_a_page_with_everything(visit):
    seen = visit("page")
    quiet(seen)
    for state in (seen["first"], seen["second"]):
        assert state["colour"] == "rgb(0, 90, 120)" and state["said"] == "from a file"
        assert state["pictures"] == [[40, 30], [64, 48], [20, 10]]
        assert state["protocol"] in (["h2"] if seen["scheme"] == "https" else ["http/1.1", ""])
    first = {answer["path"]: answer for answer in reversed(seen["answers"])}
    for name in ("", "style.css", "more.css", "main.js", "say.js", "data.json", "icon.svg", "dots.png"):
        assert first[f"/app/{name}"]["status"] == 200, name
    assert first["/app/main.js"]["type"].startswith("text/javascript") and first["/app/style.css"]["type"].startswith("text/css")
    for name in ("style.css", "say.js", "data.json"):
        assert first[f"/app/{name}"]["coding"] in ("br", "zstd", "gzip"), first[f"/app/{name}"]


@pytest.mark.parametrize("file", ["index.html", "learn.html"])
def test_the_demo_site(_server, starter, model, visit, file):
    if _server.scheme == "https":
        pytest.skip("once is enough")
    seen = visit("site", file, server=starter.serve(ROOT / "site", model))
    quiet(seen)
    assert all(seen["fits"].values()), seen["fits"]


def test_seeking_in_a_film(visit, world):
    path = world / "site/film.webm"
    if not path.exists():
        film(path)
    seen = visit("video")
    quiet({**seen, "failed": []})  # a jump gives up what was asked for before it
    first, *jumps = seen["states"]
    assert first["width"] == 640 and abs(first["length"] - 16) < 2 and not first["error"]
    assert all(abs(state["at"] / first["length"] - part) < 0.02 for state, part in zip(jumps, (0.8, 0.3, 0.95, 0.0), strict=True)), jumps
    assert len({state["dots"] for state in jumps}) > 2, "other pictures at other times"
    parts = [answer for answer in seen["answers"] if answer["path"] == "/film.webm" and answer.get("part")]
    assert parts and all(answer["status"] == 206 and answer["range"] for answer in parts), parts
    starts = {int(re.match(r"bytes (\d+)-", answer["part"])[1]) for answer in parts}
    assert max(starts) > path.stat().st_size // 2, starts


def test_forms(visit, world):
    seen = visit("form", world / "upload.bin")
    quiet(seen)
    words, file = seen["sent"]
    assert words["fields"] == {"who": ["Jörg & Söhne = 100% +"]} and words["method"] == "POST"
    assert file["query"] == "q=1" and file["fields"]["upload"] == ["upload.bin", 256 * 8000]
    assert seen["fetched"]["bytes"] == 3_000_000


def test_a_folder(visit, world):
    seen = visit("listing")
    quiet(seen)
    shelf, orders = world / "site/shelf", seen["orders"]
    assert all(order[:2] == ["../", "deeper/"] for order in orders.values()), orders
    names = {key: order[2:] for key, order in orders.items()}
    assert {frozenset(order) for order in names.values()} == {frozenset(NAMES)}
    by_size, by_time = (lambda n: (shelf / n).stat().st_size), (lambda n: (shelf / n).stat().st_mtime)
    for heading, key in (("Size", by_size), ("Modified", by_time)):
        first, again = ([key(name) for name in names[which]] for which in (heading, f"{heading} again"))
        assert sorted(first) in (first, first[::-1]) and again == first[::-1], heading
    assert dict(seen["texts"]) == {name: (shelf / name).read_text() for name in NAMES}
    assert seen["narrow"] and max(map(int, re.findall(r"\d+", seen["dark"]))) < 100
    assert seen["back"].rstrip("/") in ("/shelf", "/shelf/deeper")


def test_the_figures_move(visit, model):
    seen = visit("status", 6)
    quiet(seen)
    assert seen["moved"], seen["tiles"]
    assert seen["narrow"] and "Requests" in seen["sums"]


def test_pages_of_errors(visit):
    seen = visit("errors")
    quiet(seen, "Failed to load resource", "status of 40")
    found = {one["where"]: one for one in seen["found"]}
    assert found["/nothing/here"]["status"] == 404 and found["/bad%zz"]["status"] == 400 and found["/.git/config"]["status"] == 404
    assert found["/shelf"]["status"] == 200 and found["/shelf"]["url"] == "/shelf/"
    for where in ("/nothing/here", "/bad%zz"):
        assert str(found[where]["status"]) in found[where]["title"] and len(found[where]["text"]) > 20
