/*
 * service/cgi.h: programs that answer requests (RFC 3875): a folder of them, mounted on a path of the site. Each request
 * starts one, in a process group of its own, with pipes for its content, its answer and its complaints; they are companions of
 * the connection. This is the handler and what is configured; cgi_talk.h is the inside.
 *
 * Only regular, executable files below the folder are started. Nothing of its source is ever shown.
 */
#pragma once

#include <weir/http.h>

struct places;
struct talk;

/* Zeroes are defaults. */
struct cgi_options {
    unsigned timeout_s; /* a program that neither takes nor gives anything */
    unsigned max;       /* programs at once, of all workers */
    unsigned cpu_s;     /* a process */
    unsigned processes; /* that the server's user may have when one starts another; 0: any number */
    uint64_t memory;    /* bytes of data, a process */
    uint64_t spool;     /* bytes of content of unknown length */
};

/* One mount. Made before any worker, and only read from then on. */
struct cgi {
    struct weir_bytes prefix; /* borrowed: from the text it was made of */
    int folder;
    char *folder_name; /* absolute, without links */
    char *root_name;   /* the same of the site */
    const struct cgi_options *options;
    struct places *places;
};

/* What a thread keeps: requests that wait for a place, the oldest first. Zeroed at first. */
struct cgi_queue {
    struct talk *first, *last;
    unsigned count;
};

/* What is wrong with "PREFIX=FOLDER" for a site in `root`, in words; false: nothing. */
bool cgi_wrong(const char *mount, const char *root, char *why, size_t size);
/* As cgi_wrong() found it right. `options`, `places` and the text are borrowed until cgi_close(). 0 or -errno. */
WEIR_CHECKED int cgi_open(struct cgi *, const char *mount, const char *root,
                          const struct cgi_options *, struct places *);
void cgi_close(struct cgi *); /* one that was opened, or zeroed with folder -1 */

/* Its config is a struct cgi; struct local has the queue. */
extern const struct weir_handler cgi_handler;
