"""Ratings and titles files in the forms of the public data sets; tables that are not as they should be."""

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from aniembed import long_table, ratings, titles
from aniembed.files import RunError

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
    return np.concatenate([block.toarray() for block in ratings.read_blocks(list(map(str, paths)), ids)])


# ---- the public data sets ----------------------------------------------------------------------------------


@pytest.mark.parametrize('name', SETS)
def test_public_ratings_files(name):
    *columns, titles_name = SETS[name]
    lists = expected_lists(CASES / name, *columns)
    ids = list(titles.read_nodes(str(CASES / titles_name)))[::-1]
    wanted = [[scores.get(mal_id, 0) for mal_id in ids] for scores in lists.values()]
    np.testing.assert_array_equal(read([CASES / name], ids), wanted)
    np.testing.assert_array_equal(read([CASES / name], ids[3:7]), np.array(wanted)[:, 3:7])
    for user, scores in lists.items():
        assert ratings.read_user([str(CASES / name)], ids, user.upper()) == scores
    assert ratings.read_user([str(CASES / name)], ids, 'nobody') is None


def test_usernames_stay_text():
    for name in ('2018_lists.csv', '2023_users_score.csv'):
        for user in ('NA', 'null', '007', '1e5', 'nan'):
            assert ratings.read_user([str(CASES / name)], [16498, 20], user) is not None


@pytest.mark.parametrize('titles_name', [names[-1] for names in SETS.values()])
def test_public_titles_files(titles_name):
    table = titles.title_table(titles.read_nodes(str(CASES / titles_name)), titles_name)
    assert len(table) == 12 and table['title'][16498] == 'Shingeki no Kyojin'
    assert table['genres'][5114][:2] == ['Action', 'Adventure'] and table['media_type'][20] == 'tv'
    assert table['mean'][1535] == 8.62 and table['popularity'].notna().all()
    assert table['english'][16498] is None
    assert table['mean'].isna().sum() == (0 if '2018' in titles_name else 1)  # empty, Unknown, UNKNOWN


def test_the_titles_with_the_most_scores():
    paths, known = [str(CASES / '2020_animelist.csv')], titles.read_nodes(str(CASES / '2020_anime.csv'))
    lists = expected_lists(paths[0], *SETS['2020_animelist.csv'][:3])
    counts = {mal_id: sum(scores.get(mal_id, 0) > 0 for scores in lists.values()) for mal_id in known}
    best = ratings.most_scored(paths, known, 8)
    assert [counts[mal_id] for mal_id in best] == sorted(counts.values(), reverse=True)[:8]
    assert 22319 not in ratings.most_scored(paths, set(known) - {22319}, 8)


def test_a_pair_that_stands_twice_counts_once(tmp_path):
    path = str(tmp_path / 'ratings.csv')
    rows = [
        'Mio,20,8',
        'Mio,20,9',
        'Mio,20,10',
        'Mio,1535,7',
        'Yui,1535,7',
        'Mio,5114,9',
        'Yui,5114,9',
        'Yui,5114,0',
    ]
    Path(path).write_text('\n'.join(['user,anime_id,score', *rows]) + '\n')
    assert ratings.most_scored([path], [20, 1535, 5114], 3) == [1535, 20, 5114]


def test_one_run_reads_a_file_once_unless_it_changes(tmp_path, monkeypatch):
    path, reads, read_rows = tmp_path / 'ratings.csv', [], long_table._read_rows
    monkeypatch.setattr(long_table, '_read_rows', lambda *given: reads.append(given) or read_rows(*given))
    path.write_text(text())
    assert ratings.most_scored([str(path)], IDS, 2) == [20, 1535]
    np.testing.assert_array_equal(read([path], IDS), SCORES)
    np.testing.assert_array_equal(read([path], [20]), np.array(SCORES)[:, 1:2])
    assert len(reads) == 1
    path.write_text(text().replace('Mio,20,9', 'Mio,20,10'))
    assert read([path], [20])[0] == 10 and len(reads) == 2


# ---- other forms of the same table -------------------------------------------------------------------------

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
    return end.join(lines) + end


def parquet(rows):
    """Return rows as a polars table."""
    return pl.DataFrame(rows, ['user', 'anime_id', 'score'], orient='row')


def written(table):
    """Return the bytes of a Parquet file."""
    file = io.BytesIO()
    table.write_parquet(file)
    return file.getvalue()


def zipped(path, content):
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('ratings.csv', content)


@pytest.mark.parametrize(
    'name, write',
    [
        ('a.csv', lambda path: path.write_text(text())),
        ('a.CSV', lambda path: path.write_text(text())),
        ('a.tsv', lambda path: path.write_text(text('\t'))),
        ('a.csv', lambda path: path.write_text(text(header='USER_NAME, Mal_ID , My_Score'))),
        ('a.csv', lambda path: path.write_text(text(end='\r\n'), encoding='utf-8-sig', newline='')),
        ('a.csv', lambda path: path.write_text(text().replace('Mio', '"Mio"').rstrip('\n'))),
        ('a.csv.gz', lambda path: path.write_bytes(gzip.compress(text().encode()))),
        ('a.csv', lambda path: path.write_bytes(gzip.compress(text().encode()))),
        ('a.csv.gz', lambda path: path.write_text(text())),
        ('a.tsv.xz', lambda path: path.write_bytes(lzma.compress(text('\t').encode()))),
        ('a.csv.bz2', lambda path: path.write_bytes(bz2.compress(text().encode()))),
        ('a.csv.zip', lambda path: zipped(path, text())),
        ('archive.zip', lambda path: zipped(path, text())),
        ('ratings', lambda path: path.write_text(text())),
        ('a.parquet', lambda path: parquet(ROWS).write_parquet(path)),
        ('a.PARQUET', lambda path: parquet(ROWS).write_parquet(path)),
        ('a.parquet.gz', lambda path: parquet(ROWS).write_parquet(path)),
        ('a.parquet', lambda path: path.write_bytes(gzip.compress(written(parquet(ROWS))))),
    ],
)
def test_forms_of_a_long_table(tmp_path, name, write):
    write(tmp_path / name)
    np.testing.assert_array_equal(read([tmp_path / name], IDS), SCORES)
    assert ratings.read_user([str(tmp_path / name)], IDS, 'mio') == {20: 9, 5114: 0}


def test_several_files_of_which_some_share_users(tmp_path):
    lines = text().splitlines()
    for k, (start, stop) in enumerate([(1, 3), (3, 5), (5, 7)]):
        (tmp_path / f'part-{k}.csv').write_text('\n'.join([lines[0], *lines[start:stop]]) + '\n')
    paths = ratings.find_files(str(tmp_path / 'part-*.csv'))
    assert len(paths) == 3
    np.testing.assert_array_equal(read(paths, IDS), SCORES)


def test_users_of_files_of_numbers_and_of_names(tmp_path):
    for name, users in (('part-1', '3 7 3'), ('part-2', 'Mio 7 Yui')):
        rows = [f'{user},{mal_id},{mal_id}' for user, mal_id in zip(users.split(), (5, 6, 7))]
        (tmp_path / f'{name}.csv').write_text('\n'.join(['user_id,anime_id,score', *rows]) + '\n')
    expected = [[5, 0, 7], [0, 6, 0], [5, 0, 0], [0, 0, 7]]
    np.testing.assert_array_equal(read(sorted(tmp_path.glob('*.csv')), [5, 6, 7]), expected)


def test_numbers_in_a_column_of_names_are_names(tmp_path):
    (tmp_path / 'a.csv').write_text('user,anime_id,score\n7,20,8\n007,20,9\n7,1535,6\n')
    np.testing.assert_array_equal(read([tmp_path / 'a.csv'], [20, 1535]), [[8, 6], [9, 0]])


@pytest.mark.parametrize('mal_id', [2**20 + 1, 2**31 - 1])
def test_large_ids(tmp_path, mal_id):
    (tmp_path / 'a.csv').write_text(text().replace('5114,0', f'{mal_id},6'))
    ids = [5114, mal_id, 20, 7]
    np.testing.assert_array_equal(read([tmp_path / 'a.csv'], ids), [[0, 6, 9, 0], [0] * 4, [0, 0, 5, 0]])


def test_two_workers_share_the_lists(tmp_path, monkeypatch):
    monkeypatch.setattr(ratings, 'USERS_PER_BLOCK', 2)
    path = str(CASES / '2020_animelist.csv')
    whole = read([path], IDS)
    shares = [list(ratings.read_blocks([path], IDS, rank, 2)) for rank in range(2)]
    blocks = [block.toarray() for pair in zip(*shares) for block in pair]
    np.testing.assert_array_equal(np.concatenate(blocks), whole[: sum(map(len, blocks))])
    assert sum(len(block.toarray()) for share in shares for block in share) == len(whole)


# ---- rows and columns that are not as they should be -------------------------------------------------------


@pytest.mark.parametrize(
    'row',
    [
        *('Mio,20,11', 'Mio,20,-2', 'Mio,20,0.5', 'Mio,20,good', 'Mio,20,', 'Mio,,7', 'Mio,x,7', 'Mio,0,7'),
        *('Mio,1.5,7', 'Mio,99999999999,7', ',20,7', 'Mio'),
    ],
)
def test_rows_that_are_not_ratings_are_counted_or_end_the_run(tmp_path, capsys, row):
    path = tmp_path / 'ratings.csv'
    path.write_text(text() + row + '\n')
    with pytest.raises(RunError, match='1 of 7 rows .* line 8: ') as error:
        read([path], IDS)
    assert str(path) in str(error.value)
    path.write_text(text() + row + '\n' + ''.join(f'u{k},1535,7\n' for k in range(1000)))
    np.testing.assert_array_equal(read([path], IDS)[:3], SCORES)
    assert 'line 8: ' in capsys.readouterr().out


def test_a_wrong_row_of_a_parquet_file_is_named_by_its_number(tmp_path):
    parquet([*ROWS, ('Mio', 20, 11)]).write_parquet(tmp_path / 'a.parquet')
    with pytest.raises(RunError, match='the first is row 7: '):
        read([tmp_path / 'a.parquet'], IDS)


def test_the_wait_for_a_large_file_is_announced(tmp_path, monkeypatch, capsys):
    (tmp_path / 'a.csv').write_text(text())
    monkeypatch.setattr(long_table, 'LONG_WAIT', 0)
    read([tmp_path / 'a.csv'], IDS)
    assert 'reading' not in capsys.readouterr().out  # a small file is not read twice
    monkeypatch.setattr(long_table, 'LARGE_FILE', 0)
    (tmp_path / 'b.csv').write_text(text())
    read([tmp_path / 'b.csv'], IDS)
    assert f'reading {tmp_path / "b.csv"}: about' in capsys.readouterr().out


def test_a_pickle_and_a_ratings_file_are_two_kinds_whatever_their_names(tmp_path):
    wide().to_pickle(tmp_path / 'part-1', compression='gzip')
    (tmp_path / 'part-2').write_text(text())
    (tmp_path / 'part-3.csv').write_text(text())
    with pytest.raises(RunError, match='two kinds: .*part-1 is a pickle and .*part-[23].* is none'):
        ratings.find_files(str(tmp_path / 'part-*'))
    np.testing.assert_array_equal(read([tmp_path / 'part-1'], [1535, 20]), [[0, 8], [10, 0]])


def test_a_column_that_is_missing_is_named_with_what_would_do(tmp_path):
    path = tmp_path / 'ratings.csv'
    path.write_text(text(header='user,anime_id,stars'))
    with pytest.raises(
        RunError, match='no column for the score .*my_score.*its columns are user, anime_id, stars'
    ):
        read([path], IDS)


@pytest.mark.parametrize(
    'name, content',
    [
        ('a.csv', b''),
        ('a.parquet', b'no parquet'),
        ('a.csv.gz', gzip.compress(text().encode())[:40]),
        ('a.csv', b'\x00\xff' * 50),
    ],
)
def test_damaged_files_end_in_a_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RunError, match=name):
        read([tmp_path / name], IDS)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RunError, match='no such file'):
        ratings.find_files(str(tmp_path / 'absent-*.csv'))


# ---- tables users x titles ---------------------------------------------------------------------------------


def wide():
    return pd.DataFrame(
        [[8.0, np.nan, 0.0], [np.nan, 10.0, np.nan]], index=['Mio', 'Yui'], columns=[20, 1535, 5114]
    )


def pickled(folder, frame):
    frame.to_pickle(folder / 'lists.pkl')
    return [folder / 'lists.pkl']


@pytest.mark.parametrize(
    'frame',
    [
        wide(),
        wide().set_axis(pd.CategoricalIndex(wide().columns), axis=1),
        wide().set_axis(pd.CategoricalIndex(wide().index)),
        wide().set_axis(pd.MultiIndex.from_product([['score'], wide().columns]), axis=1),
        wide().set_axis(pd.MultiIndex.from_arrays([wide().index, ['x', 'x']])),
        wide().astype('category'),
        wide().reset_index(drop=True),
    ],
    ids=[
        'plain',
        'categorical columns',
        'categorical index',
        'MultiIndex columns',
        'MultiIndex',
        'categorical scores',
        'no names',
    ],
)
def test_tables_that_are_plain_underneath(tmp_path, frame):
    scores = read(pickled(tmp_path, frame), [1535, 20])
    np.testing.assert_array_equal(scores, [[0, 8], [10, 0]])


@pytest.mark.parametrize(
    'frame, words',
    [
        (wide().T, r'frame\.T'),
        (wide().fillna(-1), 'write 0'),
        (wide().drop(columns=20), '1 of the 2 titles .*20.*ANIME_LIST'),
        (pd.concat({'a': wide(), 'b': wide()}, axis=1), r'droplevel'),
        (wide().replace(8, 11), "'Mio' has 11"),
    ],
    ids=['swapped', 'minus one', 'a column absent', 'two levels', 'eleven'],
)
def test_tables_that_are_not_as_they_should_be(tmp_path, frame, words):
    with pytest.raises(RunError, match=words):
        read(pickled(tmp_path, frame), [1535, 20])


def test_a_table_without_an_empty_cell_is_pointed_out(tmp_path, capsys):
    lists = pd.DataFrame(np.tile([8.0, 0.0, 0.0], (40, 10)), columns=range(1, 31))
    read(pickled(tmp_path, lists), [1, 2, 3])
    assert 'no empty cell' in capsys.readouterr().out
    read(pickled(tmp_path, lists.replace(0, np.nan)), [1, 2, 3])
    assert 'no empty cell' not in capsys.readouterr().out


# ---- ANIME_DATA --------------------------------------------------------------------------------------------


def test_titles_as_a_list_of_records(tmp_path):
    records = [
        {'mal_id': 20, 'name': 'Naruto', 'score': 'Unknown', 'genres': 'Action, Drama', 'type': 'TV'},
        {'mal_id': 1535, 'title': 'Death &amp; Note', 'mean': 8.6, 'popularity': 'UNKNOWN'},
    ]
    (tmp_path / 'animes.json').write_text(json.dumps(records))
    table = titles.title_table(titles.read_nodes(str(tmp_path / 'animes.json')), 'animes.json')
    assert list(table['title']) == ['Naruto', 'Death & Note'] and list(table['mean']) == [None, 8.6]
    assert table['genres'][20] == ['Action', 'Drama'] and table['popularity'].isna().all()


@pytest.mark.parametrize('name', ['anime.csv.gz', 'archive.zip', 'anime.CSV', 'titles'])
def test_a_titles_file_is_known_by_what_it_holds(tmp_path, name):
    content = (CASES / '2020_anime.csv').read_bytes()
    wanted = titles.read_nodes(str(CASES / '2020_anime.csv'))
    for form in (content, gzip.compress(content)):
        (tmp_path / name).write_bytes(form)
        assert titles.read_nodes(str(tmp_path / name)) == wanted
        (tmp_path / name).write_text(json.dumps(wanted))
        assert titles.read_nodes(str(tmp_path / name)) == wanted
    zipped(tmp_path / name, content)
    assert titles.read_nodes(str(tmp_path / name)) == wanted
    (tmp_path / name).write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(RunError, match=f'{name}. cannot be read: Compressed file ended'):
        titles.read_nodes(str(tmp_path / name))


@pytest.mark.parametrize(
    'record',
    [
        *({'genres': 5}, {'genres': 5, 'type': 'TV', 'Name': 'x'}, {'synonyms': 7, 'Name': 'x'}),
        *({'type': 5, 'Name': 'x'}, {'title': 5, 'Name': 'x'}, {'image_url': 5, 'Name': 'x'}),
        *({'popularity': math.inf, 'Name': 'x'}, {'score': 'inf', 'Name': 'x'}, {'score': -3, 'Name': 'x'}),
    ],
    ids=str,
)
def test_a_wrong_record_is_named(tmp_path, record):
    path = str(tmp_path / 'animes.json')
    (tmp_path / 'animes.json').write_text(json.dumps([{'title': 'A title', 'mal_id': 20, **record}]))
    with pytest.raises(RunError, match=r'animes\.json, id 20'):
        titles.title_table(titles.read_nodes(path), path)


@pytest.mark.parametrize('content', ['[5]', '[{"node": 5}]', '[{"node": [{}]}]'])
def test_a_list_of_something_else_is_named(tmp_path, content):
    (tmp_path / 'animes.json').write_text(content)
    with pytest.raises(RunError, match=r'animes\.json is not a list of titles'):
        titles.read_nodes(str(tmp_path / 'animes.json'))


def test_records_without_ids_have_fields_and_no_columns(tmp_path):
    (tmp_path / 'animes.json').write_text('[{"name": "Naruto", "score": 8}]')
    with pytest.raises(RunError, match='no field for the id .*its fields are name, score'):
        titles.read_nodes(str(tmp_path / 'animes.json'))


def test_a_titles_file_without_ids(tmp_path):
    (tmp_path / 'animes.csv').write_text('name,score\nNaruto,8\n')
    with pytest.raises(RunError, match='no column for the id .*its columns are name, score'):
        titles.read_nodes(str(tmp_path / 'animes.csv'))
