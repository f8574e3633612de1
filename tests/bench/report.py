"""Figures into words: medians, ratios with their intervals, the table, JSON lines, plots."""
import json
import os
import random
import statistics
import subprocess
import tempfile

from servers import FLOORS, PEERS

HERE = os.path.dirname(os.path.abspath(__file__))


def median(runs, key):
    """The median over the rounds."""
    return statistics.median(run[key] for run in runs)


def interval(values, times=4000):
    """Where the median lies, with 95 of 100 chances: bootstrap over the rounds, with a fixed seed."""
    rng = random.Random(95)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(times))
    return medians[int(times * 0.025)], medians[int(times * 0.975) - 1]


def ratios(of, to, key):
    """Round by round, so that a drift of the machine hits both."""
    return [a[key] / b[key] for a, b in zip(of, to)]


class Row:
    """The runs of one row: {server: [run, ...]}."""

    def __init__(self, work, runs):
        self.work, self.runs = work, {name: of for name, of in runs.items() if of}
        self.key = "bytes_each" if work.idle else "cpu_us"
        self.floor = self._least(FLOORS)
        self.peer = self._least(PEERS)

    def _least(self, names):
        there = [name for name in names if name in self.runs]
        return min(there, key=lambda name: median(self.runs[name], self.key)) if there else None

    def verdicts(self):
        """What weir must reach in this row: (text, median, low, high, bound, reached)."""
        for against, bound in self.work.reach:
            who, _, against = against.rpartition(" / ")
            who, name = who or "weir", self.peer if against == "best" else against
            if against == "bytes" and "weir" in self.runs:
                values, text = [run["bytes_each"] for run in self.runs["weir"]], "bytes a connection"
            elif name in self.runs and who in self.runs:
                values = ratios(self.runs[who], self.runs[name], self.key)
                text = f"{who} / {name}" + (" (the best peer)" if against == "best" else "")
            else:
                continue
            middle = statistics.median(values)
            yield (text, middle, *interval(values), bound, middle <= bound)

    def lines(self):
        """The table of this row."""
        unit = "bytes each" if self.work.idle else "CPU µs"
        yield f"{self.work.title}  ({self.work.name}, {max(map(len, self.runs.values()))} rounds)"
        yield (f"  {'':10} {unit:>10} {'× floor':>8} {'× best':>7}"
               + ("" if self.work.idle else f" {'requests/s':>11} {'p50 µs':>8} {'p99 µs':>8} {'p99.9 µs':>9}") + f" {'memory':>10}")
        for name, of in self.runs.items():
            cells = [f"{median(of, self.key):10.{0 if self.work.idle else 2}f}"]
            for other, width in ((self.floor, 8), (self.peer, 7)):
                ratio = statistics.median(ratios(of, self.runs[other], self.key)) if other else None
                cells.append(f"{ratio:{width}.3f}" if other else " " * (width - 1) + "-")
            if not self.work.idle:
                cells.append(f"{median(of, 'per_s'):11.0f}")
                cells += [f"{median(of, key):{width}.0f}" if median(of, key) else "-".rjust(width)
                          for key, width in (("p50_us", 8), ("p99_us", 8), ("p999_us", 9))]
            yield f"  {name:10} {' '.join(cells)} {max(run['memory'] for run in of) / 1024:6.0f} KiB"
        for text, middle, low, high, bound, reached in self.verdicts():
            yield (f"  {text}: {middle:.3f} [{low:.3f}, {high:.3f}], must be at most {bound:.4g}: "
                   f"{'reached' if reached else 'NOT reached'}")
        if self.work.note:
            yield f"  {self.work.note}"

    def summary(self):
        """One JSON object."""
        return {"row": self.work.name, "title": self.work.title, "unit": self.key, "floor": self.floor, "best_peer": self.peer,
                "rounds": max(map(len, self.runs.values())), "note": self.work.note,
                "median": {name: {key: median(of, key) for key in of[0]} for name, of in self.runs.items()},
                "reach": [{"what": text, "median": middle, "low": low, "high": high, "bound": bound, "reached": reached}
                          for text, middle, low, high, bound, reached in self.verdicts()]}


def write_lines(path, objects):
    """JSON lines."""
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(item, sort_keys=True) + "\n" for item in objects)


def _write_data(path, rows, key, to=None):
    """A line a row for gnuplot; with `to`, as ratios to that server."""
    names = ("floor", "weir", *PEERS)
    with open(path, "w", encoding="utf-8") as f:
        print("row", *names, file=f)
        for row in rows:
            runs = {**row.runs, "floor": row.runs.get(row.floor, [])}
            base = median(runs[to], key) if to and runs.get(to) else 1
            print(row.work.name, *(f"{median(runs[name], key) / base:.4g}" if runs.get(name) else "?" for name in names), file=f)


def plot(folder, rows):
    """cpu.svg, latency.svg and idle.svg, by gnuplot."""
    timed, idle = [row for row in rows if not row.work.idle and not row.work.shakes], [row for row in rows if row.work.idle]
    with tempfile.TemporaryDirectory() as data:
        slow = [row for row in timed if median(row.runs["weir"], "p99_us")]
        names = f"folder='{folder}'; data='{data}'; latency={len(slow)}"
        if timed:
            _write_data(os.path.join(data, "cpu"), timed, "cpu_us", "nginx")
            _write_data(os.path.join(data, "latency"), slow, "p99_us")
            subprocess.run(["gnuplot", "-e", names, os.path.join(HERE, "timed.gp")], check=True)
        if idle:
            _write_data(os.path.join(data, "idle"), idle, "bytes_each")
            subprocess.run(["gnuplot", "-e", names, os.path.join(HERE, "idle.gp")], check=True)
