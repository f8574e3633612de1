"""weir call: any gRPC server from a shell. Against python3-grpcio with reflection under both its names, without, over unix and TLS;
and against a real etcd, by a set of descriptors."""

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from conftest import COMPLAINTS, ROOT, WEIR, session_processes, wait_until
from protos import descriptor_set

GREETER = "weir.calls.Greeter"
HERE = ROOT / "tests/system"


class Peer:
    """A server of call_peer.py."""

    def __init__(self, folder, reflection, address="127.0.0.1:0", *more):
        descriptor_set(folder / "set", "calls.proto", "reflection.proto")
        self.folder, self.log = folder, (folder / "log").open("w+")
        self.process = subprocess.Popen([sys.executable, HERE / "call_peer.py", folder / "set", address, reflection, *more],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        port = self.process.stdout.readline().decode().strip() if ready else ""
        assert port, (folder / "log").read_text()
        self.endpoint = f"tcp:127.0.0.1:{port}" if not address.startswith("unix:") else address

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
        self.process.stdout.close()
        self.log.close()


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    peer = Peer(tmp_path_factory.mktemp("peer"), "v1")
    yield peer
    peer.stop()


def call(*words, status=0, **options):
    done = subprocess.run([WEIR, "call", *map(str, words)], capture_output=True, text=True, timeout=60,
                          **{"stdin": subprocess.DEVNULL, **options} if "input" not in options else options)
    assert not COMPLAINTS.search(done.stderr), done.stderr
    assert done.returncode == status, f"status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def answers(*words, **options):
    return [json.loads(line) for line in call(*words, **options).stdout.splitlines()]


def test_one_question_one_answer(peer):
    assert answers(peer.endpoint, f"{GREETER}/SayHello", '{"name": "weir"}') == [{"name": "hello weir"}]
    assert answers(peer.endpoint, f"/{GREETER}/SayHello") == [{"name": "hello "}]
    assert answers(peer.endpoint, f"{GREETER}.SayHello", "-", input='{"name": "a"}\n') == [{"name": "hello a"}]
    assert answers(peer.endpoint.replace("tcp:", "http://") + "/", f"{GREETER}/SayHello", "{}") == [{"name": "hello "}]
    assert answers(peer.endpoint.removeprefix("tcp:"), f"{GREETER}/SayHello", "{}") == [{"name": "hello "}]
    assert call(peer.endpoint, f"{GREETER}/SayHello", '{"name": "x"}', "--pretty").stdout == '{\n  "name": "hello x"\n}\n'
    assert len(answers(peer.endpoint, f"{GREETER}/SayHello", '{"name": "big"}')[0]["name"]) == 3_000_000


def test_big_messages_go_out_too(peer):
    text = json.dumps({"name": "x" * 2_000_000})
    for gzip in ([], ["--gzip"]):
        assert len(answers(peer.endpoint, f"{GREETER}/SayHello", "-", *gzip, input=text)[0]["name"]) == 2_000_006


def test_streams_are_lines(peer):
    assert answers(peer.endpoint, f"{GREETER}/Watch") == [{"name": "0"}, {"name": "1"}, {"name": "2"}]
    said = call("--verbose", peer.endpoint, f"{GREETER}/Gather", "-", input='{"name": "a"}\n\n{"name":"b"}\n{"name": "c"}')
    assert said.stdout == "{}\n" and "trailer x-names: a,b,c" in said.stderr
    said = call("-v", peer.endpoint, f"{GREETER}/Gather", '{"name": "1"}', '{"name": "2"}')
    assert "trailer x-names: 1,2" in said.stderr
    assert "trailer x-names: \n" in call("-v", peer.endpoint, f"{GREETER}/Gather").stderr
    found = answers(peer.endpoint, f"{GREETER}/Chat", "-", input='{"name": "one"}\n{"name": "three"}\n')
    assert found == [{"i32": 3, "text": "one", "words": {"k": "one"}}, {"i32": 5, "text": "three", "words": {"k": "three"}}]


def test_answers_of_a_conversation_come_between_its_questions(peer):
    with subprocess.Popen([WEIR, "call", peer.endpoint, f"{GREETER}/Chat", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for word in ("first", "second", "third"):
            process.stdin.write(json.dumps({"name": word}).encode() + b"\n")
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 30)[0]
            assert json.loads(process.stdout.readline())["text"] == word
        # The server ends it while standard input is still open.
        process.stdin.write(b'{"name": "bye"}\n')
        process.stdin.flush()
        assert process.wait(30) == 0


def test_many_messages_both_ways(peer):
    lines = "".join(json.dumps({"name": "x" * 500 + str(i)}) + "\n" for i in range(3000))
    found = answers(peer.endpoint, f"{GREETER}/Chat", "-", input=lines)
    assert [a["text"][500:] for a in found] == [str(i) for i in range(3000)]


def test_lines_come_as_the_server_sends_them(peer):
    with subprocess.Popen([WEIR, "call", peer.endpoint, f"{GREETER}/Watch", "-H", "x-count: 1000000"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert select.select([process.stdout], [], [], 30)[0]
        assert process.stdout.readline() == b'{"name":"0"}\n'
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM


def test_the_servers_word_is_told(peer):
    for code, name in [(3, "INVALID_ARGUMENT"), (5, "NOT_FOUND"), (16, "UNAUTHENTICATED")]:
        said = call(peer.endpoint, f"{GREETER}/SayHello", json.dumps({"name": f"fail {code}"}), status=10 + code)
        assert said.stdout == "" and len(said.stderr.splitlines()) == 1
        assert f"{GREETER}/SayHello: {name}: you said fail {code}?and more" in said.stderr


def test_deadlines_end_a_call(peer):
    start = time.monotonic()
    said = call(peer.endpoint, f"{GREETER}/SayHello", '{"name": "slow"}', "--timeout", "1", status=14)
    assert "DEADLINE_EXCEEDED" in said.stderr and time.monotonic() - start < 15


def test_metadata_goes_out_and_comes_back(peer):
    said = call("-v", peer.endpoint, f"{GREETER}/SayHello", "-H", "X-User: me", "-H", "x-key-bin: AP8=")
    assert "head x-user: me" in said.stderr and "head x-key-bin: \\x00\\xff" in said.stderr
    assert "trailer tx-user: me" in said.stderr
    for wrong in ("x-user", ":x", "x-key-bin: ?", "grpc-x: 1", "x user: 1"):
        assert call(peer.endpoint, f"{GREETER}/SayHello", "-H", wrong, status=2).stderr


def test_what_there_is(peer):
    assert call(peer.endpoint, "list").stdout.splitlines() == [GREETER, "grpc.reflection.v1alpha.ServerReflection"]
    assert call(peer.endpoint, "list", GREETER).stdout.splitlines() == [f"{GREETER}/{m}" for m in ("SayHello", "Watch", "Gather", "Chat")]
    assert call(peer.endpoint, "describe", GREETER).stdout == (
        "service weir.calls.Greeter {\n"
        "  rpc SayHello(weir.calls.Hello) returns (weir.calls.Hello);\n"
        "  rpc Watch(google.protobuf.Empty) returns (stream weir.calls.Hello);\n"
        "  rpc Gather(stream weir.calls.Hello) returns (google.protobuf.Empty);\n"
        "  rpc Chat(stream weir.calls.Hello) returns (stream weir.three.All);\n"
        "}\n")
    assert call(peer.endpoint, "describe", f"{GREETER}/Chat").stdout == "rpc Chat(stream weir.calls.Hello) returns (stream weir.three.All);\n"
    said = call(peer.endpoint, "describe", "weir.three.All").stdout
    for line in ("  enum Kind {", "    NEGATIVE = -1;", "  repeated int32 numbers = 18;", "  map<uint64, double> reals = 27;", "  oneof which {",
                 "    weir.three.All one_child = 29;", "  google.protobuf.Timestamp time = 40;"):
        assert line + "\n" in said


def test_a_description_is_a_proto_file_again(peer, tmp_path):
    """What protoc reads of it is what there was."""
    from google.protobuf import descriptor_pb2
    text = 'syntax = "proto3";\npackage p;\n' + call(peer.endpoint, "describe", "weir.calls.Hello").stdout.replace("weir.calls.", "")
    (tmp_path / "x.proto").write_text(text)
    subprocess.run(["protoc", f"-I{tmp_path}", "-o", tmp_path / "x.set", "x.proto"], check=True, timeout=60)
    file, = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "x.set").read_bytes()).file
    assert [(f.name, f.number) for f in file.message_type[0].field] == [("name", 1)]


def test_mistakes_are_explained(peer):
    say = f"{GREETER}/SayHello"
    for words, status, text in [
        ([say, '{"nam": 1}'], 2, "message 1: nam: weir.calls.Hello has no such field"), ([say, "{"], 2, "message 1: line 1"),
        ([say, "{}", "{}"], 2, "takes one message, not 2"), ([f"{GREETER}/SayGoodbye"], 1, "it has SayHello, Watch, Gather, Chat"),
        (["weir.calls.Greter/SayHello"], 15, "does not know weir.calls.Greter: it is?not here"), (["SayHello"], 2, "is no method"),
        (["list", "no.Such"], 15, "does not know no.Such"), (["describe"], 2, "describe takes one name"), (["describe", "x.Y"], 15, "x.Y"),
        (["list", "weir.calls.Hello"], 1, "no service is called that"),
    ]:
        assert text in call(peer.endpoint, *words, status=status).stderr
    assert "standard input, line 2: name: wants a string" in call(peer.endpoint, f"{GREETER}/Gather", "-", status=1,
                                                                  input='{"name": "a"}\n{"name": 5}\n').stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = call(f"tcp:127.0.0.1:{free.getsockname()[1]}", "list", status=1)
    assert said.stderr.count("nobody listens there") == 1
    assert "has a path" in call("http://127.0.0.1:1/x", "list", status=2).stderr
    assert call("nonsense", "list", status=2).stderr and call(status=2).stderr and call(peer.endpoint, status=2).stderr


def test_a_server_that_dies_is_unavailable(tmp_path):
    peer = Peer(tmp_path, "v1")
    with subprocess.Popen([WEIR, "call", peer.endpoint, f"{GREETER}/Chat", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdin.write(b'{"name": "x"}\n')
        process.stdin.flush()
        assert process.stdout.readline()
        peer.process.kill()
        assert process.wait(20) == 24
        assert b"UNAVAILABLE" in process.stderr.read()
    peer.stop()


@pytest.mark.parametrize("reflection", ["v1alpha", "none"])
def test_other_servers(tmp_path, reflection):
    peer = Peer(tmp_path, reflection, f"unix:{tmp_path}/s")
    if reflection == "none":
        assert "--proto-set" in call(peer.endpoint, "list", status=1).stderr
        assert "--proto-set" in call(peer.endpoint, f"{GREETER}/SayHello", status=1).stderr
    else:
        assert GREETER in call(peer.endpoint, "list").stdout
        assert answers(peer.endpoint, f"{GREETER}/SayHello", "{}") == [{"name": "hello "}]
    found = answers("--proto-set", tmp_path / "set", peer.endpoint, f"{GREETER}/SayHello", '{"name": "x"}')
    assert found == [{"name": "hello x"}]
    peer.stop()


@pytest.mark.parametrize("reflection, words", [("lies", "is no name"), ("cut", "malformed")])
def test_a_server_that_lies_about_its_types(tmp_path, reflection, words):
    peer = Peer(tmp_path, reflection)
    assert words in call(peer.endpoint, f"{GREETER}/SayHello", status=1).stderr
    peer.stop()


def test_sets_of_descriptors_are_looked_at_without_a_server(tmp_path):
    descriptor_set(tmp_path / "set", "calls.proto")
    assert call("-p", tmp_path / "set", "tcp:127.0.0.1:1", "list").stdout == f"{GREETER}\nweir.calls.Nothing\n"
    assert "rpc Watch" in call("-p", tmp_path / "set", "tcp:127.0.0.1:1", "describe", GREETER).stdout
    assert "did you mean 'weir.calls.Greeter'" in call("-p", tmp_path / "set", "-", "describe", "greeter", status=1).stderr
    (tmp_path / "bad").write_bytes(b"\xff" * 50)
    assert "it is no set of descriptors" in call("-p", tmp_path / "bad", "-", "list", status=1).stderr
    assert "cannot read" in call("-p", tmp_path / "gone", "-", "list", status=1).stderr
    subprocess.run(["protoc", f"-I{ROOT}/tests/protos", "-o", tmp_path / "part", "calls.proto"], check=True, timeout=60)
    assert "--include_imports" in call("-p", tmp_path / "part", "-", "list", status=1).stderr


def test_over_tls(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", tmp_path / "key",
                    "-out", tmp_path / "cert"], check=True, capture_output=True, timeout=60)
    peer = Peer(tmp_path, "v1", "127.0.0.1:0", str(tmp_path / "cert"), str(tmp_path / "key"))
    secure = peer.endpoint.replace("tcp:", "https://")
    assert answers(secure, f"{GREETER}/SayHello", "--ca", tmp_path / "cert") == [{"name": "hello "}]
    assert answers(peer.endpoint.replace("tcp:", "tls:"), f"{GREETER}/SayHello", "--insecure") == [{"name": "hello "}]
    assert "certificate" in call(secure, "list", status=1).stderr
    peer.stop()


BUILDS = [pathlib.Path(WEIR).parents[2], pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build-gcc"))]


@pytest.fixture
def own(tmp_path, model):
    """rpc/server.c, which has reflection and health checking from the library."""
    found = [b / "tests/system/rpc/rpc-server" for b in BUILDS if (b / "tests/system/rpc/rpc-server").exists()]
    assert found, "no rpc-server: meson setup with -Dtests=true"
    log, endpoint = tmp_path / "log", f"unix:{tmp_path}/s"
    with log.open("w") as stderr:
        process = subprocess.Popen([found[0], endpoint, model, "async", tmp_path], stderr=stderr, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
    try:
        assert wait_until(lambda: "rpc at" in log.read_text() or process.poll() is not None, 30, 0.02)
        yield endpoint
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        for pid in session_processes(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait(10)
    assert not COMPLAINTS.search(log.read_text()), log.read_text()


def test_our_own_server(own):
    assert "weir.test.Echo" in call(own, "list").stdout.splitlines()
    assert "rpc Both(stream weir.test.Ask) returns (stream weir.test.Answer);" in call(own, "describe", "weir.test.Echo").stdout
    assert [a["text"] for a in answers(own, "weir.test.Echo/Down", '{"text": "x", "count": 3}')] == ["x"] * 3
    assert [a["text"] for a in answers(own, "weir.test.Echo/Both", "-", input='{"text": "a"}\n{"text": "b"}\n')] == ["a", "b"]
    assert answers(own, "grpc.health.v1.Health/Check") == [{"status": "SERVING"}]
    assert "PERMISSION_DENIED" in call(own, "weir.test.Echo/Unary", '{"code": 7}', status=17).stderr


def test_lines_that_are_there_do_not_wait(own):
    """The server says nothing meanwhile that would wake the client."""
    assert answers(own, "weir.test.Echo/Up", "-", input='{"payload": "AA=="}\n' * 20000) == [{"number": 20000}]


def test_no_byte_of_a_long_file_is_read_twice(own, tmp_path):
    (tmp_path / "lines").write_text("\n" * 3_000_000 + '{"payload": "AA=="}')
    with (tmp_path / "lines").open() as lines:
        assert answers(own, "weir.test.Echo/Up", "-", stdin=lines) == [{"number": 1}]


# --- a real etcd ---

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Etcd:
    def __init__(self, set_path, client):
        self.words = ["-p", set_path, client]

    def __call__(self, method, *words, **options):
        return answers(*self.words, f"etcdserverpb.{method}", *words, **options)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory):
    if not shutil.which("etcd"):
        pytest.skip("no etcd-server")
    folder = tmp_path_factory.mktemp("etcd")
    descriptor_set(folder / "set", "etcd.proto")
    client, peers = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["etcd", "--data-dir", folder / "data", "--listen-client-urls", client, "--advertise-client-urls", client,
                                    "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}",
                                    "--unsafe-no-fsync"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def ready():
        return subprocess.run([WEIR, "call", "-t", "5", "-p", folder / "set", client, "etcdserverpb.KV/Range", '{"key": "AA=="}'],
                              capture_output=True, timeout=60, stdin=subprocess.DEVNULL).returncode == 0

    try:
        assert wait_until(lambda: ready() or process.poll() is not None, 60, 0.2) and process.poll() is None, (folder / "log").read_text()[-3000:]
        yield Etcd(folder / "set", client)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def b64(text):
    return base64.b64encode(text.encode()).decode()


def test_etcd_put_and_get(etcd):
    put, = etcd("KV/Put", json.dumps({"key": b64("weir/a"), "value": b64("one")}))
    assert int(put["header"]["revision"]) > 1
    got, = etcd("KV/Range", json.dumps({"key": b64("weir/a")}))
    assert got["count"] == "1" and base64.b64decode(got["kvs"][0]["value"]) == b"one"
    before, = etcd("KV/Put", json.dumps({"key": b64("weir/a"), "value": b64("two"), "prevKv": True}))
    assert base64.b64decode(before["prevKv"]["value"]) == b"one"
    assert "kvs" not in etcd("KV/Range", json.dumps({"key": b64("weir/none")}))[0]


def test_etcd_watch_is_a_stream(etcd):
    with subprocess.Popen([WEIR, "call", *etcd.words, "etcdserverpb.Watch/Watch", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as watch, contextlib.ExitStack() as last:
        last.callback(watch.kill)  # whatever failed: it would go on for ever

        def line():
            if not select.select([watch.stdout], [], [], 30)[0]:
                watch.kill()
            return json.loads(watch.stdout.readline())

        watch.stdin.write(json.dumps({"createRequest": {"key": b64("weir/w"), "rangeEnd": b64("weir/x")}}).encode() + b"\n")
        watch.stdin.flush()
        created = line()
        assert created["created"] is True
        for i in range(3):
            etcd("KV/Put", json.dumps({"key": b64(f"weir/w{i}"), "value": b64(str(i))}))
            event, = line()["events"]
            assert base64.b64decode(event["kv"]["key"]) == f"weir/w{i}".encode() and base64.b64decode(event["kv"]["value"]) == str(i).encode()
        watch.stdin.write(json.dumps({"cancelRequest": {"watchId": created.get("watchId", "0")}}).encode() + b"\n")
        watch.stdin.flush()
        assert line()["canceled"] is True
        # The server goes on after the end of what is sent, and so does the client: until it is stopped.
        watch.stdin.close()
        time.sleep(0.3)
        assert watch.poll() is None
        watch.send_signal(signal.SIGINT)
        assert watch.wait(30) == -signal.SIGINT


def test_etcd_lease(etcd):
    lease, = etcd("Lease/LeaseGrant", '{"TTL": 100}')
    etcd("KV/Put", json.dumps({"key": b64("weir/l"), "value": b64("x"), "lease": lease["ID"]}))
    alive = etcd("Lease/LeaseKeepAlive", json.dumps({"ID": lease["ID"]}))
    assert [a["TTL"] for a in alive] == ["100"]
    left, = etcd("Lease/LeaseTimeToLive", json.dumps({"ID": lease["ID"], "keys": True}))
    assert left["grantedTTL"] == "100" and [base64.b64decode(k) for k in left["keys"]] == [b"weir/l"]
    etcd("Lease/LeaseRevoke", json.dumps({"ID": lease["ID"]}))
    assert "kvs" not in etcd("KV/Range", json.dumps({"key": b64("weir/l")}))[0]
    assert etcd("Lease/LeaseRevoke", json.dumps({"ID": lease["ID"]}), status=15) == []
