"""Say what a person's scores mean for every title: the query on the vectors of embeddings.pkl."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from aniembed.taste import opinions
from aniembed.taste.opinions import planned_titles, weigh

# Searched on one half of the members of mal-2016 and read on the other (tests/README.md). The docstrings of
# Query and predict_scores() have the formulas; graph.json carries the numbers to the page.
CONSTANTS = {
    **opinions.CONSTANTS,
    'score_weight': 0.2,  # a score one point higher weighs e^0.2 times as much
    'predicted_weight': 0.15,  # a predicted score one point higher has e^0.15 times the affinity
    'popularity_weight': 0.4,  # exponent of popularity
    'exponent': 1.7,  # exponent of the similarity of two titles
    'exponent_growth': 0.65,  # what it grows with log10(n): the more titles, the fewer count as near
    'linear_weight': 0.25,  # weight of the linear part among linear_titles or fewer
    'linear_titles': 100,
    'linear_fall': 1.25,  # exponent with which that weight falls as the titles become more
    'linear_popularity': 0.2,  # exponent of popularity in the linear part
    'noise': 0.5,  # variance of the noise of a liking, with 1 for that of the liking itself
    'prior': 0.02,  # what popularity alone says, beside the list
    'scores_range': 2,  # the rest: of the predicted scores
    'scores_noise': 0.4,
    'scores_bias': 0.5,
    'scores_slope': 0.1,
}
C = SimpleNamespace(**CONSTANTS)


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

    Liking is taken for a Gaussian process over the titles. The known titles j, those that have a vector and
    of which opinions.weigh() gives a score s_j and a weight c_j, below 0 for a dislike, are its observations:

        affinity_i = q_i (sum_j k_ij a_j + b p_i^-0.2 sum_{j != i} v_i . v_j z_j + 0.02 q_i) e^(0.15 t_i)
        q_i = p_i^(0.4 (1 - niche))       b = 0.25 min(1, 100 / n)^1.25
        a = (K + 0.5 I)^-1 z       z_j = c_j e^(0.2 (s_j - m_j)) p_j^-0.5
        k_ij = max(0, v_i . v_j)^g, 1 for i = j       g = 1.7 + 0.65 log10(n)

    with v the vectors, m the mean score of a title, p its popularity, t the predicted score (predict_scores),
    K the k_ij of the known titles and n the number of titles. The inverse makes three seasons of one series
    count like one title and a little. The linear part is that of EASE (Steck, 2019) and also counts what
    speaks against a title; among few titles, of which a list has many, this says much. `known` are the ids j.
    Below 0 the last factor is e^(-0.15 t_i). Time grows with the cube of their number: 500 take some 50 ms
    among 3,000 titles.
    """

    def __init__(self, vectors, scores, statuses=None, niche=0.0):
        if not 0 <= niche <= 1:
            raise ValueError(f'niche is {niche!r}, not a number from 0 to 1')
        self.mean, popularity = title_arrays(vectors)
        entries = weigh(scores, statuses)
        self.known = [mal_id for mal_id in entries if mal_id in vectors.index]
        if not self.known:
            raise ValueError('none of the scores is of a title that the vectors know')
        indices = vectors.index.get_indexer(self.known)
        given, counts = np.array([entries[mal_id] for mal_id in self.known]).T
        unit = vectors.to_numpy(np.float64)
        # k x n, the k_ij and then the v_i . v_j of the known titles and all titles
        own = np.arange(len(indices)), indices
        products = unit[indices] @ unit.T
        similarity = np.maximum(products, 0) ** (C.exponent + C.exponent_growth * np.log10(len(unit)))
        similarity[own], products[own] = 1, 0
        self.similarity, self.products = similarity, products
        observed = counts * np.exp(C.score_weight * (given - self.mean[indices]))
        observed /= np.sqrt(popularity[indices])
        kernel = similarity[:, indices] + C.noise * np.eye(len(indices))
        self.counts, self.weights = counts, np.linalg.solve(kernel, observed)
        linear = C.linear_weight * min(1, C.linear_titles / len(unit)) ** C.linear_fall
        self.linear_weights = linear * observed
        self.linear_item_weights = popularity**-C.linear_popularity
        self.item_weights = popularity ** (C.popularity_weight * (1 - niche))
        scored = {mal_id: scores[mal_id] for mal_id in self.known if scores[mal_id] > 0}
        self.predicted = predicted_scores(unit, self.mean, vectors.index.get_indexer(scored), scored.values())

    def affinity(self):
        """Return the affinity of every title, float64."""
        liking = self.weights @ self.similarity + C.prior * self.item_weights
        liking += (self.linear_weights @ self.products) * self.linear_item_weights
        liking *= self.item_weights
        return liking * np.exp(C.predicted_weight * np.copysign(self.predicted, liking))

    def terms(self, indices):
        """Return what each known title adds to the affinity of some titles, float64 k x len(indices).

        The factor of the predicted score is left out.
        """
        liking = self.weights[:, None] * self.similarity[:, indices]
        liking += self.linear_weights[:, None] * self.products[:, indices] * self.linear_item_weights[indices]
        return liking * self.item_weights[indices]

    def reasons(self, indices, number):
        """Return for each of some titles the known ids that add most to its affinity, best first.

        A dislike is never among them.
        """
        terms = np.where(self.counts[:, None] > 0, self.terms(indices), 0)
        best = np.argsort(-terms, axis=0, kind='stable')[:number]
        return [[self.known[j] for j in best[:, i] if terms[j, i] > 0] for i in range(terms.shape[1])]


def predict_scores(vectors, scores):
    """Return the score that a person is likely to give each title, as a Series MAL id -> 1 to 10.

    vectors and scores: as for recommend(); all titles are predicted, those on the list, too. A person's
    scores s are taken for a Gaussian process around the titles' means m:

        t_i = m_i + sum_j k_ij a_j       a = (K + 0.4 I)^-1 (s - m)
        k_ij = 0.5 + 0.1 (m_i - 7.8) (m_j - 7.8) + e^(2 (v_i . v_j - 1))

    The first part is how far a person may score above or below everybody else; the second, with the usual
    score 7.8, how much more or less the scores may differ than the means do; the third says that titles with
    near vectors are scored alike. ValueError as of recommend().
    """
    scores = check_scores(scores)
    mean, _ = title_arrays(vectors)
    scored = {mal_id: score for mal_id, score in scores.items() if score > 0 and mal_id in vectors.index}
    if not scored:
        raise ValueError('none of the scores is of a title that the vectors know')
    unit, indices = vectors.to_numpy(np.float64), vectors.index.get_indexer(scored)
    return pd.Series(predicted_scores(unit, mean, indices, scored.values()), vectors.index, name='score')


def predicted_scores(unit, mean, indices, given):
    """Return predict_scores() as an array. indices: of the k titles with a score; given: their scores."""
    if not len(indices):
        return mean
    offset = mean - C.usual_score
    kernel = C.scores_bias + C.scores_slope * np.outer(offset[indices], offset)
    kernel += np.exp(C.scores_range * (unit[indices] @ unit.T - 1))
    observed = np.array([*given]) - mean[indices]
    weights = np.linalg.solve(kernel[:, indices] + C.scores_noise * np.eye(len(indices)), observed)
    return np.clip(mean + weights @ kernel, 1, 10)


def title_arrays(vectors):
    """Return mean score and popularity of each title, float64 n; ValueError if the vectors have no attrs."""
    if not {'mean', 'popularity'} <= set(vectors.attrs):
        raise ValueError('these vectors have no attrs: read them from the embeddings.pkl of embeddings.py')
    return tuple(
        np.array([vectors.attrs[name][mal_id] for mal_id in vectors.index.tolist()], float)
        for name in ('mean', 'popularity')
    )
