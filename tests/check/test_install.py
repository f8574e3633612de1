"""`make install` into a folder of its own, and a program built against what lies there, by pkg-config, both ways."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_RELEASE", ROOT / "build-release"))

PROGRAM = r"""
#include <weir/process.h>
#include <weir/server.h>
#include <weir/stream.h>
#include <stdio.h>

/* Names of the library's own insides: they must not clash. */
int text_init(void);
int text_init(void) { return 42; }

int main(void)
{
    struct weir_stream *ends[2];
    char text[8];
    if (weir_pipe(ends) < 0 || weir_write_all(ends[1], "weir", 4) < 0 || weir_end(ends[1]) < 0)
        return 1;
    ssize_t n = weir_read_full(ends[0], text, sizeof text);
    printf("%.*s %d %s\n", (int)n, text, text_init(), weir_model(0)->name);
    weir_close(ends[0]);
    weir_close(ends[1]);
    return 0;
}
"""


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    top = tmp_path_factory.mktemp("install")
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    run("make", "-C", ROOT, "install", f"BUILD={BUILD}", f"DESTDIR={top}", env=env)
    return top


def test_everything_lies_in_its_place(tree):
    local = tree / "usr/local"
    for name in ("bin/weir", "lib/libweir.a", "lib/libweir.so", "lib/pkgconfig/weir.pc", "include/weir/stream.h"):
        assert (local / name).exists(), name
    assert (local / "lib/libweir.so.0").is_symlink()
    assert "SONAME" in run("readelf", "-d", local / "lib/libweir.so") and "[libweir.so.0]" in run(
        "readelf", "-d", local / "lib/libweir.so")
    headers = {p.name for p in (local / "include/weir").iterdir()}
    assert headers == {p.name for p in (ROOT / "include/weir").iterdir()}
    pages = {p.stem for p in (ROOT / "docs/man").glob("*.scd")}
    assert pages and pages == {p.name for p in (local / "share/man").glob("man*/*")}
    # Nothing of the inside: no layer's archive, no test.
    assert {p.name for p in (local / "lib").glob("*.a")} == {"libweir.a"}


def test_installed_program_runs(tree):
    assert "event" in run(tree / "usr/local/bin/weir", "models")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("how", ["shared", "static"])
def test_a_program_builds_against_it(tree, tmp_path, how, compiler):
    lib = tree / "usr/local/lib"
    env = {**os.environ, "PKG_CONFIG_PATH": str(lib / "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": str(tree)}
    (tmp_path / "x.c").write_text(PROGRAM)
    static = ["--static"] if how == "static" else []
    flags = run("pkg-config", *static, "--cflags", "--libs", "weir", env=env).split()
    run(compiler, "-Wall", "-Wextra", "-Werror", "-x", "c", "x.c", "-x", "none", "-o", "x",
        *(["-static"] if static else []), *flags, cwd=tmp_path)
    out = run(tmp_path / "x", env={**os.environ, "LD_LIBRARY_PATH": str(lib)})
    assert out == "weir 42 sequential\n"
    needs = run("readelf", "-d", tmp_path / "x")
    assert ("libweir.so.0" in needs) == (how == "shared")
