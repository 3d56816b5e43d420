"""Find titles, studios and genres by name, as the search of the page does (web/src/data/search.ts).

All names of a title count, with their initials and beginnings ("aot", "konosuba"), without regard to accents,
case and punctuation. Where nothing matches, typing errors are allowed.
"""

import functools
import math
import re
import unicodedata
from typing import NamedTuple

from aniembed.files import UsageError, one_line
from aniembed.inputs.titles import by_popularity

MAX_TITLES, MAX_GROUPS = 12, 3  # of a result
MIN_SHORT = 3  # letters of a query that is compared with studios and genres, and with beginnings of initials
MIN_PIECE = 3  # letters of each word's beginning in a query such as "kyoani"
ONE_ERROR, TWO_ERRORS = 4, 9  # letters of a word from where one typing error and two are allowed
GROUPS = {'studio': 'studios', 'genre': 'genres'}  # kind of group -> column of the title_table


class Name:
    """A normalised name, with and without its spaces, its words, and their first letters."""

    def __init__(self, text):
        self.spaced = normalise(text)
        self.words = self.spaced.split(' ')
        self.compact = ''.join(self.words)
        self.initials = ''.join(word[:1] for word in self.words)


class Match(NamedTuple):
    """What a search finds."""

    kind: str  # title, studio or genre
    name: str
    ids: list  # MAL ids, the most popular first
    grade: float  # 0 for the whole name; larger for worse matches


def normalise(text):
    """Return a text in lower case without accents; everything but letters and digits becomes a space."""
    plain = text
    if not text.isascii():
        letters = unicodedata.normalize('NFKD', text).replace('×', 'x')
        plain = ''.join(c for c in letters if not unicodedata.category(c).startswith('M'))
    plain = re.sub(r'[\W_]+', ' ', re.sub("['’`]", '', plain.lower())).strip()
    return plain or text.strip().lower()  # a title of signs alone is found by those signs


class Search:
    """The names of the titles, studios and genres of a title_table."""

    def __init__(self, anime):
        anime = anime.iloc[by_popularity(anime)]
        texts = anime[['title', 'english', 'japanese', 'synonyms']].itertuples()
        self.titles = [
            (
                'title',
                english or title,
                [mal_id],
                [Name(text) for text in dict.fromkeys([title, english, japanese, *others]) if text],
            )
            for mal_id, title, english, japanese, others in texts
        ]
        groups = {}
        for kind, column in GROUPS.items():
            for mal_id, names in anime[column].items():
                for name in dict.fromkeys(names):
                    groups.setdefault((kind, name), []).append(mal_id)
        largest = sorted(groups.items(), key=lambda group: -len(group[1]))
        self.groups = [(kind, name, ids, [Name(name)]) for (kind, name), ids in largest]

    def search(self, text):
        """Return up to MAX_GROUPS studios and genres and MAX_TITLES titles as Match, the best first.

        Of equal matches, the most popular title and the largest group come first. A title of exactly this
        name comes before the groups. Typing errors are allowed if nothing matches otherwise.
        """
        query = Name(text)
        groups = self.groups if len(query.compact) >= MIN_SHORT else []
        for measure, worst_group in ((grade, 4), (errors_in, math.inf)) if text.strip() else ():
            found_groups = _best(groups, query, measure, worst_group)[:MAX_GROUPS]
            found = _best(self.titles, query, measure)[:MAX_TITLES]
            exact = sum(match.grade == 0 for match in found) if measure is grade else 0
            if found or found_groups:
                return found[:exact] + found_groups + found[exact:]
        return []

    def find(self, text, kinds=('title',)):
        """Return the best Match of a text for these kinds, and the runner-up of the same grade or None.

        'studio:NAME' and 'genre:NAME' find those alone, a number a MAL id. UsageError if nothing matches.
        """
        kind, _, name = text.partition(':')
        if kind.strip().lower() in GROUPS:
            groups = [group for group in self.groups if group[0] == kind.strip().lower() and name.strip()]
            found = _best(groups, Name(name), grade) or _best(groups, Name(name), errors_in)
        elif re.fullmatch(r'\s*\d{1,10}\s*', text):
            found = [Match(*title[:3], 0) for title in self.titles if title[2] == [int(text)]]
            if not found:
                raise UsageError(f'this map has no title with the MAL id {int(text)}.')
        else:
            found = [match for match in self.search(text) if match.kind in kinds]
        if not found:
            raise UsageError(f'nothing on this map is called {one_line(text, 60)!r}.')
        return found[0], next((match for match in found[1:2] if match.grade == found[0].grade), None)


def _best(entries, query, measure, worst=math.inf):
    """Return the entries that match, as a list of Match, the best first and equal ones in their order."""
    graded = [
        Match(kind, name, ids, min(measure(name_of, query) for name_of in names))
        for kind, name, ids, names in entries
    ]
    return sorted(
        (match for match in graded if match.grade <= worst and match.grade < math.inf),
        key=lambda match: match.grade,
    )


def grade(name, query):
    """Return how well a name matches: 0 the whole name, 6 every word somewhere in it, infinity not at all."""
    letters = query.compact
    if name.spaced == query.spaced or name.compact == letters:
        return 0
    if name.spaced.startswith(query.spaced):
        return 1
    if (len(name.words) > 1 and name.initials == letters) or f' {query.spaced}' in name.spaced:
        return 2
    if len(letters) >= MIN_SHORT and name.initials.startswith(letters):
        return 3
    if all(any(other.startswith(word) for other in name.words) for word in query.words):
        return 3
    if len(letters) >= 2 * MIN_PIECE and _is_blend(letters, name.words):
        return 4
    if letters in name.compact:
        return 5
    return 6 if all(word in name.spaced for word in query.words) else math.inf


def _is_blend(letters, words):
    """Whether the letters are beginnings of words, in their order: "kyoani" of "kyoto animation"."""
    if not letters:
        return True
    for k, word in enumerate(words):
        length = 0
        while length < min(len(letters), len(word)) and letters[length] == word[length]:
            length += 1
        for piece in range(length, MIN_PIECE - 1, -1):
            if _is_blend(letters[piece:], words[k + 1 :]):
                return True
    return False


def errors_in(name, query):
    """Return the typing errors of the query's words in a name, or of the query written as one word."""
    whole = errors(query.compact, name.compact)
    if whole == 0 or not query.words:
        return whole
    in_words = sum(min(errors(word, other) for other in name.words) for word in query.words)
    return min(in_words, whole)


@functools.cache
def errors(word, other):
    """Return the typing errors between a word and the beginning of another; infinity for too many.

    An error is a letter that is wrong, left out or added, or two that are swapped (Damerau's distance without
    a second change of the same letters).
    """
    most = 2 if len(word) >= TWO_ERRORS else 1 if len(word) >= ONE_ERROR else 0
    # Each error spoils at most two of 2 most + 1 pieces of the word, so one is in the other word
    size = -(-len(word) // (2 * most + 1))
    if not any(word[start : start + size] in other for start in range(0, len(word), size)):
        return math.inf
    before_last, last = [], [*range(len(word) + 1)]
    fewest = last[-1]
    for j, letter in enumerate(other[: len(word) + most], 1):
        row = [j]
        for i, own in enumerate(word, 1):
            row.append(min(last[i] + 1, row[i - 1] + 1, last[i - 1] + (own != letter)))
            if i > 1 and j > 1 and own == other[j - 2] and word[i - 2] == letter:
                row[i] = min(row[i], before_last[i - 2] + 1)
        if min(row) > most:
            break
        before_last, last = last, row
        fewest = min(fewest, row[-1])
    return fewest if fewest <= most else math.inf
