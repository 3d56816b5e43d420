#!/usr/bin/env python3
"""Recommend anime to one person, or to several who watch together, and say why.

Reads   OUTPUT_DIR (embeddings.pkl, titles.json, settings.json), as embeddings.py wrote it, and each person's
        list: an exported file, a username of the lists that the vectors were trained on, or a member of
        MyAnimeList (mal:NAME, with MAL_CLIENT_ID in the environment) or AniList (anilist:NAME)
Writes  OUTPUT_DIR/recommendations.csv, and prints the same as a table; with --explain it only prints

    python3 recommend.py Sleepy8623
    python3 recommend.py animelist_1234_-_5678.xml.gz --type tv,movie --years 2010-2020 --not-genre Ecchi
    python3 recommend.py mal:somebody anilist:somebody_else
    python3 recommend.py --like "Death Note" --like "studio:Kyoto Animation"
"""

import sys

from aniembed import files

if __name__ == '__main__':
    files.start_script()

import argparse
import contextlib
import functools
import json
import os
import re

import numpy as np
import pandas as pd

from aniembed.files import RunError, UsageError
from aniembed.output import read_titles, read_vectors
from aniembed.taste import filters, person, terminal
from aniembed.taste.opinions import planned_titles, seen_titles, weigh
from aniembed.taste.query import Query, check_scores, predict_scores, recommend, together  # noqa: F401 - for your own scripts
from aniembed.taste.search import GROUPS, Search

OUTPUT_DIR = 'output'  # folder of the vectors, where --output-dir is not given
NUMBER = 20  # recommendations, where --number is not given
REASONS = 3  # titles of a person's list that are named beside each recommendation
FEW = 3  # scores below which a sentence says that this is little


# ---- the tables ------------------------------------------------------------------------------------


def recommendation_table(vectors, anime, people, number=NUMBER, niche=0.0, sequels=False, **options):
    """Return the best titles for one person or several as a DataFrame, best first.

    vectors: the DataFrame of embeddings.pkl; anime: its title_table; people: a list of pairs (scores,
    statuses), which are, like number and niche, as for recommend(). sequels: False leaves out what continues
    something unseen, and all but the best title of a franchise, where `anime` has relations. options: the
    keywords of filters.json. Titles on anybody's list are left out, unless they are only planned.

    Columns: rank, mal_id, title, english, predicted (list of each person's likely score; None where neither
    lists nor genres, studios or prequels say what a title is), affinity (of several people: together()),
    type, year, tags (list of 'planned', 'sequel' and 'new': nobody has scored it), because (for each person a
    list of up to three MAL ids, the strongest reason first). attrs['removed']: how many titles each filter
    removes, in their order. ValueError as of recommend(); UsageError if a name is wrong.
    """
    people = [(check_scores(scores), statuses or {}) for scores, statuses in people]
    queries = [Query(vectors, scores, statuses, niche) for scores, statuses in people]
    affinity = together([query.affinity() for query in queries])
    plans = set.union(*(planned_titles(*one) for one in people))
    listed = set.union(*(scores.keys() - planned_titles(scores, statuses) for scores, statuses in people))
    seen = set.intersection(*(set(seen_titles(*one)) for one in people))
    order, table = best_titles(
        vectors, anime, affinity, listed, plans - listed, seen, number, sequels, options
    )
    table.insert(4, 'affinity', affinity[order])
    predicted = np.column_stack([query.predicted[order].round(1) for query in queries]).astype(object)
    facts = anime[['genres', 'studios', 'prequels']].iloc[order].itertuples(index=False)
    unknown = ['new' in tags and not any(row) for tags, row in zip(table['tags'], facts)]
    predicted[np.array(unknown, bool)] = None
    table.insert(4, 'predicted', predicted.tolist())
    table['because'] = [*map(list, zip(*(query.reasons(order, REASONS) for query in queries)))]
    return table


def similar_table(vectors, anime, liked, number=NUMBER, sequels=False, **options):
    """Return the titles that are most similar to some titles as a DataFrame, best first.

    liked: MAL ids; similarity is the mean of the cosines to them. Popularity does not count. The other
    arguments and columns are those of recommendation_table(), with `similarity` instead of predicted,
    affinity and because.
    """
    unit = vectors.to_numpy(float)
    similarity = unit @ unit[vectors.index.get_indexer(list(liked))].mean(0)
    order, table = best_titles(
        vectors, anime, similarity, set(liked), set(), set(liked), number, sequels, options
    )
    table.insert(4, 'similarity', similarity[order])
    return table


def best_titles(vectors, anime, ranking, listed, plans, seen, number, sequels, options):
    """Filter the titles; return the rows of the best by `ranking`, and what is known of them as a DataFrame.

    listed, plans and seen: MAL ids that are left out, that are planned, and that a sequel may follow.
    """
    unscored = set(vectors.attrs.get('unscored', ()))
    facts = {**anime, 'id': anime.index, 'adult': filters.adult_titles(anime)}
    facts |= {'planned': anime.index.isin([*plans]), 'unscored': anime.index.isin([*unscored])}
    passing = filters.conditions(facts, **options)
    if not sequels:
        passing['sequel of something unseen'] = filters.not_before_its_prequel(anime, seen)
    candidates, removed = filters.narrow(~anime.index.isin([*listed]), passing)
    order = np.argsort(-ranking, kind='stable')
    order = order[candidates[order]]
    if not sequels:
        order = filters.best_of_franchise(anime, order)
    order = order[:number]
    best = anime.iloc[order]
    tags = {'planned': best.index.isin([*plans]), 'sequel': best['prequels'].map(bool)}
    tags['new'] = best.index.isin([*unscored])
    table = pd.DataFrame(
        {
            'rank': range(1, len(order) + 1),
            'mal_id': best.index,
            'title': best['title'].array,
            'english': best['english'].array,
            'type': best['media_type'].array,
            'year': best['year'].array,
            'tags': [[tag for tag, has in zip(tags, row) if has] for row in zip(*tags.values())],
        }
    )
    table.attrs['removed'] = removed
    return order, table


def explanation(vectors, anime, scores, mal_id, statuses=None, niche=0.0):
    """Return what each title on a list says of the title `mal_id`, as a DataFrame, what speaks for it first.

    Columns: mal_id, title, score (0: none), status, share: of all that speaks for the title, below 0 for what
    speaks against it (of all that does, where nothing speaks for it). attrs['predicted'] is the score that
    the person is likely to give. The other arguments are those of recommend(). ValueError as of recommend(),
    and for a title that the vectors do not have.
    """
    if mal_id not in vectors.index:
        raise ValueError(f'the vectors have no title with the MAL id {mal_id}')
    scores, statuses = check_scores(scores), statuses or {}
    query = Query(vectors, scores, statuses, niche)
    row = vectors.index.get_loc(mal_id)
    share = pd.Series(query.terms([row])[:, 0], query.known).drop(mal_id, errors='ignore')
    share = share[share != 0].sort_values(ascending=False, kind='stable')
    total = share[share > 0].sum() or share.abs().sum()
    table = pd.DataFrame(
        {
            'mal_id': share.index,
            'title': names_of(anime)[share.index].array,
            'score': [scores[known] for known in share.index],
            'status': [statuses.get(known, '') for known in share.index],
            'share': (share / total).to_numpy(),
        }
    )
    table.attrs['predicted'] = float(query.predicted[row])
    return table


def names_of(anime):
    """Return the English title of each title, or its title where there is none, as a Series."""
    return anime['english'].fillna(anime['title'])


# ---- what is written and printed --------------------------------------------------------------------


def greet(who, asked, ids):
    """Print whose list was read, what it holds, and whether that is little.

    who: the Person; asked: how the command line names the person; ids: the titles of the map.
    """
    if who.name:
        print(f'Hello {files.one_line(who.name, 60)}!')
    if who.report:
        print(who.report)
    known = {mal_id: who.scores[mal_id] for mal_id in who.scores.keys() & set(ids)}
    total = f'of the {len(who.scores):,} ' if who.is_whole_list else ''
    print(f'{len(known):,} {total}titles on the list {"is" if len(known) == 1 else "are"} on this map.')
    scored = sum(score > 0 for score in known.values())
    opinions = [weight for mal_id, (_, weight) in weigh(who.scores, who.statuses).items() if mal_id in known]
    if not opinions:
        raise RunError(f'{asked}: the list says nothing of any title of this map; nothing is recommended.')
    if max(opinions) < 0:
        print('Nothing on the list is liked: what follows is popular and unlike what is disliked.')
    elif scored < FEW:
        print(f'Only {scored} of them {"has" if scored == 1 else "have"} a score; expect rough results.')


def write(path, table, names, people):
    """Write recommendations.csv: the table with its lists as text, and columns for each of several people."""
    text = table.assign(tags=table['tags'].map(', '.join))
    for column in ('predicted', 'because') if people else ():
        texts = [[as_text(value, names) for value in row] for row in text.pop(column)]
        for name, values in zip(people, zip(*texts)):
            text[column if len(people) == 1 else f'{column} {name}'] = values
    files.write_csv(path, text)


def as_text(value, names):
    """Return a predicted score or a list of reasons as the text of a cell."""
    if isinstance(value, list):
        return '; '.join(names[mal_id] for mal_id in value)
    return '' if value is None else f'{value:.1f}'


# ---- the command line --------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """Parse arguments; what is wrong is one sentence instead of the whole usage."""

    def error(self, message):
        """Raise UsageError."""
        raise UsageError(f'{message}; --help shows how to call it.')


def of_type(read):
    """Return `read` with its ValueErrors as those of argparse, which shows their sentences."""

    @functools.wraps(read)
    def checked(text):
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(error) from None

    return checked


def number_from(low, high, kind=float):
    """Return a function that reads a number from low to high; argparse shows its error."""

    def number(text):
        with contextlib.suppress(ValueError):
            if low <= kind(text) <= high:
                return kind(text)
        raise argparse.ArgumentTypeError(f'{text!r} is not a number from {low} to {high}')

    return number


# `read` of filters.json -> how argparse reads the option; what is given twice adds up
READ = {
    'names': {'type': filters.read_names, 'action': 'extend'},
    'years': {'type': of_type(filters.read_years)},
    'seasons': {'type': of_type(filters.read_seasons), 'action': 'extend'},
    'score': {'type': number_from(0, 10)},
    'titles': {'action': 'append'},
    'choice': {'choices': filters.CHOICES, 'default': 'also'},
    'flag': {'action': 'store_true'},
}


def read_arguments(arguments):
    """Return the parsed arguments; UsageError in one sentence where they are wrong."""
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add(
        'who',
        nargs='*',
        type=str.strip,
        help='file, username, mal:NAME, anilist:NAME or address of a profile',
    )
    add('--user', type=str.strip, action='append', default=[], help=argparse.SUPPRESS)  # once mal:NAME
    add(
        '--like',
        metavar='TITLE',
        action='append',
        help='what is similar to this title, studio:NAME or genre:NAME',
    )
    add('--explain', metavar='TITLE', help='all that speaks for one title, and against it')
    add('--number', type=number_from(1, 10**6, int), default=NUMBER, help='how many titles (%(default)s)')
    for row in filters.FILTERS:
        shown = {'metavar': row['metavar']} if 'metavar' in row else {}
        add(row['option'], dest=row['keyword'], help=row['help'], **shown, **READ[row['read']])
    add('--sequels', action='store_true', help='also sequels of what is not seen, and whole franchises')
    add(
        '--niche',
        type=number_from(0, 1),
        default=0.0,
        help='0: popular titles first, 1: popularity does not count',
    )
    add('--json', action='store_true', help='print JSON instead of the table')
    add(
        '--output-dir',
        type=os.path.expanduser,
        default=OUTPUT_DIR,
        help='folder of the vectors (%(default)s)',
    )
    add('--lists', type=os.path.expanduser, help='file or pattern of the lists with the users')
    # A blank before what begins with one hyphen tells argparse that it is a name
    options = parser.parse_intermixed_args([re.sub('^-(?!-|h$)', ' -', str(text)) for text in arguments])
    options.who += [
        name if name.lower().startswith(person.ANILIST) else person.MAL + name for name in options.user
    ]
    options.who = [*dict.fromkeys(options.who)]
    if bool(options.who) == bool(options.like):
        parser.error('name a person (a file or a username), several, or with --like a title')
    if options.explain and not options.who:
        parser.error('--explain needs a person')
    return options


def find_ids(search, text, kinds=('title',)):
    """Return the MAL ids of what a text names, or of several names with commas between them.

    search: a Search. Prints which of two titles is taken, where a text fits both. UsageError if none fits.
    """
    try:
        match, other = search.find(text, kinds)
    except UsageError:
        parts = filters.read_names(text)
        if len(parts) < 2:
            raise
        return [mal_id for part in parts for mal_id in find_ids(search, part, kinds)]
    if other:
        print(f'{text!r} is taken for {match.name}; {other.name} fits as well.')
    return match.ids


def main(arguments):
    """Print recommendations, or what is similar to some titles, or explain one title."""
    options = read_arguments(arguments)
    sys.stdout.reconfigure(errors='replace')  # a terminal that is not UTF-8 shows question marks
    vectors = read_vectors(options.output_dir)
    ids = vectors.index.tolist()
    anime = read_titles(options.output_dir, ids)
    search = functools.cache(lambda: Search(anime))
    # The JSON is all that is on standard output
    with contextlib.redirect_stdout(sys.stderr if options.json else sys.stdout):
        chosen = {row['keyword']: getattr(options, row['keyword']) for row in filters.FILTERS}
        chosen['exclude'] = [
            mal_id
            for text in options.exclude or ()
            for mal_id in filters.read_ids(text) or find_ids(search(), text)
        ]
        liked = [i for text in options.like or () for i in find_ids(search(), text, ('title', *GROUPS))]
        people = []
        for asked in options.who:
            people.append(person.read_person(asked, options.lists, options.output_dir, ids))
            greet(people[-1], asked, ids)
        if not (options.sequels or filters.has_relations(anime)):
            print(
                'titles.json has no relations (RELATED of anime_download.ipynb), so sequels are not left out.'
            )
    whose = [who.name or os.path.basename(asked) for who, asked in zip(people, options.who)]
    if len({*whose}) < len(whose):
        whose = options.who
    whose = [files.one_line(name, 40) for name in whose]
    lists = [(who.scores, who.statuses) for who in people]
    if options.explain:
        explain(options, vectors, anime, whose, lists, find_ids(search(), options.explain)[0])
        return
    chosen |= {'number': options.number, 'sequels': options.sequels}
    if people:
        table = recommendation_table(vectors, anime, lists, niche=options.niche, **chosen)
    else:
        table = similar_table(vectors, anime, liked, **chosen)
    if not len(table):
        removed = '; '.join(f'by {label}: {number:,}' for label, number in table.attrs['removed'].items())
        advice = f'removed {removed}' if removed else 'every title of this map is on a list'
        raise RunError(f'nothing is left to recommend; {advice}.')
    path = os.path.join(options.output_dir, 'recommendations.csv')
    write(path, table, names_of(anime), whose)
    if options.json:
        print(json.dumps({'people': whose, 'titles': table.to_dict('records')}, ensure_ascii=False))
    else:
        terminal.show(table, anime, names_of(anime), whose)
        print(f'\nThe same table is in {path}.')


def explain(options, vectors, anime, whose, lists, mal_id):
    """Print for each person all that speaks for a title and against it."""
    answers = []
    for name, (scores, statuses) in zip(whose, lists):
        table = explanation(vectors, anime, scores, mal_id, statuses, options.niche)
        answers.append({'person': name, **table.attrs, 'titles': table.to_dict('records')})
        if not options.json:
            terminal.show_explanation(table, names_of(anime)[mal_id], name if len(whose) > 1 else '')
    if options.json:
        print(json.dumps(answers, ensure_ascii=False))


if __name__ == '__main__':
    files.end_imports()
    main(sys.argv[1:])
