"""Find the land of each cluster on the map, its colour, and draw it as on a chart.

The land is where the cluster's titles lie densely, on a grid of GRID columns. Places are in pixels.
"""

from typing import NamedTuple
from zlib import crc32

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from scipy import ndimage

SEA, PAPER = '#eef3f5', '#fffdf8'  # the background, and the land before it is tinted
# Paul Tol's "muted" qualitative scheme (2021), and five shades of it. All pairs of these 14 differ by 14 or
# more in CIELAB for all kinds of colour vision
COLOURS = ['#cc6677', '#332288', '#ddcc77', '#117733', '#88ccee', '#882255', '#44aa99', '#999933', '#aa4499']
SHADES = ['#211658', '#cccc99', '#0b4d21', '#a2d4cc', '#9990c3']
# With more clusters: shares of the nine, the rest is white or black
MORE_SHADES = (0.75, 'black'), (0.7, 'white'), (0.4, 'black'), (0.3, 'white')
GRID = 600  # cells of the picture's width in which the density of titles is counted
SHORE = 0.26  # standard deviation with which a title spreads its land, in mean distances
OWNER = 1.6  # times SHORE: the circle in which titles count when it is asked whose land it is
HEART = 5.0  # times SHORE: the circle in which they count when a place for its name is sought
BEACH = 2.2  # times SHORE: how far land and shallows reach beyond a title
LAKE = 3.0  # times the land of a title by itself; smaller lakes are filled
SHALLOWS, COAST = 0.15, 0.4  # density at which they begin, of the peak of a title by itself
COASTLINE = '#b9b6ad'


def cluster_colours(clusters, ids, order):
    """Return a colour ('#rrggbb') for each cluster.

    It belongs to the cluster's most popular title, so that a map of the next month has the same colours.
    Where two clusters would have the same one, the less popular one has the next. clusters: int n; ids: n MAL
    ids; order: rows, the most popular first.
    """
    count = clusters.max() + 1
    palette, colours = list(COLOURS), {}
    if count > len(palette):
        palette += SHADES
    if count > len(palette):
        palette += [mixed(colour, other, share) for share, other in MORE_SHADES for colour in COLOURS]
    for row in order:
        if clusters[row] not in colours:
            wanted = crc32(b'%d' % ids[row]) % len(palette)
            free = (colour for colour in palette[wanted:] + palette if colour not in colours.values())
            colours[clusters[row]] = next(free)
    return [colours[k] for k in range(count)]


def mixed(colour, other, share):
    """Return a mixture of two colours with this share of the first, as '#rrggbb'."""
    return to_hex(np.array(to_rgb(colour)) * share + np.array(to_rgb(other)) * (1 - share))


class Land(NamedTuple):
    """The land of the map, on a grid of GRID columns: how dense titles lie, and each cluster's share of it.

    total: rows x GRID, 1 at a title by itself; share: clusters x rows x GRID; heart: the same shape, how
    many titles of the cluster lie around, 1 where most do.
    """

    total: np.ndarray
    share: np.ndarray
    heart: np.ndarray


def make_land(canvas, points, clusters):
    """Return the Land of the marks at these places."""
    cell = canvas.width / GRID
    shape = round(canvas.height / cell), GRID
    total = density(points / cell, canvas.shore, shape)
    members = [points[clusters == k] / cell for k in range(clusters.max() + 1)]
    # A single title of another cluster owns no land: the shares are of a wider circle
    around = np.array([density(own, OWNER * canvas.shore, shape) for own in members])
    share = around / np.maximum(around.sum(0), 1e-12)
    heart = np.array([density(own, HEART * canvas.shore, shape) for own in members])
    heart /= heart.max((1, 2), keepdims=True)
    lakes, number = ndimage.label(total < COAST)
    sizes = ndimage.sum_labels(np.ones(shape), lakes, np.arange(number + 1))
    alone = 2 * np.pi * canvas.shore**2
    total[(sizes < LAKE * alone)[lakes] & (lakes > 0)] = COAST * 1.01  # too small to be a sea
    return Land(total, share, heart)


def density(points, sigma, shape):
    """Return the sum of a Gaussian of height 1 at each point, on a grid of this shape; all in cells."""
    x, y = np.float32(points).T
    rows, columns = (
        np.exp(-(((np.arange(size, dtype=np.float32) + 0.5)[:, None] - places) ** 2) / (2 * sigma**2))
        for size, places in zip(shape, (y, x))
    )
    return rows @ columns.T


def draw_land(canvas, axes, land, colours):
    """Draw each cluster's land, as on a chart: shallows, land, and the line of the coast."""
    cell = canvas.width / GRID
    x, y = ((np.arange(size) + 0.5) * cell for size in land.total.shape[::-1])
    second, best = np.sort(np.vstack([land.share, np.zeros((1, *land.total.shape))]), axis=0)[-2:]
    for level, paper, strength, zorder in ((SHALLOWS, SEA, 0.10, 0.1), (COAST, PAPER, 0.24, 0.2)):
        for share, colour in zip(land.share, colours):
            lead = share - np.where(share == best, second, best)
            own = np.minimum(land.total / level - 1, 3 * lead)
            rows, columns = np.nonzero(own > 0)
            if len(rows):
                down, across = (slice(max(0, at.min() - 1), at.max() + 2) for at in (rows, columns))
                tint = mixed(colour, paper, strength)
                axes.contourf(
                    x[across], y[down], own[down, across], [0, np.inf], colors=[tint], zorder=zorder
                )
    axes.contour(x, y, land.total, levels=[COAST], colors=[COASTLINE], linewidths=2 * canvas.unit, zorder=0.3)
