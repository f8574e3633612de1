#!/usr/bin/python3
"""Makes one picture for the README of a page of `weir bench --html`: the curves of two of its plots, with their legend.

    tests/bench/models_plot.py PAGE.html docs/bench/models.svg
"""
import re
import sys

PICKED = (("Persistent connections", "Answers a second"), ("Answers that take 10 ms", "Latency, p99"))
WIDTH, HEIGHT, GAP, TOP = 480, 290, 24, 52


def plot_of(page, heading, title):
    """The inside of a plot."""
    part = page.split(f"<h2>{heading}</h2>")[1]
    return re.search(rf'<svg class="plot"[^>]*aria-label="{re.escape(title)}">(.*?)</svg>', part, re.S).group(1)


def legend_of(page, width):
    """The names with their lines, in one row."""
    items = re.findall(r"<li>(<svg.*?</svg>)(.*?)</li>", page.split("<h2>")[1], re.S)
    for number, (svg, name) in enumerate(items):
        x = number * width / len(items)
        inside = re.search(r"<svg[^>]*>(.*?)</svg>", svg, re.S).group(1)
        box = re.search(r'viewBox="[^"]*"', svg).group(0)
        yield f'<svg x="{x:.0f}" y="{TOP + HEIGHT + 8}" width="34" height="14" {box}>{inside}</svg>'
        yield f'<text x="{x + 40:.0f}" y="{TOP + HEIGHT + 19}">{re.sub("<[^>]*>", "", name).strip()}</text>'


def main():
    """Reads the one, writes the other."""
    with open(sys.argv[1], encoding="utf-8") as f:
        page = f.read()
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    keep = [line for line in style.splitlines() if re.match(r":root|@media\(prefers|svg text|\.(grid|line|axis|s0)|--|\w+;--", line)]
    width, height = 2 * WIDTH + GAP, TOP + HEIGHT + 34
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 {width + 24} {height}" role="img" aria-label="weir bench: models compared">',
           "<style>", *keep, "text.title{font:600 15px system-ui,sans-serif;fill:var(--ink)}", "</style>",
           f'<rect x="-12" width="{width + 24}" height="{height}" fill="var(--card)"/>']
    for number, (heading, title) in enumerate(PICKED):
        x = number * (WIDTH + GAP)
        out.append(f'<text class="title" x="{x}" y="26">{heading}: {title[0].lower() + title[1:]}</text>')
        out.append(f'<svg x="{x}" y="{TOP - 12}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">{plot_of(page, heading, title)}</svg>')
    out += [*legend_of(page, width), "</svg>"]
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
