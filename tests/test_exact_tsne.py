"""aniembed/map/exact_tsne.py beside scikit-learn's exact t-SNE."""

import numpy as np
import pytest
from sklearn.manifold import TSNE

from aniembed.map.exact_tsne import exact_tsne, joint_probabilities, principal_plane


def groups(n_groups=8, size=12, d=20):
    """Return unit vectors in groups, float64 n x d, and each one's group."""
    random = np.random.default_rng(1)
    points = np.repeat(random.normal(size=(n_groups, d)), size, 0) + random.normal(
        0, 0.6, (n_groups * size, d)
    )
    return points / np.linalg.norm(points, axis=1, keepdims=True), np.repeat(np.arange(n_groups), size)


def divergence(shares, places):
    """Return the Kullback-Leibler divergence that t-SNE makes small."""
    kernel = 1 / (1 + ((places[:, None] - places) ** 2).sum(2)) - np.eye(len(places))
    return (shares * np.log(np.maximum(shares, 1e-12) / np.maximum(kernel / kernel.sum(), 1e-12))).sum()


@pytest.mark.parametrize('perplexity', [5.0, 20.0])
def test_places_are_as_good_as_those_of_scikit_learn(perplexity):
    vectors, group = groups()
    shares = joint_probabilities((1 - vectors @ vectors.T) ** 2, perplexity)
    peer = TSNE(metric='cosine', init='pca', perplexity=perplexity, random_state=1, method='exact')
    expected = divergence(shares, peer.fit_transform(vectors))
    assert expected == pytest.approx(peer.kl_divergence_, rel=0.01)  # of the same shares
    places = exact_tsne(vectors, shares, 1000)
    assert divergence(shares, places) < 1.05 * expected
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    assert (group[np.argsort(distances, 1)[:, 1:4]] == group[:, None]).mean() > 0.95
    np.testing.assert_array_equal(places, exact_tsne(vectors, shares, 1000))


def test_equal_vectors_have_places():
    shares = joint_probabilities(np.zeros((6, 6)), 1.5)
    assert np.isfinite(exact_tsne(np.tile([0.6, 0.8], (6, 1)), shares, 500)).all()


def test_the_principal_plane_is_that_of_the_largest_variances():
    points = np.random.default_rng(1).normal(size=(200, 3)) * [1, 9, 4] + 5
    plane = principal_plane(points)
    correlation = np.abs(np.corrcoef(points[:, 1:].T, plane.T)[:2, 2:])
    assert (correlation.diagonal() > 0.99).all() and plane[:, 0].std() > plane[:, 1].std()
