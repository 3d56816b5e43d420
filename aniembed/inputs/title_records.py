"""Convert records of titles, rows of tables or JSON of several sites, to nodes of MyAnimeList's API.

The meaning of a column is decided once for the whole file, from its name (columns.TITLES) and its values.
"""

import ast
import contextlib
import html
import json
import math
import re

from aniembed.files import RunError, one_line
from aniembed.inputs import columns, scales

LARGEST_ID = 2**31 - 1  # of a title on MyAnimeList
MOST_TITLES = 50_000  # MyAnimeList has some 30,000; a larger popularity is a number of members, not a rank
FEWEST_MEANS = 10  # from which on low means suggest a scale that ends below 10

# Names in columns.TITLES that nodes have, too. A record with any other of these names is not a node.
NODE_NAMES = {
    *('id', 'title', 'alternative_titles', 'main_picture', 'mean', 'popularity', 'num_list_users', 'genres'),
    *('studios', 'media_type', 'num_episodes', 'start_date', 'source', 'rating'),
}
OTHER_NAMES = {columns.normal(name) for names in columns.TITLES.values() for name in names}
OTHER_NAMES -= {columns.normal(name) for name in NODE_NAMES}
NEVER_TEXT = ('mean', 'popularity', 'genres', 'studios', 'start_season')  # in a node
# "R - 17+ (violence & profanity)", "PG-13 - Teens 13 or older", "r+"
AGE_RATING = re.compile(r'\s*(PG[-_]?13|PG|G|R\+|Rx|R)(\s*-|\s*$)', re.I)
API_WORDS = {'tv_short': 'tv', 'video_game': 'game', 'anime': None}  # AniList's words -> MyAnimeList's


# ---- JSON -> records --------------------------------------------------------------------------------------


def find_records(content):
    """Find the titles in a JSON document. Return (records, MAL ids); ids are None if they are in the records.

    The document is a list of titles, an object MAL id -> title, or an object that contains one of these, such
    as a page of an API. Without titles the result is ([], None).
    """
    if isinstance(content, list):
        records = [_unwrapped(entry) for entry in content]
        return (records if _has_titles(records) else []), None
    if not isinstance(content, dict):
        return [], None
    values = list(content.values())
    if values and all(re.fullmatch('[0-9]{1,10}', key) for key in content):
        return values, _ids_of_keys([int(key) for key in content], values)
    if values and all(isinstance(value, dict) for value in values):
        if _has_titles(values):
            return values, None
        if all(value.keys() == values[0].keys() for value in values):
            # DataFrame.to_json(): column -> row -> value
            records = [dict(zip(content, row)) for row in zip(*(value.values() for value in values))]
            if _has_titles(records):
                return records, None
    if _has_titles([content]):
        return [content], None
    return max(map(find_records, values), key=lambda found: len(found[0]), default=([], None))


def _unwrapped(entry):
    """Return the title in an entry: its `node` on MyAnimeList, its `media` on AniList, else the entry."""
    if isinstance(entry, dict):
        return next((entry[key] for key in ('node', 'media') if isinstance(entry.get(key), dict)), entry)
    return entry


def _has_titles(records):
    """Tell whether some of the first records have a MyAnimeList id and a title."""
    table = [_flat(record) for record in records[:100] if isinstance(record, dict)]
    found = _find_columns(table)
    return bool(found['title']) and any(read_id(record.get(name)) for name in found['id'] for record in table)


def _ids_of_keys(keys, records):
    """Return the keys of an object as MAL ids; None if they are row numbers and the records have ids."""
    table = [_flat(record) for record in records[:100] if isinstance(record, dict)]
    id_columns = _find_columns(table)['id']
    are_numbers = sorted(keys) in (list(range(len(keys))), list(range(1, len(keys) + 1)))
    says_mal = any('mal' in columns.normal(name) for name in id_columns)
    return None if id_columns and (are_numbers or says_mal) else keys


def _flat(record, depth=3):
    """Merge inner objects into a record: {'title': {'english': ...}} becomes {'title_english': ...}."""
    flat = {}
    for name, value in record.items():
        if isinstance(value, dict) and depth:
            flat.update({f'{name}_{inner}': part for inner, part in _flat(value, depth - 1).items()})
        else:
            flat[str(name)] = value
    return flat


def _find_columns(table):
    """Return find_columns() of all names in some flat records."""
    return columns.find_columns(dict.fromkeys(name for record in table for name in record), columns.TITLES)


# ---- records -> nodes -------------------------------------------------------------------------------------


def nodes_of(records, ids, label):
    """Convert records to a dict MAL id -> node. Return it and a line on what had to be chosen, or ''.

    records: list of dict; ids: their MAL ids, None if they are in the records; label: name of the file in
    messages. The last of several records with one id counts. Records without an id or a title are skipped;
    RunError if all are.
    """
    strange = [record for record in records if not isinstance(record, dict)]
    if strange:
        raise RunError(f'{label} is not a list of titles: {one_line(strange[0], 60)} is none.')
    flat = [None if is_node(record) else _flat(record) for record in records]
    reading = _Reading([record for record in flat if record is not None], label, ids is None)
    nodes, without = {}, 0
    for index, record in enumerate(records):
        if flat[index] is None:
            mal_id, node = read_id(record.get('id')), record
        else:
            mal_id, node = read_id(flat[index].get(reading.id)), reading.node_of(flat[index])
        mal_id = ids[index] if ids else mal_id
        if mal_id and (node is record or 'title' in node):
            nodes[mal_id] = node
        else:
            without += 1
    if not nodes:
        raise RunError(f'{label}: none of its {len(records):,} records has a MyAnimeList id and a title.')
    _rank_by_members(nodes)
    return nodes, reading.report(without)


def is_node(record):
    """Tell whether a record is a node of MyAnimeList's API."""
    return (
        any(name in record for name in ('mean', 'media_type', 'start_season'))
        and not any(isinstance(record.get(name), str) for name in NEVER_TEXT)
        and not isinstance(record.get('title'), dict)
        and OTHER_NAMES.isdisjoint(map(columns.normal, record))
    )


class _Reading:
    """The choices for one file: columns, scale of the means, kind of popularity."""

    def __init__(self, table, label, has_ids):
        self.label, self.found = label, _find_columns(table)
        for what in ('id', 'title') if has_ids else ('title',):
            if table and not self.found[what]:
                names = one_line(', '.join(dict.fromkeys(name for record in table for name in record)), 300)
                raise RunError(
                    f'{label} has no column or field for the {what} (looked for: '
                    f'{", ".join(columns.TITLES[what])}); it has {names}.'
                )
        self.id, _ = _first_with(table, self.found['id'] if has_ids else [], read_id)
        if self.id == 'id' and 'titleromaji' in map(columns.normal, self.found['title']):
            raise RunError(f'{label} has ids of AniList; fetch idMal as well, which is the MyAnimeList id.')
        self.mean, means = _first_with(table, self.found['mean'], _read_mean)
        self.scale = _scale_of(means)
        self.rank, self.members = self._popularity(table)

    def _popularity(self, table):
        """Return the names of the columns with ranks by popularity and with numbers of members, or None."""
        rank, ranks = _first_with(table, self.found['popularity'], _read_count)
        names = [name for name in self.found['members'] if name != rank]
        members, _ = _first_with(table, names, _read_count)
        if members:
            pairs = ((_read_count(record.get(rank)), _read_count(record.get(members))) for record in table)
            counts = [count for _, count in sorted(pair for pair in pairs if None not in pair)]
            is_rank = sum(counts[: len(counts) // 2]) >= sum(counts[(len(counts) + 1) // 2 :])
        else:
            is_rank = max(ranks, default=0) <= MOST_TITLES
        return (rank, members) if is_rank else (None, members or rank)

    def node_of(self, record):
        """Convert a flat record to a node. Facts that it does not have are absent."""

        def first(what, read):
            values = (read(record.get(name)) for name in self.found[what])
            return next((value for value in values if value is not None), None)

        def named(what):
            return [{'name': name} for name in first(what, _read_names) or ()]

        mean, year = _read_mean(record.get(self.mean)), first('year', _read_year)
        picture = first('picture', _read_text)
        titles = {'en': first('english', _read_text), 'ja': first('japanese', _read_text)}
        node = {
            'title': first('title', _read_title) or titles['en'] or titles['ja'],
            'alternative_titles': {**titles, 'synonyms': first('synonyms', _read_names)},
            'mean': mean and round(mean * self.scale.factor, 4),
            'popularity': _read_count(record.get(self.rank)),
            'num_list_users': _read_count(record.get(self.members)),
            'media_type': first('media_type', _read_word),
            'num_episodes': first('episodes', _read_count),
            'source': first('source', _read_word),
            'rating': first('rating', _read_age),
            'genres': named('genres'),
            'studios': named('studios'),
            'start_season': year and {'year': year},
            'main_picture': picture and {'medium': picture},
            'related_anime': record.get('related_anime'),
        }
        return {name: value for name, value in node.items() if value is not None}

    def report(self, without):
        """Return a line on what had to be chosen, or ''. without: number of skipped records."""
        doubts = []
        if self.scale.name:
            doubts.append(f'means on the scale {self.scale.name}')
        if self.members in self.found['popularity']:
            doubts.append(f'{self.members} counts members')
        if without:
            doubts.append(f'{without:,} skipped, without a MyAnimeList id or a title')
        if not doubts and (self.id is None or len(self.found['id']) == 1):
            return ''
        chosen = {what: name for what, name in (('id', self.id), ('mean', self.mean)) if name is not None}
        read_as = columns.describe(chosen, self.found)
        return '; '.join([f'{self.label} read as: {read_as}' if chosen else self.label, *doubts]) + '.'


def _first_with(table, names, read):
    """Return the first column with a readable value, and its readable values; (None, []) if there is none."""
    for name in names:
        values = [value for record in table if (value := read(record.get(name))) is not None]
        if values:
            return name, values
    return None, []


def _scale_of(means):
    """Return the Scale of the means in a file; a twentieth of them may lie above it."""
    if not means:
        return scales.TEN
    highest = sorted(means)[int(0.95 * (len(means) - 1))]
    scale = next((scale for scale in scales.SCALES if highest <= scale.highest), scales.TEN)
    return scale if len(means) >= FEWEST_MEANS or highest > scales.TEN.highest else scales.TEN


def _rank_by_members(nodes):
    """Rank titles by members if none has a popularity."""
    if any('popularity' in node for node in nodes.values()):
        return
    counted = [node for node in nodes.values() if node.get('num_list_users')]
    for rank, node in enumerate(sorted(counted, key=lambda node: -node['num_list_users']), 1):
        node['popularity'] = rank


# ---- values: None if they cannot be read ------------------------------------------------------------------


def read_id(value):
    """Read a MyAnimeList id from a number, a text, an address, or a list of addresses."""
    for part in value if isinstance(value, list) else [value]:
        text = str(part).strip()
        match = re.search(r'myanimelist\.net/anime/0*([1-9][0-9]{0,9})(?![0-9])', text)
        match = match or re.fullmatch(r'0*([1-9][0-9]{0,9})(\.0+)?', text)
        if match and int(match[1]) <= LARGEST_ID:
            return int(match[1])
    return None


def _read_text(value):
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = html.unescape(str(value)).strip()
    return None if text.lower() in columns.ABSENT else text


def _read_title(value):
    """Read a title. "Unknown" may be one."""
    return html.unescape(value).strip() or None if isinstance(value, str) else _read_text(value)


def _read_mean(value):
    """Read a mean on any scale. 0 stands for none."""
    return _positive(str(value).strip().replace(',', '.'))


def _read_count(value):
    """Read a whole number above 0, such as 1,234,567 or #12."""
    text = re.sub(r"[\s#,'_]", '', str(value))
    number = _positive(text.replace('.', '') if text.count('.') > 1 else text)
    return int(number) if number and number < LARGEST_ID else None


def _positive(text):
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < math.inf else None


def _read_year(value):
    year = re.search(r'(?<![0-9])(19|20)[0-9]{2}(?![0-9])', str(value))
    return int(year[0]) if year else None


def _read_word(value):
    """Read a media type or source in the API's form: "Light novel" becomes light_novel."""
    word = re.sub('[^a-z0-9]+', '_', (_read_text(value) or '').lower()).strip('_')
    return API_WORDS.get(word, word) or None


def _read_age(value):
    match = AGE_RATING.match(str(value))
    return re.sub('[-_]?13', '_13', match[1].lower()) if match else None


def _read_names(value):
    """Read names from a list, from Python or JSON of a list, or from a text with commas, | or ; between."""
    if isinstance(value, str):
        value = _split(value.strip())
    if not isinstance(value, (list, tuple)):
        return None
    parts = (part.get('node', part) if isinstance(part, dict) else part for part in value)
    names = (part.get('name') if isinstance(part, dict) else part for part in parts)
    return [name for name in map(_read_text, names) if name] or None


def _split(text):
    if text.startswith(('[', '(')):
        text = re.sub(r"""(['"])\s+(['"])""", r'\1, \2', text)  # as numpy writes lists
        for read in (json.loads, ast.literal_eval):
            with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
                return read(text)
    separator = next((separator for separator in '|;' if separator in text), ',')
    return [part.strip(' []{}()\'"') for part in text.split(separator)]
