"""Filter titles by what is known of them, by what the person wants, and by sequels.

filters.json has one row a filter, from which recommend.py's options and the page's form follow: `keyword` is
its name in Python and in the page, `fact` what it looks at, `rule` one of RULES, `read` how recommend.py
reads it. An unknown fact, such as the year of a title that has none, does not pass a filter that asks for it.
"""

import json
import os
import re
import unicodedata

import numpy as np

from aniembed.files import UsageError

with open(os.path.join(os.path.dirname(__file__), 'filters.json'), encoding='utf-8') as _file:
    TABLE = json.load(_file)
FILTERS = TABLE['filters']
CHOICES = 'also', 'only', 'no'

# rule -> whether a known fact passes, given what is wanted
RULES = {
    'any': lambda fact, wanted: fact in wanted,
    'all': lambda fact, wanted: wanted <= fact,
    'none': lambda fact, wanted: wanted.isdisjoint(fact),
    'range': lambda fact, wanted: (wanted[0] or -np.inf) <= fact <= (wanted[1] or np.inf),
    'least': lambda fact, wanted: fact >= wanted,
    'not': lambda fact, wanted: not fact,
    'choice': lambda fact, wanted: fact == (wanted == 'only'),
}
NAMES = {'media_type': 'types', 'genres': 'genres'}  # facts that are names -> MyAnimeList's names


# ---- reading the options -------------------------------------------------------------------------------


def read_names(text):
    """Return the names in a text with commas between them, as a list."""
    return [name.strip() for name in text.split(',') if name.strip()]


def read_ids(text):
    """Return the MAL ids in a text of ids with commas between them, as a list of int; [] if it is none."""
    numbers = [number.strip() for number in text.split(',')]
    return [*map(int, numbers)] if all(re.fullmatch(r'\d{1,10}', number) for number in numbers) else []


def _with_hyphens(text):
    """Return a text with every dash as a hyphen without blanks around it."""
    return re.sub(r'\s*[-‐-―−]\s*', '-', text.strip())


def read_years(text):
    """Return '2010-2020', '2010-', '-2020' or '2010' as a pair (first, last), None for an open end.

    ValueError if it is none of these.
    """
    match = re.fullmatch(r'(\d{4})|(\d{4})?-(\d{4})?', _with_hyphens(text))
    if not match or not any(match.groups()):
        raise ValueError(f'{text!r} is not 2010-2020, 2010-, -2020 or 2010')
    first, last = (int(year) if year else None for year in (match[1] or match[2], match[1] or match[3]))
    if first and last and first > last:
        raise ValueError(f'{text!r} ends before it begins')
    return first, last


def read_seasons(text):
    """Return '2026-fall' or 'fall 2026', several with commas between them, as a list of '2026-fall'.

    ValueError if one is no season.
    """
    seasons = []
    for part in read_names(text):
        words = re.split(r'[-\s]+', _with_hyphens(part).lower().replace('autumn', 'fall'))
        if sorted(map(str.isdigit, words)) != [False, True] or not {*words} & {*TABLE['seasons']}:
            raise ValueError(f'{part!r} is not a season, such as 2026-fall (winter, spring, summer, fall)')
        seasons.append('-'.join(sorted(words)))
    return seasons


def fold(name):
    """Return a name in the form in which names are compared: 'Sci Fi' is 'sci-fi', 'movies' is 'movie'."""
    plain = unicodedata.normalize('NFKD', str(name)).casefold()
    return re.sub(r'\W|_', '', plain).removesuffix('s')


# ---- the filters ---------------------------------------------------------------------------------------


def conditions(facts, **options):
    """Return what each filter that is set lets pass, as a dict label of the filter -> n bool.

    facts: dict fact of filters.json -> its values for the n titles. options: keywords of filters.json; None,
    [], False and 'also' mean that the filter is not set. Names are compared by fold(); UsageError for one
    that neither the titles nor MyAnimeList have, and for a genre to have that no title has.
    """
    passing = {}
    for row in FILTERS:
        wanted, values, passes = options.pop(row['keyword'], None), facts[row['fact']], RULES[row['rule']]
        if row['rule'] == 'choice' and wanted not in (None, *CHOICES):
            raise UsageError(f'{row["keyword"]} is {wanted!r}; it must be one of {", ".join(CHOICES)}.')
        if wanted in (None, False, 'also', [], ()):
            continue
        known = [value is not None and value == value for value in values]
        if row['fact'] in NAMES:
            wanted = _known(wanted, values, row)
            values = [{*map(fold, value)} if isinstance(value, list) else fold(value) for value in values]
        elif row['fact'] == 'id':
            wanted, values = set(wanted), [{value} for value in values]
        passing[row['label']] = np.array([k and bool(passes(v, wanted)) for k, v in zip(known, values)], bool)
    if options:
        raise TypeError(f'there is no option {", ".join(options)}')
    return passing


def _known(names, values, row):
    """Return names folded, as a set; UsageError for one that is not known."""
    there = {name for value in values for name in (value if isinstance(value, list) else [value]) if name}
    known = {*map(fold, there)}
    elsewhere = () if row['rule'] == 'all' else {*map(fold, TABLE[NAMES[row['fact']]])}
    for name in names:
        if fold(name) not in known and fold(name) not in elsewhere:
            kind, listed = row['option'].split('-')[-1], ', '.join(sorted(there, key=fold)) or 'none'
            raise UsageError(f'no title of this map has the {kind} {name!r}; those there are: {listed}.')
    return {*map(fold, names)}


def adult_titles(anime):
    """Return which titles of a title_table are for adults, by their rating and their genres, as a list."""
    ratings, genres = TABLE['adult']['rating'], {*TABLE['adult']['genres']}
    rows = zip(anime['rating'], anime['genres'])
    return [rating in ratings or not genres.isdisjoint(own) for rating, own in rows]


def narrow(candidates, passing):
    """Return which candidates pass all filters, n bool, and how many each filter removes, as a dict.

    candidates: n bool, the titles that can be recommended. passing: dict option -> n bool, applied in its
    order. A filter that removes nothing is not in the dict.
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
