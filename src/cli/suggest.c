#include "cli/suggest.h"

#include <string.h>

#define WORD_MAX 40

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, three rows of its table at a time. */
unsigned suggest_distance(const char *a, const char *b)
{
    size_t alen = strlen(a), blen = strlen(b);
    if (alen > WORD_MAX || blen > WORD_MAX)
        return 99;
    unsigned rows[3][WORD_MAX + 1];
    for (size_t k = 0; k <= blen; k++)
        rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= alen; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= blen; k++) {
            unsigned changed = up[k - 1] + (a[i - 1] != b[k - 1]);
            row[k] = least(changed, least(up[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = least(row[k], upper[k - 2] + 1);
        }
    }
    return rows[alen % 3][blen];
}

/* Near enough: a third of the word may be wrong, or the word is the beginning of it. */
void suggest_see(struct suggest *suggest, const char *known)
{
    size_t len = strlen(suggest->word);
    unsigned distance = suggest_distance(suggest->word, known);
    if (len >= 3 && strncmp(suggest->word, known, len) == 0)
        distance = 1;
    if (distance > len / 3 + (len < 6) || distance >= len)
        return;
    if (!suggest->best || distance < suggest->distance) {
        suggest->best = known;
        suggest->distance = distance;
    }
}
