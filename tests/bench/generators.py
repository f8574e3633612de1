#!/usr/bin/python3
"""Compares the load that `weir load` and wrk put on the same server at equal settings: requests a second, p50, and what each
generator costs itself in CPU time a request. One server with one worker on core 0, the generators in turn on core 1. Where a
generator is cheaper than the server both see the same; against a faster server wrk is what bounds the figures. Ratios are taken
round by round; brackets hold the interval in which the median lies with 95 of 100 chances.

    tests/bench/generators.py [--server weir|nginx|h2o|lighttpd] [--rounds N] [--seconds N]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile

import bench
import measure
import report
import rows
import servers

UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def timed(words, seconds):
    """Its standard output and its CPU time in seconds."""
    before = os.times()
    run = subprocess.run(["taskset", "-c", str(measure.LOAD_CORE), *words], capture_output=True, text=True, timeout=seconds + 30, check=True)
    after = os.times()
    return run.stdout, after.children_user - before.children_user + after.children_system - before.children_system


def by_wrk(url, connections, seconds):
    """One run of wrk."""
    out, cpu = timed(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url], seconds)
    p50, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    return {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), "p50_us": float(p50) * UNITS[unit], "cpu_us": cpu / requests * 1e6}


def by_weir(url, connections, seconds):
    """One run of weir load."""
    out, cpu = timed([servers.WEIR, "load", "--json", "-q", "-t", "1", "-c", str(connections), "-d", str(seconds), url], seconds)
    run = json.loads(out)
    return {"per_s": run["per_second"], "p50_us": run["latency_us"]["p50"], "cpu_us": cpu / run["requests"] * 1e6}


def compare(url, connections, options):
    """The lines for this number of connections."""
    runs = {"wrk": [], "weir": []}
    for number in range(options.rounds):
        for name, run in (("wrk", by_wrk), ("weir", by_weir))[::1 if number % 2 else -1]:
            runs[name].append(run(url, connections, options.seconds))
    yield f"{connections} connections, {options.rounds} rounds of {options.seconds} s"
    for key, title in (("per_s", "requests a second"), ("p50_us", "p50, µs"), ("cpu_us", "generator's CPU µs a request")):
        ratios = report.ratios(runs["weir"], runs["wrk"], key)
        low, high = report.interval(ratios)
        yield (f"  {title:30} wrk {report.median(runs['wrk'], key):11.2f}  weir load {report.median(runs['weir'], key):11.2f}"
               f"  ratio {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}]")


def main():
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--server", choices=("weir", *servers.PEERS), default="weir")
    parser.add_argument("--connections", type=int, action="append", help="can be given several times (1, 64, 512)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        os.chmod(folder, 0o755)
        root = os.path.join(folder, "root")
        os.mkdir(root)
        rows.write_small(root)
        with servers.running(options.server, bench.Place(folder, root, rows.ROWS[0])) as server:
            print(f"server: {options.server}")
            for connections in options.connections or (1, 64, 512):
                print("\n".join(compare(f"http://127.0.0.1:{server.port}/index.html", connections, options)), flush=True)


if __name__ == "__main__":
    main()
