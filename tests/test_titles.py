"""aniembed/inputs/titles.py: ANIME_LIST and ANIME_DATA in their forms, right and wrong."""

import json
import math
from pathlib import Path

import pytest
from tools.dressed_titles import TITLES, dressed
from tools.spoil import spoiled, zipped

from aniembed import files
from aniembed.files import RunError
from aniembed.inputs import title_records, titles

CASES = Path(__file__).parent / 'cases' / 'ratings'
NODE = {
    'id': 1,
    'title': 'A title',
    'alternative_titles': {'en': 'One', 'ja': '題', 'synonyms': ['Uno']},
    'main_picture': {'medium': 'http://127.0.0.1/a.jpg', 'large': 'http://127.0.0.1/b.jpg'},
    'mean': 7.5,
    'popularity': 3,
    'media_type': 'tv',
    'source': 'light_novel',
    'rating': 'pg_13',
    'start_season': {'year': 2011, 'season': 'fall'},
    'genres': [{'id': 1, 'name': 'Drama'}],
    'studios': [{'id': 2, 'name': 'Ufotable'}],
}


def test_ids_are_read_in_their_order(tmp_path):
    path = tmp_path / 'animelist.txt'
    path.write_bytes(b'\xef\xbb\xbf 30\r\n007\n\n \n2147483647\n\n')
    assert titles.read_ids(path) == [30, 7, 2147483647]


def read_table(path):
    """Read ANIME_DATA as embeddings.py does."""
    return titles.title_table(titles.read_nodes(path), path)


# Content of ANIME_LIST -> words of the sentence; None: there is no such file
WRONG_LISTS = {
    None: 'cannot be read: No such file',
    b'1\n\nseven\n': "line 3: 'seven' is not a MAL id",
    **dict.fromkeys((b'0\n', b'-5\n', b'2147483648\n'), 'line 1'),
    b'5\n6\n05\n': 'line 3: 5 is in line 1 already',
    b'\xff\xfe1\n': 'not UTF-8',
}
# Content of ANIME_DATA -> words
WRONG_DATA = {
    None: 'cannot be read: No such file',
    b'{"1": ': 'not valid JSON',
    b'{"one": {}}': 'holds no titles',
    b'{}': 'holds no titles',
    b'{"1": {"title": "A", "id": 1}, "2": null}': 'is not a list of titles: None',
    b'{"7": {"mean": 8}}': 'id 7 is not as the API gives a title: ',
    b'[5]': 'is not a list of titles',
    b'[{"name": "Naruto", "score": 8}]': 'it has name, score',
    b'[{"Name": "Naruto", "mal_id": "x"}]': 'none of its 1 records has a MyAnimeList id',
    b'PAR1': 'cannot be read as Parquet',
    b'name,score\nNaruto,8\n': 'it has name, score',
    b'mal_id,title\n1,"A\n2,B,C\n': 'cannot be read as CSV',
}
WRONG_VALUES = {
    'title': (None, '', 3),
    'mean': ([], True),
    'popularity': (-1, [3]),
    'genres': (5, [5], [{}]),
    'start_season': ([5], {'year': 'x'}),
    'alternative_titles': ([5], {'en': 5}),
    'main_picture': ('http', {'large': 5}),
    'related_anime': (5, [{}]),
}
for key, values in WRONG_VALUES.items():
    nodes = [json.dumps({'1': NODE, '7': {**NODE, key: value}}).encode() for value in values]
    WRONG_DATA |= dict.fromkeys(nodes, 'id 7 is not as the API gives a title: ')
WRONG_FILES = [(titles.read_ids, *case) for case in WRONG_LISTS.items()]
WRONG_FILES += [(read_table, *case) for case in WRONG_DATA.items()]


@pytest.mark.parametrize('read, content, words', WRONG_FILES, ids=lambda value: f'{value!s:.12}')
def test_a_wrong_file_is_named(tmp_path, read, content, words):
    if content is not None:
        (tmp_path / 'file').write_bytes(content)
    with pytest.raises(RunError) as error:
        read(str(tmp_path / 'file'))
    assert str(tmp_path / 'file') in str(error.value) and words in str(error.value)


def test_the_nodes_of_the_list_are_taken_in_its_order(tmp_path):
    path = str(tmp_path / 'titles.json')
    (tmp_path / 'titles.json').write_text(json.dumps({'7': {'title': 'B'}, '3': {}, '1': {'title': 'A'}}))
    assert titles.read_titles(path, [1, 7]).title.to_dict() == {1: 'A', 7: 'B'}
    with pytest.raises(RunError, match='titles.json lacks 2 of the 3 titles: 5, 9'):
        titles.read_titles(path, [1, 5, 9])


# ---- forms of ANIME_DATA ---------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['2016_anime.csv', '2018_anime.csv', '2020_anime.csv', '2023_anime.csv'])
def test_public_titles_files(name):
    table = read_table(str(CASES / name))
    assert len(table) == 12 and table['title'][16498] == 'Shingeki no Kyojin'
    assert table['genres'][5114][:2] == ['Action', 'Adventure'] and table['media_type'][20] == 'tv'
    assert table['mean'][1535] == 8.62 and table['popularity'].notna().all()
    assert table['english'][16498] is None
    assert table['mean'].isna().sum() == (0 if '2018' in name else 1)  # empty, Unknown, UNKNOWN


def test_a_titles_file_is_known_by_what_it_holds(tmp_path):
    content, path = (CASES / '2020_anime.csv').read_bytes(), tmp_path / 'titles'
    wanted = titles.read_nodes(str(CASES / '2020_anime.csv'))
    for form in (content, zipped(content), json.dumps(wanted).encode()):
        path.write_bytes(form)
        assert titles.read_nodes(str(path)) == wanted


TABLES = json.loads((CASES.parent / 'tables.json').read_text(encoding='utf-8'))


@pytest.mark.parametrize('name', [name for name, case in TABLES.items() if case['kind'] == 'titles'])
def test_titles_files_of_many_kinds(name, capsys):
    """Compare the line that is said and the row of Shingeki no Kyojin with the table of cases."""
    path, case = CASES.parent / 'tables' / name, TABLES[name]
    if 'error' in case:
        with pytest.raises(RunError) as error:
            read_table(path)
        assert str(path) in str(error.value) and case['error'] in str(error.value)
        return
    table = read_table(path)
    said = capsys.readouterr().out.partition(name)[2].strip('):. \n')
    assert (said, len(table)) == (case['said'], case['titles'])
    nothing = {column: [] if column in ('synonyms', 'studios', 'genres') else None for column in table}
    assert table.loc[16498].to_dict() == nothing | {'title': 'Shingeki no Kyojin'} | case['row']


def test_a_node_becomes_a_row():
    row = titles.title_table({1: NODE}, 'animes.json').loc[1].to_dict()
    names = {'title': 'A title', 'english': 'One', 'japanese': '題', 'synonyms': ['Uno']}
    facts = {'mean': 7.5, 'popularity': 3, 'studios': ['Ufotable'], 'genres': ['Drama'], 'year': 2011}
    others = {'picture': 'http://127.0.0.1/b.jpg', 'media_type': 'tv', 'prequels': None, 'franchise': None}
    others |= {'season': '2011-fall', 'source': 'light_novel', 'rating': 'pg_13'}
    assert row == {**names, **facts, **others}
    row = titles.title_table({1: {'title': '\x1b[2J  A\n title\u200b '}}, 'animes.json').loc[1]
    assert row.title == '[2J A title'


@pytest.mark.parametrize('mean, read', [(0, None), (0.99, None), (1, 1), (10, 10), (10.1, None), (-1, None)])
def test_a_mean_is_from_1_to_10(mean, read):
    assert titles.title_table({1: {**NODE, 'mean': mean}}, 'animes.json')['mean'][1] == read


AGES = {'R - 17+ (violence & profanity)': 'r', 'PG-13 - Teens 13 or older': 'pg_13', 'Rx - Hentai': 'rx'}
AGES |= {'G - All Ages': 'g', 'PG - Children': 'pg', 'R+ - Mild Nudity': 'r+', 'pg_13': 'pg_13', 'None': None}
AGES |= {'8.56': None, 'Great': None}


@pytest.mark.parametrize('written, rating', AGES.items())
def test_ages_and_sources_are_in_the_words_of_the_api(tmp_path, written, rating):
    path = tmp_path / 'titles.csv'
    path.write_text(f'mal_id,title,rating,source,genres\n1,A,{written},4-koma manga,Drama\n2,B,,Unknown,\n')
    table = read_table(str(path))
    assert table['rating'].tolist() == [rating, None] and table['source'].tolist() == ['4_koma_manga', None]
    assert table['mean'][1] == (8.56 if written == '8.56' else None)


COLUMN = {'main_picture': 'picture', 'start_season': 'year', 'alternative_titles': 'english'}


@pytest.mark.parametrize('key', [key for key in NODE if key not in ('id', 'title')])
def test_null_is_as_good_as_absent(key, tmp_path):
    path = tmp_path / 'animes.json'
    for value in (None, math.nan):  # pandas writes NaN for null
        path.write_text(json.dumps({'1': {**NODE, key: value}}))
        nodes = titles.read_nodes(path)
        files.write_json(path, nodes)  # as embeddings.py writes titles.json
        row = titles.title_table(nodes, path).iloc[0]
        assert row[COLUMN.get(key, key)] == ([] if key in ('genres', 'studios') else None)


def test_the_most_popular_come_first_and_those_without_a_rank_last():
    ranks = [5, None, 2, 9, None]
    table = titles.title_table({k: {'title': 'x', 'popularity': rank} for k, rank in enumerate(ranks)}, '')
    assert titles.by_popularity(table).tolist() == [2, 0, 3, 1, 4]


def related(*relations):
    """Return nodes with relations: (MAL id, relation type, MAL id)."""
    nodes = {mal_id: {'title': f'Title {mal_id}', 'related_anime': []} for mal_id in range(1, 9)}
    for mal_id, relation, other in relations:
        nodes[mal_id]['related_anime'].append({'node': {'id': other}, 'relation_type': relation})
    return nodes


def test_prequels_and_franchises():
    nodes = related(
        (2, 'prequel', 1),  # only the later title says so
        (2, 'sequel', 3),  # only the earlier one
        (3, 'prequel', 99),  # not in the table
        (5, 'side_story', 99),  # joined to 3 by it
        *((7, 'alternative_version', 6), (8, 'character', 1), (8, 'spin_off', 6), (4, 'prequel', 4)),
    )
    table = titles.title_table(nodes, '')
    assert table.prequels.tolist() == [[], [1], [2], [], [], [], [], []]
    assert table.franchise.tolist() == [1, 1, 1, 4, 1, 6, 6, 8]
    known = titles.title_table({**related(), 3: {'title': 'without relations'}}, '')
    assert known.prequels.tolist() == [[]] * 8 and known.franchise.tolist() == list(range(1, 9))


# ---- the same titles in many dresses, and spoiled files ---------------------------------------------------


def test_titles_mean_the_same_however_they_are_written(tmp_path):
    wanted = {key: (title, mean, year, genres) for key, (title, mean, year, genres, _) in TITLES.items()}
    order = sorted(TITLES, key=lambda mal_id: TITLES[mal_id][4], reverse=True)
    for seed in range(200):
        path = tmp_path / 'titles'
        path.write_bytes(dressed(seed))
        table = read_table(str(path))
        rows = table[['title', 'mean', 'year', 'genres']].itertuples(name=None)
        assert {row[0]: row[1:] for row in rows} == wanted, f'seed {seed}'
        assert [table.index[row] for row in titles.by_popularity(table)] == order, f'seed {seed}'


TOKENS = [
    *'"\n;|,[]{}:',
    '""',
    '\0',
    '\ufeff',
    'NaN',
    '-1',
    '1e999',
    '9' * 5000,
    '{"node": ',
    '[[[[',
    '\x1b[2J',
]
TOKENS = [token.encode() for token in TOKENS] + [b'\xff\xfe', b'\x93']
SPOILED = [
    'titles_anilist_page.json',
    'titles_lines.jsonl',
    'titles_utf16.tsv',
    'titles.parquet',
    'titles.csv',
]


@pytest.mark.parametrize('name', SPOILED)
def test_spoiled_titles_files_are_read_or_end_in_a_sentence(tmp_path, name):
    good, refused = (CASES.parent / 'tables' / name).read_bytes(), 0
    for content in spoiled(good, 300, TOKENS, 7):
        (tmp_path / name).write_bytes(content)
        try:
            table = read_table(str(tmp_path / name))
        except RunError as error:
            assert str(error).isprintable() and len(str(error)) < 1200, content
            refused += 1
            continue
        assert all(0 < mal_id <= title_records.LARGEST_ID for mal_id in table.index), content
        assert all(mean is None or 1 <= mean <= 10 for mean in table['mean']), content
    assert 10 < refused < 290


def test_deeply_nested_json_ends_in_a_sentence(tmp_path):
    path = tmp_path / 'titles.json'
    for depth in (300, 900, 3000):
        path.write_text('{"data": ' * depth + '[]' + '}' * depth)
        with pytest.raises(RunError):
            titles.read_nodes(str(path))
