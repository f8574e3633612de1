/* One call under way: messages in from arguments or lines, answers out as lines as they come. */
#include "cli/call.h"
#include "cli/commands.h"
#include "message/wire.h"
#include "stream/wait.h"
#include "stub/channel.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct talk {
    struct call *call;
    const struct weir_rpc_method *method;
    struct weir_rpc_call *rpc;
    char **texts; /* of the command line */
    int count, next;
    bool lines;               /* of standard input, instead */
    bool input_end;           /* of it */
    bool ended;               /* nothing more will be sent */
    char *line;               /* LIMIT_CALL_LINE bytes of room for what was read */
    size_t line_at, line_len; /* what was not sent lies between */
    size_t line_seen; /* no end of a line lies before this, so that no byte is searched twice */
    unsigned line_number;
    uint8_t *held; /* a message that there was no room for */
    size_t held_len;
    bool full; /* ... until ready() says so */
    bool done;
    int status; /* the exit status so far */
};

static struct weir_json_options json_options(const struct call *call)
{
    return (struct weir_json_options){
        .types = call->schema,
        .original_names = call->values->original_names,
        .defaults = call->values->defaults,
        .ignore_unknown = call->values->ignore_unknown,
        .indent = call->values->pretty ? 2 : 0,
    };
}

/* --- what the server says --- */

int call_status(const struct call *call, const char *what, const struct weir_rpc_status *status)
{
    if (status->code == WEIR_RPC_OK)
        return 0;
    complain(&command_call, "%s: %s: %s%s%.400s", call->endpoint, what,
             weir_rpc_code_name(status->code), *status->message ? ": " : "", status->message);
    return CALL_STATUS + status->code;
}

/* The call cannot go on for a reason of ours. */
static void give_up(struct talk *t)
{
    t->status = CALL_FAILED;
    weir_rpc_cancel(t->rpc);
}

static void print_message(struct talk *t, const ProtobufCMessage *message)
{
    const struct weir_json_options options = json_options(t->call);
    char *text, why[512];
    size_t len;
    if (weir_json_write(message, &options, &text, &len, why, sizeof(why)) < 0) {
        complain(&command_call, "%s: the answer cannot be shown: %s", t->method->path + 1, why);
        give_up(t);
        return;
    }
    /* Whoever reads them gets each as it comes, and holds the server back by not reading. */
    if (fwrite(text, 1, len, stdout) != len || putchar('\n') == EOF || fflush(stdout) != 0)
        give_up(t);
    free(text);
}

static void on_message(void *arg, struct weir_rpc_call *rpc, struct weir_bytes bytes)
{
    struct talk *t = arg;
    const struct weir_message_limits limits = {.bytes_max = LIMIT_CALL_MESSAGE};
    ProtobufCMessage *message;
    char why[512];
    (void)rpc;
    int rc = weir_message_unpack(t->method->output, bytes.at, bytes.len, &limits, &message, why,
                                 sizeof(why));
    if (rc < 0) {
        complain(&command_call, "%s: the answer is no such message: %s", t->method->path + 1, why);
        give_up(t);
        return;
    }
    print_message(t, message);
    weir_message_free(message);
}

static void on_ready(void *arg, struct weir_rpc_call *rpc)
{
    (void)rpc;
    ((struct talk *)arg)->full = false;
}

static void print_metadata(struct talk *t, const char *what,
                           bool (*next)(const struct weir_rpc_call *, unsigned *,
                                        const struct weir_rpc_entry **))
{
    const struct weir_rpc_entry *entry;
    for (unsigned at = 0; next(t->rpc, &at, &entry);) {
        fprintf(stderr, "%s %s: ", what, entry->name);
        for (size_t i = 0; i < entry->value.len; i++) {
            unsigned char c = (unsigned char)entry->value.at[i];
            fprintf(stderr, c < ' ' || c >= 0x7f ? "\\x%02x" : "%c", c);
        }
        fputc('\n', stderr);
    }
}

static void on_done(void *arg, struct weir_rpc_call *rpc, const struct weir_rpc_status *status)
{
    struct talk *t = arg;
    (void)rpc;
    t->done = true;
    if (t->call->values->verbose) {
        print_metadata(t, "head", weir_rpc_head);
        print_metadata(t, "trailer", weir_rpc_trailer);
    }
    if (t->status == 0) /* else it was given up, and said so */
        t->status = call_status(t->call, t->method->path + 1, status);
}

/* --- what is sent --- */

/* Text to bytes; an exit status, and it has complained. */
static int pack(struct talk *t, const char *text, size_t len)
{
    const struct weir_json_options options = json_options(t->call);
    ProtobufCMessage *message;
    char why[512];
    int rc = weir_json_read(t->method->input, text, len, &options, &message, why, sizeof(why));
    if (rc < 0) {
        if (t->lines)
            complain(&command_call, "standard input, line %u: %s", t->line_number, why);
        else
            complain(&command_call, "message %d: %s", t->next + 1, why);
        return rc == -EINVAL && !t->lines ? 2 : CALL_FAILED;
    }
    t->held_len = protobuf_c_message_get_packed_size(message);
    t->held = malloc(t->held_len + 1);
    if (t->held)
        protobuf_c_message_pack(message, t->held);
    weir_message_free(message);
    return t->held ? 0 : CALL_FAILED;
}

static void send_held(struct talk *t)
{
    int rc = weir_rpc_send_bytes(t->rpc, t->held, t->held_len);
    if (rc == -EAGAIN) {
        t->full = true;
        return;
    }
    free(t->held);
    t->held = NULL;
    if (rc < 0 && rc != -EPIPE) { /* that: the call has ended, and done() says how */
        complain(&command_call, "%s: cannot send: %s", t->call->endpoint, strerrordesc_np(-rc));
        give_up(t);
    }
}

static bool is_blank(const char *text, size_t len)
{
    while (len > 0 && memchr(" \t\r", text[len - 1], 3))
        len--;
    return len == 0;
}

/* A whole line, if one is there; the last one need not have an end. Empty ones are left out. */
static bool take_line(struct talk *t)
{
    const char *line = t->line + t->line_at;
    const char *newline = memchr(t->line + t->line_seen, '\n', t->line_len - t->line_seen);
    size_t len = newline ? (size_t)(newline - line) : t->line_len - t->line_at;
    t->line_seen = newline ? t->line_at + len + 1 : t->line_len;
    if (!newline && !(t->input_end && len > 0))
        return false;
    t->line_number++;
    t->line_at = t->line_seen;
    if (!is_blank(line, len) && pack(t, line, len) != 0)
        give_up(t);
    return true;
}

/* Called when no whole line is left: what is moved is the beginning of one. */
static void read_input(struct talk *t)
{
    if (t->line_at > 0)
        memmove(t->line, t->line + t->line_at, t->line_len - t->line_at);
    t->line_len -= t->line_at;
    t->line_seen -= t->line_at;
    t->line_at = 0;
    if (t->line_len == LIMIT_CALL_LINE) {
        complain(&command_call, "standard input, line %u: longer than %d bytes", t->line_number + 1,
                 LIMIT_CALL_LINE);
        give_up(t);
        return;
    }
    ssize_t n = read(STDIN_FILENO, t->line + t->line_len, LIMIT_CALL_LINE - t->line_len);
    if (n < 0 && errno != EINTR && errno != EAGAIN) {
        complain(&command_call, "cannot read standard input: %s", strerrordesc_np(errno));
        give_up(t);
    }
    t->input_end |= n == 0;
    t->line_len += n > 0 ? (size_t)n : 0;
}

/* As much as there is and has room, up to a bound. true: there may be more. */
static bool send_more(struct talk *t)
{
    for (unsigned i = 0; i < LIMIT_CALL_BATCH && !t->done && !t->ended && t->status == 0; i++) {
        if (t->held) {
            send_held(t);
            if (t->full)
                return false;
        } else if (t->lines ? take_line(t) : t->next < t->count) {
            if (!t->lines && t->held == NULL) {
                int status = pack(t, t->texts[t->next], strlen(t->texts[t->next]));
                t->next++;
                if (status) {
                    give_up(t);
                    t->status = status;
                }
            }
        } else if (!t->lines || t->input_end) {
            (void)weir_rpc_end(t->rpc);
            t->ended = true;
        } else {
            return false;
        }
    }
    return !t->ended && t->status == 0;
}

/* --- both at once --- */

/* Events come by callbacks; how long it took to none is no matter. */
static void let_move(struct talk *t, int timeout_ms)
{
    int rc = weir_rpc_run(t->call->channel, timeout_ms);
    t->done |= rc < 0 && rc != -EAGAIN; /* no call is under way: done() has been called */
}

/* Standard input and the connection, both ways; not for ever, since deadlines and signs of life are looked after between. */
static void wait_both(struct talk *t)
{
    struct weir_rpc_channel *channel = t->call->channel;
    bool input = t->lines && !t->input_end && !t->held && !t->ended;
    if (!channel->stream || !input) {
        let_move(t, LIMIT_CALL_LOOK_MS);
        return;
    }
    let_move(t, 0);
    if (t->done || !channel->stream)
        return;
    if (channel_wait_beside(channel, STDIN_FILENO, deadline_in(LIMIT_CALL_LOOK_MS)))
        read_input(t);
}

static void loop(struct talk *t)
{
    while (!t->done) {
        bool more = !t->full && send_more(t);
        if (more && !t->done)
            let_move(t, 0);
        else if (!t->done)
            wait_both(t);
    }
}

static int begin(struct talk *t)
{
    static const struct weir_rpc_events events = {
        .message = on_message, .ready = on_ready, .done = on_done};
    const struct weir_rpc_call_options options = {
        .timeout_ms = t->call->values->timeout_s * 1000,
        .metadata = t->call->metadata,
        .metadata_count = t->call->metadata_count,
    };
    int rc = weir_rpc_begin(t->call->channel, t->method, &options, &events, t, &t->rpc);
    if (rc == 0)
        return 0;
    if (rc == -EINVAL)
        return call_bad_metadata();
    complain(&command_call, "%s: %s", t->call->endpoint, strerrordesc_np(-rc));
    return CALL_FAILED;
}

int call_talk(struct call *call, const struct weir_rpc_method *method, char **texts, int count)
{
    static char nothing[] = "{}", *const none[] = {nothing};
    struct talk t = {.call = call, .method = method, .texts = texts, .count = count};
    t.lines = count == 1 && strcmp(texts[0], "-") == 0;
    if (count == 0 && !method->client_streaming) {
        t.texts = (char **)none;
        t.count = 1;
    }
    /* One message is looked at before the server hears of anything. */
    if (!t.lines && t.count == 1) {
        int status = pack(&t, t.texts[0], strlen(t.texts[0]));
        if (status)
            return status;
        t.next = 1;
    }
    t.line = malloc(LIMIT_CALL_LINE);
    int status = t.line ? begin(&t) : CALL_FAILED;
    if (status == 0) {
        loop(&t);
        status = t.status;
    }
    weir_rpc_free(t.rpc);
    free(t.line);
    free(t.held);
    return status;
}
