#include "service/auth.h"

#include "base/bytes.h"
#include "http/reroute.h"
#include "service/credentials.h"
#include "service/guard.h"
#include "service/local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What is compared with when there is no such user in an empty file: yescrypt as `weir passwd` makes it, of nothing. */
static const char nobodys[] =
    "$y$j9T$weirweirweirweirweirw0$0000000000000000000000000000000000000000000";

/* A request that has to wait; lies in the exchange's memory. */
struct
try {
    struct auth *auth;
    struct siphash_128 who;
    /* For what is counted: the client, the user, and both together. */
    uint64_t client_number, user_number, pair_number;
    bool known; /* the user is in the file */
    char hash[PASSWORD_HASH_MAX];
    struct credentials said;
};

/* The state of its handler. */
struct wait {
    struct wait *next, **before; /* before NULL: it waits for nothing */
    struct weir_exchange *x;
    bool ended; /* its content is complete */
};

/* It counts for whoever asked for it, also when nobody waits for it any more. */
struct auth_job {
    struct weir_job job;
    struct auth_job *next;
    struct auth_jobs *jobs;     /* borrowed: from the worker, until its driver has ended all jobs */
    struct weir_driver *driver; /* borrowed likewise */
    struct guards *guards;      /* borrowed: from the site */
    struct siphash_128 who;
    struct wait *waits;
    uint64_t user, client[LIMIT_AUTH_TOGETHER]; /* numbers; each client once */
    unsigned clients;
    bool known, right;
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

static void count(const struct auth_job *job, uint64_t now)
{
    if (job->right) {
        auth_cache_add(job->guards->cache, job->who, now);
        return;
    }
    for (unsigned i = 0; i < job->clients; i++)
        quota_add(job->guards->quotas, &by_client, job->client[i], now);
    quota_add(job->guards->quotas, &by_user, job->user, now);
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

static bool has_client(const struct auth_job *job, uint64_t client)
{
    unsigned i = 0;
    while (i < job->clients && job->client[i] != client)
        i++;
    return i < job->clients;
}

static void join(struct auth_job *job, struct wait *wait, const struct try *try)
{
    if (!has_client(job, try->client_number))
        job->client[job->clients++] = try->client_number;
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

static void unlink_job(struct auth_job *job)
{
    struct auth_job **at = &job->jobs->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job->jobs->count--;
}

static void work(struct weir_job *weir_job)
{
    struct auth_job *job = (struct auth_job *)weir_job;
    job->right = password_matches(job->password, job->hash) && job->known;
}

static void done(struct weir_job *weir_job)
{
    struct auth_job *job = (struct auth_job *)weir_job;
    unlink_job(job);
    if (!job->job.cancelled)
        count(job, job->driver->now.mono_ns);
    while (job->waits) {
        struct wait *wait = job->waits;
        if (job->job.cancelled)
            leave(wait);
        else
            finish(wait, job->right);
    }
    explicit_bzero(job, sizeof(*job));
    free(job);
}

/* The same is looked at already, and there is room for one more client whom it counts for. */
static bool can_join(const struct auth_job *job, const struct try *try)
{
    return job->who.at[0] == try->who.at[0] && job->who.at[1] == try->who.at[1] &&
           job->known == try->known &&
           (job->clients < LIMIT_AUTH_TOGETHER || has_client(job, try->client_number));
}

static struct auth_job *find_job(const struct auth_jobs *jobs, const struct try *try)
{
    struct auth_job *job = jobs->first;
    while (job && !can_join(job, try))
        job = job->next;
    return job;
}

static struct auth_job *begin_job(struct auth_jobs *jobs, struct weir_driver *driver,
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
    job->user = try->user_number;
    job->known = try->known;
    memcpy(job->hash, try->hash, sizeof(job->hash));
    memcpy(job->password, try->said.password, try->said.password_len);
    if (driver->ops->submit(driver, &job->job) < 0) {
        explicit_bzero(job, sizeof(*job));
        free(job);
        return NULL;
    }
    job->next = jobs->first;
    jobs->first = job;
    jobs->count++;
    return job;
}

/* --- the handler of a request that waits --- */

static int check_start(struct weir_exchange *x)
{
    const struct try *try = weir_exchange_config(x);
    struct local *local = x->driver->local;
    struct wait *wait = weir_exchange_state(x);
    uint64_t later = wait_of(try, x->driver->now.mono_ns);
    if (later > 0)
        return guard_reply_later(x, 429, later, "auth-attempts");
    struct auth_job *job = find_job(&local->auth, try);
    if (!job)
        job = begin_job(&local->auth, x->driver, try);
    if (!job)
        return guard_reply_later(x, 503, LIMIT_AUTH_RETRY_S * WEIR_NS_PER_S, "auth-attempts");
    wait->x = x;
    x->undecided = true;
    join(job, wait, try);
    return 0;
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
    (void)why;
    leave(weir_exchange_state(x));
    explicit_bzero((void *)(uintptr_t)&try->said, sizeof(try->said));
}

static const struct weir_handler check_handler = {
    .name = "auth",
    .state_size = sizeof(struct wait),
    .start = check_start,
    .take = check_take,
    .end = check_end,
    .stop = check_stop,
};

/* --- what a request says --- */

static uint64_t number_of(const struct auth *auth, struct weir_bytes user, const char *hash,
                          const struct client *client)
{
    struct siphash s;
    siphash_init(&s, &auth->guards->key);
    siphash_add(&s, &auth, sizeof(auth));
    siphash_add(&s, user.at, user.len);
    siphash_add(&s, "", 1);
    if (hash)
        siphash_add(&s, hash, strlen(hash));
    if (client) {
        uint64_t number = guards_number(auth->guards, client, 0);
        siphash_add(&s, &number, sizeof(number));
    }
    return siphash_end(&s);
}

static struct siphash_128 who_of(const struct auth *auth, const struct credentials *said,
                                 const char *hash)
{
    struct siphash s;
    siphash_init_128(&s, &auth->guards->key);
    siphash_add(&s, &auth, sizeof(auth));
    siphash_add(&s, said->user.at, said->user.len);
    siphash_add(&s, "", 1); /* a NUL is in none of them */
    siphash_add(&s, hash, strlen(hash) + 1);
    siphash_add(&s, said->password, said->password_len);
    return siphash_end_128(&s);
}

/* For a name that is not there: one of the others, always the same, so that it takes as long as some name that is. */
static const char *hash_of_nobody(const struct auth *auth, const struct passwords *passwords,
                                  struct weir_bytes user)
{
    if (passwords->count == 0)
        return nobodys;
    return passwords->entries[number_of(auth, user, NULL, NULL) % passwords->count].hash;
}

static void fill(struct try *try, struct auth *auth, const struct client *client,
                 const struct passwords *passwords)
{
    const struct password_entry *entry = passwords_find(passwords, try->said.user);
    const char *hash = entry ? entry->hash : hash_of_nobody(auth, passwords, try->said.user);
    try->auth = auth;
    try->known = entry != NULL;
    snprintf(try->hash, sizeof(try->hash), "%s", hash);
    try->who = who_of(auth, &try->said, hash);
    try->client_number = guards_number(auth->guards, client, (uintptr_t)auth);
    try->user_number = number_of(auth, try->said.user, NULL, NULL);
    try->pair_number = number_of(auth, try->said.user, hash, client);
}

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
    fill(try, auth, client, passwords);
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
