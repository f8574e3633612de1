/* What a client sends: requests, and their content in turn as the windows allow. */
#include "base/out.h"
#include "h2/client_impl.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- lists --- */

static void add(struct h2_client_list *list, struct h2_request *s)
{
    s->list_next = NULL;
    s->list_prev = list->last;
    *(list->last ? &list->last->list_next : &list->first) = s;
    list->last = s;
}

static void take(struct h2_client_list *list, struct h2_request *s)
{
    *(s->list_prev ? &s->list_prev->list_next : &list->first) = s->list_next;
    *(s->list_next ? &s->list_next->list_prev : &list->last) = s->list_prev;
}

void h2_client_ready(struct h2_request *s)
{
    if (s->ready || !s->id || !s->body || s->given)
        return;
    s->ready = true;
    add(&s->client->ready, s);
}

void h2_client_unlist(struct h2_request *s)
{
    if (s->waiting)
        take(&s->client->waiting, s);
    if (s->ready)
        take(&s->client->ready, s);
    s->ready = false;
    free(s->waiting);
    s->waiting = NULL;
}

/* --- the first frames --- */

void h2_client_hello(struct h2_client *c)
{
    uint8_t settings[3 * 6];
    h2_put_setting(settings, WIRE_ENABLE_PUSH, 0);
    h2_put_setting(settings + 6, WIRE_INITIAL_WINDOW_SIZE, LIMIT_H2_CLIENT_WINDOW);
    h2_put_setting(settings + 12, WIRE_MAX_HEADER_LIST_SIZE, LIMIT_H2_CLIENT_FIELDS);
    weir_out_copy(h2_client_out(c), WIRE_PREFACE, WIRE_PREFACE_LEN);
    h2_put_frame(h2_client_out(c), WIRE_SETTINGS, 0, 0, settings, sizeof(settings));
    h2_put_number(h2_client_out(c), WIRE_WINDOW_UPDATE, 0,
                  LIMIT_H2_CLIENT_CONNECTION_WINDOW - WIRE_WINDOW);
    c->unsettled++;
}

/* --- streams --- */

#define USUAL_BLOCK 2048u

/* Never so much that input would stop: two sides that both send much would wait for each other. */
static bool has_room(struct h2_client *c)
{
    const struct weir_out *out = h2_client_out(c);
    return weir_out_room(out) && weir_out_len(out) < LIMIT_H2_CLIENT_QUEUE &&
           out->spans < LIMIT_OUT_SPANS - LIMIT_H2_INPUT_SPANS;
}

static bool may_open(struct h2_client *c)
{
    return c->table.count < c->streams_max && has_room(c);
}

static size_t text_of(const nghttp2_nv *nv, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += nv[i].namelen + nv[i].valuelen;
    return len;
}

/* -ENOBUFS: it does not fit. */
static int put_head(struct h2_request *s, const struct h2_key *key, const nghttp2_nv *nv,
                    size_t count, uint8_t *scratch, size_t size)
{
    struct h2_client *c = s->client;
    ssize_t n = h2_pack(&c->packer, key, nv, count, scratch + WIRE_HEAD, size - WIRE_HEAD);
    if (n < 0)
        return (int)n;
    h2_put_block(h2_client_out(c), c->next_id, scratch + WIRE_HEAD, (size_t)n, !s->body);
    return 0;
}

static int put_long_head(struct h2_request *s, const nghttp2_nv *nv, size_t count)
{
    /* As nghttp2 bounds it: three integers a line, and a change of the table. */
    size_t size = WIRE_HEAD + text_of(nv, count) + 24 * count + 64;
    uint8_t *scratch = malloc(size);
    int rc = scratch ? put_head(s, NULL, nv, count, scratch, size) : -ENOMEM;
    free(scratch);
    return rc == -ENOBUFS ? -ENOMEM : rc;
}

/* Its head is queued. */
static void has_stream(struct h2_request *s)
{
    struct h2_client *c = s->client;
    s->id = c->next_id;
    c->next_id += 2;
    s->entry.id = s->id / 2;
    call_table_add(&c->table, &s->entry);
    s->send_window = c->first_window;
    s->recv_window = LIMIT_H2_CLIENT_WINDOW;
    s->given = !s->body;
    h2_client_ready(s);
}

/* -ENOMEM: the peer's table may be another than ours now, and the connection cannot go on. */
static int open_stream(struct h2_request *s, const struct h2_key *key, const nghttp2_nv *nv,
                       size_t count)
{
    uint8_t scratch[WIRE_HEAD + USUAL_BLOCK];
    int rc = put_head(s, key, nv, count, scratch, sizeof(scratch));
    if (rc == -ENOBUFS)
        rc = put_long_head(s, nv, count);
    if (rc < 0)
        s->client->why = rc;
    else
        has_stream(s);
    return rc;
}

bool h2_client_begin_again(struct h2_request *s, const struct h2_key *key)
{
    struct h2_client *c = s->client;
    if (c->waiting.first || !may_open(c) ||
        !h2_put_again(&c->packer, key, h2_client_out(c), c->next_id, !s->body))
        return false;
    has_stream(s);
    return true;
}

/* --- those that wait for one --- */

struct h2_waiting {
    size_t count;
    nghttp2_nv fields[]; /* and behind them their text */
};

static struct h2_waiting *copy_fields(const nghttp2_nv *nv, size_t count)
{
    struct h2_waiting *w = malloc(sizeof(*w) + count * sizeof(*nv) + text_of(nv, count));
    if (!w)
        return NULL;
    uint8_t *text = (uint8_t *)(w->fields + count);
    w->count = count;
    for (size_t i = 0; i < count; i++) {
        w->fields[i] = nv[i];
        w->fields[i].name = memcpy(text, nv[i].name, nv[i].namelen);
        text += nv[i].namelen;
        w->fields[i].value = text;
        if (nv[i].valuelen > 0)
            memcpy(text, nv[i].value, nv[i].valuelen);
        text += nv[i].valuelen;
    }
    return w;
}

int h2_client_begin(struct h2_request *s, const struct h2_key *key, const nghttp2_nv *nv,
                    size_t count)
{
    struct h2_client *c = s->client;
    if (text_of(nv, count) > LIMIT_H2_CLIENT_ASKED)
        return -EMSGSIZE;
    if (!c->waiting.first && may_open(c))
        return open_stream(s, key, nv, count);
    s->waiting = copy_fields(nv, count);
    if (!s->waiting)
        return -ENOMEM;
    add(&c->waiting, s);
    return 0;
}

static int open_waiting(struct h2_client *c)
{
    struct h2_request *s;
    while ((s = c->waiting.first) && may_open(c)) {
        struct h2_waiting *w = s->waiting;
        take(&c->waiting, s);
        s->waiting = NULL;
        int rc = c->next_id <= WIRE_ID_MAX ? open_stream(s, NULL, w->fields, w->count) : -ESHUTDOWN;
        free(w);
        if (rc == -ESHUTDOWN)
            h2_client_close(s, rc, WIRE_REFUSED_STREAM);
        else if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- content --- */

static size_t window_of(const struct h2_request *s)
{
    int64_t n = s->send_window < s->client->send_window ? s->send_window : s->client->send_window;
    if (n <= 0)
        return 0;
    return n < LIMIT_H2_FRAME ? (size_t)n : LIMIT_H2_FRAME;
}

/* One frame of content, if there is any; the others are next. */
static void send_some(struct h2_request *s)
{
    struct h2_client *c = s->client;
    uint8_t head[WIRE_HEAD];
    bool last = false;
    c->current = s;
    size_t n = s->calls->ready(s, window_of(s), &last);
    if (!c->current)
        return;
    h2_client_unlist(s);
    if (n == 0 && !last) /* it says when there is more, or the peer does */
        return;
    s->send_window -= (int64_t)n;
    c->send_window -= (int64_t)n;
    c->calm.work += 2; /* it may open two windows */
    s->given = last;
    h2_client_ready(s);
    wire_write(head, n, WIRE_DATA, last ? WIRE_END_STREAM : 0u, s->id);
    weir_out_copy(h2_client_out(c), head, sizeof(head));
    if (n > 0)
        s->calls->give(s, h2_client_out(c), n);
    if (c->current && s->given && s->heard)
        h2_client_close(s, WEIR_DONE, WIRE_NO_ERROR);
}

int h2_client_send(struct h2_client *c)
{
    int rc = c->why ? c->why : open_waiting(c);
    while (rc == 0 && c->ready.first && has_room(c))
        send_some(c->ready.first);
    c->current = NULL;
    return rc;
}
