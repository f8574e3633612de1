#include "service/file_cache.h"

#include "base/bytes.h"
#include "tbl/limits.h"

#include <string.h>

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

static struct file *find(struct file_cache *cache, uint64_t hash, struct weir_bytes path)
{
    struct file *file = cache->buckets[hash % FILE_CACHE_BUCKETS];
    while (file && (file->hash != hash || !bytes_equal(file->path, path)))
        file = file->chain;
    return file;
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

static void forget(struct file_cache *cache, struct file *file)
{
    struct file **at = &cache->buckets[file->hash % FILE_CACHE_BUCKETS];
    while (*at != file)
        at = &(*at)->chain;
    *at = file->chain;
    unlink_age(ages_of(cache, file), file);
    cache->memory -= file->memory;
    if (file->fd >= 0)
        atomic_fetch_sub_explicit(&cache->budget->open, 1, memory_order_relaxed);
    weir_drop(&file->ref);
}

/* Each file that was used since it was last passed over goes to the end once, so this ends. */
static void make_room(struct file_cache *cache, size_t memory)
{
    struct file_ages *ages = &cache->ready;
    while (ages->oldest && (cache->memory + memory > LIMIT_FILE_CACHE_BYTES ||
                            ages->count >= LIMIT_FILE_CACHE_FILES)) {
        struct file *file = ages->oldest;
        if (file->used) {
            file->used = false;
            unlink_age(ages, file);
            link_newest(ages, file);
        } else {
            forget(cache, file);
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
    forget(cache, cache->open.oldest);
    return take_descriptor(cache->budget);
}

static void keep(struct file_cache *cache, struct file *file, uint64_t hash)
{
    if (file->fd < 0)
        make_room(cache, file->memory);
    else if (!make_open_room(cache))
        return;
    struct file **bucket = &cache->buckets[hash % FILE_CACHE_BUCKETS];
    file->hash = hash;
    file->used = false;
    file->chain = *bucket;
    *bucket = file;
    link_newest(ages_of(cache, file), file);
    cache->memory += file->memory;
    weir_hold(&file->ref);
}

/* Compared with its file lately enough, or now. */
static bool is_current(struct file *file, int root, uint64_t now_ns)
{
    if (file->fd >= 0 && !file_unchanged(file))
        return false;
    if (now_ns - file->checked_ns < LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS)
        return true;
    file->checked_ns = now_ns;
    return file_same(file, root);
}

/* Ready replies get a second chance later, which costs less on the way; open files are kept in order. */
static void note_use(struct file_cache *cache, struct file *file)
{
    file->used = true;
    if (file->fd >= 0 && cache->open.newest != file) {
        unlink_age(&cache->open, file);
        link_newest(&cache->open, file);
    }
}

/* While there is memory, all that is cheaper from there; then small files only, which gain the most from each byte. */
static size_t ready_max(const struct file_cache *cache)
{
    return cache->memory + LIMIT_FILE_READY_BYTES < LIMIT_FILE_CACHE_BYTES ? LIMIT_FILE_READY_BYTES
                                                                           : LIMIT_FILE_SMALL_BYTES;
}

int file_cache_get(struct file_cache *cache, int root, struct weir_bytes path, struct weir_now now,
                   struct file **out)
{
    uint64_t hash = hash_of(path);
    struct file *file = find(cache, hash, path);
    if (file && is_current(file, root, now.mono_ns)) {
        note_use(cache, file);
        weir_hold(&file->ref);
        *out = file;
        return 0;
    }
    if (file)
        forget(cache, file);
    int rc = file_open(root, path, now, ready_max(cache), &file);
    if (rc < 0)
        return rc;
    if (file->settled)
        keep(cache, file, hash);
    *out = file;
    return 0;
}

uint64_t file_cache_expire(struct file_cache *cache, uint64_t now_ns)
{
    const uint64_t late = LIMIT_FILE_OPEN_MS * WEIR_NS_PER_MS;
    while (cache->open.oldest && now_ns - cache->open.oldest->checked_ns >= late)
        forget(cache, cache->open.oldest);
    return cache->open.oldest ? cache->open.oldest->checked_ns + late : 0;
}

void file_cache_done(struct file_cache *cache)
{
    while (cache->ready.oldest)
        forget(cache, cache->ready.oldest);
    while (cache->open.oldest)
        forget(cache, cache->open.oldest);
}
