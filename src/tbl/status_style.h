/*
 * tbl/status_style.h: how the page of the figures looks, in either light and on a phone. Rows, no code.
 */
#pragma once

// clang-format off
#define STATUS_STYLE \
    "\n" \
    ":root{color-scheme:light dark;--paper:#fbf9f2;--ink:#0f252c;--soft:#54686d;--lin" \
    "e:#0f252c24;\n" \
    "--ok:#0a6d75;--moved:#7a8f3c;--theirs:#b3730b;--ours:#b3261e;--card:#fff}\n" \
    "@media(prefers-color-scheme:dark){:root{--paper:#0b1a20;--ink:#e6eee9;--soft:#9d" \
    "b4b3;--line:#e6eee924;\n" \
    "--ok:#5fd0d3;--moved:#b5c96a;--theirs:#f0b455;--ours:#ff8a80;--card:#12262d}}\n" \
    "*{box-sizing:border-box}\n" \
    "body{margin:0 auto;padding:1.4rem clamp(1rem,4vw,3rem) 3rem;max-width:68rem;back" \
    "ground:var(--paper);\n" \
    "color:var(--ink);font:1rem/1.45 system-ui,sans-serif;font-variant-numeric:tabula" \
    "r-nums}\n" \
    "header{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:baseline;margin-bo" \
    "ttom:1.1rem}\n" \
    "h1{font-size:1.25rem;margin:0}\n" \
    "h2{font-size:.95rem;margin:0 0 .6rem;font-weight:600}\n" \
    "header p{margin:0;color:var(--soft);font-size:.9rem}\n" \
    "#live::before{content:\"\";display:inline-block;width:.6em;height:.6em;border-ra" \
    "dius:50%;margin-right:.45em;background:var(--theirs)}\n" \
    "#live.on::before{background:var(--ok)}\n" \
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr));ga" \
    "p:.7rem;margin:0 0 .9rem}\n" \
    ".tiles div,section{background:var(--card);border:1px solid var(--line);border-ra" \
    "dius:.6rem;padding:.75rem .9rem}\n" \
    ".tiles div{display:flex;flex-direction:column;justify-content:space-between}\n" \
    "dt{color:var(--soft);font-size:.82rem}\n" \
    "dd{margin:0;font-size:1.45rem;font-weight:600;white-space:nowrap}\n" \
    "section{margin-bottom:.9rem}\n" \
    ".plot{position:relative;height:11rem}\n" \
    ".plot svg{width:100%;height:100%;display:block}\n" \
    ".plot span{position:absolute;left:0;color:var(--soft);font-size:.75rem;backgroun" \
    "d:var(--card);padding:0 .3em 0 0}\n" \
    ".top{top:-.55em}.mid{top:calc(50% - .55em)}.low{bottom:0}\n" \
    "path{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:r" \
    "ound}\n" \
    "line{stroke:var(--line);vector-effect:non-scaling-stroke}\n" \
    ".f{stroke:none;opacity:.16}\n" \
    ".ok{stroke:var(--ok);color:var(--ok)}.moved{stroke:var(--moved);color:var(--move" \
    "d)}\n" \
    ".theirs{stroke:var(--theirs);color:var(--theirs)}.ours{stroke:var(--ours);color:" \
    "var(--ours)}\n" \
    ".f.ok{fill:var(--ok)}\n" \
    ".key{display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin:.5rem 0 0;padding:0;list-" \
    "style:none;font-size:.82rem}\n" \
    ".key b{font-weight:600}\n" \
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:" \
    "0 .9rem}\n" \
    "table{border-collapse:collapse;width:100%;font-size:.92rem}\n" \
    "th,td{text-align:left;font-weight:400;padding:.28rem 0;border-bottom:1px solid v" \
    "ar(--line)}\n" \
    "tr:last-child>*{border:0}\n" \
    "td{text-align:right}\n" \
    "th{color:var(--soft)}\n" \
    "a{color:var(--ok)}\n"
// clang-format on

/* SHA-256 of it in base64, for the page's Content-Security-Policy: no other style counts (a test computes it again). */
#define STATUS_STYLE_HASH "784wOap45jefQABdHxH7uJ4jHLx5i8GGTP8flia8NCc="
