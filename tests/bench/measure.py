"""What a server costs: CPU time and memory of its whole process tree, and what wrk says of its answers."""
import contextlib
import json
import os
import re
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER_CORE, LOAD_CORE = 0, 1
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The figures of a run would mean nothing."""


def tree(pid):
    """A process and all its descendants that live now."""
    pids = [pid]
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                for child in f.read().split():
                    pids += tree(int(child))
    return pids


def _own_ns(pid):
    """User and system time of a process, threads that have ended included, in the scheduler's own nanoseconds: what the
    schedstat files of its tasks add up to, brought up to date (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def _ended_ns(pid):
    """The same of children that ended and were waited for; the kernel keeps it in ticks."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * TICK_NS


def cpu_ns(pid):
    """CPU time of a process tree since it began, user and system, ended children included."""
    total = 0
    for p in tree(pid):
        with contextlib.suppress(OSError):
            total += _own_ns(p) + _ended_ns(p)
    return total


def pss_bytes(pid):
    """Memory of a process tree; a page that several processes share is divided among them."""
    total = 0
    for p in tree(pid):
        with contextlib.suppress(OSError):
            with open(f"/proc/{p}/smaps_rollup", encoding="ascii") as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1)) * 1024
    return total


@contextlib.contextmanager
def memory_peak(pid):
    """Samples memory five times a second; gives a list whose only item is the peak so far."""
    peak, over = [pss_bytes(pid)], threading.Event()

    def sample():
        while not over.wait(0.2):
            peak[0] = max(peak[0], pss_bytes(pid))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
        peak[0] = max(peak[0], pss_bytes(pid))


def busy_ns():
    """Time that all CPUs together were not idle, since the machine began."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(n) for n in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) * TICK_NS


def wrk(port, work, seconds):
    """One run of the load; the last line it prints is JSON (work.lua)."""
    options = [f"-H{name}: {value}" for name, value in work.headers.items()]
    if work.close:
        options.append("-HConnection: close")
    script = [f"pipeline={work.pipeline}"] if work.pipeline > 1 else []
    script += [f"list={work.list}"] if work.list else []
    words = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{work.connections}", f"-d{seconds}s", "--timeout", "10s", "-s",
             os.path.join(HERE, "work.lua"), *options, f"http{'s' if work.tls else ''}://127.0.0.1:{port}{work.path}", "--", *script]
    run = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 30, check=False)
    if run.returncode != 0 or not run.stdout.rstrip().endswith("}"):
        raise Failed(f"{' '.join(words)}\n{run.stdout}{run.stderr}")
    return json.loads(run.stdout.rstrip().rpartition("\n")[2])


def shake(server, work, seconds):
    """The same of the client that shakes hands."""
    import certs  # pylint: disable=import-outside-toplevel
    run = certs.shake(server.folder, server.port, seconds, *(["--resume"] if work.shakes == "resumed" else []))
    made = run["resumed" if work.shakes == "resumed" else "full"]
    others = run["full"] + run["resumed"] - made
    if run["failed"] or others > made / 20:
        raise Failed(f"{server.name}: {work.name}: {run}")
    return {"requests": made, "us": run["us"], "p50_us": 0, "p99_us": 0, "p999_us": 0}


def load(server, work, seconds):
    """One run of the row's own kind of load."""
    if work.streams:
        import http2  # pylint: disable=import-outside-toplevel
        return http2.load(server, work, seconds)
    return shake(server, work, seconds) if work.shakes else wrk(server.port, work, seconds)


def measure(server, work, seconds):
    """Runs the load once against a server: the figures of this run as a dict."""
    busy, cpu, start = busy_ns(), cpu_ns(server.pid), time.monotonic_ns()
    load_cpu = os.times().children_user + os.times().children_system
    with memory_peak(server.pid) as peak:
        run = load(server, work, seconds)
    cpu = cpu_ns(server.pid) - cpu
    load_cpu = os.times().children_user + os.times().children_system - load_cpu
    others = busy_ns() - busy - cpu - load_cpu * 1e9
    failed = sum(run.get(kind, 0) for kind in ("connect", "read", "write", "status", "timeout"))
    if failed or run["requests"] == 0:
        raise Failed(f"{server.name}: {work.name}: {run}")
    # Long answers: the part of those under way at the end counts too.
    requests = run["bytes"] / server.answer_bytes if work.size > 65536 else run["requests"]
    if work.pipeline > 1:  # wrk corrects its percentiles by a time it takes for that of one request
        run.update(p50_us=0, p99_us=0, p999_us=0)
    return {"requests": run["requests"], "cpu_us": cpu / requests / 1000, "per_s": requests / run["us"] * 1e6,
            "p50_us": run["p50_us"], "p99_us": run["p99_us"], "p999_us": run["p999_us"], "memory": peak[0],
            "others": max(0.0, others / (time.monotonic_ns() - start) / os.cpu_count())}
