/*
 * load/target.h: what is asked, and where: a URL or an endpoint, made into an address and the bytes of one request.
 */
#pragma once

#include <weir/base.h>

#include <sys/socket.h>

enum load_kind { LOAD_HTTP, LOAD_ECHO, LOAD_FRAME };

/* As people write it. */
struct load_words {
    const char *
        where; /* http://HOST[:PORT][/PATH], https://..., tcp:HOST:PORT, tls:HOST:PORT, unix:PATH, HOST:PORT */
    const char *endpoint; /* connect here instead; NULL: where the name says */
    enum load_kind kind;
    size_t size;               /* LOAD_ECHO, LOAD_FRAME: bytes of a block */
    const char *path;          /* NULL: of the URL, or "/" */
    const char *method;        /* NULL: GET */
    const char *body;          /* NULL: none */
    const char *const *fields; /* "Name: value" */
    size_t field_count;
    bool close; /* say that the connection ends with the answer */
    const char
        *ca; /* TLS: believe these authorities; NULL: those of the system, or what the name says */
    bool insecure; /* TLS: believe anybody */
};

struct tls_name;
struct weir_tls;

struct load_target {
    enum load_kind kind;
    char *endpoint;          /* "tcp:127.0.0.1:8080"; owned */
    struct tls_name *secure; /* how TLS is talked over it; NULL: it is not; owned */
    struct weir_tls *tls;    /* made of it by load_target_find(); owned */
    struct sockaddr_storage at;
    socklen_t at_len;
    char *request; /* the bytes of one; owned */
    size_t request_len;
    size_t size;
    bool head_only; /* a HEAD request */
};

#define LOAD_WHY_MAX 512
/* Makes endpoint and request. 0; -EINVAL with what is wrong in `why`; -ENOMEM. load_target_done() in every case. */
WEIR_CHECKED int load_target_init(struct load_target *, const struct load_words *,
                                  char why[LOAD_WHY_MAX]);
/* Connects once, so that the address that answers is known, and a server that is not there, or not to be trusted, is told at once, in
 * one line. 0 or weir_open()'s errors. */
WEIR_CHECKED int load_target_find(struct load_target *, int timeout_ms, char why[LOAD_WHY_MAX]);
void load_target_done(struct load_target *);
