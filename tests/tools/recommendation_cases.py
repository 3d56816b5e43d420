"""tests/cases/recommendations.json: made-up titles, lists and options, and what recommend.py makes of them.

Python and the page both test the table. After a change of a formula or of an option write it again:

    PYTHONPATH=.:tests python3 tests/tools/recommendation_cases.py
"""

import base64
import json
import os

import numpy as np
import pandas as pd

import recommend
from aniembed.taste import query

TABLE = os.path.join(os.path.dirname(__file__), '..', 'cases', 'recommendations.json')
TITLES, N_EMBEDDING, CASES = 150, 6, 40
STATUSES = ['completed', 'watching', 'on_hold', 'dropped', 'plan_to_watch']
DIGITS = 7  # significant digits of affinities and shares
COLUMNS = ['mal_id', 'affinity', 'predicted', 'tags', 'because']


def make_graph(random):
    """Return made-up titles as graph.json has them, with random facts, some of them unknown."""
    ids = sorted(random.choice(50_000, TITLES, replace=False).tolist())
    centres = random.normal(size=(8, N_EMBEDDING))
    vectors = centres[random.integers(8, size=TITLES)] + 0.5 * random.normal(size=(TITLES, N_EMBEDDING))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]

    def maybe(value):
        return value if random.random() < 0.9 else None

    genres = np.array(['Action', 'Comedy', 'Drama', 'Hentai', 'Slice of Life'])
    anime = []
    for row, mal_id in enumerate(ids):
        before = random.choice(ids[:row], 1).tolist() if row and random.random() < 0.2 else []
        franchise = next((title['franchise'] for title in anime if title['id'] in before), mal_id)
        title = {'id': mal_id, 'title': f'Title {mal_id}', 'english': None, 'popularity': row + 1}
        title |= {
            'mean': maybe(float(random.integers(55, 92)) / 10),
            'year': maybe(int(random.integers(1990, 2027))),
            'season': None,
            'rating': maybe(str(random.choice(['pg_13', 'r', 'rx']))),
            'media_type': maybe(str(random.choice(['tv', 'movie', 'ova']))),
            'genres': genres[random.random(len(genres)) < 0.4].tolist(),
            'studios': [f'Studio {random.integers(9)}'],
            'prequels': before,
            'franchise': franchise,
            'unscored': bool(random.random() < 0.1),
        }
        if title['year']:
            title['season'] = f'{title["year"]}-{random.choice(["spring", "fall"])}'
        anime.append(title)
    model = {
        'mean': random.normal(7.5, 0.7, TITLES).clip(4, 9.5).round(3).tolist(),
        'popularity': random.lognormal(0, 0.8, TITLES).round(4).tolist(),
        'constants': query.CONSTANTS,
    }
    packed = base64.b64encode(vectors.astype('<f4').tobytes()).decode()
    return {'n_embedding': N_EMBEDDING, 'model': model, 'anime': anime, 'vectors': packed}


def make_person(ids, random, size):
    """Return a made-up list with `size` of the titles: [MAL id, score] and [MAL id, status]."""
    chosen = [*random.choice(ids, size, replace=False).tolist(), 999_999_999]
    scores = {mal_id: float(random.choice([0, 0, 2, 4.5, 6, 7, 8, 9, 10])) for mal_id in chosen}
    scores[chosen[0]] = 9
    statuses = {mal_id: str(random.choice(STATUSES)) for mal_id in chosen[1:] if random.random() < 0.8}
    return {'scores': [*scores.items()], 'statuses': [*statuses.items()]}


def make_question(ids, random, size):
    """Return one to three people, the first with `size` titles, options, and a title to explain."""
    choices = {
        'types': ['TV', 'movies'],
        'years': [(2000, 2015), (2005, None), (None, 2010)][size % 3],
        'seasons': [f'{year}-fall' for year in range(1990, 2020)],
        'genres': ['drama'],
        'not_genres': ['Comedy', 'slice-of-life', 'Kids'],
        'min_score': 7.5,
        'no_adult': True,
        'exclude': [mal_id for mal_id in ids if random.random() < 0.1],
        'unscored': str(random.choice(['only', 'no'])),
        'planned': str(random.choice(['only', 'no'])),
        'niche': float(random.choice([0.5, 1])),
        'sequels': True,
    }
    options = {name: value for name, value in choices.items() if random.random() < 0.18}
    options['number'] = 40 if size == 1 else 8
    sizes = [size, 8, 20][: random.choice([1, 1, 2, 3])]
    people = [make_person(ids, random, size) for size in sizes]
    return {'people': people, 'options': options, 'explain': int(random.choice(ids))}


def frames_of(graph):
    """Return the vectors and the title_table of a graph."""
    ids = [title['id'] for title in graph['anime']]
    numbers = np.frombuffer(base64.b64decode(graph['vectors']), '<f4').reshape(len(ids), -1)
    vectors = pd.DataFrame(numbers, index=pd.Index(ids, name='mal_id'))
    vectors.attrs = {name: dict(zip(ids, graph['model'][name])) for name in ('mean', 'popularity')}
    vectors.attrs['unscored'] = [title['id'] for title in graph['anime'] if title['unscored']]
    return vectors, pd.DataFrame(graph['anime'], index=vectors.index, dtype=object)


def rounded(numbers):
    """Return numbers with DIGITS significant digits, as a list."""
    return [float(f'{number:.{DIGITS}g}') for number in numbers]


def answer(graph, question):
    """Return what recommend.py says: the table, how many titles each filter removes, and the explanation.

    The explanation is that of the first person.
    """
    vectors, anime = frames_of(graph)
    people = [(dict(person['scores']), dict(person['statuses'])) for person in question['people']]
    (scores, statuses), options = people[0], question['options']
    shares = recommend.explanation(
        vectors, anime, scores, question['explain'], statuses, options.get('niche', 0)
    )
    table = recommend.recommendation_table(vectors, anime, people, **options)
    table['affinity'] = rounded(table['affinity'])
    return {
        'rows': table[COLUMNS].to_dict('records'),
        'removed': [*table.attrs['removed'].items()],
        'explained': [*zip(shares['mal_id'].tolist(), rounded(shares['share']))],
        'explained_score': rounded([shares.attrs['predicted']])[0],
    }


def main():
    """Write the table."""
    random = np.random.default_rng(27)
    graph = make_graph(random)
    ids = [title['id'] for title in graph['anime']]
    questions = [make_question(ids, random, [1, 3, 10, 30, 60][k % 5]) for k in range(CASES)]
    cases = [{**question, 'answer': answer(graph, question)} for question in questions]
    with open(TABLE, 'w', encoding='utf-8') as file:
        anime = ',\n'.join(json.dumps(title) for title in graph.pop('anime'))
        lines = ',\n'.join(json.dumps(case) for case in cases)
        head = json.dumps(graph)[:-1]
        file.write(f'{{"graph": {head}, "anime": [\n{anime}\n]}},\n"cases": [\n{lines}\n]}}\n')


if __name__ == '__main__':
    main()
