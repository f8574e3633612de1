/*
 * What OpenSSL sees of a key whose private half is elsewhere: a provider of its own kind of key, which answers all questions from the public
 * half and has signatures made over the way. It is in a library context of its own, so that nothing else of the program ever
 * comes to use it by chance. provider-keymgmt(7), provider-signature(7).
 */
#include "keys/impl.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define PARAM_LINK "weir-link" /* a struct link, by its bytes */

struct link {
    struct keys *keys;
    EVP_PKEY *public;
};

/* A key as the provider has it. */
struct remote {
    const char *type;
    struct keys *keys; /* NULL: the public half alone, made only to be compared */
    EVP_PKEY *public;  /* of OpenSSL's own provider */
    uint8_t id[KEYS_ID];
};

bool keys_id(const EVP_PKEY *public, uint8_t id[KEYS_ID])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(public, &der);
    unsigned id_len = KEYS_ID;
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, id, &id_len, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return ok;
}

/* --- keys --- */

static void *new_of(const char *type)
{
    struct remote *key = calloc(1, sizeof(*key));
    if (key)
        key->type = type;
    return key;
}

static void *new_rsa(void *provider)
{
    (void)provider;
    return new_of("RSA");
}

static void *new_ec(void *provider)
{
    (void)provider;
    return new_of("EC");
}

static void *new_ed25519(void *provider)
{
    (void)provider;
    return new_of("ED25519");
}

static void free_key(void *at)
{
    struct remote *key = at;
    if (key)
        EVP_PKEY_free(key->public);
    free(key);
}

static int has(const void *at, int selection)
{
    const struct remote *key = at;
    if (!key || ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && !key->keys))
        return 0;
    return !(selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) || key->public != NULL;
}

static int match(const void *a, const void *b, int selection)
{
    (void)selection;
    return EVP_PKEY_eq(((const struct remote *)a)->public, ((const struct remote *)b)->public) == 1;
}

static int get_params(void *at, OSSL_PARAM params[])
{
    return EVP_PKEY_get_params(((struct remote *)at)->public, params);
}

static const OSSL_PARAM *gettable_params(void *provider)
{
    static const OSSL_PARAM params[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
                                        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
                                        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
                                        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
                                        OSSL_PARAM_END};
    (void)provider;
    return params;
}

static EVP_PKEY *public_from(const char *type, const OSSL_PARAM params[])
{
    EVP_PKEY *public = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &public, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)params);
    EVP_PKEY_CTX_free(ctx);
    return public;
}

static int import(void *at, int selection, const OSSL_PARAM params[])
{
    struct remote *key = at;
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, PARAM_LINK);
    (void)selection;
    if (key->public)
        return 0;
    if (!param) { /* a public key of somebody else's, to be compared with ours */
        key->public = public_from(key->type, params);
        return key->public != NULL;
    }
    struct link link, *to = &link;
    size_t len;
    if (OSSL_PARAM_get_octet_string(param, (void **)&to, sizeof(link), &len) != 1 ||
        len != sizeof(link) || !keys_id(link.public, key->id) || EVP_PKEY_up_ref(link.public) != 1)
        return 0;
    key->public = link.public;
    key->keys = link.keys;
    return 1;
}

static const OSSL_PARAM *import_types(int selection)
{
    static const OSSL_PARAM params[] = {OSSL_PARAM_octet_string(PARAM_LINK, NULL, 0),
                                        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
                                        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
                                        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
                                        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
                                        OSSL_PARAM_END};
    (void)selection;
    return params;
}

/* With its private half it goes to no other provider: so OpenSSL signs with this one. */
static int export(void *at, int selection, OSSL_CALLBACK *callback, void *arg)
{
    const struct remote *key = at;
    if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
        return 0;
    return EVP_PKEY_export(key->public, selection, callback, arg);
}

static const char *operation_of_ec(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

#define KEY_FUNCTIONS(new)                                                                         \
    {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))(new)},                                                \
        {OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))free_key},                                        \
        {OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))has},                                              \
        {OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))match},                                          \
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))get_params},                                \
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))gettable_params},                      \
        {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))import},                                        \
        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))import_types},                            \
        {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void)) export},                                       \
    {                                                                                              \
        OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))import_types                               \
    }

static const OSSL_DISPATCH rsa_functions[] = {KEY_FUNCTIONS(new_rsa), {0, NULL}};
static const OSSL_DISPATCH ed25519_functions[] = {KEY_FUNCTIONS(new_ed25519), {0, NULL}};
static const OSSL_DISPATCH ec_functions[] = {
    KEY_FUNCTIONS(new_ec),
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))operation_of_ec},
    {0, NULL}};

/* --- signatures --- */

struct signing {
    const struct remote *key; /* borrowed: OpenSSL holds it */
    struct keys_request request;
    bool too_long;
};

static void *new_signing(void *provider, const char *properties)
{
    (void)provider, (void)properties;
    return calloc(1, sizeof(struct signing));
}

static bool set_digest(struct signing *signing, const char *name)
{
    static const struct {
        const char *name;
        uint16_t bits;
    } known[] = {{"SHA256", 256},  {"SHA2-256", 256}, {"SHA384", 384},  {"SHA2-384", 384},
                 {"SHA512", 512},  {"SHA2-512", 512}, {"SHA224", 224},  {"SHA2-224", 224},
                 {"SHA-256", 256}, {"SHA-384", 384},  {"SHA-512", 512}, {"SHA-224", 224}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (OPENSSL_strcasecmp(name, known[i].name) == 0) {
            signing->request.digest = known[i].bits;
            return true;
        }
    }
    return false;
}

static bool set_padding(struct signing *signing, const OSSL_PARAM *param)
{
    const char *name;
    int number = 0;
    if (param->data_type == OSSL_PARAM_UTF8_STRING) {
        if (OSSL_PARAM_get_utf8_string_ptr(param, &name) != 1)
            return false;
        number = strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0       ? 6
                 : strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0 ? 1
                                                                     : 0;
    } else if (OSSL_PARAM_get_int(param, &number) != 1) {
        return false;
    }
    if (number != 6 && number != 1) /* RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING */
        return false;
    signing->request.padding = number == 6 ? KEYS_PSS : KEYS_PKCS1;
    return true;
}

/* The salt is as long as the digest: TLS wants nothing else (RFC 8446 section 4.2.3), nor does the process do anything else. */
static bool salt_fits(const OSSL_PARAM *param)
{
    const char *name;
    int number;
    if (param->data_type == OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_utf8_string_ptr(param, &name) == 1 &&
               (strcmp(name, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0 || strcmp(name, "-1") == 0);
    return OSSL_PARAM_get_int(param, &number) == 1 && number == -1;
}

static int set_params(void *at, const OSSL_PARAM params[])
{
    struct signing *signing = at;
    for (const OSSL_PARAM *param = params; param && param->key; param++) {
        bool ok = true;
        if (strcmp(param->key, OSSL_SIGNATURE_PARAM_PAD_MODE) == 0)
            ok = set_padding(signing, param);
        else if (strcmp(param->key, OSSL_SIGNATURE_PARAM_PSS_SALTLEN) == 0)
            ok = salt_fits(param);
        if (!ok)
            return 0;
    }
    return 1;
}

static const OSSL_PARAM *settable_params(void *at, void *provider)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0), OSSL_PARAM_END};
    (void)at, (void)provider;
    return params;
}

static int begin(void *at, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct signing *signing = at;
    if (key)
        signing->key = key;
    if (!signing->key || !signing->key->keys)
        return 0;
    signing->too_long = false;
    signing->request = (struct keys_request){.what = KEYS_SIGN};
    if (strcmp(signing->key->type, "RSA") == 0)
        signing->request.padding = KEYS_PKCS1;
    memcpy(signing->request.id, signing->key->id, KEYS_ID);
    if (digest && *digest && !set_digest(signing, digest))
        return 0;
    return set_params(signing, params);
}

static int update(void *at, const unsigned char *text, size_t len)
{
    struct signing *signing = at;
    struct keys_request *request = &signing->request;
    if (len > sizeof(request->text) - request->len) {
        signing->too_long = true;
        return 0;
    }
    memcpy(request->text + request->len, text, len);
    request->len += (uint32_t)len;
    return 1;
}

static int finish(void *at, unsigned char *signature, size_t *len, size_t size)
{
    struct signing *signing = at;
    struct keys_reply reply;
    int most = EVP_PKEY_get_size(signing->key->public);
    if (most <= 0 || signing->too_long)
        return 0;
    *len = (size_t)most;
    if (!signature)
        return 1;
    int n = keys_ask(signing->key->keys, &signing->request, &reply);
    signing->request.len = 0;
    if (n <= 0 || (size_t)n > size || n > most)
        return 0;
    memcpy(signature, reply.signature, (size_t)n);
    *len = (size_t)n;
    return 1;
}

static int sign(void *at, unsigned char *signature, size_t *len, size_t size,
                const unsigned char *text, size_t text_len)
{
    struct signing *signing = at;
    signing->request.len = 0;
    return (!signature || update(at, text, text_len)) && finish(at, signature, len, size);
}

static const OSSL_DISPATCH signature_functions[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))new_signing},
    {OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))free},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))begin},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, (void (*)(void))update},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, (void (*)(void))finish},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))sign},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))set_params},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))settable_params},
    {0, NULL}};

/* --- the provider --- */

#define PROPERTY "provider=weir-keys"

static const OSSL_ALGORITHM kinds[] = {
    {"RSA:rsaEncryption", PROPERTY, rsa_functions, "a key elsewhere"},
    {"EC:id-ecPublicKey", PROPERTY, ec_functions, "a key elsewhere"},
    {"ED25519", PROPERTY, ed25519_functions, "a key elsewhere"},
    {NULL, NULL, NULL, NULL}};

static const OSSL_ALGORITHM signatures[] = {
    {"RSA:rsaEncryption", PROPERTY, signature_functions, "made elsewhere"},
    {"ECDSA", PROPERTY, signature_functions, "made elsewhere"},
    {"ED25519", PROPERTY, signature_functions, "made elsewhere"},
    {NULL, NULL, NULL, NULL}};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT     ? kinds
           : operation == OSSL_OP_SIGNATURE ? signatures
                                            : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query}, {0, NULL}};

static int init_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                         const OSSL_DISPATCH **out, void **provider)
{
    (void)in;
    *out = provider_functions;
    *provider = (void *)handle;
    return 1;
}

OSSL_LIB_CTX *keys_provider(OSSL_PROVIDER **out)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    if (library && OSSL_PROVIDER_add_builtin(library, "weir-keys", init_provider) == 1 &&
        (*out = OSSL_PROVIDER_load(library, "weir-keys")))
        return library;
    OSSL_LIB_CTX_free(library);
    return NULL;
}

static const char *type_of(const EVP_PKEY *key)
{
    static const char *const types[] = {"RSA", "EC", "ED25519"};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (EVP_PKEY_is_a(key, types[i]))
            return types[i];
    return NULL;
}

EVP_PKEY *keys_remote(struct keys *keys, EVP_PKEY *public)
{
    struct link link = {keys, public};
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(PARAM_LINK, &link, sizeof(link)),
                                 OSSL_PARAM_construct_end()};
    const char *type = type_of(public);
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = type ? EVP_PKEY_CTX_new_from_name(keys->library, type, NULL) : NULL;
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, (OSSL_PARAM *)params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}
