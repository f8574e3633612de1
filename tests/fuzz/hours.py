#!/usr/bin/python3
"""Long runs of the fuzz targets (`make fuzz`), added up in docs/fuzz.md.

    tests/fuzz/hours.py [TARGET ...] [--minutes N] [--jobs N] [--note TEXT]

Each named target (default: all, those with the least CPU time so far first) runs for N minutes of CPU time, some at a time, and at most
four times as long by the clock; SIGUSR1 to a target ends its run early, and an interrupt ends all; that counts too. What it found worth
keeping stays in build-fuzz/corpus/TARGET for the next run. Then a row goes to docs/fuzz.md: commit, CPU seconds (user and system),
executions, seed, coverage, findings. A finding is an input on which the program failed: it lies in build-fuzz/findings, the row says so,
and the exit status is 1. `--small TARGET` copies the smallest inputs that reach what the whole corpus reaches to tests/regress/TARGET, at
most 64 KiB.
"""
import argparse
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD, PAGE = ROOT / "build-fuzz", ROOT / "docs/fuzz.md"
HEAD = "| target | day | commit | CPU s | executions | seed | edges | findings |"
ROW = re.compile(r"^\| ([a-z0-9_]+) \| (\S+) \| (\S+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (.*) \|$", re.M)
SANITIZERS = {"ASAN_OPTIONS": "detect_stack_use_after_return=0", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
SMALL_BYTES = 64 * 1024


def rows():
    """(target, CPU seconds) of every run so far."""
    return [(m.group(1), int(m.group(4))) for m in ROW.finditer(PAGE.read_text())]


def totals(targets):
    """The table of sums, those with the least first."""
    sums = {target: 0 for target in targets}
    runs = dict(sums)
    for target, seconds in rows():
        sums[target] = sums.get(target, 0) + seconds
        runs[target] = runs.get(target, 0) + 1
    lines = ["| target | CPU hours | runs |", "| --- | --- | --- |"]
    lines += [f"| {t} | {sums[t] / 3600:.2f} | {runs[t]} |" for t in sorted(sums, key=lambda t: (sums[t], t))]
    return "\n".join(lines)


def write(new, targets):
    """Adds the rows and brings the sums up to date: the page is whole at any time."""
    fresh = PAGE.with_suffix(".new")
    fresh.write_text(PAGE.read_text().rstrip("\n") + "\n" + "".join(row + "\n" for row in new))
    fresh.replace(PAGE)
    text = re.sub(r"(<!-- sums -->\n).*?(<!-- /sums -->)", lambda m: m.group(1) + totals(targets) + "\n" + m.group(2), PAGE.read_text(), flags=re.S)
    fresh.write_text(text)
    fresh.replace(PAGE)


def words_of(target, *options):
    """Shadow memory wants a fixed layout on some kernels."""
    return ["setarch", "-R", str(BUILD / f"tests/fuzz/fuzz-{target}"), "-timeout=60", "-rss_limit_mb=1024", "-max_len=65536", *options]


def cpu_s(pid):
    """Of a child that has not been waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


interrupted = threading.Event()


def wait(pid, seconds):
    """Its status and what it used; it is asked to end when that is `seconds` of CPU time, and when all is to end."""
    asked = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage
        if not asked and (interrupted.is_set() or cpu_s(pid) >= seconds):
            os.kill(pid, signal.SIGUSR1)
            asked = True
        time.sleep(0.5)


def run(target, seconds, commit, note):
    """One run: its row, and whether it found nothing."""
    corpus, findings, kept = BUILD / "corpus" / target, BUILD / "findings", ROOT / "tests/regress" / target
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    seed = random.randrange(1, 2**31)
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        # Its own group of waited-for children would mix with other threads' runs: the time comes from wait4.
        child = subprocess.Popen(words_of(target, f"-max_total_time={4 * seconds}", f"-seed={seed}", "-print_final_stats=1",
                                          f"-artifact_prefix={findings}/{target}-", str(corpus), *([str(kept)] if kept.is_dir() else [])),
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **SANITIZERS}, start_new_session=True)
        status, usage = wait(child.pid, seconds)
        log.seek(0)
        text = log.read()
    executions = re.search(r"number_of_executed_units:\s*(\d+)", text)
    edges = re.findall(r"cov: (\d+)", text)
    artifacts = re.findall(r"Test unit written to (\S+)", text)  # slow ones first, the one it ended on last
    found = "none" if status == 0 else f"{pathlib.Path(artifacts[-1]).name if artifacts else 'see the log'}"
    if status != 0:
        (findings / f"{target}-{seed}.log").write_text(text[-200000:])
    return (f"| {target} | {time.strftime('%Y-%m-%d')} | {commit} | {usage.ru_utime + usage.ru_stime:.0f} | "
            f"{executions.group(1) if executions else 0} | {seed} | {edges[-1] if edges else 0} | {found}{'; ' + note if note else ''} |", status == 0)


def small(target):
    """The smallest inputs that reach all, up to a bound."""
    kept = ROOT / "tests/regress" / target
    with tempfile.TemporaryDirectory() as least:
        subprocess.run(words_of(target, "-merge=1", least, *map(str, (kept, BUILD / "corpus" / target))), check=True, stderr=subprocess.DEVNULL,
                       env={**os.environ, **SANITIZERS})
        kept.mkdir(exist_ok=True)
        room = SMALL_BYTES - sum(p.stat().st_size for p in kept.iterdir())
        for path in sorted(pathlib.Path(least).iterdir(), key=lambda p: (p.stat().st_size, p.name)):
            room -= path.stat().st_size
            if room < 0:
                break
            (kept / path.name).write_bytes(path.read_bytes())


def main():
    """0: nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=60, help="of CPU time, of each target (60)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time (one a core)")
    parser.add_argument("--note", default="", help="for the rows")
    parser.add_argument("--small", metavar="TARGET", help="keep the smallest inputs of its corpus, and no run")
    options = parser.parse_args()
    there = sorted(p.name.removeprefix("fuzz-") for p in (BUILD / "tests/fuzz").glob("fuzz-*") if p.is_file())
    if options.small:
        return small(options.small)
    sums = {target: sum(s for t, s in rows() if t == target) for target in there}
    queue = options.targets or sorted(there, key=lambda t: (sums[t], t))
    if not queue or set(queue) - set(there):
        sys.exit(f"fuzz: {', '.join(sorted(set(queue) - set(there))) or 'no target'} is not built in {BUILD}; there are: {', '.join(there) or 'none'}")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    good, lock = [], threading.Lock()

    def drain():
        while True:
            with lock:
                if not queue or interrupted.is_set():
                    return
                target = queue.pop(0)
            row, well = run(target, int(options.minutes * 60), commit, options.note)
            with lock:
                good.append(well)
                write([row], there)
                print(row, flush=True)

    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, lambda *_: interrupted.set())
    threads = [threading.Thread(target=drain) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
