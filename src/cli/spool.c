/* weir spool: messages kept in a folder, between a producer and consumers that need not live at the same time. */
#include "cli/spool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int spool_cli_signals(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    int fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int spool_cli_stopped(int signals)
{
    struct signalfd_siginfo signal;
    ssize_t n = read(signals, &signal, sizeof(signal));
    close(signals);
    return n == (ssize_t)sizeof(signal) ? 128 + (int)signal.ssi_signo : 0;
}

/* --- check --- */

static void show_segment(void *arg, const struct weir_spool_segment *segment)
{
    (void)arg;
    printf("%020llu.seg: %llu messages, %llu bytes\n", (unsigned long long)segment->first,
           (unsigned long long)segment->messages, (unsigned long long)segment->bytes);
}

static void show_trouble(void *arg, const struct weir_spool_trouble *trouble)
{
    (void)arg;
    printf("%020llu.seg: offset %llu, %llu bytes: %s\n", (unsigned long long)trouble->segment,
           (unsigned long long)trouble->offset, (unsigned long long)trouble->bytes, trouble->what);
}

struct kept {
    char name[WEIR_SPOOL_NAME_MAX + 1];
    struct weir_spool_place place; /* its name is only lent */
};

struct readers {
    struct kept *at; /* owned */
    size_t count, room;
    bool failed; /* no memory for all */
};

/* Said last, when it is known where the spool ends. */
static void keep_reader(void *arg, const struct weir_spool_place *place)
{
    struct readers *readers = arg;
    if (readers->count == readers->room) {
        size_t room = readers->room > 0 ? 2 * readers->room : 64;
        struct kept *at = reallocarray(readers->at, room, sizeof(*at));
        readers->failed |= !at;
        if (!at)
            return;
        readers->at = at;
        readers->room = room;
    }
    struct kept *kept = &readers->at[readers->count++];
    kept->place = *place;
    snprintf(kept->name, sizeof(kept->name), "%s", place->name);
}

static void show_reader(const struct kept *kept, uint64_t next)
{
    const struct weir_spool_place *place = &kept->place;
    if (place->damaged)
        printf("reader %s: its position is damaged\n", kept->name);
    else
        printf("reader %s: next is %llu, %llu behind\n", kept->name,
               (unsigned long long)place->number,
               (unsigned long long)(next > place->number ? next - place->number : 0));
}

int spool_cli_check(const char *folder, const struct spool_values *values)
{
    struct readers readers = {.count = 0};
    const struct weir_spool_visitor visitor = {
        .segment = show_segment, .trouble = show_trouble, .reader = keep_reader, .arg = &readers};
    struct weir_spool_sum sum;
    (void)values;
    int rc = weir_spool_check(folder, &visitor, &sum);
    rc = rc == 0 && readers.failed ? -ENOMEM : rc;
    for (size_t i = 0; i < readers.count && rc == 0; i++)
        show_reader(&readers.at[i], sum.next);
    free(readers.at);
    if (rc < 0) {
        complain(&command_spool, "cannot check %s: %s", folder, strerrordesc_np(-rc));
        return 1;
    }
    printf("%llu files, %llu messages, %llu bytes in them, %llu damaged places\n",
           (unsigned long long)sum.segments, (unsigned long long)sum.messages,
           (unsigned long long)sum.bytes, (unsigned long long)sum.damages);
    return sum.damages > 0;
}

/* --- the command --- */

/* Which words take an option: a wrong one would be ignored without a word. */
enum { WRITE = 1, READ = 2, FOLLOW = 4, CHECK = 8 };

struct given {
    bool given;
    const char *name;
    unsigned words;
};

static int refuse_others(const struct spool_values *v, const char *word, unsigned mask)
{
    const struct given all[] = {
        {v->reader, "reader", READ | FOLLOW},
        {v->from, "from", READ | FOLLOW},
        {v->skip_corrupt, "skip-corrupt", READ | FOLLOW},
        {v->frame, "frame", WRITE | READ | FOLLOW},
        {v->sync, "sync", WRITE | READ | FOLLOW},
        {v->segment_size, "segment-size", WRITE},
        {v->keep_bytes, "keep-bytes", WRITE},
        {v->keep_age, "keep-age", WRITE},
        {v->drop_unread, "drop-unread", WRITE},
        {v->ack, "ack", WRITE},
        {v->quiet, "quiet", WRITE},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (all[i].given && !(all[i].words & mask))
            return usage_error(&command_spool, "%s does not take --%s", word, all[i].name);
    return 0;
}

static int run(void *values, int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned mask;
    } words[] = {{"write", WRITE}, {"read", READ}, {"follow", FOLLOW}, {"check", CHECK}};
    const struct spool_values *v = values;
    unsigned mask = 0;
    if (argc != 2)
        return usage_error(&command_spool,
                           "needs write, read, follow or check, and a folder, as in: weir spool "
                           "write /tmp/spool");
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(words[i].name, argv[0]) == 0)
            mask = words[i].mask;
    if (!mask)
        return usage_error(&command_spool, "it can write, read, follow or check, not '%s'",
                           argv[0]);
    int rc = refuse_others(v, argv[0], mask);
    if (rc != 0)
        return rc;
    if (mask == WRITE)
        return spool_cli_write(argv[1], v);
    return mask == CHECK ? spool_cli_check(argv[1], v) : spool_cli_read(argv[1], v, mask == FOLLOW);
}

#define AT(member) offsetof(struct spool_values, member)

static const struct option_row options[] = {
    {"reader", 'r', OPTION_TEXT, "NAME",
     "read, follow: begin where this reader came to, and commit (default: commit nothing)",
     AT(reader), 0, 0, OPTION_COMMAND, false},
    {"from", 0, OPTION_TEXT, "start|end", "where a new reader begins (start)", AT(from), 0, 0,
     OPTION_COMMAND, false},
    {"skip-corrupt", 0, OPTION_FLAG, NULL, "read, follow: say what is damaged and go on behind it",
     AT(skip_corrupt), 0, 0, OPTION_COMMAND, false},
    {"frame", 'f', OPTION_FLAG, NULL,
     "messages with a 4-byte length before each, in and out, instead of lines", AT(frame), 0, 0,
     OPTION_COMMAND, false},
    {"sync", 's', OPTION_TEXT, "each|MS|never",
     "fdatasync with each message or commit, after so many milliseconds (write), or never (each)",
     AT(sync), 0, 0, OPTION_COMMAND, false},
    {"ack", 'a', OPTION_FLAG, NULL, "write: print the number of each message once --sync holds",
     AT(ack), 0, 0, OPTION_COMMAND, false},
    {"segment-size", 0, OPTION_TEXT, "SIZE", "write: begin another file after so much (64M)",
     AT(segment_size), 0, 0, OPTION_COMMAND, false},
    {"keep-bytes", 0, OPTION_TEXT, "SIZE", "write: remove the oldest files above this (never)",
     AT(keep_bytes), 0, 0, OPTION_COMMAND, false},
    {"keep-age", 0, OPTION_TEXT, "TIME", "write: remove files that are older: 90s, 12h, 7d (never)",
     AT(keep_age), 0, 0, OPTION_COMMAND, false},
    {"drop-unread", 0, OPTION_FLAG, NULL, "write: remove also what a reader has not committed",
     AT(drop_unread), 0, 0, OPTION_COMMAND, false},
    {"quiet", 'q', OPTION_FLAG, NULL, "write: do not count the messages on exit", AT(quiet), 0, 0,
     OPTION_COMMAND, false},
};

const struct command command_spool = {
    .name = "spool",
    .synopsis = "[options] write|read|follow|check DIR",
    .summary = "keep messages in a folder until they are read, over crashes and restarts",
    .examples = "make 2>&1 | weir spool write /tmp/spool\n"
                "weir spool read --reader audit /tmp/spool\n"
                "weir spool follow --reader mailer --from end /tmp/spool | mailer\n"
                "weir spool check /tmp/spool\n",
    .exits = "0    all went well; check: nothing is damaged\n"
             "1    it could not read or write, or the spool is damaged\n"
             "2    wrong usage\n"
             "130  stopped by SIGINT (143: SIGTERM); what came before is kept, or committed\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .values_size = sizeof(struct spool_values),
    .run = run,
};
