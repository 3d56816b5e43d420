"""aniembed/titles.py: ANIME_LIST and ANIME_DATA, right and wrong."""

import json
import math

import pytest

from aniembed import files, titles
from aniembed.files import RunError

NODE = {
    'id': 1,
    'title': 'A title',
    'alternative_titles': {'en': 'One', 'ja': '題', 'synonyms': ['Uno']},
    'main_picture': {'medium': 'http://127.0.0.1/a.jpg', 'large': 'http://127.0.0.1/b.jpg'},
    'mean': 7.5,
    'popularity': 3,
    'media_type': 'tv',
    'start_season': {'year': 2011, 'season': 'fall'},
    'genres': [{'id': 1, 'name': 'Drama'}],
    'studios': [{'id': 2, 'name': 'Ufotable'}],
}


def test_ids_are_read_in_their_order(tmp_path):
    path = tmp_path / 'animelist.txt'
    path.write_bytes(b'\xef\xbb\xbf 30\r\n007\n\n \n2147483647\n\n')
    assert titles.read_ids(path) == [30, 7, 2147483647]


# Content of ANIME_LIST -> words of the sentence
WRONG_LISTS = {
    b'1\n\nseven\n': "line 3: 'seven' is not a MAL id",
    b'0\n': 'line 1',
    b'-5\n': 'line 1',
    b'2147483648\n': 'line 1',
    b'9' * 5000: 'line 1',
    '²\n'.encode(): 'line 1',
    '٣\n'.encode(): 'line 1',
    b'5\n6\n05\n': 'line 3: 5 is in line 1 already',
    b'\xff\xfe1\n': 'not UTF-8',
}


@pytest.mark.parametrize('content', WRONG_LISTS, ids=WRONG_LISTS.get)
def test_a_wrong_list_of_ids_is_named(tmp_path, content):
    path = tmp_path / 'animelist.txt'
    path.write_bytes(content)
    with pytest.raises(RunError) as error:
        titles.read_ids(path)
    assert str(error.value).startswith(f'ANIME_LIST ({path})') and WRONG_LISTS[content] in str(error.value)


def test_missing_files_are_named(tmp_path):
    for read in (titles.read_ids, titles.read_nodes):
        with pytest.raises(RunError, match='cannot be read: No such file'):
            read(str(tmp_path / 'none'))


# Content of ANIME_DATA -> words of the sentence
WRONG_DATA = {
    '{"1": ': 'not valid JSON',
    '[' * 200_000: 'not valid JSON',
    '"titles"': 'not a JSON object',
    '{"one": {}}': 'has a key that is not a MAL id',
}


@pytest.mark.parametrize('content', WRONG_DATA, ids=WRONG_DATA.get)
def test_wrong_data_is_named(tmp_path, content):
    path = tmp_path / 'animes.json'
    path.write_text(content)
    with pytest.raises(RunError) as error:
        titles.read_nodes(str(path))
    assert str(error.value).startswith(f'ANIME_DATA ({path})') and WRONG_DATA[content] in str(error.value)


def test_the_nodes_of_the_list_are_taken_in_its_order(tmp_path):
    path = str(tmp_path / 'titles.json')
    (tmp_path / 'titles.json').write_text(json.dumps({'7': {'title': 'B'}, '3': {}, '1': {'title': 'A'}}))
    assert titles.read_titles(path, [1, 7]).title.to_dict() == {1: 'A', 7: 'B'}
    with pytest.raises(RunError, match='titles.json lacks 2 of the 3 titles: 5, 9'):
        titles.read_titles(path, [1, 5, 9])


def test_a_node_becomes_a_row():
    row = titles.title_table({1: NODE}, 'animes.json').loc[1]
    assert row.to_dict() == {
        'title': 'A title',
        'english': 'One',
        'japanese': '題',
        'synonyms': ['Uno'],
        'mean': 7.5,
        'popularity': 3,
        'picture': 'http://127.0.0.1/b.jpg',
        'studios': ['Ufotable'],
        'genres': ['Drama'],
        'year': 2011,
        'media_type': 'tv',
        'prequels': None,
        'franchise': None,
    }
    row = titles.title_table({1: {'title': '\x1b[2J  A\n title\u200b '}}, 'animes.json').loc[1]
    assert row.title == '[2J A title'


@pytest.mark.parametrize('key', [key for key in NODE if key != 'title'])
def test_null_is_as_good_as_absent(key, tmp_path):
    lists = {'genres': 'genres', 'studios': 'studios'}
    column = {'main_picture': 'picture', 'start_season': 'year', 'alternative_titles': 'english'}.get(
        key, key
    )
    path = str(tmp_path / 'animes.json')
    for value in (None, math.nan):  # pandas writes NaN for null
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'1': {**NODE, key: value}}, file)
        nodes = titles.read_nodes(path)
        files.write_json(path, nodes)  # as embeddings.py writes titles.json
        row = titles.title_table(nodes, path).iloc[0]
        if key != 'id':
            assert row[column] == ([] if key in lists else None)


WRONG_NODES = [
    *({**NODE, 'title': value} for value in (None, '', '\x1b', 3, ['x'])),
    {key: value for key, value in NODE.items() if key != 'title'},
    *({**NODE, 'mean': value} for value in (11, -1, [], True, 10**400, math.inf)),
    *({**NODE, 'popularity': value} for value in (-1, [3], 10**10)),
    *({**NODE, 'genres': value} for value in (5, [5], [{}], [{'name': 3}])),
    *({**NODE, 'start_season': value} for value in ([5], 2011, {'year': 'x'}, {'year': 10**5})),
    *({**NODE, 'alternative_titles': value} for value in ([5], {'en': 5}, {'synonyms': 5})),
    *({**NODE, 'main_picture': value} for value in ('http', {'large': 5})),
    *(
        {**NODE, 'related_anime': value}
        for value in (5, [5], [{}], [{'node': {'id': 'x'}, 'relation_type': 'y'}])
    ),
    *(None, [], 'x', 5),
]


@pytest.mark.parametrize('node', WRONG_NODES, ids=lambda node: f'{node!s:.90}')
def test_a_wrong_node_is_named(node):
    with pytest.raises(RunError, match='^animes.json, id 7 is not as the API gives a title: .{5}'):
        titles.title_table({1: NODE, 7: node}, 'animes.json')


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
    table = titles.title_table(
        related(
            (2, 'prequel', 1),  # only the later title says so
            (2, 'sequel', 3),  # only the earlier one
            (3, 'prequel', 99),  # not in the table
            (5, 'side_story', 99),  # joined to 3 by it
            (7, 'alternative_version', 6),
            (8, 'character', 1),
            (8, 'spin_off', 6),
            (4, 'prequel', 4),
        ),
        '',
    )
    assert table.prequels.tolist() == [[], [1], [2], [], [], [], [], []]
    assert table.franchise.tolist() == [1, 1, 1, 4, 1, 6, 6, 8]
    known = titles.title_table({**related(), 3: {'title': 'without relations'}}, '')
    assert known.prequels.tolist() == [[]] * 8 and known.franchise.tolist() == list(range(1, 9))
