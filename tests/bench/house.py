#!/usr/bin/python3
"""The first figures: CPU a request against a bare epoll loop, idle connections, and places under too many clients.

    tests/bench/house.py cpu    [--rounds 9] [--seconds 3]
    tests/bench/house.py idle   [--connections 10000]
    tests/bench/house.py places

Prints a table, and JSON lines with --json. The server has core 0 and the load (wrk, or this script) core 1; rounds
alternate, and ratios are taken round by round, so that a drift of the machine hits both. Only loopback is used.
"""
import argparse
import contextlib
import json
import os
import re
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.environ.get("WEIR", os.path.join(ROOT, "build", "weir"))
MODELS = ["sequential", "fork-wait", "fork", "thread", "pool", "prefork", "event"]


def tree(pid):
    """A process and all its descendants."""
    pids = [pid]
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                for child in f.read().split():
                    pids += tree(int(child))
    return pids


def cpu_ns(pid):
    """Time on a CPU of a process tree, from the scheduler's own nanoseconds, all threads."""
    total = 0
    for p in tree(pid):
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{task}/schedstat") as f:
                    total += int(f.read().split()[0])
    return total


def pss_bytes(pid):
    total = 0
    for p in tree(pid):
        with contextlib.suppress(OSError):
            with open(f"/proc/{p}/smaps_rollup") as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1)) * 1024
    return total


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def process(command, cpu=None):
    pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
    child = subprocess.Popen(pin + command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(15)
        if child.poll() is None:
            child.kill()
            child.wait()


@contextlib.contextmanager
def weir(root, *options, cpu=None):
    with process([WEIR, "serve", root, "--listen", "127.0.0.1:0", "--access-log", "off", *options], cpu) as child:
        line = child.stderr.readline()
        match = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if not match:
            sys.exit(f"weir did not start: {line}{child.stderr.read()}")
        yield child.pid, int(match.group(1))


@contextlib.contextmanager
def floor(cpu):
    binary = os.path.join(tempfile.gettempdir(), f"weir-floor-{os.getpid()}")
    subprocess.run(["gcc", "-O2", "-o", binary, os.path.join(ROOT, "tests/bench/floor.c")], check=True)
    port = free_port()
    with process([binary, str(port), "612"], cpu) as child:
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
        yield child.pid, port
    os.unlink(binary)


def load(port, connections, seconds, path="/index.html"):
    """Runs wrk; returns requests done."""
    text = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                           f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(text)
    return int(re.search(r"(\d+) requests in", text).group(1))


def per_request(pid, port, args):
    before = cpu_ns(pid)
    requests = load(port, args.connections, args.seconds)
    return (cpu_ns(pid) - before) / requests / 1000, requests / args.seconds


def bench_cpu(args):
    rows = {"floor": [], "weir": []}
    with tempfile.TemporaryDirectory() as root:
        with open(os.path.join(root, "index.html"), "w") as f:
            f.write("x" * 612)
        with floor(0) as (floor_pid, floor_port), weir(root, "--model", "event", "--workers", "1", cpu=0) as (pid, port):
            load(floor_port, args.connections, 1)
            load(port, args.connections, 1)
            for _ in range(args.rounds):
                rows["floor"].append(per_request(floor_pid, floor_port, args))
                rows["weir"].append(per_request(pid, port, args))
    ratios = sorted(w[0] / f[0] for w, f in zip(rows["weir"], rows["floor"]))
    for name, values in rows.items():
        print(f"{name:6} {statistics.median(v[0] for v in values):6.2f} µs CPU a request  {statistics.median(v[1] for v in values):9.0f} requests/s")
    print(f"ratio  {statistics.median(ratios):6.3f}  (min {ratios[0]:.3f}, max {ratios[-1]:.3f}, {args.rounds} rounds of {args.seconds} s, {args.connections} connections)")
    return {"bench": "cpu", "ratio": statistics.median(ratios), "ratios": ratios, "rows": rows}


REQUEST = b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n"


def get(sock, timeout=30):
    """One request on a persistent connection; the seconds it took. The answer must be whole."""
    sock.settimeout(timeout)
    start = time.monotonic()
    sock.sendall(REQUEST)
    data = b""
    while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 4 + 612:
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionError("closed before the answer")
        data += piece
    assert data.startswith(b"HTTP/1.1 200"), data[:80]
    return time.monotonic() - start


def raise_limit(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(n, soft), max(n, hard)))


def bench_idle(args):
    raise_limit(args.connections + 1000)
    with tempfile.TemporaryDirectory() as root:
        with open(os.path.join(root, "index.html"), "w") as f:
            f.write("x" * 612)
        with weir(root, "--model", "event", "--workers", "1", "--idle-timeout", "600", "--max-connections", str(args.connections + 100)) as (pid, port):
            warm = socket.create_connection(("127.0.0.1", port))
            get(warm)
            before = pss_bytes(pid)
            socks = []
            for _ in range(args.connections):
                s = socket.create_connection(("127.0.0.1", port), timeout=30)
                get(s)
                socks.append(s)
            each = (pss_bytes(pid) - before) / args.connections
            start = time.monotonic()
            worst = max(get(s) for s in socks)
            print(f"{args.connections} idle connections held, {each:.0f} bytes (Pss) each; all answered again in "
                  f"{time.monotonic() - start:.2f} s, the slowest in {worst * 1000:.1f} ms")
            for s in socks:
                s.close()
    return {"bench": "idle", "connections": args.connections, "bytes_each": each, "worst_ms": worst * 1000}


def connect_unix(path):
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


def bench_places(args):
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
            with weir(root, "--listen", f"unix:{path}", "--model", model, "--idle-timeout", str(args.idle), *more) as (_, port):
                count, lost, worst = crowd(lambda: socket.create_connection(("127.0.0.1", port), timeout=30), places, args.idle)
                _, lost_unix, worst_unix = crowd(lambda: connect_unix(path), places, args.idle)
            print(f"{model:11} {places:6} {count:8} {count:7} {lost + lost_unix:5} {worst:15.3f} s {worst_unix:6.3f} s", flush=True)
            result.append({"model": model, "places": places, "clients": count, "lost": lost + lost_unix, "last_answer_s": worst,
                           "last_answer_unix_s": worst_unix})
    return {"bench": "places", "idle_s": args.idle, "rows": result}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cpu", "idle", "places"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int)
    parser.add_argument("--idle", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="a JSON line too")
    args = parser.parse_args()
    args.connections = args.connections or {"cpu": 64, "idle": 10000, "places": 0}[args.what]
    result = {"cpu": bench_cpu, "idle": bench_idle, "places": bench_places}[args.what](args)
    if args.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
