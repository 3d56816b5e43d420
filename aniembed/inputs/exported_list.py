"""Read one member's list: the XML that MyAnimeList and other sites export, or JSON with MyAnimeList ids.

The web page reads the same files (web/src/data/listfile.ts); tests/cases/exports.json has the result for each
case, and the tests of both compare with it.
"""

import json
import re
from typing import NamedTuple

import defusedxml
from defusedxml.ElementTree import ParseError, fromstring

from aniembed import files
from aniembed.inputs.title_records import LARGEST_ID

MAX_BYTES = 64 << 20  # unpacked; the longest list known has 18,219 entries, about 16 MB
ID_TAGS = ('series_animedb_id', 'anime_animedb_id')  # old exports of Shikimori use the second one
FEWEST_STARS = 10  # scores in JSON from which on "none is above 5" means that they are stars

# Values of `my_status` without spaces and hyphens -> status in MyAnimeList's API. Rewatching is completed.
STATUSES = {
    **dict.fromkeys(('1', 'watching', 'current'), 'watching'),
    **dict.fromkeys(('2', 'completed', 'rewatching', 'repeating'), 'completed'),
    **dict.fromkeys(('3', 'onhold', 'paused'), 'on_hold'),
    **dict.fromkeys(('4', 'dropped'), 'dropped'),
    **dict.fromkeys(('6', 'plantowatch', 'planning', 'planned'), 'plan_to_watch'),
}


class ExportedList(NamedTuple):
    """One member's list, and counts for the report."""

    user_name: str  # '' if the file does not say
    scores: dict  # MAL id -> 0.0 to 10.0; 0 is "on the list without a score"
    statuses: dict  # MAL id -> a value of STATUSES, if the file gives one
    entries: int  # entries in the file
    without_id: int  # entries skipped because they have no MyAnimeList id
    unreadable_scores: int  # entries whose score is not a number; they count as unscored
    scale: int  # the file's best score: 10, 100 or 5; `scores` are on the scale of 10

    def report(self):
        """Return a line that sums up what was read."""
        scored = sum(score > 0 for score in self.scores.values())
        counts = [f'{self.entries:,} entries read', f'{scored:,} with a score']
        if self.without_id:
            counts.append(f'{self.without_id:,} passed over: no MyAnimeList id')
        if self.unreadable_scores:
            counts.append(f'{self.unreadable_scores:,} with a score that cannot be read')
        if self.scale != 10:
            counts.append(f'scores are out of {self.scale} and were scaled to 10')
        if not scored:
            completed = list(self.statuses.values()).count('completed')
            counts.append(f'without scores, the {completed:,} completed titles count as liked')
        return ', '.join(counts) + '.'


def read_exported_list(path):
    """Return the ExportedList in a file, plain or packed, whatever its name; RunError if it has none."""
    try:
        with open(path, 'rb') as stored:
            content = files.unpacked(stored).read(MAX_BYTES + 1)
    except files.PACKING_ERRORS as error:
        if isinstance(error, OSError) and error.strerror:
            raise files.RunError(f'{path} cannot be read: {error.strerror}.') from None
        raise files.RunError(f'{path} is damaged or cut off; export the list again.') from None
    if len(content) > MAX_BYTES:
        raise files.RunError(f'{path} is larger than {MAX_BYTES >> 20} MB, so it is not an exported list.')
    text = files.decode(content)[0]
    if not text.strip():
        raise files.RunError(f'{path} is empty; export the list again.')
    is_json = text.lstrip().startswith(('{', '['))
    user_name, entries = _read_json(path, text) if is_json else _read_xml(path, text)
    return _exported_list(path, user_name, entries, is_json)


# ---- text -> user name, entries as dicts tag -> text ------------------------------------------------------


def _read_xml(path, text):
    try:
        root = _parse_xml(_without_prolog(text))
    except defusedxml.DefusedXmlException:
        raise files.RunError(f'{path} has a DTD, which no exported list needs. It was refused.') from None
    except ParseError as error:
        if '<myanimelist' not in text:
            advice = 'MyAnimeList exports the right file (Profile, Anime List, Export)'
            raise files.RunError(f'{path} is not XML; {advice}.') from None
        raise files.RunError(
            f'{path} is damaged or cut off in line {error.position[0]} ({error}); export the list again.'
        ) from None
    children = [(_name(child), child) for child in root]
    entries = [_texts(child) for name, child in children if name == 'anime']
    if not entries:
        if any(name == 'manga' for name, _ in children):
            raise files.RunError(f'{path} is a manga list; export the anime list instead.')
        if _name(root) != 'myanimelist':
            raise files.RunError(f'{path} is XML, but not a list as MyAnimeList exports it.')
        raise files.RunError(f'{path} is a list without anime.')
    users = [_texts(child).get('user_name') for name, child in children if name == 'myinfo']
    return next(filter(None, users), ''), entries


def _without_prolog(text):
    """Return the text without its XML declaration and without a DOCTYPE that is only a name."""
    first_tag = re.search('<[^!?]', text)
    start = first_tag.start() if first_tag else len(text)
    prolog = re.sub(r'<\?xml\s[^<>]*\?>|<!DOCTYPE\s+[\w:.-]+\s*>', '', text[:start])
    return prolog + text[start:]


def _parse_xml(text):
    """Return the root element. Control characters and lone ampersands, if any, are mended first."""
    try:
        return fromstring(text, forbid_dtd=True)
    except ParseError:
        text = re.sub('[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]', '', text)
        text = re.sub('&(?!(amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)', '&amp;', text)
        return fromstring(text, forbid_dtd=True)


def _name(element):
    """Return the tag of an element without its namespace."""
    return element.tag.rpartition('}')[2]


def _texts(entry):
    """Return the texts in an entry by tag; the first of two with one tag counts."""
    return {_name(child): ''.join(child.itertext()).strip() for child in reversed(entry)}


def _read_json(path, text):
    """Find entries anywhere in JSON: objects with AniList's `idMal`, or `scores` as in lists.jsonl."""
    try:
        unvisited = [json.loads(text)]
    except (ValueError, RecursionError) as error:
        raise files.RunError(f'{path} is damaged or cut off ({error}); export the list again.') from None
    user_name, entries = '', []
    while unvisited:
        value = unvisited.pop()
        if isinstance(value, dict):
            user = value.get('user')
            user = user.get('name') if isinstance(user, dict) else user
            user_name = user_name or (user if isinstance(user, str) else '')
            media = value['media'] if isinstance(value.get('media'), dict) else value
            if 'idMal' in media and media.get('type') != 'MANGA':
                entries.append(_entry(media['idMal'], value.get('score'), value.get('status')))
                continue
            if isinstance(value.get('scores'), dict):
                entries += [_entry(mal_id, score) for mal_id, score in value['scores'].items()]
        if isinstance(value, (dict, list)):
            unvisited += reversed(list(value.values()) if isinstance(value, dict) else value)
    if not entries:
        raise files.RunError(
            f'{path} is JSON without MyAnimeList ids (idMal); for AniList, give --user anilist:NAME instead.'
        )
    return user_name, entries


def _entry(mal_id, score, status=None):
    values = {ID_TAGS[0]: mal_id, 'my_score': score, 'my_status': status}
    return {tag: str(value) for tag, value in values.items() if value is not None}


# ---- entries -> scores ------------------------------------------------------------------------------------


def _exported_list(path, user_name, entries, is_json):
    """Return the ExportedList; RunError if no entry has an id. Of two entries with one id the last counts."""
    scores, statuses, unreadable, highest = {}, {}, 0, 0
    with_id = [(mal_id, entry) for entry in entries if (mal_id := _mal_id(entry))]
    if not with_id:
        raise files.RunError(f'{path} has {len(entries)} entries and none of them has a MyAnimeList id.')
    for mal_id, entry in with_id:
        written = entry.get('my_score', '')
        score = _score(written)
        unreadable += score is None and written != ''
        highest = max(highest, score or 0)
        scores[mal_id] = score or scores.get(mal_id, 0.0)  # a score is not replaced by none
        status = STATUSES.get(re.sub('[^a-z0-9]', '', entry.get('my_status', '').lower()))
        if status:
            statuses[mal_id] = status
    is_stars = is_json and highest <= 5 and sum(map(bool, scores.values())) >= FEWEST_STARS
    scale = 100 if highest > 10 else 5 if is_stars else 10
    scores = {mal_id: score * 10 / scale for mal_id, score in scores.items()}
    return ExportedList(
        user_name, scores, statuses, len(entries), len(entries) - len(with_id), unreadable, scale
    )


def _mal_id(entry):
    """Return the id of an entry, or 0 if it has none."""
    written = next((entry[tag] for tag in ID_TAGS if entry.get(tag)), '')
    mal_id = int(written) if re.fullmatch('[0-9]{1,10}', written) else 0
    return mal_id if mal_id <= LARGEST_ID else 0


def _score(written):
    """Return a score from 0 to 100, written as 8, 08, 8.0 or 7,5; None if it is not one."""
    if not re.fullmatch(r'[0-9]{1,3}([.,][0-9]{1,6})?', written):
        return None
    score = float(written.replace(',', '.'))
    return score if score <= 100 else None
