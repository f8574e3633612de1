/* The function's side: what the client sends. */
#include "base/bytes.h"
#include "service/answer.h"
#include "service/routes.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX (1024 * 1024)

const char *weir_request_parameter(struct weir_request *request, const char *name)
{
    struct answer *a = answer_of_request(request);
    char *text = arena_take(&a->arena, weir_request_path(request->exchange).len + 1);
    return text && route_parameter(a->route, weir_request_path(request->exchange), name, text) == 0
               ? text
               : NULL;
}

const char *weir_request_query_value(struct weir_request *request, const char *name)
{
    struct answer *a = answer_of_request(request);
    struct weir_bytes query = weir_request_query(request->exchange), want = bytes_str(name);
    char *text = query.len > 0 ? arena_take(&a->arena, query.len + 1) : NULL;
    for (size_t at = 0; text && at < query.len;) {
        const char *pair = query.at + at, *end = memchr(pair, '&', query.len - at);
        size_t len = end ? (size_t)(end - pair) : query.len - at;
        const char *equals = len > 0 ? memchr(pair, '=', len) : NULL;
        size_t name_len = equals ? (size_t)(equals - pair) : len;
        size_t value_at = equals ? name_len + 1 : len;
        ssize_t n = form_decode((struct weir_bytes){pair, name_len}, text);
        if (n >= 0 && len > 0 && bytes_equal((struct weir_bytes){text, (size_t)n}, want)) {
            n = form_decode((struct weir_bytes){pair + value_at, len - value_at}, text);
            if (n < 0 || memchr(text, '\0', (size_t)n))
                return NULL;
            text[n] = '\0';
            return text;
        }
        at += len + 1;
    }
    return NULL;
}

/* Bytes that came before the client went are still there to be had, if they are all of the content. */
ssize_t weir_request_read(struct weir_request *request, void *buffer, size_t len)
{
    struct answer *a = answer_of_request(request);
    pthread_mutex_lock(&a->lock);
    while (a->x && !a->in_ended && a->in.len == 0 && len > 0)
        pthread_cond_wait(&a->changed, &a->lock);
    ssize_t n = -EPIPE;
    if (a->x || a->in_ended) {
        struct weir_bytes piece = {NULL, 0};
        if (a->in.len > 0)
            piece = ring_peek(&a->in);
        n = (ssize_t)(piece.len < len ? piece.len : len);
        if (n > 0) {
            memcpy(buffer, piece.at, (size_t)n);
            ring_skip(&a->in, (size_t)n);
        }
        if (a->in_held && a->in.len <= LIMIT_ANSWER_BUFFER / 2) {
            a->in_held = false;
            answer_tell(a);
        }
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

/* All that a source has, with a NUL behind it, growing as it comes: a peer that announces much gets nothing for that. */
static int read_all(struct answer *a, ssize_t (*source)(struct weir_request *, void *, size_t),
                    size_t max, struct weir_bytes *out)
{
    size_t size = 0, len = 0;
    char *text = NULL;
    max = max < TEXT_MAX ? max : TEXT_MAX;
    for (;;) {
        if (len + 1 >= size) {
            size = size ? 2 * size : 4096;
            size = size < max + 2 ? size : max + 2;
            char *larger = arena_take(&a->arena, size);
            if (!larger)
                return -ENOMEM;
            if (len > 0)
                memcpy(larger, text, len);
            text = larger;
        }
        ssize_t n = source(&a->request, text + len, size - 1 - len);
        if (n < 0)
            return (int)n;
        len += (size_t)n;
        if (len > max)
            return -EMSGSIZE;
        if (n == 0)
            break;
    }
    text[len] = '\0';
    *out = (struct weir_bytes){text, len};
    return 0;
}

int weir_request_content(struct weir_request *request, size_t max, struct weir_bytes *out)
{
    return read_all(answer_of_request(request), weir_request_read, max, out);
}

static ssize_t source(void *arg, void *buffer, size_t len)
{
    return weir_request_read(arg, buffer, len);
}

/* What it says of the wrong content stays. */
static int find_form(struct answer *a)
{
    struct weir_bytes type = {"", 0};
    if (a->form)
        return 0;
    struct form *form = arena_take(&a->arena, sizeof(*form));
    if (!form)
        return -ENOMEM;
    (void)weir_request_field(a->request.exchange, "Content-Type", &type);
    int rc = form_init(form, type, source, &a->request);
    form->error = rc;
    a->form = form;
    return 0;
}

int weir_form_next(struct weir_request *request, struct weir_form_part *out)
{
    struct answer *a = answer_of_request(request);
    int rc = find_form(a);
    return rc < 0 ? rc : form_next(a->form, out);
}

ssize_t weir_form_read(struct weir_request *request, void *buffer, size_t len)
{
    struct answer *a = answer_of_request(request);
    int rc = find_form(a);
    return rc < 0 ? rc : form_read(a->form, buffer, len);
}

int weir_form_text(struct weir_request *request, size_t max, const char **out)
{
    struct weir_bytes text = {"", 0};
    int rc = read_all(answer_of_request(request), weir_form_read, max, &text);
    if (rc < 0)
        return rc;
    if (memchr(text.at, '\0', text.len))
        return -EPROTO;
    *out = text.at;
    return 0;
}
