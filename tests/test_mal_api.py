"""The APIs of MyAnimeList and AniList, against the local MyAnimeList on a real socket."""

import datetime
import getpass
import re
import time

import numpy as np
import pytest
from tools.mal_server import CLIENT_ID, PASSING, Fault, Server, Site
from tools.scripted_server import Clock

from aniembed.files import RunError
from aniembed.sites import anilist_api, client, mal_api


@pytest.fixture(scope='module')
def site():
    return Site(members=60, titles=20_000, seed=3)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time that passes by sleeping alone, for the client and the server; only a socket still waits."""
    clock = Clock()
    for name in ('time', 'monotonic', 'sleep'):
        monkeypatch.setattr(time, name, getattr(clock, name))
    return clock


@pytest.fixture
def said():
    """What a client announces; it may never hold the client id."""
    lines = []
    yield lines
    assert CLIENT_ID not in ''.join(lines)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(client, 'TIMEOUT', 60)
    monkeypatch.setattr(client, 'BACKOFF', 0.001)


def client_of(server, say, client_id=CLIENT_ID, delay=0):
    return mal_api.MyAnimeList(f'{server.url}/v2', client_id, delay, say)


def entries_of(site, name):
    """What animelist() has to return of a member, from the member itself."""
    scores, statuses = site.listed(name)
    return {mal_id: (score, statuses[mal_id]) for mal_id, score in scores.items()}


def test_a_list_comes_whole_over_every_passing_fault(site, said):
    """The longest list has 19 pages; each is met by faults, and by addresses with another scheme."""
    name = site.names[-1]
    faults = [*PASSING, 'forbidden']
    plan = [Fault(f'offset={1000 * (1 + i)}$', fault, 1) for i, fault in enumerate(faults)]
    plan += [Fault('offset=17000', 'https', 1)]
    with Server(site, plan=plan) as server:
        found = client_of(server, said.append).animelist(name)
        assert not any(fault.times for fault in server.plan)
        assert len(server.calls) == 19 + len(faults)
        wanted = {'nsfw': 'true', 'fields': 'list_status', 'limit': '1000'}
        assert all(call.query == {**call.query, **wanted} for call in server.calls)
        assert {call.client_id for call in server.calls} == {CLIENT_ID}
    assert found == ('ok', entries_of(site, name), 0, 0)
    assert len(said) == len(faults)


def test_a_site_that_is_silent(site, said, monkeypatch):
    monkeypatch.setattr(client, 'TIMEOUT', 0.5)
    with Server(site, plan=[Fault('', 'silence', 1)]) as server:
        assert client_of(server, said.append).animelist(site.names[0]).status == 'ok'
    assert 'no answer for 0.5 s: waiting' in said[0]


def test_a_private_and_a_missing_list(site, said):
    with Server(site) as server:
        api = client_of(server, said.append)
        for status in ('private', 'missing'):
            name = next(name for name in site.names if site.status(name) == status)
            assert api.animelist(name) == (status, {}, 0, 0)
        assert api.animelist('nobody-at-all').status == 'missing'
        assert len(server.calls) == 3 and not said


def test_odd_entries_cost_themselves_and_not_the_member(site, said):
    name = site.names[0]
    with Server(site, plan=[Fault('/users/', 'odd', 1), Fault('/users/', 'shape', 1)]) as server:
        api = client_of(server, said.append)
        assert api.animelist(name) == ('ok', entries_of(site, name), 4, 0)
        with pytest.raises(mal_api.Failed, match='not what the API gives'):  # no entry can be read
            api.animelist(name)


UNFETCHED = [
    ('list', 'circle', 'circle'),
    ('list', '504', 'status 504'),
    ('list', '400', 'invalid q'),
]
UNFETCHED += [('ranking', '503', '10 calls in a row'), ('ranking', 'redirect', 'redirect')]
UNFETCHED += [('list', 'elsewhere', 'another host'), ('ranking', 'elsewhere', 'another host')]


@pytest.mark.parametrize('what, fault, words', UNFETCHED)
def test_what_cannot_be_fetched(site, said, what, fault, words):
    """A list is left for the next time, a ranking ends the run, and nothing is ever sent to another host."""
    with Server(site) as elsewhere, Server(site, elsewhere=elsewhere.url) as server:
        api, times = client_of(server, said.append), client.TRIES if what == 'list' else 20
        server.plan = [Fault(f'{what}.*offset=', fault, times)]
        with pytest.raises(RunError, match=words) as ended:
            api.animelist(site.names[-1]) if what == 'list' else api.ranking('all', 501)
        assert isinstance(ended.value, mal_api.Failed) == (what == 'list') and not elsewhere.calls
        assert api.animelist(site.names[0]).status == 'ok'  # the next call works


@pytest.mark.parametrize(
    'fault, client_id, words',
    [
        (None, 'wrong', 'does not accept this client id'),
        ('forbidden', CLIENT_ID, 'Either it does not accept this client id .* or .* too many calls'),
        ('429-days', CLIENT_ID, 'no calls until DAY. Run this again then'),
    ],
)
def test_what_ends_a_run_at_the_first_call(site, said, fault, client_id, words):
    until = datetime.datetime.now() + datetime.timedelta(seconds=200_000)  # as 429-days says
    with Server(site, plan=[Fault('', fault, 9)] if fault else []) as server:
        with pytest.raises(RunError, match=words.replace('DAY', f'{until:%d %B}.*')) as ended:
            client_of(server, said.append, client_id).animelist(site.names[0])
        assert not isinstance(ended.value, mal_api.Failed) and len(server.calls) == 1


def test_throttling_after_a_call_that_worked_is_waited_out(site, said):
    """The answer is that to a wrong client id, but this one has worked."""
    with Server(site) as server:
        api = client_of(server, said.append)
        api.animelist(site.names[0])
        server.plan = [Fault('', 'forbidden', 3)]
        assert api.animelist(site.names[1]).entries == entries_of(site, site.names[1])
    assert len(said) == 3 and all('status 403: waiting' in line for line in said)


def test_patience_ends_after_failures_in_a_row_whatever_was_asked_for(site, said, monkeypatch):
    monkeypatch.setattr(client, 'MAX_FAILURES', 6)
    with Server(site, plan=[Fault('', '503', 99)]) as server:
        api = client_of(server, said.append)
        with pytest.raises(mal_api.Failed):
            api.animelist(site.names[0])
        with pytest.raises(RunError, match='6 calls in a row failed.*status 503'):
            api.animelist(site.names[1])
        assert len(server.calls) == 6


def test_pace(site, clock, said, monkeypatch):
    """Calls start so far apart that the delay is kept, and the time that an answer takes is not added."""
    record = Server.record
    with Server(site) as server:
        monkeypatch.setattr(server, 'record', lambda call: record(server, call) or clock.sleep(0.1))
        api = client_of(server, said.append, delay=0.4)
        for name in site.names[:6]:
            api.animelist(name)
        np.testing.assert_allclose(np.diff([call.time for call in server.calls]), 0.4, rtol=1e-5)


def test_announced_waits(site, said, monkeypatch):
    """Retry-After in seconds and as a date, and a backoff that doubles."""
    monkeypatch.setattr(client, 'BACKOFF', 0.5)
    with Server(site) as server:
        server.plan = [Fault('', '429-seconds', 1), Fault('', '429-date', 1), Fault('', '502', 1)]
        client_of(server, said.append).animelist(site.names[-1])
        gaps = np.diff([call.time for call in server.calls])[:3]
    form = r'\d\d:\d\d:\d\d  status \d+: waiting ([\d.]+) s, until \d\d:\d\d:\d\d \(failure (\d) in a row, 10'
    waits = [re.match(form, line).groups() for line in said]
    assert [int(failures) for _, failures in waits] == [1, 2, 3]
    np.testing.assert_allclose(gaps, [float(wait) for wait, _ in waits], atol=0.06)
    assert gaps[0] == pytest.approx(1) and 1 <= gaps[1] <= 2 and 2 <= gaps[2] <= 3


def test_titles_of_a_ranking_that_moves(site, said, monkeypatch):
    """Titles move between pages while they are read: none twice, none missing, in the order at the end."""
    faults = ['429', '403', 'html', 'reset', 'truncated', 'forbidden']
    with Server(site, plan=[Fault('offset=0', 'move', 1), Fault('offset=500', 'move', 1)]) as server:
        server.plan += [Fault('offset=500', fault, 1) for fault in faults]
        seen = []
        monkeypatch.setattr(client, 'MAX_FAILURES', 20)
        found = client_of(server, said.append).ranking('bypopularity', 1200, True, seen.append)
        wanted = server.ranking()[:1200]
        assert server.moved == 2
    assert list(found) == [node['id'] for node in wanted]
    for node in wanted:
        got = found[node['id']]
        assert got.keys() == node.keys() - {'related_anime'}
        assert all(got[key] == node[key] for key in got if key != 'main_picture')
    assert seen[-1] == 1200 and sum('moved' in line for line in said) == 1


def test_fewer_titles_than_wanted_null_fields_and_odd_entries(said):
    plan = [Fault('offset=0', 'null', 1), Fault('offset=500', 'odd', 1)]
    with Server(Site(members=20, titles=730), plan=plan) as server:
        found = client_of(server, said.append).ranking('tv', 1000, nsfw=False)
        assert [call.query['nsfw'] for call in server.calls] == ['false', 'false']
    nodes = list(found.values())
    assert len(nodes) == 730 and all(node.keys() == {'id', 'title'} for node in nodes[:500])
    assert any('mean' in node for node in nodes[500:])
    assert '4 entries of the ranking were passed over' in said[0]


def test_related_titles(site, said):
    with Server(site, plan=[Fault('/anime/', 'odd', 1), Fault('/anime/', 'null', 1)]) as server:
        api, place = client_of(server, said.append), 1005  # generated
        mal_id = site.nodes[place]['id']
        assert api.related(mal_id) == site.related(place) != []
        assert api.related(mal_id) == []  # null
        assert api.related(site.nodes[place + 1]['id'])[0]['node']['id'] == mal_id
        assert api.related(999_999) == []


def test_where_the_client_id_comes_from(monkeypatch):
    monkeypatch.setenv('MAL_CLIENT_ID', ' from-the-environment\n')
    assert mal_api.client_id() == 'from-the-environment'
    monkeypatch.setenv('MAL_CLIENT_ID', 'a secret of two words')
    with pytest.raises(RunError, match='no client id') as ended:
        mal_api.client_id()
    assert 'secret' not in str(ended.value)
    monkeypatch.delenv('MAL_CLIENT_ID')
    monkeypatch.setattr(getpass, 'getpass', lambda prompt: 'typed-in')
    assert mal_api.client_id() == 'typed-in'


# ---- one member's list, for recommend.py -------------------------------------------------------------------


@pytest.fixture
def local(site, local_site):
    with local_site(site) as server:
        yield server


def test_a_member_of_myanimelist(site, local, said):
    assert mal_api.member_list(site.names[0], said.append) == ('ok', entries_of(site, site.names[0]), 0, 0)
    with pytest.raises(RunError, match="'../me' is no username"):
        mal_api.member_list('../me', said.append)


def test_a_user_of_anilist(site, local, said):
    """Scores with decimals, custom lists that repeat entries, titles that only AniList has; over a 429."""
    name = site.names[-1]
    local.plan = [Fault('/anilist', '429-seconds', 1)]
    found = anilist_api.member_list(name, said.append)
    assert len(said) == 1 and 'status 429: waiting 1.0 s' in said[0]
    assert local.calls[-1].time - local.calls[-2].time >= 1 and local.calls[-1].client_id is None
    wanted = {}
    for place, score in site.entries(name):
        if place % 20 != 13:
            half = 0.5 if place % 3 == 0 and 0 < score < 10 else 0
            wanted[site.nodes[place]['id']] = score + half, site.watching(place, score)
    assert found.entries == wanted
    assert found.unknown == len(site.entries(name)) - len(wanted) > 0 and found.odd == 0


@pytest.mark.parametrize('read, site_name', [(mal_api, 'MyAnimeList'), (anilist_api, 'AniList')])
def test_a_site_that_does_not_answer(site, local, said, read, site_name):
    local.plan = [Fault('', '503', 99)]
    with pytest.raises(RunError, match=f'cannot be fetched from {site_name}: status 503'):
        read.member_list(site.names[0], said.append)


def test_a_wrong_address_is_named(said, monkeypatch):
    monkeypatch.setenv('ANILIST_URL', 'anilist')
    with pytest.raises(RunError, match='must be an address with http'):
        anilist_api.member_list('Mio', said.append)
    pace = str(mal_api.MyAnimeList('http://127.0.0.1/v2', CLIENT_ID, delay=0.1))
    assert 'at least 0.1 s apart' in pace and 'bans' in pace and CLIENT_ID not in pace


def test_a_socks_proxy_that_cannot_be_used_is_named_at_once(site, local, said, monkeypatch):
    monkeypatch.setenv('http_proxy', 'socks5://127.0.0.1:9')
    monkeypatch.setenv('no_proxy', '')
    for read in mal_api, anilist_api:
        with pytest.raises(RunError, match='SOCKS.* Check the proxy variables'):
            read.member_list(site.names[0], said.append)
    assert not said and not local.calls
