#!/usr/bin/python3
"""Reads the #includes of src/ and include/weir/ and tells which ones the diamond does not allow (ARCHITECTURE.md)."""

import pathlib
import re
import sys

# What the files of a layer may include. tbl/ has rows, no code: anyone may read them.
MAY = {
    "tbl": {"tbl"},
    "base": {"base", "tbl"},
    "message": {"message", "base", "tbl"},
    "protoc": {"protoc", "message", "base", "tbl"},
    "stream": {"stream", "base", "tbl"},
    "proto": {"proto", "base", "tbl"},
    "keys": {"keys", "base", "tbl"},
    "tls": {"tls", "keys", "proto", "base", "tbl"},
    "http": {"http", "proto", "base", "tbl"},
    "h2": {"h2", "http", "proto", "base", "tbl"},
    "service": {"service", "http", "proto", "base", "tbl"},
    "rpc": {"rpc", "message", "service", "h2", "http", "proto", "base", "tbl"},
    "stub": {"stub", "rpc", "message", "service", "http", "h2", "drive", "proto", "stream", "base", "tbl"},
    "drive": {"drive", "proto", "stream", "base", "tbl"},
    "model": {"model", "drive", "proto", "stream", "base", "tbl"},
    "load": {"load", "tls", "service", "http", "model", "drive", "proto", "stream", "base", "tbl"},
    "cli": {"cli", "stub", "rpc", "h2", "message", "stub", "rpc", "h2", "message", "load", "tls", "service", "http", "model", "drive", "proto", "stream", "base", "tbl"},
}

# The layer that answers for each public header.
PUBLIC = {
    "base.h": "base",
    "out.h": "base",
    "stream.h": "stream",
    "buffer.h": "stream",
    "shm.h": "stream",
    "process.h": "stream",
    "pipeline.h": "stream",
    "spool.h": "stream",
    "protocol.h": "proto",
    "conn.h": "proto",
    "driver.h": "proto",
    "protocols.h": "proto",
    "call.h": "proto",
    "http.h": "http",
    "routes.h": "service",
    "tls.h": "tls",
    "rpc.h": "rpc",
    "message.h": "message",
    "rpc_client.h": "stub",
    "rpc_server.h": "rpc",
    "caller.h": "drive",
    "server.h": "model",
}

# server.h says what a service is (struct weir_service), so those below the models that run one may read it. Opening and dialling by name
# is drive's, and "tls:" is a name: docs/decisions/0009.
EXTRA = {("service", "server.h"), ("drive", "server.h"), ("drive", "tls.h")}
# rpc.h says what a method is: constant data, with protobuf-c's tables.
EXTRA |= {("message", "rpc.h"), ("stub", "server.h")}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<(weir/[^>]+)>)', re.M)


def layer_of(root, path):
    """The layer a file belongs to, or None."""
    parts = path.relative_to(root).parts
    if parts[0] == "include":
        return PUBLIC.get(path.name)
    return parts[1] if len(parts) > 2 else None


def resolve(root, path, name):
    """The file an #include means: beside the one that includes it, in src/, or public."""
    for folder in (path.parent, root / "src", root / "include"):
        if (folder / name).is_file():
            return (folder / name).resolve()
    return None


def judge(root, path, name):
    """None when `path` may include `name`, else why not."""
    mine = layer_of(root, path)
    if mine is None or mine not in MAY:
        return f"{path.name} belongs to no layer that layers.py knows"
    target = resolve(root, path, name)
    if target is None:
        return f'no such file: "{name}"'
    theirs = layer_of(root, target)
    if theirs is None:
        return f"{name} belongs to no layer that layers.py knows"
    if theirs in MAY[mine] or (mine, target.name) in EXTRA and target.parent.name == "weir":
        return None
    return f"{mine} may not include {theirs} ({name})"


def cycles(graph):
    """Headers that include themselves through others."""
    found, done = [], set()

    def visit(node, trail):
        if node in trail:
            found.append(" -> ".join(p.name for p in trail[trail.index(node):] + [node]))
            return
        if node in done:
            return
        for following in graph.get(node, ()):
            visit(following, trail + [node])
        done.add(node)

    for start in list(graph):
        visit(start, [])
    return found


def problems(root):
    root = pathlib.Path(root).resolve()
    found, graph = [], {}
    for path in sorted([*root.glob("src/**/*.[ch]"), *root.glob("include/weir/*.h")]):
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            name = match.group(1) or match.group(2)
            line = text.count("\n", 0, match.start(1 if match.group(1) else 2)) + 1
            why = judge(root, path, name)
            if why:
                found.append(f"{path.relative_to(root)}:{line}: {why}")
            target = resolve(root, path, name)
            if path.suffix == ".h" and target:
                graph.setdefault(path, []).append(target)
    return found + [f"headers include each other: {cycle}" for cycle in cycles(graph)]


if __name__ == "__main__":
    lines = problems(pathlib.Path(__file__).parents[2])
    print("\n".join(lines))
    sys.exit(bool(lines))
