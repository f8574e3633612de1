"""weir passwd: what it keeps and refuses, several at once, links, and a terminal that is left as it was."""

import fcntl
import os
import pty
import select
import signal
import stat
import subprocess

import pytest

from conftest import WEIR

HASH = "$6$rounds=1000$saltsalt$" + "x" * 86
# A shell that gives each program a process group of its own, and says what became of it and how the terminal was left.
SHELL = 'trap : INT; ulimit -c 0; "$0" passwd "$1" "$2"; echo "status $?"; stty -a; test -z "$3" || { fg; echo "status $?"; stty -a; }; echo end'


def passwd(*words, given=""):
    return subprocess.run([WEIR, "passwd", *map(str, words)], input=given, capture_output=True, text=True, timeout=120, check=False)


def start(*words, before=()):
    return subprocess.Popen([*before, WEIR, "passwd", *map(str, words)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def names(users):
    return [line.partition(":")[0] for line in users.read_text().splitlines()]


class Terminal:
    """`weir passwd FILE USER` at a terminal of its own."""

    def __init__(self, users, user, then=""):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv("/bin/sh", ["sh", "-mc", SHELL, WEIR, str(users), user, then])
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)  # hangs up: what is left there ends
        os.waitpid(self.pid, 0)

    def until(self, end):
        """What was shown since the last time, up to `end`."""
        while end not in self.shown:
            assert select.select([self.fd], [], [], 60)[0], self.shown
            self.shown += os.read(self.fd, 1000).decode()
        before, _, self.shown = self.shown.partition(end)
        return before

    def type(self, text):
        os.write(self.fd, text.encode())


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users"
    path.write_text(f"alice:{HASH}\nbob:{HASH}\n")
    return path


# --- several at once ---

@pytest.mark.parametrize("there", [True, False])
def test_no_change_is_lost_among_many(users, there):
    if not there:
        users.unlink()
    before = names(users) if there else []
    many = [f"user{i}" for i in range(12)]
    running = [start(users, name, "--stdin") for name in many]
    for process in running:
        process.stdin.write("geheim\n")
        process.stdin.flush()
    for process in running:
        assert process.communicate(timeout=120)[1] == "" and process.returncode == 0
    assert sorted(names(users)) == sorted(before + many)
    assert [path.name for path in users.parent.iterdir()] == ["users"]


def test_who_is_deleted_during_anothers_prompt_stays_deleted(users):
    with Terminal(users, "carol") as terminal:
        terminal.until(": ")
        assert passwd(users, "bob", "--delete").returncode == 0
        terminal.type("geheim\n")
        terminal.until("again: ")
        terminal.type("geheim\n")
        terminal.until("status 0")
    assert names(users) == ["alice", "carol"]


@pytest.fixture
def held(users):
    """Somebody else's lock."""
    fd = os.open(users.parent, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    yield fd
    os.close(fd)


def test_a_change_waits_for_another(users, held):
    process = start(users, "bob", "--delete")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    assert names(users) == ["alice", "bob"]
    assert passwd(users, "bob", "--verify", "--stdin", given="x").returncode == 1  # looks only: it waits for nobody
    fcntl.flock(held, fcntl.LOCK_UN)
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    assert names(users) == ["alice"]


@pytest.mark.long
def test_a_change_waits_so_long_only(users, held):
    done = passwd(users, "bob", "--delete")
    assert done.returncode == 1 and f"holds the lock on the folder of {users}" in done.stderr
    assert held >= 0 and names(users) == ["alice", "bob"]


def test_what_is_wrong_is_told_before_the_password_is_asked_for(users):
    unlike = users.parent / "unlike"
    unlike.write_text("nonsense\n")
    closed = users.parent / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    before = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    for file, why in {unlike: "unlike:1: ", closed: "Is a directory", closed / "users": "Permission denied",
                      users.parent / "no/users": "No such file", users / "x": "Not a directory"}.items():
        process = start(file, "carol", "--stdin", before=before)
        assert process.wait(60) == 1, file
        said = process.communicate()[1]
        assert why in said and str(file) in said and len(said.splitlines()) == 1, said


# --- links ---

def test_a_link_stays_one(users):
    """The file it leads to is replaced, in its own folder."""
    folder = users.parent / "there"
    folder.mkdir()
    real = folder / "real"
    users.rename(real)
    real.chmod(0o640)
    (folder / "first").symlink_to("real")
    users.symlink_to("there/first")
    assert passwd(users, "carol", "--stdin", given="geheim").returncode == 0
    assert passwd(users, "bob", "--delete").returncode == 0
    assert users.is_symlink() and (folder / "first").is_symlink() and not real.is_symlink()
    assert names(real) == ["alice", "carol"] and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(path.name for path in folder.iterdir()) == ["first", "real"]
    assert passwd(users, "carol", "--stdin", "--verify", given="geheim").returncode == 0


def test_a_link_to_what_is_not_there_yet(users):
    users.unlink()
    users.symlink_to(users.parent / "later")
    assert passwd(users, "carol", "--stdin", given="geheim").returncode == 0
    assert users.is_symlink() and names(users.parent / "later") == ["carol"]
    users.unlink()
    users.symlink_to("users")
    done = passwd(users, "carol", "--stdin", given="geheim")
    assert done.returncode == 1 and "symbolic links" in done.stderr


# --- one at a time ---

def test_passwd_keeps_the_rest_of_the_file(tmp_path):
    users = tmp_path / "made"
    users.write_text(f"# ours\nalice:{HASH}\n\nalicia:{HASH}")
    users.chmod(0o640)
    assert passwd(users, "alice", "--stdin", given="neu").returncode == 0
    lines = users.read_text().splitlines()
    assert (lines[0], lines[2], lines[3]) == ("# ours", "", f"alicia:{HASH}")
    assert lines[1].startswith("alice:$y$")
    assert stat.S_IMODE(users.stat().st_mode) == 0o640
    assert passwd(users, "alice", "--stdin", "--verify", given="neu\n").returncode == 0
    assert passwd(users, "alice", "--stdin", "--verify", given="alt").returncode == 1
    assert passwd(users, "carol", "--stdin", "--verify", given="alt").returncode == 1
    assert passwd(users, "alice", "--delete").returncode == 0
    assert users.read_text() == f"# ours\n\nalicia:{HASH}\n"
    assert passwd(users, "alice", "--delete").returncode == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("made")] == ["made"]


def test_passwd_refuses(tmp_path):
    users = tmp_path / "made"
    for words, given, status in [(("a:b", "--stdin"), "x", 2), (("a", "--stdin"), "", 1), (("a", "--stdin"), "x\ty", 1),
                                 (("a", "--stdin"), "x" * 256, 1), (("a", "--stdin", "--bcrypt"), "x" * 73, 2),
                                 (("#a", "--stdin"), "x", 2), (("a", "--delete"), "", 1), (("a", "b", "--stdin"), "x", 2),
                                 (("a", "--delete", "--verify"), "", 2)]:
        done = passwd(users, *words, given=given)
        assert done.returncode == status, (words, done.stderr)
        assert len(done.stderr.splitlines()) == 1
    assert not users.exists()
    users.write_text("nonsense\n")
    done = passwd(users, "a", "--stdin", given="x")
    assert done.returncode == 1 and f"{users}:1: " in done.stderr
    assert users.read_text() == "nonsense\n"
    assert passwd(tmp_path / "no/such/folder", "a", "--stdin", given="x").returncode == 1


# --- the terminal ---

def test_passwd_asks_at_a_terminal(tmp_path):
    """Twice, and shows nothing of what is typed."""
    users = tmp_path / "made"

    def typed(*words):
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(WEIR, [WEIR, "passwd", str(users), "alice"])
        shown = b""
        for word in words:
            while not shown.endswith(b": "):
                assert select.select([fd], [], [], 30)[0], shown
                shown += os.read(fd, 1000)
            os.write(fd, word + b"\n")
            shown += b"|"
        try:
            while more := os.read(fd, 1000):
                shown += more
        except OSError:
            pass
        _, status = os.waitpid(pid, 0)
        os.close(fd)
        return os.waitstatus_to_exitcode(status), shown

    status, shown = typed(b"geheim", b"geheimer")
    assert status == 1 and b"two different" in shown and not users.exists()
    status, shown = typed(b"geheim", b"geheim")
    assert status == 0 and b"geheim" not in shown
    assert passwd(users, "alice", "--stdin", "--verify", given="geheim").returncode == 0
    assert stat.S_IMODE(users.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("question", ["alice: ", "again: "])
def test_a_signal_at_the_prompt_leaves_the_echo_on(users, number, question):
    text = users.read_text()
    with Terminal(users, "alice") as terminal:
        terminal.until("alice: ")
        if question == "again: ":
            terminal.type("geheim\n")
            terminal.until(question)
        if number == signal.SIGINT:
            terminal.type("half\x03")
        else:
            os.kill(os.tcgetpgrp(terminal.fd), number)
        left = terminal.until("end\r\n")
    assert f"status {128 + number}" in left and " echo " in left, left
    assert users.read_text() == text


def test_a_prompt_that_is_stopped_asks_again(users):
    with Terminal(users, "alice", then="fg") as terminal:
        terminal.until("alice: ")
        terminal.type("half\x1a")
        left = terminal.until("alice: ")
        terminal.type("geheim\n")
        terminal.until("again: ")
        terminal.type("geheim\n")
        after = terminal.until("end\r\n")
    assert f"status {128 + signal.SIGTSTP}" in left and " echo " in left, left
    assert "status 0" in after and " echo " in after and "geheim" not in after, after
    assert passwd(users, "alice", "--stdin", "--verify", given="geheim").returncode == 0
