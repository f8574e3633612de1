#include "base/text.h"
#include "service/file.h"
#include "service/listing.h"
#include "tbl/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A link is looked at from the root, as a request for it would be: one that leads out is not there. */
static int look(const struct listing *listing, const struct folder *folder, int dir,
                const char *name, struct stat *out)
{
    if (fstatat(dir, name, out, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISLNK(out->st_mode))
        return 0;
    char whole[LIMIT_FILE_PATH_BYTES + 1];
    struct text t;
    text_init(&t, whole, sizeof(whole));
    text_add(&t, listing->path.at + 1, listing->path.len - 1);
    text_str(&t, name);
    text_end(&t);
    return t.cut ? -ENAMETOOLONG : file_look(folder->root, whole, out);
}

static int add(struct listing *listing, const char *name, const struct stat *st)
{
    if (listing->count == listing->room) {
        size_t room = listing->room ? listing->room * 2 : 64;
        struct listing_row *rows = realloc(listing->rows, room * sizeof(*rows));
        if (!rows)
            return -ENOMEM;
        listing->rows = rows;
        listing->room = room;
    }
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    listing->rows[listing->count++] = (struct listing_row){
        .name = copy,
        .folder = S_ISDIR(st->st_mode),
        .size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
        .modified_s = st->st_mtim.tv_sec,
    };
    return 0;
}

static int read_rows(struct listing *listing, const struct folder *folder, DIR *reader)
{
    const struct dirent *entry;
    int rc = 0;
    while (rc == 0 && (entry = readdir(reader))) {
        struct stat st;
        if (entry->d_name[0] == '.' || look(listing, folder, dirfd(reader), entry->d_name, &st) < 0)
            continue;
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            continue;
        if (listing->count == LIMIT_LISTING_ENTRIES) {
            listing->cut = true;
            break;
        }
        rc = add(listing, entry->d_name, &st);
    }
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const struct listing_row *x = a, *y = b;
    if (x->folder != y->folder)
        return x->folder ? -1 : 1;
    int order = strverscmp(x->name, y->name); /* file2 before file10 */
    return order ? order : strcmp(x->name, y->name);
}

static int by_size(const void *a, const void *b)
{
    const struct listing_row *x = a, *y = b;
    if (x->folder != y->folder || x->size == y->size)
        return by_name(a, b);
    return x->size < y->size ? -1 : 1;
}

static int by_time(const void *a, const void *b)
{
    const struct listing_row *x = a, *y = b;
    if (x->folder != y->folder || x->modified_s == y->modified_s)
        return by_name(a, b);
    return x->modified_s < y->modified_s ? -1 : 1;
}

static void reverse(struct listing_row *rows, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct listing_row row = rows[i];
        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = row;
    }
}

/* Folders stay in front, whichever way the rest goes. */
static void sort(struct listing *listing)
{
    static int (*const orders[LISTING_SORTS])(const void *, const void *) = {by_name, by_size,
                                                                             by_time};
    size_t folders = 0;
    if (listing->count == 0)
        return;
    qsort(listing->rows, listing->count, sizeof(*listing->rows), orders[listing->sort]);
    while (folders < listing->count && listing->rows[folders].folder)
        folders++;
    if (listing->descending) {
        reverse(listing->rows, folders);
        reverse(listing->rows + folders, listing->count - folders);
    }
}

int listing_read(struct listing *listing, const struct folder *folder, int fd)
{
    DIR *reader = fdopendir(fd);
    if (!reader) {
        close(fd);
        return -ENOMEM;
    }
    int rc = read_rows(listing, folder, reader);
    closedir(reader);
    sort(listing);
    return rc;
}

void listing_done(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->rows[i].name);
    free(listing->rows);
    listing->rows = NULL;
    listing->count = listing->room = 0;
}
