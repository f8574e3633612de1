/* The function's side: what goes to the client. */
#include "base/bytes.h"
#include "base/text.h"
#include "service/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int weir_response_status(struct weir_response *response, unsigned status)
{
    if (response->begun)
        return -EALREADY;
    if (status < 200 || status > 599)
        return -EINVAL;
    response->status = status;
    return 0;
}

/* Room for one more line. */
static int make_room(struct answer *a, size_t len)
{
    struct weir_response *response = &a->response;
    size_t size = response->lines_size ? response->lines_size : 256;
    while (size < response->lines_len + len)
        size *= 2;
    if (size > LIMIT_HTTP_REPLY_FIELDS)
        return -ENOBUFS;
    if (size == response->lines_size)
        return 0;
    char *lines = arena_take(&a->arena, size);
    if (!lines)
        return -ENOBUFS;
    if (response->lines_len > 0)
        memcpy(lines, response->lines, response->lines_len);
    response->lines = lines;
    response->lines_size = size;
    return 0;
}

int weir_response_field(struct weir_response *response, const char *name, const char *value)
{
    struct weir_bytes n = bytes_str(name), v = bytes_str(value);
    if (response->begun)
        return -EALREADY;
    int rc = reply_field_check(n, v);
    if (rc == 0)
        rc = make_room(answer_of_response(response), n.len + v.len + 4);
    if (rc < 0)
        return rc;
    struct text t;
    text_init(&t, response->lines + response->lines_len, n.len + v.len + 4);
    text_add(&t, n.at, n.len);
    text_add(&t, ": ", 2);
    text_add(&t, v.at, v.len);
    text_add(&t, "\r\n", 2);
    response->lines_len += t.len;
    return 0;
}

int weir_response_length(struct weir_response *response, uint64_t len)
{
    if (response->begun)
        return -EALREADY;
    response->length = len;
    return 0;
}

/* The head may go. With the lock held. */
static void begin(struct answer *a)
{
    struct weir_response *response = &a->response;
    response->begun = true;
    response->discard |= !status_has_content(response->status);
    if (response->discard)
        a->out.len = 0;
}

/* Some of it, as much as there is room for, once there is any. With the lock held. */
static ssize_t put_some(struct answer *a, const uint8_t *bytes, size_t len)
{
    while (a->x && !a->response.discard && (a->out.len == LIMIT_ANSWER_BUFFER || a->file)) {
        if (!a->response.begun)
            begin(a);
        answer_tell(a);
        if (!a->response.discard)
            pthread_cond_wait(&a->changed, &a->lock);
    }
    if (a->response.discard)
        return (ssize_t)len;
    if (!a->x)
        return -EPIPE;
    size_t n = ring_put(&a->out, bytes, len);
    if (a->response.begun) /* with what is waiting to be sent anyway, or in pieces of their own */
        answer_tell(a);
    return (ssize_t)n;
}

/* More than was promised would be taken for the next answer. */
static int count(struct weir_response *response, uint64_t len)
{
    if (response->error)
        return -EALREADY;
    if (response->length != WEIR_LENGTH_UNKNOWN && len > response->length - response->written)
        return -EMSGSIZE;
    response->written += len;
    return 0;
}

int weir_response_write(struct weir_response *response, const void *bytes, size_t len)
{
    struct answer *a = answer_of_response(response);
    int rc = count(response, len);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&a->lock);
    for (size_t done = 0; done < len && rc == 0;) {
        ssize_t n = put_some(a, (const uint8_t *)bytes + done, len - done);
        if (n < 0)
            rc = (int)n;
        else
            done += (size_t)n;
    }
    pthread_mutex_unlock(&a->lock);
    return rc;
}

int weir_response_printf(struct weir_response *response, const char *format, ...)
{
    char small[1024], *text = small;
    va_list words, again;
    va_start(words, format);
    va_copy(again, words);
    int len = vsnprintf(small, sizeof(small), format, words), rc = 0;
    if (len < 0 || len > LIMIT_ANSWER_FORMAT)
        rc = -EMSGSIZE;
    if (rc == 0 && (size_t)len >= sizeof(small)) {
        text = malloc((size_t)len + 1);
        rc = text ? 0 : -ENOMEM;
        if (text)
            vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    va_end(words);
    if (rc == 0)
        rc = weir_response_write(response, text, (size_t)len);
    if (text != small)
        free(text);
    return rc;
}

int weir_response_flush(struct weir_response *response)
{
    struct answer *a = answer_of_response(response);
    pthread_mutex_lock(&a->lock);
    int rc = a->x || response->discard ? 0 : -EPIPE;
    if (!response->begun)
        begin(a);
    answer_tell(a);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

static void close_file(struct weir_ref *ref)
{
    struct answer_file *file = (struct answer_file *)ref;
    close(file->fd);
    free(file);
}

static int file_new(int fd, uint64_t offset, uint64_t len, struct answer_file **out)
{
    struct answer_file *file = malloc(sizeof(*file));
    if (!file)
        return -ENOMEM;
    *file = (struct answer_file){{1, close_file}, fcntl(fd, F_DUPFD_CLOEXEC, 3), offset, len};
    if (file->fd < 0) {
        int error = errno;
        free(file);
        return -error;
    }
    *out = file;
    return 0;
}

int weir_response_file(struct weir_response *response, int fd, uint64_t offset, uint64_t len)
{
    struct answer *a = answer_of_response(response);
    struct answer_file *file = NULL;
    if (!response->begun && response->length == WEIR_LENGTH_UNKNOWN && response->written == 0)
        response->length = len;
    int rc = count(response, len);
    if (rc == 0 && len > 0)
        rc = file_new(fd, offset, len, &file);
    if (rc < 0 || !file)
        return rc;
    pthread_mutex_lock(&a->lock);
    if (!response->begun)
        begin(a);
    while (a->x && a->file)
        pthread_cond_wait(&a->changed, &a->lock);
    if (a->x && !response->discard) {
        a->file = file;
        file = NULL;
    }
    answer_tell(a);
    rc = a->x || response->discard ? 0 : -EPIPE;
    pthread_mutex_unlock(&a->lock);
    if (file)
        weir_drop(&file->ref);
    return rc;
}

static int respond(struct weir_response *response, unsigned status, const char *type,
                   const char *text)
{
    size_t len = strlen(text);
    int rc = weir_response_status(response, status);
    if (rc == 0)
        rc = weir_response_field(response, "Content-Type", type);
    if (rc == 0)
        rc = weir_response_field(response, "X-Content-Type-Options", "nosniff");
    if (rc == 0)
        rc = weir_response_length(response, len);
    return rc < 0 ? rc : weir_response_write(response, text, len);
}

int weir_response_text(struct weir_response *response, unsigned status, const char *text)
{
    return respond(response, status, "text/plain; charset=utf-8", text);
}

int weir_response_json(struct weir_response *response, unsigned status, const char *json)
{
    return respond(response, status, "application/json", json);
}

int weir_response_error(struct weir_response *response, unsigned status)
{
    int rc = weir_response_status(response, status);
    if (rc == 0)
        response->error = status;
    return rc;
}

/* What was promised and is not there must be seen to be missing, and so must what failed half-way. */
void response_end(struct answer *a, int rc)
{
    struct weir_response *response = &a->response;
    if (rc < 0 && !response->begun) {
        response->status = response->error = 500;
        response->lines_len = 0;
    } else if (rc < 0) {
        response->failed = true;
    }
    if (response->error)
        a->out.len = 0;
    else if (!response->begun && response->length == WEIR_LENGTH_UNKNOWN)
        response->length = response->written;
    if (!response->begun)
        begin(a);
    a->finished = true;
    a->in.len = 0; /* what was not read is read past */
    if (a->in_held)
        a->in_held = false;
}
