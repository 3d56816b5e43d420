"""Read ANIME_LIST, the ids of the titles, and ANIME_DATA, the facts about them."""

import csv
import io
import math
import os
import re

import pandas as pd

from aniembed import files
from aniembed.files import RunError, label, one_line, read_text
from aniembed.inputs import columns, title_records
from aniembed.taste import relations

MAX_TEXT = 2000  # characters of a title or a name; the rest is cut
MAX_NAMES = 50  # studios, genres or synonyms of a title; the rest is cut
PARQUET_START = b'PAR1'


def read_ids(path, name='ANIME_LIST'):
    """Read a file of MAL ids, one a line, as a list of int in its order; RunError names the wrong line.

    Blank lines are skipped.
    """
    line_of = {}
    for number, line in enumerate(read_text(path, name).splitlines(), 1):
        if not line.strip():
            continue
        mal_id = title_records.read_id(line)
        if mal_id is None:
            raise RunError(f'{label(path, name)}, line {number}: {line[:40]!r} is not a MAL id.')
        if mal_id in line_of:
            raise RunError(
                f'{label(path, name)}, line {number}: {mal_id} is in line {line_of[mal_id]} already.'
            )
        line_of[mal_id] = number
    return list(line_of)


def read_nodes(path, name='ANIME_DATA'):
    """Read a file of titles as a dict MAL id -> node of the API.

    The file is JSON, JSON lines, CSV or Parquet, packed or not; its content decides which. Print a line if
    columns, scales or ids had to be chosen. RunError if it has no titles.
    """
    content, member = files.read_member(path, name, _has_titles)
    of_file = label(path, name) + (f', {member}' if member else '')
    ids = None
    if content.startswith(PARQUET_START):
        records = _read_parquet(content, of_file)
    else:
        text, encoding = files.decode(content)
        if text.lstrip().startswith(('{', '[')) or '.json' in os.path.basename(path).lower():
            records, ids = _read_json(text, path, name)
        else:
            records = _read_csv(text, of_file)
            if encoding == 'cp1252':
                print(f'{of_file} is not UTF-8; read as cp1252.')
    if not records:
        raise RunError(f'{of_file} holds no titles with their MyAnimeList ids.')
    nodes, report = title_records.nodes_of(records, ids, of_file)
    if report or member:
        print(report or f'{of_file}: {len(nodes):,} titles.')
    return nodes


def _has_titles(start):
    """Tell whether a file with these first bytes may hold titles."""
    header = files.decode(start)[0].lstrip().partition('\n')[0]
    found = columns.find_columns(header.split(columns.separator_of(header)), columns.TITLES)
    return start.startswith(PARQUET_START) or header[:1] in ('{', '[') or bool(found['id'] and found['title'])


def _read_json(text, path, name):
    """Return find_records() of JSON or JSON lines."""
    lines, breaks = re.subn(r'}\s*\n\s*{', '},\n{', text)  # in one JSON document, a comma stands between
    content = files.parse_json(f'[{lines}]' if breaks else text, path, name)
    try:
        records, ids = title_records.find_records(content)
    except RecursionError:
        raise RunError(f'{label(path, name)} is nested too deeply to hold titles.') from None
    return records or (content if isinstance(content, list) else []), ids


def _read_parquet(content, of_file):
    import polars  # here, since it takes long and few files need it

    try:
        return polars.read_parquet(io.BytesIO(content)).to_dicts()
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException) as error:
        raise RunError(f'{of_file} cannot be read as Parquet: {one_line(error, 100)}.') from None


def _read_csv(text, of_file):
    """Return the rows of CSV as dicts. Quotes that would swallow rows are read as text."""
    csv.field_size_limit(1 << 24)  # a synopsis can be long
    separator = columns.separator_of(text.partition('\n')[0])
    rows, reason = [], ''
    try:
        rows = list(csv.reader(io.StringIO(text, newline=''), delimiter=separator, strict=True))
    except csv.Error as error:
        reason = f'cannot be read as CSV ({error})'
    if '"' in text:
        lines = list(filter(None, re.split('\r\n|\r|\n', text)))
        separators = lines[0].count(separator)
        if len(lines) > sum(map(bool, rows)) and all(line.count(separator) == separators for line in lines):
            rows, reason = [line.split(separator) for line in lines], ''
    header = rows[0] if rows else []
    for number, row in enumerate(rows, 1):
        if any(row[len(header) :]):
            row = one_line(separator.join(row), 200)
            reason = reason or f'has more cells in row {number} than in the first: {row}'
    if reason:
        raise RunError(
            f'{of_file} {reason}. Put quotes around texts that have {separator!r} or quotes inside.'
        )
    names = {name: header.index(name) for name in header}  # the first of two with one name
    return [
        {name: row[index] for name, index in names.items() if index < len(row)} for row in rows[1:] if row
    ]


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
    """Return nodes as a DataFrame: a row a title, index MAL id, None for what a node does not have.

    Columns: title, english, japanese, synonyms, mean, popularity, picture, studios, genres, year, season,
    media_type, source, rating, prequels, franchise. synonyms, studios and genres are lists of str; season is
    '2026-fall'; source (manga, light_novel ...) and rating (g, pg, pg_13, r, r+, rx) are in the words of the
    API. prequels: list of the MAL ids in `nodes` that come right before the title; franchise: MAL id of the
    first title in `nodes` of the same franchise; both None if no node has relations. RunError names `path`,
    the file of the nodes, and the title that is not as the API gives it.
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
        'season': _season(node.get('start_season') or {}),
        'media_type': _text(node.get('media_type')),
        'source': _text(node.get('source')),
        'rating': _text(node.get('rating')),
    }
    if row['title'] is None:
        raise ValueError('it has no title')
    return row


def _text(value):
    """Return a text as one line without control characters; None if it is empty."""
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


def _season(start):
    """Return the API's `start_season` as '2026-fall'; None if a part is missing."""
    season = _text(start.get('season'))
    return f'{start["year"]}-{season}' if season and start.get('year') else None


def by_popularity(anime):
    """Return the row indices of a title_table, most popular first; titles without a rank come last."""
    return anime['popularity'].astype(float).fillna(math.inf).to_numpy().argsort(kind='stable')
