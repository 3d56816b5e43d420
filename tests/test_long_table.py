"""Ratings files in the forms of the public data sets, packed or not, and rows that are no ratings."""

import csv
import gzip
import io
import json
import lzma
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tools.spoil import zipped

from aniembed.files import RunError
from aniembed.inputs import ratings, titles

CASES = Path(__file__).parent / 'cases' / 'ratings'
SETS = {  # ratings file: its columns for user, title and score; titles file
    '2016_rating.csv': ('user_id', 'anime_id', 'rating', '2016_anime.csv'),
    '2018_lists.csv': ('username', 'anime_id', 'my_score', '2018_anime.csv'),
    '2020_animelist.csv': ('user_id', 'anime_id', 'rating', '2020_anime.csv'),
    '2023_users_score.csv': ('Username', 'anime_id', 'rating', '2023_anime.csv'),
}


def expected_lists(path, user, title, score):
    """Return a ratings file as {user: {MAL id: score}} in order of appearance, read with Python's csv."""
    lists = {}
    with open(path, newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            lists.setdefault(row[user], {})[int(row[title])] = max(0, float(row[score]))
    return lists


def read(paths, ids):
    """Return all lists of some files as a dense array users x titles."""
    return np.concatenate(
        [block.toarray() for block in ratings.read_lists(list(map(str, paths))).blocks(ids)]
    )


@pytest.mark.parametrize('name', SETS)
def test_public_ratings_files(name):
    *columns, titles_name = SETS[name]
    path, lists = str(CASES / name), expected_lists(CASES / name, *columns)
    ids = list(titles.read_nodes(str(CASES / titles_name)))[::-1]
    wanted = np.array([[scores.get(mal_id, 0) for mal_id in ids] for scores in lists.values()])
    np.testing.assert_array_equal(read([path], ids), wanted)
    np.testing.assert_array_equal(read([path], ids[3:7]), wanted[:, 3:7])
    for user, scores in lists.items():
        assert ratings.read_user([path], ids, user.upper()) == scores
    assert ratings.read_user([path], ids, 'nobody') is None
    if columns[0].lower() == 'username':  # names stay text
        assert {'NA', 'null', '007', '1e5', 'nan'} <= set(lists)


def test_the_titles_with_the_most_scores():
    path, known = str(CASES / '2020_animelist.csv'), titles.read_nodes(str(CASES / '2020_anime.csv'))
    lists = expected_lists(path, *SETS['2020_animelist.csv'][:3])
    counts = {mal_id: sum(scores.get(mal_id, 0) > 0 for scores in lists.values()) for mal_id in known}
    best = ratings.read_lists([path]).most_scored(known, 8)
    assert [counts[mal_id] for mal_id in best] == sorted(counts.values(), reverse=True)[:8]
    assert best[0] not in ratings.read_lists([path]).most_scored(set(known) - {best[0]}, 8)


def test_a_pair_that_stands_twice_counts_once(tmp_path):
    path = str(tmp_path / 'ratings.csv')
    rows = ['Mio,20,8', 'Mio,20,9', 'Mio,20,10', 'Mio,1535,7', 'Yui,1535,7', 'Mio,5114,9', 'Yui,5114,9']
    rows += ['Yui,5114,0']
    Path(path).write_text('\n'.join(['user,anime_id,score', *rows]) + '\n')
    assert ratings.read_lists([path]).most_scored([20, 1535, 5114], 3) == [1535, 20, 5114]


ROWS = [
    ('Mio', 20, 8),
    ('Yui', 1535, 10),
    ('Mio', 5114, 0),
    ('Yui', 20, -1),
    ('Ritsu', 20, 5),
    ('Mio', 20, 9),
]
IDS = [5114, 20, 1535]
SCORES = [[0, 9, 0], [0, 0, 10], [0, 5, 0]]


def text(separator=',', header='user,anime_id,score', end='\n'):
    lines = [header.replace(',', separator), *(separator.join(map(str, row)) for row in ROWS)]
    return (end.join(lines) + end).encode()


def parquet(rows=ROWS):
    """Return rows as the bytes of a Parquet file."""
    file = io.BytesIO()
    pl.DataFrame(rows, ['user', 'anime_id', 'score'], orient='row').write_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    'name, content',
    [
        *(('a.csv', text()), ('a.tsv', text('\t')), ('ratings', text())),
        ('a.csv', text(header='USER_NAME, Mal_ID , My_Score')),
        ('a.csv', b'\xef\xbb\xbf' + text(end='\r\n')),
        ('a.csv', text().replace(b'Mio', b'"Mio"').rstrip(b'\n')),
        *(('a.csv.gz', gzip.compress(text())), ('a.csv.gz', text()), ('a.tsv.xz', lzma.compress(text('\t')))),
        *(('archive.zip', zipped(text())), ('a.parquet', parquet()), ('a.parquet', gzip.compress(parquet()))),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_forms_of_a_long_table(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    np.testing.assert_array_equal(read([tmp_path / name], IDS), SCORES)
    assert ratings.read_user([str(tmp_path / name)], IDS, 'mio') == {20: 9, 5114: 0}


def test_several_files_of_which_some_share_users(tmp_path):
    lines = text().splitlines()
    for k, (start, stop) in enumerate([(1, 3), (3, 5), (5, 7)]):
        (tmp_path / f'part-{k}.csv').write_bytes(b'\n'.join([lines[0], *lines[start:stop]]) + b'\n')
    paths = ratings.find_files(str(tmp_path / 'part-*.csv'))
    assert len(paths) == 3
    np.testing.assert_array_equal(read(paths, IDS), SCORES)


def test_users_of_files_of_numbers_and_of_names(tmp_path):
    for name, users in (('part-1', '3 7 3'), ('part-2', 'Mio 7 Yui')):
        rows = [f'{user},{mal_id},{mal_id}' for user, mal_id in zip(users.split(), (5, 6, 7))]
        (tmp_path / f'{name}.csv').write_text('\n'.join(['user_id,anime_id,score', *rows]) + '\n')
    expected = [[5, 0, 7], [0, 6, 0], [5, 0, 0], [0, 0, 7]]
    np.testing.assert_array_equal(read(sorted(tmp_path.glob('*.csv')), [5, 6, 7]), expected)


@pytest.mark.parametrize('mal_id', [2**20 + 1, 2**31 - 1])
def test_large_ids(tmp_path, mal_id):
    (tmp_path / 'a.csv').write_bytes(text().replace(b'5114,0', b'%d,6' % mal_id))
    ids = [5114, mal_id, 20, 7]
    np.testing.assert_array_equal(read([tmp_path / 'a.csv'], ids), [[0, 6, 9, 0], [0] * 4, [0, 0, 5, 0]])


def test_numbers_in_a_column_of_names_are_names(tmp_path):
    (tmp_path / 'a.csv').write_text('user,anime_id,score\n7,20,8\n007,20,9\n7,1535,6\n')
    np.testing.assert_array_equal(read([tmp_path / 'a.csv'], [20, 1535]), [[8, 6], [9, 0]])


BAD_ROWS = [b'Mio,20,11', b'Mio,1.5,7', b'Mio,20,-2', b'Mio,20,?!', b'Mio,x,7', b'Mio,0,7', b',20,7', b'Mio']


@pytest.mark.parametrize('row', BAD_ROWS)
def test_rows_that_are_not_ratings_are_counted_or_end_the_run(tmp_path, capsys, row):
    path = tmp_path / 'ratings.csv'
    path.write_bytes(text() + row + b'\n')
    with pytest.raises(RunError, match='1 of 7 rows .* line 8: ') as error:
        read([path], IDS)
    assert str(path) in str(error.value)
    path.write_bytes(text() + row + b'\n' + b''.join(b'u%d,1535,7\n' % k for k in range(1000)))
    np.testing.assert_array_equal(read([path], IDS)[:3], SCORES)
    assert 'line 8: ' in capsys.readouterr().out


@pytest.mark.parametrize(
    'name, content, words',
    [
        ('a.csv', b'', 'a.csv'),
        (
            'a.csv',
            text(header='user,anime_id,points'),
            'for the score .*my_score.* are user, anime_id, points',
        ),
        ('a.csv.gz', gzip.compress(text())[:40], 'a.csv.gz'),
        ('a.parquet', b'no parquet', 'a.parquet'),
        ('a.parquet', parquet([*ROWS, ('Mio', 20, 11)]), 'the first is row 7: '),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_files_that_are_no_ratings_end_in_a_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RunError, match=words):
        read([tmp_path / name], IDS)


TABLES = CASES.parent / 'tables'
TABLE_CASES = json.loads((CASES.parent / 'tables.json').read_text())


@pytest.mark.parametrize('name', [name for name, case in TABLE_CASES.items() if case['kind'] == 'ratings'])
def test_ratings_files_as_people_have_them(name):
    path, case = str(TABLES / name), TABLE_CASES[name]
    ids = list(titles.read_nodes(str(TABLES / 'titles.csv')))
    assert len(read([path], ids)) == case['lists']
    scores = ratings.read_user([path], ids, '1')
    assert {mal_id: scores[int(mal_id)] for mal_id in case['first']} == case['first']
