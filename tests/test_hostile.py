"""Hostile files: every reader gets a fixed number of spoiled ones, and only the documented sentences come out.

Each lot of files is read in a forked copy of this process that may take a gigabyte more memory, in which a single file has
seconds, and in which every warning is an error: a crash, a hang or a greedy reader is found as well as a traceback.
"""
import base64
import gzip
import io
import itertools
import json
import multiprocessing
import os
import pickle
import pickletools
import random
import resource
import signal
import struct
import sys
import traceback
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image
from test_embeddings import ENTRY, EXPORT, Attack, arguments_for, call, ids_of, planted, planted_scores, write_inputs  # noqa: F401
from test_malscraper import Server, answer, members, users_page

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
XML = [*ODD, b'<anime>', b'</anime>', b'<!DOCTYPE a>', b'&lol;', b'<![CDATA[', b']]>', b'<?x?>', b'<anime/>' * 50, b'<my_score>11</my_score>']


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


def test_list_exports(inputs):
    good = EXPORT.format(''.join(ENTRY.format(mal_id, mal_id % 11) for mal_id in ids_of(10))).encode()
    deep = EXPORT.format('<a>' * 200_000 + '</a>' * 200_000).encode()

    def read(content):
        (inputs / 'list.xml').write_bytes(content)
        scores = embeddings.person_scores(ids_of(10))
        assert all(type(mal_id) is int and 0 <= score <= 10 for mal_id, score in scores.items())

    ends = outcomes(read, [*spoiled(good, 500, XML, 3), deep, EXPORT.format('<a/>' * 10 ** 6).encode()], embeddings.Problem)
    assert set(ends) <= {'read', 10} and min(ends.values()) > 15, ends


def test_users(tmp_path):
    """What users.txt holds stays, and the scraper knows it again."""
    good = ''.join(f'{name}\n' for name in members(0, 30)).encode()

    def read_users(content):
        path = tmp_path / 'users.txt'
        path.write_bytes(content)
        users = malscraper.UsersFile(str(path))
        before = set(users.known)
        users.append(['Brand-New'])
        users.file.close()
        users = malscraper.UsersFile(str(path))
        users.file.close()
        assert users.known == before | {'brand-new'} and path.read_bytes().startswith(content)

    ends = outcomes(read_users, spoiled(good, 500, ODD, 4), malscraper.Stop)
    assert set(ends) <= {'read', 'Stop'} and ends['read'] > 300, ends


# ---- pages ----------------------------------------------------------------------------------------------------------

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


# ---- pickles -----------------------------------------------------------------------------------------------------------

def frame_of(n=12, titles=10):
    scores, _ = planted_scores(n)
    return pd.DataFrame(scores[:, :titles], index=[f'm{k}' for k in range(n)], columns=ids_of(titles))


def forms():
    frame = frame_of()
    return {'plain': frame, 'object': frame.astype(object), 'nullable': frame.astype('Int8').astype({1000: 'Float64'}),
            'sparse': frame.fillna(0).astype(pd.SparseDtype('int64', 0)), 'mixed': frame.astype({1000: object, 1007: 'float32'}),
            'texts': frame.rename(columns=str).set_axis(pd.Index(frame.index, dtype='string'))}


OTHERS = {  # the table of two lists and two titles that the test below reads, as other versions of pandas and numpy write it
    'pandas 3.1, numpy 2.5': 'c-mc3OK;RL5Z-rbc~n(-^njqpBBXHTfJ7fF5REoS<y=|g#Jh<$aU#c28>v;{(501p>+m1BazVYp*x998d>Fsxo5%Of*WQmO-IiNsP=Jh}M6)^s4IdO_0&nouH$2B3(_`60p?T5xcww%Dmq;y?gtYWBkT4O7un+drJe-c2JHgG<IfA7LFYh2|)>$QsB%G##af@-zvdW6uV=jDFr8)tnpr)`)i7=O?R#m92XWx0ES)t(0<p%xMB_6ane#ax+@!NjK@60e>H~mQ0g>A)j#&7ZZs`>Al_B#xM;P4MEXZ)5%etodr(6PPS?6()KrS*6h$<5s3RYK)SYNTJLNhn+al(TKa`yFd9@tBy~TBa-#r=s*Ylmg8flj4MZvTp>BTW0MD<U}kU9PiS~5Ks~gO5^Bf*YrxA7dZOuPNG16rJ7N;_%#LSFJU9n5zXe30*)=J`Z;4oeR`)sFx<00`w&h=WXXCshb;j2zi5@n$=;mp!<U0!y}-6fY3F~#1<`||)^RTJ<Hc>mnk(>8ykRwpH~%R_mo3xzyrjz6f2zE<s#qesASIeE&p8Tun<0<i1g>>q4UH(Jr|Gp_kKOc|Rh9`2j)r3r3bdvfJ*WEEIE9HjK7%yPPf8Y51<43nuoSqU0lg|K?)?R!KR5^'}


@pytest.mark.parametrize('version', OTHERS)
def test_pickles_of_other_versions_are_read(tmp_path, version):
    (tmp_path / 'lists.pkl').write_bytes(zlib.decompress(base64.b85decode(OTHERS[version])))
    frame, places = embeddings.read_lists(str(tmp_path / 'lists.pkl'), [1007, 1000])
    np.testing.assert_array_equal(embeddings.scores_of(frame, places, 0, 9), [[0, 8], [5, np.nan]])
    assert list(frame.index) == ['ann', 'bob']


def read_pickled(folder):
    def read(content):
        (folder / 'dataframe.pkl').write_bytes(content)
        for block in embeddings.score_blocks([str(folder / 'dataframe.pkl')], ids_of(10), {}):
            assert block.dtype == np.float32 and ((block >= 0) & (block <= 10)).all()
    return read


@pytest.mark.parametrize('form', forms())
def test_mutated_pickles(tmp_path, form):
    tokens = [b'R', b'b', b'\x81', b'0', b'1', b'2', b'.', b'(', b')', b'h\x01', b'h\x05', b'\x94', b's', b'u', b'K\xff', b'J\xff\xff\xff\x7f', b'N', b'\x85',
              b'\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f', b'r\xff\xff\xff\x0f', b'\x8e\xff\xff\xff\xff\xff\xff\xff\x0f', b'\x95\xff\xff\xff\xff\xff\xff\xff\x0f']
    ends, least = {}, 400 // 3
    for seed, protocol in enumerate((2, 4, 5)):
        good = pickle.dumps(forms()[form], protocol=protocol)
        for end, number in outcomes(read_pickled(tmp_path), itertools.chain([good], spoiled(good, least, tokens, seed)), embeddings.Problem).items():
            ends[end] = ends.get(end, 0) + number
    assert set(ends) == {'read', 6} and ends['read'] >= 3 and ends[6] > least, ends


class State(Attack):
    """As Attack, and then with a state."""

    def __init__(self, function, arguments, state):
        self.call = function, arguments, state


def endless(kind):
    """Opcodes of a tuple (kind b't') or list (b'l') of twice the same, which holds twice the same, and so on: 2^60 ones."""
    return b'I1\np1000\n' + b''.join(f'0(g{k}\ng{k}\n'.encode() + kind + f'p{k + 1}\n'.encode() for k in range(1000, 1060))


def crafted_pickles():
    """What mutations do not find: addresses and sizes that numpy, pandas or pickle would believe, and work without end."""
    frame, array = frame_of(), np.core.multiarray._reconstruct
    values = frame.to_numpy().T.copy()
    columns, objects = pd.Index(ids_of(10)), frame.astype(object)

    def of_type(*state):
        return State(np.dtype, (state[0], False, True), (3, '|', *state[1:]))

    def array_of(shape, dtype, data):
        return State(array, (np.ndarray, (0,), b'b'), (1, shape, dtype, False, data))

    def table(*blocks, axes=(columns, frame.index)):
        """A DataFrame whose manager has these blocks, as (values, places)."""
        blocks = tuple(Attack(pd._libs.internals._unpickle_block, *block, 2) for block in blocks)
        manager = pickle.dumps(Attack(pd.core.internals.managers.BlockManager, blocks, list(axes)), 2)[2:-1]
        return b'\x80\x02cpandas.core.frame\nDataFrame\n)\x81}(U\x04_mgr' + manager + b'U\x05attrs}ub.'

    def changed(score, where=(0, 0)):
        other = objects.copy()
        other.iat[where] = score
        return other

    def bombed(frame, kind):
        """The pickle of a frame with an endless() in the place of BOMB."""
        content = pickle.dumps(frame, 2)
        assert content.count(b'X\x04\0\0\0BOMB') == 1
        return content.replace(b'X\x04\0\0\0BOMB', endless(kind))

    everything = slice(0, 10)
    sparse = pickle.dumps(frame.astype(pd.SparseDtype('f8', np.nan)).set_axis(pd.RangeIndex(12)), 2)
    assert sparse.count(b'K\x0c') >= 11  # 12, the length of every column and of the index
    return {
        'numbers as pointers': table((array_of((10, 12), of_type('O8', None, None, None, -1, -1, 0), b'A' * 960), everything)),
        'objects beyond the item': table((array_of((10, 12), of_type('V8', None, ('a',), {'a': (np.dtype('O'), 10 ** 6)}, 8, 1, 0),
                                                   b'A' * 960), everything)),
        'columns beyond the table': table((values, slice(10 ** 6, 10 ** 6 + 10))),
        'columns before the table': table((values, np.arange(-10 ** 6, -10 ** 6 + 10))),
        'columns twice': table((values, np.zeros(10, int))),
        'columns missing': table((values[:5], slice(0, 5))),
        'rows missing': table((values[:, :3], everything)),
        'no block': table(),
        'a frame as a block': table((frame, everything)),
        'an array of terabytes': table((array_of((10 ** 7, 10 ** 6), np.dtype('f8'), b''), everything)),
        'an empty array of terabytes': table((Attack(array, np.ndarray, (10 ** 13,), b'b'), everything)),
        'a buffer of another size': table((Attack(np.core.numeric._frombuffer, b'abc', np.dtype('f8'), (10, 12), 'F'), everything)),
        'rows without end': table((values, everything), axes=(columns, pd.RangeIndex(10 ** 15))),
        'no rows without end': table((array_of((10, 0), np.dtype('f8'), b''), everything), axes=(columns, pd.RangeIndex(-10 ** 15, -1))),
        'sparse rows without end': sparse.replace(b'K\x0c', b'J\0\0\0\x70'),
        'columns without end': table((array_of((10 ** 9, 0), np.dtype('f8'), b''), slice(0, 10 ** 9)), axes=(pd.RangeIndex(10 ** 9), frame.index[:0])),
        'a score of 400 digits': pickle.dumps(changed(10 ** 400)),
        'a list as a score': pickle.dumps(changed([7])),
        'a frame as a score': pickle.dumps(changed(frame)),
        'a score of control codes': pickle.dumps(changed('\x1b[2J\n' * 1000).set_axis(['\x1b[2J\n' + 'x' * 10 ** 5] * 12)),
        'a column of an odd digit': pickle.dumps(frame.rename(columns={1000: '²'})),
        'a column of 5000 digits': pickle.dumps(frame.rename(columns={1000: '1' * 5000})),
        'an endless score': bombed(changed('BOMB'), b'l'),
        'an endless column': bombed(objects.rename(columns={1000: 'BOMB'}), b't'),
        'an endless member': bombed(objects.rename(index={'m3': 'BOMB'}), b't'),
        'an endless range': pickle.dumps(objects.set_axis(pd.RangeIndex(12)), 2).replace(b'K\x0c', endless(b'l')),
        'an endless key': b'\x80\x02}' + endless(b't') + b'K\x01s.',
        'endless keys': b'\x80\x02}(' + endless(b't') + b'K\x01K\x02K\x03u.',
        'an endless key of a dict at once': b'\x80\x02(' + endless(b't') + b'K\x01d.',
        'an endless item of a set': b'\x80\x04\x8f(' + endless(b't') + b'\x90.',
        'an endless item of a frozen set': b'\x80\x04(' + endless(b't') + b'\x91.',
        'an item of a list by its place': b'\x80\x02]K\0aK\0K\x01s.',
        'a global of control codes': b'\x80\x04\x8c\x05\x1b[2J\n\x8c\x05\x1b[2J\n\x93.',
        'a global of a megabyte': b'\x80\x04X\x00\x00\x10\x00' + b'x' * (1 << 20) + b'\x8c\x01a\x93.',
        'an extension code': b'\x80\x04\x82\x01.',
        'a persistent id': b'\x80\x04K\x01Q.',
        'a buffer from outside': b'\x80\x05\x97.',
        'a memo of gigabytes': b'\x80\x04Nr\xff\xff\xff\x7f.',
        'bytes of terabytes': b'\x80\x04\x8e' + struct.pack('<Q', 1 << 42) + b'abc.',
        'a bytearray of terabytes': b'\x80\x05\x96' + struct.pack('<Q', 1 << 42) + b'abc.',
        'a pickle frame of terabytes': b'\x80\x04\x95' + struct.pack('<Q', 1 << 42) + b'N.',
        'a state for a class': b'\x80\x02cpandas.core.frame\nDataFrame\n}b.',
        'a code for a function': b'\x80\x02cnumpy.core.multiarray\nscalar\nN}U\x08__code__Ns\x86b.',
        'a state for NA': b'\x80\x02cpandas._libs.missing\nNA\n}U\x01aK\x01sb.',
        'a state in slots for NA': b'\x80\x02cpandas._libs.missing\nNA\nN}U\x01aK\x01s\x86b.',
        'marks alone': b'\x80\x02' + b'(' * 100_000 + b'.',
        'nested lists': b'\x80\x02' + b']' * 100_000 + b'a' * 99_999 + b'.',
    }


@pytest.mark.parametrize('name', crafted_pickles())
def test_crafted_pickles(tmp_path, name):
    content = crafted_pickles()[name]
    ends = outcomes(read_pickled(tmp_path), [content], embeddings.Problem)
    assert ends == {6: 1}, ends
    arguments = write_inputs(tmp_path, planted_scores(12)[0][:, :10])
    (tmp_path / 'dataframe.pkl').write_bytes(content)
    status, said = call(arguments)
    assert status == 6 and said.count('\n') == 1 and said[:-1].isprintable() and len(said) < 1200, said[:3000]


def test_lists_that_unpack_to_more_than_the_memory_there_is(tmp_path, monkeypatch):
    """Three gigabytes of nothing in three megabytes, on a machine with one gigabyte to spare."""
    arguments = write_inputs(tmp_path, planted_scores(12)[0][:, :10])
    (tmp_path / 'dataframe.pkl.gz').write_bytes(gzip.compress(b'\x80\x04\x8e' + struct.pack('<Q', 3 * GIGABYTE)) +
                                                gzip.compress(bytes(GIGABYTE >> 5), 1) * 96)
    with open('/proc/self/status') as file:
        own = next(int(line.split()[1]) << 10 for line in file if line.startswith('VmData'))
    monkeypatch.setattr(os, 'sysconf', {'SC_PAGE_SIZE': 1, 'SC_PHYS_PAGES': own + GIGABYTE}.get)
    status, said = call([*arguments, f'ANIME_DATA_LIST={tmp_path / "dataframe.pkl.gz"}'])
    assert status == 6 and 'asks for more memory than there is' in said, said


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


# What each global that the reader lets a pickle name is to it. The reader calls none of numpy and pandas: a name stands for a
# Pickled that keeps what it is given, but for the two that say otherwise.
STANDS_IN = 'a Pickled, which only keeps its arguments and state'
HARMLESS = {
    ('builtins', 'slice'): STANDS_IN + '; three numbers that a range is cut with', ('__builtin__', 'slice'): STANDS_IN,
    ('numpy', 'ndarray'): STANDS_IN + ', and is never asked for them', ('numpy', 'dtype'): STANDS_IN + '; a code of a few letters is let through',
    ('numpy', '_reconstruct'): STANDS_IN + '; bytes that frombuffer and reshape measure', ('numpy', '_frombuffer'): STANDS_IN + '; the same',
    ('numpy', 'scalar'): 'a function of ours: one number out of bytes, by frombuffer', ('pandas', 'NA'): 'the constant itself, which takes no call and no state',
    **{('pandas', name): STANDS_IN + '; built by public constructors that check' for name in (
        'DataFrame', 'Index', 'RangeIndex', 'SparseArray', 'IntIndex', 'BlockIndex', 'IntegerArray', 'FloatingArray', '_new_Index')},
    **{('pandas', name): STANDS_IN + '; its parts are looked at, it is never built' for name in (
        'BlockManager', '_unpickle_block', '__pyx_unpickle_NDArrayBacked', 'SparseDtype')},
    **{('pandas', name): STANDS_IN + ', and is never asked for them' for name in (
        'StringArray', 'StringDtype', 'Int64Index', 'UInt64Index', 'Float64Index', 'Float32Dtype', 'Float64Dtype',
        *(f'{sign}Int{bits}Dtype' for sign in ('', 'U') for bits in (8, 16, 32, 64)))},
}


def test_no_allowed_global_opens_runs_or_loads_anything(tmp_path):
    allowed = {(package, name) for package, names in embeddings.DataFrameUnpickler.ALLOWED.items() for name in names}
    assert allowed == set(HARMLESS)
    hostile = ['/etc/passwd', 'file:///etc/passwd', 'http://127.0.0.1:9/', b'cos\nsystem\n(S"id"\ntR.', 'import os; os.system("id")', ['id'], {'a': 'b'},
               -1, 10 ** 30, None, (), '__reduce__', '.pkl']
    states = [*hostile, {'__class__': 'os'}, (None, {'__class__': 'os', 'arguments': ()}), (1, (9,), 'O', False, b'x' * 72)]

    def call_all():
        events = []

        def watch(event, arguments):
            if event in ('open', 'exec', 'compile', 'import', 'marshal.loads', 'code.__new__', 'pickle.find_class') or event.startswith(
                    ('os.', 'socket.', 'subprocess.', 'shutil.', 'ctypes.', 'urllib.', 'tempfile.', 'mmap.', 'pty.', 'ftplib.')):
                events.append(event)

        reader = embeddings.DataFrameUnpickler(io.BytesIO())
        for package, name in allowed:
            reader.find_class(package, name)
        __import__('numpy.core.numeric')  # what numpy imports at its first complaint is not the pickle's doing
        sys.addaudithook(watch)
        open(os.devnull).close()
        assert events == ['open']  # it watches
        events.clear()
        calls = 0
        for package, name in [*allowed, ('_codecs', 'encode')]:
            found = reader.find_class(package, name)
            for arguments in itertools.chain([()], itertools.product(hostile, repeat=1), itertools.product(hostile, repeat=2),
                                             ((value,) * 5 for value in hostile)):
                for state in states[calls % 3::3]:
                    calls += 1
                    try:
                        part = found(*arguments)
                        part.__setstate__(state)
                        embeddings.numpy_part(part)
                    except Exception:  # whichever: the reader makes a sentence of it
                        pass
                    try:
                        embeddings.data_frame(part)
                    except Exception:
                        pass
        return calls, sorted(set(events))

    calls, events = in_a_child(call_all)
    assert calls > 10_000 and not events, events


def test_globals_are_refused_before_they_are_looked_up(tmp_path):
    """Every opcode that names a global or calls something, with a module that would leave a mark if it were only imported."""
    (tmp_path / 'trap.py').write_text(f'open({str(tmp_path / "mark")!r}, "w")')
    ways = [b'ctrap\nx\n', b'\x8c\x04trap\x8c\x01x\x93', b'(itrap\nx\n', b'ctrap\nx\n)\x81', b'ctrap\nx\n)}\x92', b'(ctrap\nx\no', b'ctrap\nx\n)R']
    known = {code.code.encode('latin-1') for code in pickletools.opcodes if code.name in ('GLOBAL', 'STACK_GLOBAL', 'INST', 'OBJ', 'NEWOBJ', 'NEWOBJ_EX', 'REDUCE')}
    assert known == {bytes([way[0]]) for way in ways if way[:1] != b'\x8c' and way[:1] != b'('} | {b'\x93', b'i', b'\x81', b'\x92', b'o', b'R'}

    def read_all():
        sys.path.insert(0, str(tmp_path))
        for way in ways:
            with pytest.raises(embeddings.Problem, match='refused'):
                embeddings.DataFrameUnpickler(io.BytesIO(b'\x80\x04' + way + b'.')).load()

    in_a_child(read_all)
    assert not (tmp_path / 'mark').exists()
