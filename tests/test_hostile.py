"""Hostile files: every reader gets a fixed number of spoiled ones, and only the documented sentences come out.

Each lot of files is read in a forked copy of this process that may take a gigabyte more memory, in which a single file has
seconds, and in which every warning is an error: a crash, a hang or a greedy reader is found as well as a traceback.
"""
import io
import itertools
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import traceback
import warnings

import numpy as np
import pytest
from PIL import Image
from test_downloads import ANIME, LISTS, code_cells
from test_embeddings import arguments_for, call, ids_of, planted, planted_scores, write_inputs  # noqa: F401
from tools.scripted_server import Server, answer, members, users_page

import embeddings
import malscraper
import pandas as pd

GIGABYTE = 1 << 30
SECONDS = 20  # that one file may take


def spoiled(content, cases, tokens, seed):
    """So many variants of some bytes: pieces changed, cut, repeated, moved, or with one of the tokens in their place."""
    source = random.Random(seed)
    for _ in range(cases):
        data = bytearray(content)
        for _ in range(source.choice((1, 1, 1, 2, 5))):
            start = source.randrange(len(data) + 1)
            end = min(len(data), start + source.choice((0, 1, 1, 4, 40)))
            piece = source.choice((source.randbytes(source.choice((1, 1, 2, 8))), bytes(data[end:end + 30]),
                                   source.choice(tokens)))
            data[start:end] = piece
            if source.random() < 0.05:
                del data[source.randrange(len(data) + 1):]
        yield bytes(data)


def in_a_child(function, seconds=60):
    """Call the function in a forked process with little memory; what it returns, or AssertionError with its traceback."""
    receiver, sender = multiprocessing.Pipe(False)

    def child():
        try:
            with open('/proc/self/statm') as statm:
                size = int(statm.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + GIGABYTE, size + GIGABYTE))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            sys.stderr = io.StringIO()
            warnings.simplefilter('error')
            sender.send((True, function()))
        except BaseException:
            sender.send((False, traceback.format_exc()))
        os._exit(0)

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    sender.close()
    try:
        assert receiver.poll(seconds), 'it hangs'
        good, result = receiver.recv()
    except EOFError:
        process.join()
        pytest.fail(f'the process ended with {process.exitcode}')
    finally:
        process.kill()
        process.join()
    assert good, result[-3000:]
    return result


def outcomes(read, files, expected):
    """How often each kind of end came when `read` took the files: 'read', or a type of `expected`; others are failures."""
    def strike(*_):
        raise AssertionError(f'a file took more than {SECONDS} seconds')

    def read_all():
        signal.signal(signal.SIGALRM, strike)
        ends = {}
        for number, content in enumerate(files):
            signal.alarm(SECONDS)
            try:
                read(content)
                end = 'read'
            except expected as problem:
                said, end = str(problem), getattr(problem, 'status', type(problem).__name__)
                assert said and len(said) < 2000, said
            except BaseException as error:
                raise AssertionError(f'file {number}, {content[:300]!r}') from error
            signal.alarm(0)
            ends[end] = ends.get(end, 0) + 1
        return ends

    return in_a_child(read_all)


# ---- texts: animelist.txt, animes.json, users.txt, lists.jsonl, list exports ------------------------------------------

ODD = [b'\0', b'\xff\xfe', b'\xef\xbb\xbf', b'\n\n', b'\r', b'-1', b'1' * 30, b'9' * 5000, '²'.encode(), '٣'.encode(), b'\x1b[2J', b'1e999']
JSON = [*ODD, b'{}', b'[]', b'""', b'null', b'true', b'NaN', b'-Infinity', b'"\\ud800"', b'[' * 3000, b'{"a":' * 3000, b'1.5', b'"name"']


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """The three inputs of embeddings.py in a folder, named by its globals."""
    for argument in write_inputs(tmp_path, planted_scores(20)[0][:, :10]):
        monkeypatch.setattr(embeddings, *argument.split('='))
    monkeypatch.setattr(embeddings, 'RECOMMEND_FOR', str(tmp_path / 'list.xml'))
    return tmp_path


def test_animelist(inputs):
    def read(content):
        (inputs / 'animelist.txt').write_bytes(content)
        ids = embeddings.read_anime_list()
        assert len(set(ids)) == len(ids) >= 5 and all(type(mal_id) is int and mal_id > 0 for mal_id in ids)

    good = (inputs / 'animelist.txt').read_bytes()
    ends = outcomes(read, spoiled(good, 500, ODD, 1), embeddings.Problem)
    assert set(ends) <= {'read', 5, 7} and min(ends['read'], ends[5]) > 30, ends


NODE = {'id': 1000, 'title': 'A title', 'alternative_titles': {'en': 'One', 'ja': '題', 'synonyms': []}, 'mean': 7.5, 'popularity': 3,
        'main_picture': {'medium': 'http://127.0.0.1/a.jpg', 'large': 'http://127.0.0.1/b.jpg'}, 'media_type': 'tv',
        'start_season': {'year': 2011, 'season': 'fall'}, 'genres': [{'id': 1, 'name': 'Drama'}], 'studios': [{'id': 2, 'name': 'Ufotable'}]}


def test_animes_json(inputs):
    """What is read is whole enough for clusters, their names and every output that takes a title."""
    ids = ids_of(10)
    vectors = np.random.default_rng(0).normal(size=(10, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def read(content):
        (inputs / 'animes.json').write_bytes(content)
        anime = embeddings.read_anime_data(ids)
        names = embeddings.name_clusters(np.arange(10) % 3, vectors, anime)
        assert len(set(names)) == 3 and max(map(len, names)) < 5000
        means = anime['mean'].to_numpy(np.float64, na_value=np.nan)
        assert not ((means < 0) | (means > 10)).any() and sorted(embeddings.by_popularity(anime)) == list(range(10))
        text = ''.join([*anime['title'], *names, *anime['picture'].dropna()])
        assert text.isprintable() and text.encode() and json.dumps(anime.where(anime.notna(), None).to_dict('records'), allow_nan=False)

    good = json.dumps({mal_id: NODE for mal_id in ids}).encode()
    values = [[], {}, '', None, True, 0, -1, 10 ** 400, 1e308, 'x', 'x' * 10 ** 5, '\x1b[2J\ud800', [[]], [None], {'name': 3}, [{'name': 'a'}] * 10 ** 4]
    crafted = [json.dumps({mal_id: {**NODE, key: value} for mal_id in ids}).encode() for key in NODE for value in values]
    crafted += [json.dumps({mal_id: {**NODE, key: {within: value}} for mal_id in ids}).encode()
                for key, within in (('alternative_titles', 'en'), ('main_picture', 'large'), ('start_season', 'year'))
                for value in values[:-1]]
    ends = outcomes(read, itertools.chain(spoiled(good, 500, JSON, 2), crafted), embeddings.Problem)
    assert set(ends) <= {'read', 5} and min(ends.values()) > 100, ends


def notebook(name, folder, until, monkeypatch, **parameters):
    """The names that the cells of a notebook define, run as they stand in this folder, up to the one with `until` in it.

    All but the cell that downloads.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setenv('MAL_CLIENT_ID', 'secret')
    monkeypatch.setenv('MPLBACKEND', 'agg')
    names = {'__name__': 'notebook'}
    for source in code_cells(name, **parameters):
        if 'left, bar' not in source:
            exec(source, names)
        if until in source:
            return names
    raise AssertionError(f'{name} has no cell with {until!r}')


def test_users_and_journal(tmp_path, monkeypatch):
    """users.txt is read by the scraper and by lists_download.ipynb, the journal by the latter, into its table."""
    good = ''.join(f'{name}\n' for name in members(0, 30)).encode()
    ids = list(map(str, ids_of(6)))
    (tmp_path / 'users.txt').write_bytes(good)
    (tmp_path / 'animelist.txt').write_text('\n'.join(ids))
    (tmp_path / 'lists.jsonl').write_text(json.dumps({'user': 'Mio', 'status': 'ok', 'scores': dict.fromkeys(ids, 7)}) + '\n')
    names = notebook(LISTS, tmp_path, 'def table_of_lists', monkeypatch, API_URL='http://127.0.0.1:9')
    cell = next(source for source in code_cells(LISTS) if "read_lines('USERS')" in source)

    def read_users(content):
        (tmp_path / 'users.txt').write_bytes(content)
        exec(cell, names)
        assert names['users'] and all(malscraper.USERNAME.fullmatch(name) for name in names['users'].values())
        users = malscraper.UsersFile('users.txt')
        before = set(users.known)
        users.append(['Brand-New'])
        users.file.close()
        users = malscraper.UsersFile('users.txt')
        users.file.close()
        assert users.known == before | {'brand-new'} and (tmp_path / 'users.txt').read_bytes().startswith(content)

    ends = outcomes(read_users, spoiled(good, 500, ODD, 4), (names['Stop'], malscraper.ScraperError))
    assert set(ends) <= {'read', 'Stop'} and ends['read'] > 300, ends

    def read_list(content):
        (tmp_path / 'animelist.txt').write_bytes(content)
        exec(cell, names)
        assert names['titles'] and all(int(mal_id) > 0 for mal_id in names['titles'])

    (tmp_path / 'users.txt').write_bytes(good)
    ends = outcomes(read_list, spoiled('\n'.join(ids).encode(), 300, ODD, 5), names['Stop'])
    assert set(ends) == {'read', 'Stop'}, ends

    def read_journal(content):
        (tmp_path / 'lists.jsonl').write_bytes(content)
        table = names['table_of_lists']()
        assert list(table.columns) == ids_of(6) and not ((table < 0) | (table > 10)).to_numpy().any()
        with names['opened_journal']() as (_, done):
            assert len(names['members_left'](done)) <= len(names['users'])

    lines = [{'user': name, 'status': 'ok', 'scores': {mal_id: 3 + number for number, mal_id in enumerate(ids)}} for name in members(0, 5)]
    good = b''.join(json.dumps(line).encode() + b'\n' for line in [*lines, {'user': 'Yui', 'status': 'private', 'scores': {}}])
    crafted = [json.dumps({**lines[0], key: value}).encode() + b'\n' for key in lines[0]
               for value in ([], {}, '', None, True, 5, 'x' * 10 ** 6, [[]], {'1': {}}, {ids[0]: [1]}, {ids[0]: True}, {ids[0]: 3.0}, '\ud800', 10 ** 400)]
    ends = outcomes(read_journal, itertools.chain(spoiled(good, 500, JSON, 6), crafted), names['Stop'])
    assert set(ends) == {'read', 'Stop'} and min(ends.values()) > 50, ends


# ---- pages and API bodies ----------------------------------------------------------------------------------------------

HTTP = [*ODD, b'\r\n\r\n', b'\r\n', b'Content-Length: 99999999999\r\n', b'Content-Length: -5\r\n', b'Content-Encoding: gzip\r\n', b' 302 Found\r\n',
        b'Transfer-Encoding: chunked\r\n', b'Location: //[\r\n', b'Location: file:///etc/passwd\r\n', b'Retry-After: -9\r\n', b'a' * 70_000, b'HTTP/9 ',
        b'Set-Cookie: a=\xff;Max-Age=x\r\n', b'Retry-After: Mon, 99 Zzz 9999999999 99:99:99 GMT\r\n']


def closing(content):
    return lambda connection: connection.sendall(content)


def test_answers_of_the_users_page(monkeypatch):
    """Whole HTTP answers, their heads above all: names, or a failure that is announced."""
    monkeypatch.setattr(malscraper, 'TIMEOUT', (0.2, 0.2))
    good = answer(users_page(members(0, 3))[:900], '200 OK', 'Content-Type: text/html')
    head = good.index(b'\r\n\r\n') + 4
    plays = [closing(data + good[head:]) for data in spoiled(good[:head], 150, HTTP, 7)]
    with Server(plays) as server:
        site = malscraper.Site(server.url)
        signal.signal(signal.SIGALRM, malscraper.on_signal)

        def read(_):
            names, online = site.load()
            assert names and all(malscraper.USERNAME.fullmatch(name) for name in names)

        ends = {}
        for _ in plays:
            try:
                read(None)
                end = 'read'
            except malscraper.LoadFailed as problem:
                assert len(str(problem)) < 400
                end = 'LoadFailed'
            ends[end] = ends.get(end, 0) + 1
    assert min(ends.values()) > 20, ends


@pytest.mark.parametrize('name', [ANIME, LISTS])
def test_bodies_of_the_api(tmp_path, monkeypatch, name):
    (tmp_path / 'users.txt').write_text('Mio\n')
    (tmp_path / 'animelist.txt').write_text('1000\n')
    entries = [{'node': NODE, 'list_status': {'status': 'completed', 'score': 9}}] * 3
    good = json.dumps({'data': entries, 'paging': {}}).encode()
    values = [[], {}, '', None, True, -1, 11, 10 ** 400, 'x' * 10 ** 5, [[]], '\ud800\x1b[2J']
    crafted = [{'data': [{'node': {**NODE, key: value}, 'list_status': {'score': 3}}], 'paging': {}} for key in NODE for value in values]
    crafted += [{'data': [{'node': NODE, 'list_status': value}, {'node': value}], 'paging': {}} for value in values]
    crafted += [{'data': [{'node': NODE, 'list_status': {'score': value}}], 'paging': {'next': value}} for value in [*values, '/v2/users', 'file:///etc/passwd']]
    crafted += [{'error': value, 'message': value} for value in values]
    bodies = [*spoiled(good, 250, JSON, 8), *(json.dumps(body).encode() for body in crafted)]
    statuses = itertools.cycle(['200 OK'] * 6 + ['400 Bad Request', '403 Forbidden', '404 Not Found'])
    with Server([answer(body, status) for body, status in zip(bodies, statuses)]) as server:
        until = 'def call' if name == ANIME else 'def fetch_list'
        names = notebook(name, tmp_path, until, monkeypatch, DELAY=0, BACKOFF=0, TIMEOUT=2, API_URL=server.url[:-10], MAX_FAILURES=20)
        if name == ANIME:
            source = next(source for source in code_cells(ANIME) if 'def fetch_ranking' in source)
            exec(source[:source.index('ranking = {}')], names)
        cells = [source for source in code_cells(ANIME) if 'def whole' in source or "'MAL id': node['id']" in source]
        ends = {}
        for number in range(len(bodies)):
            try:
                if name == LISTS:
                    status, scores = names['fetch_list']('mio')
                    assert status in names['STATUSES'] and set(scores.values()) <= set(range(11)) and list(map(str, map(int, scores))) == list(scores)
                    json.dumps(scores).encode()
                else:
                    with names['tqdm'](disable=True) as names['bar']:
                        found, _ = names['fetch_ranking'](names['bar'])
                    names['animes'] = {str(mal_id): node for mal_id, (_, node) in found.items()}
                    for cell in cells:
                        exec(cell, names)
                    json.loads((tmp_path / 'animes.json').read_bytes())
                end = 'read'
            except names['Stop'] as problem:
                assert str(problem).isprintable() and len(str(problem)) < 500, problem
                end = type(problem).__name__
            ends[end] = ends.get(end, 0) + 1
            if len(server.heads) >= len(bodies):
                break
    assert ends['read'] > 30 and ends.get('Stop', 0) + ends.get('Failed', 0) > 30, ends


# ---- covers ------------------------------------------------------------------------------------------------------------

def test_cover_images():
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8))
    for form in ('JPEG', 'PNG', 'GIF', 'WEBP', 'TIFF', 'ICO'):
        packed = io.BytesIO()
        noise.save(packed, form)

        def read(content):
            picture = embeddings.open_cover(content)
            assert picture.mode == 'RGB' and picture.width * picture.height <= embeddings.MAX_COVER_PIXELS

        ends = outcomes(read, itertools.chain([packed.getvalue()], spoiled(packed.getvalue(), 120, ODD, 9)), ValueError)
        assert sum(ends.values()) == 121 and ('read' in ends) == (form not in ('TIFF', 'ICO')), ends


def test_old_vectors_that_are_none(planted, tmp_path):
    """TRAIN = False takes embeddings.pkl of OUTPUT_DIR, which may be anybody's."""
    good = embeddings.read_pickle(str(planted[0] / 'output' / 'embeddings.pkl'))
    arguments = [*arguments_for(planted[0])[:3], f'OUTPUT_DIR={tmp_path}', 'TRAIN=False', 'RECOMMEND_FOR=member7']

    def outcome(frame, **attrs):
        frame.attrs = {**good.attrs, **attrs}
        frame.to_pickle(tmp_path / 'embeddings.pkl')
        status, said = call(arguments)
        assert 'Traceback' not in said and said.count('\n') == (status != 0), said
        return status

    assert outcome(good.copy()) == 0
    for bad in (good * 2, good * np.nan, good.astype(object).where(good != good.iat[0, 0], 'x'), good[:3], pd.concat([good, good]), good.rename(index=str).rename(
            index={'1000': 'x'}), good.iloc[:, :0], good.reset_index()):
        assert outcome(bad) == 6
    whitening = good.attrs['whitening']
    for name, values in {'mean': [None, {}, [], {**good.attrs['mean'], 1000: 'x'}, {**good.attrs['mean'], 1000: 1e300}], 'popularity': [{**good.attrs['popularity'], 1000: 0}],
                         'whitening': [None, [], whitening[1:], [*whitening[1:], 5], [[float('nan')] * 50] * 50, [['x'] * 50] * 50], 'lists': ['\x1b[2J', None]}.items():
        for value in values:
            assert outcome(good.copy(), **{name: value}) == 6, (name, value)
    frame = good.copy()
    frame.attrs = {}
    frame.to_pickle(tmp_path / 'embeddings.pkl')
    assert call(arguments)[0] == 6
