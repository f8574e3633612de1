/* Keys of tickets: the same for all workers, new ones in time, old ones gone. */
#include "tls/tickets.h"

#include "tbl/limits.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BEGIN 1000000000u

/* A key's name is enough to know it by. */
static int ask(struct tickets *tickets, uint64_t at, uint8_t name[16], int encrypt)
{
    uint8_t iv[16] = {0};
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
    int rc = tickets_key(tickets, at, name, iv, cipher, mac, encrypt);
    EVP_MAC_CTX_free(mac);
    EVP_MAC_free(hmac);
    EVP_CIPHER_CTX_free(cipher);
    return rc;
}

static void a_key_lives_for_two_periods(void **state)
{
    (void)state;
    struct tickets *tickets = tickets_new();
    uint8_t first[16], second[16];
    assert_int_equal(ask(tickets, BEGIN, first, 1), 1);
    assert_int_equal(ask(tickets, BEGIN + LIMIT_TLS_TICKET_S - 1, first, 0), 1);
    assert_int_equal(ask(tickets, BEGIN + LIMIT_TLS_TICKET_S, first, 0), 2);
    assert_int_equal(ask(tickets, BEGIN + LIMIT_TLS_TICKET_S, second, 1), 1);
    assert_memory_not_equal(first, second, 16);
    assert_int_equal(ask(tickets, BEGIN + 2 * LIMIT_TLS_TICKET_S, first, 0), 0);
    assert_int_equal(ask(tickets, BEGIN + 2 * LIMIT_TLS_TICKET_S, second, 0), 2);
    assert_int_equal(ask(tickets, BEGIN + 40 * LIMIT_TLS_TICKET_S, second, 0), 0);
    tickets_free(tickets);
}

static void a_clock_set_back_is_no_new_key(void **state)
{
    (void)state;
    struct tickets *tickets = tickets_new();
    uint8_t name[16], again[16];
    assert_int_equal(ask(tickets, BEGIN, name, 1), 1);
    assert_int_equal(ask(tickets, BEGIN - 1000000, again, 1), 1);
    assert_memory_equal(name, again, 16);
    tickets_free(tickets);
}

static void processes_have_the_same_keys(void **state)
{
    (void)state;
    struct tickets *tickets = tickets_new();
    uint8_t name[16];
    int ends[2];
    assert_int_equal(ask(tickets, BEGIN, name, 1), 1);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = ask(tickets, BEGIN + 5 * LIMIT_TLS_TICKET_S, name, 1) == 1 &&
                  write(ends[1], name, 16) == 16;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], name, 16), 16);
    assert_int_equal(ask(tickets, BEGIN + 5 * LIMIT_TLS_TICKET_S + 1, name, 0), 1);
    close(ends[0]);
    close(ends[1]);
    tickets_free(tickets);
}

static void an_unknown_name_is_no_key(void **state)
{
    (void)state;
    struct tickets *tickets = tickets_new();
    uint8_t name[16] = "not one of ours";
    assert_int_equal(ask(tickets, BEGIN, name, 0), 0);
    tickets_free(tickets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_lives_for_two_periods),
        cmocka_unit_test(a_clock_set_back_is_no_new_key),
        cmocka_unit_test(processes_have_the_same_keys),
        cmocka_unit_test(an_unknown_name_is_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
