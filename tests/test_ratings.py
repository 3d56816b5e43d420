"""aniembed/ratings.py: ANIME_DATA_LIST in its forms, as blocks of csr_matrix; what is wrong is named."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from tools.planted import ids_of, planted_scores, table_of

from aniembed import ratings
from aniembed.files import RunError

IDS = ids_of(6)


def table(lists=40):
    """Return a table of scores of six titles."""
    return table_of(planted_scores(lists)[0][:, :6])


FORMS = {
    'as it is': lambda frame: frame,
    'columns in another order, and one more': lambda frame: frame[IDS[::-1]].assign(other=7.0),
    'ids as texts': lambda frame: frame.rename(columns=str),
    'objects': lambda frame: frame.astype(object),
    'objects and empty cells': lambda frame: frame.astype(object).where(frame.notna(), None),
    'nullable': lambda frame: frame.astype('Int8'),
    'partly nullable': lambda frame: frame.astype({IDS[0]: 'Int8', IDS[2]: 'float32'}),
    'sparse': lambda frame: frame.astype(pd.SparseDtype('float32', np.nan)),
    'half floats': lambda frame: frame.astype(np.float16),
    'mixed': lambda frame: frame.astype({IDS[0]: object, IDS[1]: 'Float64', IDS[2]: 'float32'}),
}


@pytest.mark.parametrize('form', FORMS)
def test_every_form_gives_the_same_blocks(tmp_path, form):
    FORMS[form](table()).to_pickle(tmp_path / 'lists.pkl')
    (user_items,) = ratings.read_blocks([str(tmp_path / 'lists.pkl')], IDS)
    assert (
        isinstance(user_items, csr_matrix) and user_items.dtype == np.float32 and (user_items.data > 0).all()
    )
    np.testing.assert_array_equal(user_items.toarray(), np.nan_to_num(table()))


@pytest.mark.parametrize('kind', ['pkl', 'csv'])
def test_blocks_follow_each_other_and_are_shared(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(ratings, 'USERS_PER_BLOCK', 16)
    frame, path = table().fillna(0), str(tmp_path / f'lists.{kind}')
    if kind == 'pkl':
        frame.to_pickle(path)
    else:
        frame.rename_axis('user').melt(var_name='anime_id', value_name='score', ignore_index=False).to_csv(
            path
        )
    blocks = [block.toarray() for block in ratings.read_blocks([path], IDS)]
    assert [len(block) for block in blocks] == [16, 16, 8]
    order = np.lexsort(np.concatenate(blocks).T), np.lexsort(frame.to_numpy().T)  # a long table has none
    np.testing.assert_array_equal(np.concatenate(blocks)[order[0]], frame.to_numpy()[order[1]])
    shares = [[block.toarray() for block in ratings.read_blocks([path], IDS, rank, 2)] for rank in range(2)]
    for share, wanted in zip(shares, ([blocks[0], blocks[2]], [blocks[1]])):
        np.testing.assert_array_equal(np.concatenate(share), np.concatenate(wanted))


def test_a_user_is_found_whatever_the_case_and_the_file(tmp_path):
    frame = table()
    frame.iloc[30] = [8, 0, np.nan, 10, np.nan, 1]
    frame[:20].to_pickle(tmp_path / 'part-1.pkl')
    frame[20:].rename(columns=str).to_pickle(tmp_path / 'part-2.pkl')
    paths = ratings.find_files(str(tmp_path / 'part-*.pkl'))
    assert paths == [str(tmp_path / 'part-1.pkl'), str(tmp_path / 'part-2.pkl')]
    assert ratings.read_user(paths, IDS, 'MEMBER30') == {IDS[0]: 8, IDS[1]: 0, IDS[3]: 10, IDS[5]: 1}
    assert ratings.read_user(paths, IDS, 'nobody') is None


def test_a_path_that_looks_like_a_pattern_is_one_file(tmp_path):
    (tmp_path / 'lists[1].pkl').touch()
    assert ratings.find_files(f'{tmp_path}/lists[1].pkl') == [f'{tmp_path}/lists[1].pkl']
    with pytest.raises(RunError, match='ANIME_DATA_LIST .*no such file'):
        ratings.find_files(f'{tmp_path}/none-*.pkl')


def with_list(value):
    """Return a change of the table that gives one user the same score everywhere."""

    def change(frame):
        frame.iloc[5] = value
        return frame

    return change


def with_score(value):
    """Return a change of the table that sets one score."""

    def change(frame):
        frame = frame.astype(object)
        frame.iat[3, 2] = value
        return frame

    return change


# words of the sentence -> what is wrong with the table
WRONG = {
    "'member3' has 11": with_score(11),
    "'member3' has -1": with_score(-1),
    "'member3' has inf": with_score(math.inf),
    "has 'nine' for the title 1014": with_score('nine'),
    "'member3' has '9'": with_score('9'),
    "'member3' has True": with_score(True),
    "'member3' has 1000": with_score(10**400),
    "'member3' has [7]": with_score([7]),
    "'member0' has True": lambda frame: frame > -1,
    "'member5' has '7.0'": lambda frame: with_list(7)(frame).fillna(7)[5:].astype(str),
    "'member5' has 12.5": with_list(12.5),
    "'member5' has 1e+300": with_list(1e300),
    'no column for 2 of the 6 titles (1000, 1014)': lambda frame: frame.drop(columns=[1000, 1014]),
    'two columns for the title 1007': lambda frame: pd.concat([frame, frame[[1007]]], axis=1),
    'two columns for the title 1000': lambda frame: frame.assign(**{'1000': 7.0}),
    'names pandas.core.series.Series': lambda frame: frame[1000],
}


@pytest.mark.parametrize('words', WRONG)
def test_what_is_wrong_is_named(tmp_path, words):
    path = tmp_path / 'lists.pkl'
    WRONG[words](table()).to_pickle(path)
    with pytest.raises(RunError) as error:
        list(ratings.read_blocks([str(path)], IDS))
    assert str(path) in str(error.value) and words in str(error.value)
