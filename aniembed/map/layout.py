"""Place the titles on a plane: t-SNE, and the removal of overlaps with the smallest moves."""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from aniembed.map.exact_tsne import exact_tsne, joint_probabilities, principal_plane

KEPT = 5  # neighbours that a layout is judged by
# Perplexities tried where n is small. Of real lists (mal-2016) 8 to 20 keep most of the nearest five at 100
# titles, and 10 to 15 at 1,000 and 3,000.
PERPLEXITIES, PERPLEXITY = (8.0, 10.0, 11.0, 13.0, 15.0, 18.0, 22.0, 25.0, 28.0), 12.0
SMALL = 300  # titles up to which t-SNE takes a fraction of a second, so that several are tried
SMALL_ITERATIONS = 1500  # of gradient descent where n is small
EARLY, EARLY_ATTRACTION, ITERATIONS = 250, 12, 500  # else, after EARLY ones with so many times the attraction
# Share of the attraction between titles of different clusters that is left. On halves of mal-2016
# 0.6 costs up to a point of the nearest five, and 0.5 in one of six cases too many
ABROAD = 0.6
VERY_LARGE = 10_000  # titles from which on interpolation is faster
MAX_PASSES = 150  # over overlapping marks
PUSH = 0.5  # share of an overlap that each of two marks gives way in a pass
DONE = 0.5  # pixels of overlap that do not count; marks are placed with more room than that


def tsne_layouts(vectors, clusters, seed):
    """Return t-SNE layouts (van der Maaten and Hinton 2008) of vectors, by cosine distance: a list of n x 2.

    clusters: int n; titles of different ones attract each other less, so that clusters become islands. Where
    n is small, several perplexities are tried.
    """
    n = len(vectors)
    most = max(1.0, (n - 1) / 3)
    chosen = sorted({min(most, value) for value in (PERPLEXITIES if n <= SMALL else [PERPLEXITY])})
    method = exact_layout if n <= SMALL else fast_layout
    with threadpool_limits(1):  # several threads add up in any order, which shows in the last digits
        layouts = [method(np.asarray(vectors, np.float64), clusters, value, seed) for value in chosen]
    return [principal_plane(places) for places in layouts]  # lies flat


def exact_layout(vectors, clusters, perplexity, seed):
    """Return the t-SNE layout of a few hundred titles; it has no random part."""
    attraction = joint_probabilities((1 - vectors @ vectors.T) ** 2, perplexity)
    attraction *= np.where(clusters[:, None] == clusters, 1, ABROAD)
    return exact_tsne(vectors, attraction / attraction.sum(), SMALL_ITERATIONS)


def fast_layout(vectors, clusters, perplexity, seed):
    """Return the t-SNE layout of many titles (Poličar and others 2024)."""
    import openTSNE  # takes a second, and maps of a hundred titles do not need it

    one_thread = {'random_state': seed, 'n_jobs': 1}  # several threads add up in any order
    attraction = openTSNE.affinity.PerplexityBasedNN(
        vectors, perplexity, method='exact', metric='cosine', **one_thread
    )
    one, two = attraction.P.nonzero()
    weights = csr_matrix((np.where(clusters[one] == clusters[two], 1, ABROAD), (one, two)))
    attraction.P = attraction.P.multiply(weights).tocsr()
    attraction.P /= attraction.P.sum()
    places = openTSNE.TSNEEmbedding(
        openTSNE.initialization.pca(vectors, random_state=seed),
        attraction,
        negative_gradient_method='bh' if len(vectors) <= VERY_LARGE else 'fft',
        **one_thread,
    )
    places = places.optimize(EARLY, exaggeration=EARLY_ATTRACTION, momentum=0.5)
    return np.asarray(places.optimize(ITERATIONS, momentum=0.8))


def kept_neighbours(nearest, points):
    """Return the share of the nearest titles in the vectors that are also the nearest on the plane.

    nearest: int n x k, the k nearest of each title; points: n x 2.
    """
    k = nearest.shape[1]
    on_plane = cKDTree(points).query(points, k + 1)[1]
    same = (nearest[:, :, None] == on_plane[:, None, :]).any(2)
    return same.mean()


def fit_to_frame(layout, low, high, most_stretch=1.0):
    """Scale and move a layout into a frame: n x 2; low, high: corners of the frame.

    most_stretch: how much more one axis may be drawn out than the other.
    """
    start, size = layout.min(0), np.maximum(np.ptp(layout, axis=0), 1e-9)
    scale = (high - low) / size
    scale = np.minimum(scale, scale.min() * most_stretch)
    return (low + high) / 2 + (layout - start - size / 2) * scale


def remove_overlaps(points, radii, low, high, square=False, boxes=()):
    """Push marks apart until none covers another or a box, as far as the frame allows; returns n x 2.

    points: n x 2; radii: n, half the width of each mark, with the room it needs; low, high: corners of the
    frame; square: whether the marks are squares, not discs; boxes: m x 4, (x0, y0, x1, y1),
    that no mark may touch.
    """
    points = np.clip(points, low, high)
    for _ in range(MAX_PASSES):
        pairs = _near_pairs(points, radii, square)
        one, two = pairs.T
        way = points[two] - points[one] + 1e-3 * (1 + one % 7)[:, None] * [1, -1]  # never 0
        if square:  # along the axis on which the squares overlap least
            way[np.arange(len(one)), np.abs(way).argmin(1)] = 0
        distance = np.linalg.norm(way, axis=1)
        overlap = np.maximum(0, radii[one] + radii[two] - distance)
        step = way * (PUSH * overlap / distance)[:, None]
        points = points.copy()
        for axis in range(2):
            points[:, axis] += np.bincount(two, step[:, axis], len(points))
            points[:, axis] -= np.bincount(one, step[:, axis], len(points))
        moved = _leave_boxes(points, radii, boxes)
        points = np.clip(points, low, high)
        if max(overlap.max(initial=0), moved) < DONE:
            break
    return points


def _near_pairs(points, radii, square):
    """Return the pairs of marks that overlap, m x 2."""
    norm = np.inf if square else 2
    pairs = cKDTree(points).query_pairs(2 * radii.max(), p=norm, output_type='ndarray')
    gap = np.abs(points[pairs[:, 0]] - points[pairs[:, 1]])
    distance = gap.max(1) if square else np.hypot(*gap.T)
    return pairs[distance < radii[pairs].sum(1)]


def _leave_boxes(points, radii, boxes):
    """Move marks out of boxes by the shortest way, in place; returns the longest move."""
    longest = 0.0
    x, y = points.T
    for x0, y0, x1, y1 in boxes:
        inside = (x > x0 - radii) & (x < x1 + radii) & (y > y0 - radii) & (y < y1 + radii)
        rows = np.flatnonzero(inside)
        if len(rows):
            # The ways out: to the left, up, to the right, down
            ways = np.column_stack([points[rows] - [x0, y0], [x1, y1] - points[rows]]) + radii[rows, None]
            shortest = ways.argmin(1)
            move = ways.min(1)
            points[rows, shortest % 2] += np.where(shortest < 2, -move, move)
            longest = max(longest, move.max())
    return longest
