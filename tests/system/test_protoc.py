"""protoc-gen-weir: C that compilers have nothing to say of, with the tables that protoc-c makes, and the bytes that Python makes."""

import random
import re
import subprocess

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

from conftest import COMPLAINTS, ROOT
from protos import Types, descriptor_set, fill, framed, unframed
from tool import BOTH, KNOWN, OURS, PLUGIN, WARNINGS, Made, generate, run

@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ours")
    generate(folder, *OURS, *KNOWN)
    return Made(folder, OURS, ".pb-weir", "-DWEIR")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    generate(folder, *BOTH, *KNOWN, how=("--c_out=",))
    # A nan, an inf and an int32 for which protoc-c writes no C.
    for path in folder.glob("two.pb-c.[hc]"):
        text = re.sub(r"(?<=[ ,=])(-?)inf\b", r"\1__builtin_inf()", path.read_text())
        path.write_text(re.sub(r"(?<=[ ,=])nan\b", '__builtin_nanf("")', text))
    return Made(folder, BOTH, ".pb-c")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_compilers_have_nothing_to_say(ours, compiler):
    for source in sorted(ours.folder.rglob("*.pb-weir.c")):
        run(compiler, *WARNINGS, f"-I{ours.folder}", f"-I{ROOT}/include", "-c", source, "-o", "/dev/null")


def blocks(text):
    """One a type, by its name."""
    found = re.split(r"^(?=message |enum )", text, flags=re.M)[1:]
    return {re.search(r"name=(\S+)", block)[1] + block[:4]: block for block in found}


def test_tables_are_those_of_protoc_c(ours, theirs):
    mine, other = blocks(ours.ask("tables").decode()), blocks(theirs.ask("tables").decode())
    assert len(other) >= 38
    for name, block in other.items():
        # A third: protoc-c writes fifteen digits of it, which are another number.
        assert re.sub(r"(?m)^(  third .*=).*", r"\1", mine[name]) == re.sub(r"(?m)^(  third .*=).*", r"\1", block)


def test_tables_made_at_run_time_are_those_of_generated_code(ours):
    def plain(text):
        return re.sub(r" (c|short|default)=\S*", "", text)

    mine, made = ours.ask("tables").decode(), ours.ask("tables", ours.folder / "set").decode()
    assert made.count("\nmessage ") > 30 and plain(mine).startswith(plain(made))


# The sign of a nan and of fields nobody set are no business of ours.
@pytest.mark.parametrize("name", ["weir.Test_two.All", "weir.three.All", "weir.optional.Maybe", "words", "deep.other.Other",
                                  "google.protobuf.Struct", "weir.Test_two.Highest", "weir.Test_two.Empty_1"])
def test_bytes_are_those_of_python(ours, name):
    dice = random.Random(f"seed {name}")
    kind = ours.types.message(name)
    sent = [kind().SerializePartialToString() if name != "weir.Test_two.All" else fill(dice, kind()).SerializeToString()]
    sent += [fill(dice, kind()).SerializeToString() for _ in range(200)]
    got = unframed(ours.ask("pass", name, input=framed(sent)))
    assert len(got) == len(sent)
    for before, after in zip(sent, got):
        assert kind.FromString(after) == kind.FromString(before)
        assert after == before
    assert sum(map(len, sent)) > 500 or name.endswith("Empty_1")


def test_entries_of_maps_may_lack_their_parts(ours):
    kind = ours.types.message("weir.three.All")
    sent = kind(words={"": "x", "y": "", "": ""}, choices={False: 0}, reals={0: 0.0})
    sent.tree[0].SetInParent()
    got, = unframed(ours.ask("pass", "weir.three.All", input=framed([sent.SerializeToString()])))
    assert kind.FromString(got) == sent


def test_presence_of_proto3_optional(ours):
    kind = ours.types.message("weir.optional.Maybe")
    sent = [kind(), kind(number=0, text="", raw=b"", kind=0, yes=False, real=0.0), kind(a=""), kind(text="x"), kind(last=0)]
    got = unframed(ours.ask("pass", "weir.optional.Maybe", input=framed(m.SerializeToString() for m in sent)))
    assert [kind.FromString(data) for data in got] == sent
    assert kind.FromString(got[1]).HasField("text") and not kind.FromString(got[0]).HasField("text")


def test_services_say_paths_and_directions(ours):
    said = ours.ask("services").decode()
    assert re.findall(r"^  (/\S+) (\S+) (\S+) (\d) (\d)$", said, re.M) == [
        ("/switcher/Do", "words", "words", "0", "0"),
        ("/switcher/GetURL", "words", "words", "0", "0"),
        ("/weir.calls.Greeter/SayHello", "weir.calls.Hello", "weir.calls.Hello", "0", "0"),
        ("/weir.calls.Greeter/Watch", "google.protobuf.Empty", "weir.calls.Hello", "0", "1"),
        ("/weir.calls.Greeter/Gather", "weir.calls.Hello", "google.protobuf.Empty", "1", "0"),
        ("/weir.calls.Greeter/Chat", "weir.calls.Hello", "weir.three.All", "1", "1"),
    ]
    files = {file.name: file for file in ours.types.set.file}
    embedded = re.findall(r"^  (\S+\.proto) ([0-9a-f]+)((?: \S+)*)$", said, re.M)
    assert {name for name, _, _ in embedded} == {"words.proto", "calls.proto"}
    for name, data, imports in embedded:
        file = descriptor_pb2.FileDescriptorProto.FromString(bytes.fromhex(data))
        assert file == files[name] and list(file.dependency) == imports.split()


BAD = [
    ('syntax = "proto2";\nmessage M {\n  optional group G = 1 { optional int32 x = 1; }\n}', 3, "groups are not supported"),
    ('syntax = "proto3";\nmessage M {\n  repeated int32 x = 1;\n  int32 n_x = 2;\n}', 4, "same member of a struct in C: n_x"),
    ('syntax = "proto2";\nmessage M {\n  optional int32 x = 1;\n  optional bool has_x = 2;\n}', 4, "has_x"),
    ('syntax = "proto3";\nmessage FooBar {}\nmessage Foo_bar {\n}', 3, "same type in C: FooBar"),
    ('syntax = "proto2";\nmessage M {\n  optional int32 x = 1;\n  optional int32 X = 2;\n}', 4, "x and X would be the same member of a struct"),
    ('syntax = "proto3";\nmessage M {}\nservice S {\n  rpc DoIt(M) returns (M);\n  rpc do_it(M) returns (M);\n}', 3, "do_it"),
]


@pytest.mark.parametrize("text, line, words", BAD)
def test_what_no_c_can_be_made_of_is_said_with_its_line(tmp_path, text, line, words):
    (tmp_path / "bad.proto").write_text(text)
    done = subprocess.run(["protoc", f"-I{tmp_path}", f"--plugin={PLUGIN}", f"--weir_out={tmp_path}", "bad.proto"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1
    assert f"bad.proto:{line}: " in done.stderr and words in done.stderr, done.stderr
    assert not list(tmp_path.glob("*.pb-weir.*"))


def ask_plugin(data):
    done = subprocess.run([PLUGIN], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not COMPLAINTS.search(done.stderr.decode(errors="replace")), done.stderr
    return plugin_pb2.CodeGeneratorResponse.FromString(done.stdout)


def request(tmp_path, *files):
    files = files or ("calls.proto", "two.proto")
    data = plugin_pb2.CodeGeneratorRequest(file_to_generate=files)
    data.proto_file.extend(Types(descriptor_set(tmp_path / "set", *files)).set.file)
    return data


def test_parameters_are_refused(tmp_path):
    data = request(tmp_path)
    data.parameter = "fast"
    assert "no parameters" in ask_plugin(data.SerializeToString()).error
    data.parameter = ""
    answer = ask_plugin(data.SerializeToString())
    assert not answer.error and answer.supported_features == 1
    assert {f.name for f in answer.file} == {"calls.pb-weir.h", "calls.pb-weir.c", "two.pb-weir.h", "two.pb-weir.c"}


def named(data, change):
    change(data)
    return data.SerializeToString()


HOSTILE = {
    "a name that is C": lambda r: setattr(r.proto_file[-1].message_type[0], "name", "x; int main"),
    "a package that is C": lambda r: setattr(r.proto_file[-1], "package", "a.;b"),
    "an empty part of a package": lambda r: setattr(r.proto_file[-1], "package", "a..b"),
    "a field without a name": lambda r: r.proto_file[-1].message_type[0].field[0].ClearField("name"),
    "a number of nothing": lambda r: setattr(r.proto_file[-1].message_type[0].field[0], "number", 0),
    "a number too high": lambda r: setattr(r.proto_file[-1].message_type[0].field[0], "number", 536870912),
    "a number twice": lambda r: setattr(r.proto_file[-1].message_type[0].field[1], "number", 1),
    "a type that is not there": lambda r: setattr(r.proto_file[-1].message_type[0].field[3], "type_name", ".x.Y"),
    "a type of the wrong kind": lambda r: setattr(r.proto_file[-1].message_type[0].field[3], "type", 11),
    "a default that is C": lambda r: setattr(r.proto_file[-1].message_type[0].field[9], "default_value", "1); system("),
    "a default out of range": lambda r: setattr(r.proto_file[-1].message_type[0].field[9], "default_value", "18446744073709551616"),
    "a default of an enum": lambda r: setattr(r.proto_file[-1].message_type[0].field[3], "default_value", "NO_SUCH"),
    "a bad escape": lambda r: setattr(r.proto_file[-1].message_type[0].field[2], "default_value", "\\q"),
    "a oneof that is not there": lambda r: setattr(r.proto_file[-1].message_type[0].field[0], "oneof_index", 99),
    "a path upwards": lambda r: setattr(r.proto_file[-1], "name", "../../etc/passwd.proto"),
    "a path with a quote": lambda r: setattr(r.proto_file[-1], "name", 'a".proto'),
    "an import that is not there": lambda r: r.proto_file[-1].dependency.append("gone.proto"),
    "another syntax": lambda r: setattr(r.proto_file[-1], "syntax", "proto9"),
    "a file that is not there": lambda r: r.file_to_generate.append("gone.proto"),
    "an enum without values": lambda r: r.proto_file[-1].enum_type.add(name="Hollow"),
    "a type twice": lambda r: r.proto_file[-1].enum_type.add(name="All").value.add(name="V", number=0),
    "a method without types": lambda r: r.proto_file[-1].service.add(name="S").method.add(name="M"),
    "a map of nothing": lambda r: setattr(r.proto_file[-1].message_type[1].options, "map_entry", True),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_requests_that_protoc_would_not_send(tmp_path, what):
    answer = ask_plugin(named(request(tmp_path), HOSTILE[what]))
    assert answer.error and not answer.file, what
    assert "\n" not in answer.error


def test_types_inside_types_without_end(tmp_path):
    data = request(tmp_path)
    message = data.proto_file[-1].message_type.add(name="M0")
    for i in range(40):
        message = message.nested_type.add(name=f"M{i + 1}")
    assert "too deep" in ask_plugin(data.SerializeToString()).error


def test_any_bytes_at_all(tmp_path):
    """Cut, changed and doubled requests: an answer each time, never a crash, an error or files."""
    dice = random.Random(7)
    whole = request(tmp_path).SerializeToString()
    errors = 0
    for turn in range(150):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(data))
            if turn % 3 == 0:
                del data[at:at + dice.randrange(1, 200)]
            elif turn % 3 == 1:
                data[at] = dice.randrange(256)
            else:
                data[at:at] = dice.randbytes(dice.randrange(1, 9))
        errors += bool(ask_plugin(bytes(data)).error)
    assert errors > 50
    assert ask_plugin(dice.randbytes(1000)).error or True
    assert "run by protoc" in ask_plugin(b"\xff" * 100).error
