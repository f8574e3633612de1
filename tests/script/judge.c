/* Does a transcript say what the script expects? */
#include "play.h"

#include <string.h>

/* Where the comparison stands. */
struct judge {
    const struct transcript *transcript;
    size_t mark;        /* the next barrier's */
    size_t at;          /* bytes of output that were accounted for */
    bool ended, closed; /* the script has said so */
};

static const char *expect_bytes(struct judge *judge, const struct script_step *step)
{
    const struct mark *until = &judge->transcript->marks[judge->mark];
    const uint8_t *bytes = judge->transcript->bytes + judge->at;
    size_t len = until->len - judge->at;
    if (step->verb == SCRIPT_MATCH) {
        ssize_t n = script_match(step, bytes, len);
        if (n < 0)
            return "the output does not match";
        judge->at += (size_t)n;
        return NULL;
    }
    size_t same = 0, max = step->len < len ? step->len : len;
    while (same < max && bytes[same] == step->bytes[same])
        same++;
    judge->at += same;
    if (same < max)
        return "the output differs";
    return max < step->len ? "the output is too short" : NULL;
}

/* At a barrier nothing is left over, and the connection is as far as the script has said. */
static const char *expect_barrier(struct judge *judge, const struct script_step *step)
{
    const struct mark *mark = &judge->transcript->marks[judge->mark++];
    if (mark->len > judge->at)
        return "more output than expected";
    judge->ended |= step && step->verb == SCRIPT_ENDED;
    judge->closed |= step && step->verb == SCRIPT_CLOSED;
    if (judge->closed && !mark->closed)
        return "it should be closed and is not";
    if (!judge->closed && mark->closed)
        return "it was closed and should not be";
    if (step && step->verb == SCRIPT_CLOSED && step->why != SCRIPT_ANY_REASON &&
        step->why != mark->why)
        return "it was closed for another reason";
    if (judge->ended && !mark->ended)
        return "our side should have ended and has not";
    if (!judge->ended && mark->ended && !mark->closed)
        return "our side ended and should not have";
    return NULL;
}

static const char *judge_step(struct judge *judge, const struct script_step *step)
{
    switch (step->verb) {
    case SCRIPT_EXPECT:
    case SCRIPT_MATCH:
        return expect_bytes(judge, step);
    case SCRIPT_SEND:
    case SCRIPT_FINISH:
    case SCRIPT_WITH:
        return NULL;
    default:
        return expect_barrier(judge, step);
    }
}

const char *judge(const struct script *script, const struct transcript *transcript,
                  size_t *out_step, size_t *out_at)
{
    struct judge judge = {.transcript = transcript};
    const char *wrong = NULL;
    size_t i = 0;
    for (; i < script->count && !wrong; i++)
        wrong = judge_step(&judge, &script->steps[i]);
    *out_step = wrong ? i - 1 : i;
    if (!wrong)
        wrong = expect_barrier(&judge, NULL);
    *out_at = judge.at;
    return wrong;
}
