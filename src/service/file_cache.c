#include "service/file_cache.h"

#include "base/bytes.h"
#include "service/entry.h"
#include "tbl/limits.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void file_cache_defaults(struct file_cache_options *options)
{
    if (!options->ready_bytes)
        options->ready_bytes = LIMIT_FILE_CACHE_BYTES;
    if (!options->ready_max)
        options->ready_max = LIMIT_FILE_READY_BYTES;
    if (!options->ready_files)
        options->ready_files = LIMIT_FILE_CACHE_FILES;
    if (!options->open_files)
        options->open_files = LIMIT_FILE_CACHE_OPEN;
}

/* Eight bytes at a time. Only names of files that exist are kept, so nobody outside can choose what collides. */
static uint64_t hash_of(struct weir_bytes path)
{
    uint64_t hash = path.len * 0x9e3779b97f4a7c15u;
    size_t i = 0;
    for (; i + 8 <= path.len; i += 8) {
        uint64_t word;
        memcpy(&word, path.at + i, 8);
        hash = (hash ^ word) * 0xbf58476d1ce4e5b9u;
        hash ^= hash >> 32;
    }
    uint64_t rest = 0;
    memcpy(&rest, path.at + i, path.len - i);
    hash = (hash ^ rest) * 0x94d049bb133111ebu;
    return hash ^ hash >> 29;
}

static struct entry *find(struct file_cache *cache, const struct folder *folder, uint64_t hash,
                          struct weir_bytes path)
{
    struct entry *entry = cache->buckets[hash % FILE_CACHE_BUCKETS];
    while (entry &&
           (entry->hash != hash || entry->folder != folder || !bytes_equal(entry->path, path)))
        entry = entry->chain;
    return entry;
}

static struct file_ages *ages_of(struct file_cache *cache, const struct file *file)
{
    return file->fd >= 0 ? &cache->open : &cache->ready;
}

static void link_newest(struct file_ages *ages, struct file *file)
{
    file->newer = NULL;
    file->older = ages->newest;
    *(ages->newest ? &ages->newest->newer : &ages->oldest) = file;
    ages->newest = file;
    ages->count++;
}

static void unlink_age(struct file_ages *ages, struct file *file)
{
    *(file->older ? &file->older->newer : &ages->oldest) = file->newer;
    *(file->newer ? &file->newer->older : &ages->newest) = file->older;
    ages->count--;
}

static void unlink_file(struct file_cache *cache, struct file *file)
{
    file->entry->as[file->coding] = NULL;
    file->entry = NULL;
    unlink_age(ages_of(cache, file), file);
    cache->memory -= file->memory;
    if (file->fd >= 0)
        atomic_fetch_sub_explicit(&cache->budget->open, 1, memory_order_relaxed);
    weir_drop(&file->ref);
}

static void forget(struct file_cache *cache, struct entry *entry)
{
    if (!entry->kept)
        return;
    struct entry **at = &cache->buckets[entry->hash % FILE_CACHE_BUCKETS];
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    for (int i = 0; i < CODINGS; i++)
        if (entry->as[i])
            unlink_file(cache, entry->as[i]);
    cache->memory -= entry->memory;
    entry->kept = false;
    weir_drop(&entry->ref);
}

/* With its last representation an entry goes too. */
static void forget_file(struct file_cache *cache, struct file *file)
{
    struct entry *entry = file->entry;
    unlink_file(cache, file);
    for (int i = 0; i < CODINGS; i++)
        if (entry->as[i])
            return;
    forget(cache, entry);
}

/* Each file that was used since it was last passed over goes to the end once, so this ends. */
static void make_room(struct file_cache *cache, size_t memory)
{
    struct file_ages *ages = &cache->ready;
    while (ages->oldest && (cache->memory + memory > cache->options.ready_bytes ||
                            ages->count >= cache->options.ready_files)) {
        struct file *file = ages->oldest;
        if (file->used) {
            file->used = false;
            unlink_age(ages, file);
            link_newest(ages, file);
        } else {
            forget_file(cache, file);
        }
    }
}

static bool take_descriptor(struct file_budget *budget)
{
    if (atomic_fetch_add_explicit(&budget->open, 1, memory_order_relaxed) < budget->max)
        return true;
    atomic_fetch_sub_explicit(&budget->open, 1, memory_order_relaxed);
    return false;
}

/* May one more descriptor stay open? If need be in the place of this cache's own oldest. */
static bool make_open_room(struct file_cache *cache)
{
    if (!cache->budget)
        return false;
    if (take_descriptor(cache->budget))
        return true;
    if (!cache->open.oldest)
        return false;
    forget_file(cache, cache->open.oldest);
    return take_descriptor(cache->budget);
}

static void keep_entry(struct file_cache *cache, struct entry *entry)
{
    struct entry **bucket = &cache->buckets[entry->hash % FILE_CACHE_BUCKETS];
    if (entry->fd >= 0) /* another representation was asked for */
        close(entry->fd);
    entry->fd = -1;
    entry->chain = *bucket;
    entry->kept = true;
    *bucket = entry;
    cache->memory += entry->memory;
    weir_hold(&entry->ref);
}

static void keep(struct file_cache *cache, struct entry *entry, struct file *file)
{
    size_t memory = file->memory + entry->memory;
    if (file->fd < 0) {
        make_room(cache, memory);
        if (cache->memory + memory > cache->options.ready_bytes)
            return;
    } else if (!make_open_room(cache)) {
        return;
    }
    if (!entry->kept)
        keep_entry(cache, entry);
    entry->as[file->coding] = file;
    file->entry = entry;
    file->used = false;
    link_newest(ages_of(cache, file), file);
    cache->memory += file->memory;
    weir_hold(&file->ref);
}

/* The neighbours that are in use are what they were, and now and then: there are no others. */
static bool same_neighbours(struct entry *entry, uint64_t now_ns)
{
    char name[ENTRY_NAME_MAX];
    for (enum coding i = CODING_GZIP; i < CODINGS; i++)
        if (entry->as[i] && !entry->as[i]->made &&
            !file_same(&entry->as[i]->stamp, entry->folder->root, entry_name(entry, i, name)))
            return false;
    if (now_ns - entry->looked_ns < LIMIT_NEIGHBOUR_MS * WEIR_NS_PER_MS)
        return true;
    entry->looked_ns = now_ns;
    return entry_neighbours(entry) == entry->beside;
}

/* Compared with its file lately enough, or now. */
static bool is_current(struct entry *entry, uint64_t now_ns)
{
    if (now_ns - entry->checked_ns < LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS)
        return true;
    entry->checked_ns = now_ns;
    return file_same(&entry->stamp, entry->folder->root, entry->name) &&
           same_neighbours(entry, now_ns);
}

int file_cache_find(struct file_cache *cache, const struct folder *folder, struct weir_bytes path,
                    struct weir_now now, struct entry **out)
{
    uint64_t hash = hash_of(path);
    struct entry *entry = find(cache, folder, hash, path);
    if (entry && is_current(entry, now.mono_ns)) {
        weir_hold(&entry->ref);
        *out = entry;
        return 0;
    }
    if (entry)
        forget(cache, entry);
    int rc = entry_new(folder, path, now, &entry);
    if (rc < 0)
        return rc;
    entry->hash = hash;
    *out = entry;
    return 0;
}

/* Ready replies get a second chance later, which costs less on the way; open files are kept in order. */
static void note_use(struct file_cache *cache, struct file *file, uint64_t now_ns)
{
    file->used = true;
    if (file->fd < 0)
        return;
    file->used_ns = now_ns;
    if (cache->open.newest != file) {
        unlink_age(&cache->open, file);
        link_newest(&cache->open, file);
    }
}

/* While there is memory, all that is cheaper from there; then small files only, which gain the most from each byte. */
static size_t ready_max(const struct file_cache *cache)
{
    uint64_t max = cache->options.ready_max;
    if (cache->memory + max < cache->options.ready_bytes || max < LIMIT_FILE_SMALL_BYTES)
        return max;
    return LIMIT_FILE_SMALL_BYTES;
}

int file_cache_source(struct file_cache *cache, struct entry *entry, int *out_fd)
{
    struct stat st;
    int rc = 0;
    if (entry->fd >= 0) {
        *out_fd = entry->fd;
        entry->fd = -1;
    } else {
        rc = entry_open(entry, CODING_IDENTITY, out_fd, &st);
    }
    if (rc == -ESTALE)
        forget(cache, entry);
    return rc;
}

/* Its descriptor, wherever it comes from. */
static int open_as(struct file_cache *cache, struct entry *entry, enum coding coding, int *out_fd,
                   struct stat *out)
{
    *out = entry->st;
    if (coding == CODING_IDENTITY)
        return file_cache_source(cache, entry, out_fd);
    if (entry->beside & 1u << coding) {
        int rc = entry_open(entry, coding, out_fd, out);
        if (rc == -ESTALE)
            forget(cache, entry);
        return rc;
    }
    struct coding_key key = {entry->stamp, coding, entry->folder->level[coding]};
    int rc = coding_store_find(&entry->folder->store, &key, out_fd);
    if (rc == 0 && fstat(*out_fd, out) < 0) {
        close(*out_fd);
        return -EIO;
    }
    if (rc == -EFBIG)
        entry->made = (uint8_t)(entry->made & ~(1u << coding));
    return rc;
}

static int load(struct file_cache *cache, struct entry *entry, enum coding coding,
                struct weir_now now, struct file **out)
{
    int fd;
    struct stat st;
    int rc = open_as(cache, entry, coding, &fd, &st);
    if (rc < 0)
        return rc;
    bool made = coding != CODING_IDENTITY && !(entry->beside & 1u << coding);
    struct file_words words = {
        .type = entry->type,
        .cache_control = entry->cache_control,
        .varies = entry->varies,
        .coding = coding,
        .tag = made ? entry->folder->tag[coding] : NULL,
        .source = &entry->stamp,
    };
    rc = file_load(fd, &st, &words, now, ready_max(cache), out);
    if (rc == 0 && entry->settled && (made || stamp_settled(&(*out)->stamp, now)))
        keep(cache, entry, *out);
    return rc;
}

int file_cache_load(struct file_cache *cache, struct entry *entry, enum coding coding,
                    struct weir_now now, struct file **out)
{
    struct file *file = entry->as[coding];
    if (!file)
        return load(cache, entry, coding, now, out);
    if (file->fd >= 0 && !file->made && !file_unchanged(file)) {
        forget(cache, entry);
        return -ESTALE;
    }
    note_use(cache, file, now.mono_ns);
    weir_hold(&file->ref);
    *out = file;
    return 0;
}

uint64_t file_cache_expire(struct file_cache *cache, uint64_t now_ns)
{
    const uint64_t late = LIMIT_FILE_OPEN_MS * WEIR_NS_PER_MS;
    while (cache->open.oldest && now_ns - cache->open.oldest->used_ns >= late)
        forget_file(cache, cache->open.oldest);
    return cache->open.oldest ? cache->open.oldest->used_ns + late : 0;
}

void file_cache_done(struct file_cache *cache)
{
    while (cache->ready.oldest)
        forget_file(cache, cache->ready.oldest);
    while (cache->open.oldest)
        forget_file(cache, cache->open.oldest);
}
