/*
 * A TLS client that a stranger steers: its records are cut, bent, dropped, and mixed with his own bytes, before, while and after a helper
 * has the handshake. No crash, no leak, no spin, one close(); and what comes back is what was sent, as far as it comes.
 */
#include "drive/sim.h"

#include <weir/protocols.h>
#include <weir/tls.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct weir_tls *tls,
    *slow; /* with P-256, and with RSA: its handshakes are lent to helpers */
static SSL_CTX *client;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void write_pem(const char *path, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    FILE *to = fopen(path, "w");
    must(key && cert && to);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    must(X509_sign(cert, key, EVP_sha256()) > 0);
    must(PEM_write_X509(to, cert) && PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL));
    fclose(to);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static struct weir_tls *make_server(EVP_PKEY *key)
{
    struct weir_tls *server;
    char path[] = "/tmp/weir-fuzz-XXXXXX", why[200];
    const struct weir_tls_cert cert = {path, NULL};
    const struct weir_tls_options options = {
        .certs = &cert, .cert_count = 1, .protocol = &weir_echo};
    int fd = mkstemp(path);
    must(fd >= 0);
    write_pem(path, key);
    must(weir_tls_new(&options, &server, why, sizeof(why)) == 0);
    unlink(path);
    close(fd);
    return server;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    tls = make_server(EVP_EC_gen("P-256"));
    slow = make_server(EVP_RSA_gen(2048));
    client = SSL_CTX_new(TLS_client_method());
    must(client != NULL);
    return 0;
}

struct talk {
    struct sim *sim;
    struct sim_end *end;
    SSL *ssl;
    BIO *in, *out;
    size_t read;        /* of the output */
    size_t said, heard; /* of the text */
    const uint8_t *at;  /* what steers */
    size_t left;
};

/* The text: any byte of it follows from its place. */
static uint8_t text_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static uint8_t next(struct talk *talk)
{
    if (talk->left == 0)
        return 0;
    talk->left--;
    return *talk->at++;
}

static void hear(struct talk *talk)
{
    struct weir_bytes output = sim_output(talk->end);
    uint8_t bytes[4096];
    size_t n;
    if (output.len > talk->read)
        BIO_write(talk->in, output.at + talk->read, (int)(output.len - talk->read));
    talk->read = output.len;
    if (!SSL_is_init_finished(talk->ssl))
        (void)SSL_do_handshake(talk->ssl);
    while (SSL_read_ex(talk->ssl, bytes, sizeof(bytes), &n) == 1)
        for (size_t i = 0; i < n; i++)
            must(bytes[i] == text_at(talk->heard++));
    must(talk->heard <= talk->said);
}

/* Up to `max` bytes of what the client has to send; `bend` is done to the last of them, `lose` keeps them back. */
static void carry(struct talk *talk, size_t max, uint8_t bend, bool lose)
{
    uint8_t bytes[4096];
    int n = BIO_read(talk->out, bytes, (int)(max < sizeof(bytes) ? max : sizeof(bytes)));
    if (n > 0)
        bytes[n - 1] ^= bend;
    if (n > 0 && !lose)
        must(sim_send(talk->end, bytes, (size_t)n) == 0);
    must(sim_run(talk->sim) == 0);
    hear(talk);
}

static void say(struct talk *talk, size_t len)
{
    uint8_t bytes[4096];
    size_t written;
    len = len < sizeof(bytes) ? len : sizeof(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = text_at(talk->said + i);
    if (len > 0 && SSL_is_init_finished(talk->ssl) &&
        SSL_write_ex(talk->ssl, bytes, len, &written) == 1)
        talk->said += written;
}

static void step(struct talk *talk)
{
    uint8_t op = next(talk), n = next(talk);
    switch (op % 8) {
    case 0:
    case 1:
        carry(talk, op & 16 ? 4096 : (size_t)n + 1, 0, false);
        break;
    case 2:
        say(talk, (size_t)n * 16);
        break;
    case 3:
        carry(talk, n, op / 8, op & 128);
        break;
    case 4:
        must(sim_send(talk->end, talk->at, n < talk->left ? n : talk->left) == 0);
        break;
    case 5:
        (void)SSL_shutdown(talk->ssl);
        break;
    case 6:
        (void)SSL_key_update(talk->ssl, SSL_KEY_UPDATE_REQUESTED);
        break;
    default:
        must(sim_wait(talk->sim, n * WEIR_NS_PER_MS) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct talk talk = {.at = bytes, .left = len};
    uint8_t how = next(&talk);
    const struct sim_options options = {.cut = how & 1 ? SIM_RANDOM : SIM_WHOLE,
                                        .faults = how & 2,
                                        .seed = how,
                                        .job_rounds = how / 16u};
    int why;
    must(sim_new(&options, &talk.sim) == 0);
    sim_driver(talk.sim)->shared = how & 8;
    talk.end = sim_connect(talk.sim, &weir_tls_machine, how & 8 ? slow : tls);
    talk.ssl = SSL_new(client);
    talk.in = BIO_new(BIO_s_mem());
    talk.out = BIO_new(BIO_s_mem());
    must(talk.end && talk.ssl && talk.in && talk.out);
    if (how & 4)
        SSL_set_max_proto_version(talk.ssl, TLS1_2_VERSION);
    SSL_set_bio(talk.ssl, talk.in, talk.out);
    SSL_set_connect_state(talk.ssl);
    (void)SSL_do_handshake(talk.ssl);
    for (unsigned i = 0; i < 400 && talk.left > 0; i++)
        step(&talk);
    sim_finish(talk.end);
    must(sim_run(talk.sim) == 0 && sim_wait(talk.sim, 200 * WEIR_NS_PER_S) == 0);
    hear(&talk);
    must(sim_closed(talk.end, &why) && sim_closes(talk.end) == 1);
    SSL_free(talk.ssl);
    sim_free(talk.sim);
    return 0;
}
