"""Starts weir, its peers and the floor, each with one worker pinned on the server's core."""
import contextlib
import dataclasses
import os
import re
import resource
import signal
import socket
import subprocess
import time

import answers
import certs
from measure import SERVER_CORE, Failed

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WEIR = os.environ.get("WEIR", os.path.join(ROOT, "build", "weir"))
OTHER = os.environ.get("OTHER")  # another build of it, to be compared with
PEERS = ("nginx", "h2o", "lighttpd")
FLOORS = ("floor", "defer", "pread", "sendfile", "nghttp2")  # floor_h2.c, and how floor.c is asked to work
LOG_LINE = '127.0.0.1 - - [01/Jan/2024:00:00:00 +0000] "GET /index.html HTTP/1.1" 200 612 "-" "-" 0.000012\n'


@dataclasses.dataclass
class Server:
    """One that runs."""
    name: str
    pid: int
    port: int
    folder: str
    answer_bytes: int = 0  # of the row's answer, head and content


def free_port():
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fill(name, values, flags):
    """A peer's configuration: @WORDS@ are replaced, lines that begin with a flag (#log, #coded ...) are switched on."""
    with open(os.path.join(HERE, "peers", f"{name}.conf"), encoding="utf-8") as f:
        text = f.read()
    for flag in flags:
        text = re.sub(rf"#{flag} ", "", text)
    return re.sub(r"@([A-Z0-9]+)@", lambda match: str(values[match.group(1)]), text)


def descriptors():
    """How many a server may open: it inherits this limit, and some cannot count beyond it."""
    return min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def peer_command(name, port, place):
    """The command of nginx, h2o or lighttpd; its configuration is written first."""
    conf = os.path.join(place.folder, f"{name}.conf")
    log = os.path.join(place.folder, f"{name}.log")
    there = {"log": place.log, "coded": place.coded, "tls": place.work.tls, "plain": not place.work.tls, "h1": not place.work.streams,
             "root": os.geteuid() == 0}
    flags = [flag for flag, on in there.items() if on]
    cert, key = certs.make(place.folder, place.work.tls) if place.work.tls else ("", "")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(fill(name, {"PORT": port, "HTTP2": "http2" if place.work.streams else "", "ROOT": place.root, "DIR": place.folder, "LOG": log, "FDS": descriptors(), "CERT": cert, "KEY": key},
                     flags))
    return {"nginx": ["/usr/sbin/nginx", "-c", conf, "-e", os.path.join(place.folder, "nginx.err")],
            "h2o": ["/usr/bin/h2o", "-c", conf],
            "lighttpd": ["/usr/sbin/lighttpd", "-D", "-f", conf]}[name]


def nghttp2_command(name, port, place):
    """The bare loop of HTTP/2 sends what weir answers, field by field; weir must run already."""
    binary, content = os.path.join(place.folder, name), os.path.join(place.folder, f"{name}.content")
    if not os.path.exists(binary):
        subprocess.run(["gcc", "-O2", "-o", binary, os.path.join(HERE, "floor_h2.c"), "-lnghttp2"], check=True)
    head, body = answers.raw(place.weir.port, place.work)
    with open(content, "wb") as f:
        f.write(body)
    return [binary, str(port), content, *(line for line in head.decode().split("\r\n")[1:] if line)]


def floor_command(name, port, place):
    """The bare loop sends what weir answers, byte for byte; weir must run already."""
    binary, answer = os.path.join(place.folder, "floor"), os.path.join(place.folder, f"{name}.answer")
    if not os.path.exists(binary):
        subprocess.run(["gcc", "-O2", "-o", binary, os.path.join(HERE, "floor.c")], check=True)
    file = os.path.join(place.root, place.work.path.lstrip("/"))
    head, content = answers.raw(place.weir.port, place.work)
    with open(answer, "wb") as f:
        f.write(head if name in ("pread", "sendfile") else head + content)
    options = ["--close"] if place.work.close else []
    if name == "defer":
        options.append("--defer")
    if place.log:
        options += ["--log", os.path.join(place.folder, "floor.log"), LOG_LINE]
    if name in ("pread", "sendfile"):
        options += [f"--{name}", file]
    return [binary, str(port), answer, *options]


def weir_command(name, port, place):
    """As a user would start it, but for one worker."""
    log = os.path.join(place.folder, f"{name}.log") if place.log and name != "weir-quiet" else "off"
    listen = [f"127.0.0.1:{port}"]
    if place.work.tls:
        cert, key = certs.make(place.folder, place.work.tls)
        listen = [f"https://127.0.0.1:{port}", "--cert", cert, "--key", key, *(["--key-process"] if name == "weir-keys" else [])]
    return [OTHER if name == "other" else WEIR, "serve", place.root, "--listen", *listen, "--workers", "1", "--access-log", log]


def command(name, port, place):
    """How a server of this name is started."""
    if name in PEERS:
        return peer_command(name, port, place)
    if name == "nghttp2":
        return nghttp2_command(name, port, place)
    return (floor_command if name in FLOORS else weir_command)(name, port, place)


def wait_for(child, port, name):
    """Until it can be talked to."""
    for _ in range(1500):
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.02)
    child.kill()
    raise Failed(f"{name} did not start: {child.communicate()[1].decode()}")


@contextlib.contextmanager
def running(name, place, under=()):
    """A server for the time of the context; `under` goes before its command."""
    port = free_port()
    with subprocess.Popen(["taskset", "-c", str(SERVER_CORE), *under, *command(name, port, place)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=place.folder) as child:
        try:
            wait_for(child, port, name)
            yield Server(name, child.pid, port, place.folder)
        finally:
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            if child.poll() is None:
                child.kill()


def version(name):
    """What it calls itself, in a few words."""
    words = {"nginx": ["/usr/sbin/nginx", "-v"], "h2o": ["/usr/bin/h2o", "-v"], "lighttpd": ["/usr/sbin/lighttpd", "-v"],
             "weir": [WEIR, "--version"], "wrk": ["wrk", "-v"], "h2load": ["h2load", "--version"]}[name]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    return re.search(r"\d+(\.\d+)+[^\s(]*", run.stdout + run.stderr).group(0)
