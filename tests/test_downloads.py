"""anime_download.ipynb and lists_download.ipynb, run by real kernels against tests/mal_server.py on a real socket."""

import contextlib
import datetime
import fcntl
import itertools
import json
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import jupyter_client
import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest
import requests
from conftest import ROOT
from mal_server import BY_HAND, CLIENT_ID, Fault, Server, Site

ANIME, LISTS = 'anime_download.ipynb', 'lists_download.ipynb'
QUICK = {'DELAY': 0, 'BACKOFF': 0.001, 'TIMEOUT': 2.5}
ENVIRONMENT = {**os.environ, 'MAL_CLIENT_ID': CLIENT_ID}
ENVIRONMENT.pop('MAL_API_URL', None)


def code_cells(name, **parameters):
    """The code of a notebook, cell by cell; `parameters` come after the cell that is tagged so, as in papermill."""
    for cell in nbformat.read(ROOT / name, as_version=4).cells:
        if cell.cell_type == 'code':
            yield cell.source
            if 'parameters' in cell.metadata.get('tags', ()):
                yield '\n'.join(f'{key} = {value!r}' for key, value in parameters.items())


def cell(name, part):
    """The code of the first cell of a notebook that has this part in it."""
    return next(source for source in code_cells(name) if part in source)


class Kernel:
    """A kernel that runs notebooks cell by cell in any folder; no output of it may ever hold the client id."""

    def __init__(self):
        self.manager, self.client = jupyter_client.manager.start_new_kernel(env=ENVIRONMENT)
        self.text, self.error, self.pictures = '', None, 0

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)  # SIGKILL

    def output(self, message):
        content = message['content']
        if message['msg_type'] == 'execute_input':  # the code itself, sent back
            return
        assert CLIENT_ID not in json.dumps(content)
        self.text += content.get('text', '') + content.get('data', {}).get('text/plain', '') + '\n'
        self.pictures += 'image/png' in content.get('data', {})
        if message['msg_type'] == 'error':
            self.error = content['traceback']

    def run_cell(self, source):
        self.client.execute_interactive(source, output_hook=self.output, allow_stdin=False, timeout=60)
        return self.error is None

    def run(self, name, folder, until=None, environment=None, **parameters):
        """Run the cells up to the one with `until` in it; return the error's lines or None. `text` is what was printed."""
        self.text, self.error, self.pictures = '', None, 0
        environment = {'MAL_CLIENT_ID': CLIENT_ID} if environment is None else environment
        self.run_cell(f'import os; os.chdir({str(folder)!r}); os.environ.update({environment!r})')
        for source in code_cells(name, **{**QUICK, **parameters}):
            if not self.run_cell(source) or (until and until in source):
                break
        return self.error


@pytest.fixture(scope='module')
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.fixture(scope='module')
def site():
    return Site(members=60, titles=20_000, seed=3)


def prepare(folder, site, titles=100, names=None):
    """The two files that lists_download.ipynb reads."""
    (folder / 'users.txt').write_text('\n'.join(names or site.names) + '\n')
    (folder / 'animelist.txt').write_text(''.join(f'{node["id"]}\n' for node in site.nodes[:titles]))
    return folder


def expected_lists(site, titles=100, names=None):
    """What dataframe.pkl has to hold, from the members themselves."""
    ids = [node['id'] for node in site.nodes[:titles]]
    lists = {name: site.scores(name) for name in names or site.names if site.status(name) == 'ok'}
    return pd.DataFrame(
        [[scores.get(mal_id, np.nan) for mal_id in ids] for scores in lists.values()],
        index=list(lists),
        columns=ids,
        dtype='float32',
    )


def journal(folder):
    """The entries on the journal's whole lines."""
    path = folder / 'lists.jsonl'
    return [json.loads(line) for line in path.read_bytes().split(b'\n')[:-1]] if path.exists() else []


def pages(site, names=None):
    """How many calls the lists take, at the least."""
    return sum(
        max(1, -(-len(site.scores(name)) // 1000)) if site.status(name) == 'ok' else 1 for name in names or site.names
    )


def asked(server, since=0):
    """The lower-case names whose lists were asked for, call by call."""
    return [call.path.split('/')[3].lower() for call in server.calls[since:] if call.path.startswith('/v2/users/')]


def assert_one_sentence(error, *words):
    """Exactly one line, and no trace of a traceback."""
    assert error is not None and len(error) == 1 and '\n' not in error[0] and 'Traceback' not in error[0], error
    for word in words:
        assert word in error[0], error[0]


@pytest.mark.parametrize('name', [ANIME, LISTS])
def test_notebooks_are_stored_clean(name):
    notebook = json.loads((ROOT / name).read_text(encoding='utf-8'))
    nbformat.validate(notebook)
    code = [cell for cell in notebook['cells'] if cell['cell_type'] == 'code']
    assert all(cell['outputs'] == [] and cell['execution_count'] is None for cell in code)
    assert sum('parameters' in cell['metadata'].get('tags', ()) for cell in code) == 1
    assert notebook['metadata']['kernelspec']['name'] == 'python3'
    kinds = [cell['cell_type'] for cell in notebook['cells']]
    assert kinds == ['markdown'] + ['markdown', 'code'] * len(code)  # every cell has its sentence


@pytest.mark.parametrize('part', ['getpass.getpass', 'class PoliteAdapter', 'def ask', 'def call'])
def test_both_notebooks_have_the_same_client(part):
    assert cell(ANIME, part) == cell(LISTS, part)


def test_both_undisturbed(tmp_path, site, kernel):
    """The files of DESIGN, tables and plots, one call a page, and no file or output with the client id."""
    (tmp_path / 'users.txt').write_text('\r\n'.join(['', *site.names, site.names[0].swapcase(), 'not a name', '']))
    with Server(site) as server:
        for name, pictures in ((ANIME, 1), (LISTS, 1)):
            assert (
                kernel.run(name, tmp_path, API_URL=f'{server.url}/v2') is None and kernel.pictures == pictures
            ), kernel.text
        assert re.search('passed over.*: 2[.]', kernel.text) and site.nodes[0]['title'] in kernel.text
        assert len(server.calls) == 1 + pages(site) and max(pages(site, [name]) for name in site.names) == 19
    files = {'users.txt', 'animes.json', 'animelist.txt', 'lists.jsonl', 'dataframe.pkl'}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert all(CLIENT_ID.encode() not in path.read_bytes() for path in tmp_path.iterdir())
    nodes = json.loads((tmp_path / 'animes.json').read_text(encoding='utf-8'))
    ids = [str(node['id']) for node in site.nodes[:100]]
    assert (tmp_path / 'animelist.txt').read_text().split() == list(nodes) == ids
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / 'dataframe.pkl'), expected_lists(site))
    entries = {entry['user']: entry for entry in journal(tmp_path)}
    assert {name: entry['status'] for name, entry in entries.items()} == {
        name: site.status(name) for name in site.names
    }
    ok, private, missing = [[*map(site.status, site.names)].count(status) for status in ('ok', 'private', 'missing')]
    assert private and missing
    assert f'60 members: {ok} lists, {private} private, {missing} do not exist. 0 are left.' in kernel.text
    longest = entries[site.names[-1]]['scores']  # the whole list, not only the titles of animelist.txt
    assert {int(mal_id): score for mal_id, score in longest.items()} == site.scores(site.names[-1])
    assert len(longest) == 18_219


def test_titles_over_faults_and_a_moving_ranking(tmp_path, site, kernel):
    """Every fault that a retry gets over, titles moving between pages: no id twice, TOP titles, nodes as they came."""
    faults = ['429-seconds', '403', '405', '502', 'html', 'reset', 'cut', 'truncated', 'silence', 'redirect-inside']
    with Server(site, plan=[Fault('offset=0', 'move', 1), Fault('offset=500', 'move', 1)]) as server:
        server.plan += [Fault('offset=(0|500)', fault, 1) for fault in faults]
        assert kernel.run(ANIME, tmp_path, API_URL=f'{server.url}/v2', TOP=1200, MAX_FAILURES=20) is None
        want = server.ranking()[:1200]
        assert server.moved == 2 and not any(fault.times for fault in server.plan)
    nodes = json.loads((tmp_path / 'animes.json').read_text(encoding='utf-8'))
    assert list(nodes) == (tmp_path / 'animelist.txt').read_text().split() == [str(node['id']) for node in want]
    for node in want:
        got = nodes[str(node['id'])]
        assert got.keys() == node.keys() and all(
            got[key] == value for key, value in node.items() if key != 'main_picture'
        )
    assert 'has moved' in kernel.text and '1,200 titles.' in kernel.text and kernel.pictures == 1
    assert kernel.text.count(': waiting ') == len(faults) - 1  # a redirect inside is no failure


def test_fewer_titles_than_wanted(tmp_path, kernel):
    with Server(Site(members=20, titles=730), plan=[Fault('offset=0', 'move', 1)]) as server:
        assert kernel.run(ANIME, tmp_path, API_URL=f'{server.url}/v2', TOP=1000, NSFW=False) is None
        assert [call.query['nsfw'] for call in server.calls] == ['false'] * 4
    assert '730 titles, all that the ranking has' in kernel.text
    assert len(set((tmp_path / 'animelist.txt').read_text().split())) == 730


@pytest.mark.parametrize(
    'fault, words',
    [
        ('401', ('client id',)),
        ('forbidden', ('client id',)),
        ('400', ('invalid q',)),
        ('redirect', ('another host',)),
        ('elsewhere', ('another host',)),
        ('shape', ('without an id',)),
        ('503', ('10 calls in a row', 'status 503')),
    ],
)
def test_titles_end_with_one_sentence(tmp_path, site, kernel, fault, words):
    (tmp_path / 'animes.json').write_text('what was there before')
    with Server(site) as elsewhere, Server(site, plan=[Fault('ranking', fault, 20)], elsewhere=elsewhere.url) as server:
        assert_one_sentence(kernel.run(ANIME, tmp_path, API_URL=f'{server.url}/v2', TOP=501), *words)
        assert len(server.calls) == (10 if fault == '503' else 1) and not elsewhere.calls
    assert [path.name for path in tmp_path.iterdir()] == ['animes.json']
    assert (tmp_path / 'animes.json').read_text() == 'what was there before'


def test_a_ban_of_days_ends_the_run_and_says_until_when(tmp_path, site, kernel):
    with Server(site, plan=[Fault('ranking', '429-days', 1)]) as server:
        before = datetime.datetime.now()
        error = kernel.run(ANIME, tmp_path, API_URL=f'{server.url}/v2')
        after = datetime.datetime.now()
        assert len(server.calls) == 1
    assert_one_sentence(error, 'left alone until')
    ban = datetime.timedelta(seconds=200_000)
    assert any(f'{moment + ban:%d %B, %H:%M}' in error[0] for moment in (before, after)), error


@pytest.mark.parametrize(
    'environment, parameters, words',
    [
        ({'MAL_CLIENT_ID': 'wrong'}, {}, ('does not accept', 'https://myanimelist.net/apiconfig')),
        ({'MAL_CLIENT_ID': ''}, {}, ('MAL_CLIENT_ID',)),  # then it is asked for, and this kernel has nobody to ask
        ({'MAL_CLIENT_ID': 'secret\nword'}, {}, ('no client id',)),
        (None, {'API_URL': 'myanimelist'}, ("API_URL is 'myanimelist'", 'http:// or https://')),
        (None, {'DELAY': -1}, ('DELAY is -1', '0 or more')),
        (None, {'MAX_FAILURES': 0}, ('MAX_FAILURES is 0',)),
        (None, {'TOP': 0}, ('TOP is 0',)),
        (None, {'ANIME_LIST': 'no/folder'}, ('no/folder', 'cannot be written', 'unchanged')),
        (None, {'RANKING_TYPE': 'best'}, ('invalid ranking_type',)),
    ],
)
def test_wrong_settings_end_with_one_sentence(tmp_path, site, kernel, environment, parameters, words):
    with Server(site) as server:
        error = kernel.run(ANIME, tmp_path, environment=environment, **{'API_URL': f'{server.url}/v2', **parameters})
        assert_one_sentence(error, *words)
        assert 'secret' not in kernel.text + error[0] and len(server.calls) <= 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    'parameters',
    [
        {'MIN_ANIME_REQUIRED': 'x'},
        {'MIN_ANIME_REQUIRED': 0},
        {'MIN_ANIME_REQUIRED': 2.5},
        {'BOTTER_LIMIT': '9'},
        {'BOTTER_LIMIT': 11},
        {'ANIME_DATA_LIST': 'lists.csv'},
    ],
)
def test_wrong_settings_of_the_table_are_found_before_the_download(tmp_path, kernel, parameters):
    (name, value), = parameters.items()
    assert_one_sentence(kernel.run(LISTS, tmp_path, API_URL='http://127.0.0.1:9/v2', **parameters), f'{name} is {value!r}')
    assert 'Calls go to' not in kernel.text and not list(tmp_path.iterdir())


def test_client_id_is_asked_for_without_echo(tmp_path, site, kernel):
    """And an address that ends in a slash is as good as one without."""
    requests_for_input = []

    def answer(message):
        requests_for_input.append(message['content'])
        kernel.client.input(CLIENT_ID)

    with Server(site) as server:
        settings = {'environment': {'MAL_CLIENT_ID': ''}, 'API_URL': f'{server.url}/v2/'}
        assert kernel.run(ANIME, tmp_path, until="require('API_URL'", **settings) is None
        cells = list(code_cells(ANIME))
        for source in cells[cells.index(cell(ANIME, 'getpass.getpass')) :]:
            reply = kernel.client.execute_interactive(
                source, output_hook=kernel.output, allow_stdin=True, stdin_hook=answer, timeout=60
            )
            assert reply['content']['status'] == 'ok'
        assert [asked['password'] for asked in requests_for_input] == [True] and [
            call.client_id for call in server.calls
        ] == [CLIENT_ID]
        assert '//' not in server.calls[0].path and (tmp_path / 'animes.json').exists()


def test_lists_over_faults(tmp_path, site, kernel):
    """Every fault: lists that can be had are had; the others, and only those, are asked for again next time."""
    names = site.names[:12] + site.names[-1:]
    prepare(tmp_path, site, names=names)
    passing = [fault for fault in BY_HAND if fault != '429-date'] + ['silence']
    with Server(site) as elsewhere, Server(site, elsewhere=elsewhere.url) as server:
        server.plan = [Fault(f'/{names[3 + i % 9]}/', fault, 1) for i, fault in enumerate(passing)]
        server.plan += [
            Fault(f'/{names[0]}/', '504', 4),
            Fault(f'/{names[1]}/', '400', 1),
            Fault(f'/{names[2]}/', 'shape', 1),
            Fault(f'/{names[-1]}/.*offset=5000', 'circle', 1),
            Fault(f'/{names[-1]}/.*offset=9000', 'elsewhere', 1),
        ]
        for failures in (4, 1, 0):  # of the long list: first it goes in a circle, then to another host, then it comes
            before, done = len(server.calls), {entry['user'].lower() for entry in journal(tmp_path)}
            assert kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2') is None, kernel.error
            assert (
                kernel.text.count('left for the next time') == failures and f'. {failures} are left' in kernel.text
            ), kernel.text
            assert len(journal(tmp_path)) == len(names) - failures and not done & set(asked(server, before))
            first = names[-1] if done else names[0]  # what failed before comes last
            assert asked(server, before)[0] == first.lower()
        assert not any(fault.times for fault in server.plan) and not elsewhere.calls
        assert all(
            call.query == {**call.query, 'nsfw': 'true', 'fields': 'list_status', 'limit': '1000'}
            for call in server.calls
        )
        faults = sum(call.fault is not None for call in server.calls)
        # The long list: 6 pages, 10, 19; every other fault is one call more
        assert len(asked(server)) == 12 + 6 + 10 + 19 + faults - 2
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / 'dataframe.pkl'), expected_lists(site, names=names))


def test_end_of_patience_and_a_client_id_that_expires(tmp_path, site, kernel):
    """Both end the cell with a sentence and the journal keeps what there is; the next run goes on after it."""
    prepare(tmp_path, site, names=site.names[:9])
    for done, fault, words in (
        (0, '401', ('client id',)),
        (2, '503', ('5 calls in a row', '503')),
        (4, '401', ('client id',)),
        (6, 'forbidden', ('client id',)),
    ):
        with Server(
            site, plan=[Fault(f'/{site.names[done]}/', fault, 99), Fault(f'/{site.names[done + 1]}/', fault, 99)]
        ) as server:
            assert_one_sentence(kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2', MAX_FAILURES=5), *words)
        assert [entry['user'] for entry in journal(tmp_path)] == site.names[:done]
        assert ('at this pace' in kernel.text) == (done > 0)  # there is none yet without a list


def test_rate_and_interrupts(tmp_path, site, kernel):
    """No two calls closer than DELAY in the server's log: over retries, redirects, interrupts, new starts; nor much slower."""
    delay, names = 0.25, site.names[:14]
    slack = 0.1  # how late a busy machine may write a call into the server's log
    prepare(tmp_path, site, names=names)
    plan = [Fault('/users/', fault, 1) for fault in ('500', 'reset', 'redirect-inside', '429')]
    with Server(site, plan=plan) as server:
        source = cell(LISTS, 'left, bar')
        for calls in (7, 4):
            with interrupted(kernel, server, calls):
                assert (
                    kernel.run(LISTS, tmp_path, until='left, bar', API_URL=f'{server.url}/v2', DELAY=delay, BACKOFF=0)
                    is None
                ), kernel.error
            number = len(journal(tmp_path))
            assert 'Interrupted. Run this cell again' in kernel.text
            assert 0 < number < 14 and re.search(
                rf'holds {number} members: .*[.] {14 - number} are left, about 0:00:\d\d at this pace', kernel.text
            )
            with interrupted(kernel, server, 2):  # the same cell again, at once
                assert kernel.run_cell(source), kernel.error
        assert kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2', DELAY=delay, BACKOFF=0) is None
        times = np.array([call.time for call in server.calls])
        names_asked = asked(server)
    assert np.diff(times).min() >= delay - slack and times[-1] - times[0] >= delay * (len(times) - 1) - slack, np.diff(
        times
    )
    assert np.median(np.diff(times)) < delay + slack  # from start to start: the answer's time is not added
    assert 14 + 4 <= len(names_asked) <= 14 + 4 + 4  # each once; once more for each fault and each interrupt
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / 'dataframe.pkl'), expected_lists(site, names=names))


@contextlib.contextmanager
def interrupted(kernel, server, calls):
    """What the stop button does, some calls later."""
    goal, over = len(server.calls) + calls, threading.Event()

    def press():
        while len(server.calls) < goal and not over.wait(0.01):
            pass
        kernel.manager.interrupt_kernel()

    thread = threading.Thread(target=press)
    thread.start()
    yield
    over.set()
    thread.join()


def test_waits_are_announced_and_kept(tmp_path, site, kernel):
    """Retry-After in seconds and as a date, and a backoff that grows with the failures in a row."""
    prepare(tmp_path, site, names=site.names[:3])
    with Server(
        site, plan=[Fault('/users/', '429-seconds', 1), Fault('/users/', '429-date', 1), Fault('/users/', '502', 3)]
    ) as server:
        assert kernel.run(LISTS, tmp_path, until='left, bar', API_URL=f'{server.url}/v2', BACKOFF=0.05) is None
        gaps = np.diff([call.time for call in server.calls])
    waits = [
        float(wait)
        for wait in re.findall(r'\d\d:\d\d:\d\d  status \d+: waiting ([\d.]+) s, until \d\d:\d\d:\d\d', kernel.text)
    ]
    assert len(waits) == 5 and waits[0] == 1 and 0.8 < waits[1] <= 2 and gaps[0] >= 1 and gaps[1] >= 0.8
    assert gaps[2] >= 0.2 and gaps[3] >= 0.4 and all(gap >= wait - 0.06 for gap, wait in zip(gaps, waits))


def test_damaged_journals(tmp_path, site, kernel):
    """A cut-off last line is fetched again; anything else that is wrong is named with its line and left as it is."""
    names = site.names[:6]
    prepare(tmp_path, site, names=names)
    path, lines = tmp_path / 'lists.jsonl', [
        json.dumps({'user': name, 'status': 'ok', 'scores': {'1': 5}}).encode() for name in names[:3]
    ]
    with Server(site) as server:
        for cut in (1, 5, 20, len(lines[2]) - 1):
            path.write_bytes(b'\n'.join([*lines[:2], lines[2][:cut]]))
            before = len(server.calls)
            assert kernel.run(LISTS, tmp_path, until='left, bar', API_URL=f'{server.url}/v2') is None
            assert asked(server, before) == [name.lower() for name in names[2:]]
            assert [entry['user'] for entry in journal(tmp_path)] == names
        path.write_bytes(b'\n'.join(lines))  # whole, only its end is missing: an editor's doing
        before = len(server.calls)
        assert kernel.run(LISTS, tmp_path, until='left, bar', API_URL=f'{server.url}/v2') is None
        assert asked(server, before) == [name.lower() for name in names[3:]]
        assert path.read_bytes().startswith(b'\n'.join(lines) + b'\n')
        before = len(server.calls)
        for bad in (
            b'{"user": "cut',
            b'',
            b'{"user": "Ann", "status": "gone", "scores": {}}',
            b'{"user": "Ann", "status": "ok", "scores": {"1": 11}}',
            b'[' * 100_000,
        ):
            damaged = b'\n'.join([lines[0], bad, lines[1]]) + b'\n'
            path.write_bytes(damaged)
            assert_one_sentence(kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2'), 'lists.jsonl, line 2')
            assert path.read_bytes() == damaged
        path.write_bytes(b'this is another file')  # LISTS points to something else: not cut off but left alone
        assert_one_sentence(kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2'), 'lists.jsonl, line 1')
        assert path.read_bytes() == b'this is another file' and len(server.calls) == before
        for name, text, words in (
            ('users.txt', '...\n', 'no username'),
            ('animelist.txt', '5\nabc\n', 'line 2'),
            ('animelist.txt', '5\n\n7\n', 'line 2'),
            ('animelist.txt', '5\n7\n5\n', 'line 3'),
            ('animelist.txt', '', 'no MAL id'),
        ):
            prepare(tmp_path, site, names=names)
            (tmp_path / name).write_text(text)
            assert_one_sentence(kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2'), name, words)
        (tmp_path / 'users.txt').unlink()
        assert_one_sentence(kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2'), 'users.txt', 'No such file')


def test_few_lists(tmp_path, site, kernel):
    """A title that nobody scored has no mean; lists without any of the titles are no table, and the older one stays."""
    names, ids = site.names[:2], [node['id'] for node in site.nodes[:100]]
    prepare(tmp_path, site, names=names)

    def run(*lists):
        entries = [{'user': name, 'status': 'ok', 'scores': scores} for name, scores in zip(names, lists)]
        (tmp_path / 'lists.jsonl').write_text(''.join(json.dumps(entry) + '\n' for entry in entries))
        return kernel.run(LISTS, tmp_path, API_URL='http://127.0.0.1:9/v2')  # nobody is left to ask for

    assert run({ids[0]: 8, ids[1]: 0}, {ids[0]: 7}) is None, kernel.error
    means = [line.split()[-1] for line in kernel.text.split('mean of the scores')[1].splitlines() if line[:1].isdigit()]
    assert means == ['7.5'] + ['NaN'] * 9
    there = (tmp_path / 'dataframe.pkl').read_bytes()
    assert_one_sentence(run({site.nodes[200]['id']: 8}, {}), 'None of the 2 lists', 'animelist.txt')
    assert (tmp_path / 'dataframe.pkl').read_bytes() == there


def test_a_full_disk(tmp_path, site, kernel):
    """Neither file can grow any more: one sentence each, nothing is lost, and the next run goes on."""
    prepare(tmp_path, site, names=site.names[:20])
    limit = 'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({}, resource.RLIM_INFINITY))'
    with Server(site) as server:
        assert kernel.run(LISTS, tmp_path, until='def opened_journal', API_URL=f'{server.url}/v2') is None
        kernel.run_cell(limit.format(9000))
        kernel.run_cell(cell(LISTS, 'left, bar'))
        full = kernel.error
        kernel.run_cell(limit.format('resource.RLIM_INFINITY'))
        assert_one_sentence(full, 'lists.jsonl cannot be written', 'File too large')
        done = [entry['user'] for entry in journal(tmp_path)]
        assert 0 < len(done) < 20
        before = len(server.calls)
        assert kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2') is None
        assert asked(server, before) == [name.lower() for name in site.names[len(done):20]]
        there = (tmp_path / 'dataframe.pkl').read_bytes()
        kernel.run_cell(limit.format(3000))
        kernel.run_cell(cell(LISTS, 'def table_of_lists'))
        full = kernel.error
        kernel.run_cell(limit.format('resource.RLIM_INFINITY'))
        assert_one_sentence(full, 'dataframe.pkl cannot be written', 'unchanged')
    assert (tmp_path / 'dataframe.pkl').read_bytes() == there and not list(tmp_path.glob('*.tmp'))


def test_one_download_at_a_time_but_a_pickle_at_any_time(tmp_path, site, kernel):
    """While one process downloads, a second is refused, and may still make the pickle of what is there."""
    prepare(tmp_path, site, names=site.names[:4])
    # json.dumps makes text of the ids
    lines = [json.dumps({'user': name, 'status': 'ok', 'scores': site.scores(name)}) for name in site.names[:2]]
    with Server(site) as server, open(tmp_path / 'lists.jsonl', 'a') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write('\n'.join(lines) + '\n{"user": "in the mid')  # what another process sees in mid-write
        held.flush()
        assert_one_sentence(kernel.run(LISTS, tmp_path, API_URL=f'{server.url}/v2'), 'Another notebook')
        assert not server.calls
        source = cell(LISTS, 'def table_of_lists')
        for suffix in ('.pkl', '.pkl.gz', '.pkl.xz', '.pkl.bz2', '.pkl.zip'):
            kernel.error = None
            assert kernel.run_cell(f'ANIME_DATA_LIST = "lists{suffix}"\n{source}'), kernel.error
            pd.testing.assert_frame_equal(
                pd.read_pickle(tmp_path / f'lists{suffix}'), expected_lists(site, names=site.names[:2])
            )
        assert (tmp_path / 'lists.jsonl').read_text().endswith('in the mid')
    assert kernel.run_cell('ANIME_DATA_LIST = "no/folder.pkl"') and not kernel.run_cell(source)
    assert_one_sentence(kernel.error, 'no/folder.pkl', 'cannot be written')
    named = set()

    class Names(pickle.Unpickler):
        def find_class(self, module, name):
            named.add(module.split('.')[0])
            return super().find_class(module, name)

    with open(tmp_path / 'lists.pkl', 'rb') as file:
        Names(file).load()
    assert named <= {'pandas', 'numpy', 'builtins'}  # nothing in it but tables


RUNNER = textwrap.dedent('''
    """After a line on stdin runs the cells in a new process and prints its id; after another line, how it ended."""
    import json, os, sys
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot, numpy, pandas, requests, tqdm.auto, getpass, fcntl    # once for all the processes

    cells = json.load(open(sys.argv[1]))
    while sys.stdin.readline():
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            namespace = {'__name__': '__main__'}
            for cell in cells:
                exec(compile(cell, 'cell', 'exec'), namespace)
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()    # until then the child keeps its id, even if it has ended
        print(os.waitpid(child, 0)[1], flush=True)
''')


@contextlib.contextmanager
def processes(tmp_path, folder, cells):
    """A function that runs the cells in a new process in `folder`, once a call.

    It takes `until`, a function: as soon as that is true, the process is killed with SIGKILL. None lets it run to its end,
    which must be a good one.
    """
    (tmp_path / 'cells.json').write_text(json.dumps(cells))
    (tmp_path / 'runner.py').write_text(RUNNER)
    with open(tmp_path / 'stderr', 'w+') as stderr, subprocess.Popen(
        [sys.executable, tmp_path / 'runner.py', tmp_path / 'cells.json'],
        cwd=folder,
        env=ENVIRONMENT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
    ) as runner:

        def run(until):
            print(file=runner.stdin, flush=True)
            child, give_up = int(runner.stdout.readline()), time.monotonic() + 30
            while until and not until() and time.monotonic() < give_up:
                time.sleep(0.0005)
            if until:
                os.kill(child, signal.SIGKILL)
            print(file=runner.stdin, flush=True)
            ended = int(runner.stdout.readline())
            assert ended in ((0, signal.SIGKILL) if until else (0,)), stderr.seek(0) or stderr.read()

        yield run
        runner.stdin.close()


@pytest.mark.slow
def test_killed_at_fifty_random_moments(tmp_path, kernel):
    """SIGKILL: what is in the journal is not fetched again, and the pickle is that of an undisturbed run, byte for byte."""
    site, rng = Site(members=260, titles=2000, seed=5), random.Random(50)
    expected = expected_lists(site)
    (tmp_path / 'calm').mkdir()
    (tmp_path / 'killed').mkdir()
    folder = prepare(tmp_path / 'killed', site)
    with Server(site) as server:
        assert kernel.run(LISTS, prepare(tmp_path / 'calm', site), API_URL=f'{server.url}/v2') is None
    faults = [
        Fault(f'/{name}/', fault, 1)
        for name, fault in zip(rng.sample(site.names, 20), ('500', 'reset', 'truncated', '429', 'cut') * 4)
    ]
    with Server(site, plan=faults) as server:
        cells = list(code_cells(LISTS, **{**QUICK, 'API_URL': f'{server.url}/v2', 'DELAY': 0.001}))
        with processes(tmp_path, folder, cells) as run:
            unfinished, pickles = 0, 0
            for kill in range(50):
                before, done = len(server.calls), {entry['user'].lower() for entry in journal(folder)}
                unfinished += len(done) < len(site.names)
                if kill in (5, 20):  # twice a kernel instead of a bare process
                    kill_a_kernel(folder, f'{server.url}/v2', 0.05)
                elif kill < 40:  # after some calls more
                    goal, moment = before + rng.randint(0, 9), rng.uniform(0, 0.01)
                    run(lambda: len(server.calls) > goal and not time.sleep(moment))
                else:  # in the pickle's cell and after it
                    moment = rng.uniform(0, 0.4)
                    run(
                        lambda: (folder / 'lists.jsonl').read_bytes().count(b'\n') == len(site.names)
                        and not time.sleep(moment)
                    )
                assert not done & set(asked(server, before))
                if (folder / 'dataframe.pkl').exists():
                    pickles += 1
                    assert len(pd.read_pickle(folder / 'dataframe.pkl')) == len(expected)
            run(None)
        print(
            f'{unfinished} of 50 kills during the download, two of them of kernels; {pickles} with a pickle there; '
            f'{len(server.calls)} calls, {pages(site)} are needed'
        )
        assert unfinished >= 38 and pages(site) <= len(server.calls) <= pages(site) + 20 + 3 * unfinished
    assert (folder / 'lists.jsonl').read_bytes() == (tmp_path / 'calm' / 'lists.jsonl').read_bytes()
    assert (folder / 'dataframe.pkl').read_bytes() == (tmp_path / 'calm' / 'dataframe.pkl').read_bytes()
    pd.testing.assert_frame_equal(pd.read_pickle(folder / 'dataframe.pkl'), expected)


def kill_a_kernel(folder, url, seconds):
    """Run lists_download.ipynb in a new kernel and kill that `seconds` after its download cell was sent."""
    kernel = Kernel()
    kernel.run(LISTS, folder, until='def opened_journal', API_URL=url, DELAY=0.001)
    kernel.client.execute(cell(LISTS, 'left, bar'))
    time.sleep(seconds)
    kernel.close()


def test_local_site_by_hand(tmp_path):
    """python3 tests/mal_server.py prints the README's lines, serves the users page, and stops with 130."""
    server = subprocess.Popen(
        [sys.executable, ROOT / 'tests' / 'mal_server.py', '--port', '0', '--members', '50', '--log', tmp_path / 'log'],
        text=True,
        stdout=subprocess.PIPE,
    )
    lines = list(itertools.takewhile(lambda line: not line.startswith('Ctrl-C'), server.stdout))
    exports = dict(line.strip()[7:].split('=', 1) for line in lines if line.startswith('export '))
    scraper = next(line for line in lines if line.startswith('python3 malscraper.py --url'))
    address = scraper.split()[3]
    readme = (ROOT / 'README.md').read_text(encoding='utf-8').split('\n## Trying it all without MyAnimeList\n')[1]
    commands = [line.split('    #')[0].rstrip() for line in readme.split('```')[3].splitlines()[1:]]  # the second block
    printed = [line.strip().replace(address[: -len('/users.php')], 'http://127.0.0.1:8080') for line in lines]
    assert len(commands) == 6 and [line for line in printed if line][1:] == commands
    page = requests.get(address, timeout=10).text
    assert (
        page.count('<td class="borderClass"') == 20 and page.count('href="/profile/') == 40 and 'users online' in page
    )
    assert requests.get(exports['MAL_API_URL'] + '/anime/ranking', timeout=10).status_code == 403
    answer = requests.get(
        exports['MAL_API_URL'] + '/anime/ranking?limit=1',
        headers={'X-MAL-CLIENT-ID': exports['MAL_CLIENT_ID']},
        timeout=10,
    ).json()
    assert list(answer) == ['data', 'paging'] and answer['data'][0]['ranking'] == {'rank': 1}
    server.send_signal(signal.SIGINT)
    assert server.wait(10) == 130 and 'Stopped after 3 calls' in server.stdout.read()
    assert [json.loads(line)['status'] for line in (tmp_path / 'log').read_text().splitlines()] == [200, 403, 200]


@pytest.mark.slow
def test_from_the_scraper_to_the_map(tmp_path):
    """The pipeline against the local site, as the README tells it: malscraper.py, both notebooks, embeddings.py."""

    def run(script, *options):
        command = [sys.executable, ROOT / script, *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    site = Site(members=240, titles=3000, seed=8)
    with Server(site, touches_a_second=60) as server:
        run('malscraper.py', '--url', f'{server.url}/users.php', '--hours', '0.002', '--delay', '0.5')
        users = (tmp_path / 'users.txt').read_text().split()
        assert len(users) >= 60 and set(users) <= set(site.names)
        for name in (ANIME, LISTS):
            notebook = nbformat.read(ROOT / name, as_version=4)
            place = next(i for i, cell in enumerate(notebook.cells) if 'parameters' in cell.metadata.get('tags', ()))
            notebook.cells.insert(place + 1, nbformat.v4.new_code_cell('DELAY = 0.01'))
            nbclient.NotebookClient(notebook, timeout=60, resources={'metadata': {'path': str(tmp_path)}}).execute(
                env={**ENVIRONMENT, 'MAL_API_URL': f'{server.url}/v2'}
            )
            assert CLIENT_ID not in json.dumps(notebook)
    inputs = 'ANIME_LIST=animelist.txt', 'ANIME_DATA=animes.json', 'ANIME_DATA_LIST=dataframe.pkl'
    run('embeddings.py', *inputs, 'OUTPUT_DIR=output')
    ok = [name for name in users if site.status(name) == 'ok']
    assert list(pd.read_pickle(tmp_path / 'dataframe.pkl').index) == ok
    vectors = pd.read_pickle(tmp_path / 'output' / 'embeddings.pkl')
    assert list(vectors.index) == [node['id'] for node in site.nodes[:100]] and np.allclose(
        np.linalg.norm(vectors, axis=1), 1, atol=1e-4
    )
    foretold = next(
        text
        for cell in notebook.cells
        for output in cell.get('outputs', ())
        if 'lists that embeddings.py will use' in (text := output.get('data', {}).get('text/plain', ''))
    )
    used = json.loads((tmp_path / 'output' / 'settings.json').read_text(encoding='utf-8'))['lists']
    assert [int(line.split()[-1]) for line in foretold.splitlines()[1:]] == [
        used[key]
        for key in ('read', 'dropped: too few scores', 'dropped: mean too high', 'dropped: all scores alike', 'kept')
    ]
