"""Draw the map: marks, names, clusters' land."""

import logging
import textwrap

import numpy as np
import textalloc
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image, ImageOps
from scipy import ndimage

from aniembed import files
from aniembed.layout import spread
from aniembed.titles import by_popularity

PAPER, INK = '#fbf7ef', '#2b2723'  # the map's background and type
# Paul Tol's "muted" qualitative scheme (2021), made for all kinds of colour vision, in an order that keeps likes apart
COLOURS = '#cc6677 #332288 #ddcc77 #117733 #88ccee #882255 #44aa99 #999933 #aa4499'.split()


def cluster_colours(positions, labels):
    """One colour a cluster ('#rrggbb'), from COLOURS in the order of the clusters' directions from the middle of the map.

    Beyond the ninth, the same colours come again, darker each time, and not beside themselves where the round closes.
    """
    middles = np.array([np.median(positions[labels == k], 0) for k in range(labels.max() + 1)])
    x, y = (middles - np.median(positions, 0)).T
    rounds, step = np.divmod(np.argsort(np.argsort(np.arctan2(y, x))), len(COLOURS))
    return [
        to_hex(np.array(to_rgb(colour)) * 0.7**turn)
        for colour, turn in zip(np.take(COLOURS, step + 7 * rounds, mode='wrap'), rounds)
    ]


def shorten(title, length=36):
    """A title of at most `length` characters: words in the middle give way, as the last ones tell sequels apart."""
    words, last = title.split(), ''
    while len(title) > length and words and len(words[-1] + last) < length // 3:
        last = f' {words.pop()}{last}'
    start = textwrap.shorten(' '.join(words), length - len(last), placeholder='…') + last
    return start if start != '…' else title[: length - 1] + '…'


def fonts_for(texts):
    """Font families that hold the texts' characters, DejaVu Sans first, and the characters that no font here holds."""
    families, missing = [], set(map(ord, ''.join(texts)))
    logging.getLogger('matplotlib.font_manager').setLevel(
        logging.ERROR
    )  # it complains of fonts that nobody asked for
    others = {font.name for font in font_manager.fontManager.ttflist if font.style == 'normal'}
    for name in ['DejaVu Sans', *sorted(others, key=lambda name: ('CJK' not in name, name))]:
        if missing and not name.startswith('Last Resort'):  # that one draws boxes
            held = missing & set(font_manager.get_font(font_manager.findfont(name)).get_charmap())
            families += [name] if held or not families else []
            missing -= held
    return families, set(map(chr, missing))


def draw_map(png, map_width, positions, clusters, anime, covers, footnote):
    """Draw similarity_map.png: every title as cover, tile or disc, the popular ones larger, and its name where it fits.

    The arguments come from the functions above, covers may be {}; footnote: what the map was drawn from. Returns the
    figure, whose data unit is the pixel and whose artists bear gids: `discs` (one collection, in the order of anime),
    `cover <id>`, `tile <id>`, `title <id>`, `cluster <label>`.
    """
    labels, names, colours = clusters
    n, order = len(anime), by_popularity(anime)
    rank = np.argsort(order) / max(1, n - 1)  # 0 = the most popular, 1 = the least
    width = round(map_width * min(2, max(1, (n / 300) ** 0.4)))
    height, cell, unit = round(width * 0.72), width / 400, (width * map_width) ** 0.5 / 3200
    figure = Figure(
        (width / 72, height / 72), dpi=72, facecolor=PAPER
    )  # at 72 dpi a point of type is a pixel
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.add_axes([0, 0, 1, 1], xlim=(0, width), ylim=(0, height), autoscale_on=False)
    axes.axis('off')
    colours, paper = np.array([to_rgb(colour) for colour in colours]), np.array(to_rgb(PAPER))
    texts = [shorten(title) for title in anime['title']]
    families, missing = fonts_for([*texts, *names, footnote])
    # Signs that no font has are left out; a title with such letters stays without type, as half a word is none.
    texts = [
        ''
        if any(letter.isalpha() for letter in missing.intersection(text))
        else ''.join(letter for letter in text if letter not in missing).strip()
        for text in texts
    ]
    font = {'family': families, 'parse_math': False}
    halo = [withStroke(linewidth=3.5 * unit, foreground=PAPER)]

    # How large the marks and the type are, and where they lie: t-SNE's places, drawn out where they crowd
    low, high = np.array([[0.07, 0.10], [0.93, 0.88]]) * [width, height]
    space = np.sqrt(np.prod(high - low) / n)
    if covers:  # half the width of a tile, which is 1.42 times as high as wide
        radii, stretch = 0.18 * space * (1.2 - 0.35 * rank**0.6), np.array([1, 1.42])
    else:  # the radius of a disc, which needs more room at its sides, for type
        radii, stretch = 0.15 * space * min(1, 300 / n) ** 0.12 * (1.45 - 0.9 * rank**0.6), np.array([1.5, 1])
    length = np.array([len(text) for text in texts])
    type_size = np.clip(0.5 * space / np.sqrt(length.mean()), 14, 28 if covers else 32) * (1.18 - 0.36 * rank)
    area = 4 * radii**2 * stretch[1] + 0.72 * length * type_size**2
    room = np.maximum(1.1 * radii, np.sqrt(0.18 * np.prod(high - low) * area / area.sum() / np.prod(stretch)))
    places = (positions - positions.min(0)) / np.maximum(np.ptp(positions, 0), 1e-12)
    places = 0.7 * places + 0.3 * np.argsort(np.argsort(places, 0), 0) / max(1, n - 1)
    places = low + (0.04 + 0.92 * places) * (high - low)
    places = spread(places / stretch, room, low / stretch, high / stretch, bool(covers)) * stretch

    # The clusters' names: where a cluster is most by itself and titles are few; the titles there make way
    density, taken = np.zeros((len(names), round(height / cell), 400)), np.zeros((round(height / cell), 400))
    where = tuple(np.minimum((places[:, ::-1] / cell).astype(int), np.subtract(taken.shape, 1)).T)
    np.add.at(density, (labels, *where), 1)
    density = ndimage.gaussian_filter(density, (0, *[max(4, 130 / n**0.5)] * 2))
    # No land runs over the picture's rim, nor under its heading.
    density *= np.minimum.outer(
        *(
            np.maximum(0, 1 - np.abs(np.linspace(-1, last, size)) ** 12)
            for size, last in zip(density.shape[1:], (1.15, 1))
        )
    )
    total = density.sum(0)
    own = density**2 / np.maximum((density**2).sum(0), 1e-12) * np.minimum(1, total / np.median(total[where]))
    taken[where] = 1
    taken = ndimage.maximum_filter(taken, int(2 * np.median(radii) / cell) + 1)
    boxes = []
    for k, name in enumerate(names):
        lines = ['\u2009'.join(line) for line in textwrap.wrap(name.upper(), 28)]
        text = axes.text(
            0,
            0,
            '\n'.join(lines),
            size=44 * unit,
            color=tuple(colours[k] * 0.6),
            ha='center',
            va='center',
            zorder=4,
            gid=f'cluster {k}',
            **font,
        )
        box = text.get_window_extent(renderer)
        size = int(box.height / cell) + 3, int(box.width / cell) + 3
        score = ndimage.uniform_filter(own[k], size) - 0.7 * ndimage.uniform_filter(taken, size)
        score[: int(low[1] / cell) + 1] = score[int(high[1] / cell) :] = -np.inf
        score[:, : size[1] // 2 + 8] = score[:, -(size[1] // 2) - 8 :] = -np.inf
        y, x = np.unravel_index(score.argmax(), score.shape)
        taken[max(0, y - size[0]) : y + size[0], max(0, x - size[1] // 2 - 2) : x + size[1] // 2 + 3] = 9
        text.set_position(((x + 0.5) * cell, (y + 0.5) * cell))
        boxes.append((*text.get_position(), box.width / 2, box.height / 2))
    places = (
        spread(
            places / stretch,
            np.maximum(1.1 * radii, 0.8 * room),
            low / stretch,
            high / stretch,
            bool(covers),
            boxes / np.tile(stretch, 2),
        )
        * stretch
    )

    # The clusters' land and shallows, as on a chart
    for depth, strength in ((0.14, 0.10), (0.35, 0.20)):
        for k, colour in enumerate(colours):
            lead = (density[k] - np.delete(density, k, 0).max(0, initial=0)) / np.maximum(total, 1e-9)
            land = np.minimum(total / (depth * np.percentile(total[where], 20)) - 1, 3 * lead)
            axes.contourf(
                (np.arange(400) + 0.5) * cell,
                (np.arange(len(total)) + 0.5) * cell,
                land,
                levels=[0, np.inf],
                colors=[tuple(paper + strength * (colour - paper))],
                zorder=depth,
            )

    # The titles' marks; `clear` and `around` are the middles and half widths of squares that no type may touch
    clear, around = (
        [places[order[:2000]]],
        [radii[order[:2000]]],
    )  # with more titles, type may cover the smallest discs
    if covers:
        clear = [places + [0, 0.42] * radii[:, None], places - [0, 0.42] * radii[:, None]]
        around = [radii + 3 * unit] * 2
    else:
        axes.scatter(
            *places.T,
            s=(2 * radii) ** 2,
            c=colours[labels],
            edgecolors=PAPER,
            zorder=2,
            linewidths=np.minimum(1.5 * unit, 0.15 * radii),
            gid='discs',
        )
    for row, mal_id in enumerate(anime.index if covers else ()):
        (x, y), half, colour = places[row].round(), int(radii[row]), colours[labels[row]]
        tall = int(1.42 * half)
        tile = axes.add_patch(
            Rectangle(
                (x - half, y - tall),
                2 * half,
                2 * tall,
                facecolor=colour,
                edgecolor=colour,
                linewidth=5 * unit,
                zorder=2,
                gid=f'tile {mal_id}',
            )
        )
        if mal_id in covers:
            tile.set_gid('frame')
            with Image.open(covers[mal_id]) as cover:
                axes.imshow(
                    ImageOps.fit(cover.convert('RGB'), (2 * half, 2 * tall)),
                    interpolation='nearest',
                    zorder=2.5,
                    aspect='auto',
                    extent=(x - half, x + half, y - tall, y + tall),
                    gid=f'cover {mal_id}',
                )
        else:
            lines = textwrap.wrap(texts[row], 10, max_lines=5, placeholder='…') or ['']
            axes.text(
                x,
                y,
                '\n'.join(lines),
                size=min(0.4 * half, 2.9 * half / max(5, *map(len, lines))),
                ha='center',
                va='center',
                color=PAPER if colour @ [0.2, 0.7, 0.1] < 0.5 else INK,
                zorder=3,
                **font,
            )
    for x, y, w, h in boxes:
        clear.append(
            np.stack(np.meshgrid(np.arange(x - w + h / 2, x + w, h), [y - h / 2, y + h / 2]), -1).reshape(
                -1, 2
            )
        )
        around.append(np.full(len(clear[-1]), h / 2))
    clear, around = np.concatenate(clear), np.concatenate(around)

    # The titles in type, the popular ones first, as many as have room
    reach = (110 if covers else 160 if n <= 300 else 60) * unit
    narrow = 14 if covers else 20
    fit = np.array([row for row in order if texts[row].strip()], int)
    fit = fit[np.cumsum((0.72 * length * type_size**2)[fit]) < 0.4 * width * height]
    wrapped = [
        '\n'.join(textwrap.wrap(text, max(narrow - 6, len(text) // 2 + 3))) if len(text) > narrow else text
        for text in (texts[row] for row in fit)
    ]
    _, lines, written, leaders = textalloc.allocate(
        axes,
        *places[fit].T,
        wrapped,
        x_scatter=clear[:, 0],
        y_scatter=clear[:, 1],
        scatter_sizes=around,
        text_scatter_sizes=stretch[1] * radii[fit],
        textsize=list(type_size[fit]),
        textcolor=[INK] * len(fit),
        linecolor=[tuple(colour * 0.7) for colour in colours[labels[fit]]],
        linewidth=1.2 * unit,
        margin=(5 if n <= 300 else 2) * unit / width,
        min_distance=3 * unit / width,
        max_distance=reach / width,
        nbr_candidates=600 if n <= 300 else 150,
        draw_all=False,
        avoid_label_lines_overlap=n <= 300,
        direction=['south', 'north', 'east', 'west'] if covers else None,
        xlims=(0.01 * width, 0.99 * width),
        ylims=(0.05 * height, 0.925 * height),
        va='bottom',
        linespacing=1.0,
        zorder=5,
        path_effects=halo,
        **font,
    )
    half = radii[:, None] * [1, stretch[1]]
    for row, line, text, leader in zip(fit, lines, written, leaders):
        if text:
            text.set_gid(f'title {anime.index[row]}')
        if text and line:
            path = np.linspace(*np.transpose(line[:2]), 50)
            crossed = (np.abs(path[:, None] - places) < half).all(2).any(0)
            crossed[row] = False
            if crossed.any() or np.linalg.norm(path[-1] - path[0]) > half[row, 1] + reach:
                text.remove()  # too far from its mark, or past another one, to be seen as belonging to it
                leader.remove()

    axes.text(
        0.03 * width,
        0.955 * height,
        f'{n:,} anime, by who loves them together',
        size=64 * unit,
        weight='bold',
        color=INK,
        va='center',
        zorder=6,
        path_effects=halo,
        **font,
    )
    axes.text(
        0.03 * width,
        0.03 * height,
        footnote,
        size=26 * unit,
        color=INK,
        alpha=0.7,
        va='center',
        zorder=6,
        **font,
    )
    with files.whole_files(png) as (file,):
        figure.savefig(file, format='png', dpi=72)
    return figure, np.column_stack([places, radii]) / width
