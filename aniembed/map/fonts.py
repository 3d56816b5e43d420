"""Find fonts that have the letters of a text, break texts into lines, and measure them."""

import contextlib
import functools
import itertools
import logging
import textwrap
import unicodedata

from matplotlib import font_manager
from PIL import ImageFont, features

LINE = 20  # characters a line that a title is wrapped to
ASCENT, DESCENT, LEADING = 0.86, 0.25, 1.16  # of a line of DejaVu Sans, in type sizes
# Type size that lines are measured at, and how much wider small type may be by rounding to pixels
MEASURED_SIZE, ROUNDING = 64, 1.04
WIDEST = 30  # characters in a line
MAX_BREAKS = 200  # ways to break a text into lines that are compared


@functools.lru_cache(None)
def font_files():
    """Return the font files of this machine, DejaVu Sans first (part of matplotlib), CJK fonts next."""
    logging.getLogger('matplotlib.font_manager').setLevel(logging.ERROR)
    manager = font_manager.fontManager
    # matplotlib's own list is made once, and lacks fonts that were installed later
    for path in sorted({*font_manager.findSystemFonts()} - {font.fname for font in manager.ttflist}):
        with contextlib.suppress(OSError, RuntimeError, NotImplementedError):  # not a font that it can read
            manager.addfont(path)
    fonts = [font for font in manager.ttflist if font.style == 'normal']
    # A font of last resort has a box for every character
    fonts = [font for font in fonts if not font.name.startswith('Last Resort')]
    fonts.sort(
        key=lambda font: (
            font.name != 'DejaVu Sans',
            font.weight != 400,  # the usual one
            'CJK' not in font.name,
            font.name,
            font.fname,
        )
    )
    return [font.fname for font in fonts]


def bold_font():
    """Return the file of DejaVu Sans Bold."""
    return font_manager.findfont(font_manager.FontProperties(family='DejaVu Sans', weight='bold'))


@functools.lru_cache(None)
def characters(path):
    """Return the characters that a font file holds."""
    return set(font_manager.get_font(path).get_charmap())


def font_for(text):
    """Return (font file, text) to write a text with; signs that no font holds are left out.

    The text is '' where letters are missing, or where it runs from right to left and this machine cannot
    write so: half a word says nothing.
    """
    if _from_right_to_left(text) and not features.check('raqm'):
        return font_files()[0], ''
    needed = set(map(ord, text)) - {ord('\n')}
    best, missing = None, needed | {0}
    for path in font_files():
        lacks = needed - characters(path)
        if len(lacks) < len(missing):
            best, missing = path, lacks
        if not missing:
            break
    if any(chr(code).isalnum() for code in missing):
        return best, ''
    return best, ''.join(letter for letter in text if ord(letter) not in missing).strip()


def _from_right_to_left(text):
    """Return whether a text has Hebrew, Arabic or the like in it."""
    return not text.isascii() and any(unicodedata.bidirectional(letter) in ('R', 'AL') for letter in text)


def font(path, size, text=''):
    """Return the font of a file at a size in pixels, to write this text with."""
    layouts = ImageFont.Layout
    return _font(path, size, layouts.RAQM if _from_right_to_left(text) else layouts.BASIC)


_font = functools.lru_cache(None)(lambda path, size, way: ImageFont.truetype(path, size, layout_engine=way))


def wrapped(text, count):
    """Return a text in `count` lines, or fewer where it has fewer words, the longest as short as can be."""
    words = text.split(' ')
    breaks = itertools.combinations(range(1, len(words)), min(count, len(words)) - 1)
    ways = [
        [' '.join(words[i:j]) for i, j in zip((0, *places), (*places, len(words)))]
        for places in itertools.islice(breaks, MAX_BREAKS)
    ]
    return min(ways, key=lambda lines: max(map(len, lines)))


def wrappings(text):
    """Return the ways to break a title into lines, the best first."""
    if max(map(len, text.split(' '))) > WIDEST:
        return [textwrap.wrap(text, LINE)]
    best = 1 + (len(text) > LINE) + (len(text) > 2 * LINE)
    ways = [wrapped(text, count) for count in sorted({1, 2, 3}, key=lambda count: abs(count - best))]
    return [
        way
        for number, way in enumerate(ways)
        if way not in ways[:number] and len(max(way, key=len)) <= WIDEST
    ]


@functools.lru_cache(None)
def line_length(line, font_file):
    """Return the length of a line in type sizes; a little more than it takes at any size."""
    return font(font_file, MEASURED_SIZE, line).getlength(line) / MEASURED_SIZE * ROUNDING


def text_size(lines, font_file, size):
    """Return width and height in pixels of lines of text."""
    width = max(line_length(line, font_file) for line in lines) * size + 2
    return width, size * (ASCENT + DESCENT + LEADING * (len(lines) - 1))
