"""testssl.sh finds nothing to say against the server's configuration. It takes minutes: only in `make check-all`."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import INSTRUMENTED
from test_tls import certs, keys, make_cert  # pylint: disable=unused-import

GOOD = ("OK", "INFO", "WARN")  # WARN: what this testssl.sh cannot look at by itself
# What it says of the certificate, which is made for the test, rather than of the server.
OF_THE_CERTIFICATE = {
    "cert_revocation": "nobody publishes what was revoked",
    "cert_expirationStatus": "it lives for a month",
    "cert_notAfter": "the same",
    "cert_chain_of_trust": "its authority is the test's own",
    "cert_trust": "the same",
    "cert_caIssuers": "the same",
    "cert_extlifeSpan": "the same",
    "OCSP_stapling": "its authority answers nobody",
    "DNS_CAArecord": "localhost has no such record",
}


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("testssl") or INSTRUMENTED, reason="no testssl.sh, or it would take an hour")
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_nothing_is_worse_than_good(starter, site, certs, tmp_path, kind):
    folder, out = tmp_path, tmp_path / "findings.json"
    ca = make_cert(folder, "ca", "ca.test")
    pair = make_cert(folder, "leaf", "localhost", ca=ca, **({"kind": ("rsa:3072",)} if kind == "rsa" else {}))
    server = starter("serve", site, "--listen", "https://127.0.0.1:0", "--hsts", "--model", "event", *keys(pair))
    # Nothing leaves this machine: no name is looked up, and --phone-out is not given.
    words = ["testssl", "--quiet", "--warnings", "off", "--color", "0", "--nodns", "none", "--ip", "127.0.0.1", "--add-ca", ca[0], "--jsonfile", out,
             f"https://localhost:{server.port}"]
    run = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=1500, cwd=folder, check=False,
                         env={**os.environ, "TERM": "dumb", "MAX_OSSL_FAIL": "10", "MAX_STARTTLS_FAIL": "10"})
    findings = json.loads(out.read_text())
    assert len(findings) > 80, run.stdout[-3000:]
    said = {finding["id"]: finding for finding in findings}
    assert said["TLS1_2"]["severity"] == "OK" and said["TLS1_3"]["severity"] == "OK"
    worse = [f"{f['severity']} {f['id']}: {f['finding']}" for f in findings if f["severity"] not in GOOD and f["id"].split(" ")[0] not in OF_THE_CERTIFICATE]
    assert not worse, "\n".join(worse)
