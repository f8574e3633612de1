/* What a path names: looked at once, and what lies beside it. */
#include "service/entry.h"

#include "base/text.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDEX "index.html"

static const char *const endings[CODINGS] = {"", ".gz", ".zst", ".br"};

static void entry_free(struct weir_ref *ref)
{
    struct entry *entry = (struct entry *)ref;
    if (entry->fd >= 0)
        close(entry->fd);
    free(entry);
}

/* A neighbour that is older than the file was made of what the file was before. Tools that copy times may keep whole seconds
 * only. */
static bool is_older(const struct stat *st, const struct stamp *than)
{
    if (st->st_mtim.tv_sec != than->modified.tv_sec)
        return st->st_mtim.tv_sec < than->modified.tv_sec;
    return st->st_mtim.tv_nsec != 0 && st->st_mtim.tv_nsec < than->modified.tv_nsec;
}

const char *entry_name(const struct entry *entry, enum coding coding, char name[ENTRY_NAME_MAX])
{
    struct text t;
    if (coding == CODING_IDENTITY)
        return entry->name;
    text_init(&t, name, ENTRY_NAME_MAX);
    text_str(&t, entry->name);
    text_str(&t, endings[coding]);
    return text_end(&t);
}

int entry_open(const struct entry *entry, enum coding coding, int *out_fd, struct stat *out)
{
    char name[ENTRY_NAME_MAX];
    int fd;
    struct stat st;
    int rc = file_open(entry->folder->root, entry_name(entry, coding, name), &fd, &st);
    if (rc < 0)
        return rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE ? rc : -ESTALE;
    struct stamp stamp = stamp_of(&st);
    bool good = coding == CODING_IDENTITY ? stamp_same(&stamp, &entry->stamp)
                                          : !is_older(&st, &entry->stamp);
    if (!good) {
        close(fd);
        return -ESTALE;
    }
    *out_fd = fd;
    *out = st;
    return 0;
}

uint8_t entry_neighbours(const struct entry *entry)
{
    unsigned beside = 0;
    if (mime_worth(entry->type) == MIME_PACKED)
        return 0;
    for (enum coding i = CODING_GZIP; i < CODINGS; i++) {
        char name[ENTRY_NAME_MAX];
        struct stat st;
        if (!(entry->folder->offered & 1u << i) ||
            file_look(entry->folder->root, entry_name(entry, i, name), &st) < 0)
            continue;
        if (S_ISREG(st.st_mode) && !is_older(&st, &entry->stamp))
            beside |= 1u << i;
    }
    return (uint8_t)beside;
}

/* What may be coded on the fly; a neighbour is not made again. */
static uint8_t codings_to_make(const struct entry *entry)
{
    uint64_t size = (uint64_t)entry->stamp.size;
    bool worth = size >= LIMIT_CODING_MIN_BYTES && size <= entry->folder->coding_max &&
                 mime_worth(entry->type) == MIME_WORTH;
    return worth ? (uint8_t)(entry->folder->made & ~entry->beside) : 0;
}

static struct entry *entry_alloc(const struct folder *folder, struct weir_bytes path,
                                 const char *name)
{
    size_t name_len = strlen(name) + 1;
    size_t memory = sizeof(struct entry) + name_len + path.len;
    struct entry *entry = malloc(memory);
    if (!entry)
        return NULL;
    char *name_at = (char *)(entry + 1);
    memcpy(name_at, name, name_len);
    memcpy(name_at + name_len, path.at, path.len);
    *entry = (struct entry){
        .ref = {1, entry_free},
        .folder = folder,
        .fd = -1,
        .path = {name_at + name_len, path.len},
        .name = name_at,
        .memory = memory,
    };
    return entry;
}

/* -ENAMETOOLONG: no file can have that name. */
static int name_of(struct weir_bytes path, char *name, size_t size)
{
    struct text t;
    text_init(&t, name, size);
    text_add(&t, path.at + 1, path.len - 1);
    if (path.at[path.len - 1] == '/')
        text_str(&t, INDEX);
    text_end(&t);
    return t.cut ? -ENAMETOOLONG : 0;
}

int entry_new(const struct folder *folder, struct weir_bytes path, struct weir_now now,
              struct entry **out)
{
    char name[LIMIT_FILE_PATH_BYTES + sizeof(INDEX)];
    struct stat st;
    int fd;
    if (path.len > LIMIT_FILE_PATH_BYTES || name_of(path, name, sizeof(name)) < 0)
        return -ENOENT;
    int rc = file_open(folder->root, name, &fd, &st);
    if (rc < 0)
        return rc;
    struct entry *entry = entry_alloc(folder, path, name);
    if (!entry) {
        close(fd);
        return -ENOMEM;
    }
    entry->fd = fd;
    entry->st = st;
    entry->stamp = stamp_of(&st);
    entry->settled = stamp_settled(&entry->stamp, now);
    entry->checked_ns = entry->looked_ns = now.mono_ns;
    entry->type = mime_type(folder->mime, (struct weir_bytes){name, strlen(name)});
    entry->cache_control = folder_cache_control(folder, name, entry->type);
    entry->beside = entry_neighbours(entry);
    entry->made = codings_to_make(entry);
    entry->varies = entry->beside | entry->made;
    if (!entry->settled)
        entry->made = 0;
    *out = entry;
    return 0;
}

int entry_pick(const struct entry *entry, struct accept accept, unsigned without)
{
    unsigned have = (1u << CODING_IDENTITY | entry->beside | entry->made) & ~without;
    int best = -1;
    unsigned best_liked = 0;
    for (int i = 0; i < CODINGS; i++) {
        if (!(have & 1u << i) || accept.rank[i] == 0)
            continue;
        unsigned liked =
            accept.rank[i] * 16u + (entry->beside >> i & 1) * 8u + entry->folder->preference[i];
        if (liked > best_liked) {
            best = i;
            best_liked = liked;
        }
    }
    return best;
}
