"""Say what a person's scores mean for every title: the query on the vectors of embeddings.pkl."""

import numpy as np
import pandas as pd

from aniembed.opinions import planned_titles, weigh

BLOCK = 64  # known titles at a time: what fits into a processor's cache
# The query's constants, searched on one half of the members of mal-2016, read on the other (tests/README.md)
SCORE_WEIGHT = 0.4  # a score one point higher weighs e^0.4 times as much
MEAN_WEIGHT = 0.15  # a title with a mean one point higher has e^0.15 times the affinity
POPULARITY_OF_KNOWN, POPULARITY_OF_RECOMMENDED = -0.25, 0.5  # exponents of popularity


def recommend(vectors, scores, number=10, statuses=None, niche=0.0):
    """Return the titles that suit a person best, as a Series MAL id -> affinity, best first.

    vectors: the DataFrame of embeddings.pkl with its attrs. scores: dict or Series MAL id -> 1 to 10, 0 for a
    title on the list without a score, NaN for one that is not on it. Titles on the list are left out, those
    that are only planned are not; ids that the vectors do not have are passed over. number: how many; None
    gives all. statuses: dict MAL id -> watching status, as for opinions.weigh(). niche: 0 to 1, from popular
    titles to those that are like the list, however few know them. ValueError if the vectors have no attrs, a
    score is not one, or the list says nothing of any title that the vectors have.
    """
    scores = check_scores(scores)
    query = Query(vectors, scores, statuses, niche)
    affinity = pd.Series(query.affinity(), index=vectors.index, name='affinity')
    on_list = scores.keys() - planned_titles(scores, statuses)
    affinity = affinity.drop(list(on_list), errors='ignore').sort_values(ascending=False, kind='stable')
    return affinity if number is None else affinity.head(number)


def check_scores(scores):
    """Return a person's scores as a dict int -> float, without NaN; ValueError names what is not a score."""
    checked = {}
    for mal_id, score in dict(scores).items():
        try:
            number = np.nan if score is pd.NA else float(score)
        except (TypeError, ValueError):
            raise ValueError(f'the score of {mal_id} is {score!r}, not a number from 0 to 10') from None
        if np.isnan(number):
            continue
        if not 0 <= number <= 10:
            raise ValueError(f'the score of {mal_id} is {score!r}, not a number from 0 to 10')
        try:
            checked[int(mal_id)] = number  # JSON has text keys
        except (TypeError, ValueError):
            raise ValueError(f'{mal_id!r} is not a MAL id') from None
    return checked


class Query:
    """What a person's list says of every title; ValueError if it says nothing of the vectors' titles.

    The affinity for title i is a sum over the known titles j, those that have a vector and of which
    opinions.weigh() gives a score s_j and a weight c_j, below 0 for a dislike:

        affinity_i = p_i^0.5(1-niche) e^(0.15 m_i)
                     sum_j  c_j p_j^-0.25 e^(0.4 (s_j - m_j / 2))  max(0, y_j . y_i)^g

    with m the mean score of a title, p its popularity, y its whitened vector at unit length, and
    g = log10(n / 2), rounded, at least 1. `known` are the ids j.
    """

    def __init__(self, vectors, scores, statuses=None, niche=0.0):
        attrs, ids = vectors.attrs, vectors.index.tolist()
        if not {'mean', 'popularity', 'whitening'} <= set(attrs):
            raise ValueError(
                'these vectors have no attrs: read them from the embeddings.pkl of embeddings.py'
            )
        if not 0 <= niche <= 1:
            raise ValueError(f'niche is {niche!r}, not a number from 0 to 1')
        entries = weigh(scores, statuses)
        self.known = [mal_id for mal_id in entries if mal_id in vectors.index]
        if not self.known:
            raise ValueError('none of the scores is of a title that the vectors know')
        mean, popularity = (
            np.array([attrs[name][mal_id] for mal_id in ids], np.float32) for name in ('mean', 'popularity')
        )
        self.indices = vectors.index.get_indexer(self.known)
        self.whitened = vectors.to_numpy() @ np.array(attrs['whitening'], np.float32)
        self.whitened /= np.linalg.norm(self.whitened, axis=1, keepdims=True)
        self.exponent = max(1, round(np.log10(len(ids) / 2)))
        given, counts = np.array([entries[mal_id] for mal_id in self.known], np.float32).T
        liking = np.exp(np.float32(SCORE_WEIGHT) * (given - mean[self.indices] / 2))
        self.weights = counts * liking * popularity[self.indices] ** np.float32(POPULARITY_OF_KNOWN)
        self.item_prior = popularity ** np.float32(POPULARITY_OF_RECOMMENDED * (1 - niche)) * np.exp(
            np.float32(MEAN_WEIGHT) * mean
        )

    def similarity(self, rows=slice(None)):
        """Return max(0, y_j . y_i)^g for some of the known titles j and all titles i, float32 rows x n."""
        products = np.maximum(self.whitened[self.indices[rows]] @ self.whitened.T, 0)
        result = products.copy()
        for _ in range(self.exponent - 1):  # ten times as fast as a power of floats
            result *= products
        return result

    def affinity(self):
        """Return the affinity of every title, float32."""
        blocks = [slice(start, start + BLOCK) for start in range(0, len(self.known), BLOCK)]
        return sum(self.weights[rows] @ self.similarity(rows) for rows in blocks) * self.item_prior

    def terms(self, indices):
        """Return what each known title adds to the affinity of some titles, float32 k x len(indices)."""
        return self.weights[:, None] * self.similarity()[:, indices] * self.item_prior[indices]

    def reasons(self, indices, number):
        """Return for each of some titles the known ids that add most to its affinity, best first."""
        terms = self.terms(indices)
        best = np.argsort(-terms, axis=0, kind='stable')[:number]
        return [[self.known[j] for j in best[:, i] if terms[j, i] > 0] for i in range(terms.shape[1])]
