"""Say how much each entry of a person's list counts: scores, dislikes, and entries without a score.

Watching statuses are the words of MyAnimeList's API: watching, completed, on_hold, dropped, plan_to_watch.
"""

from types import SimpleNamespace

# Part of query.CONSTANTS; the weights were measured on mal-2016 (tests/STUDY.md)
CONSTANTS = {
    'usual_score': 7.8,  # mean of all scores of mal-2016
    'usual_weight': 5,  # number of a person's scores that usual_score counts as
    'disliked_below': 2.0,  # points below the person's usual score from where a score is a dislike
    'disliked_weight': -0.1,  # weight of a dislike; a liked title has 1
    'unscored_weight': 0.5,  # weight of a title that was completed without a score
}
C = SimpleNamespace(**CONSTANTS)


def usual_score(scores):
    """Return the mean of a person's scores and of five more of 7.8; 7.8 for a person without a score."""
    given = [score for score in scores.values() if score > 0]
    return (sum(given) + C.usual_weight * C.usual_score) / (len(given) + C.usual_weight)


def weigh(scores, statuses=None):
    """Return the entries that say what a person likes, as a dict MAL id -> (score, weight).

    scores: dict MAL id -> 1 to 10, 0 without a score. statuses: dict MAL id -> watching status, as far as it
    is known. A title with a score weighs 1. A dislike weighs -0.1: a score of 2 points or more below
    usual_score(), or a dropped title with a score up to usual_score() or with none. A dropped title with a
    higher score says nothing. A completed title without a score weighs 0.5, at the usual score. Other
    entries without a score say nothing.
    """
    usual, statuses = usual_score(scores), statuses or {}
    entries = {}
    for mal_id, score in scores.items():
        is_dropped = statuses.get(mal_id) == 'dropped'
        limit = usual if is_dropped else usual - C.disliked_below
        if score > 0 and score <= limit:
            entries[mal_id] = score, C.disliked_weight
        elif score > 0 and not is_dropped:
            entries[mal_id] = score, 1.0
        elif score == 0 and is_dropped:
            entries[mal_id] = usual - C.disliked_below, C.disliked_weight
        elif score == 0 and statuses.get(mal_id) == 'completed':
            entries[mal_id] = usual, C.unscored_weight
    return entries


def planned_titles(scores, statuses):
    """Return the MAL ids of the titles that a person plans to watch and has not scored, as a set."""
    statuses = statuses or {}
    return {
        mal_id for mal_id, score in scores.items() if not score and statuses.get(mal_id) == 'plan_to_watch'
    }


def seen_titles(scores, statuses):
    """Return the MAL ids that count as what comes before a sequel: all but what is planned or was dropped."""
    dropped = {mal_id for mal_id, status in (statuses or {}).items() if status == 'dropped'}
    return scores.keys() - planned_titles(scores, statuses) - dropped
