/*
 * A stream without a deadline of its own (a tunnel, a call) may be open for days, and nothing need go over it: what there is to send waits for a window
 * that nobody opens, or is in the kernel. So a peer that says nothing is asked by PING (RFC 9113 section 6.7) whether it is there, and one that does
 * not read does not answer.
 */
#include "h2/h2.h"

void h2_heard(struct h2 *h)
{
    h->heard_ns = h2_now(h);
    h->asked = false;
}

uint64_t h2_silent_ns(const struct h2 *h)
{
    uint64_t most = http_ns(h->http->send_ms, LIMIT_HTTP_SEND_MS);
    if (!h->lasting || h->streams == 0)
        return 0;
    return h->heard_ns + (h->asked ? 2 * most : most);
}

bool h2_is_gone(struct h2 *h)
{
    static const uint8_t nothing[8];
    uint64_t at = h2_silent_ns(h);
    if (!at || at > h2_now(h))
        return false;
    if (h->asked)
        return true;
    h->asked = true;
    h2_put_frame(h2_out(h), WIRE_PING, 0, 0, nothing, sizeof(nothing));
    return false;
}
