"""Place the titles on a plane: t-SNE, and the removal of overlaps."""

import numpy as np
from scipy.spatial import cKDTree
from sklearn import decomposition, manifold
from threadpoolctl import threadpool_limits


def place_titles(vectors, perplexity, seed):
    """t-SNE (van der Maaten and Hinton 2008) by cosine distance: n x 2, turned to lie flat, its longer side 0 to 1."""
    n = len(vectors)
    perplexity = min(perplexity or max(1.0, min(30.0, n**0.5, (n - 1) / 3)), n - 1.01)
    with threadpool_limits(1):
        places = (
            manifold.TSNE(
                metric='cosine', init='pca', learning_rate='auto', perplexity=perplexity, random_state=seed
            )
            .fit_transform(np.asarray(vectors, np.float32))
            .astype(np.float64)
        )
    places = decomposition.PCA(2).fit_transform(places)
    low, high = places.min(0), places.max(0)
    return (places - (low + high) / 2) / max((high - low).max(), 1e-12) + 0.5


def spread(points, radii, low, high, square=False, boxes=()):
    """Push discs (squares of half width `radii`) apart until none covers another or a box, as far as the frame allows.

    points: n x 2; low, high: corners of the frame; boxes: (middle x, middle y, half width, half height) of each.
    """
    for _ in range(100):
        one, two = (
            cKDTree(points).query_pairs(2 * radii.max(), p=np.inf if square else 2, output_type='ndarray').T
        )
        way = points[two] - points[one] + 1e-3 * (1 + one % 7)[:, None] * [1, -1]  # never quite nothing
        if square:
            way[np.arange(len(one)), np.abs(way).argmin(1)] = 0
        far = np.linalg.norm(way, axis=1)
        push = np.maximum(0, radii[one] + radii[two] - far)
        step = way * (0.4 * push / far)[:, None]
        points = points.copy()
        np.add.at(points, two, step)
        np.subtract.at(points, one, step)
        for x, y, half_width, half_height in boxes:
            reach = half_height + radii
            inside = (np.abs(points[:, 0] - x) < half_width + radii) & (np.abs(points[:, 1] - y) < reach)
            points[inside, 1] = y + np.where(points[inside, 1] < y, -1, 1) * reach[inside]
        points = points.clip(low, high)
        if push.max(initial=0) < 0.5:
            break
    return points
