/* The one table of models. */
#include "model/model.h"
#include "tbl/limits.h"

#include <string.h>

static const struct model models[] = {
    {.info = {.name = "sequential",
              .who = "the one worker, one after the other",
              .place = "1",
              .idle = "is closed as soon as another client waits",
              .crash = "every connection under way: one",
              .cost = "nothing, but the others wait",
              .caches = true,
              .talk = true,
              .workers = 1,
              .max_connections = 1},
     .run = sequential_run},
    {.info = {.name = "fork-wait",
              .who = "a child; the server waits for it",
              .place = "1",
              .idle = "is closed as soon as another client waits",
              .crash = "that connection",
              .cost = "a process, and the others wait",
              .talk = true,
              .workers = 1,
              .max_connections = 1},
     .run = fork_wait_run},
    {.info = {.name = "fork",
              .who = "a child of its own, up to --max-connections",
              .place = "a child",
              .idle = "at the cap, idle ones are asked to leave",
              .crash = "that connection",
              .cost = "a process",
              .talk = true,
              .workers = 1,
              .max_connections = LIMIT_CHILDREN},
     .run = fork_run},
    {.info = {.name = "thread",
              .who = "a thread of its own, up to --max-connections",
              .place = "a thread",
              .idle = "at the cap, idle ones are asked to leave",
              .crash = "the worker's connections: all",
              .cost = "a thread",
              .talk = true,
              .workers = 1,
              .max_connections = LIMIT_THREADS},
     .run = thread_run},
    {.info = {.name = "pool",
              .who = "one of N threads, from a bounded queue",
              .place = "a thread",
              .idle = "is parked with the acceptor and queued again when it speaks",
              .crash = "the worker's connections: all",
              .cost = "a change of threads a request; memory while idle",
              .caches = true,
              .talk = true,
              .workers = 8},
     .run = pool_run},
    {.info = {.name = "prefork",
              .who = "one of N processes that all accept",
              .place = "a process",
              .idle = "is closed as soon as another client waits",
              .crash = "that connection",
              .cost = "N processes in all; the others wait",
              .caches = true,
              .talk = true,
              .workers = 8,
              .max_connections = 1},
     .processes = true,
     .run = prefork_run},
    {.info = {.name = "event",
              .who = "one loop a core, all at once",
              .place = "a slot (memory)",
              .idle = "stays; the oldest idle one leaves when slots run out",
              .crash = "that loop's connections",
              .cost = "memory",
              .caches = true},
     .processes = true,
     .reuseport = true,
     .run = event_run},
};

#define COUNT (sizeof(models) / sizeof(*models))

const struct model *model_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(models[i].info.name, name) == 0)
            return &models[i];
    return NULL;
}

const struct weir_model_info *weir_model(unsigned i)
{
    return i < COUNT ? &models[i].info : NULL;
}
