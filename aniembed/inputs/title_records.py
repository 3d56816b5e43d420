"""Turn flat records of titles, rows of a CSV file or of a JSON list, into nodes of MyAnimeList's API."""

import csv
import html
import io
import json
import re

from aniembed.files import RunError, label

LARGEST_ID = 2**31 - 1  # of a title on MyAnimeList

# The names that a column may have, without regard to case, the best first
COLUMNS = {
    'id': ('mal_id', 'anime_id', 'animeid', 'id'),
    'title': ('title', 'name'),
    'en': ('title_english', 'english name', 'english'),
    'ja': ('title_japanese', 'japanese name', 'other name', 'japanese'),
    'synonyms': ('title_synonyms', 'synonyms'),
    'mean': ('mean', 'score', 'rating'),  # a rating that is no number is an age
    'popularity': ('popularity',),
    'members': ('members',),
    'genres': ('genres', 'genre'),
    'studios': ('studios', 'studio'),
    'media_type': ('media_type', 'type'),
    'year': ('year', 'premiered', 'start_date', 'aired'),
    'source': ('source',),
    'rating': ('rating',),
    'picture': ('image_url', 'image url', 'picture'),
}
# How MyAnimeList's pages write a rating: "R - 17+ (violence & profanity)", "PG-13 - Teens 13 or older"
AGE_RATING = re.compile(r'(PG[-_]13|PG|G|R\+|Rx|R)(\s+-|$)', re.I)
NEVER_TEXT = ('genres', 'studios', 'mean', 'popularity')  # lists and numbers in a node of the API
ABSENT = ('', 'unknown', 'none', 'nan', 'null', 'n/a', '-')


def nodes_of_csv(text, path, name='ANIME_DATA'):
    """Return the rows of a CSV file as a dict MAL id (text) -> node; RunError if a column is missing.

    text: what the file `path` holds, with commas or tabs between the columns.
    """
    csv.field_size_limit(1 << 24)  # a synopsis can be long
    separator = '\t' if '\t' in text.partition('\n')[0] else ','
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=''), delimiter=separator))
    except csv.Error as error:
        raise RunError(f'{label(path, name)} cannot be read as CSV: {error}.') from None
    return nodes_of(rows, path, 'column')


def nodes_of(records, path, unit='field'):
    """Return records (dicts) as a dict MAL id (text) -> node; RunError if there is no id or title.

    unit: what the file that they are from has its facts in.
    """
    nodes = {}
    for record in records:
        if isinstance(record, dict):
            record = record.get('node', record)
        if not isinstance(record, dict):
            raise RunError(f'{path} is not a list of titles: {json.dumps(record)[:60]} is none.')
        fields = flat_fields(record)
        for what in ('id', 'title'):
            if what not in fields and not any(column in map(_lower, record) for column in COLUMNS[what]):
                raise RunError(
                    f'{path} has no {unit} for the {what} (looked for: {", ".join(COLUMNS[what])}); its '
                    f'{unit}s are {", ".join(map(str, record))[:300]}.'
                )
        if 'id' in fields and 'title' in fields:
            mal_id = re.sub(r'\.0$', '', str(fields['id']))
            try:
                nodes[mal_id] = record if is_node(record) else node_of(record)
            except ValueError as error:
                raise RunError(f'{path}, id {mal_id}: {error}.') from None
    if all('popularity' not in node for node in nodes.values()):
        _rank_by_members(nodes)
    return nodes


def is_node(record):
    """Tell whether a record is a node of the API: a title, lower-case keys, and no text in NEVER_TEXT."""
    flat = any(isinstance(record.get(key), str) for key in NEVER_TEXT)
    return 'title' in record and not flat and all(key == _lower(key) for key in record)


def flat_fields(record):
    """Return the fields of COLUMNS that a record has, under their names there."""
    by_name = {_lower(key): value for key, value in record.items()}
    fields = {}
    for field, columns in COLUMNS.items():
        for column in columns:
            value = by_name.get(column)
            if value is not None and _lower(value) not in ABSENT:
                fields[field] = html.unescape(value.strip()) if isinstance(value, str) else value
                break
    return fields


def node_of(record):
    """Return a flat record as a node of the API; ValueError if names are neither a text nor a list.

    A number that cannot be read counts as absent; title_table() checks all else.
    """
    fields = flat_fields(record)
    node = {'title': fields.get('title')}
    titles = {key: fields[key] for key in ('en', 'ja') if key in fields}
    titles['synonyms'] = _listed(fields.get('synonyms'))
    node['alternative_titles'] = titles
    for key in ('mean', 'popularity', 'members'):
        number = _as_number(fields.get(key))
        if number:  # 0 stands for none
            node[key] = number
    for key in ('genres', 'studios'):
        node[key] = [{'name': word} for word in _listed(fields.get(key))]
    if 'media_type' in fields:
        kind = fields['media_type']
        node['media_type'] = kind.lower() if isinstance(kind, str) else kind
    year = re.search(r'\b(19|20)\d\d\b', str(fields.get('year', '')))
    if year:
        node['start_season'] = {'year': int(year[0])}
    if 'source' in fields:
        node['source'] = re.sub('[^a-z0-9]+', '_', str(fields['source']).lower()).strip('_')
    age = AGE_RATING.match(str(fields.get('rating', '')).strip())
    if age:
        node['rating'] = age[1].lower().replace('-', '_')
    if 'picture' in fields:
        node['main_picture'] = {'medium': fields['picture']}
    return node


def _lower(value):
    return str(value).strip().lower().lstrip('\ufeff')


def _listed(value):
    if isinstance(value, list):
        return [entry.get('name', '') if isinstance(entry, dict) else str(entry) for entry in value]
    if not isinstance(value, (str, type(None))):
        raise ValueError(f'{value!r:.60} is not a list of names')
    return [word.strip() for word in (value or '').split(',') if _lower(word) not in ABSENT]


def _as_number(value):
    """Return a number, or a text that is one, as an int or a float; None for anything else."""
    try:
        number = float(value)
    except (OverflowError, TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else number


def _rank_by_members(nodes):
    """Give each title its rank by members, where no title has a popularity."""
    ranked = sorted(
        (node for node in nodes.values() if node.get('members')), key=lambda node: -node['members']
    )
    for rank, node in enumerate(ranked, 1):
        node['popularity'] = rank
