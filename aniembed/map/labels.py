"""Find free places for the names on the map.

All boxes are (x0, y0, x1, y1) in pixels of the picture, y downwards.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from aniembed.map.fonts import font_for, text_size, wrappings

CELL = 4  # pixels a side of a cell of the bitmap of what is taken
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
