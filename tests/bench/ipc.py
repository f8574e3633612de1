#!/usr/bin/python3
"""Measures streams between two processes of one machine (`make bench-ipc`): the library against the bare system calls with the
same buffers, and against nng and ZeroMQ.

A row is one kind of stream, one kind of talk, one size. Its contenders run in turn, in another order every round, for a few
hundredths of a second each, in two processes on two cores or on one. A ratio is that of the medians over all rounds; its
interval is a bootstrap over the rounds, with 95 of 100 chances. A row is reached when the worse end of the interval is. A full
run writes figures and plots to docs/bench/ipc/, a partial one to build/bench/ipc/.
"""
import argparse
import dataclasses
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIBRARY = os.environ.get("WEIR_LIBRARY", os.path.join(ROOT, "build", "src", "lib"))  # the folder of libweir.so
PROGRAMS = {"bare": [], "weir": [f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lweir"], "nng": ["-lnng"], "zmq": ["-lzmq"]}
SIZES = {64: "64 B", 4096: "4 KiB", 65536: "64 KiB", 1048576: "1 MiB"}
ROUNDS = 30  # a ratio from fewer says little


@dataclasses.dataclass(frozen=True)
class Reach:
    """What weir must reach: at least or at most so many times another, or so many microseconds."""
    against: str  # "": itself, in the row's unit
    bound: float


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table."""
    transport: str
    talk: str  # one-way, framed, round-trip
    bytes: int
    wait: str
    cores: str
    contenders: tuple
    reach: tuple

    @property
    def trips(self):
        """Are smaller figures better?"""
        return self.talk == "round-trip"

    @property
    def key(self):
        """Of what a contender printed."""
        return "us" if self.trips else "per_s"

    @property
    def name(self):
        """For --only, and in JSON."""
        wait = f"-{self.wait}" if self.trips else ""
        return f"{self.transport}-{self.talk}-{self.bytes}-{self.cores}{wait}"

    @property
    def title(self):
        """For people."""
        wait = f", {'spinning' if self.wait == 'spin' else 'sleeping'}" if self.trips and self.transport != "shm" else ""
        return f"{self.transport} {self.talk} {SIZES[self.bytes]}, {'one core' if self.cores == 'same' else 'two cores'}{wait}"

    def arguments(self, contender, folder, seconds):
        """Of its program. The others frame every message, and never spin."""
        talk = "one-way" if self.talk == "framed" and contender in ("nng", "zmq") else self.talk
        return [self.transport, str(self.bytes), talk, self.wait, self.cores, str(seconds), os.path.join(folder, "socket")]


def one_way(cores):
    """Every kind of stream, every size."""
    for transport in ("pipe", "unix", "tcp", "shm"):
        for size in SIZES:
            others = ("nng", "zmq") if transport == "unix" else ()
            reach = (Reach("bare", 0.95),)
            if transport == "shm":
                reach = (Reach("bare", 0.9),) if size == 65536 else ()
            yield Row(transport, "one-way", size, "sleep", cores, ("bare", "weir", *others), reach)


def round_trips(cores):
    """There and back."""
    for transport, bound in (("pipe", 1 / 0.95), ("unix", 1.1), ("tcp", 1 / 0.95)):
        for wait in ("sleep", "spin"):
            others = ("nng", "zmq") if transport == "unix" and wait == "sleep" else ()
            yield Row(transport, "round-trip", 64, wait, cores, ("bare", "weir", *others), (Reach("bare", bound),))
    yield Row("shm", "round-trip", 64, "spin", cores, ("bare", "weir"), (Reach("", 0.25 if cores == "across" else 7),))


def all_rows():
    """The whole table."""
    for cores in ("across", "same"):
        yield Row("unix", "framed", 64, "sleep", cores, ("bare", "weir", "nng", "zmq"), (Reach("bare", 0.8), Reach("zmq", 10)))
        yield from one_way(cores)
        yield from round_trips(cores)


def build(folder, names):
    """A program a contender."""
    for name in names:
        subprocess.run(["gcc", "-O2", f"-I{ROOT}/include", "-o", os.path.join(folder, f"ipc_{name}"), f"{HERE}/ipc_{name}.c",
                        f"{HERE}/ipc_main.c", *PROGRAMS[name]], check=True)


def run_once(row, contender, folder, seconds):
    """One run of one contender; None when it failed."""
    arguments = row.arguments(contender, folder, seconds)
    try:
        done = subprocess.run([os.path.join(folder, f"ipc_{contender}"), *arguments], capture_output=True, text=True, timeout=20,
                              check=False)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if os.path.exists(arguments[-1]):
            os.unlink(arguments[-1])
    return json.loads(done.stdout) if done.returncode == 0 else None


def run_row(row, folder, options):
    """{contender: [run a round]}, for rounds in which all of them ran."""
    runs = {name: [] for name in row.contenders}
    for number in range(options.rounds):
        turn = number % len(row.contenders)
        order = row.contenders[turn:] + row.contenders[:turn]
        got = {name: run_once(row, name, folder, options.seconds) for name in order}
        if all(got.values()):
            for name, run in got.items():
                runs[name].append(run)
    return runs


def ratio(of, to):
    """Of the medians, with its interval."""
    rng = random.Random(95)
    pairs = list(zip(of, to))

    def middle(some):
        return statistics.median(a for a, _ in some) / statistics.median(b for _, b in some)

    many = sorted(middle(rng.choices(pairs, k=len(pairs))) for _ in range(2000))
    return middle(pairs), many[50], many[1949]


class Result:
    """A row and its runs."""

    def __init__(self, row, runs):
        self.row, self.runs = row, runs
        self.rounds = min(map(len, runs.values()))

    def values(self, name, key=None):
        """Of all rounds."""
        return [run[key or self.row.key] for run in self.runs[name]]

    def cpu(self):
        """CPU time a message, weir's and the bare calls': (ratio, low, high)."""
        return ratio(self.values("weir", "cpu_us"), self.values("bare", "cpu_us"))

    def median(self, name):
        """Over the rounds; None: it never ran."""
        return statistics.median(self.values(name)) if self.rounds else None

    def verdicts(self):
        """(text, middle, low, high, bound, reached)"""
        for reach in self.row.reach if self.rounds else ():
            other = self.values(reach.against) if reach.against else [1] * self.rounds
            middle, low, high = ratio(self.values("weir"), other)
            text = f"weir / {reach.against}" if reach.against else "weir, µs"
            reached = high <= reach.bound if self.row.trips else low >= reach.bound
            yield text, middle, low, high, reach.bound, reached

    def figure(self, name):
        """Of one contender, in words."""
        middle = self.median(name)
        if middle is None:
            return "-"
        if self.row.trips:
            return f"{middle:.2f} µs"
        return f"{middle / 1e6:.2f} M/s" if self.row.bytes < 4096 else f"{middle * self.row.bytes / 1e9:.2f} GB/s"

    def lines(self):
        """Of the table."""
        cells = "   ".join(f"{name} {self.figure(name)}" for name in self.row.contenders)
        yield f"{self.row.title:45} {cells}"
        for text, middle, low, high, bound, reached in self.verdicts():
            limit = "at most" if self.row.trips else "at least"
            yield (f"{'':45} {text} {middle:.3f} [{low:.3f}, {high:.3f}], {limit} {bound:.3g}: "
                   f"{'reached' if reached else 'NOT reached'}")
        if self.rounds:
            yield "{:45} CPU a message, weir / bare {:.3f} [{:.3f}, {:.3f}]".format("", *self.cpu())

    def summary(self):
        """One JSON object."""
        return {"row": self.row.name, "rounds": self.rounds, "unit": self.row.key,
                "median": {name: self.median(name) for name in self.row.contenders},
                "cpu": dict(zip(("ratio", "low", "high"), self.cpu())) if self.rounds else None,
                "reach": [dict(zip(("what", "ratio", "low", "high", "bound", "reached"), verdict)) for verdict in self.verdicts()]}


def write_lines(path, objects):
    """JSON lines."""
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(item, sort_keys=True) + "\n" for item in objects)


def bars(results, scale):
    """A line a result for gnuplot: its label and a column a contender."""
    for label, result in results:
        cells = [result.median(name) if name in result.runs else None for name in PROGRAMS]
        yield label + " " + " ".join(f"{cell * scale(result.row):.5g}" if cell else "?" for cell in cells)


def plot(folder, results):
    """ipc.svg: what matters most; throughput.svg: all sizes. Two cores."""
    there = {result.row.name: result for result in results if result.rounds}
    trips = [(label, f"{name}-round-trip-64-across-{wait}") for label, name, wait in
             (('"unix\\nsleeping"', "unix", "sleep"), ('"unix\\nspinning"', "unix", "spin"), ('"shared\\nmemory"', "shm", "spin"))]
    small = [('"Unix socket"', "unix-framed-64-across")]
    sizes = [(f'"{transport}\\n{SIZES[size]}"', f"{transport}-one-way-{size}-across")
             for transport in ("pipe", "unix", "tcp", "shm") for size in SIZES]
    if not all(name in there for _, name in trips + small + sizes):
        return
    with tempfile.TemporaryDirectory() as data:
        for name, rows, scale in (("small", small, lambda row: 1e-6), ("trips", trips, lambda row: 1),
                                  ("sizes", sizes, lambda row: row.bytes / 1e9)):
            with open(os.path.join(data, name), "w", encoding="utf-8") as f:
                print("row", '"bare calls"', "weir", "nng", "ZeroMQ", file=f)
                for line in bars([(label, there[key]) for label, key in rows], scale):
                    print(line, file=f)
        subprocess.run(["gnuplot", "-e", f"folder='{folder}'; data='{data}'", os.path.join(HERE, "ipc.gp")], check=True)


def look_around():
    """What a reader of the figures wants to know."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    return f"{time.strftime('%Y-%m-%d')}, Linux {platform.release().split('-')[0]}, {os.cpu_count()} × {model}"


def main():
    """Rows, runs, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--only", metavar="WORD", help="rows whose name has it in it (unix-round-trip, framed, shm, 65536 ...)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each contender in a row ({ROUNDS})")
    parser.add_argument("--seconds", type=float, default=0.04, help="of each run (0.04)")
    parser.add_argument("--list", action="store_true", help="names of the rows")
    options = parser.parse_args()
    rows = [row for row in all_rows() if not options.only or options.only in row.name]
    if options.list:
        print("\n".join(row.name for row in rows))
        return 0
    if os.cpu_count() < 2:
        print("two cores are needed", file=sys.stderr)
        return 1
    full = not options.only and options.rounds >= ROUNDS
    target = os.path.join(ROOT, "docs", "bench", "ipc") if full else os.path.join(ROOT, "build", "bench", "ipc")
    os.makedirs(target, exist_ok=True)
    results, text = [], [f"{look_around()}; {options.rounds} rounds a row, {options.seconds} s each run\n"]
    with tempfile.TemporaryDirectory(prefix="weir-ipc-") as folder:
        build(folder, {name for row in rows for name in row.contenders})
        for row in rows:
            results.append(Result(row, run_row(row, folder, options)))
            text += results[-1].lines()
            print("\n".join(results[-1].lines()), flush=True)
    write_lines(os.path.join(target, "runs.jsonl"), ({"row": result.row.name, "by": name, **run} for result in results
                                                     for name, runs in result.runs.items() for run in runs))
    write_lines(os.path.join(target, "summary.jsonl"), (result.summary() for result in results))
    with open(os.path.join(target, "table.txt"), "w", encoding="utf-8") as f:
        print("\n".join(text), file=f)
    plot(target, results)
    missed = [verdict for result in results for verdict in result.verdicts() if not verdict[-1]]
    print(f"\n{sum(1 for result in results for _ in result.verdicts()) - len(missed)} bounds reached, {len(missed)} not; see {target}")
    return 0 if all(result.rounds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
