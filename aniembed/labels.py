"""Find short titles, fonts and free places for the names on the map.

All boxes are (x0, y0, x1, y1) in pixels of the picture, y downwards.
"""

import collections
import functools
import itertools
import logging
import os
import re
import textwrap
from typing import NamedTuple

import numpy as np
from matplotlib import font_manager
from PIL import ImageFont

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
# Shares of the type size, in groups: the next where the ones before find no place
SIZE_SHARES = ((1.0, 0.85), (0.7,), (0.55,))
SMALLEST = 13  # pixels; smaller type cannot be read
GAP = 5  # pixels between a mark and its name
MARGIN = 0.012  # of the picture's width that stays free of type at its rim
# Where a name touches its mark, the best place first: the direction, and the share of the mark in between
BESIDE = [
    (0, 1, 0, 1),
    (0, -1, 0, 1),
    (1, 0, 1, 0),
    (-1, 0, 1, 0),
    (1, 1, 0.5, 0.7),
    (-1, 1, 0.5, 0.7),
    (1, -1, 0.5, 0.7),
    (-1, -1, 0.5, 0.7),
]
RINGS = 0.2, 0.4, 0.7, 1.0  # shares of the reach at which a name may lie off its mark,
ANGLES = 16  # in that many directions
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
    beginning = shorten(title[:start].strip(), LONGEST // 2).rstrip('…')
    return f'{beginning}… {shorten(title[start:].lstrip(" -:"), LONGEST)}'.strip()


@functools.lru_cache(None)
def font_files():
    """Return the font files of this machine, DejaVu Sans first (part of matplotlib), CJK fonts next."""
    logging.getLogger('matplotlib.font_manager').setLevel(logging.ERROR)
    fonts = [
        font for font in font_manager.fontManager.ttflist if font.style == 'normal' and font.weight == 400
    ]
    # A font of last resort has a box for every character
    fonts = [font for font in fonts if not font.name.startswith('Last Resort')]
    fonts.sort(key=lambda font: (font.name != 'DejaVu Sans', 'CJK' not in font.name, font.name, font.fname))
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

    The text is '' where letters are missing: half a word says nothing.
    """
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


@functools.lru_cache(None)
def font(path, size):
    """Return the font of a file at a size in pixels."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


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
        boxes = np.reshape(boxes, (-1, 4)) / CELL
        last = np.tile(self.taken.shape[::-1], 2)
        return np.hstack([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])]).astype(int).clip(0, last)

    def free(self, boxes):
        """Yield the indices of the boxes in which nothing is, in their order."""
        boxes = np.reshape(boxes, (-1, 4))
        cells = self.cells(boxes)
        x0, y0, x1, y1 = cells.T
        number = self.sums[y1, x1] - self.sums[y0, x1] - self.sums[y1, x0] + self.sums[y0, x0]
        inside = (boxes[:, :2] >= 0).all(1) & (boxes[:, 2:] <= self.size).all(1)
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
        steps = int(np.abs(end - start).max() // CELL) + 2
        cells = (np.linspace(start, end, steps) // CELL).astype(int)
        x, y = cells.T
        if (cells < 0).any() or (cells >= self.taken.shape[::-1]).any() or self.taken[y, x].any():
            return False
        self.taken[y, x] = True
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
    return font(font_file, MEASURED_SIZE).getlength(line) / MEASURED_SIZE * ROUNDING


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
    for factors in SIZE_SHARES:
        sizes = dict.fromkeys(max(SMALLEST, round(full_size * factor)) for factor in factors)
        shapes = [(lines, size, *text_size(lines, font_file, size)) for size in sizes for lines in ways]
        if not shapes:
            continue
        boxes = candidates(mark, half, np.array([shape[2:] for shape in shapes]), reach)
        for index in space.free(boxes):
            lines, size = shapes[index // len(BESIDE) % len(shapes)][:2]
            leader = None
            if index >= len(shapes) * len(BESIDE):
                lines, size = shapes[(index - len(shapes) * len(BESIDE)) // ANGLES % len(shapes)][:2]
                leader = _leader(space, mark, half, boxes[index])
                if not leader:
                    continue
            space.take(boxes[index])
            return Label(lines, font_file, size, tuple(boxes[index]), leader)
    return None


def candidates(mark, half, sizes, reach):
    """Return the boxes where a name may lie, the best first.

    sizes: m x 2, width and height of the name in m ways. First come m x BESIDE boxes that touch the mark,
    then RINGS x m x ANGLES boxes around it.
    """
    sides = np.array(BESIDE)[None]
    near = sides[..., :2] * (sides[..., 2:] * (half + GAP) + sizes[:, None] / 2)
    angles = np.arange(ANGLES) * 2 * np.pi / ANGLES + np.pi / 2
    ways = np.column_stack([np.cos(angles), np.sin(angles)])
    distances = np.array(RINGS)[:, None, None, None] * reach
    far = ways * (half + GAP + distances + sizes[:, None] / 2)
    middles = mark + np.concatenate([near.reshape(-1, 2), far.reshape(-1, 2)])
    spans = np.concatenate(
        [np.repeat(sizes, len(BESIDE), 0), np.tile(np.repeat(sizes, ANGLES, 0), (len(RINGS), 1))]
    )
    return np.hstack([middles - spans / 2, middles + spans / 2])


def _leader(space, mark, half, box):
    """Take the line from a mark to a box and return it, ((x, y), (x, y)); None if something is in the way."""
    end = np.clip(mark, box[:2], box[2:])
    way = (end - mark) / np.linalg.norm(end - mark)
    start = mark + way * np.min(half / np.maximum(np.abs(way), 1e-9))
    free = space.take_line(start + way * (GAP + CELL), end - way * CELL)
    return (tuple(start), tuple(end)) if free else None
