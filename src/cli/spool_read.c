/* weir spool read and follow: messages to standard output, committed once they are written there. */
#include "cli/spool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define COMMIT_MESSAGES 1024  /* printed and not yet committed: those may be printed twice */
#define COMMIT_BYTES    65536 /* ... or so many bytes */
#define BLIND_MS        50    /* where the system cannot tell of news */

struct sink {
    const struct spool_values *values;
    const char *folder;
    struct weir_spool_reader *reader;
    struct spool_out out;
    int signals;              /* -1: they end the program */
    uint64_t messages, bytes; /* since the last commit */
};

/* 0, or the exit status after a complaint. */
static int options_value(const struct spool_values *v, struct weir_spool_reader_options *out)
{
    bool end = v->from && strcmp(v->from, "end") == 0;
    bool never = v->sync && strcmp(v->sync, "never") == 0;
    if (v->from && !end && strcmp(v->from, "start") != 0)
        return usage_error(&command_spool, "--from takes start or end, not '%s'", v->from);
    if (v->sync && !never && strcmp(v->sync, "each") != 0)
        return usage_error(&command_spool, "to read, --sync takes each or never, not '%s'",
                           v->sync);
    *out = (struct weir_spool_reader_options){
        .name = v->reader,
        .from = end ? WEIR_SPOOL_END : WEIR_SPOOL_START,
        .skip_corrupt = v->skip_corrupt,
        .lazy_commit = never,
    };
    return 0;
}

static int open_failed(const struct sink *s, int error)
{
    const char *name = s->values->reader;
    if (error == -EINVAL)
        return usage_error(&command_spool,
                           "a reader's name has 1 to 64 letters, digits, - and _; not '%s'", name);
    if (error == -EBUSY)
        complain(&command_spool, "%s: another process reads as %s; choose another name", s->folder,
                 name);
    else if (error == -EBADMSG)
        complain(&command_spool, "%s/%s.reader is damaged; without it the reader begins anew",
                 s->folder, name);
    else
        complain(&command_spool, "cannot read %s: %s", s->folder, strerrordesc_np(-error));
    return 1;
}

static void say_trouble(const struct sink *s, const char *advice)
{
    struct weir_spool_trouble t;
    weir_spool_reader_trouble(s->reader, &t);
    if (t.what)
        complain(&command_spool, "%s/%020llu.seg: %s at offset %llu, %llu bytes%s", s->folder,
                 (unsigned long long)t.segment, t.what, (unsigned long long)t.offset,
                 (unsigned long long)t.bytes, advice);
}

static int print(struct sink *s, const struct weir_spool_message *m)
{
    if (m->missed > 0) {
        say_trouble(s, "; skipped");
        complain(&command_spool, "%llu messages are missing before number %llu",
                 (unsigned long long)m->missed, (unsigned long long)m->number);
    }
    const unsigned char head[SPOOL_LENGTH_BYTES] = {
        (unsigned char)(m->len >> 24), (unsigned char)(m->len >> 16), (unsigned char)(m->len >> 8),
        (unsigned char)m->len};
    if (s->values->frame)
        fwrite(head, 1, sizeof(head), s->out.file);
    fwrite(m->bytes, 1, m->len, s->out.file);
    if (!s->values->frame)
        putc('\n', s->out.file);
    s->messages++;
    s->bytes += m->len;
    return s->out.error;
}

/* Only what has been written out is committed. */
static int commit(struct sink *s)
{
    int rc = spool_out_flush(&s->out);
    if (rc < 0)
        return rc;
    s->messages = s->bytes = 0;
    return s->values->reader ? weir_spool_commit(s->reader) : 0;
}

static bool stopped(const struct sink *s)
{
    struct pollfd signals = {.fd = s->signals, .events = POLLIN};
    return poll(&signals, 1, 0) > 0;
}

/* All that is there. -ECANCELED: a signal. */
static int drain(struct sink *s)
{
    struct weir_spool_message message;
    int rc;
    while ((rc = weir_spool_next(s->reader, 0, &message)) > 0) {
        rc = print(s, &message);
        if (rc == 0 && (s->messages >= COMMIT_MESSAGES || s->bytes >= COMMIT_BYTES))
            rc = commit(s);
        if (rc == 0 && s->messages == 0 && stopped(s))
            rc = -ECANCELED;
        if (rc < 0)
            return rc;
    }
    int committed = commit(s);
    return rc < 0 ? rc : committed;
}

/* 0: look again; 1: a signal, or nobody reads standard output any more. */
static int wait_more(int news, int signals)
{
    struct pollfd fds[3] = {{.fd = news, .events = POLLIN},
                            {.fd = signals, .events = POLLIN},
                            {.fd = STDOUT_FILENO, .events = 0}};
    if (poll(fds, 3, news < 0 ? BLIND_MS : 1000) < 0 && errno != EINTR)
        return -errno;
    return fds[1].revents || fds[2].revents & (POLLERR | POLLNVAL);
}

static int follow(struct sink *s)
{
    int rc = 0;
    while (rc == 0) {
        int news = weir_spool_reader_fd(s->reader);
        rc = drain(s);
        if (rc == 0)
            rc = wait_more(news, s->signals);
    }
    return rc < 0 ? rc : 0;
}

static int finish(struct sink *s, int rc, int status)
{
    if (rc == -ECANCELED)
        rc = 0;
    if (rc < 0 && rc == s->out.error)
        complain(&command_spool, "cannot write to standard output: %s", strerrordesc_np(-rc));
    else if (rc == -EBADMSG)
        say_trouble(s, "; --skip-corrupt goes on behind it");
    else if (rc < 0)
        complain(&command_spool, "%s: %s", s->folder, strerrordesc_np(-rc));
    else
        say_trouble(s, "");
    spool_out_close(&s->out);
    weir_spool_reader_close(s->reader);
    return rc < 0 ? 1 : status;
}

int spool_cli_read(const char *folder, const struct spool_values *v, bool wait)
{
    struct weir_spool_reader_options options;
    struct sink s = {.values = v, .folder = folder, .signals = -1};
    int rc = options_value(v, &options);
    if (rc != 0)
        return rc;
    rc = weir_spool_reader_open(folder, &options, &s.reader);
    if (rc < 0)
        return open_failed(&s, rc);
    if (wait)
        rc = s.signals = spool_cli_signals();
    if (rc >= 0)
        rc = spool_out_open(&s.out, s.signals, COMMIT_BYTES);
    if (rc >= 0)
        rc = wait ? follow(&s) : drain(&s);
    return finish(&s, rc, s.signals < 0 ? 0 : spool_cli_stopped(s.signals));
}
