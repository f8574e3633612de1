/*
 * openat2.c: valgrind does not know openat2(2). Loaded before a program (LD_PRELOAD), this has a plain openat(2) do for it, so that the
 * program can be counted (counted.py). For files of our own only: nothing is resolved beneath anything.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
    static long (*real)(long number, ...);
    long with[6];
    va_list args;
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        with[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_openat2)
        return openat((int)with[0], (const char *)with[1],
                      (int)((const struct open_how *)with[2])->flags);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    return real(number, with[0], with[1], with[2], with[3], with[4], with[5]);
}
