/* Certificates with their keys: read from files, and read again when those change. A set that cannot be used leaves the one before in force. */
#include "base/text.h"
#include "keys/keys.h"
#include "tbl/limits.h"
#include "tls/machine.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

/* --- one site --- */

static int say_why(char *why, size_t why_size, const char *text, const char *file, int rc)
{
    struct text t;
    text_init(&t, why, why_size);
    text_fmt(&t, text, file);
    text_end(&t);
    return rc;
}

/* As SSL_CTX_use_certificate_chain_file(), of a text. */
static int use_chain(SSL_CTX *ctx, BIO *from, const char *file, char *why, size_t why_size)
{
    ERR_clear_error();
    X509 *cert = PEM_read_bio_X509_AUX(from, NULL, NULL, NULL);
    bool ok = cert && SSL_CTX_use_certificate(ctx, cert) == 1;
    X509_free(cert);
    while (ok && (cert = PEM_read_bio_X509(from, NULL, NULL, NULL))) {
        ok = SSL_CTX_add0_chain_cert(ctx, cert) == 1;
        if (!ok)
            X509_free(cert);
    }
    unsigned long last = ERR_peek_last_error();
    if (ok && ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE) {
        ERR_clear_error();
        return 0;
    }
    return context_complain(why, why_size, "cannot use the certificate", file);
}

/* The certificate here, its key elsewhere: this process never has a byte of that. */
static int load_public(const struct weir_tls *tls, SSL_CTX *ctx, size_t i, bool at_start, char *why,
                       size_t why_size)
{
    const struct tls_files *files = &tls->files[i];
    char *text;
    int len = keys_read_public(files->cert, &text);
    if (len == -EKEYREJECTED)
        return say_why(
            why, why_size,
            "%s holds a private key: a process for keys wants that in a file of its own (--key)",
            files->cert, -EINVAL);
    if (len < 0)
        return say_why(why, why_size,
                       len == -ENOENT ? "cannot use the certificate %s: No such file or directory"
                                      : "cannot use the certificate %s: it cannot be read",
                       files->cert, len);
    BIO *from = BIO_new_mem_buf(text, len);
    int rc = from ? use_chain(ctx, from, files->cert, why, why_size) : -ENOMEM;
    BIO_free(from);
    free(text);
    EVP_PKEY *public = rc == 0 ? X509_get0_pubkey(SSL_CTX_get0_certificate(ctx)) : NULL;
    if (rc == 0 && at_start)
        rc = keys_check(tls->keys, i, public, why, why_size);
    else if (rc == 0 && keys_have(tls->keys, public) != 1)
        rc = say_why(
            why, why_size,
            "cannot use the key %s: the process for keys has none that is the certificate's",
            files->key, -EINVAL);
    if (rc < 0)
        return rc;
    EVP_PKEY *key = keys_remote(tls->keys, public);
    rc = key && SSL_CTX_use_PrivateKey(ctx, key) == 1
             ? 0
             : context_complain(why, why_size, "cannot use the key", files->key);
    EVP_PKEY_free(key);
    return rc;
}

static int load_both(SSL_CTX *ctx, const struct tls_files *files, char *why, size_t why_size)
{
    const char *key = files->key ? files->key : files->cert;
    if (SSL_CTX_use_certificate_chain_file(ctx, files->cert) != 1)
        return context_complain(why, why_size, "cannot use the certificate", files->cert);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return context_complain(why, why_size, "cannot use the key", key);
    return 0;
}

static int load_site(const struct weir_tls *tls, struct tls_site *site, size_t i, bool at_start,
                     char *why, size_t why_size)
{
    const struct tls_files *files = &tls->files[i];
    site->ctx = SSL_CTX_new(tls->peer_name ? TLS_client_method() : TLS_server_method());
    if (!site->ctx)
        return -ENOMEM;
    int rc = context_set_up(tls, site->ctx, why, why_size);
    if (rc == 0 && files->cert)
        rc = tls->keys ? load_public(tls, site->ctx, i, at_start, why, why_size)
                       : load_both(site->ctx, files, why, why_size);
    if (rc == 0 && files->ocsp)
        rc = ocsp_load(site, files->ocsp, why, why_size);
    return rc;
}

/* --- all of them --- */

static uint64_t mark_of(const struct weir_tls *tls)
{
    uint64_t mark = keys_mark_file(tls->authorities, 0);
    for (size_t i = 0; i < tls->site_count; i++) {
        mark = keys_mark_file(tls->files[i].cert, mark);
        mark = keys_mark_file(tls->files[i].key, mark);
        mark = keys_mark_file(tls->files[i].ocsp, mark);
    }
    return mark;
}

void sites_drop(struct tls_sites *sites)
{
    if (!sites || atomic_fetch_sub(&sites->held, 1) > 1)
        return;
    for (size_t i = 0; i < sites->count; i++) {
        SSL_CTX_free(sites->at[i].ctx);
        free(sites->at[i].ocsp);
    }
    free(sites);
}

int sites_load(const struct weir_tls *tls, bool at_start, struct tls_sites **out, char *why,
               size_t why_size)
{
    struct tls_sites *sites = calloc(1, sizeof(*sites) + tls->site_count * sizeof(sites->at[0]));
    if (!sites)
        return -ENOMEM;
    atomic_init(&sites->held, 1);
    sites->tls = tls;
    sites->mark = tls->peer_name ? 0 : mark_of(tls);
    int rc = 0;
    while (sites->count < tls->site_count && rc == 0) {
        size_t i = sites->count++;
        rc = load_site(tls, &sites->at[i], i, at_start, why, why_size);
        if (rc == 0 && !tls->peer_name) {
            SSL_CTX_set_tlsext_status_cb(sites->at[i].ctx, ocsp_show);
            SSL_CTX_set_tlsext_status_arg(sites->at[i].ctx, &sites->at[i]);
        }
    }
    if (rc < 0)
        sites_drop(sites);
    else
        *out = sites;
    return rc;
}

/* What is read only, but for the set in force. */
static struct weir_tls *changeable(const struct weir_tls *tls)
{
    return (struct weir_tls *)tls;
}

struct tls_sites *sites_hold(const struct weir_tls *tls)
{
    pthread_mutex_lock(&changeable(tls)->lock);
    struct tls_sites *sites = tls->sites;
    atomic_fetch_add(&sites->held, 1);
    pthread_mutex_unlock(&changeable(tls)->lock);
    return sites;
}

void tls_say_once(const struct weir_tls *tls, uint64_t number, const char *text)
{
    if (tls->say && tls->said && atomic_exchange(&tls->said->number, number) != number)
        tls->say(tls->say_arg, text);
}

/* A certificate and its key are two files: whoever comes between their changes finds a pair that does not fit. So it is only said
 * when the same files cannot be used a second later either. */
static void read_again(struct weir_tls *tls, uint64_t mark, uint64_t now_ns)
{
    char why[400] = "TLS needs more memory than there is", line[500];
    struct tls_sites *next, *before = NULL;
    struct text t;
    if (sites_load(tls, false, &next, why, sizeof(why)) == 0) {
        pthread_mutex_lock(&tls->lock);
        before = tls->sites;
        tls->sites = next;
        pthread_mutex_unlock(&tls->lock);
        sites_drop(before);
        return;
    }
    if (atomic_exchange(&tls->said->bad_mark, mark) != mark) {
        atomic_store(&tls->said->bad_ns, now_ns);
    } else if (now_ns - atomic_load(&tls->said->bad_ns) >= LIMIT_TLS_LOOK_MS * WEIR_NS_PER_MS) {
        text_init(&t, line, sizeof(line));
        text_fmt(&t, "certificates changed, but those before stay in force: %s", why);
        tls_say_once(tls, mark, text_end(&t));
    }
}

static void look(struct weir_tls *tls, uint64_t now_ns)
{
    uint64_t mark = mark_of(tls);
    if (mark != tls->sites->mark)
        read_again(tls, mark, now_ns);
    atomic_store(&tls->looking, false);
}

struct look_job {
    struct weir_job job;
    struct weir_tls *tls;
    uint64_t now_ns;
};

static void look_work(struct weir_job *job)
{
    struct look_job *later = (struct look_job *)job;
    look(later->tls, later->now_ns);
}

static void look_done(struct weir_job *job)
{
    if (job->cancelled)
        atomic_store(&((struct look_job *)job)->tls->looking, false);
    free(job);
}

static bool look_later(struct weir_tls *tls, struct weir_driver *driver)
{
    struct look_job *later = calloc(1, sizeof(*later));
    if (!later)
        return false;
    later->job = (struct weir_job){.work = look_work, .done = look_done, .shakes = true};
    later->tls = tls;
    later->now_ns = driver->now.mono_ns;
    if (driver->ops->submit(driver, &later->job) == 0)
        return true;
    free(later);
    return false;
}

/* true: it is time, and the caller's turn. */
static bool is_due(struct weir_tls *tls, uint64_t now)
{
    uint64_t at = atomic_load(&tls->look_ns), next = now + LIMIT_TLS_LOOK_MS * WEIR_NS_PER_MS;
    bool first = at == 0 && !tls->authorities; /* they were just read */
    if (first)
        atomic_compare_exchange_strong(&tls->look_ns, &at, next);
    if (tls->peer_name || first || now < at || atomic_exchange(&tls->looking, true))
        return false;
    atomic_store(&tls->look_ns, next);
    return true;
}

void weir_tls_look(struct weir_tls *tls, uint64_t mono_ns)
{
    tls->parent_looks = true;
    if (is_due(tls, mono_ns))
        look(tls, mono_ns);
}

void sites_look(const struct weir_tls *shared, struct weir_driver *driver)
{
    struct weir_tls *tls = changeable(shared);
    uint64_t now = driver->now.mono_ns;
    if (tls->parent_looks || !is_due(tls, now))
        return;
    /* By a helper, whoever comes meanwhile meets those of before: but nobody is let in whose authority is gone. */
    if (!driver->shared || tls->authorities)
        look(tls, now);
    else if (!look_later(tls, driver))
        atomic_store(&tls->looking, false); /* in a second, then */
}
