"""`weir bench`: every model is measured on its own, the figures hang together, and the page stands alone."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from conftest import INSTRUMENTED, WEIR, session_processes, wait_until

WORKS = ["persistent", "new", "slow"]


def bench(*words, status=0, timeout=120):
    done = subprocess.run([WEIR, "bench", *map(str, words)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def points(*words):
    result = json.loads(bench(*words, "--json").stdout)
    return {(p["work"], p["model"], p["clients"]): p for p in result["points"]}, result


@pytest.mark.first
def test_every_model_is_measured():
    models = json.loads(subprocess.run([WEIR, "models", "--json"], capture_output=True, text=True, check=True).stdout)
    at, result = points("--clients", "1,3", "--seconds", "0.3" if INSTRUMENTED else "0.1")
    names = [model["name"] for model in models]
    assert set(at) == {(work, name, clients) for work in WORKS for name in names for clients in (1, 3)}
    for key, point in at.items():
        assert point["per_second"] > 0 and point["errors"] == 0, (key, point)
        assert 0 < point["p50_us"] <= point["p99_us"]
        assert point["memory_bytes"] > 50_000, key
    assert len(result["words"]) >= 4


def test_slow_answers_hold_places():
    at, _ = points("--model", "sequential", "--model", "pool", "--model", "event", "--clients", "20", "--slow", 20,
                   "--seconds", "0.5")
    rate = {model: at[("slow", model, 20)]["per_second"] for model in ("sequential", "pool", "event")}
    assert rate["sequential"] < 52 and 150 < rate["pool"] < 420 and rate["event"] > 500, rate
    assert at[("slow", "event", 20)]["p50_us"] > 20000


def test_a_time_without_an_answer_is_measured_again():
    at, _ = points("--model", "event", "--model", "fork", "--clients", "1", "--slow", "50", "--seconds", "0.02")
    assert 0 < at[("slow", "event", 1)]["per_second"] <= 20 and 0 < at[("slow", "fork", 1)]["per_second"] <= 20


@pytest.mark.parametrize("words", [["--echo"], ["DIR"], ["DIR", "--path", "/digits.txt"]])
def test_services(words, site):
    words = [site if word == "DIR" else word for word in words]
    at, _ = points(*words, "--model", "event", "--model", "fork", "--clients", "2", "--seconds", "0.1")
    assert len(at) == 6
    assert not [point for point in at.values() if point["per_second"] == 0 or point["errors"]]


def test_table_and_words():
    done = bench("--model", "pool", "--model", "thread", "--clients", "1,4", "--seconds", "0.1")
    assert len(re.findall(r"^pool +[\d,.]+ ", done.stdout, re.M)) == 3
    assert "What suits" in done.stdout and "Bounded: pool has 8 threads" in done.stdout
    assert done.stderr == ""


def test_page(tmp_path):
    page = tmp_path / "bench.html"
    bench("--model", "pool", "--model", "event", "--clients", "1,4", "--seconds", "0.1", "--html", page)
    text = page.read_text()
    assert text.count('<svg class="plot"') == 12 and text.count("<table>") == 3
    assert not re.search(r"<script|src=|href=|url\(|@import", text), "self-contained"
    assert not re.search(r"\b(nan|inf)\b", text)


@pytest.mark.parametrize("moment", range(8))
def test_interrupted_leaves_nothing(moment):
    """Whenever it comes: points are short here, so that most moments lie between two of them."""
    process = subprocess.Popen([WEIR, "bench", "--clients", "1,2,3,4", "--seconds", "0.02"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True)
    assert wait_until(lambda: len(session_processes(process.pid)) > 1, 10)
    time.sleep(0.037 * moment)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1 and out == "" and "interrupted" in err
    assert wait_until(lambda: not session_processes(process.pid), 5)


def test_killed_leaves_nothing():
    process = subprocess.Popen([WEIR, "bench", "--clients", "4", "--seconds", "5"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)
    time.sleep(1)
    process.kill()
    process.wait(5)
    assert wait_until(lambda: not session_processes(process.pid), 10)


@pytest.mark.parametrize("words, status, names", [
    (["/nowhere"], 1, "/nowhere"), (["DIR", "--path", "/none"], 1, "--path"), (["DIR", "DIR"], 2, "folder"),
    (["DIR", "--echo"], 2, "--echo"), (["--path", "/x"], 2, "folder"), (["--model", "even"], 2, "event"),
    (["--clients", "4,2"], 2, "4,2"), (["--clients", "0"], 2, "rising"), (["--seconds", "0"], 2, "seconds"),
    (["--seconds", "fast"], 2, "fast"), (["--slow", "0"], 2, "slow"),
    (["--html", "/nowhere/x.html", "--model", "event", "--clients", "1", "--seconds", "0.05"], 1, "/nowhere/x.html"),
])
def test_what_is_wrong_is_said(words, status, names, site):
    done = bench(*[site if word == "DIR" else word for word in words], status=status)
    assert len(done.stderr.splitlines()) == 1 and names in done.stderr
