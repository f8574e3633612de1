/*
 * Shared memory between parent and child: no byte passes through the kernel. Messages can be made and looked at where they lie.
 *
 * run: ./shm_parent_child -> "the child says: 6 x 7 = 42\nthe child has gone\n"
 */
#include <weir/shm.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(struct weir_stream *stream)
{
    int v[2];
    void *at;
    if (weir_read_full(stream, v, sizeof v) != sizeof v || weir_shm_reserve(stream, 64, &at) < 0)
        return 1;
    int n = snprintf(at, 64, "%d x %d = %d", v[0], v[1], v[0] * v[1]); /* in the ring itself */
    return weir_shm_commit(stream, (size_t)n) < 0;
}

int main(void)
{
    struct weir_stream *ends[2];
    const void *at;
    if (weir_shm_pair(0, ends) < 0)
        return 1;
    pid_t pid = fork();
    weir_close(ends[pid == 0 ? 0 : 1]); /* each keeps one end, and closes its copy of the other */
    if (pid == 0)
        return child(ends[1]);
    if (pid < 0 || weir_write_all(ends[0], (int[]){6, 7}, 2 * sizeof(int)) < 0)
        return 1;
    ssize_t n = weir_shm_peek(ends[0], 1, &at);
    printf("the child says: %.*s\n", (int)n, (const char *)at);
    if (n < 0 || weir_shm_consume(ends[0], (size_t)n) < 0 || weir_shm_peek(ends[0], 1, &at) != 0)
        return 1;
    printf("the child has gone\n"); /* had it been killed, it would be the same */
    weir_close(ends[0]);
    return waitpid(pid, NULL, 0) != pid;
}
