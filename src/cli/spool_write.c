/* weir spool write: a message for each line, or each frame, of standard input. */
#include "base/bytes.h"
#include "cli/quantity.h"
#include "cli/spool.h"
#include "stream/spool_folder.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH      256
#define FIRST_ROOM (256 * 1024)
#define ROOM_MAX   (WEIR_SPOOL_MESSAGE_MAX + SPOOL_LENGTH_BYTES)

struct source {
    const struct spool_values *values;
    const char *folder;
    struct weir_spool_writer *writer;
    uint64_t begun, acked; /* numbers */
    char *in;
    size_t at, len, room;
    bool ended;
};

/* 0, or the exit status after a complaint. */
static int sync_value(const char *text, int *out)
{
    if (!text || strcmp(text, "each") == 0)
        return 0;
    if (strcmp(text, "never") == 0) {
        *out = WEIR_SPOOL_NEVER;
        return 0;
    }
    uint64_t ms;
    if (bytes_u64(bytes_str(text), &ms) < 0 || ms < 1 || ms > 3600000)
        return usage_error(&command_spool,
                           "--sync takes each, never, or milliseconds from 1 to 3600000, not '%s'",
                           text);
    *out = (int)ms;
    return 0;
}

static int size_value(const char *name, const char *text, uint64_t *out)
{
    if (!text || quantity_bytes(text, out) == 0)
        return 0;
    return usage_error(&command_spool, "--%s takes a size like 4096, 64K, 64M or 2G, not '%s'",
                       name, text);
}

static int options_value(const struct spool_values *v, struct weir_spool_options *out)
{
    int rc = sync_value(v->sync, &out->sync_ms);
    if (rc == 0)
        rc = size_value("segment-size", v->segment_size, &out->segment_bytes);
    if (rc == 0)
        rc = size_value("keep-bytes", v->keep_bytes, &out->keep_bytes);
    if (rc == 0 && v->keep_age && quantity_seconds(v->keep_age, &out->keep_s) < 0)
        rc = usage_error(&command_spool,
                         "--keep-age takes a time like 90s, 15m, 12h or 7d, not '%s'", v->keep_age);
    out->drop_unread = v->drop_unread;
    return rc;
}

static int open_failed(const char *folder, int error)
{
    if (error == -EINVAL)
        return usage_error(&command_spool, "--segment-size goes from 4K to 16G");
    if (error == -EBUSY)
        complain(&command_spool, "%s has a writer already, process %ld; one at a time can write",
                 folder, (long)spool_lock_holder(folder));
    else
        complain(&command_spool, "cannot write to %s: %s", folder, strerrordesc_np(-error));
    return 1;
}

static void say_cut(const struct source *s)
{
    struct weir_spool_trouble cut;
    weir_spool_writer_cut(s->writer, &cut);
    if (cut.what)
        complain(&command_spool, "%s/%020llu.seg: %s at offset %llu, %llu bytes", s->folder,
                 (unsigned long long)cut.segment, cut.what, (unsigned long long)cut.offset,
                 (unsigned long long)cut.bytes);
}

/* Takes one message: bytes taken, 0: not whole yet, -errno. */
static ssize_t take_line(const char *at, size_t len, bool ended, struct weir_bytes *out)
{
    const char *end = len > 0 ? memchr(at, '\n', len) : NULL;
    if (!end && !(ended && len > 0))
        return len > WEIR_SPOOL_MESSAGE_MAX ? -EMSGSIZE : 0;
    *out = (struct weir_bytes){at, end ? (size_t)(end - at) : len};
    return (ssize_t)(end ? out->len + 1 : len);
}

static ssize_t take_frame(const char *at, size_t len, bool ended, struct weir_bytes *out)
{
    const unsigned char *head = (const unsigned char *)at;
    size_t size = 0;
    for (int i = 0; i < SPOOL_LENGTH_BYTES && len >= SPOOL_LENGTH_BYTES; i++)
        size = size << 8 | head[i];
    if (size > WEIR_SPOOL_MESSAGE_MAX)
        return -EMSGSIZE;
    if (len < SPOOL_LENGTH_BYTES + size || len == 0)
        return ended && len > 0 ? -EPROTO : 0;
    *out = (struct weir_bytes){at + SPOOL_LENGTH_BYTES, size};
    return (ssize_t)(SPOOL_LENGTH_BYTES + size);
}

/* As many as there are, up to a batch. */
static int take_messages(struct source *s, struct weir_bytes *messages, size_t *out_count)
{
    ssize_t (*take)(const char *, size_t, bool, struct weir_bytes *) =
        s->values->frame ? take_frame : take_line;
    ssize_t n = 1;
    for (*out_count = 0; *out_count < BATCH; (*out_count)++) {
        n = take(s->in + s->at, s->len - s->at, s->ended, &messages[*out_count]);
        if (n <= 0)
            break;
        s->at += (size_t)n;
    }
    return n < 0 && *out_count == 0 ? (int)n : 0;
}

/* One line each, once the policy holds. */
static void acknowledge(struct source *s)
{
    uint64_t kept = weir_spool_kept(s->writer);
    for (; s->values->ack && s->acked < kept; s->acked++)
        printf("%llu\n", (unsigned long long)s->acked);
    if (s->values->ack)
        fflush(stdout);
}

static int append(struct source *s, const struct weir_bytes *messages, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t n = weir_spool_append_many(s->writer, messages + done, count - done);
        if (n < 0)
            return (int)n;
        done += (size_t)n;
        acknowledge(s);
    }
    return 0;
}

static int make_room(struct source *s)
{
    memmove(s->in, s->in + s->at, s->len - s->at);
    s->len -= s->at;
    s->at = 0;
    if (s->len < s->room)
        return 0;
    size_t room = s->room * 2 < ROOM_MAX + 2 ? s->room * 2 : ROOM_MAX + 2;
    char *in = room > s->room ? realloc(s->in, room) : NULL;
    if (!in)
        return room > s->room ? -ENOMEM : -EMSGSIZE;
    s->in = in;
    s->room = room;
    return 0;
}

static int receive(struct source *s)
{
    int rc = make_room(s);
    if (rc < 0)
        return rc;
    ssize_t n = read(STDIN_FILENO, s->in + s->len, s->room - s->len);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    s->len += (size_t)n;
    s->ended = n == 0;
    return 0;
}

/* What is whole is appended before anything is waited for; what is due by time is done in between. */
static int pump(struct source *s, int signals)
{
    struct weir_bytes messages[BATCH];
    for (;;) {
        size_t count;
        int rc = take_messages(s, messages, &count);
        if (rc == 0)
            rc = append(s, messages, count);
        if (rc < 0 || (count == 0 && s->ended))
            return rc;
        if (count > 0)
            continue;
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = signals, .events = POLLIN}};
        if (poll(fds, 2, weir_spool_due_ms(s->writer)) < 0 && errno != EINTR)
            return -errno;
        rc = weir_spool_tend(s->writer);
        acknowledge(s);
        if (rc < 0 || fds[1].revents)
            return rc;
        if (fds[0].revents)
            rc = receive(s);
        if (rc < 0)
            return rc;
    }
}

static int close_all(struct source *s, int rc, int status)
{
    uint64_t count = weir_spool_number(s->writer) - s->begun;
    int sync =
        s->values->sync && strcmp(s->values->sync, "never") == 0 ? 0 : weir_spool_sync(s->writer);
    acknowledge(s);
    int closed = weir_spool_writer_close(s->writer);
    rc = rc < 0 ? rc : sync < 0 ? sync : closed;
    free(s->in);
    if (rc < 0)
        complain(&command_spool, "%s: %s; %llu messages were appended", s->folder,
                 rc == -EPROTO     ? "the input ended within a message"
                 : rc == -EMSGSIZE ? "a message is longer than 16 MiB"
                                   : strerrordesc_np(-rc),
                 (unsigned long long)count);
    else if (!s->values->quiet)
        complain(&command_spool, "%llu messages", (unsigned long long)count);
    return rc < 0 ? 1 : status;
}

int spool_cli_write(const char *folder, const struct spool_values *v)
{
    struct weir_spool_options options = {0};
    struct source s = {.values = v, .folder = folder, .room = FIRST_ROOM};
    int rc = options_value(v, &options);
    if (rc != 0)
        return rc;
    rc = weir_spool_writer_open(folder, &options, &s.writer);
    if (rc < 0)
        return open_failed(folder, rc);
    say_cut(&s);
    s.begun = s.acked = weir_spool_number(s.writer);
    s.in = malloc(s.room);
    int signals = spool_cli_signals();
    rc = !s.in ? -ENOMEM : signals < 0 ? signals : pump(&s, signals);
    return close_all(&s, rc, signals < 0 ? 1 : spool_cli_stopped(signals));
}
