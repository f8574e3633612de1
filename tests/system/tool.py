"""Builds message_tool.c with what protoc-gen-weir or protoc-c makes of tests/protos."""

import os
import pathlib
import re
import subprocess

from conftest import COMPLAINTS, ROOT, WEIR
from protos import PROTOS, WELL_KNOWN, Types, descriptor_set

BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build-gcc"))
PLUGIN = pathlib.Path(WEIR).parents[1] / "protoc/protoc-gen-weir"
if not PLUGIN.exists():
    PLUGIN = BUILD / "src/protoc/protoc-gen-weir"
SANITIZED = b"__asan_init" in pathlib.Path(WEIR).read_bytes() if os.path.exists(WEIR) else False
WARNINGS = ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wvla",
            "-Werror"]
OURS = ["two.proto", "deep/other.proto", "three.proto", "optional.proto", "words.proto", "calls.proto"]
BOTH = ["two.proto", "deep/other.proto", "three.proto", "calls.proto"]  # what protoc-c takes, and makes C of that compiles
KNOWN = [f"google/protobuf/{name}.proto" for name in WELL_KNOWN]


def run(*words, **options):
    done = subprocess.run(list(map(str, words)), capture_output=True, timeout=120, **options)
    assert done.returncode == 0, f"{words[0]}: status {done.returncode}\n{done.stderr.decode(errors='replace')[:4000]}"
    assert not COMPLAINTS.search(done.stderr.decode(errors="replace")), done.stderr
    return done.stdout


def generate(folder, *files, how=("--plugin=" + str(PLUGIN), "--weir_out=")):
    return run("protoc", f"-I{PROTOS}", *how[:-1], f"{how[-1]}{folder}", *files)


def lower(name):
    """protoc-c's name of a type for functions."""
    return "__".join(re.sub(r"(?<=[^A-Z])([A-Z])", r"_\1", part).lower() for part in name.split("."))


def write_types(folder, files, end, types):
    """types.h: what message_tool.c is to know."""
    messages, enums = types.names()
    head = [f'#include "{f.removesuffix(".proto")}{end}.h"' for f in files]
    lists = [("ProtobufCMessageDescriptor", "messages", [f"&{lower(n)}__descriptor" for n in messages]),
             ("ProtobufCEnumDescriptor", "enums", [f"&{lower(n)}__descriptor" for n in enums])]
    if end == ".pb-weir":
        services = [f"&{lower(f'{file.package}.{s.name}'.strip('.'))}__rpc" for file in types.set.file for s in file.service]
        lists.append(("struct weir_rpc_service", "services", services))
    for kind, name, items in lists:
        head.append(f"static const {kind} *const {name}[] = {{{', '.join(items + ['NULL'])}}};")
    (folder / "types.h").write_text("\n".join(head) + "\n")


def compile_tool(folder, files, end, *flags):
    """Against the library; where weir is sanitized, the tool and what it calls are, too."""
    library, build = BUILD / "src/lib", pathlib.Path(WEIR).parents[1]
    sources = [folder / f"{f.removesuffix('.proto')}{end}.c" for f in files]
    how = ["gcc", f"-L{library}", f"-Wl,-rpath,{library}", "-lweir"]
    if SANITIZED:
        how = ["clang", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", build / "message/libmessage.a",
               build / "base/libbase.a", "-lm"]
    run(how[0], "-std=gnu17", "-w", *flags, f"-I{folder}", f"-I{ROOT}/include", ROOT / "tests/system/message_tool.c", *sources,
        "-o", folder / "tool", *how[1:], "-lprotobuf-c", "-ljansson")
    return folder / "tool"


class Made:
    def __init__(self, folder, files, end, *flags):
        self.folder = folder
        self.types = Types(descriptor_set(folder / "set", *files))
        files = [file.name for file in self.types.set.file]
        write_types(folder, files, end, self.types)
        self.tool = compile_tool(folder, files, end, *flags)

    def ask(self, *words, **options):
        return run(self.tool, *words, **options)
