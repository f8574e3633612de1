#include "service/auth.h"

#include "base/bytes.h"
#include "http/reroute.h"
#include "service/auth_try.h"
#include "service/guard.h"
#include "service/local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The state of its handler. */
struct wait {
    struct wait *next, **before; /* before NULL: it waits for nothing */
    struct auth_job *job;        /* that it waits for */
    struct weir_exchange *x;
    bool ended; /* its content is complete */
};

/* Until it is begun it is of one client; those who join later have reserved, too. */
struct auth_job {
    struct weir_job job;
    struct auth_job *next;      /* an older one */
    struct auth_jobs *jobs;     /* borrowed: from the worker, until its driver has ended all jobs */
    struct weir_driver *driver; /* borrowed likewise */
    struct guards *guards;      /* borrowed: from the site */
    struct siphash_128 who;
    struct wait *waits;
    int place; /* -1: none yet */
    uint64_t since_ns, tried_ns;
    uint64_t from, user, pair;            /* numbers */
    uint64_t client[LIMIT_AUTH_TOGETHER]; /* likewise; each once */
    unsigned clients;
    bool begun, known, right; /* begun: or it is over without */
    char hash[PASSWORD_HASH_MAX], password[LIMIT_AUTH_PASSWORD + 1];
};

/* --- opening --- */

const char *auth_realm_wrong(const char *realm)
{
    if (strlen(realm) > LIMIT_AUTH_REALM)
        return "a realm has 127 bytes at the most";
    for (; *realm; realm++)
        if ((unsigned char)*realm < 0x20 || *realm == 0x7f || *realm == '"' || *realm == '\\')
            return "a realm is plain text, without quotes";
    return NULL;
}

int auth_open(struct auth *auth, const char *file, const char *realm, struct guards *guards,
              char *why, size_t why_size)
{
    *auth = (struct auth){.name = file, .realm = realm, .guards = guards};
    snprintf(auth->challenge, sizeof(auth->challenge), "Basic realm=\"%s\", charset=\"UTF-8\"",
             realm ? realm : "weir");
    return password_file_open(&auth->file, file, why, why_size);
}

void auth_close(struct auth *auth)
{
    password_file_close(&auth->file);
}

/* --- answers --- */

static int reply_ask(struct weir_exchange *x, const struct auth *auth)
{
    int rc = weir_reply_field(x, "WWW-Authenticate", auth->challenge);
    return rc < 0 ? rc : weir_reply_error(x, 401);
}

static int ask(struct weir_exchange *x)
{
    return reply_ask(x, weir_exchange_config(x));
}

static const struct weir_handler ask_handler = {.name = "auth", .start = ask};

static const struct quota by_client = {LIMIT_AUTH_EVERY_S * WEIR_NS_PER_S, LIMIT_AUTH_BURST};
static const struct quota by_user = {LIMIT_AUTH_USER_EVERY_S * WEIR_NS_PER_S,
                                     LIMIT_AUTH_USER_BURST};

/* Whoever guesses, or a user whom many guess at, unless this client is known to be him. */
static uint64_t wait_of(const struct try *try, uint64_t now)
{
    struct quotas *quotas = try->auth->guards->quotas;
    uint64_t wait = quota_wait(quotas, &by_client, try->client_number, now);
    if (wait == 0 && !quota_noted(quotas, try->pair_number, now))
        wait = quota_wait(quotas, &by_user, try->user_number, now);
    return wait;
}

/* What a comparison would cost if it were wrong is taken before, so that many at once are no more than one after the other. 0; else when
 * there is enough again. */
static uint64_t reserve(const struct auth_job *job, uint64_t now)
{
    struct quotas *quotas = job->guards->quotas;
    uint64_t wait = quota_take(quotas, &by_client, job->client[0], now);
    if (wait > 0)
        return wait;
    if (quota_noted(quotas, job->pair, now))
        quota_add(quotas, &by_user, job->user, now);
    else
        wait = quota_take(quotas, &by_user, job->user, now);
    if (wait > 0)
        quota_give(quotas, &by_client, job->client[0], now);
    return wait;
}

static void give_back(const struct auth_job *job, uint64_t now)
{
    for (unsigned i = 0; i < job->clients; i++)
        quota_give(job->guards->quotas, &by_client, job->client[i], now);
    quota_give(job->guards->quotas, &by_user, job->user, now);
}

/* --- the comparison --- */

static void leave(struct wait *wait)
{
    if (!wait->before)
        return;
    *wait->before = wait->next;
    if (wait->next)
        wait->next->before = wait->before;
    wait->before = NULL;
}

static void join(struct auth_job *job, struct wait *wait)
{
    wait->job = job;
    wait->next = job->waits;
    wait->before = &job->waits;
    if (wait->next)
        wait->next->before = &wait->next;
    job->waits = wait;
}

static int set_user(struct weir_exchange *x, const struct auth *auth, struct weir_bytes user)
{
    char *name = weir_exchange_alloc(x, user.len);
    if (!name)
        return -ENOMEM;
    memcpy(name, user.at, user.len);
    x->user = (struct weir_bytes){name, user.len};
    x->user_of = auth;
    return 0;
}

static int let_in(struct weir_exchange *x, const struct try *try)
{
    quota_note(try->auth->guards->quotas, try->pair_number, x->driver->now.mono_ns,
               LIMIT_AUTH_KNOWN_S * WEIR_NS_PER_S);
    return set_user(x, try->auth, try->said.user);
}

static void go_on(struct weir_exchange *x, const struct try *try, bool ended)
{
    int rc = let_in(x, try);
    if (rc == 0)
        rc = exchange_restart(x, ended);
    if (rc < 0)
        (void)!exchange_fail(x, rc);
}

static void finish(struct wait *wait, bool right)
{
    struct weir_exchange *x = wait->x;
    const struct try *try = weir_exchange_config(x);
    leave(wait);
    if (right) {
        go_on(x, try, wait->ended);
    } else {
        int rc = reply_ask(x, try->auth);
        if (rc < 0)
            (void)!exchange_fail(x, rc);
        exchange_settle_content(x);
    }
    weir_exchange_wake(x);
}

static void finish_all(struct auth_job *job)
{
    while (job->waits)
        finish(job->waits, job->right);
}

static int reply_later(struct weir_exchange *x, unsigned status, uint64_t later)
{
    return guard_reply_later(x, status, later, "auth-attempts");
}

static void refuse_all(struct auth_job *job, unsigned status, uint64_t later)
{
    while (job->waits) {
        struct weir_exchange *x = job->waits->x;
        leave(job->waits);
        int rc = reply_later(x, status, later);
        if (rc < 0)
            (void)!exchange_fail(x, rc);
        exchange_settle_content(x);
        weir_exchange_wake(x);
    }
}

/* From now on nobody joins it. */
static void unlink_job(struct auth_job *job)
{
    struct auth_job **at = &job->jobs->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job->jobs->count--;
    job->begun = true;
}

static void free_job(struct auth_job *job)
{
    if (job->place >= 0)
        places_give(job->guards->places, job->place);
    explicit_bzero(job, sizeof(*job));
    free(job);
}

static void drop_job(struct auth_job *job)
{
    unlink_job(job);
    free_job(job);
}

static void work(struct weir_job *weir_job)
{
    struct auth_job *job = (struct auth_job *)weir_job;
    job->right = password_matches(job->password, job->hash) && job->known;
}

static void begin_next(struct auth_job *job);

/* It counts whether or not somebody still waits for it. */
static void done(struct weir_job *weir_job)
{
    struct auth_job *job = (struct auth_job *)weir_job;
    struct auth_jobs *jobs = job->jobs;
    uint64_t now = job->driver->now.mono_ns;
    bool cancelled = job->job.cancelled;
    unlink_job(job);
    if (cancelled || job->right)
        give_back(job, now);
    if (!cancelled && job->right)
        auth_cache_add(job->guards->cache, job->who, now);
    if (!cancelled)
        finish_all(job);
    while (job->waits)
        leave(job->waits);
    free_job(job);
    if (!cancelled)
        begin_next(jobs->first);
}

static struct auth_job *new_job(struct auth_jobs *jobs, struct weir_driver *driver,
                                const struct try *try)
{
    struct auth_job *job = jobs->count < LIMIT_AUTH_JOBS ? calloc(1, sizeof(*job)) : NULL;
    if (!job)
        return NULL;
    job->job = (struct weir_job){.work = work, .done = done};
    job->jobs = jobs;
    job->driver = driver;
    job->guards = try->auth->guards;
    job->who = try->who;
    job->place = -1;
    job->since_ns = driver->now.mono_ns;
    job->client[job->clients++] = try->client_number;
    job->from = try->from_number;
    job->user = try->user_number;
    job->pair = try->pair_number;
    job->known = try->known;
    memcpy(job->hash, try->hash, sizeof(job->hash));
    memcpy(job->password, try->said.password, try->said.password_len);
    job->next = jobs->first;
    jobs->first = job;
    jobs->count++;
    return job;
}

/* 0; -EAGAIN: it has no place yet; -EBUSY: the client or the user has to wait for so long; -errno: no helper takes it. */
static int begin(struct auth_job *job, uint64_t *out_later)
{
    uint64_t now = job->tried_ns = job->driver->now.mono_ns;
    int place = places_take(job->guards->places, job->from, LIMIT_AUTH_SHARE);
    if (place < 0)
        return place;
    uint64_t later = reserve(job, now);
    int rc = later > 0 ? -EBUSY : job->driver->ops->submit(job->driver, &job->job);
    if (rc == 0) {
        job->place = place;
        job->begun = true;
        return 0;
    }
    places_give(job->guards->places, place);
    if (later > 0)
        *out_later = later;
    else
        give_back(job, now);
    return rc == -EAGAIN ? -ENOBUFS : rc;
}

/* For one that has none yet. false: it goes on waiting for a place. */
static bool settle(struct auth_job *job)
{
    uint64_t now = job->driver->now.mono_ns, later = LIMIT_AUTH_RETRY_S * WEIR_NS_PER_S;
    bool right = job->known && auth_cache_find(job->guards->cache, job->who, now);
    int rc = right ? 0 : begin(job, &later);
    if (rc == 0 && !right)
        return true; /* a helper has it now */
    if (rc == -EAGAIN && now - job->since_ns < LIMIT_AUTH_WAIT_MS * WEIR_NS_PER_MS)
        return false;
    unlink_job(job);
    job->right = right;
    if (right)
        finish_all(job);
    else
        refuse_all(job, rc == -EBUSY ? 429 : 503, later);
    free_job(job);
    return true;
}

/* A place is free: for whoever waits longest of those who may have it. */
static void begin_next(struct auth_job *job)
{
    if (!job)
        return;
    begin_next(job->next);
    if (!job->begun)
        (void)settle(job);
}

/* --- the handler of a request that waits --- */

static bool has_client(const struct auth_job *job, uint64_t client)
{
    unsigned i = 0;
    while (i < job->clients && job->client[i] != client)
        i++;
    return i < job->clients;
}

/* The same is looked at already, for this client, too, or there is room for one more. */
static bool can_join(const struct auth_job *job, const struct try *try)
{
    return job->who.at[0] == try->who.at[0] && job->who.at[1] == try->who.at[1] &&
           job->known == try->known &&
           (has_client(job, try->client_number) ||
            (job->begun && job->clients < LIMIT_AUTH_TOGETHER));
}

static struct auth_job *find_job(const struct auth_jobs *jobs, const struct try *try)
{
    struct auth_job *job = jobs->first;
    while (job && !can_join(job, try))
        job = job->next;
    return job;
}

/* A job that is there, or a new one: 0; else the status to refuse it with. */
static unsigned find_or_begin(struct weir_exchange *x, struct auth_job **out, uint64_t *out_later)
{
    const struct try *try = weir_exchange_config(x);
    struct local *local = x->driver->local;
    uint64_t now = x->driver->now.mono_ns;
    struct auth_job *job = *out = find_job(&local->auth, try);
    if (job && has_client(job, try->client_number))
        return 0;
    uint64_t later = wait_of(try, now);
    if (later == 0 && job)
        later = quota_take(try->auth->guards->quotas, &by_client, try->client_number, now);
    if (later > 0) {
        *out_later = later;
        return 429;
    }
    if (job) {
        job->client[job->clients++] = try->client_number;
        return 0;
    }
    job = *out = new_job(&local->auth, x->driver, try);
    int rc = job ? begin(job, out_later) : -ENOMEM;
    if (rc == 0 || rc == -EAGAIN)
        return 0;
    if (job)
        drop_job(job);
    return rc == -EBUSY ? 429 : 503;
}

static void look_again(struct weir_exchange *x)
{
    weir_exchange_arm(x, x->driver->now.mono_ns + LIMIT_AUTH_PLACE_MS * WEIR_NS_PER_MS);
}

static int check_start(struct weir_exchange *x)
{
    struct wait *wait = weir_exchange_state(x);
    struct auth_job *job;
    uint64_t later = LIMIT_AUTH_RETRY_S * WEIR_NS_PER_S;
    unsigned status = find_or_begin(x, &job, &later);
    if (status)
        return reply_later(x, status, later);
    wait->x = x;
    x->undecided = true;
    join(job, wait);
    if (!job->begun)
        look_again(x);
    return 0;
}

/* Another worker's may have given its place back. Where many wait for the same, one of them looks. */
static void check_expire(struct weir_exchange *x)
{
    const struct wait *wait = weir_exchange_state(x);
    if (!wait->before || wait->job->begun)
        return;
    uint64_t gone = x->driver->now.mono_ns - wait->job->tried_ns;
    if (gone < LIMIT_AUTH_PLACE_MS * WEIR_NS_PER_MS / 2 || !settle(wait->job))
        look_again(x);
}

/* The content is for whoever answers in the end. */
static ssize_t check_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    return x->begun ? (ssize_t)len : 0;
}

static int check_end(struct weir_exchange *x)
{
    ((struct wait *)weir_exchange_state(x))->ended = true;
    return 0;
}

static void check_stop(struct weir_exchange *x, int why)
{
    const struct try *try = weir_exchange_config(x);
    struct wait *wait = weir_exchange_state(x);
    bool waits = wait->before;
    (void)why;
    leave(wait);
    if (waits && !wait->job->begun && !wait->job->waits)
        drop_job(wait->job); /* it is not begun for nobody */
    explicit_bzero((void *)(uintptr_t)&try->said, sizeof(try->said));
}

static const struct weir_handler check_handler = {
    .name = "auth",
    .state_size = sizeof(struct wait),
    .start = check_start,
    .take = check_take,
    .end = check_end,
    .expire = check_expire,
    .stop = check_stop,
};

/* --- what a request says --- */

static void tell(struct weir_exchange *x, const struct password_news *news)
{
    struct local *local = x->driver->local;
    char text[500];
    if (!news->news)
        return;
    int len = snprintf(text, sizeof(text), "%s; what it said before counts on", news->text);
    if (local && len > 0)
        account_tell(&local->account, x->driver->now.wall_ns, "auth",
                     (struct weir_bytes){text, (size_t)len});
}

static int busy(struct weir_exchange *x)
{
    return weir_reply_error(x, 503);
}

static const struct weir_handler busy_handler = {.name = "auth", .start = busy};

const struct weir_handler *auth_check(struct auth *auth, struct weir_exchange *x,
                                      const struct client *client, const void **out_config)
{
    struct weir_bytes field;
    struct password_news news;
    if (x->user_of == auth)
        return NULL;
    x->user = (struct weir_bytes){0};
    x->user_of = NULL;
    *out_config = auth;
    if (!weir_request_field(x, "authorization", &field))
        return &ask_handler;
    struct try *try = weir_exchange_alloc(x, sizeof(*try));
    if (!try)
        return &busy_handler;
    if (credentials_read(field, &try->said) != CREDENTIALS_GOOD)
        return &ask_handler;
    uint64_t now = x->driver->now.mono_ns;
    struct passwords *passwords = password_file_get(&auth->file, now, &news);
    auth_try_fill(try, auth, client, passwords);
    passwords_drop(passwords);
    tell(x, &news);
    if (try->known && auth_cache_find(auth->guards->cache, try->who, now)) {
        bool set = let_in(x, try) == 0;
        explicit_bzero(&try->said, sizeof(try->said));
        return set ? NULL : &busy_handler;
    }
    *out_config = try;
    return &check_handler;
}
