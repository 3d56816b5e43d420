"""Compute the similarity index of the titles from the lists: the target that the net learns."""

import numpy as np
from scipy.linalg.blas import ssyrk
from scipy.sparse import vstack
from scipy.sparse.linalg import eigsh

# A title that a larger share of the lists score is summed by a dense product (measured: tests/README.md)
DENSE_SHARE = 0.04
TITLES_PER_BLOCK = 1024  # rows of a sparse product at a time
LEAST_HEIGHT = 0.02  # similarity of a fifth neighbour below which it counts as this
HEIGHT_RANK = 5  # the neighbour whose similarity says how close a title's neighbours are


class PairSums:
    """Sum what all lists say of every pair of titles: W_ij = sum_u sqrt(o_ui o_uj) / sum_k o_uk.

    The offset o_ui = max(0, s_ui - m_i + margin) is how far user u's score of title i lies above a point
    `margin` below the title's mean, and 0 where u did not score i. The geometric mean of two offsets is what
    one user says about a pair; the division gives every list the same weight, however long it is.

    Titles that many lists score are summed by a dense product, the others by sparse ones: at 9,000 titles and
    100,000 lists a dense product of all would take 25 times as long.
    """

    def __init__(self, means, margin):
        self.thresholds = means - np.float32(margin)
        self.dense = None  # whether a title is scored by many lists, known from the first block
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
        """Return sqrt(o_ui / sum_k o_uk), a csr_matrix users x titles."""
        roots = user_items.copy()
        roots.data = np.maximum(roots.data - self.thresholds[roots.indices], 0)
        sums = np.maximum(np.asarray(roots.sum(1)).ravel(), 1e-6)
        roots.data = np.sqrt(roots.data / np.repeat(sums, np.diff(roots.indptr)))
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
        for start in range(0, len(sparse), TITLES_PER_BLOCK):
            rows = slice(start, start + TITLES_PER_BLOCK)
            total[np.ix_(sparse[rows], sparse)] = (by_title[rows] @ by_title.T).toarray()
        return total


def target_of(sums, common, power):
    """Return the target T of the net, float32 n x n with a diagonal of 1, from the pair sums W (overwritten).

    S_ij = W_ij / sqrt(W_ii W_jj) sets a pair against what each of the two collects alone. A share `common` of
    the direction that all titles have in common is removed, the exponent `power` raises faint similarities,
    and every title's neighbours are brought to comparable height. tests/README.md has what each step gains.
    """
    similarity = unit_diagonal(sums)
    value, shared = eigsh(similarity, 1, v0=np.ones(len(similarity), np.float32))
    for row, weight in zip(similarity, common * value * shared[:, 0]):
        row -= weight * shared[:, 0]
    target = unit_diagonal(similarity)
    for row in target:
        np.copysign(np.abs(row) ** np.float32(power), row, out=row)
    # T_ij / sqrt(h_i h_j), at most 1: h_i is the similarity of i's fifth neighbour, relative to all others'
    height = np.ones(len(target))
    if len(target) > HEIGHT_RANK:
        height = np.array([np.partition(row, -HEIGHT_RANK - 1)[-HEIGHT_RANK - 1] for row in target])
    height = np.sqrt(np.maximum(height, LEAST_HEIGHT))
    height = (height / np.exp(np.log(height).mean())).astype(np.float32)
    for row, own in zip(target, height):
        np.minimum(row / (height * own), 1, out=row)
    np.fill_diagonal(target, 1)
    return target


def unit_diagonal(matrix):
    """Return a_ij / sqrt(a_ii a_jj), computed in place."""
    scale = np.sqrt(np.maximum(matrix.diagonal(), 1e-12))
    matrix /= scale
    matrix /= scale[:, None]
    np.fill_diagonal(matrix, 1)
    return matrix
