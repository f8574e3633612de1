/* Names of files from a stranger on a page and in JSON: nothing of them becomes markup, and nothing is written past its room. */
#include "service/listing.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const char *page, size_t len, const char *markup)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)page[i];
        if (c < 0x20 && c != '\n')
            abort();
    }
    /* No name can spell this. */
    if (markup && memmem(page, len, markup, strlen(markup)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct listing_row rows[ROWS_MAX];
    struct listing listing = {
        .path = {"/a/<b>&\xff/", 9}, .url_path = {"/<i>&/a/<b>&\xff/", 14}, .rows = rows};
    while (len > 0 && listing.count < ROWS_MAX) {
        size_t n = strnlen((const char *)bytes, len < 255 ? len : 255);
        rows[listing.count] = (struct listing_row){.name = strndup((const char *)bytes, n),
                                                   .folder = n % 3 == 0,
                                                   .size = (uint64_t)n << (n % 60),
                                                   .modified_s = (int64_t)(n << (n % 50))};
        listing.count++;
        n += n < len;
        bytes += n;
        len -= n;
    }
    size_t html_len = 0, json_len = 0;
    char *html = listing_html(&listing, &html_len), *json = listing_json(&listing, &json_len);
    if (!html || !json)
        abort();
    check(html, html_len, "<script");
    check(json, json_len, NULL);
    listing.rows = NULL;
    free(html);
    free(json);
    for (size_t i = 0; i < listing.count; i++)
        free(rows[i].name);
    return 0;
}
