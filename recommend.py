#!/usr/bin/env python3
"""Recommend anime to one person, and say because of which titles on the person's list.

Reads   embeddings.pkl, titles.json and settings.json in --output-dir, as embeddings.py wrote them, and the
        person's list: an exported list, a username of the lists that the vectors were learnt from, or, with
        --user, any member of MyAnimeList (MAL_CLIENT_ID in the environment) or AniList
Writes  recommendations.csv in --output-dir, and prints the same as a table; with --explain it only prints

    python3 recommend.py Sleepy8623
    python3 recommend.py animelist_1234_-_5678.xml.gz --type tv,movie --years 2010-2020 --not-genre Ecchi
    python3 recommend.py --user anilist:somebody --niche 0.5
"""

import sys

from aniembed import files

if __name__ == '__main__':
    files.start_script()

import argparse
import contextlib
import os

import numpy as np
import pandas as pd

from aniembed.files import RunError, UsageError
from aniembed.output import read_titles, read_vectors
from aniembed.taste import filters, person
from aniembed.taste.opinions import planned_titles, seen_titles
from aniembed.taste.query import Query, check_scores, predict_scores, recommend  # noqa: F401 - the last two are for your own scripts

OUTPUT_DIR = 'output'  # folder of the vectors, where --output-dir is not given
NUMBER = 20  # recommendations, where --number is not given
REASONS = 3  # titles of the person's that are named beside each recommendation
FEW = 3  # known scores below which a sentence says that this is little
# The options that are no keywords of recommendation_table(): whose list, which files, what to do
NO_CHOICES = ('who', 'user', 'output_dir', 'lists', 'explain')
LEAST_SHARE = 0.001  # of what speaks for a title, below which --explain counts titles instead of naming them


# ---- the table -----------------------------------------------------------------------------------


def recommendation_table(
    vectors,
    anime,
    scores,
    statuses=None,
    number=NUMBER,
    planned='also',
    niche=0.0,
    sequels=False,
    **facts,
):
    """Return the best titles as a DataFrame, best first; every option of recommend.py is a keyword.

    vectors: the DataFrame of embeddings.pkl; anime: its title_table; scores, statuses, number and niche: as
    for recommend(). planned: 'also' recommends what the person plans to watch among the rest, 'only' nothing
    else, 'no' not at all. sequels: False leaves out what continues something unseen, and all but the best
    title of a franchise, where `anime` has relations. facts: types, years, genres, not_genres, min_score and
    exclude of filters.conditions().

    Columns: rank, mal_id, title, english, predicted (score), affinity, type, year,
    tags (list of 'planned' and 'sequel'), because (list of up to three MAL ids, the strongest reason first).
    attrs['removed']: how many titles each filter removes, in their order. ValueError as of recommend();
    UsageError if a name is wrong.
    """
    scores = check_scores(scores)
    asked = Query(vectors, scores, statuses, niche)
    plans = planned_titles(scores, statuses)
    is_planned = vectors.index.isin(list(plans))
    passing = filters.conditions(anime, **facts)
    if planned not in filters.PLANNED:
        raise UsageError(f'planned is {planned!r}; it must be one of {", ".join(filters.PLANNED)}.')
    if planned != 'also':
        passing['--planned'] = is_planned == (planned == 'only')
    if not sequels:
        unseen = filters.not_before_its_prequel(anime, seen_titles(scores, statuses))
        if not unseen.all():
            passing['the rule for sequels (--sequels)'] = unseen
    candidates = ~vectors.index.isin(list(scores.keys() - plans))
    passes, removed = filters.narrow(candidates, passing)
    affinity = asked.affinity()
    order = np.argsort(-affinity, kind='stable')
    order = order[passes[order]]
    if not sequels:
        order = filters.best_of_franchise(anime, order)
    table = _table(anime, asked, affinity, order[:number], is_planned)
    table.attrs['removed'] = removed
    return table


def _table(anime, asked, affinity, order, is_planned):
    best = anime.iloc[order]
    table = {'rank': range(1, len(order) + 1), 'mal_id': best.index}
    table |= {'title': best['title'].array, 'english': best['english'].array}
    table |= {
        'predicted': asked.predicted[order].round(1),
        'affinity': affinity[order],
        'type': best['media_type'].array,
        'year': best['year'].array,
    }
    tags = {'planned': is_planned[order], 'sequel': best['prequels'].map(bool)}
    table['tags'] = [[tag for tag, has in zip(tags, row) if has] for row in zip(*tags.values())]
    table['because'] = asked.reasons(order, REASONS)
    return pd.DataFrame(table)


def explanation(vectors, anime, scores, mal_id, statuses=None, niche=0.0):
    """Return what each title on a list says of the title `mal_id`, as a DataFrame, what speaks for it first.

    Columns: mal_id, title, score (0: none), status, share: of all that speaks for the title, below 0 for what
    speaks against it (of all that does, where nothing speaks for it). attrs['predicted'] is the score that
    the person is likely to give. The other arguments are those of recommendation_table(). ValueError as of
    recommend(), and for a title that the vectors do not have.
    """
    if mal_id not in vectors.index:
        raise ValueError(f'this map has no title with the MAL id {mal_id}, so nothing can be explained')
    scores = check_scores(scores)
    asked = Query(vectors, scores, statuses, niche)
    index = vectors.index.get_loc(mal_id)
    share = pd.Series(asked.terms([index])[:, 0], asked.known).drop(mal_id, errors='ignore')
    share = share[share != 0].sort_values(ascending=False, kind='stable')
    total = share[share > 0].sum() or share.abs().sum()
    table = pd.DataFrame(
        {
            'mal_id': share.index,
            'title': names_of(anime)[share.index].array,
            'score': [scores[known] for known in share.index],
            'status': [(statuses or {}).get(known, '') for known in share.index],
            'share': (share / total).to_numpy(),
        }
    )
    table.attrs['predicted'] = float(asked.predicted[index])
    return table


def names_of(anime):
    """Return the English title of each title, or its title where there is none, as a Series."""
    return anime['english'].fillna(anime['title'])


# ---- what the terminal shows -----------------------------------------------------------------------


def greet(who, ids):
    """Print whose list was read, what it holds, and whether that is little."""
    if who.name:
        print(f'Hello {files.one_line(who.name, 60)}!')
    if who.report:
        print(who.report)
    known = who.scores.keys() & set(ids)
    total = f'of the {len(who.scores):,} ' if who.is_whole_list else ''
    print(f'{len(known):,} {total}titles on the list {"is" if len(known) == 1 else "are"} on this map.')
    scored = sum(who.scores[mal_id] > 0 for mal_id in known)
    if scored < FEW:
        print(f'With a score: {scored}. That is little to go by.')


def facts_of(row):
    """Return what the terminal shows behind a title: year, type, predicted score, tags."""
    facts = [str(fact) for fact in (row.year, row.type) if fact is not None]
    text = f' ({", ".join(facts)})' if facts else ''
    return f'{text}  predicted {row.predicted:.1f}' + ''.join(f'  [{tag}]' for tag in row.tags)


def show(table, names):
    """Print the table: rank, English title, year, type, predicted score, tags, MAL id, and the reasons."""
    for row in table.itertuples():
        print(f'{row.rank:3}  {names[row.mal_id]}{facts_of(row)}  #{row.mal_id}')
        if row.because:
            print(f'     because of {"; ".join(names[mal_id] for mal_id in row.because)}')


def show_explanation(table, name):
    """Print a title's predicted score, all that speaks for the title, and all that speaks against it."""
    print(f'Predicted score of {name}: {table.attrs["predicted"]:.1f}')
    for words, rows in (('for', table[table.share > 0]), ('against', table[table.share < 0][::-1])):
        if not len(rows):
            print(f'Nothing on the list speaks {words} {name}.')
            continue
        print(f'What speaks {words} {name}:')
        named = rows[rows.share.abs() >= LEAST_SHARE]
        for row in named.itertuples():
            said = f'score {row.score:g}' if row.score else row.status
            print(f'{abs(row.share):7.1%}  {row.title} ({said})')
        if len(named) < len(rows):
            print(f'         and {len(rows) - len(named):,} titles with less than {LEAST_SHARE:.1%} each')


def write(path, table, names):
    """Write recommendations.csv: the table with its lists as text."""
    text = table.assign(
        predicted=table['predicted'].map('{:.1f}'.format),
        tags=table['tags'].map(', '.join),
        because=['; '.join(names[mal_id] for mal_id in known) for known in table['because']],
    )
    files.write_csv(path, text)


# ---- the command line ------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """Parse arguments; what is wrong is one sentence instead of the whole usage."""

    def error(self, message):
        """Raise UsageError."""
        raise UsageError(f'{message}; --help shows how to call it.')


def of_type(read):
    """Return `read` with its ValueErrors as those of argparse, which shows their sentences."""

    def checked(text):
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(error) from None

    return checked


def number_from(low, high):
    """Return a function that reads a number from low to high; argparse shows its error."""

    def number(text):
        with contextlib.suppress(ValueError):
            if low <= float(text) <= high:
                return float(text)
        raise argparse.ArgumentTypeError(f'{text!r} is not a number from {low} to {high}')

    return number


def read_arguments(arguments):
    """Return the parsed arguments; UsageError in one sentence where they are wrong."""
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add('who', nargs='?', help='a list exported from MyAnimeList, or a username of the lists')
    add('--user', metavar='NAME', help='a member of MyAnimeList, or anilist:NAME; the list is fetched now')
    add('--output-dir', default=OUTPUT_DIR, help='folder of the vectors (%(default)s)')
    add('--lists', help='file or pattern of the lists with the user (default: that of settings.json)')
    add('--number', type=int, default=NUMBER, help='how many titles (%(default)s)')
    add('--type', dest='types', type=filters.read_names, metavar='A,B', help='any of these: tv,movie')
    add('--years', type=of_type(filters.read_years), metavar='YEARS', help='2010-2020, 2010-, -2020 or 2010')
    add('--genre', dest='genres', type=filters.read_names, metavar='A,B', help='all of these genres')
    add('--not-genre', dest='not_genres', type=filters.read_names, metavar='A,B', help='none of these')
    add('--min-score', type=number_from(0, 10), help='the least mean score on MyAnimeList')
    ids = of_type(filters.read_ids)
    add('--not', dest='exclude', type=ids, default=(), metavar='ID,ID', help='not these titles')
    add(
        '--planned',
        choices=filters.PLANNED,
        default='also',
        help='planned titles: also, only or no; exports and --user know them (%(default)s)',
    )
    add(
        '--niche', type=number_from(0, 1), default=0.0, help='0: popular titles first, 1: popularity left out'
    )
    add('--sequels', action='store_true', help='also sequels of what is not seen, and whole franchises')
    add('--explain', type=int, metavar='ID', help='say all that speaks for one title, and against it')
    options = parser.parse_args(arguments)
    if options.number < 1:
        parser.error(f'--number is {options.number}, and must be 1 or more')
    if (options.who is None) == (options.user is None):
        parser.error('name one person: who (a file or a username of the lists), or --user NAME')
    return options


def read_person(options, ids):
    """Return the Person that the arguments name."""
    if options.user is not None:
        return person.fetch_member(options.user)
    if os.path.isfile(options.who):
        return person.read_exported(options.who)
    if '/' in options.who or '.' in options.who:
        raise RunError(f'{options.who}: there is no such file.')
    return person.read_listed(options.who, options.lists, options.output_dir, ids)


def main(arguments):
    """Print one person's recommendations and write recommendations.csv, or explain one title."""
    options = read_arguments(arguments)
    vectors = read_vectors(options.output_dir)
    ids = vectors.index.tolist()
    anime = read_titles(options.output_dir, ids)
    who = read_person(options, ids)
    greet(who, ids)
    try:
        if options.explain is not None:
            table = explanation(vectors, anime, who.scores, options.explain, who.statuses, options.niche)
            show_explanation(table, names_of(anime)[options.explain])
            return
        chosen = {name: value for name, value in vars(options).items() if name not in NO_CHOICES}
        table = recommendation_table(vectors, anime, who.scores, who.statuses, **chosen)
    except ValueError as error:
        raise RunError(f'{options.who or options.user}: {error}.') from None
    if not len(table):
        removed = '; '.join(f'by {option}: {number:,}' for option, number in table.attrs['removed'].items())
        if not removed:
            raise RunError('the list holds every title of this map, so nothing is left to recommend.')
        raise RunError(f'nothing is left to recommend; removed {removed}.')
    if not (options.sequels or filters.has_relations(anime)):
        print(
            'titles.json has no relations, so sequels count like all else (RELATED of anime_download.ipynb).'
        )
    show(table, names_of(anime))
    path = os.path.join(options.output_dir, 'recommendations.csv')
    write(path, table, names_of(anime))
    print(f'\nThe same table is in {path}.')


if __name__ == '__main__':
    files.end_imports()
    main(sys.argv[1:])
