/* What is coded comes back by the other half of each library. */
#include "service/coder.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <brotli/decode.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define ROOM (4 * 1024 * 1024)

static int file_of(const void *bytes, size_t len)
{
    int fd = memfd_create("coder", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    return fd;
}

static size_t inflate_all(const uint8_t *in, size_t len, uint8_t *out)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)in,
                  .avail_in = (uInt)len,
                  .next_out = out,
                  .avail_out = ROOM};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    size_t n = z.total_out;
    inflateEnd(&z);
    return n;
}

static size_t decode(enum coding coding, const uint8_t *in, size_t len, uint8_t *out)
{
    size_t n = ROOM;
    if (coding == CODING_GZIP)
        return inflate_all(in, len, out);
    if (coding == CODING_ZSTD) {
        n = ZSTD_decompress(out, ROOM, in, len);
        assert_false(ZSTD_isError(n));
        return n;
    }
    assert_int_equal(BrotliDecoderDecompress(len, in, &n, out), BROTLI_DECODER_RESULT_SUCCESS);
    return n;
}

static void round_trip(enum coding coding, int level, const uint8_t *bytes, size_t len)
{
    static uint8_t coded[ROOM], back[ROOM];
    int from = file_of(bytes, len), to = memfd_create("to", MFD_CLOEXEC);
    assert_int_equal(coder_run(coding, level, from, len, to, ROOM), 0);
    ssize_t n = pread(to, coded, ROOM, 0);
    assert_true(n > 0);
    assert_int_equal(decode(coding, coded, (size_t)n, back), len);
    assert_memory_equal(back, bytes, len);
    ssize_t again = coder_bytes(coding, level, (struct weir_bytes){(const char *)bytes, len},
                                (char *)back, ROOM);
    assert_int_equal(again, n); /* the same from memory, byte for byte */
    assert_memory_equal(back, coded, (size_t)n);
    close(from);
    close(to);
}

static void what_is_coded_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 131072, 700001};
    uint8_t *bytes = malloc(1 << 20);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            bytes[k] = (uint8_t)("weir holds a river back"[k % 23] + (k * k % 7 == 0));
        for (enum coding coding = CODING_GZIP; coding < CODINGS; coding++) {
            round_trip(coding, coder_level(coding), bytes, sizes[i]);
            round_trip(coding, 1, bytes, sizes[i]);
        }
    }
    for (size_t k = 0; k < 200000; k++) /* what does not shrink needs room in every piece */
        bytes[k] = (uint8_t)rand();
    for (enum coding coding = CODING_GZIP; coding < CODINGS; coding++)
        round_trip(coding, coder_level_max(coding) > 11 ? 3 : coder_level_max(coding), bytes,
                   200000);
    free(bytes);
}

static void bounds(void **state)
{
    (void)state;
    uint8_t noise[4096], text[4096];
    for (size_t k = 0; k < sizeof(noise); k++)
        noise[k] = (uint8_t)rand();
    memset(text, 'a', sizeof(text));
    for (enum coding coding = CODING_GZIP; coding < CODINGS; coding++) {
        char out[4096];
        int from = file_of(noise, sizeof(noise)), to = memfd_create("to", MFD_CLOEXEC);
        assert_int_equal(coder_run(coding, 1, from, sizeof(noise), to, sizeof(noise)), -EFBIG);
        assert_int_equal(lseek(to, 0, SEEK_END), 0); /* nothing past the bound is written */
        assert_int_equal(coder_run(coding, 1, from, sizeof(noise) + 1, to, ROOM), -ESTALE);
        assert_int_equal(
            coder_bytes(coding, 1, (struct weir_bytes){(char *)text, sizeof(text)}, out, 8),
            -EFBIG);
        close(from);
        close(to);
    }
}

static void tags_differ(void **state)
{
    (void)state;
    char a[CODER_TAG_MAX], b[CODER_TAG_MAX];
    for (enum coding coding = CODING_GZIP; coding < CODINGS; coding++) {
        coder_tag(coding, 1, a);
        coder_tag(coding, coder_level_max(coding), b);
        print_message("%s %s\n", a, b);
        assert_string_not_equal(a, b);
        assert_true(strlen(b) < CODER_TAG_MAX - 1); /* not cut */
        assert_true(coder_level(coding) >= 1 && coder_level(coding) <= coder_level_max(coding));
        for (const char *c = b; *c; c++)
            assert_true(*c > ' ' && *c < 127 && *c != '"' && *c != '/');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_coded_comes_back),
        cmocka_unit_test(bounds),
        cmocka_unit_test(tags_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
