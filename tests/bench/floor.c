/*
 * floor.c: the least a server can do: one epoll loop that parses nothing: a read is a request, a constant write its
 * answer. What weir spends beyond it is the price of being a web server. `floor PORT BODY_BYTES`, loopback only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[65536];
static size_t answer_len;

static void make_answer(int body)
{
    int n =
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 200 OK\r\nServer: weir\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\n"
                 "Content-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n"
                 "Last-Modified: Sun, 22 Nov 2026 17:00:00 GMT\r\nETag: \"0123456789abcdef\"\r\n"
                 "Accept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n\r\n",
                 body);
    memset(answer + n, 'x', (size_t)body);
    answer_len = (size_t)n + (size_t)body;
}

static void accept_all(int listener, int epoll)
{
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void answer_one(int fd)
{
    char request[65536];
    ssize_t n = read(fd, request, sizeof(request));
    if (n <= 0 || write(fd, answer, answer_len) < 0)
        close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 3 || atoi(argv[2]) < 0 || atoi(argv[2]) > 60000)
        return 2;
    make_answer(atoi(argv[2]));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(argv[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 4096) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) {
        perror("floor");
        return 1;
    }
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener, epoll);
            else
                answer_one(events[i].data.fd);
        }
    }
}
