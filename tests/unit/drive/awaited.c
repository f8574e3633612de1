#include "awaited.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static bool set_awaits(int set, int fd)
{
    char path[64], line[256];
    int watched;
    unsigned events;
    bool found = false;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", set);
    FILE *info = fopen(path, "re");
    while (info && fgets(line, sizeof(line), info))
        if (sscanf(line, "tfd: %d events: %x", &watched, &events) == 2 && watched == fd)
            found |= (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    if (info)
        fclose(info);
    return found;
}

static bool is_named(int fd, const char *word)
{
    char path[64], name[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(path, name, sizeof(name));
    return len > 0 && memmem(name, (size_t)len, word, strlen(word));
}

/* -1: that was the last. */
static int next_fd(DIR *all)
{
    struct dirent *entry;
    while ((entry = readdir(all)))
        if (entry->d_name[0] != '.')
            return atoi(entry->d_name);
    return -1;
}

bool is_awaited(int fd)
{
    bool found = false;
    DIR *all = opendir("/proc/self/fd");
    for (int set; all && (set = next_fd(all)) >= 0;)
        found |= is_named(set, "[eventpoll]") && set_awaits(set, fd);
    if (all)
        closedir(all);
    return found;
}

int fd_named(const char *word)
{
    int found = -1;
    DIR *all = opendir("/proc/self/fd");
    for (int fd; all && found < 0 && (fd = next_fd(all)) >= 0;)
        found = is_named(fd, word) ? fd : -1;
    if (all)
        closedir(all);
    return found;
}
