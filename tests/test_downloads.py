"""anime_download.ipynb and lists_download.ipynb, run by kernels and killed, against the local MyAnimeList."""

import datetime
import itertools
import json
import random
import re
import signal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import requests
from tools import notebooks
from tools.mal_server import CLIENT_ID, Fault, Server, Site
from tools.processes import run as run_script
from tools.processes import start, wait_until

ANIME, LISTS = 'anime_download.ipynb', 'lists_download.ipynb'
QUICK = {'DELAY': 0, 'constants': {'BACKOFF': 0.001, 'TIMEOUT': 60, 'MAX_FAILURES': 10}}
ENVIRONMENT = {'MAL_CLIENT_ID': CLIENT_ID}


@pytest.fixture(scope='module')
def site():
    return Site(members=60, titles=20_000, seed=3)


@pytest.fixture(scope='module')
def run():
    """Run a notebook; no output of it may hold the client id, and an error is one sentence."""

    def checked(name, folder, server, environment=ENVIRONMENT, kernel=None, **options):
        options = {**QUICK, 'API_URL': f'{server.url}/v2', **options}
        found = (kernel or shared).run(name, folder, environment, **options)
        said = found.text + ''.join(found.error or ())
        assert CLIENT_ID not in said and 'secret' not in said
        if found.error is not None:
            assert len(found.error) == 1 and '\n' not in found.error[0], found.error
        return found

    with notebooks.Kernel() as shared:
        yield checked


def prepare(folder, site, titles=100, names=None):
    """Write the two files that lists_download.ipynb reads."""
    folder.mkdir(exist_ok=True)
    (folder / 'users.txt').write_text('\n'.join(names or site.names) + '\n')
    (folder / 'animelist.txt').write_text(''.join(f'{node["id"]}\n' for node in site.nodes[:titles]))
    return folder


def expected_lists(site, titles=100, names=None):
    """Return what dataframe.pkl has to hold, from the members themselves."""
    ids = [node['id'] for node in site.nodes[:titles]]
    lists = {name: site.scores(name) for name in names or site.names if site.status(name) == 'ok'}
    rows = [[scores.get(mal_id, np.nan) for mal_id in ids] for scores in lists.values()]
    return pd.DataFrame(rows, index=pd.Index(list(lists), dtype=object), columns=ids, dtype='float32')


def journal(folder):
    """Return the entries on the journal's whole lines."""
    path = folder / 'lists.jsonl'
    return [json.loads(line) for line in path.read_bytes().split(b'\n')[:-1]] if path.exists() else []


def day(days):
    return (datetime.date.today() - datetime.timedelta(days=days)).isoformat()


def pages(site, names):
    """Return how many calls the lists take at the least."""
    return sum(
        max(1, -(-len(site.scores(name)) // 1000)) if site.status(name) == 'ok' else 1 for name in names
    )


def asked(server, since=0):
    """Return the names whose lists were asked for, call by call."""
    return [call.path.split('/')[3] for call in server.calls[since:] if call.path.startswith('/v2/users/')]


def silent(pattern):
    """Return the fault of a call that gets no answer, and so is under way for as long as a test needs."""
    return Fault(pattern, 'silence', 1)


def meets_silence(server):
    """Return a function that is true when a call is under way that gets no answer."""
    return lambda: any(call.fault == 'silence' for call in server.calls)


def test_both_undisturbed(tmp_path, site, run):
    """The files of DESIGN, tables and plots, one call a page."""
    lines = ['', *site.names, site.names[0].swapcase(), 'not a name', '']
    (tmp_path / 'users.txt').write_text('\r\n'.join(lines))
    with Server(site) as server:
        titles, lists = run(ANIME, tmp_path, server), run(LISTS, tmp_path, server)
        assert len(server.calls) == 1 + pages(site, site.names)
    assert titles.error is lists.error is None and titles.pictures == lists.pictures == 1
    assert 'no usernames or repeat one: 2.' in lists.text and site.nodes[0]['title'] in lists.text
    files = {'users.txt', 'animes.json', 'animelist.txt', 'lists.jsonl', 'dataframe.pkl'}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert all(CLIENT_ID.encode() not in path.read_bytes() for path in tmp_path.iterdir())
    nodes = json.loads((tmp_path / 'animes.json').read_text(encoding='utf-8'))
    ids = [str(node['id']) for node in site.nodes[:100]]
    assert (tmp_path / 'animelist.txt').read_text().split() == list(nodes) == ids
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / 'dataframe.pkl'), expected_lists(site))
    entries = {entry['user']: entry for entry in journal(tmp_path)}
    statuses = {name: site.status(name) for name in site.names}
    assert {name: entry['status'] for name, entry in entries.items()} == statuses
    ok, private, missing = map(list(statuses.values()).count, ('ok', 'private', 'missing'))
    assert private and missing
    assert f'60 members ({ok} ok' in lists.text and f'{missing} missing' in lists.text
    assert '60 for the first time, 0 again' in lists.text and '; 0 are left to fetch.' in lists.text
    assert {entry['fetched'] for entry in entries.values()} <= {day(0), day(1)}  # the tests may pass midnight
    longest = entries[site.names[-1]]['scores']  # the whole list, not only the titles of animelist.txt
    assert {int(mal_id): score for mal_id, score in longest.items()} == site.scores(site.names[-1])
    assert len(longest) == 18_219


def test_interrupts_lose_nothing(tmp_path, site, run):
    """The stop button in the download, then failures, then to the end: no list is asked for twice."""
    names = [*site.names[:14], site.names[-1]]
    prepare(tmp_path, site, names=names)
    plan = [Fault(f'/{names[1]}/', '504', 4), Fault(f'/{names[2]}/', 'odd', 1), silent(f'/{names[6]}/')]
    with Server(site, plan=plan) as server:
        first = run(LISTS, tmp_path, server, interrupt_when=meets_silence(server))
        assert first.error is None and 'Interrupted. Run this cell again' in first.text
        done = journal(tmp_path)
        assert [entry['user'] for entry in done] == [names[0], *names[2:6]] and first.pictures == 1
        assert 'has 5 members' in first.text and '; 10 are left to fetch' in first.text
        assert f'{names[1]} is left for the next run: status 504' in first.text
        assert f'4 entries on the list of {names[2]} are left out' in first.text
        before = len(server.calls)
        second = run(LISTS, tmp_path, server)
        assert second.error is None and '; 0 are left to fetch.' in second.text
    again = asked(server, before)
    assert not {entry['user'] for entry in done} & set(again) and again[-1] == names[1]
    table = pd.read_pickle(tmp_path / 'dataframe.pkl')
    pd.testing.assert_frame_equal(table, expected_lists(site, names=names))


def test_the_end_of_patience(tmp_path, site, run):
    """The cell ends with a sentence, and says what there is; the next run goes on after it."""
    prepare(tmp_path, site, names=site.names[:6])
    with Server(site, plan=[Fault(f'/{site.names[2]}/', '503', 99)]) as server:
        found = run(LISTS, tmp_path, server, constants={'BACKOFF': 0.001, 'MAX_FAILURES': 3})
        assert '3 calls in a row' in found.error[0] and not found.pictures and len(journal(tmp_path)) == 2
    with Server(site) as server:
        assert run(LISTS, tmp_path, server).error is None and asked(server)[0] == site.names[2]


def test_relations(tmp_path, site, run):
    """One call a title, never a second time; interrupted, with a title that fails, and whole in the end."""
    folder, settings = prepare(tmp_path, site), {'RELATED': True, 'TOP': 40}
    addresses = [f'/anime/{node["id"]}[?]' for node in site.nodes]
    with Server(site, plan=[Fault(addresses[3], '502', 4), silent(addresses[15])]) as server:
        found = run(ANIME, folder, server, interrupt_when=meets_silence(server), **settings)
        assert found.error is None and 'Interrupted' in found.text
        assert 'is left for the next run' in found.text
        nodes = json.loads((folder / 'animes.json').read_text()).values()
        assert sum('related_anime' in node for node in nodes) == 14
        before = len(server.calls)
        assert '\n0 titles are left' in run(ANIME, folder, server, **settings).text
        assert len(server.calls) - before == 1 + 40 - 14
    nodes = json.loads((folder / 'animes.json').read_text())
    assert [node['related_anime'] for node in nodes.values()] == [site.related(place) for place in range(40)]
    assert any(node['related_anime'] for node in nodes.values())


def test_a_second_month(tmp_path, run):
    """Old lists and relations are fetched again, over a kill; lists that are closed now are not used."""
    first, second = (Site(members=60, titles=1000, seed=4, month=month) for month in (1, 2))
    prepare(tmp_path, first)
    with Server(first) as server:
        assert run(ANIME, tmp_path, server, RELATED=True, TOP=60).error is None
        prepare(tmp_path, first)
        assert run(LISTS, tmp_path, server).error is None
    for name in 'lists.jsonl', 'relations.jsonl':
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace(day(0), day(31)).replace(day(1), day(31)))
    with Server(second) as server:
        parameters = {'API_URL': f'{server.url}/v2', **QUICK, 'REFRESH_DAYS': 30}
        with notebooks.processes(
            tmp_path, tmp_path, notebooks.code(LISTS, **parameters), ENVIRONMENT
        ) as begin:
            begin(more_calls(server, 30))
        done = [entry['user'] for entry in journal(tmp_path)[60:]]
        before = len(server.calls)
        lists = run(LISTS, tmp_path, server, REFRESH_DAYS=30)
        again = [name for name, _ in itertools.groupby(asked(server, before))]
        assert len(done) > 25 and done + again == first.names
        assert f'0 for the first time, {len(again)} again' in lists.text
        titles = run(ANIME, tmp_path, server, RELATED=True, TOP=60, REFRESH_DAYS=30)
        assert '0 for the first time, 60 again' in titles.text
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / 'dataframe.pkl'), expected_lists(second))
    assert {first.status(name) + second.status(name) for name in first.names} >= {'okprivate', 'okmissing'}
    nodes = json.loads((tmp_path / 'animes.json').read_text())
    assert [node['related_anime'] for node in nodes.values()] == [second.related(i) for i in range(60)]
    assert sum(first.related(i) != second.related(i) for i in range(60)) > 0


def test_the_new_season_is_added_to_a_ranking(tmp_path, site, run):
    with Server(site) as server:
        assert run(ANIME, tmp_path, server, TOP=30, ALSO='airing, upcoming,airing').error is None
    nodes = json.loads((tmp_path / 'animes.json').read_text())
    ids = [int(mal_id) for mal_id in (tmp_path / 'animelist.txt').read_text().split()]
    assert (
        ids == [node['id'] for node in site.nodes[:30] + site.nodes[site.titles :]] == list(map(int, nodes))
    )
    new = list(nodes.values())[30:]
    assert len(new) == 40 and all('mean' not in node and node['source'] and node['rating'] for node in new)


@pytest.mark.parametrize(
    'name, environment, parameters, words',
    [
        (ANIME, {'MAL_CLIENT_ID': 'secret'}, {}, 'does not accept this client id'),
        # Without one it is asked for, and here nobody can answer.
        (ANIME, {'MAL_CLIENT_ID': ''}, {}, 'There is no client id'),
        (ANIME, ENVIRONMENT, {'ANIME_LIST': 'no/folder'}, 'cannot be written: No such file'),
        (ANIME, ENVIRONMENT, {'ALSO': 'summer'}, "ALSO is 'summer'; it must be some of all, airing"),
        (LISTS, ENVIRONMENT, {'ANIME_DATA_LIST': 'lists.csv'}, "ANIME_DATA_LIST is 'lists.csv'"),
        (LISTS, ENVIRONMENT, {'USERS': 'none.txt'}, 'USERS (none.txt) cannot be read: No such file'),
        (LISTS, ENVIRONMENT, {'ANIME_LIST': 'twice.txt'}, 'line 3: 5 is in line 1 already'),
    ],
)
def test_wrong_settings_end_with_one_sentence(tmp_path, site, run, name, environment, parameters, words):
    (tmp_path / 'users.txt').write_text('Mio\n')
    (tmp_path / 'twice.txt').write_text('5\n7\n5\n')
    before = set(tmp_path.iterdir())
    with Server(site) as server:
        found = run(name, tmp_path, server, environment, **parameters)
        assert found.error and words in found.error[0] and len(server.calls) <= 1
    assert set(tmp_path.iterdir()) == before


def test_without_the_projects_modules_a_notebook_ends_with_one_sentence(tmp_path, site, run):
    with Server(site) as server, notebooks.Kernel(path='/nowhere') as kernel:
        found = run(LISTS, tmp_path, server, kernel=kernel, constants={})
        assert 'this needs the folder aniembed/ beside this notebook' in found.error[0] and not server.calls


def more_calls(server, number):
    """Return a function that is true after so many calls more."""
    goal = len(server.calls) + number
    return lambda: len(server.calls) >= goal


@pytest.mark.slow
def test_lists_killed_at_random_moments(tmp_path, run):
    """SIGKILL: what is in the journal is not fetched again, and the files are those of an undisturbed run."""
    site, rng = Site(members=120, titles=1000, seed=5), random.Random(50)
    calm, folder = prepare(tmp_path / 'calm', site), prepare(tmp_path / 'killed', site)
    with Server(site) as server:
        assert run(LISTS, calm, server).error is None
    kinds = itertools.cycle(('500', 'reset', 'truncated', '429', 'cut'))
    faults = [Fault(f'/{name}/', kind, 1) for name, kind in zip(rng.sample(site.names, 20), kinds)]
    with Server(site, plan=faults) as server:
        script = notebooks.code(LISTS, **{**QUICK, 'API_URL': f'{server.url}/v2', 'DELAY': 0.001})
        with notebooks.processes(tmp_path, folder, script, ENVIRONMENT) as begin:
            for _ in range(8):
                before, done = len(server.calls), [entry['user'] for entry in journal(folder)]
                # However late the kill comes, it meets a process at work: the 13th member gets no answer
                server.plan.append(Fault(f'/{site.names[len(done) + 12]}/', 'silence', 9))
                begin(more_calls(server, rng.randint(1, 10)), rng.uniform(0, 0.01))
                server.plan.pop()
                assert not set(done) & set(asked(server, before))
            for step in (1, 2, 0, 2):
                begin(step=step)
                if (folder / 'dataframe.pkl').exists():
                    assert (folder / 'dataframe.pkl').read_bytes() == (calm / 'dataframe.pkl').read_bytes()
        assert len(server.calls) <= pages(site, site.names) + 20 + 3 * 8
    assert (folder / 'lists.jsonl').read_bytes() == (calm / 'lists.jsonl').read_bytes()
    pd.testing.assert_frame_equal(pd.read_pickle(folder / 'dataframe.pkl'), expected_lists(site))


@pytest.mark.slow
def test_titles_killed_at_random_moments(tmp_path):
    """SIGKILL: both files are whole or absent, no relation is asked for twice, and all of it in the end."""
    site, rng = Site(members=20, titles=700, seed=4), random.Random(20)
    with Server(site) as server:
        parameters = {**QUICK, 'API_URL': f'{server.url}/v2', 'TOP': 120, 'RELATED': True}
        script = notebooks.code(ANIME, **parameters)
        with notebooks.processes(tmp_path, tmp_path, script, ENVIRONMENT) as begin:
            for _ in range(6):
                begin(more_calls(server, rng.randint(1, 15)), rng.uniform(0, 0.01))
            for step in (1, 2, 3, 4, 0, 3, 4):
                begin(step=step)
                data, ids = tmp_path / 'animes.json', tmp_path / 'animelist.txt'
                assert not data.exists() or len(json.loads(data.read_text())) == 120
                assert not ids.exists() or ids.read_text().split() == list(json.loads(data.read_text()))
        titles = [call.path for call in server.calls if re.fullmatch(r'/v2/anime/\d+', call.path)]
        assert len(set(titles)) == 120 and len(titles) <= 120 + 6
    nodes = json.loads(data.read_text())
    assert [node['related_anime'] for node in nodes.values()] == [site.related(place) for place in range(120)]


@pytest.mark.slow
def test_from_the_local_site_to_the_map(tmp_path, run):
    """malscraper.py, both notebooks, embeddings.py, pointed at mal_server.py by the lines that it prints."""
    arguments = '--port', '0', '--members', '240', '--titles', '3000', '--seed', '8'
    arguments += '--plan', 'offset=7', 'forbidden', '1'
    local, site = start('tests/tools/mal_server.py', *arguments), Site(members=240, titles=3000, seed=8)
    text = ''.join(itertools.takewhile(lambda line: 'Ctrl-C' not in line, local.stdout))
    ranking = re.search('MAL_API_URL=(.*)/v2 ', text)[1] + '/v2/anime/ranking?offset=7'
    headers = {'X-MAL-CLIENT-ID': re.search('MAL_CLIENT_ID=(.*)', text)[1]}
    assert [requests.get(ranking, headers=headers).status_code for _ in range(2)] == [403, 200]

    users = tmp_path / 'users.txt'
    options = '--url', re.search('malscraper.py --url ([^ ]*)', text)[1], '--hours', '0', '--delay', '0.5'
    scraper = start('malscraper.py', *options, cwd=tmp_path)
    wait_until(lambda: users.exists() and users.read_text().count('\n') >= 60)
    scraper.send_signal(signal.SIGINT)
    scraper.communicate()
    names = users.read_text().split()
    assert scraper.returncode == 130 and set(names) <= set(site.names)

    server = SimpleNamespace(url=ranking.partition('/v2')[0])
    assert run(ANIME, tmp_path, server).error is None
    lists = run(LISTS, tmp_path, server)
    assert lists.error is None
    local.send_signal(signal.SIGINT)
    assert 'Stopped after' in local.communicate()[0] and local.returncode == 130
    inputs = 'ANIME_LIST=animelist.txt', 'ANIME_DATA=animes.json', 'ANIME_DATA_LIST=dataframe.pkl'
    assert run_script('embeddings.py', *inputs, 'OUTPUT_DIR=output', cwd=tmp_path).returncode == 0
    vectors = pd.read_pickle(tmp_path / 'output' / 'embeddings.pkl')
    assert list(vectors.index) == [node['id'] for node in site.nodes[:100]]
    used = json.loads((tmp_path / 'output' / 'settings.json').read_text(encoding='utf-8'))['lists']
    assert int(re.search(r'lists that embeddings.py will use +(\d+)', lists.text)[1]) == used['kept']
    fetched = int(re.search(r'\nlists +(\d+)', lists.text)[1])
    assert fetched == used['read'] == len(expected_lists(site, names=names))
