#!/usr/bin/python3
"""What a whole server does for one request or handshake of a row, counted instead of timed: instructions in user space by function
(valgrind's callgrind), and with --calls system calls (strace). Such figures do not depend on how busy a machine is. Each is a longer
run of the row's load less a shorter one, so that start and end do not count.

    tests/bench/counted.py ROW [--server NAME]... [--calls] [--top N]
"""
import argparse
import collections
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

import bench
import certs
import measure
import rows
import servers

SECONDS = (2, 6)


def load(server, work, seconds):
    """How many were answered. Handshakes are few at a time, for they take long here."""
    if not work.shakes:
        return measure.load(server, work, seconds)["requests"]
    options = ["--at-once", "2", *(["--resume"] if work.shakes == "resumed" else [])]
    made = certs.shake(server.folder, server.port, seconds, *options)
    return made["resumed" if work.shakes == "resumed" else "full"]


def run(name, work, seconds, under):
    """One server under `under` for one load: how many were answered, those of the warm-up too, for they are counted with the others."""
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        os.chmod(folder, 0o755)
        root = os.path.join(folder, "root")
        os.mkdir(root)
        rows.write_small(root)
        place = bench.Place(folder, root, work)
        with bench.contextlib.ExitStack() as stack:
            if name in servers.FLOORS:
                place.weir = stack.enter_context(servers.running("weir", place))
            server = stack.enter_context(servers.running(name, place, under))
            return load(server, work, 1) + load(server, work, seconds)


def instructions(name, work, seconds, folder):
    """({(function, object): instructions}, requests)."""
    out, total = os.path.join(folder, "callgrind"), collections.Counter()
    for old in glob.glob(out + ".*"):
        os.remove(old)
    known = os.path.join(folder, "openat2.so")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", known, os.path.join(servers.HERE, "openat2.c")], check=True)
    under = ["env", f"LD_PRELOAD={known}", "valgrind", "-q", "--tool=callgrind", "--trace-children=yes", "--dump-instr=no", f"--callgrind-out-file={out}.%p"]
    count = run(name, work, seconds, under)
    for path in glob.glob(out + ".*"):
        said = subprocess.run(["callgrind_annotate", "--threshold=100", path], capture_output=True, text=True, check=False).stdout
        for line in said.splitlines():
            found = re.match(r"\s*([\d,]+) (?:\([^)]*\))?\s+[^:]*:(\S+).*?(?:\[(.*)\])?$", line)
            if found:
                total[found.group(2).split("'")[0], os.path.basename(found.group(3) or "")] += int(found.group(1).replace(",", ""))
    return total, count


def calls(name, work, seconds, folder):
    """({(system call, ""): times}, requests)."""
    out, total = os.path.join(folder, "strace"), collections.Counter()
    count = run(name, work, seconds, ["strace", "-D", "-f", "-qq", "-c", "-U", "name,calls", "-o", out])
    while not os.path.exists(out) or os.path.getsize(out) == 0:
        time.sleep(0.1)
    time.sleep(0.3)
    with open(out, encoding="ascii") as f:
        for line in f:
            found = re.match(r"(\w+)\s+(\d+)$", line.strip())
            if found and found.group(1) != "total":
                total[found.group(1), ""] += int(found.group(2))
    return total, count


def each(counted, name, work):
    """{what: times for one request}."""
    with tempfile.TemporaryDirectory(prefix="weir-counted-") as folder:
        short, few = counted(name, work, SECONDS[0], folder)
        long, many = counted(name, work, SECONDS[1], folder)
    if many <= few:
        sys.exit(f"counted: {name}: {few} and {many} answers: the machine is too busy")
    return {what: (long[what] - short[what]) / (many - few) for what in long}


def main():
    """Prints a table a server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", choices=[row.name for row in rows.ROWS])
    parser.add_argument("--server", action="append", help="weir, nginx ...: can be given several times (weir)")
    parser.add_argument("--calls", action="store_true", help="system calls")
    parser.add_argument("--top", type=int, default=40, help="lines a server (40)")
    options = parser.parse_args()
    work = next(row for row in rows.ROWS if row.name == options.row)
    work.each = 2000
    os.sched_setaffinity(0, {measure.LOAD_CORE})
    for name in options.server or ["weir"]:
        found = each(calls if options.calls else instructions, name, work)
        objects = collections.Counter()
        for (_, where), times in found.items():
            objects[where] += times
        print(f"{name}: {sum(found.values()):.2f} each" + "".join(f", {where or '?'} {n:.0f}" for where, n in objects.most_common(8)))
        for (what, where), times in sorted(found.items(), key=lambda item: -item[1])[:options.top]:
            print(f"  {times:10.2f}  {what}  {where}")


if __name__ == "__main__":
    main()
