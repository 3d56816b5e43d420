"""Place the titles on a plane: t-SNE, and the removal of overlaps with the smallest moves."""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from aniembed.similarity import nearest_titles

KEPT = 5  # neighbours that a layout is judged by
PERPLEXITY = 15.0  # of real lists (mal-2016) 10 to 15 keep most of the nearest five at 100, 1,000 and 3,000
# Iterations with EXAGGERATION times the attraction, with all of it, and with less of it between clusters. The
# usual exaggeration, 12, turns a difference in the last digit of the vectors into another map; none keeps
# fewer neighbours at 100 titles. With less attraction from the beginning on, titles move twice as far when
# nine tenths of the lists are taken.
# From the places of an earlier map a few are enough, and move titles half as far.
EXAGGERATION, ALIKE, FROM_EARLIER, TOGETHER, APART = 2, 250, 50, 300, 250
# Share of the attraction between titles of different clusters that is left. On halves of mal-2016
# 0.6 costs up to a point of the nearest five, and 0.5 in one of six cases too many
ABROAD = 0.6
VERY_LARGE = 10_000  # titles from which on interpolation is faster
MAX_PASSES = 150  # over overlapping marks
PUSH = 0.5  # share of an overlap that each of two marks gives way in a pass
DONE = 0.5  # pixels of overlap that do not count; marks are placed with more room than that


def affinities(vectors):
    """Return how strongly t-SNE draws each title to its neighbours, a csr_matrix n x n of sum 1.

    vectors: float32 n x d of unit length; their distance is 1 - v_i . v_j. The neighbours are exact.
    """
    from openTSNE.affinity import joint_probabilities_nn

    n = len(vectors)
    perplexity = max(1.0, min(PERPLEXITY, (n - 1) / 3))
    with threadpool_limits(1):  # the sum of several threads differs from run to run in its last digits
        neighbours, similarities = nearest_titles(vectors, int(3 * perplexity))
    return joint_probabilities_nn(neighbours, 1 - similarities, [perplexity])


def principal_plane(vectors):
    """Return the vectors, n x d, in the plane of their two largest principal components, n x 2.

    The sign of an axis is free; here the third moment is positive. The first axis has a standard deviation
    of 1.
    """
    centred = np.asarray(vectors, np.float64)
    centred = centred - centred.mean(0)
    with threadpool_limits(1):
        axes = np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]
    places = centred @ axes
    places *= np.where((places**3).sum(0) < 0, -1, 1)
    return places / max(places[:, 0].std(), 1e-12)


def tsne(attraction, clusters, start, early=ALIKE):
    """Return a t-SNE layout (van der Maaten and Hinton 2008; openTSNE, Policar and others 2024): n x 2.

    attraction: of affinities(); clusters: int n, titles of different ones attract each other less in the last
    iterations, so that clusters become islands; start: n x 2; early: iterations with more attraction.
    """
    one, two = attraction.nonzero()
    weights = csr_matrix((np.where(clusters[one] == clusters[two], 1, ABROAD), (one, two)))
    places = _descend(attraction, start, early, exaggeration=EXAGGERATION, momentum=0.5)
    places = _descend(attraction, places, TOGETHER, momentum=0.8)
    return _descend(attraction.multiply(weights).tocsr(), places, APART, momentum=0.8)


def _descend(attraction, places, iterations, **options):
    """Return the places after so many iterations of gradient descent."""
    from openTSNE import TSNEEmbedding  # takes two seconds to import
    from openTSNE.affinity import PrecomputedAffinities

    method = 'bh' if len(places) <= VERY_LARGE else 'fft'
    with threadpool_limits(1):
        embedding = TSNEEmbedding(
            places,
            PrecomputedAffinities(attraction),
            negative_gradient_method=method,
            n_jobs=1,  # several threads add up in any order
        )
        return np.array(embedding.optimize(iterations, **options))


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
