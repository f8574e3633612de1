/* What crashes and disks do to a spool: tails torn at every byte, bytes wrong at every place, files and positions lost. */
#include "spool.h"
#include "stream/spool_format.h"

#define COUNT 7

static uint8_t whole[64 * 1024], changed[64 * 1024];
static size_t whole_len;
static uint64_t frame_at[COUNT + 1]; /* where each frame begins, and where the last one ends */

static const char *const texts[COUNT] = {
    "one", "", "three", "4", "a message that is longer than others", "six", "seven"};

/* A spool of one segment, its bytes in `whole`. */
static void make_whole(void)
{
    empty_folder(folder);
    struct weir_spool_writer *w = lazy_writer(0);
    frame_at[0] = SPOOL_HEADS_BYTES;
    for (int i = 0; i < COUNT; i++) {
        put(w, texts[i]);
        frame_at[i + 1] = frame_at[i] + SPOOL_FRAME_BYTES + strlen(texts[i]);
    }
    weir_spool_writer_close(w);
    whole_len = file_read(segment_path(0), whole, sizeof(whole));
    assert_int_equal(whole_len, frame_at[COUNT]);
}

/* How many frames end at or before this place. */
static int frames_before(uint64_t offset)
{
    int count = 0;
    while (count < COUNT && frame_at[count + 1] <= offset)
        count++;
    return count;
}

static void expect_trouble(struct weir_spool_reader *r, uint64_t offset, uint64_t bytes,
                           bool unfinished)
{
    struct weir_spool_trouble t;
    weir_spool_reader_trouble(r, &t);
    assert_non_null(t.what);
    assert_int_equal(t.segment, 0);
    assert_int_equal(t.offset, offset);
    assert_int_equal(t.bytes, bytes);
    assert_int_equal(t.unfinished, unfinished);
    weir_spool_reader_trouble(r, &t);
    assert_null(t.what);
}

/* A reader sees the whole ones and waits; a writer cuts and goes on; the reader goes on, too. */
static void torn_at(size_t len)
{
    struct weir_spool_trouble cut, none;
    int count = frames_before(len);
    uint64_t rest = len - frame_at[count];
    file_write(segment_path(0), whole, len);
    struct weir_spool_reader *r = reader("r", false);
    for (int i = 0; i < count; i++)
        expect(r, texts[i]);
    expect(r, NULL);
    if (rest > 0)
        expect_trouble(r, frame_at[count], rest, true);
    weir_spool_reader_trouble(r, &none);
    assert_null(none.what);
    struct weir_spool_sum sum = check();
    assert_int_equal(sum.damages, 0);
    assert_int_equal(sum.messages, count);
    struct weir_spool_writer *w = lazy_writer(0);
    weir_spool_writer_cut(w, &cut);
    assert_int_equal(cut.bytes, rest);
    assert_int_equal(cut.what != NULL, rest > 0);
    if (rest > 0)
        assert_int_equal(cut.offset, frame_at[count]);
    assert_int_equal(weir_spool_number(w), count);
    put(w, "after");
    expect(r, "after");
    weir_spool_writer_close(w);
    weir_spool_reader_close(r);
    sum = check();
    assert_int_equal(sum.damages, 0);
    assert_int_equal(sum.messages, count + 1);
}

static void torn_at_every_byte(void **state)
{
    (void)state;
    make_whole();
    for (size_t len = SPOOL_HEADS_BYTES; len <= whole_len; len++) {
        empty_folder(folder);
        torn_at(len);
    }
}

/* What a power failure may leave: a file that has its length, and zeros or rubbish where the end was. */
static void tail_of_zeros(void **state)
{
    (void)state;
    make_whole();
    for (int fill = 0; fill < 512; fill += 85) {
        size_t len = frame_at[5] + 3;
        struct weir_spool_trouble cut;
        empty_folder(folder);
        memset(changed, fill, sizeof(changed));
        memcpy(changed, whole, len);
        file_write(segment_path(0), changed, len + 10000);
        struct weir_spool_reader *r = reader("r", false);
        for (int i = 0; i < 5; i++)
            expect(r, texts[i]);
        expect(r, NULL);
        expect_trouble(r, frame_at[5], 10003, true);
        assert_int_equal(check().damages, 1);
        struct weir_spool_writer *w = lazy_writer(0);
        weir_spool_writer_cut(w, &cut);
        assert_int_equal(cut.bytes, 10003);
        put(w, "after");
        expect(r, "after");
        weir_spool_reader_close(r);
        weir_spool_writer_close(w);
        assert_int_equal(check().damages, 0);
    }
}

/* A segment without its head: the writer goes on, and gives no number twice. */
static void power_failed_in_a_new_segment(void **state)
{
    (void)state;
    for (size_t len = 0; len < SPOOL_HEADS_BYTES; len += 13) {
        make_whole();
        memset(changed, 0, sizeof(changed));
        file_write(segment_path(COUNT), changed, len);
        struct weir_spool_writer *w = lazy_writer(0);
        assert_true(weir_spool_number(w) >= COUNT);
        put(w, "after");
        weir_spool_writer_close(w);
        struct weir_spool_reader *r = reader(NULL, false);
        for (int i = 0; i < COUNT; i++)
            expect(r, texts[i]);
        expect(r, "after");
        weir_spool_reader_close(r);
        assert_int_equal(check().damages, 0);
    }
}

/* With one byte wrong, the reader stops there and says where; asked to skip, it gives all the others. */
static void spoilt_at(size_t place, uint8_t mask)
{
    struct weir_spool_message m;
    int bad = frames_before(place);
    bool last = bad == COUNT - 1;
    memcpy(changed, whole, whole_len);
    changed[place] ^= mask;
    file_write(segment_path(0), changed, whole_len);
    assert_int_equal(check().damages, 1);
    assert_int_equal(check().messages, COUNT - 1);
    struct weir_spool_reader *r = reader(NULL, false);
    for (int i = 0; i < bad; i++)
        expect(r, texts[i]);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(weir_spool_next(r, 0, &m), last ? 0 : -EBADMSG);
        expect_trouble(r, frame_at[bad], frame_at[bad + 1] - frame_at[bad], last);
    }
    weir_spool_reader_close(r);
    r = reader(NULL, true);
    for (int i = 0; i < COUNT; i++) {
        if (i == bad)
            continue;
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(m.number, i);
        assert_int_equal(m.missed, i == bad + 1);
        assert_int_equal(m.len, strlen(texts[i]));
        assert_memory_equal(m.bytes, texts[i], m.len);
    }
    expect(r, NULL);
    weir_spool_reader_close(r);
}

static void one_byte_wrong_at_every_place(void **state)
{
    (void)state;
    make_whole();
    for (size_t place = SPOOL_HEADS_BYTES; place < whole_len; place++) {
        spoilt_at(place, 1);
        spoilt_at(place, 0x80);
        spoilt_at(place, 0xff);
    }
}

/* The head is there twice. */
static void head_wrong_at_every_place(void **state)
{
    struct weir_spool_message m;
    (void)state;
    make_whole();
    for (size_t place = 0; place < SPOOL_HEADS_BYTES; place++) {
        memcpy(changed, whole, whole_len);
        changed[place] ^= 0x10;
        file_write(segment_path(0), changed, whole_len);
        struct weir_spool_reader *r = reader(NULL, false);
        for (int i = 0; i < COUNT; i++)
            expect(r, texts[i]);
        expect(r, NULL);
        weir_spool_reader_close(r);
        assert_int_equal(check().damages, 1);
    }
    changed[0] ^= 1;
    changed[SPOOL_HEAD_BYTES] ^= 1;
    file_write(segment_path(0), changed, whole_len);
    assert_int_equal(check().damages, 1);
    struct weir_spool_reader *r = reader(NULL, false);
    assert_int_equal(weir_spool_next(r, 0, &m), -EBADMSG);
    expect_trouble(r, 0, SPOOL_HEADS_BYTES, false);
    weir_spool_reader_close(r);
    /* The writer leaves it where it is; its messages are gone, all others are not. */
    struct weir_spool_writer *w = lazy_writer(0);
    put(w, "after");
    weir_spool_writer_close(w);
    r = reader(NULL, true);
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_true(m.missed >= COUNT);
    assert_int_equal(m.len, 5);
    weir_spool_reader_close(r);
    r = reader(NULL, false);
    assert_int_equal(weir_spool_next(r, 0, &m), -EBADMSG);
    weir_spool_reader_close(r);
}

/* A writer that opens a spool with damage in its middle goes on behind it and cuts nothing that is whole. */
static void writer_over_damage(void **state)
{
    struct weir_spool_trouble cut;
    struct weir_spool_message m;
    (void)state;
    make_whole();
    whole[frame_at[2] + 5] ^= 4;
    file_write(segment_path(0), whole, whole_len);
    struct weir_spool_writer *w = lazy_writer(0);
    weir_spool_writer_cut(w, &cut);
    assert_null(cut.what);
    assert_int_equal(weir_spool_number(w), COUNT);
    put(w, "after");
    weir_spool_writer_close(w);
    struct weir_spool_reader *r = reader(NULL, true);
    for (int i = 0; i < COUNT; i++)
        if (i != 2)
            expect(r, texts[i]);
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(m.number, COUNT);
    weir_spool_reader_close(r);
}

/*
 * A message whose bytes are the next frames, checksums included, with this segment's salt but not at their place, or at their place
 * but with another salt: nothing inside it is taken for a message when its own frame breaks.
 */
static void message_that_looks_like_frames(void **state)
{
    struct spool_head head;
    struct weir_spool_message m;
    uint8_t inner[20 * SPOOL_FRAME_BYTES];
    (void)state;
    make_whole();
    assert_true(spool_head_get(whole, &head));
    for (uint32_t i = 0; i < 20; i++) {
        const struct spool_frame frame = {.index = COUNT + i};
        const struct spool_head other = {.first = 0, .salt = ~head.salt};
        uint64_t place = frame_at[COUNT] + SPOOL_FRAME_BYTES * (1 + i);
        spool_frame_put(inner + i * SPOOL_FRAME_BYTES, i % 2 ? &head : &other,
                        i % 2 ? place + 1 : place, &frame);
    }
    struct weir_spool_writer *w = lazy_writer(0);
    assert_int_equal(weir_spool_append(w, inner, sizeof(inner)), 0);
    put(w, "last");
    weir_spool_writer_close(w);
    whole_len = file_read(segment_path(0), whole, sizeof(whole));
    whole[frame_at[COUNT]] ^= 1;
    file_write(segment_path(0), whole, whole_len);
    struct weir_spool_reader *r = reader(NULL, true);
    for (int i = 0; i < COUNT; i++)
        expect(r, texts[i]);
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(m.number, COUNT + 1);
    assert_int_equal(m.missed, 1);
    assert_int_equal(m.len, 4);
    assert_memory_equal(m.bytes, "last", 4);
    weir_spool_reader_close(r);
}

static size_t make_segments(uint64_t *firsts, size_t max)
{
    static uint8_t bytes[MADE_MAX];
    struct weir_spool_writer *w = lazy_writer(4096);
    for (uint64_t i = 0; i < 200; i++) {
        make_message(i, bytes);
        assert_int_equal(weir_spool_append(w, bytes, made_len(i)), 0);
    }
    weir_spool_writer_close(w);
    return segment_firsts(firsts, max);
}

/* Reads on to the end; returns how many messages were missed. */
static uint64_t read_rest(struct weir_spool_reader *r, uint64_t *out_count)
{
    struct weir_spool_message m;
    uint64_t missed = 0;
    int rc;
    for (*out_count = 0; (rc = weir_spool_next(r, 0, &m)) > 0; (*out_count)++) {
        assert_true(is_made(&m));
        missed += m.missed;
    }
    assert_int_equal(rc, 0);
    return missed;
}

static void a_file_in_the_middle_is_gone(void **state)
{
    struct weir_spool_message m;
    uint64_t firsts[256], count;
    (void)state;
    size_t n = make_segments(firsts, 256);
    assert_true(n > 5);
    unlink(segment_path(firsts[3]));
    assert_int_equal(check().damages, 1);
    struct weir_spool_reader *r = reader("r", false);
    for (uint64_t i = 0; i < firsts[3]; i++)
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(weir_spool_next(r, 0, &m), -EBADMSG);
    assert_int_equal(weir_spool_next(r, 0, &m), -EBADMSG);
    assert_int_equal(weir_spool_commit(r), 0);
    weir_spool_reader_close(r);
    r = reader("r", true);
    assert_int_equal(read_rest(r, &count), firsts[4] - firsts[3]);
    assert_int_equal(count, 200 - firsts[4]);
    weir_spool_reader_close(r);
}

/* Cut short at a frame's end, where nothing in it looks wrong; or in the middle of one. */
static void a_file_in_the_middle_is_short(void **state)
{
    struct weir_spool_message m;
    uint64_t firsts[256], count;
    struct stat st;
    (void)state;
    size_t n = make_segments(firsts, 256);
    assert_true(n > 5);
    assert_int_equal(stat(segment_path(firsts[2]), &st), 0);
    uint64_t last = firsts[3] - 1;
    off_t end = st.st_size - (off_t)(SPOOL_FRAME_BYTES + made_len(last));
    const off_t cuts[] = {st.st_size - 1, end + 20, end + 3, end};
    for (int i = 0; i < 4; i++) {
        if (truncate(segment_path(firsts[2]), cuts[i]) < 0)
            fail();
        assert_int_equal(check().damages, 1);
        struct weir_spool_reader *r = reader(NULL, false);
        for (uint64_t k = 0; k < last; k++)
            assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(weir_spool_next(r, 0, &m), -EBADMSG);
        weir_spool_reader_close(r);
        r = reader(NULL, true);
        assert_int_equal(read_rest(r, &count), 1);
        assert_int_equal(count, 199);
        weir_spool_reader_close(r);
    }
}

/* Each record of a position is enough; without both the reader says so rather than read all again. */
static void position_wrong(void **state)
{
    struct weir_spool_reader *r;
    char path[128];
    (void)state;
    make_whole();
    r = reader("p", false);
    for (int i = 0; i < 3; i++) {
        expect(r, texts[i]);
        assert_int_equal(weir_spool_commit(r), 0);
    }
    weir_spool_reader_close(r);
    snprintf(path, sizeof(path), "%s/p.reader", folder);
    size_t len = file_read(path, whole, sizeof(whole));
    for (size_t i = 0; i < SPOOL_POSITION_BYTES; i++) {
        for (int record = 0; record < 2; record++) {
            memcpy(changed, whole, len);
            changed[i + (size_t)record * 4096] ^= 0x21;
            file_write(path, changed, len);
            r = reader("p", false);
            expect(r, texts[record == 0 ? 2 : 3]); /* the third commit is in the first record */
            weir_spool_reader_close(r);
        }
    }
    changed[10] ^= 1;
    file_write(path, changed, len);
    const struct weir_spool_reader_options options = {.name = "p"};
    assert_int_equal(weir_spool_reader_open(folder, &options, &r), -EBADMSG);
    assert_int_equal(check().damages, 1);
}

/* Messages that a reader has seen are lost: the numbers it passed are not given again. */
static void reader_is_ahead(void **state)
{
    (void)state;
    make_whole();
    struct weir_spool_reader *r = reader("ahead", false);
    for (int i = 0; i < COUNT; i++)
        expect(r, texts[i]);
    assert_int_equal(weir_spool_commit(r), 0);
    file_write(segment_path(0), whole, frame_at[3] + 7);
    expect(r, NULL);
    struct weir_spool_writer *w = lazy_writer(0);
    assert_int_equal(weir_spool_number(w), COUNT);
    put(w, "after");
    expect(r, "after");
    weir_spool_reader_close(r);
    r = reader("ahead", false);
    expect(r, "after");
    weir_spool_reader_close(r);
    r = reader("fresh", false);
    for (int i = 0; i < 3; i++)
        expect(r, texts[i]);
    expect(r, "after");
    expect(r, NULL);
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
    assert_int_equal(check().damages, 0);
}

/* Whatever happens to the bytes: what a skipping reader gives is whole, in order, and what was written. */
static void rubbish_everywhere(void **state)
{
    uint32_t seed = 7;
    (void)state;
    make_whole();
    for (int round = 0; round < 1500; round++) {
        struct weir_spool_message m;
        int64_t before = -1;
        int rc;
        memcpy(changed, whole, whole_len);
        size_t len = next_random(&seed) % 4 == 0 ? next_random(&seed) % whole_len : whole_len;
        for (unsigned i = next_random(&seed) % 6; i > 0; i--)
            changed[next_random(&seed) % whole_len] = (uint8_t)next_random(&seed);
        for (unsigned i = next_random(&seed) % 40, at = next_random(&seed) % 300; i > 0; i--)
            changed[at + i] = (uint8_t)(round % 2 ? next_random(&seed) : 0);
        file_write(segment_path(0), changed, len);
        struct weir_spool_reader *r = reader(NULL, true);
        while ((rc = weir_spool_next(r, 0, &m)) > 0) {
            assert_true((int64_t)m.number > before && m.number < COUNT);
            assert_int_equal(m.len, strlen(texts[m.number]));
            assert_memory_equal(m.bytes, texts[m.number], m.len);
            before = (int64_t)m.number;
        }
        assert_int_equal(rc, 0);
        weir_spool_reader_close(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(torn_at_every_byte),
        SPOOL_TEST(tail_of_zeros),
        SPOOL_TEST(power_failed_in_a_new_segment),
        SPOOL_TEST(one_byte_wrong_at_every_place),
        SPOOL_TEST(head_wrong_at_every_place),
        SPOOL_TEST(writer_over_damage),
        SPOOL_TEST(message_that_looks_like_frames),
        SPOOL_TEST(a_file_in_the_middle_is_gone),
        SPOOL_TEST(a_file_in_the_middle_is_short),
        SPOOL_TEST(position_wrong),
        SPOOL_TEST(reader_is_ahead),
        SPOOL_TEST(rubbish_everywhere),
    };
    return cmocka_run_group_tests_name("spool_damage", tests, NULL, NULL);
}
