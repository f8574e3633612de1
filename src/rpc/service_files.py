#!/usr/bin/python3
"""Writes src/rpc/service_files.c: the files of src/rpc/proto, serialized by protoc. Run it after a change of one of them; building weir needs
no protoc for them."""

import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
FILES = {"health.proto": ("health", "grpc/health/v1/health.proto"),
         "reflection_v1.proto": ("reflection_v1", "grpc/reflection/v1/reflection.proto"),
         "reflection_v1alpha.proto": ("reflection_v1alpha", "grpc/reflection/v1alpha/reflection.proto")}


def serialized(source, name):
    """A FileDescriptorProto: what is inside the one entry of a FileDescriptorSet."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes((HERE / "proto" / source).read_bytes())
        subprocess.run(["protoc", f"--proto_path={folder}", f"--descriptor_set_out={folder / 'set'}", name], check=True)
        data = (folder / "set").read_bytes()
    assert data[0] == 10
    at = 1
    while data[at] & 128:
        at += 1
    return data[at + 1:]


def main():
    out = ["/* Written by service_files.py. */", '#include "rpc/service_files.h"', "", "/* clang-format off */"]
    for source, (label, name) in FILES.items():
        data = serialized(source, name)
        out += [f"static const uint8_t {label}_bytes[] = {{"]
        out += ["    " + " ".join(f"{byte}," for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
        out += ["};", f"const struct weir_rpc_file {label}_file = {{",
                f'    .name = "{name}", .bytes = {label}_bytes, .len = sizeof({label}_bytes)}};', ""]
    (HERE / "service_files.c").write_text("\n".join(out[:-1]) + "\n")


if __name__ == "__main__":
    main()
