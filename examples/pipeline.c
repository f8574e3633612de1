/*
 * find | sort | head without a shell: how each stage ended, and what went through each pipe.
 *
 * run: ./pipeline -> "./echo_server.c\nfind exited with status 0, 3 lines\nsort exited with status 0, 3 lines\nhead exited with status 0\n"
 */
#include <weir/pipeline.h>
#include <weir/process.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    static const char *const commands[] = {"find . -name 'echo_*.c'", "sort -r", "head -n 1"};
    struct weir_pipeline_options options = {.meter = WEIR_METER_LINES};
    struct weir_pipeline *pipeline;
    size_t failed;
    int error = weir_pipeline_words(commands, 3, &options, &pipeline, &failed);
    if (error < 0) {
        fprintf(stderr, "pipeline: stage %zu: %s\n", failed + 1, strerror(-error));
        return 1;
    }
    if (weir_pipeline_wait(pipeline, 10000) < 0)
        error = weir_pipeline_stop(pipeline, 1000);
    for (size_t i = 0; i < 3; i++) {
        char text[64];
        struct weir_stage stage = weir_pipeline_stage(pipeline, i);
        printf("%.4s %s", commands[i], weir_process_status(stage.status, text, sizeof text));
        if (i < 2)
            printf(", %ju lines", (uintmax_t)weir_pipeline_joint(pipeline, i).lines);
        putchar('\n');
    }
    int result = weir_pipeline_result(pipeline); /* as a shell's pipefail has it */
    weir_pipeline_free(pipeline);
    return error < 0 || result != 0;
}
