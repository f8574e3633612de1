"""The checks, run, and shown to be able to fail."""

import os
import pathlib
import re
import subprocess

import pytest

import layers
import purity
import shape
import symbols

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build-gcc"))
SOURCES = sorted(p for top in ("include", "src", "tests", "examples") for p in (ROOT / top).glob("**/*.[ch]"))
HEADERS = sorted([*ROOT.glob("include/weir/*.h"), *ROOT.glob("src/**/*.h")])
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-Wvla", "-Werror"]


def command(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{' '.join(map(str, words[:3]))}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_layers_include_only_what_the_diamond_allows():
    assert layers.problems(ROOT) == []


@pytest.mark.parametrize("path, text, words", [
    ("src/proto/x.c", '#include "stream/impl.h"\n', "proto may not include stream"),
    ("src/http/x.c", "#include <weir/stream.h>\n", "http may not include stream"),
    ("src/service/x.c", '#include "drive/loop.h"\n', "service may not include drive"),
    ("src/stream/x.c", "#include <weir/protocol.h>\n", "stream may not include proto"),
    ("src/drive/x.c", "#include <weir/http.h>\n", "drive may not include http"),
    ("src/model/x.c", '#include "http/x.h"\n', "model may not include http"),
    ("src/base/x.c", '#  include "proto/x.h"\n', "base may not include proto"),
    ("src/odd/x.c", '#include "base/x.h"\n', "belongs to no layer"),
    ("src/base/y.h", '#include "base/z.h"\n', "include each other"),
    ("src/service/x.c", "#include <weir/server.h>\n", None),
    ("src/cli/x.c", '#include "drive/loop.h"\n#include "http/x.h"\n', None),
])
def test_layers_check_can_fail(tmp_path, path, text, words):
    for name in ("src/stream/impl.h", "src/drive/loop.h", "src/http/x.h", "src/proto/x.h", "src/base/x.h",
                 "include/weir/stream.h", "include/weir/protocol.h", "include/weir/http.h", "include/weir/server.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#pragma once\n")
    (tmp_path / "src/base/z.h").write_text('#include "base/y.h"\n' if path.endswith("y.h") else "")
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    found = layers.problems(tmp_path)
    assert (found == []) if words is None else (len(found) == 1 and words in found[0]), found


def test_pure_layers_ask_nothing_of_the_world():
    assert purity.problems(BUILD) == []


@pytest.mark.parametrize("text, words", [
    ("#include <time.h>\nlong f(void); long f(void) { return time(0); }", "calls time()"),
    ("#include <stdlib.h>\nchar *f(void); char *f(void) { return getenv(\"TZ\"); }", "calls getenv()"),
    ("#include <errno.h>\nint f(void); int f(void) { return errno; }", "calls __errno_location()"),
    ("int counter = 1;", "writable data"),
    ("int counter;", "writable data"),
    ("int f(void); int f(void) { static int n; return ++n; }", "writable data"),
    ("int f(void); int f(void) { static __thread int n; return ++n; }", "writable data"),
    ("extern const char a[]; const char a[] = \"a\"; extern const char *const t[]; const char *const t[] = {a};", None),
    ("#include <string.h>\nvoid f(void *p); void f(void *p) { memset(p, 0, 1000); }", None),
])
def test_purity_check_can_fail(tmp_path, text, words):
    (tmp_path / "x.c").write_text(text)
    command("cc", "-O1", "-fPIC", "-c", "x.c", "-o", "x.o", cwd=tmp_path)
    command("ar", "rcs", "libx.a", "x.o", cwd=tmp_path)
    found = purity.judge(str(tmp_path / "libx.a"), [], purity.PLAIN)
    assert (found == []) if words is None else any(words in line for line in found), found


def test_functions_and_files_have_a_readable_size():
    assert shape.problems(ROOT) == []


def test_shape_check_can_fail(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/x.c").write_text("int f(void)\n{\n" + "    ;\n" * 71 + "}\n")
    (tmp_path / "src/y.c").write_text("int f(void)\n{\n" + "    ;\n" * 70 + "}\n")
    (tmp_path / "src/x.h").write_text("int f(void);\n")
    found = shape.problems(tmp_path)
    assert len(found) == 2 and "71 lines" in found[0] and "#pragma once" in found[1], found


def test_libraries_export_weir_names_alone():
    assert symbols.problems(BUILD) == []


def test_symbols_are_read_at_all():
    names = symbols.promised(ROOT / "include" / "weir")
    assert {"weir_open", "weir_server_run", "weir_conn_turn"} <= names


def test_sources_are_formatted():
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *SOURCES], capture_output=True, text=True, timeout=120)
    wrong = re.findall(r"^(.*?:\d+):\d+: error", done.stderr, re.M)
    assert done.returncode == 0 and not wrong, wrong[:20]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_headers_stand_alone(tmp_path, compiler):
    problems = []
    for header in HEADERS:
        source = tmp_path / "x.c"
        # Twice, so that a missing guard is seen too.
        source.write_text(f'#include "{header}"\n#include "{header}"\n')
        done = subprocess.run([compiler, "-std=gnu17", "-D_GNU_SOURCE", *WARNINGS, "-fsyntax-only", f"-I{ROOT}/include",
                               f"-I{ROOT}/src", source], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            problems.append(done.stderr)
    assert not problems, "\n".join(problems)


def test_man_pages_build_without_a_warning(tmp_path):
    pages = sorted((ROOT / "docs/man").glob("*.scd"))
    assert pages
    for page in pages:
        with page.open() as source:
            done = subprocess.run(["scdoc"], stdin=source, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stderr == "", f"{page.name}: {done.stderr}"


def test_every_command_has_a_man_page():
    weir = BUILD / "src/cli/weir"
    said = command(weir, "--help")
    pages = {page.name for page in (ROOT / "docs/man").glob("*.scd")}
    assert "weir.1.scd" in pages
    named = [word for word in ("serve", "echo", "connect", "call", "relay", "spool", "models") if word in said]
    assert len(named) == 7, said
    assert [word for word in named if f"weir-{word}.1.scd" not in pages] == []


@pytest.mark.parametrize("name", ["serve", "echo", "connect", "call", "relay", "spool", "models"])
def test_man_page_names_every_option(name):
    said = command(BUILD / "src/cli/weir", name, "--help")
    page = (ROOT / f"docs/man/weir-{name}.1.scd").read_text().replace("\\", "")
    options = {word.strip(",;:.=[]()").split("=")[0] for word in said.split() if word.startswith("--") and len(word) > 3}
    options.discard("--help")  # every command has it; weir(1) says so
    assert sorted(o for o in options if o not in page) == []


def test_the_lock_of_npm_names_no_registry():
    """npm writes down where it got a package: that is the machine's own, and no one else's."""
    lock = (ROOT / "tests/browser/package-lock.json").read_text()
    assert '"resolved"' not in lock and "://" not in lock and '"integrity"' in lock
