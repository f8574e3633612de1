"""Who may have what: passwords, addresses, rates, connections of one client, rewrites; weir passwd."""

import base64
import concurrent.futures
import os
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

import talk
from conftest import WEIR, wait_until

# As cheap as is taken, so that tests on a busy machine do not wait for hashes: bcrypt, cost 4 ("geheim", "sesam").
CHEAP = {}


@pytest.fixture(scope="module")
def cheap():
    """alice:geheim and bob:sesam in a file of their own."""
    return "".join(f"{user}:{hash_of(word)}\n" for user, word in (("alice", "geheim"), ("bob", "sesam")))


def hash_of(word, rounds=1000):
    if (word, rounds) not in CHEAP:
        import crypt  # pylint: disable=import-outside-toplevel,deprecated-module
        CHEAP[word, rounds] = crypt.crypt(word, f"$6$rounds={rounds}$saltsalt")
    return CHEAP[word, rounds]


def passwd(*words, given=""):
    return subprocess.run([WEIR, "passwd", *map(str, words)], input=given, capture_output=True, text=True, timeout=60,
                          check=False)


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def ask(web, path="/", headers=None, method="GET", body=None, source=None):
    conn = talk.connection(web.port, source=source)
    conn.request(method, path, body=body, headers=headers or {})
    answer = conn.getresponse()
    answer.text = answer.read().decode(errors="replace")
    conn.close()
    return answer


@pytest.fixture
def top(tmp_path, cheap):
    for name, text in {"site/index.html": "open", "private/index.html": "secret", "private/deep/index.html": "deep",
                       "users": cheap}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "users").chmod(0o600)
    (tmp_path / "cgi").mkdir()
    program = tmp_path / "cgi/env"
    program.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
                       "echo \"user=$REMOTE_USER type=$AUTH_TYPE address=$REMOTE_ADDR uri=$REQUEST_URI info=$PATH_INFO "
                       "query=$QUERY_STRING\"\ncat\n")
    program.chmod(0o755)
    return tmp_path


def config(top, text):
    path = top / "weir.conf"
    path.write_text('listen = "127.0.0.1:0"\n' + text.replace('"@', f'"{top}/').replace("=@", f"={top}/"))
    return path


def serve(starter, top, model, text, *words):
    return starter("serve", "--config", config(top, text), "--model", model, *words)


# --- passwords ---

def test_a_password_is_asked_for(top, model, starter):
    log = top / "access.log"
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", top / "users",
                  "--auth-realm", "The cellar", "--access-log", log)
    answer = ask(web)
    assert answer.status == 401
    assert answer.getheader("WWW-Authenticate") == 'Basic realm="The cellar", charset="UTF-8"'
    assert "secret" not in answer.text
    for headers, status in [(basic("alice", "geheim"), 200), (basic("bob", "sesam"), 200), (basic("alice", "sesam"), 401),
                            (basic("carol", "geheim"), 401), (basic("alice", ""), 401), ({"Authorization": "Basic"}, 401),
                            ({"Authorization": "Basic !"}, 401), ({"Authorization": "Bearer x"}, 401),
                            (basic("alice", "geheim"), 200)]:
        answer = ask(web, headers=headers)
        assert answer.status == status, headers
        assert (answer.text == "secret") == (status == 200)
    web.stop()
    lines = log.read_text().splitlines()
    assert sum(" alice [" in line and '" 200 ' in line for line in lines) == 2
    assert sum(" - - [" in line and '" 401 ' in line for line in lines) == 7
    assert "geheim" not in log.read_text() + web.said()


def test_default_hashes_of_weir_passwd(top, model, starter):
    users = top / "made"
    assert passwd(users, "grüße", "--stdin", given="Straße 1\n").returncode == 0
    assert passwd(users, "b b", "--stdin", "--bcrypt", given="x" * 72).returncode == 0
    assert re.match(r"grüße:\$y\$j9T\$[^\n]+\nb b:\$2b\$10\$[^\n]+\n$", users.read_text())
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", users)
    assert ask(web, headers=basic("grüße", "Straße 1")).status == 200
    assert ask(web, headers=basic("b b", "x" * 72)).status == 200
    assert ask(web, headers=basic("b b", "x" * 71)).status == 401


def test_content_waits_for_the_password(top, model, starter):
    web = serve(starter, top, model, 'site "default" {\n root = "@site"\n auth = "@users"\n cgi = {"/cgi-bin=@cgi"}\n}\n')
    body = "b" * 300000
    answer = ask(web, "/cgi-bin/env/x?y=z", basic("alice", "geheim"), "POST", body)
    assert answer.status == 200
    first, _, rest = answer.text.partition("\n")
    assert first == "user=alice type=Basic address=127.0.0.1 uri=/cgi-bin/env/x?y=z info=/x query=y=z"
    assert rest == body
    assert ask(web, "/cgi-bin/env", basic("alice", "wrong"), "POST", "b" * 1000).status == 401
    assert ask(web, "/cgi-bin/env").status == 401


def expect(web, user, password, body=b"content"):
    """What comes before the content is sent, and what comes after."""
    with talk.dial(web.port, 30) as conn:
        conn.sendall(f"POST /cgi-bin/env HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(user, password)['Authorization']}\r\n"
                     f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        first = conn.recv(65536)
        if first.startswith(b"HTTP/1.1 100"):
            conn.sendall(body)
        rest = b""
        while b"content" not in rest and (more := conn.recv(65536)):
            rest += more
        return first, rest


def test_nobody_is_asked_to_send_in_vain(top, model, starter):
    web = serve(starter, top, model, 'site "default" {\n root = "@site"\n auth = "@users"\n cgi = {"/cgi-bin=@cgi"}\n}\n')
    first, rest = expect(web, "alice", "geheim")
    assert first.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert b"user=alice" in first + rest
    first, rest = expect(web, "alice", "wrong")
    assert first.startswith(b"HTTP/1.1 401 ") and b"Connection: close" in first + rest


def test_guesses_are_limited(top, model, starter):
    log = top / "error.log"
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", top / "users",
                  "--error-log", log, "--status", "/status")
    assert ask(web, headers=basic("bob", "sesam")).status == 200
    answers = [ask(web, headers=basic("alice", f"guess {i}")) for i in range(14)]
    statuses = [answer.status for answer in answers]
    assert statuses[:10] == [401] * 10
    assert statuses[-1] == 429 and set(statuses) == {401, 429}
    assert 1 <= int(answers[-1].getheader("Retry-After")) <= 6
    assert ask(web, headers=basic("bob", "sesam")).status == 200  # who was right is known
    assert ask(web, headers=basic("alice", "geheim")).status == 429
    assert 'limit="auth-attempts"' in ask(web, "/status/metrics").text
    assert wait_until(lambda: '"limit":"auth-attempts"' in log.read_text(), 10)


def slow(top, rounds=500000):
    """A file whose hash takes long enough to go away meanwhile."""
    users = top / "slow"
    users.write_text(f"alice:{hash_of('geheim', rounds)}\n")
    users.chmod(0o600)
    return users


def test_guesses_count_whoever_stays_for_the_answer(top, model, starter):
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", slow(top))

    def guess_and_reset(word, seconds):
        plain = socket.create_connection(("127.0.0.1", web.port), timeout=20)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with talk.secured(plain) as conn:
            said = basic("alice", word)["Authorization"]
            conn.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {said}\r\n\r\n".encode())
            time.sleep(seconds)

    def locked_out(tries):
        for i in range(10):
            guess_and_reset(f"guess {tries} {i}", 0.02 * tries)
        return ask(web, headers=basic("alice", f"guess {tries}")).status == 429

    assert any(locked_out(tries) for tries in range(1, 9))  # fewer answers than a client may have wrong


def many_over_h2(port, head, count):
    """The statuses of so many requests on one connection, sent at once."""
    import h2.config  # pylint: disable=import-outside-toplevel
    import h2.connection
    import h2.events

    statuses, ended = [], 0
    with talk.secured(socket.create_connection(("127.0.0.1", port), timeout=60), "h2") as sock:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        connection.initiate_connection()
        for i in range(count):
            connection.send_headers(2 * i + 1, head, end_stream=True)
        while ended < count:
            sock.sendall(connection.data_to_send())
            data = sock.recv(65536)
            assert data
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses.append(dict(event.headers)[":status"])
                ended += isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset))
    return statuses


def test_one_wrong_password_counts_once(top, model, starter):
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", slow(top))
    said = basic("alice", "outdated")["Authorization"]
    head = [(":method", "GET"), (":scheme", talk.SCHEME), (":authority", "x"), (":path", "/"), ("authorization", said)]
    assert many_over_h2(web.port, head, 80) == ["401"] * 80
    assert ask(web, headers=basic("alice", "geheim")).status == 200


def test_a_client_whose_password_was_remembered_is_known(top, model, starter):
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", top / "users")
    for source in ("127.0.0.1", "127.0.0.2"):  # the second one's is not compared any more
        assert ask(web, headers=basic("alice", "geheim"), source=source).status == 200

    def guess(number):
        return ask(web, headers=basic("alice", f"guess {number}"), source=f"127.0.1.{1 + number // 8}").status

    assert any(guess(number) == 429 for number in range(1600))  # many addresses guess at one name
    assert ask(web, headers=basic("alice", "typo"), source="127.0.0.2").status == 401


@pytest.mark.threads
def test_many_guesses_at_once(top, model, starter):
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", top / "users")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        right = [pool.submit(ask, web, "/", basic("alice", "geheim")) for _ in range(24)]
        assert {job.result().status for job in right} == {200}
        wrong = [pool.submit(ask, web, "/", basic("alice", f"guess {i}")) for i in range(64)]
        assert {job.result().status for job in wrong} <= {401, 429, 503}
    assert ask(web, headers=basic("alice", "geheim")).status == 200


def at_once(web, guesses):
    """The answers to (name, password, address), each on a connection of its own."""
    with concurrent.futures.ThreadPoolExecutor(len(guesses)) as pool:
        return list(pool.map(lambda guess: ask(web, headers=basic(*guess[:2]), source=guess[2]), guesses))


@pytest.mark.threads
def test_guesses_at_once_are_no_more_than_one_after_the_other(top, model, starter):
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", slow(top, 300000))
    start = time.monotonic()
    answers = at_once(web, [("alice", f"guess {i}", "127.0.0.1") for i in range(40)])
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {401, 429, 503}
    assert statuses.count(401) <= 11 + (time.monotonic() - start) / 6  # ten, and what wears off
    assert all(int(answer.getheader("Retry-After")) >= 1 for answer in answers if answer.status != 401)


def test_who_waits_for_a_place_in_vain_is_told_so(top, starter):
    users = top / "made"
    users.write_text("alice:$2b$13$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde\n"  # half a second
                     + "".join(f"bob{i}:{hash_of('sesam')}\n" for i in range(10)))
    users.chmod(0o600)
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", "fork", "--auth", users)
    said = basic("alice", "guess")["Authorization"]
    held, stopped = [], set()

    def stop_while_comparing(tries):
        for i in range(8):
            held.append(talk.dial(web.port, 60, f"127.0.{tries}.{1 + i // 4}"))
            held[-1].sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {said}\r\n\r\n".encode())
        time.sleep(0.1 * tries)
        workers = web.children()
        stopped.update(pid for pid, (_, parent) in web.processes().items() if parent in workers)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)

    def refusal(tries):
        stop_while_comparing(tries)
        answer = ask(web, headers=basic(f"bob{tries}", "sesam"))
        return answer if answer.status == 503 else None

    try:
        answer = next(filter(None, map(refusal, range(1, 10))), None)
        assert answer and answer.getheader("Retry-After") == "2"
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
        for conn in held:
            conn.close()
    assert wait_until(lambda: ask(web, headers=basic("bob0", "sesam")).status == 200, 30, 0.2)  # they left no place behind


def test_a_changed_file_counts(top, model, starter, cheap):
    log = top / "error.log"
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--model", model, "--auth", top / "users",
                  "--error-log", log)
    assert ask(web, headers=basic("bob", "sesam")).status == 200
    assert passwd(top / "users", "bob", "--delete").returncode == 0
    assert wait_until(lambda: ask(web, headers=basic("bob", "sesam")).status == 401, 10, 1)
    assert ask(web, headers=basic("alice", "geheim")).status == 200
    (top / "users").write_text(cheap + "nonsense\n")
    assert wait_until(lambda: ask(web, headers=basic("alice", "geheim")) and log.exists()
                      and '"what":"auth"' in log.read_text(), 15, 0.5)
    assert "users:3: a line is USER:HASH" in log.read_text()
    assert ask(web, headers=basic("alice", "geheim")).status == 200
    (top / "users").write_text(cheap)
    assert wait_until(lambda: ask(web, headers=basic("bob", "sesam")).status in (200, 429), 10, 1)


def test_unknown_users_cost_the_same(top, starter):
    users = top / "made"
    assert passwd(users, "alice", "--stdin", given="geheim").returncode == 0
    web = starter("serve", top / "private", "--listen", "127.0.0.1:0", "--auth", users)

    def seconds(user):
        times = []
        for i in range(4):
            start = time.monotonic()
            assert ask(web, headers=basic(user, f"wrong {i}")).status == 401
            times.append(time.monotonic() - start)
        return min(times)

    known, unknown = seconds("alice"), seconds("nobody")
    assert unknown > known / 3 and known > unknown / 3
    assert unknown > 0.004


def test_what_is_wrong_with_passwords_is_said(top):
    def said(*words):
        done = subprocess.run([WEIR, "serve", top / "site", "--listen", "127.0.0.1:0", *map(str, words)],
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode in (1, 2), done
        return done.stderr

    assert "nowhere: No such file" in said("--auth", top / "nowhere")
    (top / "bad").write_text("alice:" + "$2b$15$" + "." * 53 + "\n")
    assert "bad:1: comparing with it would take too long" in said("--auth", top / "bad")
    (top / "bad").write_text("alice:$apr1$x$y\n")
    assert "weir passwd" in said("--auth", top / "bad")
    assert "auth-realm" in said("--auth", top / "users", "--auth-realm", 'a"b')


def test_passwords_others_can_see(top, starter):
    web = starter("serve", top / "site", "--listen", "127.0.0.1:0", "--auth", top / "users")
    assert web.said().count("\n") == 1
    (top / "users").chmod(0o644)
    web = starter("serve", top / "site", "--listen", "0.0.0.0:0", "--auth", top / "users")
    assert "chmod o-r" in web.said() and "over http" in web.said()
    (top / "weir.conf").write_text(f'root = "{top}/site"\nauth = "{top}/users"\n')
    done = subprocess.run([WEIR, "config", "check", top / "weir.conf"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and "chmod o-r" in done.stderr


# --- addresses ---

def test_addresses_are_allowed_and_denied(top, model, starter):
    log = top / "access.log"
    text = """access-log = "@access.log"
access = {"deny 127.0.0.3", "allow 127.0.0.0/8", "deny all"}
site "default" {
    root = "@site"
    mount "/private" { root = "@private" access = {"deny 127.0.0.2", "allow 127.0.0.3"} }
}
"""
    web = serve(starter, top, model, text)

    def status(source, path):
        conn = talk.connection(web.port, 20, source)
        conn.request("GET", path)
        answer = conn.getresponse()
        answer.read()
        conn.close()
        return answer.status

    assert [status(f"127.0.0.{i}", "/") for i in (1, 2, 3)] == [200, 200, 403]
    assert [status(f"127.0.0.{i}", "/private/") for i in (1, 2, 3)] == [200, 403, 200]
    web.stop()
    assert sum(line.endswith(" limit=access") for line in log.read_text().splitlines()) == 2


def test_users_of_unix_sockets(top, model, starter):
    path = top / "socket"
    web = starter("serve", top / "site", "--listen", f"unix:{path}", "--model", model, "--access",
                  f"allow unix:uid={os.getuid()}", "--access", "deny all")
    other = starter("serve", top / "site", "--listen", f"unix:{path}2", "--model", model, "--access", "deny unix:uid=12345",
                    "--access", f"deny unix:uid={os.getuid()}")
    for place, want in ((path, b"HTTP/1.1 200 "), (f"{path}2", b"HTTP/1.1 403 ")):
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(20)
            conn.connect(str(place))
            conn.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert conn.recv(100).startswith(want)
    del web, other


@pytest.mark.parametrize("text, words", [
    ('access = {"deny 192.0.2.1/24"}', "192.0.2.0/24 is what"),
    ('access = {"deny 192.0.2.0/33"}', "from 0 to 32"),
    ('access = {"192.0.2.0/24"}', "'allow ADDRESS' or 'deny ADDRESS'"),
    ('trusted-proxy = {"all"}', "an address of its own"),
    ('trusted-proxy = {"10.0.0.1/8"}', "10.0.0.0/8 is what"),
    ('client-rate = "10"', "client-rate is like"),
    ('client-rate = "0/s"', "client-rate is like"),
    ('client-connections = 0', "from 1 to"),
    ('client-field = "x-real-ip"', "x-forwarded-for or forwarded"),
    ('rewrite = {"/a=https://example.org/"}', "within the site"),
    ('auth-realm = "a\\"b"', "without quotes"),
    ('auth = "nowhere"', "cannot read the passwords in nowhere"),
])
def test_check_finds_it(top, text, words):
    path = config(top, f'root = "@site"\n{text}\n')
    done = subprocess.run([WEIR, "config", "check", path], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and words in done.stderr
    assert re.search(r"weir\.conf:3:\d+: ", done.stderr), done.stderr
    assert len(done.stderr.splitlines()) == 1


# --- proxies ---

def test_only_trusted_proxies_are_believed(top, model, starter):
    text = 'site "default" {\n root = "@site"\n cgi = {"/cgi-bin=@cgi"}\n access = {"deny 192.0.2.0/24"}\n}\n'
    forwarded = {"X-Forwarded-For": "192.0.2.1"}
    web = serve(starter, top, model, text)
    assert ask(web, headers=forwarded).status == 200
    assert "address=127.0.0.1 " in ask(web, "/cgi-bin/env", forwarded).text
    log = top / "proxied.log"
    web = serve(starter, top, model, f'trusted-proxy = {{"127.0.0.1"}}\naccess-log = "{log}"\nlog-mask = "24/48"\nstatus = "/s"\n'
                + text)
    assert ask(web, headers=forwarded).status == 403
    assert ask(web, headers={"Forwarded": "for=192.0.2.1"}).status == 200
    assert ask(web, headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.77"}).status == 200
    answer = ask(web, "/cgi-bin/env", {"X-Forwarded-For": "203.0.113.77"})
    assert "address=203.0.113.77 " in answer.text
    assert ask(web, "/s/metrics").status == 200
    assert ask(web, "/s/metrics", {"X-Forwarded-For": "203.0.113.77"}).status == 403
    web.stop()
    assert "203.0.113.0 - - [" in log.read_text() and "203.0.113.77" not in log.read_text()
    web = serve(starter, top, model, 'trusted-proxy = {"127.0.0.1"}\nclient-field = "forwarded"\n' + text)
    assert ask(web, headers={"Forwarded": 'For="192.0.2.1:99";proto=http'}).status == 403
    assert ask(web, headers=forwarded).status == 200


@pytest.mark.parametrize("field, name", [("x-forwarded-for", "X-Forwarded-For"), ("forwarded", "Forwarded")])
def test_no_quote_hides_a_client_from_his_proxy(top, model, starter, field, name):
    """What the client wrote, and what the proxy made of it: his own address behind it."""
    words = ("--listen", "127.0.0.1:0", "--model", model, "--trusted-proxy", "127.0.0.1", "--client-field", field)
    key = "for=" if field == "forwarded" else ""
    inside = starter("serve", top / "site", *words, "--access", "allow 127.0.0.1", "--access", "allow 10.0.0.1", "--access",
                     "deny all")
    outside = starter("serve", top / "site", *words, "--access", "allow 203.0.113.9", "--access", "deny all")
    for forged in ('"', f'{key}10.0.0.1;x="', f'{key}10.0.0.1;x="\\', f'{key}"127.0.0.1', 'x="\\"', "unknown", ""):
        headers = {name: f"{forged}, {key}203.0.113.9"}
        assert (ask(inside, headers=headers).status, ask(outside, headers=headers).status) == (403, 200), forged
    assert ask(inside).status == 200  # the proxy itself


def test_whom_a_proxy_does_not_name_is_nobody_who_is_allowed(top, model, starter):
    log = top / "unknown.log"
    text = """trusted-proxy = {"127.0.0.1"}
status = "/s"
site "default" {
    root = "@site"
    access = {"allow 127.0.0.1", "allow 0.0.0.0/0"}
    cgi = {"/cgi-bin=@cgi"}
    mount "/private" { root = "@private" access = {"deny 192.0.2.1", "allow all"} }
    mount "/mine" { root = "@private" access = {"allow 127.0.0.1", "deny all"} }
    mount "/rated" { root = "@private" client-rate = "1/m burst 2" }
}
"""
    web = serve(starter, top, model, text, "--access-log", log)
    unknown = [{"X-Forwarded-For": said} for said in ("unknown", "192.0.2.1, _hidden", '"127.0.0.1"', "")]
    for headers in unknown:
        paths = ("/", "/private/", "/mine/", "/s/metrics")
        assert [ask(web, path, headers).status for path in paths] == [200, 403, 403, 403], headers
        assert "address=unknown " in ask(web, "/cgi-bin/env", headers).text
    assert [ask(web, "/rated/", headers).status for headers in unknown] == [200, 200, 429, 429]  # one client
    assert ask(web, "/rated/").status == 200  # the proxy is another
    web.stop()
    assert sum(line.startswith("unknown - - [") for line in log.read_text().splitlines()) == 24


# --- rates ---

def test_a_rate_is_one_for_all_workers(top, model, starter):
    text = """status = "/status"
site "default" {
    root = "@site"
    client-rate = "30/m burst 10"
    mount "/private" { root = "@private" }
    mount "/free" { root = "@private" client-rate = "off" }
}
"""
    web = serve(starter, top, model, text)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: ask(web, "/private/" if i % 2 else "/"), range(24)))
    good = sum(answer.status == 200 for answer in answers)
    late = [answer for answer in answers if answer.status == 429]
    assert good + len(late) == 24
    assert 10 <= good <= 18  # what comes back while a busy machine asks
    assert all(1 <= int(answer.getheader("Retry-After")) <= 3 for answer in late)
    assert all(ask(web, "/free/").status == 200 for _ in range(15))
    struck = re.search(r'weir_limits_total\{limit="client-rate"\} (\d+)', ask(web, "/status/metrics").text)
    assert int(struck[1]) == len(late)


def test_other_addresses_have_rates_of_their_own(top, model, starter):
    web = starter("serve", top / "site", "--listen", "127.0.0.1:0", "--model", model, "--client-rate", "1/m burst 2",
                  "--trusted-proxy", "127.0.0.1")
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        statuses = [ask(web, headers={"X-Forwarded-For": address}).status for _ in range(3)]
        assert statuses == [200, 200, 429], address
    assert ask(web, headers={"X-Forwarded-For": "2001:db8::ffff:1"}).status == 429  # the same /64
    assert ask(web, headers={"X-Forwarded-For": "2001:db8:0:1::1"}).status == 200


def test_connections_of_one_client(top, model, starter):
    if model in ("sequential", "fork-wait"):
        pytest.skip("there is one connection at a time")
    log = top / "access.log"
    web = starter("serve", top / "site", "--listen", "127.0.0.1:0", "--model", model, "--client-connections", 3,
                  "--access-log", log)

    def connect(source="127.0.0.1"):
        conn = talk.dial(web.port, 20, source)
        conn.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith((b"open", b"</html>\n")) and (more := conn.recv(65536)):
            answer += more
        return conn, answer

    held = [connect() for _ in range(3)]
    assert all(answer.startswith(b"HTTP/1.1 200 ") for _, answer in held)
    refused, answer = connect()
    assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 5\r\n" in answer and b"Connection: close\r\n" in answer
    refused.close()
    other, answer = connect("127.0.0.2")
    assert answer.startswith(b"HTTP/1.1 200 ")
    other.close()
    held.pop()[0].close()

    def comes_in():
        conn, said = connect()
        conn.close()
        return said.startswith(b"HTTP/1.1 200 ")

    assert wait_until(comes_in, 20, 0.2)
    for conn, _ in held:
        conn.close()
    web.stop()
    assert "limit=client-connections" in log.read_text()


def test_a_killed_worker_leaves_no_connections_behind(top, starter):
    web = starter("serve", top / "site", "--listen", "127.0.0.1:0", "--workers", 1, "--client-connections", 2)

    def connect():
        conn = talk.dial(web.port, 20)
        conn.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return conn, conn.recv(65536)

    held = [connect() for _ in range(2)]
    assert all(answer.startswith(b"HTTP/1.1 200 ") for _, answer in held)
    refused, answer = connect()
    assert answer.startswith(b"HTTP/1.1 503 ")
    refused.close()
    os.kill(web.children()[0], signal.SIGKILL)
    for conn, _ in held:
        conn.close()
    held = [connect() for _ in range(2)]
    assert all(answer.startswith(b"HTTP/1.1 200 ") for _, answer in held)
    for conn, _ in held:
        conn.close()


# --- rewrites ---

def test_rewrites_stay_inside(top, model, starter):
    text = """site "default" {
    root = "@site"
    rewrite = {"/alias/*=/private/*", "/app/*=/cgi-bin/env/*", "/one=/private/deep/?a=b", "/loop/*=/loop/x/*", "/*=/private/*"}
    redirect = {"/gone=/alias/"}
    cgi = {"/cgi-bin=@cgi"}
    mount "/private" { root = "@private" auth = "@users" field = {"X-Mount: private"} }
}
"""
    web = serve(starter, top, model, text)
    who = basic("alice", "geheim")
    assert ask(web, "/alias/").status == 401  # what guards the place it leads to
    answer = ask(web, "/alias/", who)
    assert (answer.status, answer.text, answer.getheader("X-Mount")) == (200, "secret", "private")
    assert answer.getheader("Location") is None
    assert ask(web, "/alias/deep/../deep/", who).text == "deep"
    assert ask(web, "/one?c=d", who).text == "deep"
    assert ask(web, "/gone").getheader("Location") == "/alias/"
    answer = ask(web, "/app/a%20b?x=1")
    assert answer.text.strip() == "user= type= address=127.0.0.1 uri=/app/a%20b?x=1 info=/a b query=x=1"
    answer = ask(web, "/app/x", method="POST", body="content")
    assert answer.text.endswith("\ncontent")
    assert ask(web, "/loop/1", who).status == 404  # once, not for ever
    assert ask(web, "/deep/", who).text == "deep"
    assert ask(web, "/alias/" + "y" * 4000, who).status in (404, 414)


def test_rewritten_content_waits_for_the_password(top, model, starter):
    text = 'site "default" {\n root = "@site"\n auth = "@users"\n rewrite = {"/app/*=/cgi-bin/env/*"}\n cgi = {"/cgi-bin=@cgi"}\n}\n'
    web = serve(starter, top, model, text)
    answer = ask(web, "/app/p?q", basic("alice", "geheim"), "POST", "c" * 100000)
    assert answer.text == "user=alice type=Basic address=127.0.0.1 uri=/app/p?q info=/p query=q\n" + "c" * 100000


# --- what guards what ---

def test_guards_merge_along_the_path(top, model, starter):
    text = """site "default" {
    root = "@site"
    cgi = {"/private/cgi=@cgi", "/open/cgi=@cgi"}
    mount "/private" { root = "@private" auth = "@users" access = {"deny 127.0.0.2"} }
    mount "/private/deep" { root = "@private/deep" }
    mount "/private/free" { root = "@private/deep" auth = "off" }
    mount "/open/cgi" { auth = "@users" }
}
"""
    web = serve(starter, top, model, text)
    assert [ask(web, path).status for path in ("/", "/private/", "/private/deep/", "/private/free/")] == [200, 401, 401, 200]
    assert ask(web, "/private/cgi/env").status == 401
    assert ask(web, "/open/cgi/env").status == 401
    assert "user=bob" in ask(web, "/open/cgi/env", basic("bob", "sesam")).text
    assert ask(web, "/%70rivate/deep/").status == 401
    assert ask(web, "//private/deep/").status == 401
    assert ask(web, "/x/../private/").status == 401
    conn = talk.connection(web.port, 20, "127.0.0.2")
    conn.request("GET", "/private/free/")
    assert conn.getresponse().status == 403
    conn.close()


def test_a_program_leads_to_a_guarded_place(top, model, starter):
    """RFC 3875 section 6.2.2: as if the client had asked for that address; what was said of the first one stays."""
    lead = top / "cgi/lead"
    lead.write_text("#!/bin/sh\nprintf 'Location: /private/\\n\\n'\n")
    lead.chmod(0o755)
    text = """site "default" {
    root = "@site"
    field = {"X-Site: once"}
    cgi = {"/cgi-bin=@cgi"}
    mount "/private" { root = "@private" auth = "@users" }
}
"""
    web = serve(starter, top, model, text)
    assert ask(web, "/cgi-bin/lead").status == 401
    for _ in range(2):  # compared with the hash, then remembered
        answer = ask(web, "/cgi-bin/lead", basic("alice", "geheim"))
        assert (answer.status, answer.text) == (200, "secret")
        assert answer.headers.get_all("X-Site") == ["once"]


def test_explain_says_which_and_from_where(top):
    text = """client-connections = 20
site "example.org" {
    root = "@site"
    access = {"deny 192.0.2.0/24"}
    rewrite = {"/alias/*=/private/*"}
    mount "/private" {
        root = "@private"
        auth = "@users"
        auth-realm = "cellar"
        client-rate = "10/s burst 20"
        access = {"allow 192.0.2.7"}
    }
}
"""
    path = config(top, text)
    done = subprocess.run([WEIR, "config", "explain", path, "http://example.org/alias/a%20b?c"], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.stdout.splitlines() == [
        "site: example.org (line 3)", "rewrite: to /private/a%20b?c (line 6)", "mount: /private (line 7)",
        "client-connections: 20 (line 2)", "access: allow 192.0.2.7 (line 12)", "access: deny 192.0.2.0/24 (line 5)",
        "client-rate: 10/s burst 20 (line 11)", f'auth: {top}/users, for "cellar" (line 9)', f"files: {top}/private (line 8)"]
    shown = subprocess.run([WEIR, "config", "show", path], capture_output=True, text=True, timeout=20, check=False).stdout
    (top / "again.conf").write_text(shown)
    again = subprocess.run([WEIR, "config", "show", top / "again.conf"], capture_output=True, text=True, timeout=20, check=False)
    strip = re.compile(r" # (line|default).*")
    assert [strip.sub("", line) for line in again.stdout.splitlines()] == [strip.sub("", line) for line in shown.splitlines()]


# --- HTTP/2 ---

def curl(*words):
    carried = ["--http2", "--cacert", talk.certificate()[0]] if talk.SECURE else ["--http2-prior-knowledge"]
    done = subprocess.run(["curl", "-s", "-m", "30", *carried, "-w", "\n%{http_version} %{http_code}", *words],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def test_http2_is_guarded_alike(top, model, starter):
    text = """site "default" {
    root = "@site"
    auth = "@users"
    client-rate = "1/m burst 8"
    rewrite = {"/app/*=/cgi-bin/env/*"}
    cgi = {"/cgi-bin=@cgi"}
}
"""
    web = serve(starter, top, model, text)
    body = top / "body"
    body.write_text("b" * 200000)
    small = top / "small"  # fits a window: curl 7.88 stumbles over an answer that comes before it has sent everything
    small.write_text("s" * 20000)
    who = ("-u", "alice:geheim")
    url = f"{talk.SCHEME}://127.0.0.1:{web.port}"
    assert curl(url + "/").endswith("\n2 401")
    assert curl(*who, url + "/") == "open\n2 200"
    assert curl("-u", "alice:wrong", "--data-binary", f"@{small}", url + "/app/x").endswith("\n2 401")
    answer = curl(*who, "--data-binary", f"@{body}", url + "/app/x?y")
    assert answer == "user=alice type=Basic address=127.0.0.1 uri=/app/x?y info=/x query=y\n" + body.read_text() + "\n2 200"
    answer = curl("-u", "bob:sesam", "--data-binary", f"@{small}", url + "/index.html")  # held back, and then nobody's
    assert answer.endswith("\n2 405")
    assert curl(*who, "-H", "Expect: 100-continue", "-d", "short", url + "/app/").endswith("short\n2 200")
    assert curl(*who, url + "/").endswith("\n2 200")
    assert curl(*who, url + "/").endswith("\n2 200")
    assert curl(*who, url + "/").endswith("\n2 429")


def test_http2_connections_of_one_client(top, starter):
    web = starter("serve", top / "site", "--listen", "127.0.0.1:0", "--client-connections", 1)
    with talk.dial(web.port, 20) as conn:
        conn.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert conn.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert curl(f"{talk.SCHEME}://127.0.0.1:{web.port}/") == "\n0 000"
    assert wait_until(lambda: curl(f"{talk.SCHEME}://127.0.0.1:{web.port}/") == "open\n2 200", 20, 0.2)
