"""What AniList's GraphQL API answers about the members of the local MyAnimeList."""

import json

STATUSES = {
    'completed': 'COMPLETED',
    'watching': 'CURRENT',
    'on_hold': 'PAUSED',
    'dropped': 'DROPPED',
    'plan_to_watch': 'PLANNING',
}


def no(status, message):
    return status, {'errors': [{'message': message, 'status': status}], 'data': None}, {}


def answer(site, path, asked):
    """Return (status, body, headers) of a call whose body is `asked`."""
    if path != '/anilist':
        return no(404, 'Not Found')
    try:
        question = json.loads(asked)
        query, name = question['query'], question['variables']['name']
    except (ValueError, KeyError, TypeError):
        return no(400, 'No query')
    if 'MediaListCollection(userName: $name, type: ANIME)' not in query or 'POINT_10_DECIMAL' not in query:
        return no(400, 'Cannot query this field')
    status = site.status(name)
    if status != 'ok':
        return no(404, 'Private User' if status == 'private' else 'User not found')
    entries = [entry(site, *item) for item in site.entries(name)]
    # A custom list holds some of the entries a second time.
    lists = [{'entries': entries}, {'entries': entries[:3]}]
    return 200, {'data': {'MediaListCollection': {'lists': lists}}}, {}


def entry(site, place, score):
    """Return an entry; some scores have a decimal, and every twentieth title is not on MyAnimeList."""
    mal_id = site.nodes[place]['id']
    return {
        'status': STATUSES[site.watching(place, score)],
        'score': decimal(place, score),
        'media': {'id': 100_000 + mal_id, 'idMal': None if place % 20 == 13 else mal_id},
    }


def decimal(place, score):
    return score + 0.5 if place % 3 == 0 and 0 < score < 10 else score
