/*
 * Runs scripts (README.md): each whole, byte by byte, over many random cuts with faults, with the connection broken at
 * every place, and with each allocation failing. Prints TAP.
 *
 *     runner [--seed N] [--cuts N] [--breaks N] FILE.t|FOLDER...
 */
#include "alloc.h"
#include "frames.h"
#include "h2/wire.h"
#include "play.h"
#include "tbl/limits.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_A_SCRIPT                                                                             \
    ((size_t)64 * 1024 * 1024) /* long scripts get fewer cuts: a second or so each */
#define BREAKS    400          /* places where a connection is broken: all, if there are no more */
#define ALLOC_MAX 400          /* allocations that fail in turn */
#define SHOWN     60           /* bytes of output around a mistake */

struct run {
    const char *path;
    struct script script;
    const struct subject *subject;
    struct transcript first; /* the whole run: what others must be equal to */
    uint64_t seed;
    unsigned cuts, breaks;
    unsigned runs; /* so far */
};

static void show(const char *what, const uint8_t *bytes, size_t len)
{
    printf("# %s", what);
    for (size_t i = 0; i < len && i < SHOWN; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            printf(bytes[i] == '\n' ? "\\n" : "\\r");
        else if (bytes[i] == '\\' || !isprint(bytes[i]))
            printf("\\x%02x", bytes[i]);
        else
            putchar(bytes[i]);
    }
    printf("%s\n", len > SHOWN ? " ..." : "");
}

static void say_end(const struct transcript *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (!t->marks[i].closed)
            continue;
        const char *reason = script_reason(t->marks[i].why);
        printf("# closed: %s\n", reason ? reason : strerror(-t->marks[i].why));
        return;
    }
}

static bool judged(const struct run *run)
{
    size_t number, at;
    const char *wrong = judge(&run->script, &run->first, &number, &at);
    if (!wrong)
        return true;
    bool last = number == run->script.count;
    const struct script_step *step = &run->script.steps[last ? number - 1 : number];
    printf("# %s:%u: %s%s\n", run->path, step->line, wrong, last ? " (after the last line)" : "");
    if (!last && (step->verb == SCRIPT_EXPECT || step->verb == SCRIPT_MATCH))
        show("expected: ", step->bytes, step->len);
    printf("# at byte %zu of the output\n", at);
    show("got:      ", run->first.bytes + at, run->first.len - at);
    say_end(&run->first);
    return false;
}

/* How to see this run again. */
static void say_run(const struct run *run, const struct play *p, const char *wrong)
{
    static const char *const cuts[] = {"whole", "byte by byte", "listed", "random cuts"};
    printf("# %s: %s (%s, --seed %llu --cuts 1", run->path, wrong, cuts[p->sim.cut],
           (unsigned long long)p->sim.seed);
    if (p->reset_in != PLAY_NEVER)
        printf(", broken after %zu bytes of input", p->reset_in);
    if (p->reset_out != PLAY_NEVER)
        printf(", broken after %zu bytes of output", p->reset_out);
    printf(")\n");
}

static struct play play_of(const struct run *run, enum sim_cut cut, bool faults, uint64_t seed)
{
    return (struct play){.script = &run->script,
                         .subject = run->subject,
                         .sim = {.seed = seed, .cut = cut, .faults = faults},
                         .reset_in = PLAY_NEVER,
                         .reset_out = PLAY_NEVER};
}

static bool run_first(struct run *run)
{
    struct play p = play_of(run, SIM_WHOLE, false, run->seed);
    const char *wrong = play(&p, &run->first);
    run->runs++;
    if (wrong)
        say_run(run, &p, wrong);
    return !wrong && judged(run);
}

static bool run_equal(struct run *run, struct play p)
{
    struct transcript other;
    size_t at = 0;
    const char *wrong = play(&p, &other);
    run->runs++;
    if (!wrong && !transcript_equal(&run->first, &other, &at))
        wrong = "another transcript than when it is whole";
    if (wrong) {
        say_run(run, &p, wrong);
        printf("# they differ at byte %zu of %zu and %zu\n", at, run->first.len, other.len);
        show("whole: ", run->first.bytes + at, run->first.len - at);
        show("this:  ", other.bytes + at, other.len - at);
        say_end(&other);
    }
    transcript_done(&other);
    return !wrong;
}

static unsigned bounded(const struct run *run, unsigned wanted)
{
    size_t fits = BYTES_A_SCRIPT / (run->script.bytes + run->first.len + 1);
    if (fits < 10)
        fits = 10;
    return wanted < fits ? wanted : (unsigned)fits;
}

static bool run_cuts(struct run *run)
{
    if (!run_equal(run, play_of(run, SIM_BYTES, false, run->seed)))
        return false;
    unsigned cuts = bounded(run, run->cuts);
    for (unsigned i = 0; i < cuts; i++) {
        struct play p = play_of(run, SIM_RANDOM, true, run->seed + i);
        p.sim.job_rounds = i % 8;
        p.sim.fill_waits = i % 3;
        if (!run_equal(run, p))
            return false;
    }
    return true;
}

static bool run_broken_at(struct run *run, size_t in, size_t out, uint64_t seed)
{
    struct play p = play_of(run, SIM_RANDOM, true, seed);
    p.reset_in = in;
    p.reset_out = out;
    const char *wrong = play(&p, NULL);
    run->runs++;
    if (wrong)
        say_run(run, &p, wrong);
    return !wrong;
}

/* The i-th of `count` places in `len` bytes: every one, or spread evenly. */
static size_t place(unsigned i, unsigned count, size_t len)
{
    return len < count ? i : len / count * i + i % (len / count);
}

static size_t input_len(const struct script *script)
{
    size_t len = 0;
    for (size_t i = 0; i < script->count; i++)
        if (script->steps[i].verb == SCRIPT_SEND)
            len += script->steps[i].len;
    return len;
}

/* Bytes of the frame that begins here, or what is there of one. */
static size_t frame_len(const uint8_t *bytes, size_t len)
{
    size_t n = len < WIRE_HEAD ? len : WIRE_HEAD + wire_get24(bytes);
    return n < len ? n : len;
}

/* Behind each frame of the input. */
static bool run_broken_at_frames(struct run *run, unsigned most)
{
    size_t before = 0;
    for (size_t i = 0; i < run->script.count; i++) {
        const struct script_step *step = &run->script.steps[i];
        size_t at = 0, len = step->verb == SCRIPT_SEND ? step->len : 0;
        for (; at < len && most > 0; most--) {
            at += frame_len(step->bytes + at, len - at);
            if (!run_broken_at(run, before + at, PLAY_NEVER, run->seed + before + at))
                return false;
        }
        before += len;
    }
    return true;
}

static bool run_broken(struct run *run)
{
    size_t in = input_len(&run->script), out = run->first.len;
    unsigned most = bounded(run, run->breaks);
    if (run->subject->frames && !run_broken_at_frames(run, most))
        return false;
    for (unsigned i = 0; i < most && i <= in; i++)
        if (!run_broken_at(run, place(i, most, in + 1), PLAY_NEVER, run->seed + i))
            return false;
    for (unsigned i = 0; i < most && i < out; i++)
        if (!run_broken_at(run, PLAY_NEVER, place(i, most, out), run->seed + i))
            return false;
    return true;
}

static bool run_without_memory(struct run *run)
{
    unsigned most = bounded(run, ALLOC_MAX);
    for (unsigned i = 0; i < most; i++) {
        struct play p = play_of(run, SIM_RANDOM, true, run->seed + i);
        unsigned long before = alloc_calls();
        alloc_fail(i, i % 2);
        const char *wrong = play(&p, NULL);
        alloc_heal();
        run->runs++;
        if (wrong) {
            say_run(run, &p, wrong);
            printf("# allocation %u fails%s\n", i, i % 2 ? ", and all after it" : "");
            return false;
        }
        if (alloc_calls() - before <= i)
            return true; /* it does not allocate so often */
    }
    return true;
}

static char *read_all(const char *path, size_t *out_len)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = malloc(LIMIT_SCRIPT_BYTES);
    if (text)
        *out_len = fread(text, 1, LIMIT_SCRIPT_BYTES, file);
    fclose(file);
    return text;
}

static bool load(struct run *run)
{
    size_t len;
    char *text = read_all(run->path, &len);
    if (!text) {
        printf("# %s: cannot be read: %s\n", run->path, strerror(errno));
        return false;
    }
    struct script_error error;
    int rc = script_parse(text, len, &run->script, &error);
    free(text);
    if (rc < 0)
        printf("# %s:%u: %s\n", run->path, error.line, error.text);
    return rc == 0;
}

/* "…/echo/basic.t" talks to "echo". */
static bool choose_subject(struct run *run)
{
    char folder[64] = "";
    const char *end = strrchr(run->path, '/'), *start = end;
    while (start && start > run->path && start[-1] != '/')
        start--;
    if (start && (size_t)(end - start) < sizeof(folder))
        memcpy(folder, start, (size_t)(end - start));
    const char *name = NULL;
    if (run->script.count > 0 && run->script.steps[0].verb == SCRIPT_WITH)
        name = (const char *)run->script.steps[0].bytes;
    run->subject = subject_find(folder, name);
    if (!run->subject)
        printf("# %s: no protocol \"%s\"%s%s in subjects.c\n", run->path, folder,
               name ? " with " : "", name ? name : "");
    return run->subject;
}

/* Names of frames become frames. */
static bool encode(struct run *run)
{
    size_t step;
    const char *wrong = run->subject->frames ? frames_encode(&run->script, &step) : NULL;
    if (wrong)
        printf("# %s:%u: %s\n", run->path, run->script.steps[step].line, wrong);
    return !wrong;
}

static bool run_script(struct run run, unsigned number)
{
    bool ok = load(&run);
    if (ok) {
        ok = choose_subject(&run) && encode(&run) && run_first(&run) && run_cuts(&run) &&
             run_broken(&run) && run_without_memory(&run);
        transcript_done(&run.first);
        script_done(&run.script);
    }
    printf("%sok %u - %s, %u runs\n", ok ? "" : "not ", number, run.path, run.runs);
    fflush(stdout);
    return ok;
}

static bool number_of(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = text ? strtoull(text, &end, 0) : 0;
    return text && *text && !*end && errno == 0;
}

/* A folder stands for the scripts in it. false: nothing there. */
static bool add_paths(const char *path, glob_t *paths)
{
    char pattern[4096];
    int flags = paths->gl_pathc > 0 ? GLOB_APPEND : 0;
    size_t len = strlen(path);
    bool file = len > 2 && strcmp(path + len - 2, ".t") == 0;
    snprintf(pattern, sizeof(pattern), file ? "%s" : "%s/*.t", path);
    return glob(pattern, flags, NULL, paths) == 0;
}

static bool run_all(const glob_t *paths, struct run run)
{
    bool ok = true;
    printf("1..%zu\n", paths->gl_pathc);
    for (unsigned i = 0; i < paths->gl_pathc; i++) {
        run.path = paths->gl_pathv[i];
        ok &= run_script(run, i + 1);
    }
    return ok;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, cuts = 1000, breaks = BREAKS;
    glob_t paths = {0};
    bool ok = true;
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && ok; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            ok = number_of(argv[i + 1], &seed);
        else if (strcmp(argv[i], "--breaks") == 0)
            ok = number_of(argv[i + 1], &breaks) && breaks < 1000000;
        else
            ok = strcmp(argv[i], "--cuts") == 0 && number_of(argv[i + 1], &cuts) && cuts < 1000000;
    }
    for (; i < argc && ok; i++)
        ok = add_paths(argv[i], &paths);
    if (!ok || paths.gl_pathc == 0) {
        fprintf(stderr, "usage: runner [--seed N] [--cuts N] [--breaks N] FILE.t|FOLDER...\n");
        return 2;
    }
    const struct run run = {.seed = seed, .cuts = (unsigned)cuts, .breaks = (unsigned)breaks};
    ok = run_all(&paths, run);
    globfree(&paths);
    return ok ? 0 : 1;
}
