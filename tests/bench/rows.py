"""The work that is measured, a row each, and what weir must reach in it."""
import dataclasses
import gzip
import os
import random
import shutil
import subprocess

FILES = 5000
WORDS = ("river bank water stone bridge field path light morning stream slow deep clear bend reed boat rope mill gate pool "
         "spring hill road tree shade wind cloud rain house door").split()


@dataclasses.dataclass
class Work:  # pylint: disable=too-many-instance-attributes
    """One row. `reach` holds (against whom, at most)."""
    name: str
    title: str
    connections: int = 64
    path: str = "/index.html"
    size: int = 612  # bytes of content
    headers: dict = dataclasses.field(default_factory=dict)
    pipeline: int = 1
    close: bool = False
    log: bool = False
    idle: bool = False
    tls: str = ""     # the key of the certificate: p256 ...
    shakes: str = ""  # handshakes are made instead of requests: full, resumed
    streams: int = 0  # HTTP/2: so many at a time on each connection
    each: int = 100000  # HTTP/2: requests for each second of a run
    list: str = ""   # a file of paths, set when they exist
    status: int = 200
    floors: tuple = ("floor",)
    also: tuple = ()
    reach: tuple = (("best", 1.0),)
    note: str = ""

    def servers(self, peers):
        """All that run, in the order of the table."""
        return (*self.floors, "weir", *self.also, *peers)


SHAKES = (("nginx", 1.0), ("weir-keys / nginx", 1 / 0.85))  # weir-keys: with --key-process

ROWS = [
    Work("small-64", "612 B, 64 persistent connections", reach=(("floor", 1.10), ("best", 1.0))),
    Work("small-512", "612 B, 512 persistent connections", connections=512),
    Work("small-log", "612 B, 64 persistent connections, access logs on", log=True, also=("weir-quiet",),
         reach=(("floor", 1.16), ("best", 1.0), ("weir-quiet", 1.05)), note="weir-quiet: the same without its log"),
    Work("close", "612 B, Connection: close, 64 at a time", close=True, floors=("floor", "defer"), reach=(("floor", 1.03), ("best", 1.0)),
         note="defer: the bare loop, which then takes clients over with their request there (TCP_DEFER_ACCEPT), as weir does"),
    Work("pipeline", "612 B, 16 requests pipelined, 64 connections", pipeline=16, floors=(), reach=(("best", 0.2),)),
    Work("100k", "100 KiB, 64 persistent connections", path="/100k.bin", size=100 * 1024, floors=("pread", "sendfile"),
         reach=(("nginx", 0.80), ("best", 1.0))),
    Work("10m", "10 MiB, 16 persistent connections", connections=16, path="/10m.bin", size=10 * 1024 * 1024,
         floors=("pread", "sendfile"), reach=(("nginx", 0.60), ("best", 1.05))),
    Work("files", "5,000 files at random, 64 connections, Accept-Encoding: br, gzip", headers={"Accept-Encoding": "br, gzip"},
         floors=(), path="/files/0.html"),
    Work("304", "304 answers (If-None-Match), 64 connections", status=304),
    Work("tls", "612 B, 64 persistent connections, TLS", tls="p256", floors=(), reach=(("nginx", 0.95), ("best", 1.0))),
    Work("tls-100k", "100 KiB, 64 persistent connections, TLS", tls="p256", path="/100k.bin", size=100 * 1024, floors=(),
         reach=(("nginx", 1.0),)),
    Work("h2", "612 B over HTTP/2 in clear, 16 connections with 32 streams each", connections=16, streams=32, floors=("nghttp2",),
         reach=(("h2o", 1.15),), note="nghttp2: a bare epoll loop around the library's server, which reads no path and has one answer"),
    Work("h2-tls", "612 B over HTTP/2 with TLS, 16 connections with 32 streams each", connections=16, streams=32, tls="p256", floors=(),
         reach=(("h2o", 1.15),)),
    Work("shakes", "whole TLS 1.3 handshakes, P-256, 16 at a time", tls="p256", shakes="full", floors=(), also=("weir-keys",), reach=SHAKES,
         note="weir-keys: with --key-process; requests/s are handshakes a second; each is over when both sides have said their end"),
    Work("shakes-rsa", "whole TLS 1.3 handshakes, RSA-2048, 16 at a time", tls="rsa2048", shakes="full", floors=(), also=("weir-keys",), reach=SHAKES),
    Work("resumed", "resumed TLS 1.3 handshakes, 16 at a time", tls="p256", shakes="resumed", floors=(), reach=(("nginx", 1.0),)),
    Work("idle", "10,000 idle connections, each after one answered request", connections=10000, idle=True, floors=(),
         reach=(("bytes", 400), ("best", 1.0))),
]


def _text(rng, size):
    return " ".join(rng.choices(WORDS, k=size // 5 + 1))[:size].encode()


def write_small(root):
    """index.html of 612 bytes, and the two long ones."""
    rng = random.Random(612)
    for name, size in (("index.html", 612), ("100k.bin", 100 * 1024), ("10m.bin", 10 * 1024 * 1024)):
        with open(os.path.join(root, name), "wb") as f:
            f.write(_text(rng, size) if name.endswith("html") else rng.randbytes(size))


def write_files(root, list_name):
    """5,000 files of 300 bytes to 60 KB (as many in each octave), half of them text with coded neighbours. Their paths go
    to `list_name`; returns some of them to look at."""
    rng, folder, paths, text = random.Random(5000), os.path.join(root, "files"), [], []
    os.mkdir(folder)
    for i in range(FILES):
        size = int(300 * 200 ** rng.random())
        name = f"{i}.{('html', 'png', 'css', 'png')[i % 4]}"
        content = _text(rng, size) if i % 2 == 0 else rng.randbytes(size)
        with open(os.path.join(folder, name), "wb") as f:
            f.write(content)
        paths.append(f"/files/{name}")
        if i % 2 == 0:
            text.append(os.path.join(folder, name))
            with open(os.path.join(folder, name + ".gz"), "wb") as f:
                f.write(gzip.compress(content, 6, mtime=0))
    if shutil.which("brotli"):
        subprocess.run(["brotli", "-q", "5", "-k", *text], check=True)
    with open(list_name, "w", encoding="ascii") as f:
        f.write("\n".join(paths) + "\n")
    return paths[:8] + paths[-8:]
