"""Read ANIME_LIST, the ids of the titles, and ANIME_DATA, what the API says of them."""

import math
import os
import re

import pandas as pd

from aniembed.files import RunError, label, one_line, parse_json, read_text
from aniembed.inputs import title_records
from aniembed.taste import relations

MAX_TEXT = 2000  # characters kept of a title or a name
MAX_NAMES = 50  # studios, genres or synonyms kept of one title


def read_ids(path, name='ANIME_LIST'):
    """Read a file of MAL ids, one a line, as a list of int in its order; RunError names the wrong line.

    Blank lines are passed over.
    """
    line_of = {}
    for number, line in enumerate(read_text(path, name).splitlines(), 1):
        if not line.strip():
            continue
        if not re.fullmatch(r'\s*0*[1-9][0-9]{0,9}\s*', line) or int(line) > title_records.LARGEST_ID:
            raise RunError(f'{label(path, name)}, line {number}: {line[:40]!r} is not a MAL id.')
        if int(line) in line_of:
            raise RunError(
                f'{label(path, name)}, line {number}: {int(line)} is in line {line_of[int(line)]} already.'
            )
        line_of[int(line)] = number
    return list(line_of)


def read_nodes(path, name='ANIME_DATA'):
    """Read what a file says of titles, as a dict MAL id -> node of the API.

    The file, packed or not, is JSON, an object MAL id -> node or a list of records, or CSV; its first
    character or its name tell which. RunError if it is neither.
    """
    text = read_text(path, name)
    if text.lstrip().startswith(('{', '[')) or '.json' in os.path.basename(path).lower():
        nodes = parse_json(text, path, name)
        if isinstance(nodes, list):
            nodes = title_records.nodes_of(nodes, path)
    else:
        nodes = title_records.nodes_of_csv(text, path, name)
    if not isinstance(nodes, dict):
        raise RunError(f'{label(path, name)} is not a JSON object of MAL id -> title.')
    try:
        return {int(mal_id): node for mal_id, node in nodes.items()}
    except ValueError as error:
        raise RunError(f'{label(path, name)} has a key that is not a MAL id: {error}.') from None


def select_nodes(nodes, ids, path):
    """Return the nodes of some titles in the order of `ids`; RunError names those that are missing."""
    missing = [str(mal_id) for mal_id in ids if mal_id not in nodes]
    if missing:
        raise RunError(f'{path} lacks {len(missing)} of the {len(ids)} titles: {", ".join(missing[:10])}.')
    return {mal_id: nodes[mal_id] for mal_id in ids}


def read_titles(path, ids):
    """Read OUTPUT_DIR/titles.json as the title_table of the titles `ids`."""
    return title_table(select_nodes(read_nodes(path, ''), ids, path), path)


def title_table(nodes, path):
    """Return what the nodes say as a DataFrame: a row a title, index MAL id, None where a node does not say.

    Columns: title, english, japanese, synonyms, mean, popularity, picture, studios, genres, year, media_type,
    source, rating, prequels, franchise. synonyms, studios and genres are lists of str; source (manga,
    light_novel ...) and rating (g, pg, pg_13, r, r+, rx) are in the words of the API. prequels: list of the
    MAL ids in `nodes` that come right before the title; franchise: MAL id of the first title in `nodes`
    of the same franchise; both None if no node has relations. RunError names `path`, the file of the nodes,
    and the title that is not as the API gives it.
    """
    rows, related = [], {}
    for mal_id, node in nodes.items():
        try:
            rows.append(_row(node))
            related[mal_id] = relations.read_relations(node)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            what = f'there is no {error}' if isinstance(error, KeyError) else one_line(error, 60)
            raise RunError(f'{path}, id {mal_id} is not as the API gives a title: {what}.') from None
    table = pd.DataFrame(rows, index=pd.Index(list(nodes), name='mal_id'), dtype=object)
    known = any(entries is not None for entries in related.values())
    for name, read in (('prequels', relations.prequels_of), ('franchise', relations.franchises_of)):
        found = read(related) if known else {}
        table[name] = pd.Series([found.get(mal_id) for mal_id in nodes], table.index, dtype=object)
    return table


def _row(node):
    if not title_records.is_node(node):
        node = title_records.node_of(node)
    titles = node.get('alternative_titles') or {}
    picture = node.get('main_picture') or {}
    row = {
        'title': _text(node['title']),
        'english': _text(titles.get('en')),
        'japanese': _text(titles.get('ja')),
        'synonyms': [_text(synonym) for synonym in (titles.get('synonyms') or [])[:MAX_NAMES]],
        'mean': _mean(node),
        'popularity': _checked(node, 'popularity', int, 10**9),
        'picture': _text(picture.get('large') or picture.get('medium')),
        'studios': _names(node.get('studios')),
        'genres': _names(node.get('genres')),
        'year': _checked(node.get('start_season') or {}, 'year', int, 10**4),
        'media_type': _text(node.get('media_type')),
        'source': _text(node.get('source')),
        'rating': _text(node.get('rating')),
    }
    if row['title'] is None:
        raise ValueError('it has no title')
    return row


def _text(value):
    """One line without a terminal's control codes; None if nothing is left."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f'{value!r} is not a text')
    return one_line(value or '', MAX_TEXT) or None


def _names(entries):
    return [_text(entry['name']) for entry in (entries or [])[:MAX_NAMES]]


def _checked(node, key, kind, most):
    """Return a number of a node, None if it has none; ValueError if it is not from 0 to `most`."""
    value = node.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not 0 <= kind(value) <= most:
        raise ValueError(f'its {key} is {value!r}')
    return kind(value)


def _mean(node):
    """Return the mean score, None if it is outside 1 to 10: files write 0 for a title without scores."""
    mean = node.get('mean')
    if isinstance(mean, bool):
        raise ValueError(f'its mean is {mean}')
    return float(mean) if mean is not None and 1 <= float(mean) <= 10 else None


def by_popularity(anime):
    """Return the row indices of a title_table, most popular first; titles without a rank come last."""
    return anime['popularity'].astype(float).fillna(math.inf).to_numpy().argsort(kind='stable')
