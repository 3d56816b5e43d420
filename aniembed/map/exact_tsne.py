"""t-SNE in its exact form (van der Maaten and Hinton 2008), for a few hundred titles.

scikit-learn has it too, but its import takes longer than all layouts of a hundred titles.
"""

import numpy as np

BISECTIONS = 50  # steps in which the width that gives the perplexity is halved in
EXAGGERATION, EXAGGERATED = 12.0, 250  # the attraction in the first steps, and how many these are
MOMENTUM, FIRST_MOMENTUM = 0.8, 0.5
RATE = 50.0  # of learning, as scikit-learn has for so few titles
SMALL = 1e-4  # standard deviation of the first places
TINY = 1e-12  # keeps logarithms and divisions finite


def exact_tsne(vectors, attraction, iterations):
    """Return places on a plane, n x 2, for vectors, n x d.

    attraction: n x n of sum 1, how much titles attend to each other, as from joint_probabilities().
    """
    n = len(vectors)
    places = principal_plane(vectors)
    places *= SMALL / max(places[:, 0].std(), TINY)
    for iteration in range(iterations):
        early = iteration < EXAGGERATED
        if iteration in (0, EXAGGERATED):
            step, gains = np.zeros((n, 2)), np.ones((n, 2))
        # The gradient is 4 sum_j (p_ij - q_ij) t_ij (y_i - y_j), t the kernel and q its share of the sum
        squares = (places**2).sum(1)
        kernel = 1 / (1 + np.maximum(squares[:, None] + squares - 2 * places @ places.T, 0))
        np.fill_diagonal(kernel, 0)
        force = ((EXAGGERATION if early else 1) * attraction - kernel / kernel.sum()) * kernel
        gradient = 4 * (force.sum(1)[:, None] * places - force @ places)
        # Each coordinate has a gain of its own, which grows as long as it moves on (Jacobs 1988)
        gains = np.where(step * gradient < 0, gains + 0.2, np.maximum(gains * 0.8, 0.01))
        step = (FIRST_MOMENTUM if early else MOMENTUM) * step - RATE * gains * gradient
        places = places + step
    return places


def joint_probabilities(distances, perplexity):
    """Return p_ij of squared distances, n x n of sum 1: how much titles attend to each other.

    Title i attends to j with p_j|i in proportion to exp(-beta_i d_ij), beta_i such that the entropy of p_i is
    the logarithm of the perplexity; p_ij is the mean of both directions.
    """
    n = len(distances)
    others = distances[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    others = others - others.min(1, keepdims=True)
    low, high = np.full((n, 1), -20.0), np.full((n, 1), 50.0)  # of the logarithm of beta
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        share = np.exp(-np.exp(middle) * others)
        share /= share.sum(1, keepdims=True)
        entropy = -(share * np.log(np.maximum(share, TINY))).sum(1, keepdims=True)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    conditional = np.zeros((n, n))
    conditional[~np.eye(n, dtype=bool)] = share.ravel()
    return (conditional + conditional.T) / (2 * n)


def principal_plane(points):
    """Return the points, n x d, in the plane of their two largest principal components, n x 2."""
    centred = points - points.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    axes *= np.sign(axes[[0, 1], np.abs(axes).argmax(1)])[:, None]  # the sign of an axis is free
    return centred @ axes.T
