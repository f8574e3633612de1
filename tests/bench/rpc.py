#!/usr/bin/python3
"""Measures calls (`make bench-rpc`): a unary round trip over a socketpair against the bare system calls, sleeping and with a spin of 50 us, and over
unix: to a server of the event model, beside that of C++ gRPC; and the CPU time of a server for a unary call, weir's against the asynchronous one of
C++ gRPC, with the same client.

The bare round trip is what two programs of 20 lines do: a Unix stream socketpair, one blocking write and one blocking read a side, of as many bytes
as a call's request has; with a spin, reads that do not block, again and again. All of them have the client on one core and the server on the other.

Contenders run in turn, round by round. A ratio is that of the medians, its interval a bootstrap over the rounds (95 of 100 chances). A full run writes
to docs/bench/rpc/, a partial one to build/bench/rpc/.
"""
import argparse
import json
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from ipc import HERE, LIBRARY, ROOT, look_around, ratio, write_lines

ROUNDS = 30
TRIP_S, MANY_S = 0.2, 1.0
CHANNELS, IN_FLIGHT = 4, 32
BARE_BYTES = 114  # a call of 64 bytes is 114 on the wire, its answer 102
BOUNDS = {"sleep": 1.2, "spin": 10.0, "cpu": 0.5}


def build(folder):
    """Both programs, those of C++, and the bare round trip."""
    def run(*words):
        subprocess.run([str(word) for word in words], check=True, cwd=folder)
    protos = os.path.join(HERE, "rpc")
    run("protoc-c", f"--proto_path={protos}", "--c_out=.", "bench.proto")
    run("protoc", f"--proto_path={protos}", "--cpp_out=.", "--grpc_out=.", "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin", "bench.proto")
    for name in ("server", "load"):
        run("gcc", "-O2", f"-I{ROOT}/include", "-I.", "-o", f"rpc_{name}", os.path.join(protos, f"{name}.c"), "bench.pb-c.c",
            f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lweir", "-lprotobuf-c")
    libraries = subprocess.run(["pkg-config", "--libs", "grpc++", "protobuf"], check=True, capture_output=True, text=True).stdout
    for name, source in (("rpc_cpp", "rpc_server.cc"), ("rpc_cpp_trip", "rpc_client.cc")):
        run("g++", "-O2", "-I.", "-o", name, os.path.join(HERE, "peers", source), "bench.pb.cc", "bench.grpc.pb.cc", *shlex.split(libraries))
    run("gcc", "-O2", f"-I{ROOT}/include", "-o", "ipc_bare", os.path.join(HERE, "ipc_bare.c"), os.path.join(HERE, "ipc_main.c"))


def on_core(core, *words):
    return ["taskset", "-c", str(core), *map(str, words)]


def with_descriptor(core, fd, *words):
    """A program that finds a socket at descriptor 3."""
    return subprocess.Popen(on_core(core, "sh", "-c", f"exec {shlex.join(map(str, words))} 3<&{fd}"), pass_fds=[fd],
                            stdout=subprocess.PIPE, text=True)


def trip(folder, spin_us):
    """Microseconds."""
    ours, theirs = socket.socketpair()
    server = with_descriptor(0, theirs.fileno(), os.path.join(folder, "rpc_server"), "pair", spin_us)
    theirs.close()
    client = with_descriptor(1, ours.fileno(), os.path.join(folder, "rpc_load"), "trip", "pair", spin_us, TRIP_S)
    ours.close()
    out, _ = client.communicate(timeout=60)
    server.communicate(timeout=60)
    return json.loads(out)["us"]


class Server:
    """A program that listens at a path, on core 0, while the block runs."""

    def __init__(self, folder, program):
        self.path = os.path.join(folder, program + ".socket")
        self.words = on_core(0, os.path.join(folder, program), f"unix:{self.path}")

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stderr=subprocess.DEVNULL)
        while not self.listens():
            time.sleep(0.02)
        return self

    def listens(self):
        """The path is there a little earlier."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def trip_by_path(folder):
    with Server(folder, "rpc_server") as server:
        done = subprocess.run(on_core(1, os.path.join(folder, "rpc_load"), "trip", f"unix:{server.path}", 0, TRIP_S), check=True,
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)["us"]


def trip_of_cpp(folder):
    with Server(folder, "rpc_cpp") as server:
        done = subprocess.run(on_core(1, os.path.join(folder, "rpc_cpp_trip"), f"unix:{server.path}", TRIP_S), check=True,
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)["us"]


def bare(folder, wait):
    done = subprocess.run([os.path.join(folder, "ipc_bare"), "unix", str(BARE_BYTES), "round-trip", wait, "across", str(TRIP_S), "-"], check=True,
                          capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)["us"]


def cpu_s(pid):
    """Of a process and its children that live."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        children = f.read().split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + sum(cpu_s(int(child)) for child in children)


def many(folder, program):
    """Microseconds of the server's CPU a call, and calls a second."""
    with Server(folder, program) as server:
        words = on_core(1, os.path.join(folder, "rpc_load"), "many", f"unix:{server.path}", CHANNELS, IN_FLIGHT)
        subprocess.run([*words, "0.2"], check=True, capture_output=True, timeout=60)
        before = cpu_s(server.process.pid)
        done = subprocess.run([*words, str(MANY_S)], check=True, capture_output=True, text=True, timeout=60)
        run = json.loads(done.stdout)
        return {"cpu_us": (cpu_s(server.process.pid) - before) / run["calls"] * 1e6, "per_s": run["per_s"]}


def one_round(folder):
    return {
        "sleep": {"weir": trip(folder, 0), "bare": bare(folder, "sleep"), "path": trip_by_path(folder), "c++": trip_of_cpp(folder)},
        "spin": {"weir": trip(folder, 50), "bare": bare(folder, "spin")},
        "many": {"weir": many(folder, "rpc_server"), "c++": many(folder, "rpc_cpp")},
    }


def report(rounds):
    """Lines of the table, and a summary."""
    def column(row, name, key=None):
        return [r[row][name][key] if key else r[row][name] for r in rounds]

    def quarter(row, name):
        """What a quarter of the rounds stayed below: other work on the machine only ever adds."""
        return statistics.quantiles(column(row, name), n=4)[0] if len(rounds) > 1 else column(row, name)[0]

    sleep = ratio(column("sleep", "weir"), column("sleep", "bare"))
    spin = statistics.median(column("spin", "weir"))
    cpu = ratio(column("many", "weir", "cpu_us"), column("many", "c++", "cpu_us"))
    median = statistics.median
    yield "unary round trip, sleeping: {:.2f} us, bare {:.2f} us; ratio {:.3f} [{:.3f}, {:.3f}], at most {}: {}".format(
        median(column("sleep", "weir")), median(column("sleep", "bare")), *sleep, BOUNDS["sleep"],
        "reached" if sleep[2] <= BOUNDS["sleep"] else "NOT reached")
    yield "    to a server of the event model, over unix: {:.2f} us; C++ gRPC {:.2f} us; ratio {:.3f} [{:.3f}, {:.3f}]".format(
        median(column("sleep", "path")), median(column("sleep", "c++")), *ratio(column("sleep", "path"), column("sleep", "c++")))
    yield "    lower quartiles: {:.2f} us, bare {:.2f} us, over unix: {:.2f} us".format(*(quarter("sleep", name) for name in ("weir", "bare", "path")))
    yield "the same, spin of 50 us: {:.2f} us, bare {:.2f} us; at most {} us: {}".format(
        spin, median(column("spin", "bare")), BOUNDS["spin"], "reached" if spin <= BOUNDS["spin"] else "NOT reached")
    yield "    lower quartiles: {:.2f} us, bare {:.2f} us".format(*(quarter("spin", name) for name in ("weir", "bare")))
    yield "    of the C++ round trip without one: {:.3f} [{:.3f}, {:.3f}]".format(*ratio(column("spin", "weir"), column("sleep", "c++")))
    yield "server's CPU a unary call: weir {:.2f} us, C++ {:.2f} us; ratio {:.3f} [{:.3f}, {:.3f}], at most {}: {}".format(
        median(column("many", "weir", "cpu_us")), median(column("many", "c++", "cpu_us")), *cpu, BOUNDS["cpu"],
        "reached" if cpu[2] <= BOUNDS["cpu"] else "NOT reached")
    yield "calls a second, one client: weir {:.0f}, C++ {:.0f}".format(
        median(column("many", "weir", "per_s")), median(column("many", "c++", "per_s")))


def main():
    """Rounds, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each contender ({ROUNDS})")
    options = parser.parse_args()
    full = options.rounds >= ROUNDS
    target = os.path.join(ROOT, *(("docs", "bench", "rpc") if full else ("build", "bench", "rpc")))
    os.makedirs(target, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="weir-rpc-") as folder:
        build(folder)
        rounds = [one_round(folder) for _ in range(options.rounds)]
    lines = [f"{look_around()}; {options.rounds} rounds", "", *report(rounds)]
    print("\n".join(lines))
    write_lines(os.path.join(target, "runs.jsonl"), rounds)
    with open(os.path.join(target, "table.txt"), "w", encoding="utf-8") as f:
        print("\n".join(lines), file=f)
    return 0


if __name__ == "__main__":
    sys.exit(main())
