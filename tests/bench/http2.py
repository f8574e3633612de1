"""HTTP/2: the load that h2load makes, and one answer by curl to look at. Whatever was not agreed upon as it should be (another protocol, TLS
version, cipher or curve, another status, another length) makes the figures of a run worth nothing, and is said."""
import os
import re
import subprocess
import tempfile

from measure import LOAD_CORE, Failed

CLEAR = {"Application protocol": "h2c"}
TLS = {"Application protocol": "h2", "TLS Protocol": "TLSv1.3", "Cipher": "TLS_AES_128_GCM_SHA256", "Server Temp Key": "X25519 253 bits"}


def _url(port, work, path):
    return f"http{'s' if work.tls else ''}://{'localhost' if work.tls else '127.0.0.1'}:{port}{path or work.path}"


def load(server, work, seconds):
    """One run: so many requests for each second that was asked for."""
    total = work.streams * work.connections * (work.each * seconds // work.streams // work.connections)
    words = ["taskset", "-c", str(LOAD_CORE), "h2load", "-t1", f"-c{work.connections}", f"-m{work.streams}", f"-n{total}",
             "--tls13-ciphers=TLS_AES_128_GCM_SHA256", _url(server.port, work, None)]
    run = subprocess.run(words, capture_output=True, text=True, timeout=120 * seconds, check=False)
    said = dict(line.split(": ", 1) for line in run.stdout.splitlines() if ": " in line)
    agreed = {key: said.get(key) for key in (TLS if work.tls else CLEAR)}
    took = re.search(r"^finished in ([\d.]+)(us|ms|s),", run.stdout, re.M)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", run.stdout)
    codes = re.search(r"^status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", run.stdout, re.M)
    content = re.search(r"\((\d+)\) data$", run.stdout, re.M)
    if (run.returncode != 0 or agreed != (TLS if work.tls else CLEAR) or not took or not codes or not content
            or counts.groups() != (str(total), "0", "0", "0") or int(codes.group(1)) != total or int(content.group(1)) != total * work.size):
        raise Failed(f"{server.name}: {' '.join(words)}\n{run.stdout}{run.stderr}")
    us = float(took.group(1)) * {"us": 1, "ms": 1e3, "s": 1e6}[took.group(2)]
    return {"requests": total, "us": us, "p50_us": 0, "p99_us": 0, "p999_us": 0}


def raw(port, work, path=None, more=None):
    """One answer: its head as HTTP/1.1 would write it, and its content."""
    headers = {**work.headers, **(more or {})}
    with tempfile.TemporaryDirectory() as folder:
        head, content = os.path.join(folder, "head"), os.path.join(folder, "content")
        words = ["curl", "-sk", "--max-time", "10", "--http2" if work.tls else "--http2-prior-knowledge", "-D", head, "-o", content]
        run = subprocess.run([*words, *(f"-H{name}: {value}" for name, value in headers.items()), _url(port, work, path)], check=False)
        if run.returncode != 0:
            raise Failed(f"no answer over HTTP/2: curl's status is {run.returncode}")
        with open(head, "rb") as h, open(content, "rb") as c:
            fields = h.read()
            if not fields.startswith(b"HTTP/2 "):
                raise Failed(f"not HTTP/2: {fields!r}")
            return fields.replace(b"HTTP/2 ", b"HTTP/2.0 ", 1), c.read()
