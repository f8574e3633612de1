#include "load/page.h"

#include <string.h>

static const char *entity_of(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

void page_text(FILE *f, const char *text)
{
    for (; *text; text++) {
        const char *entity = entity_of(*text);
        if (entity)
            fputs(entity, f);
        else
            fputc(*text, f);
    }
}

void page_element(FILE *f, const char *tag, const char *text)
{
    fprintf(f, "<%s>", tag);
    page_text(f, text);
    fprintf(f, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void json_text(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20)
            fprintf(f, "\\u%04x", c);
        else
            fputc(c, f);
    }
    fputc('"', f);
}

/* Colours in pairs, for paper and for the night; told apart by marks too. */
static const char *const style =
    ":root{color-scheme:light dark;--back:#fcfcfa;--card:#fff;--ink:#1d2328;--soft:#5c666f;"
    "--line:#dfe3e6;--grid:#e9ecee;--c0:#0b62c4;--c1:#c2410c;--c2:#15803d;--c3:#7c3aed;--c4:#be123c;"
    "--c5:#0e7490;--c6:#6b6560}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#14181c;--card:#1b2025;--ink:#e6eaed;"
    "--soft:#9aa5ae;--line:#2d353c;--grid:#293037;--c0:#6cb2ff;--c1:#ff9d5c;--c2:#5fd38a;--c3:#bda2ff;"
    "--c4:#ff8097;--c5:#55cbe0;--c6:#b3ada6}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.2rem 1rem 3rem;max-width:76rem;background:var(--back);"
    "color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}\n"
    "h2{font-size:1.2rem;margin:2.2rem 0 .5rem}\n"
    "p{max-width:46rem;margin:.5rem 0}.soft{color:var(--soft)}\n"
    ".plots{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}\n"
    "figure{margin:0;padding:.8rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:8px;min-width:0}\n"
    "figcaption{font-weight:600;margin-bottom:.3rem}\n"
    "svg.plot{display:block;width:100%;height:auto;overflow:visible}\n"
    "svg text{font:12.5px system-ui,sans-serif;fill:var(--soft)}\n"
    "@media(max-width:34rem){svg.plot text{font-size:15.5px}}\n"
    ".grid{stroke:var(--grid)}.axis{stroke:var(--soft)}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.mark{stroke-width:1.5;fill:var(--card)}\n"
    ".s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}"
    ".s4{stroke:var(--c4)}.s5{stroke:var(--c5)}.s6{stroke:var(--c6)}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.6rem 0;padding:0;list-style:none;"
    "font-size:.9rem}.legend li{display:flex;align-items:center;gap:.4rem}\n"
    ".legend svg{width:34px;height:14px;flex:none}\n"
    ".scroll{overflow-x:auto;margin:.8rem 0;background:var(--card);border:1px solid var(--line);"
    "border-radius:8px}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.92rem}\n"
    "th,td{padding:.35rem .7rem;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}\n"
    "thead th{border-top:0;color:var(--soft);font-weight:600}th:first-child,td:first-child"
    "{text-align:left}\n"
    ".facts{display:grid;gap:.7rem;margin:1rem 0;grid-template-columns:repeat(auto-fit,minmax(7.6rem,1fr))}\n"
    ".facts div{padding:.6rem .8rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:8px}\n"
    ".facts dt{color:var(--soft);font-size:.85rem}.facts dd{margin:0;font-size:1.25rem;"
    "font-variant-numeric:tabular-nums}\n";

void page_begin(FILE *f, const char *title, const char *intro)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n",
          f);
    page_element(f, "title", title);
    fprintf(f, "<style>\n%s</style>\n<body>\n", style);
    page_element(f, "h1", title);
    page_element(f, "p class=\"soft\"", intro);
}

void page_end(FILE *f)
{
    fputs("</body>\n</html>\n", f);
}
