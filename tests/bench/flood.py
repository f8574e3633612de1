#!/usr/bin/python3
"""What plain requests notice of a flood of RSA-4096 handshakes on the same loop: weir with one worker on core 0 has an http and an https
listener. Rounds without and with the flood alternate; requests come at a fixed rate and count from when they were due, so that
a loop that stalls shows. The goal: their p99 stays within 3 times its quiet value.

    tests/bench/flood.py [--rounds N] [--seconds N] [--rate N] [--key p256|rsa2048|rsa4096] [-- options of weir serve]
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

import certs
import measure
import rows
import servers


def plain(port, options):
    """Percentiles in µs of requests at the fixed rate."""
    words = ["taskset", "-c", str(measure.LOAD_CORE), servers.WEIR, "load", "--json", "-q", "-c", "8", "-d", str(options.seconds), "-r",
             str(options.rate), f"http://127.0.0.1:{port}/index.html"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=options.seconds + 30, check=True)
    return json.loads(run.stdout)["latency_us"]


def flooded(folder, port, secure, options):
    """The same while handshakes come as fast as they are answered."""
    words = certs.words(folder, secure, options.seconds + 2, "--at-once", "32")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as flood:
        try:
            latency = plain(port, options)
        finally:
            said = json.loads(flood.communicate(timeout=60)[0])
    return latency, said


def start(folder, port, secure, options):
    """weir with both listeners."""
    root = os.path.join(folder, "root")
    os.mkdir(root)
    rows.write_small(root)
    cert, key = certs.make(folder, options.key)
    words = ["taskset", "-c", str(measure.SERVER_CORE), servers.WEIR, "serve", root, "--listen", f"http://127.0.0.1:{port}", "--listen",
             f"https://127.0.0.1:{secure}", "--cert", cert, "--key", key, "--workers", "1", "--access-log", "off", *options.more]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)


def main():
    """Prints a line a round and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rate", type=int, default=2000, help="plain requests a second")
    parser.add_argument("--key", choices=certs.KINDS, default="rsa4096")
    parser.add_argument("more", nargs="*")
    options = parser.parse_args()
    ratios, rates = [], []
    with tempfile.TemporaryDirectory(prefix="weir-flood-") as folder:
        port, secure = servers.free_port(), servers.free_port()
        certs.client(folder)
        with start(folder, port, secure, options) as server:
            try:
                servers.wait_for(server, port, "weir")
                plain(port, options)  # warms up
                for number in range(options.rounds):
                    quiet = plain(port, options)
                    loud, said = flooded(folder, port, secure, options)
                    ratios.append(loud["p99"] / quiet["p99"])
                    rates.append(said["full"] / said["us"] * 1e6)
                    print(f"{number + 1}: p50 {quiet['p50']:.0f} -> {loud['p50']:.0f} µs, p99 {quiet['p99']:.0f} -> {loud['p99']:.0f} µs: "
                          f"{ratios[-1]:.2f} times; {rates[-1]:.0f} handshakes a second, {said['failed']} failed", flush=True)
            finally:
                server.terminate()
    print(json.dumps({"key": options.key, "rate": options.rate, "p99_ratio": round(statistics.median(ratios), 3),
                      "handshakes_per_s": round(statistics.median(rates), 1)}))


if __name__ == "__main__":
    main()
