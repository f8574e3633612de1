/* Files of certificates that change: who looks at them, and when. */
#include "peer.h"
#include "tls/context.h"

#include <weir/protocols.h>

#include <fcntl.h>
#include <sys/stat.h>

/* Whoever looks now finds them changed. */
static void touch_files(void)
{
    static time_t later = 1000;
    const struct timespec times[2] = {{.tv_sec = later}, {.tv_sec = later}};
    later++;
    assert_int_equal(utimensat(AT_FDCWD, peer_cert(), times, 0), 0);
}

/* A client comes. true: the certificates were read again for it. */
static bool comes(struct sim *sim, const struct weir_tls *tls)
{
    const struct tls_sites *before = tls->sites;
    assert_non_null(sim_connect(sim, &weir_tls_machine, tls));
    run(sim);
    return tls->sites != before;
}

static void a_client_looks_once_a_second(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct sim *sim = calm();
    assert_false(comes(sim, tls));
    touch_files();
    wait_ms(sim, 500);
    assert_false(comes(sim, tls));
    wait_ms(sim, 500);
    assert_true(comes(sim, tls));
    wait_ms(sim, 2000);
    assert_false(comes(sim, tls));
    sim_free(sim);
    weir_tls_free(tls);
}

/*
 * What a child of its own reads only it would have: the next client, in another child, would be shown the certificate of before. So
 * the parent alone looks.
 */
static void a_parent_looks_for_its_children(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct sim *sim = calm();
    uint64_t now = sim_driver(sim)->now.mono_ns;
    weir_tls_look(tls, now);
    touch_files();
    wait_ms(sim, 5000);
    assert_false(comes(sim, tls));
    const struct tls_sites *before = tls->sites;
    weir_tls_look(tls, now + 5 * WEIR_NS_PER_S);
    assert_ptr_not_equal(tls->sites, before);
    assert_false(comes(sim, tls));
    sim_free(sim);
    weir_tls_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_looks_once_a_second),
        cmocka_unit_test(a_parent_looks_for_its_children),
    };
    return cmocka_run_group_tests_name("tls_changes", tests, NULL, NULL);
}
