/*
 * cli/table.h: a table on a terminal: cells wrap so that it fits; if it cannot, each row becomes a list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 8

/* `cells` are rows × columns texts, the headings first. */
void table_print(const char *const *cells, unsigned rows, unsigned columns, unsigned width,
                 bool bold_headings);
/* The width of each column so that all fit into `width`, cells wrapped between words. false: they cannot. */
bool table_fit(const char *const *cells, unsigned rows, unsigned columns, unsigned width,
               unsigned *out_widths);
