"""Let what a title is (its genres, studios, franchise ...) stand in for the lists that it lacks."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags

# What one kind of feature weighs beside another (measured: tests/STUDY.md)
KINDS = {
    'genres': 1,
    'studios': 0.5,
    'source': 0.5,
    'media_type': 0.5,
    'rating': 0.5,
    'five_years': 0.5,
    'franchise': 2,
}
# The share of features in the target: SHARE for a title that nobody scored, half of it at ENOUGH_LISTS lists
SHARE, ENOUGH_LISTS = 0.2, 1000
HEIGHT = 0.6  # target of two titles with the same features
PENALTY = 5  # of the ridge regression, as a multiple of a row's usual squared length
FEW_LISTS = 5  # lists that say as much about a title as its features do


def feature_matrix(anime):
    """Return the features of a title_table as a csr_matrix n x f, float32; f is 0 where it has none.

    A feature of c titles weighs log(n / (1 + c)), its inverse document frequency, times the weight of its
    kind. One that a single title has, or all have, tells nothing and is left out. The mean square of the
    rows' lengths is 1.
    """
    n = len(anime)
    table = anime.assign(five_years=[None if year is None else year // 5 for year in anime['year']])
    entries = [
        (row, (kind, name))
        for kind in KINDS
        for row, value in enumerate(table[kind])
        if value is not None
        for name in (set(value) if isinstance(value, list) else [value])
    ]
    if not entries:
        return csr_matrix((n, 0), dtype=np.float32)
    rows, features = zip(*entries)
    columns, names = pd.factorize(pd.Index(features, tupleize_cols=False))
    count = np.bincount(columns)
    weight = np.array([KINDS[kind] for kind, _ in names]) * np.log(n / (1 + count))
    matrix = csr_matrix((weight[columns], (rows, columns)), shape=(n, len(names)), dtype=np.float32)
    matrix = matrix[:, (count > 1) & (weight > 0)]
    length = np.sqrt(matrix.multiply(matrix).sum() / n)
    return matrix / length if length > 0 else matrix


def mix_similarity(target, features, counts):
    """Mix the similarity of the titles' features into the target, in place.

        T'_ij = T_ij + sqrt(s_i s_j) (0.6 f_i . f_j / (|f_i| |f_j|) - T_ij)       s_i = 0.2 / (1 + c_i / 1000)

    with f_i the features of title i and c_i the number of lists that score it; s_i is 0 without features.
    """
    length = np.sqrt(np.asarray(features.multiply(features).sum(1)).ravel())
    share = np.sqrt(np.where(length > 0, SHARE / (1 + counts / ENOUGH_LISTS), 0)).astype(np.float32)
    unit = diags(1 / np.maximum(length, 1e-12)).astype(np.float32) @ features
    block = 1024  # rows at a time
    for start in range(0, len(target), block):
        rows = slice(start, start + block)
        change = (unit[rows] @ unit.T).toarray()
        change *= HEIGHT
        change -= target[rows]
        change *= share
        change *= share[rows, None]
        target[rows] += change
    np.fill_diagonal(target, 1)


def complete(vectors, means, counts, features):
    """Return vectors, mean scores and expected numbers of lists, with features where lists say little.

    The vectors become v'_i = v_i + 5 / (5 + c_i) (p_i - v_i) at unit length, where p_i is what the features
    say (predict) and c_i how many lists score title i; without features, a vector stays as it is. A mean
    score that is NaN, and the number of lists of a title that nobody scored, are predicted likewise.
    """
    scored, described = counts > 0, features.getnnz(1) > 0
    values = np.column_stack([vectors, np.where(scored, means, 0), np.log1p(counts)])
    predicted = predict(values, counts, features)
    share = FEW_LISTS / (FEW_LISTS + counts[described, None])
    completed = vectors.copy()
    completed[described] += share * (predicted[described, :-2] - vectors[described])
    completed[described] /= np.linalg.norm(completed[described], axis=1, keepdims=True)
    means = np.where(np.isnan(means), predicted[:, -2], means).astype(np.float32)
    return completed, means, np.where(scored | ~described, counts, np.expm1(predicted[:, -1]))


def predict(values, counts, features):
    """Return what the features say of `values`, n x k, by ridge regression on the titles that lists score.

    A title that c lists score weighs c / (c + 5). One without features gets the weighted mean.
    """
    weight = counts / (counts + FEW_LISTS)
    mean = weight @ values / weight.sum()
    weighted = diags(weight) @ features
    gram = (features.T @ weighted).toarray()
    gram[np.diag_indices_from(gram)] += PENALTY
    return mean + features @ np.linalg.solve(gram, weighted.T @ (values - mean))
