/*
 * A segment's bytes from a stranger. The first byte says how they are made: as they are, or as whole frames with right checksums that
 * are then changed here and there, for no fuzzer guesses a checksum. Every byte must be accounted for, once, in order.
 */
#include "stream/crc32c.h"
#include "stream/spool_folder.h"
#include "stream/spool_segment.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX (256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t file[FILE_MAX];

static size_t put_head(void)
{
    const struct spool_head head = {.first = 5, .follows = 5, .salt = 0x5a17};
    spool_head_put(file, &head);
    spool_head_put(file + SPOOL_HEAD_BYTES, &head);
    return SPOOL_HEADS_BYTES;
}

/* Each pair of bytes is a frame: its length, and how much its index goes up. */
static size_t put_frames(const uint8_t *data, size_t size)
{
    const struct spool_head head = {.first = 5, .follows = 5, .salt = 0x5a17};
    size_t len = put_head();
    uint32_t index = 0;
    for (size_t i = 0; i + 1 < size && len + 300 < FILE_MAX; i += 2) {
        struct spool_frame frame = {.len = data[i], .index = index};
        memset(file + len + SPOOL_FRAME_BYTES, data[i], frame.len);
        frame.body_crc = crc32c(0, file + len + SPOOL_FRAME_BYTES, frame.len);
        spool_frame_put(file + len, &head, len, &frame);
        index += 1 + data[i + 1] % 4;
        len += SPOOL_FRAME_BYTES + frame.len;
    }
    return len;
}

/* Each triple of bytes is a place and what is done to it. */
static void spoil(size_t len, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 2 < size; i += 3) {
        size_t at = SPOOL_HEADS_BYTES + (data[i] | (size_t)data[i + 1] << 8);
        if (at < len)
            file[at] ^= data[i + 2];
    }
}

static size_t make(const uint8_t *data, size_t size)
{
    uint8_t how = data[0];
    data++;
    size--;
    if (how % 4 == 0) {
        size_t len = size < FILE_MAX ? size : FILE_MAX;
        memcpy(file, data, len);
        return len;
    }
    if (how % 4 == 1) {
        size_t room = FILE_MAX - SPOOL_HEADS_BYTES, len = size < room ? size : room;
        memcpy(file + put_head(), data, len);
        return SPOOL_HEADS_BYTES + len;
    }
    size_t frames = size * (how >> 2) / 64, len = put_frames(data, frames);
    spoil(len, data + frames, size - frames);
    return how % 4 == 2 ? len : len - how / 4;
}

static void read_all(int fd, const struct spool_head *head, uint64_t size)
{
    struct spool_window window;
    uint64_t offset = SPOOL_HEADS_BYTES, number = head->first;
    int what;
    spool_window_init(&window, fd);
    do {
        struct spool_seen seen;
        what = spool_look(&window, head, offset, number, &seen);
        if (what < 0 || seen.offset != offset)
            abort();
        if (what == SPOOL_END && offset != size)
            abort();
        if (what == SPOOL_FRAME || what == SPOOL_DAMAGE) {
            if (seen.next <= offset || seen.next > size || seen.number < number)
                abort();
            number = seen.number + (what == SPOOL_FRAME);
        } else if (seen.next != size) {
            abort();
        }
        offset = seen.next;
    } while (what == SPOOL_FRAME || what == SPOOL_DAMAGE);
    spool_window_done(&window);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spool_head head;
    bool spoilt;
    if (size == 0)
        return 0;
    size_t len = make(data, size);
    int fd = memfd_create("segment", MFD_CLOEXEC);
    if (fd < 0 || write(fd, file, len) != (ssize_t)len)
        abort();
    if (spool_segment_head(fd, 5, &head, &spoilt) == 0 && len >= SPOOL_HEADS_BYTES)
        read_all(fd, &head, len);
    close(fd);
    return 0;
}
