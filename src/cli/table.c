#include "cli/table.h"

#include <stdio.h>
#include <string.h>

#define GAP 2

/* The longest word: a column cannot be narrower. */
static unsigned longest_word(const char *text)
{
    size_t longest = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        longest = len > longest ? len : longest;
        text += len;
        text += strspn(text, " ");
    }
    return (unsigned)longest;
}

bool table_fit(const char *const *cells, unsigned rows, unsigned columns, unsigned width,
               unsigned *out_widths)
{
    unsigned least[TABLE_COLUMNS_MAX] = {0}, total = GAP * (columns - 1);
    for (unsigned c = 0; c < columns; c++) {
        out_widths[c] = 0;
        for (unsigned r = 0; r < rows; r++) {
            const char *cell = cells[r * columns + c];
            unsigned len = (unsigned)strlen(cell), word = longest_word(cell);
            out_widths[c] = len > out_widths[c] ? len : out_widths[c];
            least[c] = word > least[c] ? word : least[c];
        }
        total += out_widths[c];
    }
    for (; total > width; total--) {
        unsigned widest = columns;
        for (unsigned c = 0; c < columns; c++)
            if (out_widths[c] > least[c] &&
                (widest == columns || out_widths[c] > out_widths[widest]))
                widest = c;
        if (widest == columns)
            return false;
        out_widths[widest]--;
    }
    return true;
}

/* The part of a cell that goes on this line: as many words as fit. */
static size_t line_of(const char *text, unsigned width)
{
    size_t len = strlen(text);
    if (len <= width)
        return len;
    for (len = width; len > 0 && text[len] != ' '; len--)
        ;
    return len > 0 ? len : width;
}

static void print_row(const char *const *row, unsigned columns, const unsigned *widths,
                      const char *before, const char *after)
{
    const char *rest[TABLE_COLUMNS_MAX];
    memcpy(rest, row, columns * sizeof(*rest));
    for (bool more = true; more;) {
        unsigned pad = 0;
        more = false;
        for (unsigned c = 0; c < columns; c++) {
            size_t len = line_of(rest[c], widths[c]);
            if (len > 0) {
                printf("%*s%s%.*s%s", (int)pad, "", before, (int)len, rest[c], after);
                pad = 0;
            }
            pad += widths[c] - (unsigned)len + GAP;
            rest[c] += len;
            rest[c] += strspn(rest[c], " ");
            more |= *rest[c] != '\0';
        }
        putchar('\n');
    }
}

static void print_lists(const char *const *cells, unsigned rows, unsigned columns)
{
    for (unsigned r = 1; r < rows; r++) {
        printf("%s%s\n", r > 1 ? "\n" : "", cells[r * columns]);
        for (unsigned c = 1; c < columns; c++)
            printf("  %s: %s\n", cells[c], cells[r * columns + c]);
    }
}

void table_print(const char *const *cells, unsigned rows, unsigned columns, unsigned width,
                 bool bold_headings)
{
    unsigned widths[TABLE_COLUMNS_MAX];
    if (!table_fit(cells, rows, columns, width, widths)) {
        print_lists(cells, rows, columns);
        return;
    }
    print_row(cells, columns, widths, bold_headings ? "\033[1m" : "",
              bold_headings ? "\033[0m" : "");
    for (unsigned r = 1; r < rows; r++)
        print_row(cells + r * columns, columns, widths, "", "");
}
