#!/usr/bin/python3
"""Instructions of one request through parse, route and reply, without any I/O: the figure that does not depend on how busy
a machine is. Counted by valgrind (callgrind) over 2,000 requests less 1,000; build/ must be built.

    tests/bench/instructions.py [--out DIR]
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import rows
from servers import HERE, ROOT

LAYERS = ("service", "http", "proto", "base")
BROWSER = ("Host: www.example.com\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n"
           'sec-ch-ua: "Chromium";v="126", "Not-A.Brand";v="24"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\n'
           "Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
           "Chrome/126.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
           "*/*;q=0.8\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
           "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n")
REQUESTS = {
    "plain": "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "browser": "GET / HTTP/1.1\r\n" + BROWSER + "\r\n",
    "304": 'GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-None-Match: *\r\n\r\n',
    "range": "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=100-199\r\n\r\n",
    "head": "HEAD /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "missing": "GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "16-pipelined": "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 16,
}


def build(folder):
    """The program, of this build's libraries."""
    binary = os.path.join(folder, "request")
    libraries = [os.path.join(ROOT, "build/src", layer, f"lib{layer}.a") for layer in LAYERS]
    with open(os.path.join(ROOT, "build/meson-private/weir.pc"), encoding="ascii") as f:
        libraries += re.search(r"^Libs.private: (.*)$", f.read(), re.M).group(1).split()
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O2", "-Wl,--wrap=syscall", f"-I{ROOT}/include", f"-I{ROOT}/src", "-o", binary,
                    os.path.join(HERE, "request.c"), *libraries], check=True)
    return binary


def count(binary, folder, request, times):
    """Instructions of the whole run."""
    words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", binary, folder, str(times), request]
    run = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if run.returncode != 0 or run.stdout != "1\n":
        sys.exit(f"instructions: {run.stdout}{run.stderr}")
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def main():
    """Prints a table, and JSON lines to instructions.jsonl."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="DIR", default=os.path.join(ROOT, "docs/bench"), help="for instructions.jsonl")
    out, lines = parser.parse_args().out, []
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        rows.write_small(folder)
        binary = build(folder)
        for name, request in REQUESTS.items():
            each = (count(binary, folder, request, 2000) - count(binary, folder, request, 1000)) / 1000
            answers = 16 if name == "16-pipelined" else 1
            print(f"{name:13} {len(request) // answers:5} bytes  {each / answers:8.0f} instructions a request", flush=True)
            lines.append({"request": name, "bytes": len(request) // answers, "instructions": round(each / answers)})
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "instructions.jsonl"), "w", encoding="utf-8") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    main()
