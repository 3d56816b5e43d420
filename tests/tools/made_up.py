"""Random titles and lists, and in plain Python what recommend.py's options have to leave of a ranking."""

import numpy as np

import recommend
from tools.planted import GROUPS, SIZE, ids_of

IDS = ids_of(GROUPS * SIZE)
GENRES = ['Action', 'Comedy', 'Drama', 'Slice of Life']
RELATIONS = ['sequel', 'prequel', 'side_story', 'summary', 'character', 'spin_off']


def made_up_nodes(seed):
    """Return nodes of the planted titles with random facts, some unknown, and random relations."""
    random = np.random.default_rng(seed)
    nodes = {}
    for mal_id in IDS:
        node = {'id': mal_id, 'title': f'Title {mal_id}', 'popularity': 1}
        node['genres'] = [{'name': genre} for genre in GENRES if random.random() < 0.4]
        if random.random() < 0.9:
            node['media_type'] = str(random.choice(['tv', 'movie', 'ova']))
        if random.random() < 0.9:
            node['mean'] = float(random.integers(50, 95)) / 10
        if random.random() < 0.9:
            season = str(random.choice(['spring', 'fall']))
            node['start_season'] = {'year': int(random.integers(1995, 2025)), 'season': season}
        if random.random() < 0.9:
            node['rating'] = str(random.choice(['pg_13', 'r', 'rx']))
        if random.random() < 0.5:
            node['alternative_titles'] = {'en': f'English {mal_id}'}
        node['related_anime'] = [
            {'node': {'id': int(other)}, 'relation_type': str(random.choice(RELATIONS))}
            for other in random.choice([*IDS, 7, 8], random.integers(0, 2))
        ]
        nodes[mal_id] = node
    return nodes


def made_up_list(seed):
    """Return random scores and statuses: dicts MAL id -> score, and MAL id -> status."""
    random = np.random.default_rng(seed)
    chosen = [*map(int, random.choice(IDS, 14, replace=False)), 99_999_999]
    scores = {mal_id: float(random.choice([0, 0, 3, 6, 8, 9, 10])) for mal_id in chosen}
    words = ['completed', 'plan_to_watch', 'dropped', 'watching', 'on_hold']
    return scores, {mal_id: str(random.choice(words)) for mal_id in chosen[3:]}


def joined(nodes):
    """Return the sets of ids that relations of one story join, and the direct prequels of each title."""
    groups, prequels = {mal_id: {mal_id} for mal_id in [*nodes, 7, 8]}, {mal_id: set() for mal_id in nodes}
    for mal_id, node in nodes.items():
        for entry in node['related_anime']:
            other, relation = entry['node']['id'], entry['relation_type']
            if relation not in ('character', 'spin_off'):
                union = groups[mal_id] | groups[other]
                groups.update(dict.fromkeys(union, union))
            before, after = (mal_id, other) if relation == 'sequel' else (other, mal_id)
            if relation in ('sequel', 'prequel') and before != after and {before, after} <= set(nodes):
                prequels[after].add(before)
    return groups, prequels


def expected_ids(vectors, nodes, scores, statuses, number, planned, niche, sequels, facts):
    """Return the MAL ids that recommendation_table() should have, by going down the ranking."""
    groups, prequels = joined(nodes)
    unseen = {'dropped': lambda score: True, 'plan_to_watch': lambda score: not score}
    seen = {i for i in scores if not unseen.get(statuses.get(i), lambda score: False)(scores[i])}
    found = []
    for mal_id in recommend.recommend(vectors, scores, None, statuses, niche).index:
        node, genres = nodes[mal_id], {genre['name'] for genre in nodes[mal_id]['genres']}
        start = node.get('start_season', {})
        year, season = start.get('year'), start.get('season')
        first, last = facts['years'] or (None, None)
        takes = [
            facts['types'] and node.get('media_type') not in facts['types'],
            facts['years'] and (year is None or (first and year < first) or (last and year > last)),
            facts['genres'] and not all(genre in genres for genre in facts['genres']),
            facts['not_genres'] and any(genre in genres for genre in facts['not_genres']),
            facts['min_score'] is not None and node.get('mean', -1) < facts['min_score'],
            mal_id in facts['exclude'],
            facts['seasons'] and f'{year}-{season}' not in facts['seasons'],
            facts['no_adult'] and node.get('rating') == 'rx',
            facts['unscored'] == 'only' and mal_id not in vectors.attrs['unscored'],
            facts['unscored'] == 'no' and mal_id in vectors.attrs['unscored'],
            planned == 'only' and mal_id not in scores,
            planned == 'no' and mal_id in scores,
            not sequels and prequels[mal_id] and not prequels[mal_id] & seen,
            not sequels and any(other in groups[mal_id] for other in found),
        ]
        if not any(takes):
            found.append(mal_id)
    return found[:number]
