"""`weir spool`: messages in a folder, from whoever writes to whoever reads, now or later."""

import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import time

import pytest

from conftest import COMPLAINTS, WEIR, wait_until
from test_examples import built  # pylint: disable=unused-import


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


def weir(*words, given=b"", expect=0, **options):
    done = subprocess.run([WEIR, "spool", *map(str, words)], input=given, capture_output=True, timeout=30, **options)
    said = done.stderr.decode()
    assert not COMPLAINTS.search(said), said
    assert done.returncode == expect, said
    done.said = said
    return done


def write(spool, *words, given, **options):
    return weir("write", spool, *words, given=given, **options)


def read(spool, *words, **options):
    return weir("read", spool, *words, **options).stdout


class Running:
    """One that goes on until it is stopped."""

    def __init__(self, *words):
        self.process = subprocess.Popen([WEIR, "spool", *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)

    def line(self):
        return self.process.stdout.readline()

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self, number=None, expect=0):
        if number:
            self.process.send_signal(number)
        out, said = self.process.communicate(timeout=20)
        assert not COMPLAINTS.search(said.decode()), said
        assert self.process.returncode == expect, said
        return out


@pytest.fixture
def running():
    started = []

    def start(*words):
        started.append(Running(*words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate(timeout=20)


def segments(spool):
    return sorted(path for path in spool.iterdir() if path.suffix == ".seg")


@pytest.mark.smoke
def test_lines_come_back_once_to_each_reader(spool):
    assert "3 messages" in write(spool, given=b"one\n\nthree\n").said
    assert write(spool, "--quiet", given=b"four").said == ""
    assert read(spool) == b"one\n\nthree\nfour\n"
    assert read(spool, "--reader", "a") == b"one\n\nthree\nfour\n"
    assert read(spool, "--reader", "a") == b""
    write(spool, given=b"five\n")
    assert read(spool, "--reader", "a") == b"five\n"
    assert read(spool, "-r", "b", "--sync", "never") == b"one\n\nthree\nfour\nfive\n"


def test_from_end(spool):
    write(spool, given=b"old\n")
    assert read(spool, "--reader", "late", "--from", "end") == b""
    write(spool, given=b"new\n")
    assert read(spool, "--reader", "late", "--from", "end") == b"new\n"


def test_frames_hold_any_bytes(spool):
    source = random.Random(5)
    messages = [source.randbytes(source.choice([0, 1, 7, 300, 70000])) for _ in range(300)] + [bytes(3_000_000)]
    frames = b"".join(struct.pack(">I", len(m)) + m for m in messages)
    write(spool, "--frame", "--segment-size", "64K", given=frames)
    assert read(spool, "--frame") == frames
    assert len(segments(spool)) > 10
    assert "ended within a message" in write(spool, "--frame", given=frames[:-1], expect=1).said
    assert "longer than 16 MiB" in write(spool, "--frame", given=b"\xff\xff\xff\xff", expect=1).said


def test_long_lines(spool):
    line = b"x" * (16 * 1024 * 1024)
    write(spool, "--sync", "never", given=line + b"\n" + b"short\n" + line)
    assert read(spool) == line + b"\nshort\n" + line + b"\n"
    assert "longer than 16 MiB" in write(spool, given=line + b"x\n", expect=1).said
    assert "longer than 16 MiB" in write(spool, given=line + b"x", expect=1).said


@pytest.mark.parametrize("sync", ["each", "50", "never"])
def test_acknowledgements_come_while_input_is_open(spool, running, sync):
    one = running("write", spool, "--ack", "--sync", sync)
    for number in range(3):
        one.send(b"message\n")
        start = time.monotonic()
        assert one.line() == b"%d\n" % number
        assert time.monotonic() - start < 5
    one.send(b"a\nb\n")
    assert one.line() == b"3\n" and one.line() == b"4\n"
    one.end()
    assert len(read(spool).splitlines()) == 5


def test_follow_goes_on_and_commits(spool, running):
    write(spool, given=b"one\n")
    one = running("follow", spool, "--reader", "f")
    assert one.line() == b"one\n"
    for number in range(20):
        write(spool, "--segment-size", "4K", given=b"%d " % number + b"x" * 500 + b"\n")
        assert one.line().startswith(b"%d " % number)
    assert one.end(signal.SIGTERM, 143) == b""
    assert read(spool, "--reader", "f") == b""
    one = running("follow", spool, "--reader", "f", "--frame")
    write(spool, given=b"more\n")
    assert one.process.stdout.read(8) == b"\0\0\0\4more"
    assert one.end(signal.SIGINT, 130) == b""


def test_follow_stops_while_nobody_takes_what_it_says(spool, running):
    lines = [b"%d " % number + b"x" * 1000 for number in range(4000)]
    write(spool, given=b"\n".join(lines) + b"\n")
    one = running("follow", spool, "--reader", "f")
    assert one.line() == lines[0] + b"\n"
    time.sleep(1)  # by now the pipe is full
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(30) == 143
    said = one.process.stdout.read().split(b"\n")[:-1]
    assert said == lines[1:len(said) + 1] and len(said) < len(lines) - 1
    rest = read(spool, "--reader", "f").splitlines()
    assert rest == lines[-len(rest):] and 1 + len(said) + len(rest) >= len(lines)


def test_output_that_cannot_be_written_is_not_read(spool):
    write(spool, given=b"one\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([WEIR, "spool", "read", spool, "--reader", "f"], stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert (done.returncode, done.stderr) == (1, b"weir spool: cannot write to standard output: No space left on device\n")
    assert read(spool, "--reader", "f") == b"one\n"


def test_follow_ends_when_nobody_reads(spool, running):
    write(spool, given=b"one\n")
    one = running("follow", spool)
    assert one.line() == b"one\n"
    one.process.stdout.close()
    assert wait_until(lambda: one.process.poll() is not None, 10)


def test_writer_stops_on_a_signal(spool, running):
    one = running("write", spool, "--ack", "--sync", "3600000")
    one.send(b"kept\nunfinished")
    time.sleep(0.3)
    assert one.end(signal.SIGTERM, 143) == b"0\n"
    assert read(spool) == b"kept\n"


def test_one_writer_and_one_reader_of_a_name(spool, running):
    one = running("write", spool, "--ack")
    one.send(b"x\n")
    assert one.line() == b"0\n"
    said = write(spool, given=b"y\n", expect=1).said
    assert f"process {one.process.pid}" in said and said.count("\n") == 1
    other = running("follow", spool, "--reader", "r")
    assert other.line() == b"x\n"
    assert "reads as r" in weir("read", spool, "--reader", "r", expect=1).said
    one.end()
    write(spool, "--quiet", given=b"y\n")
    assert other.line() == b"y\n"
    other.end(signal.SIGTERM, 143)


def spoil(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x40
    path.write_bytes(data)


def test_damage_is_said_with_its_place(spool):
    write(spool, given=b"".join(b"message %d\n" % n for n in range(5)))
    assert b"0 damaged places" in weir("check", spool).stdout
    at = 80 + 2 * 25  # two heads, then frames of 16 and 9 bytes
    spoil(segments(spool)[0], at + 20)
    found = weir("check", spool, expect=1).stdout.decode()
    assert re.search(rf"^0{{20}}\.seg: offset {at}, 25 bytes: ", found, re.M) and "1 damaged places" in found
    done = weir("read", spool, "--reader", "r", expect=1)
    assert done.stdout == b"message 0\nmessage 1\n"
    assert f"offset {at}" in done.said and "--skip-corrupt" in done.said
    done = weir("read", spool, "--reader", "r", "--skip-corrupt")
    assert done.stdout == b"message 3\nmessage 4\n"
    assert f"offset {at}" in done.said and "1 messages are missing before number 3" in done.said


def test_all_readers_are_said(spool):
    write(spool, given=b"one\n")
    read(spool, "--reader", "r")
    for number in range(200):
        shutil.copy(spool / "r.reader", spool / f"r{number}.reader")
    found = weir("check", spool).stdout.decode()
    assert len(re.findall(r"^reader r\d+: next is 1, 0 behind$", found, re.M)) == 200


def test_damaged_position_is_said(spool):
    write(spool, given=b"one\n")
    read(spool, "--reader", "r")
    (spool / "r.reader").write_bytes(b"rubbish")
    assert "r.reader is damaged" in weir("read", spool, "--reader", "r", expect=1).said
    found = weir("check", spool, expect=1).stdout.decode()
    assert "reader r: its position is damaged" in found and "1 damaged places" in found


def test_torn_tail_is_cut_and_said(spool):
    write(spool, given=b"one\ntwo\n")
    path = segments(spool)[0]
    path.write_bytes(path.read_bytes()[:-2])
    found = weir("check", spool).stdout.decode()
    assert "offset 99, 17 bytes: an unfinished message" in found
    done = weir("read", spool)
    assert done.stdout == b"one\n" and "offset 99" in done.said
    said = write(spool, given=b"three\n").said
    assert "cut off at offset 99, 17 bytes" in said
    assert read(spool) == b"one\nthree\n"


def test_retention_respects_readers(spool):
    lines = b"".join(b"%04d" % n + b"x" * 200 + b"\n" for n in range(200))
    assert read_nothing(spool) == b""
    keep = ("--segment-size", "4K", "--keep-bytes", "12K", "--sync", "never")
    write(spool, *keep, given=lines)
    assert read(spool, "--reader", "r") == lines
    write(spool, *keep, given=lines)
    assert len(segments(spool)) > 10
    assert read(spool, "--reader", "r") == lines
    write(spool, *keep, given=b"last\n")
    assert len(segments(spool)) <= 4
    write(spool, *keep, "--drop-unread", given=lines)
    assert len(segments(spool)) <= 4
    done = weir("read", spool, "--reader", "r")
    assert "messages are missing" in done.said and done.stdout in lines and done.stdout.endswith(lines[-205:])
    found = weir("check", spool).stdout.decode()
    assert "reader r: next is 601, 0 behind" in found


def read_nothing(spool):
    spool.mkdir()
    return read(spool, "--reader", "r")


def test_old_files_are_removed(spool):
    lines = (b"x" * 500 + b"\n") * 40
    write(spool, "--segment-size", "4K", given=lines)
    for path in segments(spool):
        os.utime(path, (1, 1))
    count = len(segments(spool))
    write(spool, "--keep-age", "1d", given=b"")
    assert count > 3 and len(segments(spool)) == 1


def small_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


def test_full_disk_is_an_error_and_all_before_can_be_read(spool):
    lines = [b"%05d" % n + b"y" * 90 for n in range(1000)]
    done = write(spool, "--ack", given=b"\n".join(lines), expect=1, preexec_fn=small_files)
    assert "File too large" in done.said
    acked = len(done.stdout.splitlines())
    got = read(spool).splitlines()
    assert acked > 100 and got == lines[:acked]
    assert b" 0 damaged places" in weir("check", spool).stdout


def test_killed_writers_lose_nothing_acknowledged(spool, running):
    source, total = random.Random(), 0
    for _ in range(8):
        one = running("write", spool, "--ack", "--sync", source.choice(["each", "never", "2"]), "--segment-size", "8K")
        feeder = subprocess.Popen(["seq", "1", "300000"], stdout=one.process.stdin)
        one.process.stdin.close()
        one.process.stdin = None
        one.line()
        time.sleep(source.random() * 0.1)
        one.process.kill()
        rest = one.process.stdout.read().splitlines(keepends=True)
        one.process.wait(10)
        feeder.wait(10)
        whole = [line for line in rest if line.endswith(b"\n")]
        total = max([total] + [int(line) + 1 for line in whole[-1:]])
        found = weir("check", spool).stdout.decode()
        assert int(re.search(r"(\d+) messages, \d+ bytes in them", found).group(1)) >= total
    got = read(spool).split()
    starts = [index for index, word in enumerate(got) if word == b"1"]
    for begin, end in zip(starts, starts[1:] + [len(got)]):
        assert got[begin:end] == [b"%d" % n for n in range(1, end - begin + 1)]


def test_the_examples_go_together(built, spool):  # pylint: disable=redefined-outer-name
    def run(name, *words):
        return subprocess.run([built(name), spool, *words], capture_output=True, check=True, timeout=30).stdout

    assert run("spool_writer", "tea", "soup") == b"kept 2\n"
    assert run("spool_reader") == b"0: tea\n1: soup\n"
    assert run("spool_writer", "cake") == b"kept 3\n"
    assert run("spool_reader") == b"2: cake\n"
    assert read(spool) == b"tea\nsoup\ncake\n"


@pytest.mark.parametrize("words, status, named", [
    ([], 2, "write, read"), (["write"], 2, "folder"), (["dance", "/tmp"], 2, "dance"), (["read", "/tmp", "x"], 2, "folder"),
    (["write", "/tmp/weir-no/such"], 1, "/tmp/weir-no/such"), (["read", "/tmp/weir-no-such"], 1, "/tmp/weir-no-such"),
    (["check", "/tmp/weir-no-such"], 1, "/tmp/weir-no-such"), (["write", "/dev/null"], 1, "/dev/null"),
    (["read", "/tmp", "--segment-size", "1M"], 2, "segment-size"), (["write", "/tmp", "--reader", "x"], 2, "reader"),
    (["check", "/tmp", "--frame"], 2, "frame"), (["read", "/tmp", "--from", "middle"], 2, "middle"),
    (["read", "/tmp", "--reader", "a/b"], 2, "a/b"), (["read", "/tmp", "--sync", "10"], 2, "10"),
    (["write", "/tmp", "--sync", "often"], 2, "often"), (["write", "/tmp", "--sync", "0"], 2, "'0'"),
    (["write", "/tmp", "--keep-bytes", "10X"], 2, "10X"), (["write", "/tmp", "--keep-age", "soon"], 2, "soon"),
    (["write", "/tmp", "--segment-size", "1K"], 2, "4K"),
])
def test_what_is_wrong_is_said(words, status, named):
    said = weir(*words, expect=status).said
    assert named in said and said.count("\n") == 1 and said.startswith("weir spool: ")
