"""Say how much each entry of a person's list counts: scores, dislikes, and entries without a score.

Watching statuses are the words of MyAnimeList's API: watching, completed, on_hold, dropped, plan_to_watch.
"""

USUAL_SCORE, USUAL_WEIGHT = 7.8, 5  # mean of the scores of mal-2016; it counts as so many scores of one's own
DISLIKED_BELOW = 2.0  # points below the person's usual score from where a score is a dislike
# Measured on mal-2016 (tests/README.md): what a dislike weighs beside the same score of somebody's who
# liked the title; and an entry that is completed without a score, beside one that has the usual score
DISLIKED_WEIGHT = -0.1
UNSCORED_WEIGHT = 0.5


def usual_score(scores):
    """Return the mean of a person's scores and of five more of 7.8; 7.8 for a person without a score."""
    given = [score for score in scores.values() if score > 0]
    return (sum(given) + USUAL_WEIGHT * USUAL_SCORE) / (len(given) + USUAL_WEIGHT)


def weigh(scores, statuses=None):
    """Return the entries that say what a person likes, as a dict MAL id -> (score, weight).

    scores: dict MAL id -> 1 to 10, 0 without a score. statuses: dict MAL id -> watching status, as far as it
    is known. Weight 1: a title with a score. DISLIKED_WEIGHT: one whose score is DISLIKED_BELOW or more below
    usual_score(), or that was dropped without a score. UNSCORED_WEIGHT, at the usual score: one that was
    completed without a score. Other entries without a score say nothing.
    """
    usual = usual_score(scores)
    entries = {}
    for mal_id, score in scores.items():
        if score > 0:
            entries[mal_id] = score, DISLIKED_WEIGHT if score <= usual - DISLIKED_BELOW else 1.0
            continue
        status = (statuses or {}).get(mal_id)
        if status == 'dropped':
            entries[mal_id] = usual - DISLIKED_BELOW, DISLIKED_WEIGHT
        elif status == 'completed':
            entries[mal_id] = usual, UNSCORED_WEIGHT
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
