#!/usr/bin/python3
"""What the meter of `weir pipe` costs: the same stages joined by a shell, by weir, and by weir with its meter, in interleaved
rounds. One JSON line a case: median seconds and CPU seconds of all processes, and medians of each round's ratio to weir without a
meter. Usage: pipe.py [--rounds N] [WEIR]"""

import argparse
import json
import resource
import statistics
import subprocess
import time

STAGES = ["head -c 1G /dev/zero", "cat"]


def cases(weir):
    yield "shell", ["sh", "-c", " | ".join(STAGES)]
    for name, options in [("never", []), ("bytes", ["--bytes"]), ("lines", [])]:
        meter = "never" if name == "never" else "count"
        yield name, [weir, "pipe", "--quiet", "--meter", meter, *options, "--", *STAGES]


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(words):
    cpu, began = cpu_of_children(), time.monotonic()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began, cpu_of_children() - cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("weir", nargs="?", default="build/weir")
    given = parser.parse_args()
    runs = {name: [] for name, _ in cases(given.weir)}
    for number in range(given.rounds):
        order = list(cases(given.weir))
        for name, words in order if number % 2 else reversed(order):
            runs[name].append(measure(words))
    for name, measured in runs.items():
        row = {"case": name, "rounds": given.rounds}
        for place, what in enumerate(["seconds", "cpu_seconds"]):
            row[what] = round(statistics.median(run[place] for run in measured), 4)
            ratios = [run[place] / base[place] for run, base in zip(measured, runs["never"])]
            row[f"{what}_ratio"] = round(statistics.median(ratios), 3)
        print(json.dumps(row))


if __name__ == "__main__":
    main()
