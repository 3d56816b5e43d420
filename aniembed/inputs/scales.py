"""Tell the scale of scores from all values, and bring them to 1-10."""

from typing import NamedTuple

import numpy as np

from aniembed.files import RunError

MOST_WRONG = 1 / 1000  # share of rows or scores that may be wrong


class Scale(NamedTuple):
    """A scale of scores: `highest` is its best score, and `factor` brings scores to 1-10."""

    highest: int
    factor: float
    name: str  # '' for 1-10


SCALES = (
    Scale(1, 10, '0-1, times ten'),
    Scale(5, 2, '1-5 stars, doubled'),
    Scale(10, 1, ''),
    Scale(20, 0.5, '1-20, halved'),
    Scale(100, 0.1, '0-100, divided by ten'),
)
TEN = SCALES[2]


def find_scale(arrays, path):
    """Return the Scale of all scores in some arrays; RunError if they are on none, or it cannot be told.

    Scores that are not above 0, and NaN, say nothing. The scale is the smallest that holds all but MOST_WRONG
    of the scores. Where fewer than a quarter need a scale above 1-10, the scale is 1-10 and they are wrong.
    """
    number = sum(np.count_nonzero(scores > 0) for scores in arrays)
    above = [sum(np.count_nonzero(scores > scale.highest) for scores in arrays) for scale in SCALES]
    index = next((index for index, count in enumerate(above) if count <= MOST_WRONG * number), len(SCALES))
    if SCALES[index:][:1] == (TEN,) or not number or (index > 2 and above[index - 1] < number / 4):
        return TEN
    highest = SCALES[index].highest if index < len(SCALES) else np.inf
    best = max(float(np.max(scores, where=scores <= highest, initial=0)) for scores in arrays)
    likes = index == 0 and all(np.isin(scores[scores > 0], 1).all() for scores in arrays)
    if likes or best <= 0.8 * highest:
        raise RunError(
            f'{path}: the scores go up to {best:g}{" and are likes, no scores" if likes else ""}. Known '
            'scales: 1-10, 1-5, half stars, 1-20, 0-100, fractions of 1. Bring the scores to 1-10.'
        )
    return SCALES[index]


def to_ten(scores, scale):
    """Return an array of scores on a Scale as scores 1-10; those that are not above 0 stay."""
    if scale is TEN and scores.dtype.kind == 'i':
        return scores
    scaled = scores * np.float32(scale.factor)
    return np.where(scores > 0, np.maximum(scaled, 1), scores).astype(np.float32)
