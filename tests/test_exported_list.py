"""Exported lists: one table of cases, which the web page's tests read too, and files that mean harm."""

import gzip
import json
import re
from pathlib import Path

import pytest
from tools.spoil import outcomes, spoiled

from aniembed.files import RunError
from aniembed.inputs import exported_list
from aniembed.inputs.exported_list import read_exported_list
from aniembed.taste import person

CASES = Path(__file__).parent / 'cases'
EXPECTED = json.loads((CASES / 'exports.json').read_text(encoding='utf-8'))
SENTENCES = {  # kind of error in exports.json -> words of the sentence
    'empty file': 'is empty',
    'manga list': 'is a manga list',
    'no anime': 'without anime',
    'other XML': 'is XML, but not a list',
    'no XML': 'is not XML',
    'damaged': 'is damaged or cut off',
    'DTD': 'has a DTD',
    'no ids in JSON': 'is JSON without MyAnimeList ids (idMal)',
    'no ids': 'none of them has a MyAnimeList id',
}


@pytest.mark.parametrize('name', sorted(path.name for path in (CASES / 'exports').iterdir()))
def test_cases(name):
    path, expected = CASES / 'exports' / name, dict(EXPECTED[name])
    if 'error' in expected:
        with pytest.raises(RunError, match=re.escape(SENTENCES[expected['error']])) as error:
            read_exported_list(path)
        assert str(error.value).startswith(str(path))
        return
    read = read_exported_list(path)
    scores = {str(mal_id): score for mal_id, score in read.scores.items()}
    statuses = {str(mal_id): status for mal_id, status in read.statuses.items()}
    assert expected.pop('scores').items() <= scores.items()
    assert expected.pop('statuses', statuses) == statuses
    assert expected == {
        'user': read.user_name,
        'entries': read.entries,
        'titles': len(scores),
        'with_score': sum(score > 0 for score in scores.values()),
        'without_id': read.without_id,
        'unreadable_scores': read.unreadable_scores,
        'scale': read.scale,
    }


def test_the_report_counts_what_was_read_and_passed_over():
    line = exported_list.ExportedList('me', {1: 8.0, 2: 0.0, 3: 7.5}, {}, 1442, 37, 2, 100).report()
    for words in ('1,442 entries', '2 with a score', '37 passed over', '2 with a score that', 'out of 100'):
        assert words in line
    statuses = {1: 'completed', 2: 'plan_to_watch'}
    unscored = exported_list.ExportedList('me', {1: 0.0, 2: 0.0}, statuses, 2, 0, 0, 10).report()
    assert 'completed' not in line and 'the 1 completed titles count' in unscored


# ---- files that mean harm ---------------------------------------------------------------------------------

XML = b'<anime> </anime> &lol; <![CDATA[ ]]> <?x?> \xff\xfe \0 &#xD800; 1e999'.split()
XML += [b'<my_score>11</my_score>', b'9' * 5000, '٣'.encode(), b'\x1b[2J', b'<!DOCTYPE a>']


def reader(folder):
    def read(content):
        (folder / 'list.xml').write_bytes(content)
        scores = read_exported_list(folder / 'list.xml').scores
        assert scores and all(type(mal_id) is int and mal_id > 0 for mal_id in scores)
        assert all(0 <= score <= 10 for score in scores.values())

    return read


def test_mutated_lists_are_read_or_end_in_a_sentence(tmp_path):
    good = (CASES / 'exports' / '23_repeated_entries.xml').read_bytes()
    ends = outcomes(reader(tmp_path), spoiled(good, 500, XML, 3), RunError)
    assert min(ends.values()) > 20, ends


def megabytes(number, content):
    return content * (number * (1 << 20) // len(content))


LARGE = {
    'packed blanks': lambda: gzip.compress(megabytes(65, b' '), 1),
    'nested elements': lambda: b'<myanimelist>' + b'<a>' * 400_000 + b'</a>' * 400_000 + b'</myanimelist>',
    'declarations without end': lambda: megabytes(4, b'<?xml '),
    'a long number': lambda: b'<myanimelist><anime><series_animedb_id>' + megabytes(4, b'9') + b'<',
}


@pytest.mark.parametrize('name', LARGE)
def test_large_files_end_in_a_sentence(tmp_path, name):
    assert outcomes(reader(tmp_path), [LARGE[name]()], RunError)['refused'] == 1


# ---- as recommend.py takes them ---------------------------------------------------------------------------


def read_person(ids, who, lists=''):
    """Return the Person that recommend.py reads for WHO and --lists."""
    return person.read_person(who, lists, 'output', ids)


def test_a_file_is_a_list_whatever_its_name_and_a_path_is_not_a_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'Mio').write_bytes((CASES / 'exports' / '24_no_score_at_all.xml').read_bytes())
    who = read_person([20, 7], 'Mio')
    assert (who.name, who.scores, who.statuses[20]) == ('a_fan', {20: 0, 1535: 0, 5114: 0}, 'completed')
    assert '3 entries read, 0 with a score' in who.report and '2 completed titles' in who.report
    (tmp_path / 'cut.xml.gz').write_bytes(gzip.compress(XML[-1] * 99)[:-9])
    with pytest.raises(RunError, match='is damaged or cut off'):
        read_person([20], 'cut.xml.gz')
    for who in ('list.xml', 'folder/list'):
        with pytest.raises(RunError, match='no such file'):
            read_person([20], who)
    lists = str(CASES / 'ratings' / '2020_animelist.csv')
    (tmp_path / '4').mkdir()  # a folder is not a list
    assert read_person([16498, 7], '4', lists).scores == {16498: 9}
    with pytest.raises(RunError, match='no user .nobody.'):
        read_person([16498], 'nobody', lists)
