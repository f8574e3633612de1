"""A server of gRPC (weir/rpc_server.h) under every model, its functions on the connection's thread and on helper threads: by the clients of
python3-grpcio, by the client of the library (rpc/client.c), and with hands on every byte. rpc/server.c answers."""

import gzip
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

import frames
from conftest import COMPLAINTS, ROOT, session_processes, wait_until
from frames import fields, frame
from test_rpc_client import DETAILS, FAILURE, SETTINGS, ask, find, messages, passes  # pylint: disable=unused-import

grpc = pytest.importorskip("grpc")

HOLD = {"timeout": 120}  # on a busy machine


@pytest.fixture(scope="session")
def pb(messages):
    sys.path.insert(0, str(messages))
    subprocess.run(["protoc", f"--proto_path={ROOT / 'src/rpc/proto'}", f"--python_out={messages}", "health.proto",
                    "reflection_v1.proto"], check=True, timeout=60)
    import echo_pb2  # pylint: disable=import-outside-toplevel
    return echo_pb2


class Server:
    def __init__(self, folder, endpoint, model, mode, *more):
        self.log = folder / f"log-{time.monotonic_ns()}"
        site = folder / "site"
        site.mkdir(exist_ok=True)
        (site / "a.txt").write_text("a file")
        with self.log.open("w") as stderr:
            self.process = subprocess.Popen([find("rpc-server"), endpoint, model, mode, site, *more], stderr=stderr,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        assert wait_until(lambda: self.ready() or self.process.poll() is not None, 30, 0.01)
        assert self.ready(), self.log.read_text()
        self.endpoint = self.ready()[1]
        self.target = self.endpoint.removeprefix("tcp:")

    def ready(self):
        return re.search(r"^rpc at .*?((?:tcp|unix|shm):\S+)", self.log.read_text(), re.M)

    def complaints(self):
        return COMPLAINTS.search(self.log.read_text())

    def stop(self, expect=(0,)):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(20) in expect, self.log.read_text()
            assert not self.complaints(), self.log.read_text()
        finally:
            for pid in session_processes(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.wait(10)


@pytest.fixture(scope="module", params=["async", "blocking"])
def server(request, model, tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("rpc-server"), "tcp:127.0.0.1:0", model, request.param)
    yield started
    started.stop(expect=(0, 3))  # a client of grpcio may keep its connection


class Stub:
    def __init__(self, target, pb, **options):
        self.channel = grpc.insecure_channel(target, options=[("grpc.max_receive_message_length", 64 << 20),
                                                              ("grpc.use_local_subchannel_pool", 1), *options.items()])
        kinds = {"Unary": "unary_unary", "Down": "unary_stream", "Up": "stream_unary", "Both": "stream_stream"}
        for name, kind in kinds.items():
            setattr(self, name.lower(), getattr(self.channel, kind)(
                f"/weir.test.Echo/{name}", request_serializer=pb.Ask.SerializeToString,
                response_deserializer=pb.Answer.FromString))


@pytest.fixture
def stub(server, pb):
    made = Stub(server.target, pb)
    yield made
    made.channel.close()


# --- the clients of grpcio ---

@pytest.mark.smoke
def test_unary(stub, pb):
    for text in ("hello", "h\u00fc", ""):
        answer = stub.unary(pb.Ask(text=text, payload=b"abc"), **HOLD)
        assert (answer.text, answer.number) == (text, 3)


def test_many_at_once(stub, pb):
    calls = [stub.unary.future(pb.Ask(text=str(i), size=i), **HOLD) for i in range(200)]
    for i, call in enumerate(calls):
        answer = call.result()
        assert (answer.text, len(answer.payload)) == (str(i), i)


def test_big_messages(stub, pb):
    answer = stub.unary(pb.Ask(payload=b"x" * (3 << 20), size=7 << 20), **HOLD)
    assert answer.number == 3 << 20 and answer.payload == b"y" * (7 << 20)


def test_a_message_over_the_limit_is_refused_and_the_connection_goes_on(stub, pb):
    with pytest.raises(grpc.RpcError) as error:
        stub.unary(pb.Ask(payload=b"x" * ((4 << 20) + 1)), **HOLD)
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stub.unary(pb.Ask(text="on"), **HOLD).text == "on"


@pytest.mark.smoke
def test_errors_with_details(stub, pb):
    with pytest.raises(grpc.RpcError) as error:
        stub.unary(pb.Ask(code=5), **HOLD)
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.NOT_FOUND, FAILURE)
    assert dict(error.value.trailing_metadata())["grpc-status-details-bin"] == DETAILS
    call = stub.down(pb.Ask(count=3, code=15), **HOLD)
    seen = []
    with pytest.raises(grpc.RpcError) as error:
        for answer in call:
            seen.append(answer.number)
    assert seen == [0, 1, 2] and error.value.code() == grpc.StatusCode.DATA_LOSS


def test_every_status_code(stub, pb):
    for code in range(1, 17):
        with pytest.raises(grpc.RpcError) as error:
            stub.unary(pb.Ask(code=code), **HOLD)
        assert error.value.code().value[0] == code


def test_metadata(stub, pb):
    sent = [("x-text", "a b"), ("x-raw-bin", b"\0\xff\n"), ("x-text", "again")]
    answer, call = stub.unary.with_call(pb.Ask(), metadata=sent, **HOLD)
    assert answer.number == 0
    assert sorted((k, v) for k, v in call.initial_metadata() if k.startswith("x-")) == sorted(sent)
    assert sorted((k, v) for k, v in call.trailing_metadata() if k.startswith("t-")) == sorted(("t" + k[1:], v) for k, v in sent)


@pytest.mark.smoke
def test_streams(stub, pb):
    assert [a.number for a in stub.down(pb.Ask(count=1000, size=2000), **HOLD)] == list(range(1000))
    assert stub.up((pb.Ask(payload=b"x" * 100000) for _ in range(100)), **HOLD).number == 10000000
    assert [a.text for a in stub.both((pb.Ask(text=str(i)) for i in range(500)), **HOLD)] == [str(i) for i in range(500)]


def test_a_talk_goes_back_and_forth(stub, pb):
    """Each answer before the next question."""
    questions, answers = [], None
    more = threading.Semaphore(1)

    def ask_on():
        for i in range(50):
            assert more.acquire(timeout=20)
            questions.append(i)
            yield pb.Ask(text=str(i))

    answers = stub.both(ask_on(), **HOLD)
    for i, answer in enumerate(answers):
        assert answer.text == str(i) and len(questions) == i + 1
        more.release()


def test_a_talk_may_be_silent(stub, pb):
    """For longer than the deadlines of HTTP, which are two seconds here."""
    def slowly():
        for i in range(2):
            yield pb.Ask(text=str(i))
            time.sleep(3)

    assert [a.text for a in stub.both(slowly(), **HOLD)] == ["0", "1"]


def test_a_function_that_waits_may_be_slow(model, tmp_path, pb):
    server = Server(tmp_path, "tcp:127.0.0.1:0", model, "blocking")
    made = Stub(server.target, pb)
    try:
        assert made.unary(pb.Ask(text="slow", delay_ms=3000), **HOLD).text == "slow"
    finally:
        made.channel.close()
        server.stop(expect=(0, 3))


def never_ends(ask_first):
    yield ask_first
    threading.Event().wait(20)


def test_deadlines(stub, pb):
    for call in (lambda: stub.unary(pb.Ask(hold=True), timeout=0.4),
                 lambda: next(stub.both(never_ends(pb.Ask(hold=True)), timeout=0.4))):
        start = time.monotonic()
        with pytest.raises(grpc.RpcError) as error:
            call()
        assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert 0.3 < time.monotonic() - start < 15
    assert stub.unary(pb.Ask(text="on"), **HOLD).text == "on"


def test_the_server_is_told_of_a_cancelled_call(stub, pb):
    before = stub.unary(pb.Ask(text="how many cancelled?"), **HOLD).number
    call = stub.down(pb.Ask(count=1000000, size=1000), timeout=60)
    for _ in range(10):
        next(call)
    call.cancel()
    assert wait_until(lambda: stub.unary(pb.Ask(text="how many cancelled?"), **HOLD).number > before, 60, 0.05)


def test_gzip_both_ways(stub, pb):
    answer = stub.unary(pb.Ask(text="z" * 100000, size=100000), compression=grpc.Compression.Gzip, **HOLD)
    assert answer.text == "z" * 100000 and answer.payload == b"y" * 100000


def test_methods_that_are_not_there(stub):
    for path in ("/weir.test.Echo/Nothing", "/weir.test.Nobody/Nothing"):
        with pytest.raises(grpc.RpcError) as error:
            stub.channel.unary_unary(path)(b"", **HOLD)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_what_is_no_protobuf_is_refused(stub):
    with pytest.raises(grpc.RpcError) as error:
        stub.channel.unary_unary("/weir.test.Echo/Unary")(b"\xff\xff\xff", **HOLD)
    assert error.value.code() == grpc.StatusCode.INTERNAL


# --- health and reflection ---

def test_health(stub, pb):
    import health_pb2 as health  # pylint: disable=import-outside-toplevel
    check = stub.channel.unary_unary("/grpc.health.v1.Health/Check", health.HealthCheckRequest.SerializeToString,
                                     health.HealthCheckResponse.FromString)
    for name in ("", "weir.test.Echo", "grpc.health.v1.Health"):
        assert check(health.HealthCheckRequest(service=name), **HOLD).status == 1
    with pytest.raises(grpc.RpcError) as error:
        check(health.HealthCheckRequest(service="nobody"), **HOLD)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    watch = stub.channel.unary_stream("/grpc.health.v1.Health/Watch", health.HealthCheckRequest.SerializeToString,
                                      health.HealthCheckResponse.FromString)
    call = watch(health.HealthCheckRequest(service="weir.test.Echo"), timeout=60)
    assert next(call).status == 1
    assert stub.unary(pb.Ask(text="ill"), **HOLD).text == "ill"
    assert next(call).status == 2
    assert check(health.HealthCheckRequest(service="weir.test.Echo"), **HOLD).status == 2
    stub.unary(pb.Ask(text="well"), **HOLD)
    assert next(call).status == 1
    call.cancel()
    unknown = watch(health.HealthCheckRequest(service="nobody"), timeout=60)
    assert next(unknown).status == 3
    unknown.cancel()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection(stub, version):
    import reflection_v1_pb2 as ref  # pylint: disable=import-outside-toplevel
    from google.protobuf import descriptor_pb2  # pylint: disable=import-outside-toplevel
    talk = stub.channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                                      ref.ServerReflectionRequest.SerializeToString, ref.ServerReflectionResponse.FromString)
    questions = [ref.ServerReflectionRequest(list_services=""),
                 ref.ServerReflectionRequest(file_containing_symbol="grpc.health.v1.Health.Check"),
                 ref.ServerReflectionRequest(file_containing_symbol="grpc.health.v1.HealthCheckResponse.ServingStatus"),
                 ref.ServerReflectionRequest(file_by_filename="grpc/health/v1/health.proto"),
                 ref.ServerReflectionRequest(file_containing_symbol="weir.test.Echo.Both"),
                 ref.ServerReflectionRequest(file_containing_symbol="grpc.health.v1.Health.Chec"),
                 ref.ServerReflectionRequest(all_extension_numbers_of_type="x"),
                 ref.ServerReflectionRequest()]
    answers = list(talk(iter(questions), **HOLD))
    names = [s.name for s in answers[0].list_services_response.service]
    assert names == ["weir.test.Echo", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                     "grpc.reflection.v1alpha.ServerReflection"]
    for answer in answers[1:4]:
        file = descriptor_pb2.FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
        assert (file.name, file.service[0].name) == ("grpc/health/v1/health.proto", "Health")
    file = descriptor_pb2.FileDescriptorProto.FromString(answers[4].file_descriptor_response.file_descriptor_proto[0])
    assert (file.package, [m.name for m in file.service[0].method]) == ("weir.test", ["Unary", "Down", "Up", "Both"])
    assert [a.error_response.error_code for a in answers[5:]] == [5, 5, 3]
    assert answers[1].original_request == questions[1]


# --- the client of the library, and other clients of the port ---

@pytest.mark.parametrize("what", ["stub", "stub-async", "unary", "nowhere", "down", "up", "both", "metadata", "deadline",
                                  "cancel", "events", "gzip", "spin"])
def test_client_of_the_library(server, what):
    passes(server.endpoint, what)


@pytest.mark.smoke
def test_unix_socket(model, tmp_path):
    server = Server(tmp_path, f"unix:{tmp_path}/s", model, "blocking")
    try:
        for what in ("stub", "both", "deadline"):
            passes(f"unix:{tmp_path}/s", what)
    finally:
        server.stop()


def test_shared_memory(tmp_path):
    server = Server(tmp_path, f"shm:{tmp_path}/s", "event", "async")
    try:
        for what in ("stub", "unary", "both", "deadline"):
            passes(f"shm:{tmp_path}/s", what)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem",
                    "-out", folder / "cert.pem"], check=True, capture_output=True, timeout=60)
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.smoke
def test_tls(model, tmp_path, certificate, pb):
    server = Server(tmp_path, "tcp:127.0.0.1:0", model, "blocking", *certificate)
    port = server.target.rpartition(":")[2]
    try:
        for what in ("stub", "unary", "both", "deadline"):
            passes(f"tls:localhost:{port}?ca={certificate[0]}", what)
        done = ask(f"tls:localhost:{port}", "status")  # nobody the system knows has signed it
        assert done.stdout.startswith("UNAVAILABLE"), done.stdout
        credentials = grpc.ssl_channel_credentials(certificate[0].read_bytes())
        with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
            call = channel.unary_unary("/weir.test.Echo/Unary", pb.Ask.SerializeToString, pb.Answer.FromString)
            assert call(pb.Ask(text="within"), **HOLD).text == "within"
    finally:
        server.stop(expect=(0, 3))


def test_a_child_over_a_socketpair():
    done = subprocess.run([find("rpc-child")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not COMPLAINTS.search(done.stderr), done.stderr


def test_files_lie_beside_it(server):
    done = subprocess.run(["curl", "-sS", f"http://{server.target}/a.txt"], capture_output=True, text=True, timeout=30)
    assert done.stdout == "a file", done.stderr


def test_a_process_that_dies_is_told_at_once(model, tmp_path):
    for mode in ("async", "blocking"):
        server = Server(tmp_path, "tcp:127.0.0.1:0", model, mode)
        try:
            passes_or_shares(server.endpoint, model)
        finally:
            server.stop(expect=(0, 1, 3))


def passes_or_shares(endpoint, model):
    """Calls of one connection die together; whoever comes after finds a new worker (client.c only checks where the server is gone for good)."""
    done = ask(endpoint, "die-alone")
    assert done.returncode == 0, (model, done.stderr)


# --- peers that stop, flood, lie and die: others are answered meanwhile ---

PREFACE = frames.PREFACE + SETTINGS


def head_of(path, stream, *more):
    return frame(1, 4, stream, fields((b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"x"),
                                      (b"te", b"trailers"), (b"content-type", b"application/grpc"), *more))


def hostile(server):
    host, _, port = server.target.rpartition(":")
    connection = socket.create_connection((host, int(port)), 20)
    connection.settimeout(20)
    connection.sendall(PREFACE)
    return connection


def ends(connection, *streams):
    """Whether the server ends these streams, by their answers' last frames or resets, while each PING is answered."""
    data, open_still, until = b"", set(streams), time.monotonic() + 40
    while open_still and time.monotonic() < until:
        while len(data) >= 9 + int.from_bytes(data[:3] or b"\0", "big"):
            kind, flags, number = data[3], data[4], int.from_bytes(data[5:9], "big")
            payload, data = data[9:9 + int.from_bytes(data[:3], "big")], data[9 + int.from_bytes(data[:3], "big"):]
            if kind == 3 or kind in (0, 1) and flags & 1:
                open_still.discard(number)
            elif kind == 6 and not flags & 1:
                connection.sendall(frame(6, 1, 0, payload))
        piece = b"" if not open_still else connection.recv(65536)
        if not piece:
            break
        data += piece
    return not open_still


def test_half_a_message_is_not_waited_for_for_ever(server, stub, pb):
    with hostile(server) as connection:
        connection.sendall(head_of(b"/weir.test.Echo/Unary", 1) + frame(0, 0, 1, b"\0\0\0\0\7abc"))
        assert stub.unary(pb.Ask(text="on"), **HOLD).text == "on"
        assert ends(connection, 1)  # two seconds of silence are enough


def test_a_client_that_does_not_read_holds_up_nobody(server, stub, pb):
    with hostile(server) as connection:
        ask_much = framed(pb.Ask(count=100000, size=10000))
        for stream in (1, 3, 5, 7):
            connection.sendall(head_of(b"/weir.test.Echo/Down", stream) + frame(0, 1, stream, ask_much))
        for i in range(20):
            assert stub.unary(pb.Ask(text=str(i)), **HOLD).text == str(i)


def test_an_answer_that_is_complete_and_not_taken_is_given_up(server, pb):
    """Its function is done; without a window nobody takes what it said, and calls have no deadline else."""
    with hostile(server) as connection:
        connection.sendall(frame(4, 0, 0, struct.pack(">HI", 4, 0)))
        for stream, method in ((1, b"Unary"), (3, b"Down"), (5, b"Up")):
            body = framed(pb.Ask(count=20, size=1000))
            connection.sendall(head_of(b"/weir.test.Echo/" + method, stream) + frame(0, 1, stream, body))
        assert ends(connection, 1, 3, 5)


def test_clients_that_die_in_the_middle(server, stub, pb):
    for i in range(30):
        connection = hostile(server)
        body = framed(pb.Ask(count=100000, size=1000))
        connection.sendall(head_of(b"/weir.test.Echo/Down", 1) + frame(0, 1, 1, body) +
                           head_of(b"/weir.test.Echo/Both", 3) + frame(0, 0, 3, framed(pb.Ask(text="a"))[:3 + i % 3]))
        if i % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        connection.close()
    assert stub.unary(pb.Ask(text="on"), **HOLD).text == "on"


def test_calls_begun_and_given_up_at_once(server, stub, pb):
    with hostile(server) as connection:
        try:
            for i in range(2000):
                stream = 2 * i + 1
                connection.sendall(head_of(b"/weir.test.Echo/Both", stream) + frame(3, 0, stream, struct.pack(">I", 8)))
        except ConnectionError:
            pass  # so many are taken for an attack
        assert stub.unary(pb.Ask(text="on"), **HOLD).text == "on"


def test_compressed_bombs_are_refused(server, stub, pb):
    bomb = gzip.compress(b"\0" * (64 << 20))
    with hostile(server) as connection:
        head = head_of(b"/weir.test.Echo/Both", 1, (b"grpc-encoding", b"gzip"))
        message = b"\1" + struct.pack(">I", len(bomb)) + bomb
        connection.sendall(head + b"".join(frame(0, 0, 1, message[at:at + 16384]) for at in range(0, len(message), 16384)))
        assert ends(connection, 1)
    assert stub.unary(pb.Ask(text="on"), **HOLD).text == "on"


# --- with hands on every byte: HTTP/1.1, which has trailers for those who ask ---

def framed(message):
    data = message if isinstance(message, bytes) else message.SerializeToString()
    return b"\0" + struct.pack(">I", len(data)) + data


def post(server, path, body, *fields, kind="application/grpc"):
    host, _, port = server.target.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.settimeout(20)
        head = [f"POST {path} HTTP/1.1", "Host: x", "TE: trailers", "Connection: TE, close", f"Content-Type: {kind}",
                f"Content-Length: {len(body)}", *fields]
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        out = b""
        while piece := connection.recv(65536):
            out += piece
    return out


def test_bytes_of_an_answer(server, pb):
    answer = post(server, "/weir.test.Echo/Unary", framed(pb.Ask(text="hello")))
    assert b"\r\n\r\nc\r\n\0\0\0\0\7\n\5hello\r\n0\r\ngrpc-status: 0\r\n\r\n" in answer


@pytest.mark.parametrize("body, fields, status, words", [
    (b"", [], 13, "one message"),
    (b"\0\0\0\0\0" * 2, [], 13, "one message"),
    (b"\0\0\0\0\7abc", [], 13, "ends within a message"),
    (b"\7\0\0\0\0", [], 13, "no message of gRPC"),
    (b"\1\0\0\0\0", [], 13, "no message of gRPC"),
    (b"\1\0\0\0\3abc", ["grpc-encoding: gzip"], 13, "no message of gRPC"),
    (b"\0\xff\xff\xff\xff", [], 8, "longer"),
    (b"\0\0\0\0\0", ["grpc-encoding: snappy"], 12, "gzip"),
    (b"\0\0\0\0\0", ["grpc-timeout: soon"], 13, "grpc-timeout"),
    (b"\0\0\0\0\0", ["grpc-timeout: 0n"], 4, "deadline"),
])
def test_bad_requests_have_a_status(server, body, fields, status, words):
    answer = post(server, "/weir.test.Echo/Unary", body, *fields).decode()
    assert f"grpc-status: {status}\r\n" in answer and words in answer, answer


def test_what_is_no_grpc(server):
    assert b" 415 " in post(server, "/weir.test.Echo/Unary", b"", kind="text/plain")
    host, _, port = server.target.rpartition(":")
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-H", "Content-Type: application/grpc",
                           "--http1.1", f"http://{host}:{port}/weir.test.Echo/Unary"], capture_output=True, text=True, timeout=30)
    assert done.stdout == "505", done.stderr
