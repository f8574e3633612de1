#!/usr/bin/python3
"""Places under too many clients: each model with few places gets four times as many persistent clients, and as many silent ones
before them. Nobody may be lost, and nobody may wait much longer than the idle deadline.

    tests/bench/places.py [--idle SECONDS] [--json]
"""
import argparse
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

from servers import WEIR

MODELS = ["sequential", "fork-wait", "fork", "thread", "pool", "prefork", "event"]
REQUEST = b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def weir(root, *options):
    """A server on a port of its own; gives the port."""
    words = [WEIR, "serve", root, "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        try:
            line = child.stderr.readline()
            match = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if not match:
                sys.exit(f"weir did not start: {line}{child.stderr.read()}")
            yield int(match.group(1))
        finally:
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(15)
            child.kill()


def connect_unix(path):
    """A client of a Unix socket."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s


def crowd(connect, places, idle):
    """Four times more clients than places, all persistent and never closed, and as many silent ones before them."""
    count = 4 * places
    silent = [connect() for _ in range(count)]
    clients = []
    for _ in range(count):
        s = connect()
        s.setblocking(False)
        clients.append(s)
    start = time.monotonic()
    for s in clients:
        s.sendall(REQUEST)
    waiting, worst, got = set(clients), 0.0, {s: b"" for s in clients}
    while waiting and time.monotonic() - start < idle + 10:
        for s in select.select(list(waiting), [], [], 1)[0]:
            try:
                piece = s.recv(65536)
            except ConnectionError:
                piece = b""
            got[s] += piece
            if got[s].count(b"x") >= 612:
                worst = time.monotonic() - start
                waiting.discard(s)
            elif not piece:
                waiting.discard(s)
                got[s] = b"lost"
    lost = sum(1 for s in clients if got[s] == b"lost") + len(waiting)
    for s in silent + clients:
        s.close()
    return count, lost, worst


def bench(args):
    """A line for each model."""
    result = []
    options = {"sequential": (1, []), "fork-wait": (1, []), "fork": (8, ["--max-connections", "8"]),
               "thread": (8, ["--max-connections", "8"]), "pool": (8, ["--workers", "8"]),
               "prefork": (8, ["--workers", "8"]), "event": (8, ["--workers", "1", "--max-connections", "8"])}
    print(f"idle deadline {args.idle} s; a row is good when nobody is lost and the last answer comes before {args.idle + 1} s")
    print("tcp: the kernel holds silent clients back for a while (TCP_DEFER_ACCEPT); unix: all of them are accepted")
    print(f"{'model':11} {'places':>6} {'clients':>8} {'silent':>7} {'lost':>5} {'last answer: tcp':>17} {'unix':>8}")
    with tempfile.TemporaryDirectory() as root:
        with open(os.path.join(root, "index.html"), "w") as f:
            f.write("x" * 612)
        for model in MODELS:
            places, more = options[model]
            path = os.path.join(root, f"{model}.sock")
            with weir(root, "--listen", f"unix:{path}", "--model", model, "--idle-timeout", str(args.idle), *more) as port:
                count, lost, worst = crowd(lambda: socket.create_connection(("127.0.0.1", port), timeout=30), places, args.idle)
                _, lost_unix, worst_unix = crowd(lambda: connect_unix(path), places, args.idle)
            print(f"{model:11} {places:6} {count:8} {count:7} {lost + lost_unix:5} {worst:15.3f} s {worst_unix:6.3f} s", flush=True)
            result.append({"model": model, "places": places, "clients": count, "lost": lost + lost_unix, "last_answer_s": worst,
                           "last_answer_unix_s": worst_unix})
    return {"bench": "places", "idle_s": args.idle, "rows": result}


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle", type=int, default=5, help="seconds of --idle-timeout (5)")
    parser.add_argument("--json", action="store_true", help="a JSON line too")
    args = parser.parse_args()
    result = bench(args)
    if args.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
