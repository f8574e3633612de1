/* Content of unknown length, in a file without a name: a program must be told the length before it is started. */
#include "http/exchange.h"
#include "service/cgi_talk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* On a disk rather than in memory, if there is one to be had. */
static int open_unnamed(void)
{
    const char *const folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (!folders[i] || folders[i][0] != '/')
            continue;
        int fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
        if (fd >= 0 || errno == EMFILE || errno == ENFILE)
            return fd < 0 ? -errno : fd;
    }
    int fd = memfd_create("weir-cgi", MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static uint64_t spool_max(const struct talk *talk)
{
    uint64_t max = talk->cgi->options->spool;
    return max ? max : LIMIT_CGI_SPOOL;
}

int cgi_spool_add(struct talk *talk, const uint8_t *bytes, size_t len)
{
    if (len > spool_max(talk) - talk->spool_len) {
        exchange_struck(talk->x, "cgi-spool");
        return -EMSGSIZE;
    }
    if (talk->spool < 0) {
        int fd = open_unnamed();
        if (fd < 0)
            return fd;
        talk->spool = fd;
    }
    for (size_t done = 0; done < len;) {
        ssize_t n = write(talk->spool, bytes + done, len - done);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    talk->spool_len += len;
    return 0;
}
