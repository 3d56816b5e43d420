"""Ratings files in the forms of the public data sets, packed or not, and rows that are no ratings."""

import csv
import gzip
import io
import json
import lzma
import random
import resource
import subprocess
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tools.spoil import spoiled, zipped

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


def zstd(content):
    """Return a text packed with zstd."""
    return subprocess.run(['zstd', '-c'], input=content, capture_output=True, check=True).stdout


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
        *(
            ('a.csv', text(';')),
            ('a.csv', text('|')),
            ('a.tsv', text()),
            ('a.csv', text().replace(b',', b' , ')),
        ),
        *(
            ('a.csv.zst', zstd(text())),
            ('a.tsv.zst', zstd(text('\t'))),
            ('a.csv', text().decode().encode('utf-16')),
        ),
        ('atomic.inter', text('\t', 'user_id:token,item_id:token,rating:float')),
        *(
            ('a.csv', text(header=header))
            for header in ('uid,mal_id,Score', 'User ID,id,stars', 'userId,animeId,rating')
        ),
        *(
            ('a.csv', text().replace(b',0', b',' + word))
            for word in (b'', b'NULL', b'nan', b' None ', b'Not rated')
        ),
        ('a.csv', b'\n\n' + text(end='\r\n\r\n')),
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
        ('a.csv', b'user,anime_id,score\nMio,20,0\n', 'a.csv holds no scores'),
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


RATINGS_CASES = [name for name, case in TABLE_CASES.items() if case['kind'] == 'ratings']


@pytest.mark.parametrize('name', RATINGS_CASES)
def test_ratings_files_as_people_have_them(name, capsys):
    """`first` is the score of user 1 for Shingeki no Kyojin; the other scores are those of good.csv."""
    path, case = str(TABLES / name), TABLE_CASES[name]
    ids = list(titles.read_nodes(str(TABLES / 'titles.csv')))
    scores = read([path], ids)
    assert capsys.readouterr().out == f'{path} read as: {case["said"]}\n'
    good = read([TABLES / 'good.csv'], ids)[: len(scores)]
    if name == 'merged.csv':  # its users come in another order
        scores, good = scores[np.lexsort(scores.T)], good[np.lexsort(good.T)]
    if case['first'] == 7:
        np.testing.assert_array_equal(scores, good)
    else:
        assert (np.abs(scores - good)[scores > 0] <= 1).all()
    assert ratings.read_user([path], ids, '1')[16498] == case['first']
    assert ratings.read_user([path], ids, '1.0') == ratings.read_user([path], ids, '1')


# ---- scales and columns that are decided by their values -----------------------------------------------

SCALES = {  # scores in the file, what they are on 1-10
    'stars': ([1, 2, 3, 4, 5], [2, 4, 6, 8, 10]),
    'half stars': ([0.5, 1.5, 3, 4.5, 5], [1, 3, 6, 9, 10]),
    'of 20': ([1, 7, 14, 15, 20], [1, 3.5, 7, 7.5, 10]),
    'of 100': ([5, 55, 70, 86, 100], [1, 5.5, 7, 8.6, 10]),
    'fractions of 1': ([0.1, 0.5, 0.75, 0.9, 1], [1, 5, 7.5, 9, 10]),
    'with decimals': ([0.5, 5.5, 7, 8.6, 9.9], [1, 5.5, 7, 8.6, 9.9]),
    'nobody is excited': ([1, 4, 5, 6, 7], [1, 4, 5, 6, 7]),
}


@pytest.mark.parametrize('scale', SCALES)
@pytest.mark.parametrize('kind', ['csv', 'parquet', 'pkl'])
def test_scales(tmp_path, scale, kind):
    given, expected = SCALES[scale]
    path = tmp_path / f'ratings.{kind}'
    rows = [(f'user{k}', 5 + k % 3, score) for k, score in enumerate(given * 8)]
    if kind == 'csv':
        lines = [','.join(map(str, row)) for row in rows]
        path.write_text('\n'.join(['user,anime_id,score', *lines]))
    elif kind == 'parquet':
        path.write_bytes(parquet([(user, mal_id, float(score)) for user, mal_id, score in rows]))
    else:
        frame = pd.DataFrame(rows, columns=['user', 'id', 'score']).pivot(
            index='user', columns='id', values='score'
        )
        frame.loc[[user for user, _, _ in rows]].to_pickle(path)
    scores = read([path], [5, 6, 7])
    np.testing.assert_allclose(scores.max(1), expected * 8, rtol=1e-6)


@pytest.mark.parametrize(
    'scores, words',
    [([1], 'likes'), ([1, 2, 3], 'go up to 3'), ([10, 20, 50], 'go up to 50'), ([100, 500], 'go up to 500')],
)
def test_scales_that_cannot_be_told_are_named(tmp_path, scores, words):
    lines = [f'u{k},{5 + k % 3},{score}' for k, score in enumerate(scores * 9)]
    (tmp_path / 'a.csv').write_text('\n'.join(['user,anime_id,score', *lines]))
    with pytest.raises(RunError, match=f'a.csv: .*{words}.*1-10'):
        read([tmp_path / 'a.csv'], IDS)


def test_a_mean_is_no_score_of_a_user(tmp_path, capsys):
    rows = [
        f'{user},{mal_id},{mal_id + 0.5},{user % 9 + 1},PG-13' for user in range(20) for mal_id in (5, 6, 7)
    ]
    for header, chosen in (('rating_x,rating_y,rating', 'rating_y'), ('my_score,score,rating', 'score')):
        (tmp_path / 'a.csv').write_text('\n'.join([f'user,anime_id,{header}', *rows]))
        assert read([tmp_path / 'a.csv'], [5])[3:5, 0].tolist() == [4, 5]
        assert f'read as: user, anime_id, {chosen} (not ' in capsys.readouterr().out
    rows = [row.rsplit(',', 2)[0] for row in rows]
    (tmp_path / 'a.csv').write_text('\n'.join(['user,anime_id,score', *rows]))
    with pytest.raises(RunError, match='a.csv: score has the same value in all rows of a title'):
        read([tmp_path / 'a.csv'], [5])


def test_columns_with_gaps(tmp_path, capsys):
    lines = ['Username,user_id,mal_id,anime_id,score', 'Mio,1,20,7,8', ',2,20,7,9', ',2,,8,10', 'Mio,1,5,9,6']
    (tmp_path / 'a.csv').write_text('\n'.join(lines))
    np.testing.assert_array_equal(read([tmp_path / 'a.csv'], [20, 5]), [[8, 6], [9, 0]])
    assert (
        'user_id (not Username), mal_id (not anime_id), score; rows without mal_id: 1;'
        in capsys.readouterr().out
    )


def test_ids_of_another_site_are_pointed_out(capsys):
    lists = ratings.read_lists([str(TABLES / 'good.csv')])
    lists.most_scored([16498, 25777, *range(30, 60)], 5)
    assert 'only 2 of the 12 titles with scores are among the 32 of ANIME_DATA' in capsys.readouterr().out
    lists = ratings.read_lists([str(TABLES / 'good.csv')])
    next(lists.blocks([16498, *range(2000, 40000)]))
    assert 'only' not in capsys.readouterr().out


# ---- text: archives, encodings, quotes, a folder without room ------------------------------------------


def test_of_an_archive_the_table_with_the_columns_is_read(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / 'data.zip', 'w') as archive:
        archive.writestr('__MACOSX/._ratings.csv', b'\0\5\x16\7')
        archive.writestr('anime.csv', 'anime_id,name,rating\n' + '20,Naruto,7.9\n' * 99)
        archive.writestr('data/small.csv', text())
        archive.writestr('data/ratings.csv', text() + b'Mugi,20,7\n')
    assert len(read([tmp_path / 'data.zip'], IDS)) == 4
    assert 'data.zip (ratings.csv) read as: user, anime_id, score' in capsys.readouterr().out


def test_users_in_the_encoding_of_windows(tmp_path, capsys):
    rows = 'user,anime_id,score\nJosé,20,8\nJosè,20,9\n'
    for encoding in ('cp1252', 'utf-8', 'utf-16'):
        (tmp_path / 'a.csv').write_bytes(rows.encode(encoding))
        assert read([tmp_path / 'a.csv'], [20]).tolist() == [[8], [9]]
        assert ratings.read_user([str(tmp_path / 'a.csv')], [20], 'josé') == {20: 8}
        assert ('cp1252' in capsys.readouterr().out) == (encoding == 'cp1252')
    (tmp_path / 'a.csv').write_bytes(rows.encode('utf-16-le'))
    with pytest.raises(RunError, match='a.csv is no text in UTF-8; save it'):
        read([tmp_path / 'a.csv'], [20])


def test_quotes(tmp_path):
    head, tail = 'user,title,anime_id,score\nMio,x,20,8\n', 'Yui,y,20,9\nRitsu,"z",20,7\n'
    path = tmp_path / 'a.csv'
    path.write_text(head + 'Mugi,"two\nlines, quoted",20,6\n' + tail)
    assert read([path], [20]).tolist() == [[8], [6], [9], [7]]
    path.write_text(head + '"Mugi",12" remix,20,6\n"Nodoka","Oshi no Ko,20,5\n' + tail)
    assert read([path], [20]).tolist() == [[8], [6], [5], [9], [7]]
    assert ratings.read_user([str(path)], [20], 'mugi') == {20: 6}
    path.write_text(head + 'Mugi,"Oshi, no Ko,20,6\n' + tail)
    with pytest.raises(RunError, match='a.csv, line 3 has a quote that does not end'):
        read([path], [20])


def test_a_folder_that_is_too_small_for_unpacking_is_named(tmp_path):
    content = text() + b'Mio,20,8\n' * 99_999
    paths = tmp_path / 'a.csv.gz', tmp_path / 'a.csv.zst'
    for path, packed in zip(paths, (gzip.compress(content), zstd(content))):
        path.write_bytes(packed)

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for path in paths:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9999, limits[1]))
        try:
            with pytest.raises(RunError, match=f'{path}.* unpacked into {tempfile.gettempdir()}.*TMPDIR'):
                read([path], IDS)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


# ---- any table ----------------------------------------------------------------------------------------


def dressed(source):
    """Return a random ratings file, and the lists in it as {user: {MAL id: score on 1-10}}."""
    scale = source.choice(list(SCALES.values())[:-1])
    names = source.choice(
        (['1', '2', '30', '44'], ['José', 'Zoë', 'x-1', '007'], ['mio', 'null', 'NA', '1e5'])
    )
    users = [f'{name}{k or ""}' for name in names for k in range(5)]
    none = source.choice(('', '0', '-1', 'NULL', 'nan', 'Not rated'))
    decimals = source.choice(('{}', '{}.0', ' {}', '{} ')) if names[0] == '1' else '{}'
    shift = source.choice((0, 5))  # of the decoy, ids of another site
    means = {mal_id: source.choice(('7.25', '8.5')) for mal_id in IDS}
    lists, rows = {}, []
    for user in users:
        for mal_id in source.sample(IDS, source.randint(1, 3)):
            score, on_ten = source.choice([*zip(*scale), (none, 0)])
            lists.setdefault(user, {})[mal_id] = on_ten
            title = source.choice(('K-On!', 'a "b" c', 'two\nlines', 'comma, here', 'Zoë'))
            rows.append(
                (decimals.format(user), decimals.format(mal_id), mal_id + shift, score, means[mal_id], title)
            )
    if source.random() < 0.5:
        source.shuffle(rows)
        order = dict.fromkeys(row[0].strip() for row in rows)
        lists = {user: lists[user] for user in (name.removesuffix('.0') for name in order)}
    columns = [
        source.choice(
            ('user_id', 'User ID', 'userId') if names[0] == '1' else ('username', 'user', 'Username')
        ),
        source.choice(('mal_id', 'MAL_ID', 'myanimelist_id')),
        'anime_id',
        source.choice(('my_score', 'user_rating', 'rating_user')),
        source.choice(('rating', 'score')),
        'title',
    ]
    shown = [0, 1, 3, *source.sample([2, 4, 5], source.randint(0, 3))]
    source.shuffle(shown)
    file = io.StringIO(newline='')
    ends, separator = source.choice(('\n', '\r\n')), source.choice(',;\t|')
    writer = csv.writer(
        file, delimiter=separator, lineterminator=ends, quoting=source.choice((0, csv.QUOTE_ALL))
    )
    writer.writerows([[row[k] for k in shown] for row in [columns, *rows]])
    content = file.getvalue().encode(source.choice(('utf-8', 'utf-8-sig', 'utf-16', 'cp1252')))
    return source.choice((bytes, bytes, gzip.compress, zipped))(content), lists


def test_tables_in_any_dress_mean_the_same(tmp_path, capsys):
    source, path = random.Random(7), tmp_path / 'ratings.csv'
    for number in range(150):
        content, lists = dressed(source)
        path.write_bytes(content)
        expected = [[scores.get(mal_id, 0) for mal_id in IDS] for scores in lists.values()]
        np.testing.assert_allclose(
            read([path], IDS), expected, rtol=1e-6, err_msg=f'table {number}: {content!r:.300}'
        )
        capsys.readouterr()


def test_spoiled_tables_are_read_or_end_in_a_sentence(tmp_path):
    source, path = random.Random(8), tmp_path / 'ratings.csv'
    contents = [content for _ in range(6) for content in spoiled(dressed(source)[0], 25, TOKENS, 9)]
    refused = 0
    for content in contents:  # not in a child: threads of polars do not survive a fork
        path.write_bytes(content)
        try:
            read([path], IDS)
        except RunError as error:
            assert str(path) in str(error) and len(str(error)) < 1200
            refused += 1
    assert refused > 20


TOKENS = [
    b'"',
    b'\n',
    b'\r',
    b'\0',
    b',,',
    b';',
    b'\t',
    b'1e99',
    b'-5',
    b'nan',
    b'inf',
    b'\xff\xfe',
    b'99999999999',
    b"'",
]
