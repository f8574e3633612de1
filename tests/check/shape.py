#!/usr/bin/python3
"""Sizes that keep a file readable: functions of at most 70 lines, files of at most 800, headers of at most 200;
every header has #pragma once."""

import pathlib
import sys

FUNCTION_LINES = 70
FILE_LINES = 800
HEADER_LINES = 200


def long_functions(lines):
    """clang-format puts a function's braces alone in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > FUNCTION_LINES:
                yield start, number - start - 1
            start = None


def problems(root):
    root, found = pathlib.Path(root), []
    for path in sorted(root.glob("src/**/*.[ch]")) + sorted(root.glob("include/weir/*.h")):
        name, text = path.relative_to(root), path.read_text()
        lines = text.splitlines()
        limit = HEADER_LINES if path.suffix == ".h" else FILE_LINES
        if len(lines) > limit:
            found.append(f"{name}: {len(lines)} lines, at most {limit}")
        if path.suffix == ".h" and "#pragma once" not in lines:
            found.append(f"{name}: no #pragma once")
        for start, length in long_functions(lines):
            found.append(f"{name}:{start}: a function of {length} lines, at most {FUNCTION_LINES}")
    return found


if __name__ == "__main__":
    lines_found = problems(pathlib.Path(__file__).parents[2])
    print("\n".join(lines_found))
    sys.exit(bool(lines_found))
