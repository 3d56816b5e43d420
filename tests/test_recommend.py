"""recommend.py: what is recommended and why, from Python and from the command line."""

import json
import os
import re

import numpy as np
import pandas as pd
import pytest
from tools import recommendation_cases
from tools.outputs import spoken, write_list
from tools.planted import GROUPS, SIZE, ids_of
from tools.processes import call, is_sentence, run

import recommend
from aniembed import files
from aniembed.inputs import titles
from aniembed.taste.query import CONSTANTS, Query, check_scores
from aniembed.taste.search import Search

IDS = np.array(ids_of(GROUPS * SIZE))


def liking(group, wanted):
    """Return the scores of a person who loves three titles of a group, and does not like one of the next."""
    scores = {int(mal_id): 9 for mal_id in IDS[group == wanted][:3]}
    return {**scores, int(IDS[group == (wanted + 1) % GROUPS][0]): 3}


@pytest.mark.parametrize('wanted', range(GROUPS))
def test_the_group_that_a_person_loves_comes_first_and_is_predicted_the_highest_scores(
    planted, vectors, wanted
):
    scores, loved = liking(planted.group, wanted), set(IDS[planted.group == wanted][3:])
    best = recommend.recommend(vectors, scores, number=SIZE - 3)
    assert set(best.index) == loved and best.is_monotonic_decreasing and (best > 0).all()
    predicted = recommend.predict_scores(vectors, scores)
    assert set(predicted.drop([*scores]).nlargest(SIZE - 3).index) == loved
    assert predicted.between(1, 10).all()


def test_titles_on_the_list_and_unknown_ones_are_left_out(planted, vectors):
    scores, planned = liking(planted.group, 2), int(IDS[planted.group == 2][3])
    everything = recommend.recommend(vectors, {**scores, 99999999: 10, planned: 0}, number=None)
    assert set(everything.index) == set(IDS) - set(scores) - {planned}
    without = recommend.recommend(vectors, scores, number=None).drop(planned)
    pd.testing.assert_series_equal(everything, without)
    assert len(recommend.recommend(vectors, dict.fromkeys(IDS.tolist(), 8))) == 0


def test_dicts_series_and_json_say_the_same(planted, vectors):
    scores = liking(planted.group, 1)
    expected = recommend.recommend(vectors, scores)
    row = pd.Series({mal_id: scores.get(mal_id, np.nan) for mal_id in vectors.index})  # of dataframe.pkl
    for same in (row, row.astype('Int8'), json.loads(json.dumps(scores)), {**scores, 5: np.nan}):
        pd.testing.assert_series_equal(recommend.recommend(vectors, same), expected)


@pytest.mark.parametrize('niche', [0, 0.5, 1])
def test_affinity_and_reasons_are_those_of_the_docstring(planted, vectors, niche):
    scores = liking(planted.group, 0)
    query, ids = Query(vectors, check_scores(scores), niche=niche), IDS.tolist()
    mean, popularity = (np.array([vectors.attrs[name][i] for i in ids]) for name in ('mean', 'popularity'))
    products = vectors.to_numpy(np.float64) @ vectors.to_numpy(np.float64).T
    kernel = np.maximum(products, 0) ** (1.7 + 0.65 * np.log10(len(ids)))
    np.fill_diagonal(kernel, 1)
    np.fill_diagonal(products, 0)
    known = [ids.index(mal_id) for mal_id in scores]
    count = np.array([1 if score > 3 else -0.1 for score in scores.values()])
    observed = count * np.exp(0.2 * (np.array([*scores.values()]) - mean[known])) / popularity[known] ** 0.5
    weight = np.linalg.inv(kernel[np.ix_(known, known)] + 0.5 * np.eye(len(known))) @ observed
    q = popularity ** (0.4 * (1 - niche))
    predicted = recommend.predict_scores(vectors, scores).to_numpy()
    linear = 0.25 * observed[:, None] * products[known] / popularity**0.2
    terms = weight[:, None] * kernel[known] + linear
    affinity = q * (terms.sum(0) + 0.02 * q)
    affinity *= np.exp(np.where(affinity < 0, -0.15, 0.15) * predicted)
    np.testing.assert_allclose(query.affinity(), affinity, rtol=1e-6)
    terms *= (count > 0)[:, None]
    for index, reasons in enumerate(query.reasons(np.arange(48), 3)):
        best = np.argsort(-terms[:, index], kind='stable')[:3]
        assert reasons == [[*scores][j] for j in best if terms[j, index] > 0]


def test_predicted_scores_are_those_of_the_docstring(planted, vectors):
    scores = {**liking(planted.group, 0), int(IDS[7]): 0, 99999999: 10}
    ids = IDS.tolist()
    mean = np.array([vectors.attrs['mean'][i] for i in ids])
    kernel = np.exp(2 * (vectors.to_numpy(np.float64) @ vectors.to_numpy(np.float64).T - 1))
    kernel += 0.5 + 0.1 * np.outer(mean - 7.8, mean - 7.8)
    scored = {mal_id: score for mal_id, score in scores.items() if score and mal_id in ids}
    known = [ids.index(mal_id) for mal_id in scored]
    inverse = np.linalg.inv(kernel[np.ix_(known, known)] + 0.4 * np.eye(len(known)))
    expected = mean + kernel[:, known] @ inverse @ (np.array([*scored.values()]) - mean[known])
    predicted = recommend.predict_scores(vectors, scores)
    assert predicted.index.tolist() == ids
    np.testing.assert_allclose(predicted, np.clip(expected, 1, 10), rtol=1e-6)


# words of the error -> scores
WRONG_SCORES = {
    'none of the scores is of a title that the vectors know': {99999999: 8, 1000: 0},
    'the score of 1000 is 11': {1000: 11},
    'the score of 1000 is None': {1000: None},
    "the score of 1000 is 'nine'": {1000: 'nine'},
    "'Naruto' is not a MAL id": {'Naruto': 8},
}


@pytest.mark.parametrize('words', WRONG_SCORES)
def test_wrong_scores_are_a_value_error(vectors, words):
    with pytest.raises(ValueError, match=words):
        recommend.recommend(vectors, WRONG_SCORES[words])
    with pytest.raises(ValueError, match=words):
        recommend.predict_scores(vectors, WRONG_SCORES[words])


@pytest.mark.parametrize('number', [2, 3])
def test_people_together_get_the_geometric_mean_of_what_each_would_get(planted, vectors, number):
    anime = titles.title_table({int(i): {'title': f'Title {i}'} for i in IDS}, '')
    people = [({int(i): 9 for i in IDS[planted.group == group][:3]}, {}) for group in range(number)]
    people[0][0][int(IDS[-1])] = 0
    people[0][1][int(IDS[-1])] = 'plan_to_watch'
    table = recommend.recommendation_table(vectors, anime, people, number=10)
    each = pd.DataFrame([Query(vectors, *one).affinity() for one in people], columns=IDS).T
    each = each.clip(lower=0.01 * each.max(), axis=1)
    listed = {i for scores, _ in people for i in scores} - {int(IDS[-1])}
    expected = (each.prod(axis=1) ** (1 / number)).drop([*listed]).nlargest(10)
    assert table.mal_id.tolist() == expected.index.tolist()
    np.testing.assert_allclose(table.affinity, expected, 1e-6)
    for person, (scores, _) in enumerate(people):
        predicted = recommend.predict_scores(vectors, scores)[table.mal_id]
        np.testing.assert_allclose([row[person] for row in table.predicted], predicted, atol=0.051)
        assert all(set(row[person]) <= scores.keys() for row in table.because)
    assert all(any(row) for row in table.because)


def test_similar_titles_are_those_with_the_largest_mean_cosine(vectors):
    anime = titles.title_table({int(i): {'title': f'Title {i}'} for i in IDS}, '')
    liked = IDS[[3, 20]].tolist()
    table = recommend.similar_table(vectors, anime, liked, number=7)
    cosines = (vectors @ vectors.loc[liked].T).mean(axis=1).drop(liked).nlargest(7)
    assert table.mal_id.tolist() == cosines.index.tolist()
    np.testing.assert_allclose(table.similarity, cosines, 1e-5)


# ---- the tables of cases that the page tests, too ----------------------------------------------------------


def test_the_table_of_cases_is_what_recommend_gives():
    table = json.loads(files.read_text(recommendation_cases.TABLE))
    assert table['graph']['model']['constants'] == CONSTANTS
    lengths = []
    for case in table['cases']:
        answer, expected = recommendation_cases.answer(table['graph'], case), case['answer']
        lengths.append(len(expected['rows']))
        # Only numbers differ between machines, in the last digits
        answer, expected = flat(answer), flat(expected)
        numbers = {path for path, value in expected.items() if isinstance(value, float)}
        assert answer.keys() == expected.keys()
        assert all(answer[path] == expected[path] for path in answer.keys() - numbers)
        values = [[values[path] for path in numbers] for values in (answer, expected)]
        np.testing.assert_allclose(*values, 1e-4, 1e-6)
    assert len(lengths) == recommendation_cases.CASES and sorted(lengths)[10] > 5


SEARCH = json.loads(files.read_text('tests/cases/search.json'))


@pytest.fixture(scope='module')
def search():
    """Return the Search of the titles of the table."""
    return Search(pd.DataFrame(SEARCH['anime'], dtype=object).set_index('id'))


@pytest.mark.parametrize('case', SEARCH['cases'], ids=lambda case: case['text'])
def test_names_are_found_as_the_page_finds_them(search, case):
    found = [m.ids[0] if m.kind == 'title' else f'{m.kind}:{m.name}' for m in search.search(case['text'])]
    assert found == case['found']


def test_a_name_is_the_best_match_and_its_runner_up(search):
    for text, ids, other in (
        ('aot', [101], None),
        ('kaze', [122], 'Kaze A'),
        ('109', [109], None),
        ('studio: kyoani', [111], None),
        ('Genre:Mecha', [107, 108], None),
        ('music', [123], None),
    ):
        match, runner_up = search.find(text)
        assert (match.ids, runner_up and runner_up.name) == (ids, other)
    assert search.find('mecha', ('title', 'genre'))[0].ids == [107, 108]
    for text in ('mecha', 'zzzz', 'studio:', 'studio:zzzz', '7'):
        with pytest.raises(files.UsageError):
            search.find(text)


def flat(value):
    """Return JSON as a dict path -> number or text."""
    if not isinstance(value, (dict, list, tuple)):
        return {(): value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {(key, *path): leaf for key, part in items for path, leaf in flat(part).items()}


# ---- the command line ----------------------------------------------------------------------------


@pytest.fixture
def folder(planted, tmp_path):
    """Return a folder with what recommend.py reads."""
    for name in ('embeddings.pkl', 'titles.json', 'settings.json'):
        (tmp_path / name).write_bytes((planted.output / name).read_bytes())
    return tmp_path


def test_an_exported_list_gets_a_table_with_reasons(planted, folder):
    scores = {**dict.fromkeys(IDS[planted.group == 2][:4].tolist(), 10), int(IDS[planted.group == 2][4]): 0}
    path = write_list(folder / 'list.xml.gz', {**scores, 99999999: 7})
    said, status, error = spoken([path, '--number', 5], folder)
    assert (status, error) == (0, '')
    assert '6 entries read, 5 with a score.\n5 of the 6 titles on the list are on this map.' in said
    table = pd.read_csv(folder / 'recommendations.csv')
    assert list(table)[:4] == ['rank', 'mal_id', 'title', 'english'] and len(table) == 5
    assert set(table.mal_id[:3]) == set(IDS[planted.group == 2][5:])
    loved = {f'Title {mal_id}' for mal_id, score in scores.items() if score}
    for row in table[:3].itertuples():
        reasons = row.because.split('; ')
        assert len(reasons) == 3 and set(reasons) <= loved
        (line,) = (line for line in said.splitlines() if f' {row.title} ' in line)
        assert f' {row.predicted:.1f} ' in line and f'{row.because}\n' in said


def test_a_user_of_the_lists_is_found_through_settings_json(planted, folder):
    assert call(recommend.main, ['MEMBER7', '--output-dir', folder], folder) == (0, '')
    row = pd.read_pickle(planted.folder / 'dataframe.pkl').loc['member7']
    table = pd.read_csv(folder / 'recommendations.csv')
    assert len(table) == 20 and not set(table.mal_id) & set(row.dropna().index)


def test_where_the_lists_are_is_asked_for_if_settings_json_does_not_lead_to_them(folder):
    record = json.loads((folder / 'settings.json').read_text())
    for lists, words in (
        ('lists/dataframe.pkl', 'settings.json .lists/dataframe.pkl.: there is no such file; .*folder'),
        (None, 'settings.json does not say where the lists are'),
    ):
        (folder / 'settings.json').write_text(json.dumps({**record, 'ANIME_DATA_LIST': lists}))
        status, said = call(recommend.main, ['member7', '--output-dir', folder], folder)
        assert status == 1 and re.search(words, said) and '--lists' in said and is_sentence(said), said


def test_titles_by_name_need_no_list(planted, folder):
    loved = IDS[planted.group == 2].tolist()
    said, status, error = spoken(['--like', f'Title {loved[0]}', '--like', loved[1], '--number', 4], folder)
    table = pd.read_csv(folder / 'recommendations.csv')
    assert (status, error) == (0, '') and set(table.mal_id) <= set(loved[2:])
    assert all(f' {row.similarity:.2f} ' in said for row in table.itertuples())


def test_json_is_all_that_is_on_standard_output(planted, folder):
    path = write_list(folder / 'list.xml', dict.fromkeys(IDS[planted.group == 1][:4], 9))
    said, status, error = spoken([path, 'member7', '--json', '--number', 3], folder)
    answer = json.loads(said)
    assert status == 0 and 'Hello a_fan!' in error and answer['people'] == ['a_fan', 'member7']
    table = pd.read_csv(folder / 'recommendations.csv')
    assert [title['mal_id'] for title in answer['titles']] == table.mal_id.tolist()
    assert [title['predicted'][1] for title in answer['titles']] == table['predicted member7'].tolist()
    said, status, _ = spoken([path, '--json', '--explain', table.mal_id[0]], folder)
    assert status == 0 and sum(title['share'] for title in json.loads(said)[0]['titles']) < 1 + 1e-9


@pytest.mark.parametrize('columns', [40, 80, 200])
def test_the_table_fits_a_terminal_that_is_not_utf_8(folder, columns):
    nodes = json.loads((folder / 'titles.json').read_text())
    for node in nodes.values():
        node['title'] += ' 進撃の巨人: a very long title that no terminal has room for, Season 3 Part 2'
    (folder / 'titles.json').write_text(json.dumps(nodes))
    environment = {**os.environ, 'PYTHONIOENCODING': 'ascii', 'COLUMNS': str(columns)}
    ended = run('recommend.py', 'member7', '--output-dir', folder, env=environment)
    assert (ended.returncode, ended.stderr) == (0, '')
    rows = [line for line in ended.stdout.splitlines() if re.match(r' *\d+ Title', line)]
    assert len(rows) == 20 and all('Part 2' in row and len(row) <= columns for row in rows)
    assert len(pd.read_csv(folder / 'recommendations.csv')) == 20


# arguments -> exit status, words of the sentence; {} is the folder
WRONG_CALLS = {
    (): (2, 'name a person'),
    ('member7', '--number', '0'): (2, "--number: '0' is not a number from 1"),
    ('member7', '--years', '2020-2010'): (2, "--years: '2020-2010' ends before it begins"),
    ('member7', '--not', 'Title 1000,zzzz'): (2, "nothing on this map is called 'zzzz'"),
    ('member7', '--min-score', '11'): (2, 'not a number from 0 to 10'),
    ('member7', '--like', '1000'): (2, 'name a person'),
    ('--like', '7'): (2, 'no title with the MAL id 7'),
    ('member7', '--season', 'summer'): (2, "'summer' is not a season"),
    ('member7', '--genre', 'Romance'): (2, "no title of this map has the genre 'Romance'; those there are:"),
    ('member7', '--type', 'film'): (2, "no title of this map has the type 'film'"),
    ('member7', '--explain', '5'): (2, 'no title with the MAL id 5'),
    ('member7', '--min-score', '10'): (1, 'nothing is left to recommend'),
    ('member7', '--output-dir', '{}/none'): (1, 'embeddings.pkl cannot be read'),
    ('nobody',): (1, "no user 'nobody' in"),
    ('-nobody-',): (1, "no user '-nobody-' in"),
    ('member7', '--nobody'): (2, '--nobody'),
    ('member7', '{}/strange.xml'): (1, 'strange.xml: the list says nothing'),
    ('{}/none.xml',): (1, 'none.xml: there is no such file'),
    ('{}/all.xml',): (1, 'every title of this map'),
}


@pytest.mark.parametrize('arguments', WRONG_CALLS, ids=str)
def test_a_wrong_call_is_a_sentence(folder, arguments):
    write_list(folder / 'all.xml', dict.fromkeys(IDS, 8))
    write_list(folder / 'strange.xml', {99999999: 8})
    status, words = WRONG_CALLS[arguments]
    given = [argument.format(folder) for argument in arguments]
    if given and '--output-dir' not in given:
        given += ['--output-dir', folder]
    ended, said = call(recommend.main, given, folder)
    assert (ended, words in said, is_sentence(said)) == (status, True, True), said
    assert not (folder / 'recommendations.csv').exists()


NOT_VECTORS = {
    'another table': lambda frame: pd.DataFrame({'a': [1]}),
    'no attrs': lambda frame: pd.DataFrame(frame.to_numpy(), frame.index),
}


@pytest.mark.parametrize('change', NOT_VECTORS)
def test_vectors_of_something_else_are_a_sentence(folder, change):
    NOT_VECTORS[change](pd.read_pickle(folder / 'embeddings.pkl')).to_pickle(folder / 'embeddings.pkl')
    status, said = call(recommend.main, ['member7', '--output-dir', folder], folder)
    assert status == 1 and 'embeddings.pkl is not what embeddings.py writes' in said and is_sentence(said)
