"""docs/guide.md, word by word, as somebody new would."""

import pathlib
import re
import socket
import subprocess

from conftest import INSTRUMENTED, WEIR

ROOT = pathlib.Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guide.md").read_text()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_the_guide_does_what_it_says(tmp_path):
    conf, = re.findall(r"```conf\n(.*?)```", GUIDE, re.S)
    assert len(conf.splitlines()) < 25 and conf.count("site ") == 3
    port = str(free_port())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/weir").symlink_to(WEIR)
    (tmp_path / "sites.conf").write_text(conf.replace("8080", port))
    script = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.S)).replace("8080", port)
    script = script.replace("sleep 1", "sleep 10" if INSTRUMENTED else "sleep 3").replace("kill %1", "kill %1; wait %1")
    done = subprocess.run(["/bin/bash", "-e", "-c", f'set -m; PATH="{tmp_path}/bin:$PATH"\n{script}'], cwd=tmp_path, timeout=120,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert answers[0] == "sites.conf: good, 3 sites"
    assert "auth: users, for \"weir\" (line 13)" in answers and "client-rate: 50/s burst 200 (line 3)" in answers
    assert answers[-7:] == ["<h1>Main</h1>", "<h1>Lost?</h1>", "401", "<h1>Members</h1>",
                            f"http://blog.example.org:{port}/first", "<h1>Blog</h1>", "<h1>Any other</h1>"]
    assert len((tmp_path / "blog.log").read_text().splitlines()) == 1
    assert " - alice [" in (tmp_path / "access.log").read_text()
    assert "Sanitizer" not in done.stderr
