/*
 * tests/script/frames.h: HTTP/2 as text a person can read, for scripts: lines of `>` become frames before a run, what was sent
 * becomes lines after it. README.md describes them.
 */
#pragma once

#include "play.h"

/* Turns the text of each `>` line into the frames it names. NULL, or what is wrong, with the step. */
const char *frames_encode(struct script *, size_t *out_step);
/* Turns the bytes of a transcript into a line a frame; content that follows content of the same stream joins it. */
bool frames_decode(struct transcript *);
