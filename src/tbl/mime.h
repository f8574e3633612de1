/*
 * tbl/mime.h: types by the ending of a name (RFC 9239 for scripts, RFC 6838's registry for the rest), sorted by
 * ending. Text is UTF-8: what is not, browsers find out by its own declaration or not at all. Rows, no code.
 */
#pragma once

#define MIME_OTHER "application/octet-stream"

/* T(ending, type) */
#define MIME_TYPES(T)                                                                              \
    T("7z", "application/x-7z-compressed")                                                         \
    T("aac", "audio/aac")                                                                          \
    T("apng", "image/apng")                                                                        \
    T("atom", "application/atom+xml")                                                              \
    T("avif", "image/avif")                                                                        \
    T("bmp", "image/bmp")                                                                          \
    T("bz2", "application/x-bzip2")                                                                \
    T("c", "text/plain; charset=utf-8")                                                            \
    T("cjs", "text/javascript; charset=utf-8")                                                     \
    T("conf", "text/plain; charset=utf-8")                                                         \
    T("css", "text/css; charset=utf-8")                                                            \
    T("csv", "text/csv; charset=utf-8")                                                            \
    T("deb", "application/vnd.debian.binary-package")                                              \
    T("eot", "application/vnd.ms-fontobject")                                                      \
    T("epub", "application/epub+zip")                                                              \
    T("flac", "audio/flac")                                                                        \
    T("gif", "image/gif")                                                                          \
    T("gz", "application/gzip")                                                                    \
    T("h", "text/plain; charset=utf-8")                                                            \
    T("htm", "text/html; charset=utf-8")                                                           \
    T("html", "text/html; charset=utf-8")                                                          \
    T("ico", "image/vnd.microsoft.icon")                                                           \
    T("ics", "text/calendar; charset=utf-8")                                                       \
    T("jpeg", "image/jpeg")                                                                        \
    T("jpg", "image/jpeg")                                                                         \
    T("js", "text/javascript; charset=utf-8")                                                      \
    T("json", "application/json")                                                                  \
    T("jsonld", "application/ld+json")                                                             \
    T("jxl", "image/jxl")                                                                          \
    T("log", "text/plain; charset=utf-8")                                                          \
    T("m3u8", "application/vnd.apple.mpegurl")                                                     \
    T("m4a", "audio/mp4")                                                                          \
    T("m4v", "video/mp4")                                                                          \
    T("map", "application/json")                                                                   \
    T("md", "text/markdown; charset=utf-8")                                                        \
    T("mjs", "text/javascript; charset=utf-8")                                                     \
    T("mov", "video/quicktime")                                                                    \
    T("mp3", "audio/mpeg")                                                                         \
    T("mp4", "video/mp4")                                                                          \
    T("mpd", "application/dash+xml")                                                               \
    T("oga", "audio/ogg")                                                                          \
    T("ogg", "audio/ogg")                                                                          \
    T("ogv", "video/ogg")                                                                          \
    T("opus", "audio/ogg")                                                                         \
    T("otf", "font/otf")                                                                           \
    T("pdf", "application/pdf")                                                                    \
    T("png", "image/png")                                                                          \
    T("ps", "application/postscript")                                                              \
    T("rss", "application/rss+xml")                                                                \
    T("rtf", "application/rtf")                                                                    \
    T("sh", "text/plain; charset=utf-8")                                                           \
    T("svg", "image/svg+xml")                                                                      \
    T("tar", "application/x-tar")                                                                  \
    T("tif", "image/tiff")                                                                         \
    T("tiff", "image/tiff")                                                                        \
    T("toml", "application/toml")                                                                  \
    T("ts", "video/mp2t")                                                                          \
    T("ttf", "font/ttf")                                                                           \
    T("txt", "text/plain; charset=utf-8")                                                          \
    T("vtt", "text/vtt; charset=utf-8")                                                            \
    T("wasm", "application/wasm")                                                                  \
    T("wav", "audio/wav")                                                                          \
    T("weba", "audio/webm")                                                                        \
    T("webm", "video/webm")                                                                        \
    T("webmanifest", "application/manifest+json")                                                  \
    T("webp", "image/webp")                                                                        \
    T("woff", "font/woff")                                                                         \
    T("woff2", "font/woff2")                                                                       \
    T("xhtml", "application/xhtml+xml")                                                            \
    T("xml", "application/xml")                                                                    \
    T("xz", "application/x-xz")                                                                    \
    T("yaml", "application/yaml")                                                                  \
    T("yml", "application/yaml")                                                                   \
    T("zip", "application/zip")                                                                    \
    T("zst", "application/zstd")

/* What coding gains, by type: the first pattern that fits counts. W(pattern, PACKED | UNSURE | WORTH) */
#define MIME_WORTHS(W)                                                                             \
    W("text/*", WORTH)                                                                             \
    W("*+json", WORTH)                                                                             \
    W("*+xml", WORTH)                                                                              \
    W("application/json", WORTH)                                                                   \
    W("application/javascript", WORTH)                                                             \
    W("application/xml", WORTH)                                                                    \
    W("application/yaml", WORTH)                                                                   \
    W("application/toml", WORTH)                                                                   \
    W("application/wasm", WORTH)                                                                   \
    W("application/rtf", WORTH)                                                                    \
    W("application/postscript", WORTH)                                                             \
    W("application/vnd.apple.mpegurl", WORTH)                                                      \
    W("application/vnd.ms-fontobject", WORTH)                                                      \
    W("application/x-tar", WORTH)                                                                  \
    W("font/otf", WORTH)                                                                           \
    W("font/ttf", WORTH)                                                                           \
    W("image/bmp", WORTH)                                                                          \
    W("image/vnd.microsoft.icon", WORTH)                                                           \
    W("image/*", PACKED)                                                                           \
    W("audio/*", PACKED)                                                                           \
    W("video/*", PACKED)                                                                           \
    W("font/woff*", PACKED)                                                                        \
    W("application/zip", PACKED)                                                                   \
    W("application/gzip", PACKED)                                                                  \
    W("application/zstd", PACKED)                                                                  \
    W("application/epub+zip", PACKED)                                                              \
    W("application/x-7z-compressed", PACKED)                                                       \
    W("application/x-bzip2", PACKED)                                                               \
    W("application/x-xz", PACKED)                                                                  \
    W("application/vnd.debian.binary-package", PACKED)                                             \
    W("application/vnd.openxmlformats-*", PACKED)                                                  \
    W("application/vnd.oasis.*", PACKED)
