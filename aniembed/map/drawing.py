"""Draw the map: the clusters' land, a mark for each title, and as many names as have room.

Places and sizes are in pixels of the picture, y downwards.
"""

import itertools
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageOps

from aniembed import files
from aniembed.inputs.titles import by_popularity
from aniembed.map import fonts, labels, land, layout
from aniembed.map.short_titles import short_titles

# The picture
MAP_WIDTH = 3200  # pixels of the map of up to GROWS_FROM titles
GROWS_FROM = 300  # titles from which on it grows with their number, to the power GROWTH,
GROWTH, MOST_GROWN = 0.6, 2.0  # at most MOST_GROWN times as wide
ASPECT = 0.72  # of height to width
INK = '#2b2723'  # of the type
HEADING_SIZE, FOOT_SIZE = 66, 26  # pixels of type on a picture of 3,200 pixels
CAPTION_LEFT, HEADING_MIDDLE, FOOT_MIDDLE = 0.03, 0.048, 0.972  # where they stand, in widths and heights
HEADING_WIDTH, HEADING_HEIGHT, FOOT_TOP = 0.56, 0.08, 0.955  # what is kept free for them
COMPRESSION = 1  # of PNG; higher takes longer for a few per cent

# Where marks lie
FRAME = (0.06, 0.1, 0.94, 0.92)  # left, top, right, bottom of where they may lie, in widths and heights
MOST_SPACE = 0.1  # of the width, what counts as mean distance at most: few titles do not become giants
# Of one axis of the layout over the other, to fill the frame. At 1,000 titles (mal-2016) 1.35 costs half a
# per cent of the neighbours
MOST_STRETCH = 1.35
# Radius that a disc has to itself, in mean distances: up to so many titles, and beyond. More gives names room
# and costs neighbours: at 3,000 (mal-2016) 0.17 costs a per cent of them
ROOM_UP_TO, ROOM, LITTLE_ROOM = 1500, 0.17, 0.08

# Marks
BY_RANK = 0.6  # power of the rank by popularity with which marks become smaller
DISC, DISC_SHRINKS = 0.13, 0.25  # radius of a usual disc, in mean distances; the power of n / GROWS_FROM
DISC_SIZES = 1.45, 0.55  # times that: the most popular title, and the least popular one
# Half width of a usual cover, in mean distances, and its height to its width. From so many titles on it
# shrinks by this power of their number: at 1,000 (mal-2016) 0.185 keeps 0.42 of the neighbours, 0.12 0.57
TILE, TILE_ASPECT = 0.185, 1.42
TILE_SHRINKS_FROM, TILE_SHRINKS = 100, 0.19
TILE_SIZES = 1.15, 0.85
TILE_FRAME, TILE_ROOM = 0.12, 0.16  # width of a cover's frame, and what stays free around it, in half widths
MOST_TILES = 1500  # titles up to which covers are drawn: with more they are too small to know
LUMINANCE = 0.2, 0.7, 0.1  # of red, green and blue

# Names of titles
TYPE, SMALL_TYPE, LARGE_TYPE = 0.125, 15, 30  # type size of a usual title, in mean distances; in pixels
TYPE_SIZES = 1.25, 0.8
REACH = 0.7  # that a name may lie off its mark, in mean distances,
FAMOUS = 0.1  # twice as much for this share of the titles, the most popular ones
MOST_NAMES = 6000  # of the most popular titles that are tried; fewer than 3,000 have room on the widest map
ROUNDS = (300, 12), (1500, 2)  # up to so many titles: rounds in which those without a name choose earlier,
FARTHER = 1.3  # so many times farther off each time
SQUEEZED = 0.65  # share of the type size below which, where titles are few, a name counts as missing

# Names of clusters
NAME_SIZE = 46  # type size on a picture of 3,200 pixels
MANY_CLUSTERS = 12  # clusters from which on it becomes smaller
NAME_SIZES, SMALLER_NAME = (1.0, 0.75), 0.15  # shares of the type size; what a smaller one must gain
NAME_ROOM = 8  # pixels around it, on such a picture
SPACED = '\u2009'  # a thin space, between the letters
AT_HOME, ABROAD = 0.3, 100.0  # share of the best place's land below which it lies abroad; weight against it
CROWDED = 0.1  # weight of a title in the way against a cluster's own land
BLOCKED = 1e6  # so many titles in the way stand for a place that cannot be had


class Canvas:
    """The size of the picture and of what is drawn, for n titles.

    half: n x 2, half width and height of each mark; room: n, half the width that it has to itself; reach: n,
    how far a name may lie off its mark; shore: of the land, in cells of its grid.
    """

    def __init__(self, anime, covers):
        n = len(anime)
        self.width = round(MAP_WIDTH * min(MOST_GROWN, max(1, (n / GROWS_FROM) ** GROWTH)))
        self.height = round(self.width * ASPECT)
        self.unit = (self.width / MAP_WIDTH) ** 0.5  # pixels as on a map of MAP_WIDTH
        self.low, self.high = np.reshape(FRAME, (2, 2)) * [self.width, self.height]
        space = np.sqrt(np.prod(self.high - self.low) / n)  # mean distance of titles
        space = min(space, MOST_SPACE * self.width)
        beach = land.BEACH * land.SHORE * space  # none of it lies under the heading and the footnote
        heading_end = HEADING_MIDDLE * self.height + HEADING_SIZE / 2 * self.unit
        foot_start = FOOT_MIDDLE * self.height - FOOT_SIZE / 2 * self.unit
        self.low[1] = max(self.low[1], heading_end + beach)
        self.high[1] = min(self.high[1], foot_start - beach)
        self.shore = max(1.0, land.SHORE * space * land.GRID / self.width)
        self.order = by_popularity(anime)
        rank = np.argsort(self.order) / max(1, n - 1)  # 0 the most popular to 1
        self.reach = REACH * space * (1 + (rank < FAMOUS))
        usual = np.clip(TYPE * space, SMALL_TYPE * self.unit, LARGE_TYPE * self.unit)
        self.type_sizes = usual * between(TYPE_SIZES, rank)
        self.tiles = bool(covers) and n <= MOST_TILES
        if self.tiles:
            self._size_tiles(n, space, rank**BY_RANK)
        else:
            self._size_discs(n, space, rank**BY_RANK)

    def _size_tiles(self, n, space, rank):
        usual = TILE * space / max(1, n / TILE_SHRINKS_FROM) ** TILE_SHRINKS
        self.frame = round(TILE_FRAME * usual)
        wide = usual * between(TILE_SIZES, rank)
        self.half = np.column_stack([wide, TILE_ASPECT * wide]).round() + self.frame
        self.stretch = np.array([1, TILE_ASPECT])
        self.room = wide + self.frame + TILE_ROOM * usual

    def _size_discs(self, n, space, rank):
        usual = DISC * space / max(1, n / GROWS_FROM) ** DISC_SHRINKS
        radii = usual * between(DISC_SIZES, rank)
        self.half = np.column_stack([radii, radii])
        self.stretch = np.ones(2)
        self.room = np.maximum(radii + 2 * self.unit, (ROOM if n <= ROOM_UP_TO else LITTLE_ROOM) * space)


def between(sizes, rank):
    """Return the sizes of titles between those of the first and the last one; rank: 0 to 1."""
    first, last = sizes
    return first + (last - first) * rank


class Map(NamedTuple):
    """What was drawn.

    image; places: n x 3, x, y and radius of the marks in widths of the picture, y upwards; names: a Label or
    None for each cluster; labels: the same for each title; boxes: n x 4, the marks.
    """

    image: Image.Image
    places: np.ndarray
    names: list
    labels: list
    boxes: np.ndarray


def separated(canvas, points, boxes=()):
    """Return the places moved apart so that no mark covers another one or a box."""
    stretch = canvas.stretch
    boxes = np.array(boxes).reshape(-1, 4) / np.tile(stretch, 2)
    low, high = canvas.low / stretch, canvas.high / stretch
    return layout.remove_overlaps(points / stretch, canvas.room, low, high, canvas.tiles, boxes) * stretch


def window_sums(grid, window, outside):
    """Return the sum of the window (rows, columns) around each cell; outside: value of cells off the grid."""
    rows, columns = window
    margins = [(size // 2 + 1, size - size // 2 - 1) for size in window]
    sums = np.pad(grid, margins, constant_values=outside).cumsum(0).cumsum(1)
    sums = sums[rows:] - sums[:-rows]
    return sums[:, columns:] - sums[:, :-columns]


def place_names(canvas, points, lands, names):
    """Find a place for the name of each cluster; returns a list of Label.

    A name lies where its cluster is most by itself and few titles are; those make way.
    """
    cell = canvas.width / land.GRID
    (left, top), (right, bottom) = np.array([canvas.low / cell, canvas.high / cell]).astype(int)
    in_the_way = np.full(lands.total.shape, float(BLOCKED))  # the number of titles, or BLOCKED
    in_the_way[top:bottom, left:right] = 0
    column, row = np.minimum((points / cell).astype(int), np.subtract(in_the_way.shape, 1)[::-1]).T
    np.add.at(in_the_way, (row, column), 1)
    own = lands.share * lands.heart
    margin = 2 * np.median(canvas.room) / cell
    full_size = NAME_SIZE * canvas.unit * min(1, (MANY_CLUSTERS / len(names)) ** 0.5)
    placed = []
    for k, name in enumerate(names):
        near = AT_HOME * own[k].max()
        font_file, name = fonts.font_for(SPACED.join(name.upper()))
        best = None
        for size, count in itertools.product([round(full_size * factor) for factor in NAME_SIZES], (1, 2)):
            lines = fonts.wrapped(name, count)
            span = np.array(fonts.text_size(lines, font_file, size))
            window = (span[::-1] / cell + margin).astype(int)
            value = own[k] - CROWDED * window_sums(in_the_way, window, BLOCKED) - ABROAD * (own[k] < near)
            y, x = np.unravel_index(value.argmax(), value.shape)
            if best is None or value[y, x] > best[0] + SMALLER_NAME:
                best = value[y, x], lines, size, (np.array([x, y]) + 0.5) * cell, span
        _, lines, size, middle, span = best
        box = (*(middle - span / 2), *(middle + span / 2))
        placed.append(labels.Label(lines, font_file, size, box))
        x0, y0, x1, y1 = (np.array(box) / cell + [-2, -2, 3, 3]).astype(int).clip(0)
        in_the_way[y0:y1, x0:x1] = BLOCKED
    return placed


def settle_names(canvas, points, names):
    """Return the names, where titles could not make way a little aside; None for one that has no place."""
    space = labels.FreeSpace(canvas.width, canvas.height, mark_boxes(canvas, points))
    space.taken[: int(canvas.low[1] // labels.CELL) - 1] = True  # the heading
    space.taken[int(canvas.high[1] // labels.CELL) + 1 :] = True  # the footnote
    settled = []
    for name in names:
        sizes = np.array([np.subtract(name.box[2:], name.box[:2])])
        middle = (np.array(name.box[:2]) + name.box[2:]) / 2
        boxes = [name.box, *labels.candidates(middle, np.zeros(2), sizes, canvas.reach.max())]
        box = next((tuple(boxes[index]) for index in space.free(boxes)), None)
        if box:
            space.take(box)
        settled.append(box and name._replace(box=box))
    return settled


def mark_boxes(canvas, points):
    """Return the boxes of the marks: n x 4."""
    return np.hstack([points - canvas.half, points + canvas.half])


def draw_discs(canvas, axes, points, clusters, colours, hollow):
    """Draw a disc for each title; hollow: n bool, the titles whose disc is an empty ring."""
    size = 2 * canvas.half[:, 0]
    filled = np.take(colours, clusters)
    axes.add_collection(
        EllipseCollection(
            size,
            size,
            np.zeros(len(size)),
            units='xy',
            offsets=points,
            transOffset=axes.transData,
            facecolors=np.where(hollow, 'white', filled),
            edgecolors=np.where(hollow, filled, 'white'),
            linewidths=np.where(hollow, 0.2 * size, np.minimum(2 * canvas.unit, 0.08 * size)),
            zorder=2,
            gid='discs',
        )
    )


def draw_leaders(canvas, axes, placed, clusters, colours):
    """Draw the line between a title's name and its mark, where the name lies off it."""
    rows = [row for row, label in enumerate(placed) if label and label.leader]
    lines = [placed[row].leader for row in rows]
    dark = [land.mixed(colours[clusters[row]], 'black', 0.7) for row in rows]
    axes.add_collection(LineCollection(lines, colors=dark, linewidths=1.5 * canvas.unit, zorder=1))


def render(canvas, draw_parts):
    """Return the image of what `draw_parts` draws on axes whose data unit is the pixel, y downwards."""
    figure = Figure(
        (canvas.width / 72, canvas.height / 72), dpi=72, facecolor=land.SEA
    )  # 72 dpi: a point is a pixel
    agg = FigureCanvasAgg(figure)
    axes = figure.add_axes(
        [0, 0, 1, 1], xlim=(0, canvas.width), ylim=(canvas.height, 0), autoscale_on=False, frameon=False
    )
    axes.set_axis_off()
    draw_parts(axes)
    agg.draw()
    return Image.fromarray(np.asarray(agg.buffer_rgba())).convert('RGB')


def draw_tiles(canvas, image, points, clusters, colours, covers, texts, ids):
    """Draw each title's cover in a frame of its cluster's colour; its initials where there is no cover."""
    draw = ImageDraw.Draw(image)
    for row, (mal_id, box) in enumerate(zip(ids, mark_boxes(canvas, points).astype(int).tolist())):
        x0, y0, x1, y1 = box
        colour = colours[clusters[row]]
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), fill=colour)
        if mal_id in covers:
            size = x1 - x0 - 2 * canvas.frame, y1 - y0 - 2 * canvas.frame
            with Image.open(covers[mal_id]) as cover:
                image.paste(ImageOps.fit(cover.convert('RGB'), size), (x0 + canvas.frame, y0 + canvas.frame))
        else:
            initials = ''.join(word[0] for word in texts[row].split()[:2])
            font_file, initials = fonts.font_for(initials)
            if initials:
                face = fonts.font(font_file, round(0.9 * canvas.half[row, 0]))
                ink = INK if np.dot(to_rgb(colour), LUMINANCE) > 0.5 else 'white'
                draw.text((points[row, 0], points[row, 1]), initials, font=face, fill=ink, anchor='mm')


def write_lines(draw, placed, colour):
    """Write the lines of a Label into its box, centred."""
    x0, y0, x1, _ = placed.box
    for number, line in enumerate(placed.lines):
        face = fonts.font(placed.font_file, placed.size, line)
        baseline = y0 + placed.size * (fonts.ASCENT + fonts.LEADING * number)
        draw.text((round((x0 + x1) / 2), round(baseline)), line, font=face, fill=colour, anchor='ms')


def place_titles(canvas, points, texts, names):
    """Find places for the titles' names among the marks and the clusters' names: a list of Label or None."""
    taken = [*(name.box for name in names if name), *mark_boxes(canvas, points)]
    taken.append((0, 0, HEADING_WIDTH * canvas.width, HEADING_HEIGHT * canvas.height))
    taken.append((0, FOOT_TOP * canvas.height, canvas.width, canvas.height))
    order = canvas.order[:MOST_NAMES].tolist()
    rounds = next((rounds for most, rounds in ROUNDS if len(points) <= most), 1)
    reach = canvas.reach.copy()
    found = []
    for _ in range(rounds):
        space = labels.FreeSpace(canvas.width, canvas.height, taken)
        placed = labels.place_labels(space, points, canvas.half, texts, canvas.type_sizes, reach, order)
        written = sum(canvas.type_sizes[row] for row, label in enumerate(placed) if label)
        found.append((written, sum(label.size for label in placed if label), placed))
        least = SQUEEZED * canvas.type_sizes if len(points) <= ROUNDS[0][0] else np.zeros(len(points))
        if any(texts[row] and not placed[row] for row in order):
            least[:] = 0  # names that are missing come first
        first = [row for row in order if texts[row] and not (placed[row] and placed[row].size > least[row])]
        if not first:
            break
        order = list(dict.fromkeys([*first, *order]))  # without doubles
        reach[first] *= FARTHER
    return max(found, key=lambda way: way[:2])[-1]


def arrange(canvas, points, clusters, names):
    """Return where marks and clusters' names do not overlap: n x 2, and a Label or None for each cluster.

    points: places of the marks in the frame.
    """
    points = separated(canvas, points)
    if len(names) == 1:
        return points, [None]
    placed = place_names(canvas, points, land.make_land(canvas, points, clusters), names)
    points = separated(canvas, points, [grown(name.box, NAME_ROOM * canvas.unit) for name in placed])
    points = separated(canvas, points)  # where a name left too little room, it gives way in its turn
    return points, settle_names(canvas, points, placed)


def draw_map(places, nearest, clusters, titles, lists, unscored=()):
    """Draw the map of n titles; returns a Map.

    places: n x 2, the layout; nearest: int n x k, the nearest titles in the vectors; clusters: (int n, their
    names, their colours); titles: (title_table, n str to be written, dict MAL id -> path of the cover);
    lists: number of lists, for the footnote; unscored: MAL ids of titles that nobody has scored.
    """
    clusters, names, colours = clusters
    anime, full_titles, covers = titles
    canvas = Canvas(anime, covers)
    texts = [fonts.font_for(text)[1] for text in short_titles(full_titles, anime['year'].tolist())]
    points = layout.fit_to_frame(places * [1, -1], canvas.low, canvas.high, MOST_STRETCH)
    points, cluster_labels = arrange(canvas, points, clusters, names)
    title_labels = place_titles(canvas, points, texts, cluster_labels)
    kept = layout.kept_neighbours(nearest, points)
    lands = land.make_land(canvas, points, clusters)
    hollow = anime.index.isin(list(unscored)) & (not canvas.tiles)
    captions = heading(canvas, len(points)), foot(canvas, lists, kept, hollow.any())

    def draw_parts(axes):
        land.draw_land(canvas, axes, lands, colours)
        draw_leaders(canvas, axes, title_labels, clusters, colours)
        if not canvas.tiles:
            draw_discs(canvas, axes, points, clusters, colours, hollow)

    image = render(canvas, draw_parts)
    if canvas.tiles:
        draw_tiles(canvas, image, points, clusters, colours, covers, texts, anime.index)
    draw = ImageDraw.Draw(image)
    for name, colour in zip(cluster_labels, colours):
        if name:
            write_lines(draw, name, land.mixed(colour, 'black', 0.6))
    for label in filter(None, [*title_labels, *captions]):
        write_lines(draw, label, INK)
    places = np.column_stack([points[:, 0], canvas.height - points[:, 1], canvas.half[:, 0]]) / canvas.width
    return Map(image, places, cluster_labels, title_labels, mark_boxes(canvas, points))


def heading(canvas, n):
    """Return the heading, a Label."""
    text = f'{n:,} anime, grouped by shared fans'
    return at_the_left(canvas, text, fonts.bold_font(), HEADING_SIZE, HEADING_MIDDLE)


def foot(canvas, lists, kept, some_hollow):
    """Return the footnote, a Label; kept: the share of kept neighbours."""
    text = (
        f'Drawn from {lists:,} lists: titles lie near each other when the same people like them, and '
        f"{kept:.0%} of each title's {layout.KEPT} most similar are among its {layout.KEPT} nearest here."
    )
    if some_hollow:
        text += ' A ring: nobody has scored this title yet.'
    return at_the_left(canvas, text, fonts.font_files()[0], FOOT_SIZE, FOOT_MIDDLE)


def at_the_left(canvas, text, font_file, size, middle):
    """Return a Label of one line; size: pixels on a picture of 3,200; middle: in heights of the picture."""
    size = round(size * canvas.unit)
    width, height = fonts.text_size([text], font_file, size)
    x0, y0 = CAPTION_LEFT * canvas.width, middle * canvas.height - height / 2
    return labels.Label([text], font_file, size, (x0, y0, x0 + width, y0 + height))


def grown(box, by):
    """Return a box that is larger by this many pixels on each side."""
    x0, y0, x1, y1 = box
    return x0 - by, y0 - by, x1 + by, y1 + by


def save(image, path):
    """Write the picture as a PNG, whole or not at all."""
    with files.whole_files(path) as (file,):
        image.save(file, 'PNG', compress_level=COMPRESSION)
