"""Read one member's list as MyAnimeList exports it, or as other sites' exporters write it in that form.

The web page reads such files by the same rules (web/src/data/listfile.ts); tests/cases/exports.json says
what both make of each case.
"""

import re
from typing import NamedTuple

import defusedxml
from defusedxml.ElementTree import ParseError, XMLParser

from aniembed import files
from aniembed.inputs.title_records import LARGEST_ID

MAX_BYTES = 64 << 20  # of the unpacked file, four times what the longest lists take
ID_TAGS = ('series_animedb_id', 'anime_animedb_id')  # the second is that of Shikimori's older exports

# What `my_status` says, without spaces and hyphens -> the words of MyAnimeList's API; who watches something
# again has completed it
STATUSES = {
    **dict.fromkeys(('1', 'watching', 'current'), 'watching'),
    **dict.fromkeys(('2', 'completed', 'rewatching', 'repeating'), 'completed'),
    **dict.fromkeys(('3', 'onhold', 'paused'), 'on_hold'),
    **dict.fromkeys(('4', 'dropped'), 'dropped'),
    **dict.fromkeys(('6', 'plantowatch', 'planning', 'planned'), 'plan_to_watch'),
}


class ExportedList(NamedTuple):
    """One member's list and what was counted while it was read."""

    user_name: str  # '' if the file does not say
    scores: dict  # MAL id -> 0.0 to 10.0; 0 is "on the list without a score"
    statuses: dict  # MAL id -> a value of STATUSES, where the file says so
    entries: int  # entries in the file
    without_id: int  # entries that were passed over, because they have no MyAnimeList id
    unreadable_scores: int  # entries that count as without a score, because theirs is not a number
    scale: int  # 10, or 100: then `scores` are those of the file divided by ten

    def report(self):
        """Return one line on what was read."""
        scored = sum(score > 0 for score in self.scores.values())
        counts = [f'{self.entries:,} entries read', f'{scored:,} with a score']
        if self.without_id:
            counts.append(f'{self.without_id:,} passed over: no MyAnimeList id')
        if self.unreadable_scores:
            counts.append(f'{self.unreadable_scores:,} with a score that cannot be read')
        if self.scale == 100:
            counts.append('the scores go to 100 and were divided by 10')
        if not scored:
            completed = list(self.statuses.values()).count('completed')
            counts.append(f'for want of scores, the {completed:,} completed titles count as liked')
        return ', '.join(counts) + '.'


def read_exported_list(path):
    """Return the ExportedList in a file, plain or packed, whatever its name; RunError if it holds none."""
    try:
        with open(path, 'rb') as stored:
            content = files.unpacked(stored).read(MAX_BYTES + 1)
    except files.PACKING_ERRORS as error:
        if isinstance(error, OSError) and error.strerror:
            raise files.RunError(f'{path} cannot be read: {error.strerror}.') from None
        raise files.RunError(f'{path} is damaged or cut off; export the list again.') from None
    if len(content) > MAX_BYTES:
        raise files.RunError(f'{path} is larger than {MAX_BYTES >> 20} MB, so it is not an exported list.')
    text = _plain_xml(_decoded(content))
    if not text.strip():
        raise files.RunError(f'{path} is empty; export the list again.')
    try:
        root_tag, user_name, entries, other_tags = _parsed(text)
    except defusedxml.DefusedXmlException:
        raise files.RunError(f'{path} has a DTD, which no exported list needs. It was refused.') from None
    except ParseError as error:
        raise files.RunError(_damage(path, text, error)) from None
    if not entries:
        raise files.RunError(f'{path} {_no_anime(root_tag, other_tags)}')
    return _exported_list(path, user_name, entries)


# ---- bytes -> text -> entries -----------------------------------------------------------------------------

LEGACY_ENCODINGS = '(iso-8859|windows|koi8|shift|euc|gb|big5)[a-z0-9_-]*'


def _decoded(content):
    """Return the text of a file in UTF-16 or UTF-8, else in the encoding that it declares, else in cp1252."""
    if content.startswith((b'\xff\xfe', b'\xfe\xff')):
        return content.decode('utf-16', 'replace')
    if 0 in content[:2]:  # UTF-16 without its mark
        return content.decode('utf-16-be' if content[0] == 0 else 'utf-16-le', 'replace')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError:
        pass
    declared = re.search(rb'encoding\s*=\s*["\']([\w-]+)', content[:200])
    declared = declared[1].decode().lower() if declared else ''
    try:
        return content.decode(declared if re.fullmatch(LEGACY_ENCODINGS, declared) else 'cp1252', 'replace')
    except LookupError:
        return content.decode('cp1252', 'replace')


def _plain_xml(text):
    """Return the text without its XML declaration and without a DOCTYPE that says no more than a name."""
    first_tag = re.search('<[^!?]', text)
    start = first_tag.start() if first_tag else len(text)
    prolog = re.sub(r'<\?xml\s[^<>]*\?>|<!DOCTYPE\s+[\w:.-]+\s*>', '', text[:start])
    return prolog + text[start:]


def _parsed(text):
    """Return (root tag, user name, a dict tag -> text for each entry, the other tags below the root).

    If the text is not XML, control characters and lone ampersands are mended first; ParseError if it is then
    not XML either.
    """
    try:
        return _walk(text)
    except ParseError:
        text = re.sub('[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]', '', text)
        text = re.sub('&#(x[0-9a-f]+|[0-9]+);', _mended_reference, text, flags=re.I)
        text = re.sub('&(?!(amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)', '&amp;', text)
        return _walk(text)


def _mended_reference(match):
    """Return a character reference, or nothing where XML forbids the character."""
    digits = match[1].lower()
    code = int(digits[1:], 16) if digits[0] == 'x' else int(digits[:9])
    forbidden = code in range(32) and code not in (9, 10, 13) or code in range(0xD800, 0xE000)
    return '' if forbidden or code in (0xFFFE, 0xFFFF) or code > 0x10FFFF else f'&#{code};'


def _walk(text):
    """Parse the text as XML; return as _parsed does."""
    entries = _Entries()
    parser = XMLParser(target=entries, forbid_dtd=True)
    parser.feed(text)
    parser.close()
    return entries.path[0], entries.user_name, entries.found, entries.other_tags


class _Entries:
    """Collect the texts below the root as the parser meets them. A namespace is of no account."""

    def __init__(self):
        self.path, self.depth, self.texts, self.entry = ['', '', ''], 0, [], {}
        self.user_name, self.found, self.other_tags = '', [], set()

    def start(self, tag, _):
        if self.depth < len(self.path):
            self.path[self.depth] = tag.rpartition('}')[2]
            self.texts = []
        self.depth += 1

    def data(self, text):
        if self.depth > 2:
            self.texts.append(text)

    def end(self, _):
        self.depth -= 1
        _, entry_tag, tag = self.path
        if self.depth == 2 and entry_tag == 'anime':
            self.entry.setdefault(tag, ''.join(self.texts).strip())
        elif self.depth == 2 and (entry_tag, tag) == ('myinfo', 'user_name'):
            self.user_name = self.user_name or ''.join(self.texts).strip()
        elif self.depth == 1 and entry_tag == 'anime':
            self.found.append(self.entry)
            self.entry = {}
        elif self.depth == 1:
            self.other_tags.add(entry_tag)

    def close(self):
        pass


def _damage(path, text, error):
    """Return the sentence on a file that is not XML."""
    if '<myanimelist' not in text:
        return f'{path} is not XML; MyAnimeList exports the right file (Profile, Anime List, Export).'
    line = error.position[0]
    return f'{path} is damaged or cut off in line {line} ({error}); export the list again.'


def _no_anime(root_tag, other_tags):
    """Return the end of the sentence on an XML file without anime."""
    if 'manga' in other_tags:
        return 'is a manga list; export the anime list instead.'
    if root_tag != 'myanimelist':
        return 'is XML, but not a list as MyAnimeList exports it.'
    return 'is a list without anime.'


# ---- entries -> scores ------------------------------------------------------------------------------------


def _exported_list(path, user_name, entries):
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
        scores[mal_id] = score or scores.get(mal_id, 0.0)  # "no score" does not overwrite a score
        status = STATUSES.get(re.sub('[^a-z0-9]', '', entry.get('my_status', '').lower()))
        if status:
            statuses[mal_id] = status
    scale = 100 if highest > 10 else 10
    if scale == 100:
        scores = {mal_id: score / 10 for mal_id, score in scores.items()}
    return ExportedList(
        user_name, scores, statuses, len(entries), len(entries) - len(with_id), unreadable, scale
    )


def _mal_id(entry):
    """Return the id of an entry, or 0 if it has none."""
    written = next((entry[tag] for tag in ID_TAGS if entry.get(tag)), '')
    mal_id = int(written) if re.fullmatch('[0-9]{1,10}', written) else 0
    return mal_id if mal_id <= LARGEST_ID else 0


def _score(written):
    """Return a score as it is written, from 0 to 100, or None if it is not one: 8, 08, 8.0 and 7,5 are."""
    if not re.fullmatch(r'[0-9]{1,3}([.,][0-9]{1,6})?', written):
        return None
    score = float(written.replace(',', '.'))
    return score if score <= 100 else None
