"""recommend.py's options: filters, statuses, dislikes, sequels, people by name, --explain."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tools.made_up import GENRES, IDS, expected_ids, joined, made_up_list, made_up_nodes
from tools.mal_server import Fault
from tools.mal_site import Site
from tools.outputs import spoken, write_folder, write_list
from tools.planted import GROUPS, SIZE
from tools.processes import is_sentence

import recommend
from aniembed.inputs import titles
from aniembed.taste import filters, opinions
from aniembed.taste.query import Query

# ---- every option against a reference in plain Python --------------------------------------------------


def test_every_option_against_plain_python(vectors):
    vectors = vectors.copy()
    vectors.attrs['unscored'] = IDS[::3]
    random = np.random.default_rng(5)
    lengths, options = [], set()
    for seed in range(120):
        nodes, (scores, statuses) = made_up_nodes(seed), made_up_list(seed)

        def maybe(value, chance=0.3):
            return value if random.random() < chance else None

        facts = {
            'types': maybe(['tv', 'movie']),
            'years': maybe([(2000, 2015), (2005, None), (None, 2010)][seed % 3]),
            'genres': maybe(GENRES[seed % 4 : seed % 4 + 2]),
            'not_genres': maybe(GENRES[(seed + 2) % 4 : (seed + 2) % 4 + 2]),
            'min_score': maybe(6.5),
            'exclude': maybe(IDS[::5]) or (),
            'seasons': maybe([f'{year}-fall' for year in range(1995, 2020)]),
            'no_adult': maybe(True),
            'unscored': maybe(str(random.choice(['only', 'no']))),
        }
        ranking = {
            'number': int(random.integers(1, 40)),
            'planned': str(random.choice(filters.CHOICES)),
            'niche': float(random.choice([0, 0.5, 1])),
            'sequels': bool(random.random() < 0.3),
        }
        anime = titles.title_table(nodes, '')
        wanted = expected_ids(vectors, nodes, scores, statuses, facts=facts, **ranking)
        table = recommend.recommendation_table(vectors, anime, [(scores, statuses)], **ranking, **facts)
        assert table.mal_id.tolist() == wanted
        lengths += [len(table)] * bool(len(table))
        options |= {name for name, value in facts.items() if value}
        prequels = joined(nodes)[1]
        for row in table.itertuples():
            tags = {
                'planned': row.mal_id in scores,
                'sequel': prequels[row.mal_id],
                'new': row.mal_id in IDS[::3],
            }
            assert row.tags == [tag for tag, has in tags.items() if has]
    assert len(options) == 9 and len(lengths) > 60 and sorted(lengths)[len(lengths) // 2] > 3


def test_without_relations_sequels_are_like_all_else(vectors):
    nodes, (scores, statuses) = made_up_nodes(3), made_up_list(3)
    for node in nodes.values():
        del node['related_anime']
    anime = titles.title_table(nodes, '')
    assert not filters.has_relations(anime)
    table = recommend.recommendation_table(vectors, anime, [(scores, statuses)], number=50)
    best = recommend.recommend(vectors, scores, None, statuses)
    assert table.mal_id.tolist() == best.index.tolist() and not table.tags.map(len).max() > 1
    np.testing.assert_array_equal(table.affinity, best)


# ---- what an entry of the list says ----------------------------------------------------------------------


def test_what_each_entry_weighs():
    scores = {1: 9, 2: 8, 3: 5.5, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 9}
    statuses = {4: 'completed', 5: 'dropped', 6: 'plan_to_watch', 7: 'watching', 9: 'dropped'}
    usual = (9 + 8 + 5.5 + 9 + 5 * 7.8) / 9
    assert opinions.usual_score(scores) == pytest.approx(usual)
    weighed = opinions.weigh(scores, statuses)
    weights = {mal_id: weight for mal_id, (_, weight) in weighed.items()}
    assert weights == {1: 1, 2: 1, 3: -0.1, 4: 0.5, 5: -0.1}
    assert weighed[4][0] == pytest.approx(usual) and weighed[5][0] == pytest.approx(usual - 2)
    assert opinions.planned_titles(scores, statuses) == {6}
    assert opinions.seen_titles(scores, statuses) == {1, 2, 3, 4, 7, 8}
    on_the_line = opinions.weigh({1: 5, 2: 5})  # the usual score is 7
    assert [weight for _, weight in on_the_line.values()] == [-0.1, -0.1]
    assert [weight for _, weight in opinions.weigh({1: 5.1, 2: 5}).values()] == [1, -0.1]
    assert opinions.usual_score({}) == 7.8 and opinions.weigh({1: 0, 2: 0}) == {}


def test_a_dislike_does_not_lift_its_neighbours_and_is_no_reason(planted, vectors):
    group = dict(zip(IDS, planted.group.tolist()))
    best = recommend.recommend(vectors, {IDS[0]: 1})
    assert not {group[mal_id] for mal_id in best.index} & {group[IDS[0]]}
    liked = {IDS[1]: 9}
    everything = np.arange(len(IDS))
    without = Query(vectors, liked).terms(everything).sum(0)
    for score in (0, 1):
        query = Query(vectors, {IDS[0]: score, **liked}, {IDS[0]: 'dropped'})
        # Nothing else falls as much as its own group
        change = (query.terms(everything).sum(0) - without)[2:]
        most = 2 + np.argsort(change)[: SIZE - 1]
        assert (planted.group[most] == planted.group[0]).all() and change[most - 2].max() < 0
        assert all(IDS[0] not in known for known in query.reasons(everything, 3))


def test_a_list_without_scores_goes_by_what_was_completed(planted, vectors):
    group = dict(zip(IDS, planted.group.tolist()))
    scores = dict.fromkeys(IDS[: 4 * GROUPS], 0)
    statuses = {mal_id: 'completed' for mal_id in scores if group[mal_id] == 2}
    best = recommend.recommend(vectors, scores, SIZE - 4, statuses)
    assert {group[mal_id] for mal_id in best.index} == {2}
    with pytest.raises(ValueError, match='none of the scores'):
        recommend.recommend(vectors, scores)


def test_an_explanation_has_all_that_is_for_and_against(vectors):
    anime, (scores, statuses) = titles.title_table(made_up_nodes(4), ''), made_up_list(4)
    wanted = next(mal_id for mal_id in IDS if mal_id not in scores)
    table = recommend.explanation(vectors, anime, scores, wanted, statuses)
    terms = Query(vectors, scores, statuses).terms([IDS.index(wanted)])[:, 0]
    assert table.share[table.share > 0].sum() == pytest.approx(1) and table.share.is_monotonic_decreasing
    assert len(table) == (terms != 0).sum() and (table.share < 0).sum() == (terms < 0).sum() > 0
    assert table.share.sum() == pytest.approx(terms.sum() / terms[terms > 0].sum(), rel=1e-4)
    assert table.attrs['predicted'] == pytest.approx(recommend.predict_scores(vectors, scores)[wanted])
    with pytest.raises(ValueError, match='no title with the MAL id 5'):
        recommend.explanation(vectors, anime, scores, 5)


# ---- the command line ------------------------------------------------------------------------------------

# arguments -> the same as keywords
OPTIONS = {
    (): {},
    ('--number', 3, '--niche', 0.7): {'number': 3, 'niche': 0.7},
    ('--type', 'TV, ova', '--years', '2000-2020'): {'types': ['tv', 'ova'], 'years': (2000, 2020)},
    ('--not-genre', 'action', '--years', '2005-'): {'not_genres': ['Action'], 'years': (2005, None)},
    ('--genre', 'Action,Comedy', '--sequels'): {'genres': ['Comedy', 'Action'], 'sequels': True},
    ('--min-score', 7.5, '--not', f'{IDS[3]},{IDS[8]}'): {'min_score': 7.5, 'exclude': (IDS[3], IDS[8])},
    ('--planned', 'no', '--years', '-2020'): {'planned': 'no', 'years': (None, 2020)},
    ('--planned', 'only', '--sequels'): {'planned': 'only', 'sequels': True},
    ('--genre', 'action', '--genre', 'comedy'): {'genres': ['Action', 'Comedy']},
    ('--type', 'movies', '--type', 'ONA', '--years', '2000 – 2020'): {
        'types': ['movie'],
        'years': (2000, 2020),
    },
    ('--not-genre', 'slice-of-life, Sci Fi'): {'not_genres': ['Slice of Life']},
    ('--season', 'fall 2003', '--season', '2010-Spring'): {'seasons': ['2003-fall', '2010-spring']},
    ('--no-adult', '--not', f'Title {IDS[3]}'): {'no_adult': True, 'exclude': [IDS[3]]},
}


def test_the_command_line_gives_what_the_function_gives(vectors, tmp_path):
    lists = map(made_up_list, range(6, 50))
    scores, statuses = next(found for found in lists if len(opinions.planned_titles(*found)) > 1)
    nodes = made_up_nodes(6)
    write_folder(tmp_path, vectors, nodes, IDS)
    me = write_list(tmp_path / 'me.xml', scores, statuses)
    anime = titles.title_table(nodes, '')
    names = recommend.names_of(anime)
    for arguments, keywords in OPTIONS.items():
        said, status, error = spoken([me, *arguments], tmp_path)
        assert (status, error) == (0, '')
        assert 'Hello a_fan!' in said and '14 of the 15 titles on the list are on this map.' in said
        wanted = recommend.recommendation_table(vectors, anime, [(scores, statuses)], **keywords)
        table = pd.read_csv(tmp_path / 'recommendations.csv')
        assert table.mal_id.tolist() == wanted.mal_id.tolist() and len(table)
        assert table.tags.fillna('').tolist() == wanted.tags.map(', '.join).tolist()
        for row in wanted.itertuples():
            line = next(line for line in said.splitlines() if re.search(rf'  {row.mal_id}( |$)', line))
            assert names[row.mal_id] in line and ('[planned]' in line) == ('planned' in row.tags)
    said, status, error = spoken([me, '--explain', wanted.mal_id[0]], tmp_path)
    assert (status, error) == (0, '') and 'What speaks for' in said and 'speaks against' in said
    assert f': {wanted.predicted[0][0]:.1f}\n' in said


@pytest.fixture
def local(vectors, tmp_path, local_site):
    """A server that the environment points at, and a folder whose map has its site's first titles."""
    with local_site(Site(members=200, titles=600)) as server:
        nodes = {node['id']: node for node in server.site.nodes[: len(IDS)]}
        renamed = write_folder(tmp_path, vectors, nodes, list(nodes))
        yield SimpleNamespace(site=server.site, server=server, folder=tmp_path, ids=set(renamed.index))


MAL_NAMES = [
    '--user={}',
    'mal:{}',
    'https://myanimelist.net/profile/{}',
    'myanimelist.net/animelist/{}?status=2',
]


@pytest.mark.parametrize('who', MAL_NAMES)
def test_a_member_of_myanimelist_by_name(local, who):
    name = local.site.names[-1]  # has every title, so that only what is planned is left
    local.server.plan = [Fault('animelist', '429-seconds', 1)]
    said, status, error = spoken([who.format(name)], local.folder)
    assert (status, error) == (0, '') and f'Hello {name}!' in said and '600 entries read' in said
    assert 'status 429' in said
    table = pd.read_csv(local.folder / 'recommendations.csv')
    assert set(table.mal_id) <= opinions.planned_titles(*local.site.listed(name)) & local.ids
    assert len(table) > 1 and (table.tags.str.contains('planned')).all()


def test_a_user_of_anilist_by_name(local):
    name = local.site.names[0]
    address = f'https://anilist.co/user/{name}/animelist'
    said, status, error = spoken([address, '--sequels', '--number', 50], local.folder)
    assert (status, error) == (0, '') and f'Hello {name}!' in said
    scores, statuses = local.site.listed(name)
    unknown = {local.site.nodes[place]['id'] for place, _ in local.site.entries(name) if place % 20 == 13}
    assert f'{len(scores) - len(unknown)} entries read, {len(unknown)} passed over: no MyAnimeList id' in said
    known = (scores.keys() - unknown) - opinions.planned_titles(scores, statuses)
    assert set(pd.read_csv(local.folder / 'recommendations.csv').mal_id) == local.ids - known


@pytest.mark.parametrize('prefix', ['mal:', 'anilist:'])
def test_private_and_missing_members_are_a_sentence(local, prefix):
    for kind, words in (('private', 'is private'), ('missing', 'has no')):
        name = next(name for name in local.site.names if local.site.status(name) == kind)
        _, status, error = spoken([prefix + name], local.folder)
        assert status == 1 and words in error and name in error and is_sentence(error)
