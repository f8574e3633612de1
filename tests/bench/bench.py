#!/usr/bin/python3
"""Measures weir against nginx, h2o, lighttpd and bare epoll loops on the same work (`make bench`).

Each server has one worker on core 0, the load has core 1, all on the loopback address. Before a row is timed, content and
status of all answers are compared. Then come rounds in which each server is loaded in turn, in another order every time.
CPU is user and system time of the server's whole process tree. Ratios are taken round by round; brackets hold the interval
in which the median lies with 95 of 100 chances. A full run writes its figures and plots to docs/bench/, a partial one to
build/bench/. The program is build/weir, or what WEIR names.
"""
import argparse
import contextlib
import dataclasses
import os
import platform
import shutil
import sys
import tempfile
import time

import answers
import idle
import measure
import report
import rows
import servers


@dataclasses.dataclass
class Place:  # pylint: disable=too-many-instance-attributes
    """What the servers of one row have in common."""
    folder: str
    root: str
    work: rows.Work
    coded: bool = False
    weir: servers.Server = None

    @property
    def log(self):
        """Are access logs on?"""
        return self.work.log


def say(text, end="\n"):
    """Progress, which is not part of the report."""
    print(text, end=end, file=sys.stderr, flush=True)


def own_work(server, work):
    """The row's work as this server needs it: a client sends the validator it was given."""
    if work.status != 304:
        return work
    return dataclasses.replace(work, headers={"If-None-Match": answers.validator(server.port, work)})


def start(stack, place, names):
    """weir first, since the floor sends what it answers. Gives {name: (server, work)}."""
    there = {}
    for name in sorted(names, key=lambda name: name != "weir"):
        server = stack.enter_context(servers.running(name, place))
        if name == "weir":
            place.work = own_work(server, place.work)
            place.coded = bool(place.work.list) and answers.codes_content(server.port, place.work, place.work.path)
            place.weir = server
        there[name] = (server, place.work if name in servers.FLOORS else own_work(server, place.work))
    return {name: there[name] for name in names}


def look(there, work, paths, options):
    """Compares answers and prints their fields side by side."""
    fields = {}
    for name, (server, own) in there.items():
        fields[name] = answers.compare([there["weir"][0], server], own, paths)[name] if work.status != 304 else \
            answers.compare([server], own, paths)[name]
    if options.fields:
        print(answers.side_by_side(fields), end="\n\n")


def run_round(there, number, options):
    """One run of each server; the order turns by one every round."""
    names = list(there)
    turn = number % len(names)
    runs = {}
    for name in names[turn:] + names[:turn]:
        server, own = there[name]
        runs[name] = measure.measure(server, own, options.seconds)
    return runs


def timed_row(place, names, paths, options, until):
    """All rounds of one row."""
    runs = {name: [] for name in names}
    with contextlib.ExitStack() as stack:
        there = start(stack, place, names)
        if place.work.list:
            place.work.note = "all code the content" if place.coded else "weir was started without content coding, so nobody codes"
        look(there, place.work, paths, options)
        run_round(there, 0, dataclasses.replace(options, seconds=1))  # warms caches
        for number in range(options.rounds):
            if time.monotonic() > until and number >= 3:
                say(" time is over", end="")
                break
            say(f" {number + 1}", end="")
            for name, run in run_round(there, number, options).items():
                runs[name].append(run)
    return runs


def idle_row(place, names, paths, options):
    """A fresh server for each of up to three rounds."""
    runs = {name: [] for name in names}
    for number in range(min(options.rounds, 3)):
        say(f" {number + 1}", end="")
        for name in names:
            with servers.running(name, place) as server:
                answers.compare([server], place.work, paths)
                runs[name].append(idle.measure(server, place.work))
    return runs


def run_row(work, place, options, until):
    """Measures one row: a report.Row."""
    names = ["weir", "other"] if options.pairs else work.servers(options.server or servers.PEERS)
    if options.pairs:
        work = dataclasses.replace(work, reach=(("other", 1.0),))
    paths = [work.path]
    place = dataclasses.replace(place, work=dataclasses.replace(work))
    if work.name == "files":
        place.work.list = os.path.join(place.folder, "list")
        paths = rows.write_files(place.root, place.work.list)
        place.work.path = paths[0]
    say(f"{work.name}:", end="")
    began = time.monotonic()
    runs = idle_row(place, names, paths, options) if work.idle else timed_row(place, names, paths, options, until)
    say(f"  ({time.monotonic() - began:.0f} s)")
    return report.Row(place.work, runs)


def about(options):
    """What the figures were made on."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as f:
        congestion = f.read().strip()
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(), "congestion": congestion, "rounds": options.rounds,
            "seconds": options.seconds, "versions": {name: servers.version(name) for name in ("weir", *servers.PEERS, "wrk", "h2load")}}


def write(folder, made, machine, pairs):
    """Runs and summaries as JSON lines, the table as text, the plots."""
    os.makedirs(folder, exist_ok=True)
    report.write_lines(os.path.join(folder, "runs.jsonl"),
                       ({"row": row.work.name, "server": name, "round": i + 1, **run}
                        for row in made for name, of in row.runs.items() for i, run in enumerate(of)))
    report.write_lines(os.path.join(folder, "summary.jsonl"), [machine, *(row.summary() for row in made)])
    with open(os.path.join(folder, "table.txt"), "w", encoding="utf-8") as f:
        f.write("\n\n".join("\n".join(row.lines()) for row in made) + "\n")
    if shutil.which("gnuplot") and not pairs:
        report.plot(folder, made)


@dataclasses.dataclass
class Options:  # pylint: disable=too-many-instance-attributes
    """As parsed."""
    rounds: int
    seconds: int
    only: list
    server: list
    fields: bool
    pairs: bool
    minutes: float
    out: str


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="of every row (9)")
    parser.add_argument("--seconds", type=int, default=1, help="of one run of one server (1)")
    parser.add_argument("--only", action="append", metavar="ROW", choices=[row.name for row in rows.ROWS],
                        help="this row; can be given several times: " + ", ".join(row.name for row in rows.ROWS))
    parser.add_argument("--server", action="append", metavar="NAME", choices=servers.PEERS,
                        help="this peer beside weir and the floor; can be given several times")
    parser.add_argument("--pairs", action="store_true", help="only weir and another build of it, named by OTHER")
    parser.add_argument("--quick", action="store_true", help="three rounds, to see that all is well")
    parser.add_argument("--no-fields", action="store_true", help="do not print the fields of the answers")
    parser.add_argument("--minutes", type=float, default=15, help="no new round is begun after this, but for three a row (15)")
    parser.add_argument("--out", metavar="DIR", help="where figures and plots go")
    args = parser.parse_args()
    part = args.only or args.server or args.pairs or args.quick or args.rounds < 9
    out = args.out or os.path.join(servers.ROOT, "build/bench" if part else "docs/bench")
    return Options(rounds=3 if args.quick else args.rounds, seconds=args.seconds, only=args.only, server=args.server, pairs=args.pairs,
                   fields=not args.no_fields, minutes=args.minutes, out=out)


def main():
    """The exit status: 0 when all rows were measured, whatever they say."""
    options = parse()
    if os.cpu_count() < 2:
        sys.exit("bench: two cores are needed, one for the server and one for the load")
    idle.raise_limit()
    os.sched_setaffinity(0, {measure.LOAD_CORE})
    machine, until, made = about(options), time.monotonic() + options.minutes * 60, []
    say(f"load average {os.getloadavg()[0]:.2f}: figures are best on a quiet machine")
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        os.chmod(folder, 0o755)
        root = os.path.join(folder, "root")
        os.mkdir(root)
        rows.write_small(root)
        time.sleep(0.1)  # files changed this lately are not kept by some servers
        for work in rows.ROWS:
            if not options.only or work.name in options.only:
                made.append(run_row(work, Place(folder, root, work), options, until))
                print("\n".join(made[-1].lines()), end="\n\n", flush=True)
    write(options.out, made, machine, options.pairs)
    busy = [run["others"] for row in made for of in row.runs.values() for run in of if "others" in run]
    if busy:
        print(f"TCP congestion control of the system: {machine['congestion']}")
        print(f"other programs had {sum(busy) / len(busy):.0%} of the CPUs meanwhile")
    print(f"figures and plots: {os.path.relpath(options.out)}")


if __name__ == "__main__":
    try:
        main()
    except measure.Failed as error:
        sys.exit(f"bench: {error}")
