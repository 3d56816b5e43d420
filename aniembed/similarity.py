"""Compute the similarity index of the titles from the lists: the target that the net learns."""

import numpy as np
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import vstack
from scipy.sparse.linalg import eigsh

# Measured on mal-2016, the first two for speed
DENSE_SHARE = 0.04  # titles that a larger share of the lists score are summed by a dense product
RIDGE_TITLES = 5000  # the ridge target is computed for at most so many titles
EVENNESS = 0.75  # 1 makes the fifth neighbours of all titles equally similar; less favours well-known titles
CENTRED_SHARE = 0.35  # of the centred target in the mean of both


class PairSums:
    """Sum over all lists, for every pair of titles: W_ij = sum_u sqrt(o_ui o_uj) / sqrt(sum_k o_uk).

    The offset o_ui = max(0, s_ui - m_i + margin) is how far user u's score of title i is above a point
    `margin` below the title's mean, and 0 where u did not score i. Dividing by the root of the user's sum of
    offsets keeps long lists from outweighing all others.

    Titles that many lists score are summed by a dense product, the others by sparse ones: with 9,000 titles
    and 100,000 lists a dense product of all would take 25 times as long.
    """

    def __init__(self, means, margin):
        self.thresholds = means - np.float32(margin)
        self.dense = None  # n bool, whether many lists score a title; from the first block
        self.sparse_blocks = []

    def add(self, user_items):
        """Add one block of lists, a csr_matrix users x titles."""
        roots = self.roots(user_items)
        if self.dense is None:
            self._begin(roots)
        dense, sparse = roots[:, self.dense].toarray(), roots[:, ~self.dense]
        if dense.size:
            # syrk computes one half of A A^T and adds it in place; A^T in C's order is A in Fortran's
            self.dense_sums = ssyrk(1, dense.T, beta=1, c=self.dense_sums, overwrite_c=True)
            self.cross_sums += sparse.T.tocsr() @ dense
        self.sparse_blocks.append(sparse)

    def roots(self, user_items):
        """Return sqrt(o_ui / sqrt(sum_k o_uk)), a csr_matrix users x titles."""
        roots = user_items.copy()
        roots.data = np.maximum(roots.data - self.thresholds[roots.indices], 0)
        sums = np.maximum(np.asarray(roots.sum(1)).ravel(), 1e-6)
        roots.data = np.sqrt(roots.data / np.repeat(np.sqrt(sums), np.diff(roots.indptr)))
        return roots

    def _begin(self, roots):
        self.dense = roots.getnnz(0) > DENSE_SHARE * max(1, roots.shape[0])
        n_dense = int(self.dense.sum())
        self.dense_sums = np.zeros((n_dense, n_dense), np.float32, order='F')
        self.cross_sums = np.zeros((len(self.dense) - n_dense, n_dense), np.float32)

    def total(self):
        """Return W, float32 n x n."""
        n = len(self.thresholds)
        total = np.zeros((n, n), np.float32)
        if self.dense is None:
            return total
        dense, sparse = np.flatnonzero(self.dense), np.flatnonzero(~self.dense)
        upper = np.triu(self.dense_sums)
        total[np.ix_(dense, dense)] = upper + np.triu(upper, 1).T
        total[np.ix_(sparse, dense)] = self.cross_sums
        total[np.ix_(dense, sparse)] = self.cross_sums.T
        by_title = vstack(self.sparse_blocks).T.tocsr()
        for start in range(0, len(sparse), 256):  # one half of W, and some of the other
            rows, others = sparse[start : start + 256], sparse[start:]
            products = (by_title[start : start + 256] @ by_title[start:].T).toarray()
            total[np.ix_(rows, others)] = products
            total[np.ix_(others, rows)] = products.T
        return total


def target_of(sums, common, power, ridge):
    """Return the target T of the net, float32 n x n with a diagonal of 1, from the pair sums W (overwritten).

    T is a weighted mean of centred_target(), which is better for recommendations, and ridge_target(), which
    is better for similar titles (tests/STUDY.md).
    """
    # The inverse takes n^3 steps: beyond RIDGE_TITLES, the least scored titles have the centred target alone
    most_scored = np.sort(np.argsort(-sums.diagonal(), kind='stable')[:RIDGE_TITLES])
    block = np.ix_(most_scored, most_scored)
    ridge = ridge_target(sums[block], ridge)
    target = centred_target(sums, common, power)
    target[block] = CENTRED_SHARE * target[block] + (1 - CENTRED_SHARE) * ridge
    return target


def centred_target(sums, common, power):
    """Return how similar titles are beyond what all titles have in common, float32 n x n (overwrites sums).

    W is scaled to a diagonal of 1, S_ij = W_ij / sqrt(W_ii W_jj). A share `common` of its leading eigenvector
    is removed, the exponent `power` boosts weak similarities, and rows are scaled so that every title's fifth
    neighbour is about equally similar.
    """
    similarity = unit_diagonal(sums)
    value, vector = eigsh(similarity, 1, v0=np.ones(len(similarity), np.float32))
    for row, weight in zip(similarity, common * value * vector[:, 0]):
        row -= weight * vector[:, 0]
    target = unit_diagonal(similarity)
    for row in target:
        np.copysign(np.abs(row) ** np.float32(power), row, out=row)
    return level_neighbours(target, 1)


def ridge_target(sums, ridge):
    """Return how much each title tells about each other one when all others are known, float32 n x n.

    P = (W + l I)^-1 is the precision matrix of ridge regression of every title on all others, and
    -P_ij / sqrt(P_ii P_jj) the partial correlation of two titles (EASE: Steck, 2019). The penalty l is the
    share `ridge` of the sum of W's diagonal.
    """
    n = len(sums)
    precision = np.array(sums, np.float32, order='F')
    precision[np.diag_indices(n)] += max(ridge * np.trace(sums), 0.05)  # not 0 without scores
    # By Cholesky's factor, in place; only the lower half is computed
    precision = spotri(spotrf(precision, lower=1, overwrite_a=1)[0], lower=1, overwrite_c=1)[0]
    lower = np.tril(precision)
    target = -(lower + np.tril(lower, -1).T)
    scale = np.sqrt(-target.diagonal())
    target /= scale
    target /= scale[:, None]
    np.fill_diagonal(target, 1)
    target = level_neighbours(target, EVENNESS)
    # The median similarity of a fifth neighbour grows with the number of titles, up to 1,000
    target *= min(0.15 * np.log10(n), 0.45) / np.median(fifth_neighbours(target))
    np.minimum(target, 1, out=target)
    np.fill_diagonal(target, 1)
    return target


def fifth_neighbours(target):
    """Return the similarity of each title's fifth neighbour, n; at least a twentieth of the median."""
    k = min(5, len(target) - 1) + 1  # the title itself is the first
    fifth = np.array([np.partition(row, -k)[-k] for row in target])
    median = np.median(fifth)
    if median <= 0:  # few titles with nothing in common
        return np.ones_like(fifth)
    return np.maximum(fifth, 0.05 * median)


def level_neighbours(target, evenness):
    """Return T_ij / sqrt(h_i h_j), at most 1 (overwrites target).

    h_i is the similarity of i's fifth neighbour, divided by the geometric mean of all, to the power of
    evenness.
    """
    scale = fifth_neighbours(target) ** (evenness / 2)
    scale = (scale / np.exp(np.log(scale).mean())).astype(np.float32)
    for row, row_scale in zip(target, scale):
        np.minimum(row / (scale * row_scale), 1, out=row)
    np.fill_diagonal(target, 1)
    return target


def unit_diagonal(matrix):
    """Return a_ij / sqrt(a_ii a_jj) (overwrites matrix)."""
    scale = np.sqrt(np.maximum(matrix.diagonal(), 1e-12))
    matrix /= scale
    matrix /= scale[:, None]
    np.fill_diagonal(matrix, 1)
    return matrix


def nearest_titles(vectors, k):
    """Return the k titles with the largest dot product to each title, without the title itself, best first.

    vectors: float32 n x d of unit length. Returns indices (int n x k) and similarities (float32 n x k).
    """
    k = min(k, len(vectors) - 1)
    indices, similarities = np.empty((len(vectors), k), int), np.empty((len(vectors), k), np.float32)
    rows_per_block = 1024
    for start in range(0, len(vectors), rows_per_block):
        block = slice(start, start + rows_per_block)
        products = vectors[block] @ vectors.T
        products[np.arange(len(products)), np.arange(start, start + len(products))] = -np.inf
        nearest = np.argpartition(-products, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(products, nearest, 1), axis=1, kind='stable')
        indices[block] = np.take_along_axis(nearest, order, 1)
        similarities[block] = np.take_along_axis(products, indices[block], 1)
    return indices, similarities
