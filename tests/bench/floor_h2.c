/*
 * floor_h2.c: the least that a server of HTTP/2 in clear text does with nghttp2: one epoll loop around the library's sessions. It
 * reads no path and knows one answer, the fields it was given and the bytes of a file read at start. Loopback only.
 *
 *     floor_h2 PORT CONTENT 'name: value' ...
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIELDS_MAX = 32, CONTENT_MAX = 16384, PIECE = 64 * 1024 };

struct client {
    nghttp2_session *session;
    uint8_t *unsent; /* what the socket did not take */
    size_t unsent_len;
    int fd;
};

static nghttp2_nv fields[FIELDS_MAX] = {{(uint8_t *)":status", (uint8_t *)"200", 7, 3, 0}};
static size_t field_count = 1;
static uint8_t content[CONTENT_MAX];
static size_t content_len;
static nghttp2_session_callbacks *callbacks;
static uint8_t piece[PIECE], out[PIECE + 16384 + 9];

static ssize_t give(nghttp2_session *session, int32_t stream, uint8_t *to, size_t max,
                    uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session, (void)stream, (void)source, (void)user;
    if (max < content_len)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(to, content, content_len);
    *flags = NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)content_len;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    const nghttp2_data_provider from = {.read_callback = give};
    (void)user;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        return nghttp2_submit_response(session, frame->hd.stream_id, fields, field_count, &from);
    return 0;
}

/* false: the client is gone. What the socket does not take waits until it has room. */
static bool flush(struct client *client, size_t len)
{
    if (len == 0)
        return true;
    ssize_t n = write(client->fd, out, len);
    if (n < 0 && errno != EAGAIN)
        return false;
    size_t sent = n > 0 ? (size_t)n : 0;
    client->unsent_len = len - sent;
    if (client->unsent_len > 0) {
        client->unsent = malloc(client->unsent_len);
        memcpy(client->unsent, out + sent, client->unsent_len);
    }
    return true;
}

static bool send_rest(struct client *client)
{
    ssize_t n = write(client->fd, client->unsent, client->unsent_len);
    if (n < 0)
        return errno == EAGAIN;
    client->unsent_len -= (size_t)n;
    memmove(client->unsent, client->unsent + n, client->unsent_len);
    if (client->unsent_len > 0)
        return true;
    free(client->unsent);
    client->unsent = NULL;
    return true;
}

static bool send_all(struct client *client)
{
    while (client->unsent_len == 0) {
        const uint8_t *bytes;
        size_t len = 0;
        ssize_t n = 0;
        while (len < PIECE && (n = nghttp2_session_mem_send(client->session, &bytes)) > 0) {
            memcpy(out + len, bytes, (size_t)n);
            len += (size_t)n;
        }
        if (n < 0 || !flush(client, len))
            return false;
        if (len == 0)
            return true;
    }
    return true;
}

static bool step(struct client *client)
{
    if (client->unsent_len > 0 && !send_rest(client))
        return false;
    ssize_t n;
    while ((n = read(client->fd, piece, sizeof(piece))) > 0) {
        if (nghttp2_session_mem_recv(client->session, piece, (size_t)n) < 0 || !send_all(client))
            return false;
        if (n < PIECE)
            return true;
    }
    return n < 0 && errno == EAGAIN && send_all(client);
}

static void end(struct client *client)
{
    nghttp2_session_del(client->session);
    close(client->fd);
    free(client->unsent);
    free(client);
}

static void begin(int epoll, int fd)
{
    const nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 128};
    struct client *client = calloc(1, sizeof(*client));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = client};
    int on = 1;
    client->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (nghttp2_session_server_new(&client->session, callbacks, client) != 0 ||
        nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &settings, 1) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 || !send_all(client))
        end(client);
}

static int listen_at(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 4096) < 0) {
        perror("floor_h2");
        exit(1);
    }
    return fd;
}

static void read_answer(int argc, char **argv)
{
    FILE *file = argc > 2 ? fopen(argv[2], "rb") : NULL;
    if (!file || argc - 3 >= FIELDS_MAX) {
        fprintf(stderr, "usage: floor_h2 PORT CONTENT 'name: value' ...\n");
        exit(2);
    }
    content_len = fread(content, 1, sizeof(content), file);
    fclose(file);
    for (int i = 3; i < argc; i++) {
        char *colon = strstr(argv[i], ": ");
        if (colon)
            fields[field_count++] =
                (nghttp2_nv){(uint8_t *)argv[i], (uint8_t *)colon + 2, (size_t)(colon - argv[i]),
                             strlen(colon + 2), NGHTTP2_NV_FLAG_NONE};
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[256], event = {.events = EPOLLIN};
    read_answer(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    int listener = listen_at(argv[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd;
            if (events[i].data.ptr && !step(events[i].data.ptr))
                end(events[i].data.ptr);
            while (!events[i].data.ptr &&
                   (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
                begin(epoll, fd);
        }
    }
}
