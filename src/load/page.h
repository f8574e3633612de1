/*
 * load/page.h: one self-contained HTML page: its style, and text that cannot be taken for markup. Reports of load and bench.
 */
#pragma once

#include <stdio.h>

/* Up to the first heading. `intro` is text under it. */
void page_begin(FILE *, const char *title, const char *intro);
void page_end(FILE *);
/* Escapes. */
void page_text(FILE *, const char *text);
/* <TAG>text</TAG> */
void page_element(FILE *, const char *tag, const char *text);
/* A JSON string with its quotes. */
void json_text(FILE *, const char *text);
