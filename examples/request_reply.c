/*
 * Requests and replies over frames: a parent asks, its child answers. Three questions are on their way at once. Were the
 * child to die, each call that waits for it would end with an error at once.
 *
 * run: ./request_reply -> "weir is 4 letters\nand lock is 8 letters\n is 0 letters\n"
 */
#include <weir/caller.h>
#include <weir/process.h>

#include <stdio.h>
#include <string.h>

static int count(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    char text[32];
    (void)arg, (void)bytes;
    return weir_call_reply(call, text, (size_t)snprintf(text, sizeof text, "%zu letters", len));
}

static int child(void *arg)
{
    static const struct weir_call_options options = {.request = count};
    struct weir_stream *parent;
    (void)arg;
    return weir_from_fd(3, true, &parent) < 0 || weir_call_serve(parent, &options) < 0;
}

int main(void)
{
    static const char *const questions[] = {"weir", "and lock", ""};
    struct weir_stream *ends[2];
    struct weir_process *process;
    struct weir_caller *caller;
    struct weir_answer answer;
    uint64_t ids[3];
    if (weir_pair(ends) < 0)
        return 1;
    struct weir_fd_map map[] = {{weir_read_fd(ends[1]), 3}, {2, 2}};
    struct weir_process_options options = {.map = map, .map_count = 2};
    if (weir_process_call(child, NULL, &options, &process) < 0)
        return 1;
    weir_close(ends[1]); /* only the child has it now, so its death is seen here */
    if (weir_caller_new(ends[0], NULL, &caller) < 0)
        return 1;
    for (int i = 0; i < 3; i++) /* gathered, and sent together by the first that waits */
        if (weir_caller_start(caller, questions[i], strlen(questions[i]), 1000, &ids[i]) < 0)
            return 1;
    for (int i = 0; i < 3; i++)
        if (weir_caller_wait(caller, ids[i], WEIR_FOREVER, &answer) == 0)
            printf("%s is %.*s\n", questions[i], (int)answer.len, (const char *)answer.bytes);
    weir_caller_close(caller);
    int status = weir_process_wait(process, WEIR_FOREVER);
    weir_process_free(process);
    return status;
}
