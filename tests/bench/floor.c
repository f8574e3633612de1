/*
 * floor.c: the least a server can do: one epoll loop that parses nothing. A read is a request, the bytes of a file read at
 * start its answer. What weir spends beyond it is the price of being a web server. Loopback only.
 *
 *     floor PORT ANSWER [--close] [--defer] [--log FILE LINE] [--pread FILE | --sendfile FILE]
 *
 * --defer takes clients over with their first request there (TCP_DEFER_ACCEPT), and epoll hears only of those that stay.
 * --log appends LINE for each request by way of a buffer, --pread and --sendfile send FILE behind ANSWER.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536
#define PIECE   (128 * 1024) /* of a file that goes by way of memory */

static struct {
    char *answer;
    size_t answer_len;
    int file;
    size_t file_len;
    bool by_pread, close_after, defer;
    int log;
    const char *line;
    size_t line_len;
} setup = {.file = -1, .log = -1};

static char piece[PIECE];
static char log_buffer[32 * 1024];
static size_t log_used;
static size_t unsent[FDS_MAX]; /* bytes of the answer under way, by descriptor */

static void write_log(void)
{
    if (log_used + setup.line_len > sizeof(log_buffer)) {
        if (write(setup.log, log_buffer, log_used) < 0)
            exit(1);
        log_used = 0;
    }
    memcpy(log_buffer + log_used, setup.line, setup.line_len);
    log_used += setup.line_len;
}

static ssize_t send_file(int fd, size_t offset)
{
    off_t at = (off_t)offset;
    if (!setup.by_pread)
        return sendfile(fd, setup.file, &at, setup.file_len - offset);
    ssize_t n = pread(setup.file, piece, sizeof(piece), at);
    return n > 0 ? write(fd, piece, (size_t)n) : -1;
}

/* The head and, where it comes by way of memory, the first piece in one call. */
static ssize_t send_head(int fd, size_t at)
{
    struct iovec iov[2] = {{setup.answer + at, setup.answer_len - at}};
    if (setup.file < 0)
        return write(fd, iov[0].iov_base, iov[0].iov_len);
    if (!setup.by_pread)
        return send(fd, iov[0].iov_base, iov[0].iov_len, MSG_MORE);
    ssize_t n = pread(setup.file, piece, sizeof(piece), 0);
    iov[1] = (struct iovec){piece, n > 0 ? (size_t)n : 0};
    return writev(fd, iov, 2);
}

/* Goes on with the answer until it is sent or the socket is full. false: closed. */
static bool send_answer(int fd)
{
    size_t total = setup.answer_len + setup.file_len;
    while (unsent[fd] > 0) {
        size_t at = total - unsent[fd];
        ssize_t n =
            at < setup.answer_len ? send_head(fd, at) : send_file(fd, at - setup.answer_len);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            close(fd);
            return false;
        }
        unsent[fd] -= (size_t)n;
    }
    if (setup.line)
        write_log();
    if (setup.close_after)
        close(fd);
    return !setup.close_after;
}

/* false: closed. */
static bool answer_one(int fd)
{
    static char request[65536];
    if (read(fd, request, sizeof(request)) <= 0) {
        close(fd);
        return false;
    }
    unsent[fd] = setup.answer_len + setup.file_len;
    return send_answer(fd);
}

static void accept_all(int listener, int epoll)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= FDS_MAX)
            exit(1);
        unsent[fd] = 0;
        if (setup.defer && !answer_one(fd))
            continue;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                    .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void look_at(int fd, unsigned events)
{
    if (unsent[fd] > 0)
        send_answer(fd);
    else if (events & EPOLLIN)
        answer_one(fd);
    else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        close(fd);
}

static _Noreturn void run(int listener)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener, epoll);
            else
                look_at(events[i].data.fd, events[i].events);
        }
    }
}

static int open_listener(const char *port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1,
        wait_s = 5;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (setup.defer)
        setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait_s, sizeof(wait_s));
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 4096) < 0) {
        perror("floor");
        exit(1);
    }
    return listener;
}

static int open_file(const char *name, size_t *out_len)
{
    struct stat st;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        perror(name);
        exit(1);
    }
    *out_len = (size_t)st.st_size;
    return fd;
}

static void read_answer(const char *name)
{
    int fd = open_file(name, &setup.answer_len);
    setup.answer = malloc(setup.answer_len + 1);
    if (!setup.answer || read(fd, setup.answer, setup.answer_len) != (ssize_t)setup.answer_len)
        exit(1);
    close(fd);
}

static bool read_option(char **option, int left)
{
    if (strcmp(*option, "--close") == 0) {
        setup.close_after = true;
    } else if (strcmp(*option, "--defer") == 0) {
        setup.defer = true;
    } else if (strcmp(*option, "--log") == 0 && left > 2) {
        setup.log = open(option[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        setup.line = option[2];
        setup.line_len = strlen(setup.line);
    } else if (strcmp(*option, "--pread") == 0 && left > 1) {
        setup.by_pread = true;
        setup.file = open_file(option[1], &setup.file_len);
    } else if (strcmp(*option, "--sendfile") == 0 && left > 1) {
        setup.file = open_file(option[1], &setup.file_len);
    } else {
        return **option != '-'; /* an option's value */
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "floor PORT ANSWER [--close] [--defer] [--log FILE LINE] "
                        "[--pread FILE | --sendfile FILE]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    read_answer(argv[2]);
    for (int i = 3; i < argc; i++)
        if (!read_option(argv + i, argc - i))
            return 2;
    run(open_listener(argv[1]));
}
