"""aniembed/ratings.py: pickled tables in their forms become blocks of csr_matrix; what is wrong is named."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from tools.planted import ids_of, planted_scores, table_of

from aniembed.files import RunError
from aniembed.inputs import long_table, ratings, wide_table

IDS = ids_of(6)


def table(lists=40):
    """Return a table of scores of six titles."""
    return table_of(planted_scores(lists)[0][:, :6])


FORMS = {
    'as it is': lambda frame: frame,
    'columns in another order, and one more': lambda frame: frame[IDS[::-1]].assign(other=7.0),
    'ids as texts': lambda frame: frame.rename(columns=str),
    'objects and empty cells': lambda frame: frame.astype(object).where(frame.notna(), None),
    'pandas.NA': lambda frame: frame.astype(object).where(frame.notna(), pd.NA),
    'mixed': lambda frame: frame.astype({IDS[0]: object, IDS[2]: 'float32'}),
    'string index': lambda frame: frame.set_axis(pd.Index(frame.index, dtype='string')),
    'no names': lambda frame: frame.reset_index(drop=True),
}


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_every_form_gives_the_same_blocks(tmp_path, form, protocol):
    path = str(tmp_path / 'lists.pkl')
    FORMS[form](table()).to_pickle(path, protocol=protocol)
    (user_items,) = ratings.read_lists([path]).blocks(IDS)
    assert isinstance(user_items, csr_matrix) and user_items.dtype == np.float32
    assert (user_items.data > 0).all()
    np.testing.assert_array_equal(user_items.toarray(), np.nan_to_num(table()))
    wanted = table().iloc[7].dropna().to_dict()
    assert ratings.read_user([path], IDS, '7' if form == 'no names' else 'Member7') == wanted


@pytest.mark.parametrize('kind', ['pkl', 'csv'])
def test_blocks_follow_each_other_and_are_shared(tmp_path, monkeypatch, kind):
    for reader in (long_table, wide_table):
        monkeypatch.setattr(reader, 'USERS_PER_BLOCK', 16)
    frame, path = table().fillna(0), str(tmp_path / f'lists.{kind}')
    if kind == 'pkl':
        frame.to_pickle(path)
    else:
        rows = frame.rename_axis('user').melt(var_name='anime_id', value_name='score', ignore_index=False)
        rows.to_csv(path)
    blocks = [block.toarray() for block in ratings.read_lists([path]).blocks(IDS)]
    assert [len(block) for block in blocks] == [16, 16, 8]
    order = np.lexsort(np.concatenate(blocks).T), np.lexsort(frame.to_numpy().T)  # a long table has none
    np.testing.assert_array_equal(np.concatenate(blocks)[order[0]], frame.to_numpy()[order[1]])
    shares = [
        [block.toarray() for block in ratings.read_lists([path]).blocks(IDS, rank, 2)] for rank in range(2)
    ]
    for share, wanted in zip(shares, ([blocks[0], blocks[2]], [blocks[1]])):
        np.testing.assert_array_equal(np.concatenate(share), np.concatenate(wanted))


def test_several_files_are_shared_and_a_user_is_found_in_any_of_them(tmp_path):
    frame = table()
    frame.iloc[30] = [8, 0, np.nan, 10, np.nan, 1]
    frame[:20].to_pickle(tmp_path / 'part-1.pkl')
    frame[20:].rename(columns=str).to_pickle(tmp_path / 'part-2.pkl')
    paths = ratings.find_files(str(tmp_path / 'part-*.pkl'))
    assert paths == [str(tmp_path / 'part-1.pkl'), str(tmp_path / 'part-2.pkl')]
    for rank, part in enumerate((frame[:20], frame[20:])):
        (block,) = ratings.read_lists(paths).blocks(IDS, rank, 2)
        np.testing.assert_array_equal(block.toarray(), np.nan_to_num(part))
    assert ratings.read_user(paths, IDS, 'MEMBER30') == {IDS[0]: 8, IDS[1]: 0, IDS[3]: 10, IDS[5]: 1}
    assert ratings.read_user(paths, IDS, 'nobody') is None
    wanted = frame.gt(0).sum().sort_values(ascending=False, kind='stable').index[:3].tolist()
    assert ratings.read_lists(paths).most_scored(IDS, 3) == wanted


REFUSED = {
    'nullable': lambda frame: frame.astype('Int8').astype({IDS[0]: 'Float64'}),
    'sparse': lambda frame: frame.astype(pd.SparseDtype('float32', np.nan)),
    'categorical index': lambda frame: frame.set_axis(pd.CategoricalIndex(frame.index)),
    'two levels': lambda frame: frame.set_axis(pd.MultiIndex.from_product([['x'], frame.columns]), axis=1),
}


@pytest.mark.parametrize('form', REFUSED)
def test_a_table_that_is_not_plain_is_read_after_the_advice_was_followed(tmp_path, form):
    path, frame = str(tmp_path / 'lists.pkl'), REFUSED[form](table())
    frame.to_pickle(path)
    with pytest.raises(RunError) as error:
        list(ratings.read_lists([path]).blocks(IDS))
    advice = re.search(
        r'(pandas\.DataFrame.*|frame\.(set_axis|droplevel).*?) (instead|leaves)', str(error.value)
    )[1]
    eval(advice, {'frame': frame, 'pandas': pd}).to_pickle(path)
    (user_items,) = ratings.read_lists([path]).blocks(IDS)
    np.testing.assert_array_equal(user_items.toarray(), np.nan_to_num(table()))


def test_another_scale_is_said_once(tmp_path, capsys):
    (table() / 2).to_pickle(tmp_path / 'lists.pkl')
    lists = ratings.read_lists([str(tmp_path / 'lists.pkl')])
    for _ in range(2):
        np.testing.assert_array_equal(next(lists.blocks(IDS)).toarray(), np.nan_to_num(table()))
    assert capsys.readouterr().out.count('1-5 stars, doubled') == 1


def test_a_path_that_leads_nowhere(tmp_path):
    with pytest.raises(RunError, match='ANIME_DATA_LIST .*no such file'):
        ratings.find_files(f'{tmp_path}/none-*.pkl')


def nested(depth):
    """Return a list that takes forever to print."""
    return [] if depth == 0 else [inner := nested(depth - 1), inner]


def with_score(value):
    """Return a change of the table that sets one score."""

    def change(frame):
        frame = frame if isinstance(value, int) and value < 2**31 else frame.astype(object)
        frame.iat[3, 2] = value
        return frame

    return change


# words of the sentence -> what is wrong with the table
WRONG = {
    "'member3' has 11": with_score(11),
    "has 'nine' for the title 1014": with_score('nine'),
    'has a value of type int for the title 1014': with_score(10**5000),
    'has a value of type list for the title 1014': with_score(nested(50)),
    'no column for 2 of the 6 titles (1000, 1014)': lambda frame: frame.drop(columns=[1000, 1014]),
    'has one row a rating; save it as CSV': lambda frame: (
        frame.rename_axis('user')
        .melt(var_name='anime_id', value_name='score', ignore_index=False)
        .reset_index()
    ),
    'the ids are its rows: write frame.T': lambda frame: frame.T,
    'droplevel': lambda frame: pd.concat({'a': frame, 'b': frame}, axis=1),
    'two columns for the title 1007': lambda frame: pd.concat([frame, frame[[1007]]], axis=1),
    'which no table of scores needs': lambda frame: frame[1000],
}


@pytest.mark.parametrize('words', WRONG)
def test_what_is_wrong_is_named(tmp_path, words):
    path = tmp_path / 'lists.pkl'
    WRONG[words](table()).to_pickle(path)
    with pytest.raises(RunError) as error:
        list(ratings.read_lists([str(path)]).blocks(IDS))
    assert str(path) in str(error.value) and words in str(error.value)


def test_a_table_without_an_empty_cell_is_pointed_out(tmp_path, capsys):
    lists = pd.DataFrame(np.tile([8.0, 0.0, 0.0], (40, 10)), columns=range(1, 31))
    for frame, warned in ((lists, True), (lists.replace(0, np.nan), False)):
        frame.to_pickle(tmp_path / 'lists.pkl')
        list(ratings.read_lists([str(tmp_path / 'lists.pkl')]).blocks([1, 2, 3]))
        assert ('no empty cell' in capsys.readouterr().out) == warned
