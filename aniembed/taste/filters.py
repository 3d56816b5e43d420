"""Narrow a ranking of titles down: by what is known of them, by what the person wants, and by sequels.

An unknown fact (a title without a year, a mean score or a type) does not pass a filter that asks for it.
"""

import re

import numpy as np

from aniembed.files import UsageError

PLANNED = ('also', 'only', 'no')


def read_names(text):
    """Return the names in a text with commas between them, as a list."""
    return [name.strip() for name in text.split(',') if name.strip()]


def read_ids(text):
    """Return the MAL ids in a text with commas between them, as a list of int; ValueError if one is none."""
    for name in read_names(text):
        if not re.fullmatch('[0-9]{1,10}', name):
            raise ValueError(f'{name!r} is not a MAL id')
    return [int(name) for name in read_names(text)]


def read_years(text):
    """Return '2010-2020', '2010-', '-2020' or '2010' as a pair (first, last), None for an open end.

    ValueError if it is none of these.
    """
    found = re.fullmatch(r'(\d{4})|(\d{4})?-(\d{4})?', re.sub(r'\s*-\s*', '-', text.strip()))
    if not found or not any(found.groups()):
        raise ValueError(f'{text!r} is not 2010-2020, 2010-, -2020 or 2010')
    first, last = (int(year) if year else None for year in (found[1] or found[2], found[1] or found[3]))
    if first and last and first > last:
        raise ValueError(f'{text!r} ends before it begins')
    return first, last


def conditions(anime, types=None, years=None, genres=None, not_genres=None, min_score=None, exclude=()):
    """Return what each filter that is set lets pass, as a dict option of recommend.py -> n bool.

    anime: the title_table of the n titles. types: list of media types, any of which will do. years: pair
    (first, last), None for an open end. genres: list of genres, a title has to have all of them. not_genres:
    list of genres, a title may have none of them. min_score: the least mean score of MyAnimeList. exclude:
    MAL ids. Names are compared without regard to case; UsageError if no title has one, with those there are.
    """
    found = {}
    if types is not None:
        wanted = _known(types, anime['media_type'].dropna(), 'type')
        found['--type'] = [_fold(kind) in wanted for kind in anime['media_type']]
    if years is not None:
        first, last = (-np.inf if years[0] is None else years[0], np.inf if years[1] is None else years[1])
        found['--years'] = anime['year'].astype(float).between(first, last)
    own = [{_fold(genre) for genre in listed} for listed in anime['genres']]
    if genres is not None:
        wanted = _known(genres, anime['genres'].explode().dropna(), 'genre')
        found['--genre'] = [wanted <= listed for listed in own]
    if not_genres is not None:
        unwanted = _known(not_genres, anime['genres'].explode().dropna(), 'genre')
        found['--not-genre'] = [not unwanted & listed for listed in own]
    if min_score is not None:
        found['--min-score'] = anime['mean'].astype(float) >= min_score
    if len(exclude):
        found['--not'] = ~anime.index.isin(list(exclude))
    return {option: np.asarray(passing, bool) for option, passing in found.items()}


def _fold(name):
    return name.casefold() if isinstance(name, str) else name


def _known(names, there_are, kind):
    """Return names folded, as a set; UsageError names one that is not among those there are."""
    spelled = {_fold(name): name for name in there_are}
    for name in names:
        if _fold(name) not in spelled:
            listed = ', '.join(sorted(spelled.values(), key=_fold)) or 'none'
            raise UsageError(f'no title of this map has the {kind} {name!r}; those there are: {listed}.')
    return {_fold(name) for name in names}


def narrow(candidates, passing):
    """Return which candidates pass all filters, n bool, and how many each filter removes, as a dict.

    candidates: n bool, the titles that can be recommended. passing: dict option -> n bool, applied in its
    order. Filters that remove nothing are not in the dict.
    """
    removed = {}
    for option, passes in passing.items():
        removed[option] = int(np.sum(candidates & ~passes))
        candidates = candidates & passes
    return candidates, {option: number for option, number in removed.items() if number}


def not_before_its_prequel(anime, seen):
    """Return which titles do not continue something unseen, n bool: they have no prequel, or a seen one.

    seen: MAL ids of what the person has seen. Where the titles have no relations, all are True.
    """
    return np.array([not prequels or not seen.isdisjoint(prequels) for prequels in anime['prequels']], bool)


def best_of_franchise(anime, order):
    """Return the rows of `order` without those whose franchise an earlier one has; all if none is known."""
    kept, met = [], set()
    for row in order:
        franchise = anime['franchise'].iat[row]
        if franchise is None or franchise not in met:
            kept.append(row)
            met.add(franchise)
    return np.array(kept, int)


def has_relations(anime):
    """Tell whether a title_table says which titles are sequels."""
    return bool(anime['franchise'].notna().any())
