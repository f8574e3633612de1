#!/usr/bin/python3
"""libweir.so and libweir.a export weir_ names alone, the same ones, and exactly those the public headers promise.
Usage: symbols.py BUILD-FOLDER"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DECLARED = re.compile(r"^WEIR_API\b[^;(]*?\b(weir_\w+)\s*(?:\(|\[|;)", re.M)


def exported(path, *options):
    out = subprocess.run(["nm", "--defined-only", "--extern-only", "--format=posix", *options, path],
                         check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in out.splitlines() if len(line.split()) >= 3}


def promised(folder):
    names = set()
    for header in folder.glob("*.h"):
        names |= set(DECLARED.findall(COMMENT.sub("", header.read_text())))
    return names


def problems(build):
    library = pathlib.Path(build) / "src" / "lib"
    shared, static = exported(library / "libweir.so", "--dynamic"), exported(library / "libweir.a")
    names = promised(ROOT / "include" / "weir")
    found = [f"libweir.so exports {name}" for name in sorted(shared) if not name.startswith("weir_")]
    found += [f"libweir.a exports {name}" for name in sorted(static) if not name.startswith("weir_")]
    found += [f"{name}: only one of libweir.so and libweir.a has it" for name in sorted(shared ^ static)]
    found += [f"{name}: declared in include/weir, not defined" for name in sorted(names - shared)]
    found += [f"{name}: exported, declared in no public header" for name in sorted(shared - names)]
    return found


if __name__ == "__main__":
    lines = problems(sys.argv[1])
    print("\n".join(lines))
    sys.exit(bool(lines))
