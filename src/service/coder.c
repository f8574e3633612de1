#include "service/coder.h"

#include "base/text.h"
#include "tbl/limits.h"

#include <assert.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#define PIECE (64 * 1024) /* read and written at a time */

struct piece {
    const uint8_t *in;
    size_t in_len;
    bool last; /* nothing follows `in` */
    uint8_t *out;
    size_t out_len;
};

/* One library. `step` takes from `in` and writes to `out`: 1 when all is written, 0: go on, -errno. */
struct coder {
    void *(*open)(int level, uint64_t size);
    int (*step)(void *state, struct piece *);
    void (*close)(void *state);
};

static void *gzip_open(int level, uint64_t size)
{
    (void)size;
    z_stream *z = calloc(1, sizeof(*z));
    /* 15 bits of window, and 16 more ask for the gzip format, without a name or a time: the same bytes every time. */
    if (z && deflateInit2(z, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

static int gzip_step(void *state, struct piece *piece)
{
    z_stream *z = state;
    z->next_in = piece->in;
    z->avail_in = (uInt)piece->in_len;
    z->next_out = piece->out;
    z->avail_out = (uInt)piece->out_len;
    int rc = deflate(z, piece->last ? Z_FINISH : Z_NO_FLUSH);
    piece->in = z->next_in;
    piece->in_len = z->avail_in;
    piece->out = z->next_out;
    piece->out_len = z->avail_out;
    if (rc == Z_STREAM_END)
        return 1;
    return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : -EIO;
}

static void gzip_close(void *state)
{
    deflateEnd(state);
    free(state);
}

/* The smallest window that holds the file: memory goes with it. */
static void *br_open(int level, uint64_t size)
{
    BrotliEncoderState *br = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (!br)
        return NULL;
    uint32_t window = BROTLI_MIN_WINDOW_BITS;
    while (window < LIMIT_CODING_WINDOW_BITS && 1ull << window < size + 16)
        window++;
    BrotliEncoderSetParameter(br, BROTLI_PARAM_QUALITY, (uint32_t)level);
    BrotliEncoderSetParameter(br, BROTLI_PARAM_LGWIN, window);
    BrotliEncoderSetParameter(br, BROTLI_PARAM_SIZE_HINT,
                              size < UINT32_MAX ? (uint32_t)size : UINT32_MAX);
    return br;
}

static int br_step(void *state, struct piece *piece)
{
    BrotliEncoderOperation op = piece->last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;
    if (!BrotliEncoderCompressStream(state, op, &piece->in_len, &piece->in, &piece->out_len,
                                     &piece->out, NULL))
        return -ENOMEM;
    return BrotliEncoderIsFinished(state);
}

static void br_close(void *state)
{
    BrotliEncoderDestroyInstance(state);
}

static void *zstd_open(int level, uint64_t size)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    if (!z)
        return NULL;
    if (ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(z, size))) {
        ZSTD_freeCCtx(z);
        return NULL;
    }
    return z;
}

static int zstd_step(void *state, struct piece *piece)
{
    ZSTD_inBuffer in = {piece->in, piece->in_len, 0};
    ZSTD_outBuffer out = {piece->out, piece->out_len, 0};
    size_t left =
        ZSTD_compressStream2(state, &out, &in, piece->last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left))
        return -ENOMEM;
    piece->in += in.pos;
    piece->in_len -= in.pos;
    piece->out += out.pos;
    piece->out_len -= out.pos;
    return piece->last && left == 0;
}

static void zstd_close(void *state)
{
    ZSTD_freeCCtx(state);
}

static const struct coder coders[CODINGS] = {
    [CODING_GZIP] = {gzip_open, gzip_step, gzip_close},
    [CODING_ZSTD] = {zstd_open, zstd_step, zstd_close},
    [CODING_BR] = {br_open, br_step, br_close},
};

int coder_level(enum coding coding)
{
    static const int levels[CODINGS] = {[CODING_GZIP] = 6, [CODING_ZSTD] = 6, [CODING_BR] = 5};
    return levels[coding];
}

/* RFC 9659: a window of more than 8 MB need not be understood; zstd's levels past 19 have larger ones. */
int coder_level_max(enum coding coding)
{
    static const int levels[CODINGS] = {[CODING_GZIP] = 9, [CODING_ZSTD] = 19, [CODING_BR] = 11};
    return levels[coding];
}

void coder_tag(enum coding coding, int level, char tag[CODER_TAG_MAX])
{
    struct text t;
    text_init(&t, tag, CODER_TAG_MAX);
    text_str(&t, coding_name(coding));
    text_u64(&t, (unsigned)level);
    text_char(&t, '-');
    if (coding == CODING_GZIP)
        text_str(&t, zlibVersion());
    else if (coding == CODING_ZSTD)
        text_hex(&t, ZSTD_versionNumber());
    else
        text_hex(&t, BrotliEncoderVersion());
    text_end(&t);
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

struct run {
    const struct coder *coder;
    void *state;
    int from, to; /* -1: memory instead: */
    const uint8_t *source;
    uint8_t *sink;
    uint64_t size, max, at, written;
    uint8_t buffers[2][PIECE];
};

/* The next bytes of the file; none only at the end of an empty one. */
static int read_piece(struct run *run, struct piece *piece)
{
    uint64_t left = run->size - run->at;
    size_t want = left < PIECE ? (size_t)left : PIECE;
    ssize_t n = (ssize_t)want;
    piece->in = run->from >= 0 ? run->buffers[0] : run->source + run->at;
    if (run->from >= 0 && want > 0) {
        do
            n = pread(run->from, run->buffers[0], want, (off_t)run->at);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return n < 0 ? -errno : -ESTALE;
    }
    run->at += (uint64_t)n;
    piece->in_len = (size_t)n;
    piece->last = run->at == run->size;
    return 0;
}

static int write_piece(struct run *run, size_t len)
{
    if (run->written + len > run->max)
        return -EFBIG;
    int rc = 0;
    if (run->to >= 0)
        rc = write_all(run->to, run->buffers[1], len);
    else
        memcpy(run->sink + run->written, run->buffers[1], len);
    run->written += len;
    return rc;
}

/* Hands one piece to the library until it has taken all of it. 1: all is written. */
static int feed(struct run *run, struct piece *piece)
{
    int rc = 0;
    do {
        piece->out = run->buffers[1];
        piece->out_len = PIECE;
        rc = run->coder->step(run->state, piece);
        int written = rc < 0 ? rc : write_piece(run, PIECE - piece->out_len);
        if (written < 0)
            return written;
    } while (rc == 0 && (piece->in_len > 0 || piece->last || piece->out_len == 0));
    return rc;
}

static int run_all(struct run *run)
{
    int rc = 0;
    while (rc == 0) {
        struct piece piece = {0};
        rc = read_piece(run, &piece);
        if (rc == 0)
            rc = feed(run, &piece);
    }
    return rc < 0 ? rc : 0;
}

/* A helper's stack is small, and most of this need not be zero. */
static struct run *run_new(enum coding coding, int level, uint64_t size, uint64_t max)
{
    assert(coding > CODING_IDENTITY && coding < CODINGS);
    struct run *run = malloc(sizeof(*run));
    if (!run)
        return NULL;
    run->coder = &coders[coding];
    run->from = run->to = -1;
    run->size = size;
    run->max = max;
    run->at = run->written = 0;
    run->state = run->coder->open(level, size);
    if (!run->state) {
        free(run);
        return NULL;
    }
    return run;
}

static void run_free(struct run *run)
{
    run->coder->close(run->state);
    free(run);
}

int coder_run(enum coding coding, int level, int from, uint64_t size, int to, uint64_t max)
{
    struct run *run = run_new(coding, level, size, max);
    if (!run)
        return -ENOMEM;
    run->from = from;
    run->to = to;
    int rc = run_all(run);
    run_free(run);
    return rc;
}

ssize_t coder_bytes(enum coding coding, int level, struct weir_bytes from, char *to, size_t max)
{
    struct run *run = run_new(coding, level, from.len, max);
    if (!run)
        return -ENOMEM;
    run->source = (const uint8_t *)from.at;
    run->sink = (uint8_t *)to;
    int rc = run_all(run);
    ssize_t written = (ssize_t)run->written;
    run_free(run);
    return rc < 0 ? rc : written;
}
