#include "play.h"

#include "alloc.h"
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One run under way. */
struct stage {
    const struct play *play;
    struct sim *sim;
    struct sim_end *end;
    void *world;
    size_t sent; /* bytes of input */
    struct transcript *out;
    int error;
};

static void mark(struct stage *stage, size_t step)
{
    stage->error = sim_run(stage->sim);
    if (!stage->out || stage->error < 0)
        return;
    struct mark *at = &stage->out->marks[stage->out->count++];
    *at = (struct mark){
        .step = step, .len = sim_output(stage->end).len, .ended = sim_ended(stage->end)};
    at->closed = sim_closed(stage->end, &at->why);
}

/* false: the peer broke here, as the run was told. */
static bool send_step(struct stage *stage, const struct script_step *step)
{
    size_t left = stage->play->reset_in - stage->sent;
    size_t n = step->len < left ? step->len : left;
    stage->error = sim_send(stage->end, step->bytes, n);
    stage->sent += n;
    return n == step->len && stage->sent != stage->play->reset_in;
}

static bool is_barrier(enum script_verb verb)
{
    return verb == SCRIPT_RESET || verb == SCRIPT_ENDED || verb == SCRIPT_CLOSED ||
           verb == SCRIPT_WAIT || verb == SCRIPT_LEAVE || verb == SCRIPT_WINDOW;
}

static bool do_step(struct stage *stage, size_t number)
{
    const struct script_step *step = &stage->play->script->steps[number];
    if (is_barrier(step->verb))
        mark(stage, number);
    if (stage->error < 0)
        return false;
    switch (step->verb) {
    case SCRIPT_SEND:
        return send_step(stage, step);
    case SCRIPT_FINISH:
        sim_finish(stage->end);
        return true;
    case SCRIPT_RESET:
        sim_reset(stage->end);
        return true;
    case SCRIPT_WAIT:
        stage->error = sim_wait(stage->sim, step->number);
        return true;
    case SCRIPT_LEAVE:
        sim_leave(stage->sim, (enum weir_leave)step->number);
        return true;
    case SCRIPT_WINDOW:
        sim_window(stage->end, step->number);
        return true;
    case SCRIPT_EXPECT:
    case SCRIPT_MATCH:
    case SCRIPT_ENDED:
    case SCRIPT_CLOSED:
    case SCRIPT_WITH:
        return true;
    }
    return false;
}

static int connect_stage(struct stage *stage)
{
    const struct subject *subject = stage->play->subject;
    const void *config = subject->config;
    int rc = sim_new(&stage->play->sim, &stage->sim);
    if (rc == 0 && subject->begin)
        rc = subject->begin(stage->sim, &stage->world, &config);
    if (rc < 0)
        return rc;
    stage->end = sim_connect(stage->sim, subject->protocol, config);
    if (!stage->end)
        return -ENOMEM;
    if (stage->play->reset_out != PLAY_NEVER)
        sim_break_at(stage->end, stage->play->reset_out);
    return 0;
}

static void play_steps(struct stage *stage)
{
    const struct script *script = stage->play->script;
    bool going = stage->play->reset_in > 0;
    for (size_t i = 0; i < script->count && going && stage->error == 0; i++)
        going = do_step(stage, i);
    if (!going && stage->error == 0)
        sim_reset(stage->end);
    if (stage->error == 0)
        mark(stage, script->count);
}

static void keep_output(struct stage *stage)
{
    struct weir_bytes output = sim_output(stage->end);
    stage->out->bytes = malloc(output.len + 1);
    stage->out->len = stage->out->bytes ? output.len : 0;
    if (stage->out->bytes && output.len > 0)
        memcpy(stage->out->bytes, output.at, output.len);
}

/* What must hold at the end of any run. */
static const char *complaint(const struct stage *stage, unsigned closes, bool closed)
{
    if (stage->error == -ELOOP)
        return "it spins: nothing moves and it asks for turns";
    if (stage->error < 0 && stage->out)
        return "the simulation failed";
    if (closes > 1)
        return "close() was called more than once";
    if (closes == 0 && closed)
        return "it ended without close()";
    if (!closed && stage->play->reset_in != PLAY_NEVER && stage->error == 0)
        return "the peer broke and it did not end";
    return NULL;
}

const char *play(const struct play *play, struct transcript *out)
{
    struct stage stage = {.play = play, .out = out};
    long live = alloc_live(), kept = out ? 2 : 0;
    if (out) {
        *out = (struct transcript){0};
        out->marks = calloc(play->script->count + 1, sizeof(*out->marks));
    }
    const char *wrong = NULL;
    stage.error = connect_stage(&stage);
    if (stage.error == 0) {
        int why;
        play_steps(&stage);
        if (out)
            keep_output(&stage);
        wrong = complaint(&stage, sim_closes(stage.end), sim_closed(stage.end, &why));
    } else if (out) {
        return "the simulation could not begin";
    }
    if (out && play->subject->frames && !frames_decode(out))
        wrong = "the transcript is too long to be read";
    sim_free(stage.sim);
    if (stage.world)
        play->subject->end(stage.world);
    if (!wrong && alloc_live() != live + kept)
        wrong = "memory was not freed";
    return wrong;
}

void transcript_done(struct transcript *transcript)
{
    free(transcript->marks);
    free(transcript->bytes);
    *transcript = (struct transcript){0};
}

static bool same_mark(const struct mark *a, const struct mark *b)
{
    return a->step == b->step && a->len == b->len && a->ended == b->ended &&
           a->closed == b->closed && a->why == b->why;
}

bool transcript_equal(const struct transcript *a, const struct transcript *b, size_t *out_at)
{
    size_t at = 0;
    while (at < a->len && at < b->len && a->bytes[at] == b->bytes[at])
        at++;
    *out_at = at;
    if (a->len != b->len || at < a->len || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_mark(&a->marks[i], &b->marks[i]))
            return false;
    return true;
}
