"""Find short titles, fonts and free places for the names on the map.

All boxes are (x0, y0, x1, y1) in pixels of the picture, y downwards.
"""

import collections
import contextlib
import functools
import itertools
import logging
import math
import os
import re
import textwrap
import unicodedata
from typing import NamedTuple

import numpy as np
from matplotlib import font_manager
from PIL import ImageFont, features

LONGEST = 40  # characters of a title on the map
SHORTEST_START = 8  # characters of what is left of a title that ends at a colon or the like
LINE = 20  # characters a line that a title is wrapped to
# What tells sequels apart at the end of a title
SEQUEL = re.compile(
    r'[\s:,-]*(\b(?:(?:the )?(?:final|first|second|third|fourth|\d+(?:st|nd|rd|th))\s+'
    r'(?:season|stage|part|cour)\b.*'
    r'|(?:season|part|movie|film|cour|episode)\s*[\dIVX]+\b.*'
    r'|(?:[IVX]{1,4}|\d{1,2}|OVA|ONA|specials?|movie|zoku|kan))|\((?:TV|\d{4})\))[!.]*$',
    re.IGNORECASE,
)
CLAUSE = re.compile(r'(?<=\S)(?::|[!?.]| [-–~(])\s+(?=\S)')  # where a subtitle begins
DANGLING = re.compile(
    r'(?:\s+(?:no|wo|wa|ni|ga|to|de|na|mo|o|e|the|of|and|a|an|in|on|for|&))+$', re.IGNORECASE
)
WORD = re.compile(r'\w+')
CELL = 4  # pixels a side of a cell of the bitmap of what is taken
ASCENT, DESCENT, LEADING = 0.86, 0.25, 1.16  # of a line of DejaVu Sans, in type sizes
# Shares of the type size, and their order: the next where those before find no place
SIZE_SHARES, SIZE_ORDER = (1.0, 0.85, 0.7, 0.55), (0, 0, 1, 2)
SMALLEST = 13  # pixels; smaller type cannot be read
GAP = 5  # pixels between a mark and its name
MARGIN = 0.012  # of the picture's width that stays free of type at its rim
# Where a name touches its mark, the best place first: the direction, and the share of the mark in between
SIDES = np.array(
    [
        (0, 1, 0, 1),
        (0, -1, 0, 1),
        (1, 0, 1, 0),
        (-1, 0, 1, 0),
        (1, 1, 0.5, 0.7),
        (-1, 1, 0.5, 0.7),
        (1, -1, 0.5, 0.7),
        (-1, -1, 0.5, 0.7),
    ]
)
RINGS = 0.2, 0.4, 0.7, 1.0  # shares of the reach at which a name may lie off its mark,
ANGLES = 16  # in that many directions
AROUND = np.array(
    [(np.cos(angle), np.sin(angle)) for angle in np.arange(ANGLES) * 2 * np.pi / ANGLES + np.pi / 2]
)
COUNT_EVERY = 150  # boxes after which the bitmap is counted anew
# Type size that lines are measured at, and how much wider small type may be by rounding to pixels
MEASURED_SIZE, ROUNDING = 64, 1.04
WIDEST = 30  # characters in a line
MAX_BREAKS = 200  # ways to break a text into lines that are compared


def shorten(title, length=LONGEST):
    """Return a title of at most `length` characters: without its subtitle, else its first words and '…'.

    What tells sequels apart at the end ("2nd Season") stays.
    """
    if len(title) <= length:
        return title
    sequel = SEQUEL.search(title)
    end = f' {sequel.group(1)}' if sequel and len(sequel.group(1)) < length // 2 else ''
    start = title[: sequel.start()] if end else title
    room = length - len(end)
    if len(start) <= room:
        return start + end
    clauses = [match.start() for match in CLAUSE.finditer(start)]
    clauses = [place for place in clauses if SHORTEST_START <= place <= room]
    if clauses:
        return start[: clauses[-1]].rstrip() + end
    words = textwrap.shorten(start, room - 1, placeholder='')
    words = DANGLING.sub('', words).rstrip(' :,-') or start[: room - 1].rstrip()
    return f'{words}…{end}'


def short_titles(titles, years=None, length=LONGEST):
    """Return short forms of titles, none of which may be taken for another title.

    years: of the titles, None where unknown; they tell titles of the same name apart.
    """
    shorts = [shorten(title, length) for title in titles]
    for row in _mistakable(titles, shorts):
        shorts[row] = titles[row] if len(titles[row]) <= 2 * length else _differing(titles[row], titles)
    for row in _mistakable(titles, shorts) if years is not None else ():
        if years[row]:
            shorts[row] += f' ({years[row]})'
    return shorts


def _mistakable(titles, shorts):
    """Return the rows of short forms that are those of several titles or, cut, look like another title.

    Signs and case make no difference. A title without its subtitle also looks like another one that goes on
    with other words.
    """
    number, keys = collections.Counter(shorts), [_key(short) for short in shorts]
    alike = collections.Counter(keys)
    cut = {key for title, short, key in zip(titles, shorts, keys) if short != title}
    begun = collections.Counter()
    for title in titles:
        starts = itertools.accumulate(_key(title).split(), '{} {}'.format)
        begun.update(cut.intersection(starts))
    return [
        row
        for row, (title, short, key) in enumerate(zip(titles, shorts, keys))
        if number[short] > 1 or (short != title and (alike[key] > 1 or ('…' not in short and begun[key] > 1)))
    ]


def _key(text):
    """Return the words of a title without signs, case and a "(TV)" at the end."""
    return ' '.join(WORD.findall(text.removesuffix('(TV)').casefold()))


def _differing(title, titles):
    """Return the beginning of a title and, after '…', the words from where it differs from the others."""
    same = max(len(os.path.commonprefix([title, other])) for other in titles if other != title)
    start = title.rfind(' ', 0, same + 1) + 1 or same
    if start < LONGEST // 2:
        return textwrap.shorten(title, 2 * LONGEST, placeholder='…')
    beginning = shorten(title[:start].strip(), LONGEST // 2).rstrip('…')
    return f'{beginning}… {shorten(title[start:].lstrip(" -:"), LONGEST)}'.strip()


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


class FreeSpace:
    """A bitmap of what is taken in the picture, in cells of CELL pixels (Kittivorawong and others 2020)."""

    def __init__(self, width, height, boxes):
        self.taken = np.zeros((-(-height // CELL), -(-width // CELL)), bool)
        self.size = width, height
        margin = round(MARGIN * width / CELL)
        self.taken[:margin] = self.taken[-margin:] = True
        self.taken[:, :margin] = self.taken[:, -margin:] = True
        for x0, y0, x1, y1 in self.cells(boxes).tolist():
            self.taken[y0:y1, x0:x1] = True
        self.count()

    def count(self):
        """Count the taken cells above and to the left of each: it tells which boxes are free of them."""
        self.sums = np.pad(self.taken.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), ((1, 0), (1, 0)))
        self.since = 0

    def cells(self, boxes):
        """Return the cells that boxes touch: int m x 4, the first column and row and those after the last."""
        outwards = np.array([1, 1, -1, -1])  # rounded down, and up
        cells = np.floor(np.reshape(boxes, (-1, 4)) * (outwards / CELL)).astype(int) * outwards
        return np.minimum(np.maximum(cells, 0), [*self.taken.shape[::-1]] * 2)

    def free(self, boxes):
        """Yield the indices of the boxes in which nothing is, in their order."""
        x0, y0, x1, y1 = np.transpose(boxes)
        inside = (x0 >= 0) & (y0 >= 0) & (x1 <= self.size[0]) & (y1 <= self.size[1])
        cells = self.cells(boxes)
        x0, y0, x1, y1 = cells.T
        number = self.sums[y1, x1] - self.sums[y0, x1] - self.sums[y1, x0] + self.sums[y0, x0]
        for index in np.flatnonzero(inside & (number == 0)).tolist():
            left, top, right, bottom = cells[index].tolist()
            if not self.taken[top:bottom, left:right].any():
                yield index

    def take(self, box):
        """Mark a box as taken."""
        ((x0, y0, x1, y1),) = self.cells(box).tolist()
        self.taken[y0:y1, x0:x1] = True
        self.since += 1
        if self.since == COUNT_EVERY:
            self.count()

    def take_line(self, start, end):
        """Mark the cells along a line as taken, and return True; False if something is there already.

        What lies outside the map is taken.
        """
        rows, columns = self.taken.shape
        if not all(0 <= x < columns * CELL and 0 <= y < rows * CELL for x, y in (start, end)):
            return False
        (x0, y0), (x1, y1) = start, end
        share = np.linspace(0, 1, int(max(abs(x1 - x0), abs(y1 - y0)) // CELL) + 2)
        x, y = ((x0 + (x1 - x0) * share) // CELL).astype(int), ((y0 + (y1 - y0) * share) // CELL).astype(int)
        if self.taken[y, x].any():
            return False
        self.taken[y, x] = True
        self.taken[y, np.minimum(x + 1, columns - 1)] = True  # no slanting line slips through
        return True


class Label(NamedTuple):
    """A text on the map: its lines, font, size in pixels, box, and the leader to a mark or None."""

    lines: list
    font_file: str
    size: int
    box: tuple
    leader: tuple = None


@functools.lru_cache(None)
def line_length(line, font_file):
    """Return the length of a line in type sizes; a little more than it takes at any size."""
    return font(font_file, MEASURED_SIZE, line).getlength(line) / MEASURED_SIZE * ROUNDING


def text_size(lines, font_file, size):
    """Return width and height in pixels of lines of text."""
    width = max(line_length(line, font_file) for line in lines) * size + 2
    return width, size * (ASCENT + DESCENT + LEADING * (len(lines) - 1))


def place_labels(space, marks, half, texts, sizes, reach, order):
    """Find a free place for each title's name; returns a list of Label, None where there is no place.

    space: FreeSpace, changed in place; marks: n x 2 middles; half: n x 2, half their width and height; texts:
    n str, '' for none; sizes: n type sizes in pixels; reach: n, pixels that a name may lie off its mark,
    joined by a leader; order: rows, who chooses first.
    """
    labels = [None] * len(marks)
    for row in order:
        if texts[row]:
            labels[row] = _place_label(space, marks[row], half[row], texts[row], sizes[row], reach[row])
    return labels


def _place_label(space, mark, half, text, full_size, reach):
    """Take the best free place for one name."""
    font_file, text = font_for(text)
    ways = wrappings(text) if text else []
    if not ways:
        return None
    sizes = np.maximum(SMALLEST, np.round(np.multiply(full_size, SIZE_SHARES)))
    spans = [np.transpose(text_size(lines, font_file, sizes)) for lines in ways]
    boxes = candidates(mark, half, np.stack(spans, 1).reshape(-1, 2), reach)
    order = _preference(len(ways))
    near = len(sizes) * len(ways) * len(SIDES)
    for place in space.free(boxes[order]):
        index = int(order[place])
        box, leader = tuple(boxes[index].tolist()), None
        shape = index // len(SIDES) if index < near else (index - near) // ANGLES % (near // len(SIDES))
        if index >= near:
            leader = _leader(space, mark.tolist(), half.tolist(), box)
        if index < near or leader:
            space.take(box)
            return Label(ways[shape % len(ways)], font_file, int(sizes[shape // len(ways)]), box, leader)
    return None


@functools.lru_cache(None)
def _preference(ways):
    """Return the order in which the candidates of a name with so many ways to be wrapped are tried.

    Type of the next smaller size comes after all places of the larger ones.
    """
    shapes = np.repeat(SIZE_ORDER, ways)
    near, far = np.repeat(shapes, len(SIDES)), np.tile(np.repeat(shapes, ANGLES), len(RINGS))
    return np.argsort(np.concatenate([near, far]), kind='stable')


def candidates(mark, half, sizes, reach):
    """Return the boxes where a name may lie, the best first.

    sizes: m x 2, width and height of the name in m ways. First come m x SIDES boxes that touch the mark,
    then RINGS x m x ANGLES boxes around it.
    """
    half_sizes = sizes[:, None] / 2
    near = SIDES[:, :2] * (SIDES[:, 2:] * (half + GAP) + half_sizes)
    distances = np.multiply(RINGS, reach)[:, None, None, None]
    far = AROUND * (half + GAP + distances + half_sizes)
    near, far = mark + near, mark + far
    low = np.concatenate([(near - half_sizes).reshape(-1, 2), (far - half_sizes).reshape(-1, 2)])
    high = np.concatenate([(near + half_sizes).reshape(-1, 2), (far + half_sizes).reshape(-1, 2)])
    return np.hstack([low, high])


def _leader(space, mark, half, box):
    """Take the line from a mark to a box and return it, ((x, y), (x, y)); None if something is in the way."""
    x, y = mark
    end_x, end_y = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
    length = math.hypot(end_x - x, end_y - y)
    along_x, along_y = (end_x - x) / length, (end_y - y) / length
    inside = min(half[0] / max(abs(along_x), 1e-9), half[1] / max(abs(along_y), 1e-9))
    start_x, start_y = x + along_x * inside, y + along_y * inside
    gap = GAP + CELL
    free = space.take_line(
        (start_x + along_x * gap, start_y + along_y * gap), (end_x - along_x * CELL, end_y - along_y * CELL)
    )
    return ((start_x, start_y), (end_x, end_y)) if free else None
