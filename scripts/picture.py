"""Turns a terminal recording with ANSI colours into an SVG picture: picture.py RECORDING PICTURE.

Knows colours, bold and faint; a recording that moves the cursor cannot be drawn and is refused.
"""

import html
import re
import sys

COLUMNS_MAX = 132
LINES_MAX = 120
FONT_SIZE = 13
CHAR_WIDTH = 7.82
LINE_HEIGHT = 18
MARGIN = 18

COLOURS = {"31": "#f7768e", "32": "#9ece6a", "33": "#e0af68", "34": "#7aa2f7", "35": "#bb9af7", "36": "#7dcfff"}
PLAIN = "#c0caf5"
PAPER = "#16161e"
SELECT = re.compile(r"\x1b\[([0-9;]*)m")


def pieces(line):
    """The line as (text, attributes) in order, cut to the picture's width."""
    colour, strong, faint = PLAIN, False, False
    columns = 0
    for at, part in enumerate(SELECT.split(line)):
        if at % 2 == 0:
            part = part[: COLUMNS_MAX - columns]
            columns += len(part)
            if part:
                yield part, colour, strong, faint
            continue
        for code in part.split(";"):
            if code in ("", "0"):
                colour, strong, faint = PLAIN, False, False
            elif code == "1":
                strong = True
            elif code == "2":
                faint = True
            elif code == "22":
                strong = faint = False
            elif code == "39":
                colour = PLAIN
            elif code in COLOURS:
                colour = COLOURS[code]


def main(recording, picture):
    with open(recording, encoding="utf-8") as file:
        text = file.read()
    if "\x1b" in SELECT.sub("", text) or "\r" in text:
        sys.exit(f"fatal: '{recording}' moves the cursor\nhint: record it without a terminal, with --color always")
    lines = text.rstrip("\n").split("\n")
    if len(lines) > LINES_MAX:
        lines = lines[:LINES_MAX] + ["…"]
    columns = max(len(SELECT.sub("", line)) for line in lines)
    width = round(min(columns, COLUMNS_MAX) * CHAR_WIDTH + 2 * MARGIN)
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>git orchestrate demo, in a terminal</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" '
        f'font-size="{FONT_SIZE}" fill="{PLAIN}" xml:space="preserve">',
    ]
    for row, line in enumerate(lines):
        y = MARGIN + (row + 0.75) * LINE_HEIGHT
        column = 0
        for part, colour, strong, faint in pieces(line):
            if part.strip():
                look = f' fill="{colour}"' if colour != PLAIN else ""
                look += ' font-weight="bold"' if strong else ""
                look += ' opacity="0.6"' if faint else ""
                length = round(len(part) * CHAR_WIDTH, 1)
                x = round(MARGIN + column * CHAR_WIDTH, 1)
                out.append(
                    f'<text x="{x}" y="{y:g}" textLength="{length}" lengthAdjust="spacingAndGlyphs"{look}>'
                    f"{html.escape(part)}</text>"
                )
            column += len(part)
    out += ["</g>", "</svg>", ""]
    with open(picture, "w", encoding="utf-8") as file:
        file.write("\n".join(out))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: picture.py RECORDING PICTURE")
    main(*sys.argv[1:])
