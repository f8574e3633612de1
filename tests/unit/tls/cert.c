#include "cert.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/weir-tls-XXXXXX";
static char cert_path[64], key_path[64];
static pid_t maker;

static void remove_files(void)
{
    if (getpid() != maker)
        return;
    unlink(cert_path);
    unlink(key_path);
    rmdir(folder);
}

static X509 *make_cert(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    if (X509_sign(cert, key, EVP_sha256()) <= 0)
        abort();
    return cert;
}

static void make_files(void)
{
    if (cert_path[0])
        return;
    if (!mkdtemp(folder))
        abort();
    snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    maker = getpid();
    atexit(remove_files);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_cert(key);
    FILE *to = fopen(cert_path, "w");
    PEM_write_X509(to, cert);
    fclose(to);
    to = fopen(key_path, "w");
    PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL);
    fclose(to);
    X509_free(cert);
    EVP_PKEY_free(key);
}

const char *cert_file(void)
{
    make_files();
    return cert_path;
}

const char *cert_key_file(void)
{
    make_files();
    return key_path;
}
