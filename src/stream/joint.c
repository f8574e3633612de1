/*
 * The pipe between two stages. Metered, bytes go from one pipe into another inside the kernel: splice(2) moves the buffers; to
 * count lines, tee(2) passes them on first and reading them then takes them away. Memory is flat: two pipes.
 */
#include "stream/pipeline_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What the system refuses leaves the pipe as it was: 64 KiB, or two pages for a user who has very many. */
static int open_pipe(size_t bytes, int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    fcntl(ends[1], F_SETPIPE_SZ, (int)bytes);
    return 0;
}

static size_t room_of(int fd)
{
    int bytes = fcntl(fd, F_GETPIPE_SZ);
    return bytes > 0 ? (size_t)bytes : 0;
}

static size_t held_in(int fd)
{
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

static int watch(struct weir_pipeline *p, size_t index)
{
    struct joint *j = &p->joints[index];
    int rc = pipeline_watch(p, EPOLL_CTL_ADD, j->from, EPOLLIN, EVENT_JOINT, index);
    return rc < 0 ? rc : pipeline_watch(p, EPOLL_CTL_ADD, j->to, 0, EVENT_JOINT, index);
}

int joint_open(struct weir_pipeline *p, size_t index, int *out_write, int *out_read)
{
    struct joint *j = &p->joints[index];
    int left[2];
    int right[2];
    int rc = open_pipe(p->pipe_bytes, left);
    if (rc < 0)
        return rc;
    if (p->meter == WEIR_METER_NONE) {
        *out_write = left[1];
        *out_read = left[0];
        return 0;
    }
    j->from = left[0];
    rc = open_pipe(p->pipe_bytes, right);
    if (rc == 0) {
        j->to = right[1];
        j->from_room = room_of(j->from);
        j->to_room = room_of(j->to);
        j->count.room = j->from_room + j->to_room;
        j->state = JOINT_INPUT;
        rc = watch(p, index);
        if (rc < 0)
            close(right[0]);
    }
    if (rc < 0) {
        close(left[1]);
        return rc;
    }
    *out_write = left[1];
    *out_read = right[0];
    return 0;
}

/* Both sides at once: the stage before it gets SIGPIPE if it goes on, the one behind it end of file. */
void joint_close(struct joint *j)
{
    if (j->from >= 0)
        close(j->from);
    if (j->to >= 0)
        close(j->to);
    j->from = j->to = -1;
    j->state = JOINT_CLOSED;
    j->count.held = 0;
}

/* A side without interest is not watched: a pipe that has hung up would be reported without end. A full one's writer is
 * told by the same event that its reader has gone, and that one is wanted always. */
static int await(struct weir_pipeline *p, size_t index, enum joint_state state)
{
    struct joint *j = &p->joints[index];
    if (j->state == state)
        return 0;
    j->state = state;
    bool input = state == JOINT_INPUT;
    int rc =
        pipeline_watch(p, EPOLL_CTL_MOD, j->to, input ? 0 : (uint32_t)EPOLLOUT, EVENT_JOINT, index);
    if (rc < 0)
        return rc;
    return pipeline_watch(p, input ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, j->from, EPOLLIN, EVENT_JOINT,
                          index);
}

/* In pieces whose count fits a byte, so that the compiler compares sixteen at a time. */
static uint64_t count_lines(const char *at, size_t len)
{
    enum { PIECE = 240 };
    uint64_t lines = 0;
    while (len > 0) {
        size_t piece = len < PIECE ? len : PIECE;
        uint8_t count = 0;
        for (size_t i = 0; i < piece; i++)
            count = (uint8_t)(count + (at[i] == '\n'));
        lines += count;
        at += piece;
        len -= piece;
    }
    return lines;
}

/* They were passed on by tee(2) and are there: no read waits or comes short for long. */
static int take_teed(struct weir_pipeline *p, struct joint *j, size_t len)
{
    while (len > 0) {
        ssize_t n = read(j->from, p->buffer, len < LIMIT_MOVE_BYTES ? len : LIMIT_MOVE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        j->count.lines += count_lines(p->buffer, (size_t)n);
        len -= (size_t)n;
    }
    return 0;
}

static ssize_t move(struct weir_pipeline *p, struct joint *j)
{
    bool lines = p->meter == WEIR_METER_LINES;
    ssize_t n = lines ? tee(j->from, j->to, LIMIT_PIPELINE_PIPE_BYTES, SPLICE_F_NONBLOCK)
                      : splice(j->from, NULL, j->to, NULL, LIMIT_PIPELINE_PIPE_BYTES,
                               SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (n < 0)
        return -errno;
    j->count.bytes += (uint64_t)n;
    int rc = lines ? take_teed(p, j, (size_t)n) : 0;
    return rc < 0 ? rc : n;
}

static int pump(struct weir_pipeline *p, size_t index)
{
    struct joint *j = &p->joints[index];
    for (int i = 0; i < LIMIT_PIPELINE_STEPS && j->state != JOINT_CLOSED; i++) {
        ssize_t n = move(p, j);
        if (n > 0 || n == -EINTR)
            continue;
        if (n == -EAGAIN)
            return await(p, index, held_in(j->from) > 0 ? JOINT_ROOM : JOINT_INPUT);
        j->unread = n == -EPIPE;
        joint_close(j);
        return n == 0 || n == -EPIPE ? 0 : (int)n; /* 0: end of file */
    }
    return 0;
}

/* Both are asked for by nobody and reported always. splice(2) and tee(2) look for bytes before they look for a reader, and for room
 * before they see the end of an empty pipe: without this either would be reported again and again. */
int joint_handle(struct weir_pipeline *p, size_t index, uint32_t events)
{
    struct joint *j = &p->joints[index];
    if (j->state == JOINT_CLOSED)
        return 0;
    j->unread = events & EPOLLERR;
    bool ended = events & EPOLLHUP && held_in(j->from) == 0;
    if (!j->unread && !ended)
        return pump(p, index);
    joint_close(j);
    return 0;
}

/* How many bytes a pipe takes depends on how they were written: its slots are pages, and a page may hold one byte. So poll(2) says
 * whether the far side is full; of the near one only the bytes can be asked, and half of them is as good as full then. */
static bool is_full(const struct joint *j, size_t from_held)
{
    struct pollfd p = {.fd = j->to, .events = POLLOUT};
    return from_held >= j->from_room / 2 && poll(&p, 1, 0) == 0;
}

void joint_look(struct joint *j, uint64_t ns)
{
    if (j->state == JOINT_CLOSED)
        return;
    size_t from_held = held_in(j->from), held = from_held + held_in(j->to);
    j->count.held = held;
    j->count.seen_ns += ns;
    if (is_full(j, from_held)) {
        j->count.held = j->count.room;
        j->count.full_ns += ns;
    } else if (held <= j->count.room / LIMIT_PIPELINE_EMPTY_PART) {
        j->count.empty_ns += ns;
    }
}

bool joint_is_empty(const struct joint *j)
{
    return j->state == JOINT_CLOSED || held_in(j->from) == 0;
}
