#!/usr/bin/env python3
"""Recommend anime to one person, and say because of which titles on the person's list.

Reads   embeddings.pkl, titles.json and settings.json in --output-dir, as embeddings.py wrote them, and the
        person's list: an exported list, or a username of the lists that the vectors were learnt from
Writes  recommendations.csv in --output-dir, and prints the same as a table

    python3 recommend.py Sleepy8623
    python3 recommend.py animelist_1234_-_5678.xml.gz --number 50
"""

import sys

from aniembed import files

if __name__ == '__main__':
    sys.excepthook = files.end_with_sentence

import argparse
import os

import pandas as pd

from aniembed import ratings, titles
from aniembed.exported_list import read_exported_list
from aniembed.files import RunError, UsageError
from aniembed.query import Query, recommend
from aniembed.safe_pickle import read_dataframe

OUTPUT_DIR = 'output'  # folder of the vectors, where --output-dir is not given
NUMBER = 20  # recommendations, where --number is not given
REASONS = 3  # titles of the person's that are named beside each recommendation


# ---- the person ----------------------------------------------------------------------------------


def read_vectors(output_dir):
    """Return the DataFrame of embeddings.pkl in a folder; RunError if it is not what embeddings.py writes."""
    path = os.path.join(output_dir, 'embeddings.pkl')
    frame = read_dataframe(path)
    if not {'mean', 'popularity', 'whitening'} <= set(frame.attrs):
        raise RunError(f'{path} is not what embeddings.py writes; run it once more.')
    return frame


def person_scores(who, lists, output_dir, ids):
    """Return a person's scores, dict MAL id -> 0 to 10. who: an exported list's file, or a username."""
    if os.path.isfile(who):
        exported = read_exported_list(who)
        print(exported.report(on_map=len(exported.scores.keys() & set(ids))))
        return exported.liked_scores()
    if '/' in who or '.' in who:
        raise RunError(f'{who}: there is no such file.')
    pattern = lists or files.read_json(os.path.join(output_dir, 'settings.json')).get('ANIME_DATA_LIST', '')
    scores = ratings.read_user(ratings.find_files(pattern, 'the lists'), ids, who)
    if scores is None:
        raise RunError(f'there is no user {who!r} in {pattern}; --lists names another file.')
    print(f'{len(scores)} titles on the list are on this map.')
    return scores


# ---- the table -----------------------------------------------------------------------------------


def recommendation_table(vectors, anime, scores, number):
    """Return the best titles as a DataFrame: rank, mal_id, title, affinity, because."""
    best = recommend(vectors, scores, number)
    query = Query(vectors, scores)
    reasons = query.reasons(vectors.index.get_indexer(best.index), REASONS)
    return pd.DataFrame(
        {
            'rank': range(1, len(best) + 1),
            'mal_id': best.index,
            'title': anime['title'][best.index].to_numpy(),
            'affinity': best.to_numpy(),
            'because': ['; '.join(anime['title'][mal_id] for mal_id in known) for known in reasons],
        }
    )


class Parser(argparse.ArgumentParser):
    """Parse arguments; what is wrong is one sentence instead of the whole usage."""

    def error(self, message):
        """Raise UsageError."""
        raise UsageError(f'{message}; --help shows how to call it.')


def read_arguments(arguments):
    """Return the parsed arguments; UsageError in one sentence where they are wrong."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('who', help='a list exported from MyAnimeList, or a username of the lists')
    parser.add_argument('--output-dir', default=OUTPUT_DIR, help='folder of the vectors (%(default)s)')
    parser.add_argument('--number', type=int, default=NUMBER, help='how many titles (%(default)s)')
    parser.add_argument(
        '--lists', help='file or pattern of the lists with the user (default: that of settings.json)'
    )
    options = parser.parse_args(arguments)
    if options.number < 1:
        parser.error(f'--number is {options.number}, and must be 1 or more')
    return options


def main(arguments):
    """Print one person's recommendations and write recommendations.csv."""
    options = read_arguments(arguments)
    vectors = read_vectors(options.output_dir)
    anime = titles.read_titles(os.path.join(options.output_dir, 'titles.json'), vectors.index.tolist())
    scores = person_scores(options.who, options.lists, options.output_dir, vectors.index.tolist())
    if set(vectors.index) <= set(scores):
        raise RunError('the list holds every title of this map, so nothing is left to recommend.')
    try:
        table = recommendation_table(vectors, anime, scores, options.number)
    except ValueError as error:
        raise RunError(f'{options.who}: {error}.') from None
    for row in table.itertuples():
        print(f'{row.rank:3}  {row.title}' + (f'\n     because of {row.because}' if row.because else ''))
    path = os.path.join(options.output_dir, 'recommendations.csv')
    files.write_csv(path, table)
    print(f'\nThe same table is in {path}.')


if __name__ == '__main__':
    main(sys.argv[1:])
