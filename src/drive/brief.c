/*
 * Brief jobs, a signature with RSA-2048 say: under a millisecond each. A loop that has nobody to feed but clients that shake hands does
 * them itself, one at a time with a look at its descriptors in between, and saves the way to a helper and back. As soon as there is
 * anybody else, what waits goes to the helpers.
 */
#include "drive/core.h"
#include "tbl/limits.h"

static bool alone(const struct core *core)
{
    return core->count <= core->base.shaking;
}

bool brief_take(struct core *core, struct weir_job *job)
{
    if (!job->brief || !core->base.shared || !alone(core) || core->brief_count >= LIMIT_BRIEF_QUEUE)
        return false;
    job->next = NULL;
    job->cancelled = false;
    *(core->brief_last ? &core->brief_last->next : &core->brief_first) = job;
    core->brief_last = job;
    core->brief_count++;
    return true;
}

static struct weir_job *next_job(struct core *core)
{
    struct weir_job *job = core->brief_first;
    if (!job)
        return NULL;
    core->brief_first = job->next;
    if (!core->brief_first)
        core->brief_last = NULL;
    core->brief_count--;
    return job;
}

/* One that no helper takes is done here in the end. */
void brief_run(struct core *core)
{
    struct weir_job *job;
    while ((job = next_job(core)) && !alone(core) && core_lend(core, job) == 0)
        ;
    if (!job)
        return;
    job->work(job);
    job->done(job);
}

void brief_cancel(struct core *core)
{
    struct weir_job *job;
    while ((job = next_job(core))) {
        job->cancelled = true;
        job->done(job);
    }
}
