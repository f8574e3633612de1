#include "service/guard.h"

#include "base/text.h"
#include "http/exchange.h"

int guard_reply_later(struct weir_exchange *x, unsigned status, uint64_t wait_ns, const char *limit)
{
    char seconds[24];
    struct text t;
    text_init(&t, seconds, sizeof(seconds));
    text_u64(&t, (wait_ns + WEIR_NS_PER_S - 1) / WEIR_NS_PER_S);
    exchange_struck(x, limit);
    int rc = weir_reply_field(x, "Retry-After", text_end(&t));
    return rc < 0 ? rc : weir_reply_error(x, status);
}

static int forbid(struct weir_exchange *x)
{
    exchange_struck(x, "access");
    return weir_reply_error(x, 403);
}

static const struct weir_handler forbid_handler = {.name = "access", .start = forbid};

static int slow_down(struct weir_exchange *x)
{
    const uint64_t *wait_ns = weir_exchange_config(x);
    return guard_reply_later(x, 429, *wait_ns, "client-rate");
}

static const struct weir_handler slow_down_handler = {.name = "rate", .start = slow_down};

/* An address that another one led to is no request of its own. */
static const struct weir_handler *check_rate(const struct guard *guard, struct weir_exchange *x,
                                             const struct client *client, const void **out_config)
{
    if (guard->rate.every_ns == 0 || x->reroutes > 0 || x->restarted)
        return NULL;
    uint64_t who = guards_number(guard->guards, client, (uintptr_t)guard->rate_said);
    uint64_t wait = quota_take(guard->guards->quotas, &guard->rate, who, x->driver->now.mono_ns);
    if (wait == 0)
        return NULL;
    uint64_t *wait_ns = weir_exchange_alloc(x, sizeof(*wait_ns));
    static const uint64_t second = WEIR_NS_PER_S;
    if (wait_ns)
        *wait_ns = wait;
    *out_config = wait_ns ? wait_ns : &second;
    return &slow_down_handler;
}

const struct weir_handler *guard_check(const struct guard *guard, struct weir_exchange *x,
                                       const void **out_config)
{
    struct client client;
    if (!guard_wanted(guard))
        return NULL;
    if (!guards_client(x, &client))
        client = (struct client){.family = WEIR_FAMILY_NONE, .uid = UINT32_MAX};
    int rule = access_find(&guard->access, &client);
    if (rule >= 0 && guard->access.rules[rule].deny)
        return &forbid_handler;
    const void *config = NULL;
    const struct weir_handler *handler = check_rate(guard, x, &client, &config);
    if (!handler && guard->auth)
        handler = auth_check(guard->auth, x, &client, &config);
    if (handler)
        *out_config = config;
    return handler;
}
