/*
 * service/folder.h: a folder that is served, and how: made once, before any worker, and only read from then on.
 */
#pragma once

#include "service/coding_store.h"
#include "service/mime.h"

#include <weir/base.h>

/* As configured; zeroes are defaults. Everything in it is borrowed until folder_close(). */
struct folder_options {
    bool listing;             /* folders without an index.html are listed */
    const char *fallback;     /* "/index.html": for navigations to what is not there; NULL: none */
    const char *mime_types;   /* a file of types, "off"; NULL: /etc/mime.types */
    const char *coding;       /* "br,zstd,gzip": on offer, best first; "off"; NULL: those three */
    bool coding_neighbours;   /* nothing is coded on the fly */
    unsigned level[CODINGS];  /* 0: the default */
    const char *coding_cache; /* a folder for results; NULL: one of our own */
    uint64_t coding_bytes;    /* ... and what it may come to */
    uint64_t coding_max;      /* the largest file that is coded on the fly */
    struct folder_words {
        const char *const *at;
        size_t count;
    } cache_control, /* "PATTERN=VALUE", the first that fits counts */
        error_pages; /* "404=/404.html" */
};

struct folder_page {
    unsigned status;
    const char *path;
};

struct folder {
    int root;
    struct weir_bytes
        prefix; /* where it is mounted in its site: "/docs"; empty: it is the site. Borrowed */
    bool listing;
    const char *fallback;
    struct mime_map *mime;
    uint8_t offered, made;       /* codings, as bits */
    uint8_t preference[CODINGS]; /* higher ones are liked better by the server */
    int level[CODINGS];
    char tag[CODINGS][CODER_TAG_MAX];
    uint64_t coding_max;
    struct coding_store store;
    struct folder_words cache_control;
    struct folder_page *pages;
    size_t page_count;
};

/* What is wrong with them, in words; false: nothing. */
bool folder_options_wrong(const struct folder_options *, char *why, size_t size);
/* -errno of the root, of the file of types if one was named, of a named folder for coded files; -EINVAL: wrong options; -ENOMEM.
 * Without any place for coded files nothing is coded on the fly: then `made` is 0. */
WEIR_CHECKED int folder_open(struct folder *, const char *root, const struct folder_options *);
/* The struct may be zeroed, with root -1. */
void folder_close(struct folder *);
/* For a file by its name below the root and its type; NULL: none is wished for. */
const char *folder_cache_control(const struct folder *, const char *name, const char *type);
/* The path of the page for an error; NULL: none. */
const char *folder_error_page(const struct folder *, unsigned status);
