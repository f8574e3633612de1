"""The figures: as text for Prometheus, as a page, as events; from memory that outlives workers."""

import base64
import concurrent.futures
import hashlib
import json
import os
import re
import signal
import time

import pytest

from conftest import wait_until
from talk import Client, Gone, dial, get

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)+)\})? ([0-9.]+)')


def parse(text):
    """A small checker of the exposition format: {name: {labels: value}}; types before samples, no sample twice."""
    found, types, helped = {}, {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert kind in ("counter", "gauge", "histogram") and name in helped and name not in types
            types[name] = kind
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in types or types.get(base) == "histogram", line
        row = found.setdefault(name, {})
        assert (labels or "") not in row, line
        row[labels or ""] = float(value)
    for name, kind in types.items():
        if kind == "histogram":
            check_histogram(found, name)
    return found


def check_histogram(found, name):
    """Buckets never go down, and +Inf is the count."""
    series = {}
    for labels, value in found[f"{name}_bucket"].items():
        parts = dict(part.split("=") for part in labels.split(","))
        bound = float(parts.pop("le").strip('"'))
        series.setdefault(",".join(f"{k}={v}" for k, v in parts.items()), []).append((bound, value))
    for labels, rows in series.items():
        assert rows == sorted(rows) and [v for _, v in rows] == sorted(v for _, v in rows)
        assert rows[-1][0] == float("inf") and rows[-1][1] == found[f"{name}_count"][labels]
        assert found[f"{name}_sum"][labels] >= 0


def figures(port):
    answer = get(port, "/status/metrics")
    assert answer.status == 200 and answer.fields["content-type"].startswith("text/plain; version=0.0.4")
    return parse(answer.body.decode())


def total(found):
    return sum(found["weir_requests_total"].values())


@pytest.fixture(name="server")
def fixture_server(starter, site, model):
    return starter.serve(site, model, "--status", "/status", "--max-line", "300", "--workers", "2")


@pytest.mark.smoke
def test_requests_are_counted(server):
    for _ in range(30):
        assert get(server.port, "/digits.txt").status == 200
    for _ in range(5):
        assert get(server.port, "/nothing").status == 404
    assert get(server.port, "/" + "x" * 400).status == 414
    # An exchange is counted when it has ended, which its client may see a moment earlier.
    assert wait_until(lambda: figures(server.port)["weir_requests_total"]['code="4xx"'] == 6, 5)
    found = figures(server.port)
    assert found["weir_requests_total"]['code="2xx"'] >= 30
    assert found["weir_limits_total"]['limit="max-line"'] == 1 and sum(found["weir_limits_total"].values()) == 1
    assert found["weir_request_seconds_count"][""] == total(found)
    assert found["weir_content_bytes_total"][""] >= 300
    assert found["weir_connections_total"][""] >= 36
    assert found["weir_connections"][""] >= 1 and found["weir_serving_threads"][""] >= 1
    assert abs(found["weir_start_time_seconds"][""] - time.time()) < 120
    phases = found["weir_request_phase_seconds_count"]
    assert phases['phase="receive"'] == total(found) and phases['phase="send"'] == total(found)


def test_a_connection_that_turns_to_http2_is_one(starter, site, model):
    server = starter.serve(site, model, "--status", "/status", "--workers", "1")
    before = figures(server.port)["weir_connections_total"][""]
    for _ in range(5):
        with Client(server.port) as client:
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            assert client.take(9)
    found = figures(server.port)
    assert found["weir_connections_total"][""] == before + 6
    # An end is counted when it has been noticed.
    assert wait_until(lambda: figures(server.port)["weir_connections"][""] == 1, 5)


def test_connections_that_are_gone_are_not_open(server, model):
    """Whichever thread had them last. What asks is one connection that stays, so that asking changes nothing. Where a connection that
    rests leaves for one that waits, a second request could be on its way: one at a time there."""
    def visit(_):
        with Client(server.port) as client:
            for _ in range(3):
                assert client.ask("/digits.txt").status == 200

    with concurrent.futures.ThreadPoolExecutor(1 if model in ("sequential", "fork-wait", "prefork") else 8) as pool:
        list(pool.map(visit, range(60)))
    with Client(server.port) as client:
        open_now = lambda: parse(client.ask("/status/metrics").body.decode())["weir_connections"][""]
        assert wait_until(lambda: open_now() == 1, 20, 0.2), open_now()


def test_what_a_killed_worker_counted_stays(server):
    for _ in range(40):
        get(server.port, "/digits.txt")
    before = total(figures(server.port))
    assert before >= 40
    for pid in server.children():
        os.kill(pid, signal.SIGKILL)

    def answers():
        try:
            return figures(server.port)
        except (Gone, OSError, AssertionError):
            return None

    found = wait_until(answers, 15)
    assert total(found) >= before and found["weir_request_seconds_count"][""] == total(found)
    assert found["weir_connections"][""] <= 3


def test_lost_lines_are_among_the_figures(starter, site, model):
    server = starter("serve", site, "--listen", "http://127.0.0.1:0", "--model", model, "--status", "/s", "--access-log",
                     "|read x; exit", "--log-format", "status")
    for _ in range(50):
        get(server.port, "/digits.txt")
        time.sleep(0.005)
    lost = lambda: parse(get(server.port, "/s").body.decode())["weir_log_lost_total"]['log="access"']
    assert wait_until(lambda: get(server.port, "/s") and lost() > 0, 10, 0.1)
    server.stop()


def test_the_page(server):
    answer = get(server.port, "/status", "Accept: text/html,*/*;q=0.8")
    assert answer.status == 200 and answer.fields["content-type"] == "text/html; charset=utf-8"
    assert answer.fields["vary"] == "Accept" and answer.fields["cache-control"] == "no-store"
    page, policy = answer.body.decode(), answer.fields["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for tag in ("style", "script"):
        parts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert len(parts) == 1
        digest = base64.b64encode(hashlib.sha256(parts[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy, digest
    assert " style=" not in page and not re.search(r"\son[a-z]+=", page) and "http://" not in page.replace(
        "http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme:dark" in page and "width=device-width" in page
    assert get(server.port, "/status/").body.startswith(b"# HELP")


def test_other_paths_and_methods(server):
    assert get(server.port, "/status/other").status == 404
    assert get(server.port, "/statusx").status == 404
    assert get(server.port, "/status", method="POST").status == 405
    assert get(server.port, "/status", method="OPTIONS").status == 204
    answer = get(server.port, "/status/metrics", method="HEAD")
    assert answer.status == 200 and not answer.body


def read_events(port, count, seconds=15):
    """The data of so many events, over a plain socket."""
    with dial(port, seconds) as s:
        s.sendall(b"GET /status/events HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n")
        got = b""
        while got.count(b"data: ") < count or not got.endswith(b"\r\n"):
            part = s.recv(65536)
            got += part
            if not part or got.endswith(b"\r\n0\r\n\r\n"):
                break
    assert b"text/event-stream" in got and b"retry: 500\n" in got
    return [json.loads(data) for data in re.findall(rb"^data: (.*)$", got, re.M)]


@pytest.mark.smoke
def test_events(server):
    for _ in range(7):
        get(server.port, "/digits.txt")
    first, second = read_events(server.port, 2)[:2]
    assert second["now"] - first["now"] >= 900 and second["start"] == first["start"]
    assert sum(second["code"].values()) >= 7 and len(second["total"]) == len(second["le"]) + 1
    assert sum(second["total"]) == sum(second["code"].values())
    assert second["connections"] >= 1 and set(second["limits"]) >= {"max-line", "other"}


def test_a_stream_gives_its_place_to_others(starter, site):
    """Where there is one place, who waits gets it; the stream ends whole, and its browser will come again."""
    for model in ("sequential", "prefork"):
        server = starter.serve(site, model, "--status", "/status", "--workers", "1")
        with dial(server.port, 15) as s:
            s.sendall(b"GET /status/events HTTP/1.1\r\nHost: h\r\n\r\n")
            got = s.recv(65536)
            start = time.monotonic()
            assert get(server.port, "/digits.txt").status == 200
            assert time.monotonic() - start < 8
            while part := s.recv(65536):
                got += part
        assert got.endswith(b"0\r\n\r\n")
        server.stop()


def test_a_stop_ends_streams(server):
    with dial(server.port, 15) as s:
        s.sendall(b"GET /status/events HTTP/1.1\r\nHost: h\r\n\r\n")
        assert s.recv(65536)
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 8


@pytest.mark.long
def test_a_stream_ends_after_half_a_minute(server):
    start = time.monotonic()
    events = read_events(server.port, 1000, 45)
    assert 25 <= len(events) <= 32 and 28 < time.monotonic() - start < 40


def test_who_may_see_them(starter, site):
    """From this machine over any of its addresses; from loopback under another name, too."""
    server = starter("serve", site, "--listen", "http://127.0.0.2:0", "--status", "/status")
    with dial(server.port, host="127.0.0.2") as s:
        s.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    server.stop()


def test_server_timing(starter, site, model):
    server = starter.serve(site, model, "--server-timing")
    for path, status in (("/digits.txt", 200), ("/nothing", 404)):
        answer = get(server.port, path)
        assert answer.status == status
        steps = re.fullmatch(r"receive;dur=(\d+\.\d{3}), parse;dur=(\d+\.\d{3}), open;dur=(\d+\.\d{3})",
                             answer.fields["server-timing"])
        assert steps and all(float(step) < 60000 for step in steps.groups())
    assert "server-timing" not in starter_plain(starter, site, model)


def starter_plain(starter, site, model):
    return get(starter.serve(site, model).port, "/digits.txt").fields


@pytest.mark.smoke
def test_counts_are_exact_under_load(server):
    """Histograms add up to the number of requests."""
    count = 0
    for _ in range(4):
        with Client(server.port) as client:
            for _ in range(100):
                client.request("/digits.txt")
                assert client.answer().status == 200
                count += 1
    assert wait_until(lambda: figures(server.port)["weir_requests_total"]['code="2xx"'] >= count, 5)
    found = figures(server.port)
    assert found["weir_request_seconds_count"][""] == total(found)
