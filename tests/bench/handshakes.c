/*
 * Makes TLS connections, one after the other on each of some places, and counts them: whole handshakes, or with --resume such as
 * go on with the last session a server gave. Each says its end as soon as hands are shaken, and is over when the server has closed. One line
 * of JSON at the end. The load of `make bench` for handshakes, and the flood of flood.py; OpenSSL on this side, whoever the server is.
 *
 *     handshakes [--resume] [--seconds N] [--at-once N] [--version 1.2|1.3] [--bare] PORT
 *
 * --bare: leave when the hello was answered, as an attacker would who wants the server's signature and has no time for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 512, STEP_MAX_MS = 5000 };

struct place {
    SSL *ssl;
    int fd;
    SSL_SESSION *session; /* for the next one */
    bool said_end;
    double began;
};

static struct {
    bool resume, bare;
    double seconds;
    unsigned at_once, version, port;
} options = {.seconds = 1, .at_once = 16, .version = TLS1_3_VERSION};

static struct place places[AT_ONCE_MAX];
static unsigned long full, resumed, failed;
static double longest;
static int epoll;
static SSL_CTX *ctx;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "handshakes: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct place *place = SSL_get_app_data(ssl);
    SSL_SESSION_free(place->session);
    place->session = session;
    return 1; /* ours now */
}

/* From many addresses of this machine: one alone has too few ports for those that linger in TIME_WAIT. */
static void begin(struct place *place)
{
    static unsigned next;
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + next++ % 200)};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)options.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = place};
    int on = 1;
    place->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(place->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(place->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (place->fd < 0 || bind(place->fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
        (connect(place->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS))
        die("connect");
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, place->fd, &event) < 0)
        die("epoll_ctl");
    place->ssl = SSL_new(ctx);
    SSL_set_fd(place->ssl, place->fd);
    SSL_set_app_data(place->ssl, place);
    SSL_set_tlsext_host_name(place->ssl, "localhost");
    if (options.resume &&
        place
            ->session) { /* a copy: a session is done with once it was used, and not all give another */
        SSL_SESSION *session = SSL_SESSION_dup(place->session);
        SSL_set_session(place->ssl, session);
        SSL_SESSION_free(session);
    }
    SSL_set_connect_state(place->ssl);
    place->said_end = false;
    place->began = now();
}

static void end(struct place *place, bool good)
{
    double took = now() - place->began;
    longest = took > longest ? took : longest;
    if (!good)
        failed++;
    else if (SSL_session_reused(place->ssl))
        resumed++;
    else
        full++;
    SSL_free(place->ssl);
    close(place->fd);
    place->ssl = NULL;
}

/* true: this one is over. */
static bool step(struct place *place)
{
    char bytes[4096];
    ERR_clear_error();
    int rc = SSL_do_handshake(place->ssl);
    bool shaken = rc == 1;
    if (shaken && !options.bare) {
        if (!place->said_end) {
            (void)SSL_shutdown(place->ssl);
            shutdown(place->fd, SHUT_WR); /* h2o does not hear the other word */
        }
        place->said_end = true;
        rc = SSL_read(place->ssl, bytes, sizeof(bytes)); /* tickets, then the end */
    }
    int error = SSL_get_error(place->ssl, rc);
    if (!(shaken && options.bare) &&
        (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE))
        return false;
    end(place, shaken);
    return true;
}

static void run(void)
{
    struct epoll_event events[AT_ONCE_MAX];
    double until = now() + options.seconds;
    for (unsigned i = 0; i < options.at_once; i++)
        begin(&places[i]);
    while (now() < until) {
        int n = epoll_wait(epoll, events, AT_ONCE_MAX, 100);
        for (int i = 0; i < n; i++)
            if (step(events[i].data.ptr))
                begin(events[i].data.ptr);
        for (unsigned i = 0; i < options.at_once; i++) {
            if (now() - places[i].began > STEP_MAX_MS / 1000.0) {
                end(&places[i], false);
                begin(&places[i]);
            }
        }
    }
    for (unsigned i = 0; i < options.at_once; i++) {
        SSL_free(places[i].ssl);
        close(places[i].fd);
        SSL_SESSION_free(places[i].session);
    }
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--resume") == 0)
            options.resume = true;
        else if (strcmp(argv[i], "--bare") == 0)
            options.bare = true;
        else if (strcmp(argv[i], "--seconds") == 0 && ++i)
            options.seconds = atof(value);
        else if (strcmp(argv[i], "--at-once") == 0 && ++i)
            options.at_once = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--version") == 0 && ++i)
            options.version = strcmp(value, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        else
            options.port = (unsigned)atoi(argv[i]);
    }
    if (options.port == 0 || options.at_once == 0 || options.at_once > AT_ONCE_MAX) {
        fprintf(
            stderr,
            "usage: handshakes [--resume] [--seconds N] [--at-once N] [--version 1.2|1.3] [--bare] PORT\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    ctx = SSL_CTX_new(TLS_client_method());
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!ctx || epoll < 0)
        die("start");
    SSL_CTX_set_min_proto_version(ctx, (int)options.version);
    SSL_CTX_set_max_proto_version(ctx, (int)options.version);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    double began = now();
    run();
    printf(
        "{\"full\": %lu, \"resumed\": %lu, \"failed\": %lu, \"us\": %.0f, \"longest_ms\": %.1f}\n",
        full, resumed, failed, (now() - began) * 1e6, longest * 1e3);
    SSL_CTX_free(ctx);
    return 0;
}
