"""Shorten titles for the map."""

import collections
import itertools
import os
import re
import textwrap

LONGEST = 40  # characters of a title on the map
SHORTEST_START = 8  # characters of what is left of a title that ends at a colon or the like
# What tells sequels apart at the end of a title
SEQUEL = re.compile(
    r'[\s:,-]*(\b(?:(?:the )?(?:final|first|second|third|fourth|\d+(?:st|nd|rd|th))\s+'
    r'(?:season|stage|part|cour)\b.*'
    r'|(?:season|part|movie|film|cour|episode)\s*[\dIVX]+\b.*'
    r'|(?:[IVX]{1,4}|\d{1,2}|OVA|ONA|specials?|movie|zoku|kan))|\((?:TV|\d{4})\))[!.]*$',
    re.IGNORECASE,
)
CLAUSE = re.compile(r'(?<=\S)(?::|[!?.]| [-–~(])\s+(?=\S)')  # where a subtitle begins
DANGLING = re.compile(
    r'(?:\s+(?:no|wo|wa|ni|ga|to|de|na|mo|o|e|the|of|and|a|an|in|on|for|&))+$', re.IGNORECASE
)
WORD = re.compile(r'\w+')


def shorten(title, length=LONGEST):
    """Return a title of at most `length` characters: without its subtitle, else its first words and '…'.

    What tells sequels apart at the end ("2nd Season") stays.
    """
    if len(title) <= length:
        return title
    sequel = SEQUEL.search(title)
    end = f' {sequel.group(1)}' if sequel and len(sequel.group(1)) < length // 2 else ''
    start = title[: sequel.start()] if end else title
    room = length - len(end)
    if len(start) <= room:
        return start + end
    clauses = [match.start() for match in CLAUSE.finditer(start)]
    clauses = [place for place in clauses if SHORTEST_START <= place <= room]
    if clauses:
        return start[: clauses[-1]].rstrip() + end
    words = textwrap.shorten(start, room - 1, placeholder='')
    words = DANGLING.sub('', words).rstrip(' :,-') or start[: room - 1].rstrip()
    return f'{words}…{end}'


def short_titles(titles, years=None, length=LONGEST):
    """Return short forms of titles, none of which may be taken for another title.

    years: of the titles, None where unknown; they tell titles of the same name apart.
    """
    shorts = [shorten(title, length) for title in titles]
    for row in _mistakable(titles, shorts):
        shorts[row] = titles[row] if len(titles[row]) <= 2 * length else _differing(titles[row], titles)
    for row in _mistakable(titles, shorts) if years is not None else ():
        if years[row]:
            shorts[row] += f' ({years[row]})'
    return shorts


def _mistakable(titles, shorts):
    """Return the rows of short forms that are those of several titles or, cut, look like another title.

    Signs and case make no difference. A title without its subtitle also looks like another one that goes on
    with other words.
    """
    number, keys = collections.Counter(shorts), [_key(short) for short in shorts]
    alike = collections.Counter(keys)
    cut = {key for title, short, key in zip(titles, shorts, keys) if short != title}
    begun = collections.Counter()
    for title in titles:
        starts = itertools.accumulate(_key(title).split(), '{} {}'.format)
        begun.update(cut.intersection(starts))
    return [
        row
        for row, (title, short, key) in enumerate(zip(titles, shorts, keys))
        if number[short] > 1 or (short != title and (alike[key] > 1 or ('…' not in short and begun[key] > 1)))
    ]


def _key(text):
    """Return the words of a title without signs, case and a "(TV)" at the end."""
    return ' '.join(WORD.findall(text.removesuffix('(TV)').casefold()))


def _differing(title, titles):
    """Return the beginning of a title and, after '…', the words from where it differs from the others."""
    same = max(len(os.path.commonprefix([title, other])) for other in titles if other != title)
    start = title.rfind(' ', 0, same + 1) + 1 or same
    if start < LONGEST // 2:
        return textwrap.shorten(title, 2 * LONGEST, placeholder='…')
    beginning = shorten(title[:start].strip(), LONGEST // 2).rstrip('…')
    return f'{beginning}… {shorten(title[start:].lstrip(" -:"), LONGEST)}'.strip()
