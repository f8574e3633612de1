/* Shared memory streams: names, who is there, hostile peers, and peers that are killed at any moment. */
#include "stream/shm.h"

#include "children.h"
#include "stream/wait.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define RING 65536u

static void open_pair_of(size_t bytes, struct weir_stream *ends[2])
{
    assert_int_equal(weir_shm_pair(bytes, ends), 0);
    for (int i = 0; i < 2; i++)
        weir_set_timeout(ends[i], PATIENCE_MS);
}

/* --- names and sizes --- */

static void check_name(const char *name, bool for_listening, const char *wrong)
{
    char why[512] = "";
    int rc = weir_endpoint_check(name, for_listening, why, sizeof(why));
    assert_int_equal(rc, wrong ? -EINVAL : 0);
    if (wrong && !strstr(why, wrong))
        fail_msg("%s: %s", name, why);
}

static void names_say_what_is_wrong(void **state)
{
    (void)state;
    check_name("shm:/run/x", false, NULL);
    check_name("shm:@x", true, NULL);
    check_name("shm:/run/x?size=64K", true, NULL);
    check_name("shm:/run/x?size=1", true, NULL);
    check_name("shm:/run/x?size=64M", true, NULL);
    check_name("shm:/run/x?size=64K", false, "listener");
    check_name("shm:/run/x?size=65M", true, "up to 64M");
    check_name("shm:/run/x?size=", true, "number of bytes");
    check_name("shm:/run/x?size=0", true, "number of bytes");
    check_name("shm:/run/x?size=-1", true, "number of bytes");
    check_name("shm:/run/x?size=1G", true, "number of bytes");
    check_name("shm:/run/x?size=99999999999999999999K", true, "number of bytes");
    check_name("shm:", true, "missing");
    check_name("shm:?size=1M", true, "missing");
    char name[200] = "shm:";
    memset(name + 4, 'x', 150);
    check_name(name, true, "107 bytes");
}

static void the_listener_chooses_the_size(void **state)
{
    (void)state;
    struct weir_listener *listener;
    struct weir_stream *client;
    struct weir_stream *server;
    struct weir_peer peer;
    pthread_t thread;
    char name[160];
    void *accepted;
    snprintf(name, sizeof(name), "%s?size=100000", fresh_name("shm:"));
    assert_int_equal(weir_listen(name, 0, &listener), 0);
    *strchr(name, '?') = '\0';
    assert_string_equal(weir_listener_name(listener), name);
    pthread_create(&thread, NULL, accept_one, listener);
    assert_int_equal(weir_open(name, 0, PATIENCE_MS, &client), 0);
    pthread_join(thread, &accepted);
    server = accepted;
    assert_int_equal(weir_shm_size(client), 131072);
    assert_int_equal(weir_shm_size(server), 131072);
    assert_int_equal(weir_peer(client, &peer), 0);
    assert_string_equal(peer.text, name);
    assert_int_equal(peer.pid, getpid());
    assert_int_equal(peer.uid, getuid());
    assert_int_equal(weir_peer(server, &peer), 0);
    assert_int_equal(peer.pid, getpid());
    assert_int_equal(weir_tuple(server, name, sizeof(name)), -ENOTSOCK);
    weir_close(client);
    weir_close(server);
    weir_listener_close(listener);
    assert_int_equal(weir_open(name, 0, 100, &client), -ENOENT);
    struct weir_stream *none[2];
    assert_int_equal(weir_shm_pair(1ull << 40, none), -EINVAL);
}

static void nobody_accepts(void **state)
{
    (void)state;
    struct weir_listener *listener;
    struct weir_stream *s;
    int64_t before = now_ms();
    const char *name = fresh_name("shm:");
    assert_int_equal(weir_listen(name, 0, &listener), 0);
    assert_int_equal(weir_accept(listener, 20, &s), -ETIMEDOUT);
    assert_int_equal(weir_open(name, 0, 60, &s), -ETIMEDOUT);
    assert_true(now_ms() - before >= 79);
    /* The one that gave up is passed over. */
    assert_int_equal(weir_accept(listener, 20, &s), -ETIMEDOUT);
    weir_listener_close(listener);
}

/* --- messages without a copy --- */

static void messages_where_they_lie(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    void *to;
    const void *from;
    open_pair_of(RING, ends);
    for (uint32_t i = 0; i < 50000; i++) {
        size_t len = 8 + i % 5000;
        assert_true(weir_shm_reserve(ends[0], len, &to) >= (ssize_t)len);
        memset(to, (int)(i & 0xff), len);
        assert_int_equal(weir_shm_commit(ends[0], len), 0);
        assert_int_equal(weir_shm_peek(ends[1], len, &from), len);
        assert_int_equal(((const uint8_t *)from)[len - 1], i & 0xff);
        assert_int_equal(weir_shm_consume(ends[1], len), 0);
    }
    assert_int_equal(weir_shm_reserve(ends[0], RING / 2 + 1, &to), -EMSGSIZE);
    assert_int_equal(weir_shm_peek(ends[0], RING / 2 + 1, &from), -EMSGSIZE);
    assert_int_equal(weir_shm_commit(ends[0], RING + 1), -EINVAL);
    assert_int_equal(weir_shm_consume(ends[1], 1), -EINVAL);
    assert_int_equal(weir_write_all(ends[0], "end", 3), 0);
    weir_set_timeout(ends[1], 20);
    assert_int_equal(weir_shm_peek(ends[1], 4, &from), -ETIMEDOUT);
    assert_int_equal(weir_end(ends[0]), 0);
    assert_int_equal(weir_shm_reserve(ends[0], 1, &to), -EBADF);
    assert_int_equal(weir_shm_peek(ends[1], 4, &from), 3);
    assert_memory_equal(from, "end", 3);
    assert_int_equal(weir_shm_consume(ends[1], 3), 0);
    assert_int_equal(weir_shm_peek(ends[1], 1, &from), 0);
    weir_close(ends[0]);
    weir_close(ends[1]);
    assert_int_equal(weir_pair(ends), 0);
    assert_int_equal(weir_shm_size(ends[0]), 0);
    assert_int_equal(weir_shm_peek(ends[0], 1, &from), -EOPNOTSUPP);
    weir_close(ends[0]);
    weir_close(ends[1]);
}

/* --- across processes --- */

#define STRESS (24u * 1024 * 1024)

static void *send_stress(void *arg)
{
    static const size_t sizes[] = {10, 300, 5000, 100000};
    static __thread uint8_t bytes[100000];
    uint32_t seed = (uint32_t)(uintptr_t)arg | 1;
    for (size_t sent = 0; sent < STRESS;) {
        size_t len = next_random(&seed) % sizes[next_random(&seed) % 4] + 1;
        len = len < STRESS - sent ? len : STRESS - sent;
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(sent + i);
        int rc = weir_write_all(arg, bytes, len);
        if (rc < 0)
            return (void *)(intptr_t)rc;
        sent += len;
    }
    return (void *)(intptr_t)weir_end(arg);
}

/* How many bytes were right until the end; negative: the error. */
static intptr_t receive_stress(struct weir_stream *s, uint32_t seed)
{
    static __thread uint8_t bytes[100000];
    size_t have = 0;
    ssize_t n;
    while ((n = weir_read(s, bytes, next_random(&seed) % (have % 3 ? 1000 : 100000) + 1)) > 0)
        for (ssize_t i = 0; i < n; i++, have++)
            if (bytes[i] != byte_at(have))
                return -EBADMSG;
    return n < 0 ? n : (intptr_t)have;
}

static intptr_t both_ways(struct weir_stream *s)
{
    pthread_t thread;
    void *sent;
    if (pthread_create(&thread, NULL, send_stress, s) != 0)
        return -1;
    intptr_t got = receive_stress(s, (uint32_t)getpid());
    pthread_join(thread, &sent);
    return sent ? (intptr_t)sent : got;
}

static void both_directions_across_processes(void **state)
{
    (void)state;
    for (size_t ring = 4096; ring <= 1u << 20; ring *= 16) {
        struct weir_stream *ends[2];
        open_pair_of(ring, ends);
        pid_t pid = start();
        weir_close(ends[pid > 0]);
        if (pid == 0)
            _exit(both_ways(ends[1]) == STRESS ? 0 : 1);
        assert_int_equal(both_ways(ends[0]), STRESS);
        assert_int_equal(end_of(pid), 0);
        weir_close(ends[0]);
    }
}

/* Two threads at either end of one process: what a thread sanitizer is to look at. */
static void *both_ways_thread(void *arg)
{
    return (void *)both_ways(arg);
}

static void both_directions_across_threads(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    pthread_t thread;
    void *got;
    open_pair_of(RING, ends);
    pthread_create(&thread, NULL, both_ways_thread, ends[0]);
    assert_int_equal(both_ways(ends[1]), STRESS);
    pthread_join(thread, &got);
    assert_int_equal((intptr_t)got, STRESS);
    weir_close(ends[0]);
    weir_close(ends[1]);
}

/* --- death --- */

static _Noreturn void write_for_ever(struct weir_stream *s)
{
    uint8_t bytes[3000];
    uint32_t seed = (uint32_t)getpid();
    for (size_t sent = 0;;) {
        size_t len = next_random(&seed) % sizeof(bytes) + 1;
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(sent + i);
        if (weir_write_all(s, bytes, len) < 0)
            _exit(1);
        sent += len;
        if (next_random(&seed) % 64 == 0)
            nap_us(30); /* so that the other side sleeps now and then */
    }
}

static _Noreturn void read_for_ever(struct weir_stream *s)
{
    uint8_t bytes[3000];
    uint32_t seed = (uint32_t)getpid();
    while (weir_read(s, bytes, next_random(&seed) % sizeof(bytes) + 1) > 0)
        if (next_random(&seed) % 64 == 0)
            nap_us(30);
    _exit(1);
}

/* The survivor reads what was published, all of it right, and then sees the end. */
static void reader_survives(struct weir_stream *s)
{
    uint8_t bytes[5000];
    size_t have = 0;
    ssize_t n;
    while ((n = weir_read(s, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < n; i++, have++)
            if (bytes[i] != byte_at(have))
                fail_msg("wrong byte at %zu", have);
    assert_int_equal(n, 0);
    assert_int_equal(weir_read(s, bytes, 1), 0);
    assert_int_equal(weir_write(s, "x", 1), -EPIPE);
}

static void writer_survives(struct weir_stream *s)
{
    static uint8_t bytes[5000];
    ssize_t n;
    while ((n = weir_write(s, bytes, sizeof(bytes))) > 0)
        ;
    assert_int_equal(n, -EPIPE);
    assert_int_equal(weir_write(s, bytes, 1), -EPIPE);
    assert_int_equal(weir_read(s, bytes, 1), 0);
}

static void killed_at(uint32_t *seed, bool reader_lives, bool client_lives)
{
    struct weir_stream *ends[2];
    open_pair_of(reader_lives ? 4096 : 16384, ends);
    struct weir_stream *mine = ends[client_lives];
    struct weir_stream *other = ends[!client_lives];
    struct killer k = {.us = (long)(next_random(seed) % 1500)};
    k.pid = start();
    if (k.pid == 0) {
        weir_close(mine);
        if (reader_lives)
            write_for_ever(other);
        read_for_ever(other);
    }
    weir_close(other);
    killer_start(&k);
    if (reader_lives)
        reader_survives(mine);
    else
        writer_survives(mine);
    killer_done(&k);
    weir_close(mine);
}

static void peers_killed_at_any_moment(void **state)
{
    (void)state;
    uint32_t seed = (uint32_t)getpid();
    for (int i = 0; i < 400; i++)
        killed_at(&seed, i % 2, i / 2 % 2);
}

/* A copy of the socket in another process does not hide the death of the one that used it. */
static void a_forked_copy_hides_no_death(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char byte;
    open_pair_of(RING, ends);
    int go[2];
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid_t user = start();
    if (user == 0) {
        weir_close(ends[0]);
        close(go[1]);
        if (fork() == 0) { /* holds on to the socket, and does nothing else */
            (void)!read(go[0], &byte, 1);
            _exit(0);
        }
        (void)!weir_write_all(ends[1], "x", 1);
        (void)!weir_read(ends[1], &byte, 1);
        pause();
    }
    weir_close(ends[1]);
    close(go[0]);
    assert_int_equal(weir_read(ends[0], &byte, 1), 1);
    nap_ms(30); /* it has said by now that it took over */
    int64_t before = now_ms();
    kill(user, SIGKILL);
    assert_int_equal(weir_read(ends[0], &byte, 1), 0);
    assert_int_equal(weir_write(ends[0], &byte, 1), -EPIPE);
    assert_true(now_ms() - before < PROMPT_MS);
    assert_int_equal(end_of(user), -SIGKILL);
    close(go[1]);
    weir_close(ends[0]);
}

/* The process that opened an end may go when another has taken it over. */
static void who_takes_over_is_the_one_that_counts(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char bytes[8];
    open_pair_of(RING, ends);
    pid_t parent = start();
    if (parent == 0) {
        weir_close(ends[0]);
        weir_set_timeout(ends[1], 20);
        (void)!weir_read(ends[1], bytes, 1); /* takes it over from the test */
        if (fork() == 0) {
            (void)!weir_read(ends[1], bytes, 1); /* and the child from it */
            nap_ms(150);
            _exit(weir_write_all(ends[1], "alive", 5) < 0);
        }
        nap_ms(60);
        _exit(0);
    }
    weir_close(ends[1]);
    assert_int_equal(weir_read_full(ends[0], bytes, sizeof(bytes)), 5);
    assert_memory_equal(bytes, "alive", 5);
    assert_int_equal(end_of(parent), 0);
    weir_close(ends[0]);
}

/* --- hostile peers --- */

/* Scribbles over everything, rings, and says nothing that is right; until it is killed. */
static _Noreturn void scribble(struct weir_stream *s, uint32_t seed, bool header_only)
{
    const struct shm_map *map = &s->shm->map;
    size_t header = (size_t)(shm_map_bytes(map, 0) - map->base);
    size_t len = header_only ? 2 * sizeof(struct ring_shared) : map->len;
    for (;;) {
        size_t at = next_random(&seed) % len;
        if (next_random(&seed) % 8 == 0)
            *(uint64_t *)(void *)(map->base + (at & ~7ul) % header) = next_random(&seed) % 70000;
        else
            map->base[at] = (uint8_t)next_random(&seed);
        if (next_random(&seed) % 16 == 0)
            shm_ring(s->shm);
        if (next_random(&seed) % 1024 == 0)
            shm_ring_self(s->shm);
    }
}

static void check_result(ssize_t n, size_t len)
{
    bool error = n == -EPROTO || n == -ETIMEDOUT || n == -EPIPE;
    if (!error && (n < 0 || (size_t)n > len))
        fail_msg("%zd of %zu", n, len);
}

static void use_scribbled(struct weir_stream *s, uint32_t *seed)
{
    static uint8_t bytes[100000];
    const void *from;
    void *to;
    weir_set_timeout(s, 2);
    for (int i = 0; i < 60; i++) {
        size_t len = next_random(seed) % sizeof(bytes) + 1;
        check_result(weir_read(s, bytes, len), len);
        len = next_random(seed) % sizeof(bytes) + 1;
        check_result(weir_write(s, bytes, len), len);
        size_t size = weir_shm_size(s);
        ssize_t n = weir_shm_peek(s, size / 2, &from);
        check_result(n, size);
        if (n > 0)
            memcpy(bytes, from, (size_t)n < sizeof(bytes) ? (size_t)n : sizeof(bytes));
        n = weir_shm_reserve(s, size / 2, &to);
        check_result(n, size);
        if (n > 0)
            memset(to, i, (size_t)n);
    }
}

static void scribblers_spoil_only_their_own(void **state)
{
    (void)state;
    uint32_t seed = 77;
    for (int round = 0; round < 60; round++) {
        struct weir_stream *ends[2];
        open_pair_of(16384, ends);
        pid_t pid = start();
        weir_close(ends[pid > 0]);
        if (pid == 0)
            scribble(ends[1], seed + (uint32_t)round, round % 3);
        int64_t before = now_ms();
        use_scribbled(ends[0], &seed);
        assert_true(now_ms() - before < PATIENCE_MS);
        kill(pid, SIGKILL);
        assert_int_equal(end_of(pid), -SIGKILL);
        weir_close(ends[0]);
    }
}

static void ringing_does_not_outlast_a_timeout(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char bytes[4096] = {0};
    open_pair_of(4096, ends);
    pid_t pid = start();
    if (pid == 0)
        for (;;)
            shm_ring(ends[1]->shm);
    weir_set_timeout(ends[0], 50);
    int64_t before = now_ms();
    assert_int_equal(weir_read(ends[0], bytes, 1), -ETIMEDOUT);
    assert_int_equal(weir_write(ends[0], bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(weir_write(ends[0], bytes, sizeof(bytes)), -ETIMEDOUT);
    assert_true(now_ms() - before >= 99);
    assert_true(now_ms() - before < PROMPT_MS);
    kill(pid, SIGKILL);
    assert_int_equal(end_of(pid), -SIGKILL);
    weir_close(ends[0]);
    weir_close(ends[1]);
}

/* A peer that sends what it likes over the socket is one that is gone. */
static void words_that_are_none_end_it(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char byte;
    open_pair_of(RING, ends);
    assert_int_equal(weir_write_all(ends[0], "last", 4), 0);
    assert_int_equal(send(ends[0]->shm->socket, "nonsense", 8, MSG_NOSIGNAL), 8);
    for (int i = 0; i < 4; i++)
        assert_int_equal(weir_read(ends[1], &byte, 1), 1);
    assert_int_equal(weir_read(ends[1], &byte, 1), 0);
    weir_close(ends[0]);
    weir_close(ends[1]);
}

struct hello {
    uint32_t magic, version;
    uint64_t bytes;
};

/* A server that sends `fds`; the client's answer to that. */
static int answer_to(struct hello hello, const int *fds, unsigned count)
{
    struct weir_stream *pair[2];
    struct shm *shm;
    assert_int_equal(weir_pair(pair), 0);
    assert_int_equal(weir_send_fds(pair[0], &hello, sizeof(hello), fds, count), 0);
    int rc = shm_join(dup(weir_read_fd(pair[1])), deadline_in(1000), &shm);
    if (rc == 0)
        shm_close(shm);
    weir_close(pair[0]);
    weir_close(pair[1]);
    return rc;
}

static int memory_of(off_t bytes, bool allocated, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(allocated ? fallocate(fd, 0, 0, bytes) : ftruncate(fd, bytes), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static int answer_to_memory(off_t bytes, bool allocated, int seals)
{
    const struct hello right = {0x77656972, 1, RING};
    int fds[3] = {memory_of(bytes, allocated, seals), shm_bell_new(), shm_bell_new()};
    int rc = answer_to(right, fds, 3);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    return rc;
}

static void clients_look_before_they_touch(void **state)
{
    (void)state;
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    const off_t whole = sysconf(_SC_PAGESIZE) + 2 * RING;
    assert_int_equal(answer_to_memory(whole, true, seals), 0);
    assert_int_equal(answer_to_memory(whole, true, seals & ~F_SEAL_SHRINK), -EPROTO);
    assert_int_equal(answer_to_memory(whole, true, seals & ~F_SEAL_SEAL), -EPROTO);
    assert_int_equal(answer_to_memory(whole, false, seals), -EPROTO);
    assert_int_equal(answer_to_memory(whole - 1, true, seals), -EPROTO);
    assert_int_equal(answer_to_memory(2 * whole, true, seals), -EPROTO);

    const struct hello wrong[] = {
        {0x77656973, 1, RING},       {0x77656972, 2, RING}, {0x77656972, 1, 0},
        {0x77656972, 1, RING + 1},   {0x77656972, 1, 100},  {0x77656972, 1, RING / 2},
        {0x77656972, 1, 1ull << 60},
    };
    int fds[4] = {memory_of(whole, true, seals), shm_bell_new(), shm_bell_new(), 0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(answer_to(wrong[i], fds, 3), -EPROTO);
    const struct hello right = {0x77656972, 1, RING};
    assert_int_equal(answer_to(right, fds, 0), -EPROTO);
    assert_int_equal(answer_to(right, fds, 2), -EPROTO);
    assert_true(answer_to(right, fds, 4) < 0);
    /* A plain file in the place of a bell. */
    int bell = fds[2];
    fds[2] = fds[0];
    assert_int_equal(answer_to(right, fds, 3), -EPROTO);
    fds[2] = bell;
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void a_server_that_says_nothing(void **state)
{
    (void)state;
    struct weir_stream *pair[2];
    struct shm *shm;
    assert_int_equal(weir_pair(pair), 0);
    assert_int_equal(shm_join(dup(weir_read_fd(pair[1])), deadline_in(30), &shm), -ETIMEDOUT);
    weir_close(pair[0]);
    assert_int_equal(shm_join(dup(weir_read_fd(pair[1])), deadline_in(1000), &shm), -ECONNRESET);
    weir_close(pair[1]);
}

/* Out of descriptors the next client is left in the queue; with some again, it is served. */
static void want_of_descriptors_leaves_clients_queued(void **state)
{
    (void)state;
    struct weir_listener *listener;
    struct weir_stream *server;
    struct rlimit before;
    const char *name = fresh_name("shm:");
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    assert_int_equal(weir_listen(name, 0, &listener), 0);
    strcpy(un.sun_path, name + strlen("shm:"));
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    int first = fcntl(0, F_DUPFD_CLOEXEC, 0);
    close(first);
    for (unsigned room = 0; room < 5; room++) {
        const struct rlimit few = {(rlim_t)first + room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        if (room == 0) { /* nobody is there who could be let down */
            assert_int_equal(weir_accept(listener, 0, &server), -ETIMEDOUT);
            assert_int_equal(connect(client, (struct sockaddr *)&un, sizeof(un)), 0);
        }
        assert_int_equal(weir_accept(listener, 0, &server), -EMFILE);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(weir_accept(listener, PATIENCE_MS, &server), 0);
    weir_close(server);
    weir_listener_close(listener);
    close(client);
}

/* --- waiting by descriptor --- */

static bool is_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

static void descriptors_tell_when_to_try(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char bytes[4096];
    struct iovec iov = {bytes, sizeof(bytes)};
    open_pair_of(16384, ends);
    int in = weir_read_fd(ends[1]);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(stream_try_read(ends[1], bytes, sizeof(bytes)), -EAGAIN);
        assert_false(is_readable(in, 0));
        assert_int_equal(weir_write_all(ends[0], "abc", 3), 0);
        assert_true(is_readable(in, PATIENCE_MS));
        assert_int_equal(stream_try_read(ends[1], bytes, sizeof(bytes)), 3);
    }
    int out = weir_write_fd(ends[0]);
    ssize_t n;
    while ((n = stream_try_writev(ends[0], &iov, 1, false)) > 0)
        ;
    assert_int_equal(n, -EAGAIN);
    assert_false(is_readable(out, 0));
    assert_int_equal(weir_read_full(ends[1], bytes, 4096), 4096);
    assert_false(is_readable(out, 0)); /* not for crumbs */
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_read_full(ends[1], bytes, 4096), 4096);
    assert_true(is_readable(out, PATIENCE_MS));
    assert_true(stream_try_writev(ends[0], &iov, 1, false) > 0);
    weir_close(ends[1]);
    assert_true(is_readable(weir_read_fd(ends[0]), PATIENCE_MS));
    nap_ms(1); /* who writes looks after the other end now and then, not each time */
    assert_int_equal(stream_try_writev(ends[0], &iov, 1, false), -EPIPE);
    assert_int_equal(stream_try_read(ends[0], bytes, 1), 0);
    weir_close(ends[0]);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(names_say_what_is_wrong),
        COUNTED(the_listener_chooses_the_size),
        COUNTED(nobody_accepts),
        COUNTED(messages_where_they_lie),
        COUNTED(both_directions_across_processes),
        COUNTED(both_directions_across_threads),
        COUNTED(peers_killed_at_any_moment),
        COUNTED(a_forked_copy_hides_no_death),
        COUNTED(who_takes_over_is_the_one_that_counts),
        COUNTED(scribblers_spoil_only_their_own),
        COUNTED(ringing_does_not_outlast_a_timeout),
        COUNTED(words_that_are_none_end_it),
        COUNTED(clients_look_before_they_touch),
        COUNTED(a_server_that_says_nothing),
        COUNTED(want_of_descriptors_leaves_clients_queued),
        COUNTED(descriptors_tell_when_to_try),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
