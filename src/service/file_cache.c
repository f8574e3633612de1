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

static void link_newest(struct file_cache *cache, struct file *file)
{
    file->newer = NULL;
    file->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = file;
    cache->newest = file;
}

static void unlink_age(struct file_cache *cache, struct file *file)
{
    *(file->older ? &file->older->newer : &cache->oldest) = file->newer;
    *(file->newer ? &file->newer->older : &cache->newest) = file->older;
}

static void forget(struct file_cache *cache, struct file *file)
{
    struct file **at = &cache->buckets[file->hash % FILE_CACHE_BUCKETS];
    while (*at != file)
        at = &(*at)->chain;
    *at = file->chain;
    unlink_age(cache, file);
    cache->memory -= file->memory;
    cache->count--;
    weir_drop(&file->ref);
}

/* Each file that was used since it was last passed over goes to the end once, so this ends. */
static void make_room(struct file_cache *cache, size_t memory)
{
    while (cache->oldest && (cache->memory + memory > LIMIT_FILE_CACHE_BYTES ||
                             cache->count >= LIMIT_FILE_CACHE_FILES)) {
        struct file *file = cache->oldest;
        if (file->used) {
            file->used = false;
            unlink_age(cache, file);
            link_newest(cache, file);
        } else {
            forget(cache, file);
        }
    }
}

static void keep(struct file_cache *cache, struct file *file, uint64_t hash)
{
    make_room(cache, file->memory);
    struct file **bucket = &cache->buckets[hash % FILE_CACHE_BUCKETS];
    file->hash = hash;
    file->used = false;
    file->chain = *bucket;
    *bucket = file;
    link_newest(cache, file);
    cache->memory += file->memory;
    cache->count++;
    weir_hold(&file->ref);
}

/* Compared with its file lately enough, or now. */
static bool is_current(struct file *file, int root, uint64_t now_ns)
{
    if (now_ns - file->checked_ns < LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS)
        return true;
    file->checked_ns = now_ns;
    return file_same(file, root);
}

int file_cache_get(struct file_cache *cache, int root, struct weir_bytes path, struct weir_now now,
                   struct file **out)
{
    uint64_t hash = hash_of(path);
    struct file *file = find(cache, hash, path);
    if (file && is_current(file, root, now.mono_ns)) {
        file->used = true;
        weir_hold(&file->ref);
        *out = file;
        return 0;
    }
    if (file)
        forget(cache, file);
    int rc = file_open(root, path, now, &file);
    if (rc < 0)
        return rc;
    if (file->body && file->settled)
        keep(cache, file, hash);
    *out = file;
    return 0;
}

void file_cache_done(struct file_cache *cache)
{
    while (cache->oldest)
        forget(cache, cache->oldest);
}
