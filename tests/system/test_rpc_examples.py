"""examples/greeter: made by protoc-gen-weir, compiled against libweir.a, and run as the README says."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from conftest import COMPLAINTS, ROOT, session_processes, wait_until
from test_examples import BUILD, libraries

GREETER = ROOT / "examples/greeter"


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("greeter")
    subprocess.run(["protoc", f"--plugin={BUILD / 'src/protoc/protoc-gen-weir'}", f"-I{GREETER}", f"--weir_out={folder}", "greeter.proto"],
                   check=True, timeout=60)
    for name in ("server", "client"):
        done = subprocess.run(["cc", "-std=gnu17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-I", ROOT / "include", "-I", folder,
                               GREETER / f"{name}.c", folder / "greeter.pb-weir.c", BUILD / "src/lib/libweir.a", *libraries(),
                               "-o", folder / name], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def endpoint(programs, tmp_path):
    log = tmp_path / "log"
    with log.open("w") as stderr:
        server = subprocess.Popen([programs / "server", "tcp:127.0.0.1:0"], stderr=stderr, stdin=subprocess.DEVNULL,
                                  start_new_session=True)
    assert wait_until(lambda: re.search(r"tcp:\S+:\d+", log.read_text()), 20)
    yield re.search(r"tcp:\S+:\d+", log.read_text())[0]
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0, log.read_text()
    assert not COMPLAINTS.search(log.read_text())
    for pid in session_processes(server.pid):
        os.kill(pid, signal.SIGKILL)


def test_greeter(programs, endpoint):
    done = subprocess.run([programs / "client", endpoint, "weir"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "hello, weir\n1\n2\n3\n"), done.stderr


def test_nobody_there(programs):
    done = subprocess.run([programs / "client", "unix:/nonexistent/socket"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "nobody answers" in done.stderr


def test_readme_quotes_the_example():
    quoted = re.search(r"## Calls between programs\n.*?```c\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    assert quoted.strip() in (GREETER / "server.c").read_text()
    assert pathlib.Path(GREETER / "greeter.proto").exists()
