"""Certificates for benchmarks, and the client that shakes hands."""
import json
import os
import subprocess

import measure

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = {"p256": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa2048": ("rsa:2048",), "rsa4096": ("rsa:4096",)}


def make(folder, kind):
    """(certificate, key) for localhost, signed by itself."""
    cert, key = os.path.join(folder, f"{kind}.pem"), os.path.join(folder, f"{kind}.key")
    if not os.path.exists(cert):
        subprocess.run(["openssl", "req", "-x509", "-newkey", *KINDS[kind], "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], check=True, capture_output=True)
        os.chmod(key, 0o644)  # some servers read it after they have become somebody else
    return cert, key


def client(folder):
    """The path of the program, built if need be."""
    binary = os.path.join(folder, "handshakes")
    if not os.path.exists(binary):
        subprocess.run(["gcc", "-O2", "-o", binary, os.path.join(HERE, "handshakes.c"), "-lssl", "-lcrypto"], check=True)
    return binary


def words(folder, port, seconds, *more):
    """A command that shakes hands for so long, on the load's core."""
    return ["taskset", "-c", str(measure.LOAD_CORE), client(folder), "--seconds", str(seconds), *more, str(port)]


def shake(folder, port, seconds, *more):
    """What it counted."""
    run = subprocess.run(words(folder, port, seconds, *more), capture_output=True, text=True, timeout=seconds + 30, check=False)
    if run.returncode != 0:
        raise measure.Failed(f"handshakes: {run.stderr}")
    return json.loads(run.stdout)
