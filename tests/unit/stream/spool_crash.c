/*
 * Writers and readers that are killed with SIGKILL at random moments: nothing acknowledged is lost, nothing comes twice
 * to a reader that committed. WEIR_SPOOL_KILLS=N: so many each, however long it takes; else for a few seconds.
 */
#include "spool.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#define SECONDS     3
#define KILLS_LEAST 30 /* on the slowest machine */
#define BATCH       24

/* What the children say, in memory that outlives them. */
struct said {
    _Atomic uint64_t acked;     /* messages with smaller numbers are acknowledged */
    _Atomic uint64_t given;     /* number of the message that is with the reader */
    _Atomic uint64_t committed; /* messages with smaller numbers are committed */
    _Atomic int error;
};

static struct said *said;
static unsigned kills_wanted;

static int make_all(void **state)
{
    const char *kills = getenv("WEIR_SPOOL_KILLS");
    kills_wanted = kills ? (unsigned)strtoul(kills, NULL, 10) : 0;
    said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return said == MAP_FAILED ? -1 : make_folder(state);
}

static int remove_all(void **state)
{
    munmap(said, sizeof(*said));
    return remove_folder(state);
}

/* 0: go on; the rounds of a test end by count or by time. */
static bool enough(unsigned rounds, int64_t since)
{
    if (kills_wanted > 0)
        return rounds >= kills_wanted;
    return rounds >= KILLS_LEAST && now_us() - since > SECONDS * 1000000ll;
}

static pid_t start(void (*work)(uint32_t), uint32_t seed)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work(seed);
    _exit(0);
}

/* After a random time; most are short, so that openings are hit as well. */
static void kill_soon(pid_t pid, uint32_t *seed)
{
    int status;
    uint32_t random = next_random(seed);
    nap_us((long)(random % 3 == 0 ? random % 300 : random % 4000));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(said->error, 0);
}

/* Small files and batches, so that the kill falls into the beginning, the writing and the removing of files, too. */
static void write_for_ever(uint32_t seed)
{
    static uint8_t bytes[BATCH][MADE_MAX];
    struct weir_bytes messages[BATCH];
    const struct weir_spool_options options = {
        .sync_ms = seed % 8 == 0   ? 0
                   : seed % 8 == 1 ? 5
                                   : WEIR_SPOOL_NEVER,
        .segment_bytes = 64 * 1024,
        .keep_bytes = 512 * 1024,
    };
    struct weir_spool_writer *w;
    int rc = weir_spool_writer_open(folder, &options, &w);
    while (rc == 0) {
        uint64_t number = weir_spool_number(w);
        size_t count = 1 + next_random(&seed) % BATCH;
        for (size_t i = 0; i < count; i++) {
            make_message(number + i, bytes[i]);
            messages[i] = (struct weir_bytes){(const char *)bytes[i], made_len(number + i)};
        }
        ssize_t n = weir_spool_append_many(w, messages, count);
        if (n == (ssize_t)count)
            said->acked = weir_spool_number(w);
        else
            rc = n < 0 ? (int)n : -EPROTO;
    }
    said->error = rc;
    pause();
}

/* Everything up to what was acknowledged is there, whole, once, in order. */
static uint64_t read_all(struct weir_spool_reader *r, uint64_t next)
{
    struct weir_spool_message m;
    int rc;
    while ((rc = weir_spool_next(r, 0, &m)) > 0) {
        assert_int_equal(m.number, next);
        assert_int_equal(m.missed, 0);
        assert_true(is_made(&m));
        next++;
    }
    assert_int_equal(rc, 0);
    assert_int_equal(weir_spool_commit(r), 0);
    return next;
}

static void killed_writers_lose_nothing(void **state)
{
    uint32_t seed = (uint32_t)getpid();
    uint64_t next = 0, cuts = 0;
    unsigned rounds = 0;
    (void)state;
    struct weir_spool_reader *r = reader("judge", false);
    for (int64_t since = now_us(); !enough(rounds, since); rounds++) {
        kill_soon(start(write_for_ever, rounds * 7919u + seed), &seed);
        next = read_all(r, next);
        if (next < said->acked)
            fail_msg("%llu acknowledged, %llu there", (unsigned long long)said->acked,
                     (unsigned long long)next);
        struct weir_spool_trouble t;
        weir_spool_reader_trouble(r, &t);
        cuts += t.what != NULL;
        if (rounds % 5 == 0) { /* a reader that begins anew comes to the same place */
            weir_spool_reader_close(r);
            r = reader("judge", false);
        }
    }
    weir_spool_reader_close(r);
    assert_int_equal(check().damages, 0);
    print_message("%u kills, %llu messages, %llu torn tails\n", rounds, (unsigned long long)next,
                  (unsigned long long)cuts);
    assert_true(next > 0);
}

static void read_for_ever(uint32_t seed)
{
    const struct weir_spool_reader_options options = {.name = "victim",
                                                      .lazy_commit = seed % 8 != 0};
    struct weir_spool_reader *r;
    struct weir_spool_message m;
    int rc = weir_spool_reader_open(folder, &options, &r);
    bool first = true;
    while (rc == 0 && (rc = weir_spool_next(r, 1000, &m)) >= 0) {
        if (rc == 0)
            continue;
        /* The kill can fall between a commit and the word of it. */
        bool right = first ? m.number == said->committed || m.number == said->given + 1
                           : m.number == said->given + 1;
        if (!right || !is_made(&m) || m.missed > 0) {
            said->error = -EBADMSG;
            break;
        }
        if (first)
            said->committed = m.number;
        first = false;
        said->given = m.number;
        rc = 0;
        if (next_random(&seed) % 3 == 0) {
            rc = weir_spool_commit(r);
            said->committed = m.number + 1;
        }
    }
    if (rc < 0)
        said->error = rc;
    pause();
}

static void killed_readers_read_nothing_twice(void **state)
{
    uint32_t seed = (uint32_t)getpid() * 3;
    unsigned rounds = 0;
    int status;
    (void)state;
    said->given = UINT64_MAX;                         /* so that 0 follows */
    weir_spool_reader_close(reader("victim", false)); /* known before anything can be removed */
    pid_t producer = start(write_for_ever, 2);
    for (int64_t since = now_us(); !enough(rounds, since); rounds++) {
        uint64_t before = said->committed;
        kill_soon(start(read_for_ever, rounds * 7919u + seed), &seed);
        assert_true(said->committed >= before);
    }
    kill(producer, SIGKILL);
    assert_int_equal(waitpid(producer, &status, 0), producer);
    print_message("%u kills, %llu messages\n", rounds, (unsigned long long)said->committed);
    assert_true(said->committed > 0);
}

/* --- nobody is killed: a writer and two followers, as fast as they can --- */

#define STRESS 20000

/* In a child: what went wrong is said before it ends. */
static _Noreturn void end_with(const char *who, uint64_t number, int rc)
{
    if (rc < 0)
        fprintf(stderr, "%s at %llu: %s\n", who, (unsigned long long)number, strerror(-rc));
    _exit(rc < 0);
}

static void write_stress(uint32_t seed)
{
    static uint8_t bytes[MADE_MAX];
    const struct weir_spool_options options = {
        .sync_ms = WEIR_SPOOL_NEVER, .segment_bytes = 256 * 1024, .keep_bytes = 1024 * 1024};
    struct weir_spool_writer *w;
    uint64_t i = 0;
    int rc = weir_spool_writer_open(folder, &options, &w);
    for (; rc == 0 && i < STRESS; i++) {
        make_message(i, bytes);
        rc = weir_spool_append(w, bytes, made_len(i));
        if (next_random(&seed) % 2000 == 0)
            nap_us(3000);
    }
    end_with("writer", i, rc < 0 ? rc : weir_spool_writer_close(w));
}

static int follow(struct weir_spool_reader *r, uint64_t number, bool commit)
{
    struct weir_spool_message m;
    int rc = weir_spool_next(r, 10000, &m);
    if (rc <= 0)
        return rc < 0 ? rc : -ETIMEDOUT;
    if (m.number != number || m.missed)
        return -ERANGE;
    if (!is_made(&m))
        return -EILSEQ;
    return commit ? weir_spool_commit(r) : 0;
}

static void follow_stress(uint32_t every)
{
    struct weir_spool_reader *r = reader(every == 1 ? "one" : "two", false);
    uint64_t i = 0;
    int rc = 0;
    for (; rc == 0 && i < STRESS; i++)
        rc = follow(r, i, i % (every * 50) == 0);
    end_with(every == 1 ? "follower one" : "follower two", i, rc);
}

static void writer_and_followers_at_once(void **state)
{
    (void)state;
    weir_spool_reader_close(reader("one", false));
    weir_spool_reader_close(reader("two", false));
    pid_t pids[] = {start(follow_stress, 1), start(follow_stress, 7), start(write_stress, 5)};
    for (int i = 0; i < 3; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(check().damages, 0);
    assert_int_equal(check().next, STRESS);
}

#define CRASH_TEST(f) cmocka_unit_test_setup_teardown(f, make_all, remove_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRASH_TEST(killed_writers_lose_nothing),
        CRASH_TEST(killed_readers_read_nothing_twice),
        CRASH_TEST(writer_and_followers_at_once),
    };
    return cmocka_run_group_tests_name("spool_crash", tests, NULL, NULL);
}
