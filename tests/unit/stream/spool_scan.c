/*
 * A folder is not read in one moment: files that come while it is may be seen or not, each for itself, and so may files that go. Hooks
 * around readdir(3) (the linker's --wrap) make it so.
 */
#include "spool.h"
#include "stream/spool_format.h"

static const char kib[1024];
static uint64_t hidden;     /* a segment that is not seen */
static unsigned until_scan; /* while so many scans have not ended yet */
static unsigned scans;      /* that have ended */
static uint64_t
    goes_until; /* segments before this one are removed as soon as the first is seen ... */
static unsigned goes_scan;       /* ... in this scan, and not seen in it; 0: never */
static unsigned first_goes_scan; /* at the end of this one the first segment is removed */
static void (*before)(void);     /* called once, before the next scan sees anything */

struct dirent *__real_readdir64(DIR *);
struct dirent *__wrap_readdir64(DIR *);

static void remove_oldest(void)
{
    for (uint64_t i = 0; i < goes_until; i += 3)
        unlink(segment_path(i));
}

struct dirent *__wrap_readdir64(DIR *dir)
{
    struct dirent *e;
    void (*once)(void) = before;
    before = NULL;
    if (once)
        once();
    while ((e = __real_readdir64(dir))) {
        uint64_t number = strtoull(e->d_name, NULL, 10);
        bool segment = strlen(e->d_name) == 24;
        if (segment && scans < until_scan && number == hidden)
            continue;
        if (segment && goes_scan == scans + 1 && number < goes_until && number > 0)
            continue;
        if (segment && goes_scan == scans + 1 && number == 0)
            remove_oldest();
        return e;
    }
    if (++scans == first_goes_scan)
        unlink(segment_path(0));
    return NULL;
}

static int make_scans(void **state)
{
    scans = until_scan = goes_scan = first_goes_scan = 0;
    return make_folder(state);
}

/* Segments of three messages each: 0, 3, 6 ... */
static struct weir_spool_writer *fill(unsigned count)
{
    struct weir_spool_writer *w = lazy_writer(4096);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(weir_spool_append(w, kib, sizeof(kib)), 0);
    return w;
}

static void read_to(struct weir_spool_reader *r, uint64_t from, uint64_t to)
{
    struct weir_spool_message m;
    for (uint64_t i = from; i < to; i++) {
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(m.number, i);
        assert_int_equal(m.missed, 0);
    }
}

static void a_segment_that_comes_is_not_passed_over(void **state)
{
    (void)state;
    struct weir_spool_writer *w = fill(12);
    struct weir_spool_reader *r = reader(NULL, false);
    read_to(r, 0, 3);
    hidden = 3;
    until_scan = scans + 1;
    read_to(r, 3, 12);
    weir_spool_reader_close(r);
    hidden = 6;
    until_scan = scans + 1;
    assert_int_equal(check().damages, 0);
    weir_spool_writer_close(w);
}

/* Nobody has read them, and they were removed: that is told as missed, and is no damage. */
static void segments_that_go_are_missed(void **state)
{
    struct weir_spool_message m;
    (void)state;
    for (unsigned scan = 1; scan <= 2; scan++) {
        struct weir_spool_writer *w = fill(12);
        struct weir_spool_reader *r = reader(NULL, false);
        read_to(r, 0, 3);
        goes_until = 9;
        goes_scan = scans + scan;
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(m.number, 9);
        assert_int_equal(m.missed, 6);
        weir_spool_reader_close(r);
        weir_spool_writer_close(w);
        empty_folder(folder);
    }
}

static struct weir_spool_writer *came;

static void first_segments_come(void)
{
    came = fill(9);
}

/* ... and the first of them goes again, behind the back of him who has just listed it. */
static void first_segments_come_first_goes(void)
{
    came = fill(9);
    first_goes_scan = scans + 2;
}

/* A reader that has seen no segment yet, or none at its place, lists the folder: by then there can be several. */
static void segments_that_come_before_the_list_are_read(void **state)
{
    (void)state;
    struct weir_spool_reader *r = reader("first", false);
    before = first_segments_come;
    read_to(r, 0, 9);
    weir_spool_reader_close(r);
    weir_spool_writer_close(came);
}

static void the_first_segment_of_all_can_be_gone(void **state)
{
    struct weir_spool_message m;
    (void)state;
    struct weir_spool_reader *r = reader(NULL, false);
    before = first_segments_come_first_goes;
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(m.number, 3);
    assert_int_equal(m.missed, 3);
    weir_spool_reader_close(r);
    weir_spool_writer_close(came);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_segment_that_comes_is_not_passed_over, make_scans,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(segments_that_go_are_missed, make_scans, remove_folder),
        cmocka_unit_test_setup_teardown(segments_that_come_before_the_list_are_read, make_scans,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(the_first_segment_of_all_can_be_gone, make_scans,
                                        remove_folder),
    };
    return cmocka_run_group_tests_name("spool_scan", tests, NULL, NULL);
}
