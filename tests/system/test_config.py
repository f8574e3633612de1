"""Sites by a configuration file: weir serve --config FILE, weir config check, show and explain."""

import pathlib
import re
import signal
import subprocess

import pytest

import talk
from conftest import WEIR, wait_until

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = (ROOT / "examples/sites.conf").read_text()


@pytest.fixture
def folder(tmp_path):
    """What the example serves."""
    for name, text in {"main/index.html": "main", "main/404.html": "lost", "blog/index.html": "blog",
                       "blog/assets/a.css": "css", "other/index.html": "other", "downloads/one.txt": "1",
                       "main/downloadsx": "not mounted"}.items():
        path = tmp_path / "sites" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def config(folder, text):
    (folder / "sites.conf").write_text(text)
    return folder / "sites.conf"


def weir(folder, *words):
    return subprocess.run([WEIR, *words], cwd=folder, capture_output=True, text=True, timeout=20, check=False)


def here(folder, text):
    """Roots as whole names, a port of its own."""
    return config(folder, text.replace('"sites/', f'"{folder}/sites/').replace("127.0.0.1:8080", "127.0.0.1:0")
                  .replace('"access.log"', '"off"'))


def get(web, host, path, method="GET"):
    conn = talk.connection(web.port, 10)
    conn.request(method, path, headers={"Host": host} if host else {})
    answer = conn.getresponse()
    body = answer.read().decode()
    conn.close()
    return answer, body


@pytest.fixture
def web(folder, model, starter):
    return starter("serve", "--config", str(here(folder, EXAMPLE)), "--model", model)


def test_names_lead_to_sites(web):
    for host, body in {"example.org": "main", "www.example.org": "main", "EXAMPLE.org:99": "main", "example.org.": "main",
                       "x.example.org": "blog", "a.b.example.org": "blog", "example.com": "other",
                       "xexample.org": "other", "[::1]": "other"}.items():
        answer, got = get(web, host, "/")
        assert (answer.status, got) == (200, body), host
        assert answer.getheader("X-Served-By") == "weir"


def test_mounts_match_whole_segments(web):
    assert get(web, "example.org", "/downloads/one.txt")[1] == "1"
    assert get(web, "example.org", "/downloadsx")[1] == "not mounted"
    answer, _ = get(web, "example.org", "/downloads?x=1")
    assert (answer.status, answer.getheader("Location")) == (301, "/downloads/?x=1")
    assert "one.txt" in get(web, "example.org", "/downloads/")[1]
    assert get(web, "x.example.org", "/downloads/one.txt")[0].status == 404
    assert get(web, "example.org", "/downloads/../index.html")[1] == "main"
    assert get(web, "example.org", "/downloads/%2e%2e/%2e%2e/other/index.html")[0].status == 404


def test_redirects_fields_and_pages(web):
    answer, _ = get(web, "example.org", "/blog/2024//a%20b?q=1")
    assert answer.status == 301
    assert answer.getheader("Location") == "https://blog.example.org/2024/a%20b?q=1"
    assert "default-src 'self'" in answer.getheader("Content-Security-Policy")
    answer, body = get(web, "example.org", "/nothing")
    assert (answer.status, body) == (404, "lost")
    assert answer.getheader("X-Frame-Options") == "SAMEORIGIN"
    assert get(web, "x.example.org", "/")[0].getheader("X-Frame-Options") is None
    assert get(web, "x.example.org", "/assets/a.css")[0].getheader("Cache-Control") == "max-age=31536000"
    assert get(web, "example.com", "/blog/x")[0].status == 404
    answer, _ = get(web, "example.org", "/")
    assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]


def test_nobody_answers_for_other_names(folder, model, starter):
    text = 'listen = "127.0.0.1:0"\nsite "example.org" { root = "sites/main" }\n'
    web = starter("serve", "-c", str(here(folder, text)), "--model", model)
    assert get(web, "example.org", "/")[1] == "main"
    assert get(web, "example.com", "/")[0].status == 421
    assert get(web, "x.example.org", "/")[0].status == 421


def test_fields_merge_along_the_path(folder, model, starter):
    text = """listen = "127.0.0.1:0"
field = {"A: top", "B: top"}
site "default" {
    root = "sites/main"
    field = {"B: site", "C: site"}
    mount "/downloads" { root = "sites/downloads" field = {"A:", "D: mount"} }
}
"""
    path = here(folder, text)
    web = starter("serve", "-c", str(path), "--model", model)
    top = get(web, "x", "/")[0]
    assert [top.getheader(name) for name in "ABCD"] == ["top", "site", "site", None]
    mount = get(web, "x", "/downloads/one.txt")[0]
    assert [mount.getheader(name) for name in "ABCD"] == [None, "site", "site", "mount"]
    said = weir(folder, "config", "explain", str(path), "http://x/downloads/one.txt").stdout
    assert "mount: /downloads (line 6)" in said and "no field: A (line 6)" in said
    assert "field: B: site (line 5)" in said and "field: D: mount (line 6)" in said


def test_the_command_line_counts_more(folder, starter):
    text = 'listen = "127.0.0.1:1"\nroot = "sites/main"\n'
    web = starter("serve", "-c", str(here(folder, text)), "--listen", "127.0.0.1:0", "--root", str(folder / "sites/blog"))
    assert get(web, "x", "/")[1] == "blog"


def test_rules_without_a_file(folder, model, starter):
    web = starter("serve", str(folder / "sites/main"), "--listen", "127.0.0.1:0", "--model", model, "--field", "X-A: 1",
                  "--redirect", "/old=302 /new")
    assert get(web, "x", "/")[0].getheader("X-A") == "1"
    answer, _ = get(web, "x", "/old")
    assert (answer.status, answer.getheader("Location")) == (302, "/new")


def test_sites_can_have_logs_of_their_own(folder, model, starter):
    text = f"""listen = "127.0.0.1:0"
access-log = "{folder}/all.log"
log-format = "host status"
site "one" {{ root = "sites/main" access-log = "{folder}/one.log" }}
site "two" {{ root = "sites/main" access-log = "{folder}/one.log" }}
site "three" {{ root = "sites/main" access-log = "|cat > {folder}/three.log" }}
site "four" {{ root = "sites/main" access-log = "off" }}
site "default" {{ root = "sites/main" }}
"""
    web = starter("serve", "-c", str(here(folder, text.replace('"access.log"', ""))), "--model", model)
    for host in ("one", "two", "three", "four", "five"):
        assert get(web, host, "/")[0].status == 200
        assert get(web, host, "/nothing")[0].status == 404
    (folder / "one.log").rename(folder / "one.log.1") if wait_until((folder / "one.log").exists, 10) else None
    web.signal(signal.SIGUSR1)
    assert wait_until(lambda: get(web, "one", "/")[0] and (folder / "one.log").exists(), 20, 0.2)
    web.stop()

    def hosts(*names):
        lines = "".join((folder / name).read_text() for name in names if (folder / name).exists()).splitlines()
        return [re.search(r'host="([^"]*)"', line)[1] for line in lines]

    ones = hosts("one.log", "one.log.1")
    assert ones.count("two") == 2 and ones.count("one") >= 3 and set(ones) == {"one", "two"}
    assert hosts("three.log") == ["three"] * 2
    assert hosts("all.log") == ["five"] * 2


def test_a_log_of_a_site_that_cannot_be_written(folder):
    path = here(folder, f'listen = "127.0.0.1:0"\nsite "default" {{ root = "sites/main" access-log = "{folder}/no/log" }}\n')
    done = weir(folder, "serve", "-c", str(path))
    assert done.returncode == 1 and "cannot write the access log" in done.stderr


WRONG = [
    ('gzip-levl = 3', 1, 1, "did you mean 'gzip-level'"),
    ('\n  gzip-level = 33', 2, 16, "from 1 to 9, not '33'"),
    ('# a comment\nlisting = maybe', 2, 11, "yes or no, not 'maybe'"),
    ('site "a" { root = "nowhere" }', 1, 20, "cannot serve nowhere"),
    ('site "a" { root = "sites" }\nsite "b a" { root = "sites" }', 2, 9, "twice"),
    ('site "a" {\n  model = "fork"\n root = "sites" }', 2, 3, "at the top"),
    ('site "a" { }', 1, 7, "no folder"),
    ('site "a" { root = "sites"', 1, 10, "never closed"),
    ('site "a" { root = "sites" }\nsite "a" { root = "sites" }', 2, 7, "two of 'a'"),
    ('site "a!" { root = "sites" }', 1, 7, "cannot be used"),
    ('root = "sites"\nroot = "sites"', 2, 1, "twice, first on line 1"),
    ('root = "sites"\ncoding = "bz"', 2, 11, "codings are"),
    ('root = "sites"\nmax-line = 9', 2, 12, "a size from"),
    ('root = "sites"\nredirect = {"/a=/b", "/c=//evil"}', 2, 23, "redirect is FROM=TO"),
    ('root = "sites"\nfield = {"Content-Length: 3"}', 2, 11, "field is"),
    ('root = "sites"\nfield = {"A: b\\r\\nC: d"}', 2, 1, "field is"),
    ('root = {"sites"}', 1, 8, "unexpected"),
    ('listen = "80', 1, 1, ""),
    ('root = "sites" }', 1, 1, "brace"),
    ('config = "x"', 1, 1, "no key is called 'config'"),
    ('site "a" { root = "sites" mount "docs" { root = "sites" } }', 1, 34, "a mount like /docs"),
    ('site "a" { root = "sites" access-log = "|" }', 1, 41, "access-log needs a command"),
]


@pytest.mark.parametrize("text, line, column, words", WRONG, ids=range(len(WRONG)))
def test_check_says_where_and_what(folder, text, line, column, words):
    done = weir(folder, "config", "check", str(config(folder, text + "\n")))
    assert done.returncode == 2
    place = re.search(r"sites\.conf:(\d+):(\d+): ", done.stderr)
    assert place, done.stderr
    assert words in done.stderr
    if "80" not in text:
        assert (int(place[1]), int(place[2])) == (line, column), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_check_of_what_is_no_configuration(folder):
    assert weir(folder, "config", "check", "nowhere.conf").returncode == 1
    assert weir(folder, "config", "check", ".").returncode == 1
    config(folder, "root = \0")
    assert weir(folder, "config", "check", "sites.conf").returncode == 2
    config(folder, "#" * (1024 * 1024 + 1))
    assert weir(folder, "config", "check", "sites.conf").returncode == 1
    assert weir(folder, "config", "chek", "sites.conf").returncode == 2
    assert weir(folder, "config", "explain", "sites.conf").returncode == 2


def test_the_example_is_good_and_short(folder):
    path = config(folder, EXAMPLE)
    assert len(EXAMPLE.splitlines()) < 25
    assert EXAMPLE.strip() in (ROOT / "README.md").read_text()
    assert weir(folder, "config", "check", str(path)).stdout == f"{path}: good, 3 sites\n"


def test_what_is_shown_can_be_read_again(folder):
    config(folder, EXAMPLE)
    shown = weir(folder, "config", "show", "sites.conf").stdout
    assert "# model: " in shown and "root = \"sites/main\"" in shown
    (folder / "again.conf").write_text(shown)
    again = weir(folder, "config", "show", "again.conf").stdout
    strip = re.compile(r" # (line|default).*")
    assert [strip.sub("", line) for line in again.splitlines()] == [strip.sub("", line) for line in shown.splitlines()]


def test_explain(folder):
    config(folder, EXAMPLE)
    said = weir(folder, "config", "explain", "sites.conf", "https://www.example.org:8080/blog/x%20y?z").stdout
    assert "site: example.org www.example.org (line 6)" in said
    assert "redirect: 301 to https://blog.example.org/x%20y?z (line 9)" in said
    assert "field: X-Served-By: weir (line 4)" in said
    assert "field: X-Frame-Options: SAMEORIGIN (line 8, security-fields)" in said
    said = weir(folder, "config", "explain", "sites.conf", "http://example.org/downloads/").stdout
    assert "access-log: access.log (line 3)" in said
    assert "mount: /downloads (line 11)" in said and "files: sites/downloads (line 12)" in said


def test_explain_finds_what_is_written_with_backslashes(folder):
    config(folder, r"""site "default" {
    root = "sites/main"
    field = {"X-Plain: a",
             "X-Quote: say \"a\"",
             "X-Price: 5 \$ \\ day"}
}
""")
    said = weir(folder, "config", "explain", "sites.conf", "http://a.example/").stdout
    assert "field: X-Plain: a (line 3)" in said
    assert 'field: X-Quote: say "a" (line 4)' in said
    assert "field: X-Price: 5 $ \\ day (line 5)" in said


def test_the_manual_names_every_key():
    rows = set(re.findall(r"^  (?:-\w, )?--([a-z0-9-]+)", weir(ROOT, "serve", "--help").stdout, re.M)) - {"help"}
    page = (ROOT / "docs/man/weir-serve.1.scd").read_text()
    assert len(rows) > 40
    assert not [row for row in rows if f"--{row}" not in page]
