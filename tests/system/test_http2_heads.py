"""Heads of answers that come again are sent as they were packed before: they mean the same at every moment of HPACK's table."""

import random
import socket
import time

import h2.settings
import pytest

from frames import PREFACE, fields, frame
from test_http2 import Client

KINDS = ("html", "css", "js", "png", "txt")
TABLES = (4096, 0, 128, 4096, 300)


@pytest.fixture
def server(starter, model, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    for i, kind in enumerate(KINDS):
        (root / f"{i}.{kind}").write_bytes(b"x" * (10 + i % 3))
    return starter.serve(root, model, "--access-log", "off")


def ask_all(client, paths):
    streams = [client.ask(path, **more) for path, more in paths]
    client.until(lambda: client.ended.issuperset(streams))
    return [{**client.answers[stream]["fields"], "date": ""} for stream in streams]


def test_heads_that_come_again(server):
    """Few answers in any order, over changes of the date and of the table's size."""
    client = Client(socket.create_connection(("127.0.0.1", server.port), timeout=20))
    paths = [(f"/{i}.{kind}", more) for i, kind in enumerate(KINDS) for more in ({}, {"method": "HEAD"})] + [("/nothing", {})]
    first, rng = ask_all(client, paths), random.Random(7541)
    assert [fields[":status"] for fields in first] == ["200"] * 10 + ["404"]
    dates = set()
    for size in TABLES:
        client.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: size})
        client.flush()
        for _ in range(12):
            picked = [rng.choice((rng.randrange(len(paths)), 0)) for _ in range(8)]
            assert ask_all(client, [paths[i] for i in picked]) == [first[i] for i in picked], size
            dates.add(client.answers[max(client.ended)]["fields"]["date"])
            time.sleep(0.03)
    assert 2 <= len(dates) <= 30
    client.sock.close()


@pytest.mark.parametrize("length", [10, 900])
def test_a_head_without_fields_is_rewritten_whole(starter, model, tmp_path, length):
    """Its request line lies behind all that came before it, :authority too."""
    root, log = tmp_path / "root", tmp_path / "log"
    root.mkdir()
    (root / "index.html").write_bytes(b"here")
    server = starter.serve(root, model, "--access-log", str(log), "--rewrite", "/r/*=/index.html")
    path = b"/r/" + b"a" * length
    head = fields((b":authority", b"x"), (b":path", path), (b":method", b"GET"), (b":scheme", b"http"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.sendall(PREFACE + frame(4, 0, 0) + frame(1, 5, 1, head))
        got = b""
        while b"here" not in got:
            data = sock.recv(65536)
            assert data, got
            got += data
    server.stop()
    assert f'"GET {path.decode()} HTTP/2.0" 200 4 '.encode() in log.read_bytes()
