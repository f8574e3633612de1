/*
 * service/account.h: what a site writes down of what it does: its logs, its figures, and the page that shows those. Made once, before any
 * worker; what a worker writes to is its hand.
 */
#pragma once

#include "service/figures.h"
#include "service/logs.h"
#include "service/status.h"

struct route;

/* As the options have them; borrowed until account_close(). */
struct account_options {
    struct logs_options logs;
    const char *status; /* the path of the figures; NULL: none */
    struct {
        const char *const *at;
        size_t count;
    } allow; /* who may see them beside this machine */
    bool server_timing;
};

struct account {
    struct logs logs;
    struct figures *figures; /* NULL: nobody can see them */
    struct status status;
};

/* What a thread has of it. */
struct account_hand {
    struct logs_hand logs;
    struct figures_hand figures;
};

/* One line about what is wrong with the options. */
bool account_options_wrong(const struct account_options *, char *why, size_t why_size);
/* Mounts the figures. 0 or -errno; *account is zeroed before. */
WEIR_CHECKED int account_open(struct account *, const struct account_options *, struct route *);
void account_close(struct account *);
/* Sets what HTTP is to call: `ended` and `connection` lead to the two below. */
void account_set_http(const struct account *, const struct account_options *, struct weir_http *,
                      void (*ended)(const struct weir_http *, struct weir_exchange *, int),
                      void (*connection)(const struct weir_http *, struct weir_conn *, bool, int));
/* `log`: which access log gets its line (service/logs.h). */
void account_ended(struct account_hand *, struct weir_exchange *, unsigned log, int why);
void account_connection(struct account_hand *, struct weir_driver *, struct weir_conn *,
                        bool opened, int why);
/* A warning: into the error log, or else to standard error. */
void account_tell(struct account_hand *, int64_t wall_ns, const char *what, struct weir_bytes text);

void account_begin(const struct account *, struct account_hand *);
void account_let_go(struct account_hand *); /* before a wait */
void account_end(struct account_hand *);
