"""embeddings.py: the index, the net, what it finds, and what it says to bad input."""
import contextlib
import gzip
import json
import math
import multiprocessing
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT
from matrix import interpreters

import embeddings
import mxnet as mx
import pandas as pd

GROUPS, SIZE = 6, 8


# ---- inputs with planted structure -------------------------------------------------------------------------------

def planted_scores(lists=1200, seed=1):
    """Members who love one group of titles and score titles of the others low; NaN not on the list, 0 without score."""
    random = np.random.default_rng(seed)
    n = GROUPS * SIZE
    group = np.arange(n) % GROUPS  # neighbouring columns belong to different groups
    loved = random.integers(0, GROUPS, lists)
    own = group == loved[:, None]
    scores = np.where(own, random.integers(8, 11, (lists, n)), random.integers(2, 8, (lists, n))).astype(float)
    scores[random.random((lists, n)) > np.where(own, 0.9, 0.4)] = np.nan
    scores[random.random((lists, n)) < 0.05] = 0
    return scores, group


def ids_of(n):
    return [1000 + 7 * place for place in range(n)]


def write_inputs(folder, scores, mean=6.5, **frame_options):
    """ANIME_LIST, ANIME_DATA and ANIME_DATA_LIST in a folder; returns the NAME=value arguments that name them."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = ids_of(scores.shape[1])
    (folder / 'animelist.txt').write_text(''.join(f'{mal_id}\n' for mal_id in ids))
    nodes = {str(mal_id): {'id': mal_id, 'title': f'Title {mal_id}', 'mean': mean, 'popularity': place + 1,
                           'genres': [{'id': 1, 'name': f'Genre {place % GROUPS}'}]} for place, mal_id in enumerate(ids)}
    (folder / 'animes.json').write_text(json.dumps(nodes))
    frame = pd.DataFrame(scores, index=[f'member{k}' for k in range(len(scores))], columns=ids)
    frame.to_pickle(folder / 'dataframe.pkl')
    return arguments_for(folder)


def arguments_for(folder):
    return [f'ANIME_LIST={folder}/animelist.txt', f'ANIME_DATA={folder}/animes.json',
            f'ANIME_DATA_LIST={folder}/dataframe.pkl', f'OUTPUT_DIR={folder}/output', 'COVERS_DIR=']


def run(arguments, **options):
    """`python3 embeddings.py` with these arguments, as a process of its own."""
    return subprocess.run([sys.executable, 'embeddings.py', *arguments], cwd=ROOT, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **options)


def call(arguments):
    """The same in a forked copy of this process, which spares the two seconds of importing MXNet: (status, stderr)."""
    reader, writer = os.pipe()

    def child():
        os.dup2(writer, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stdout, sys.stderr = os.fdopen(1, 'w'), os.fdopen(2, 'w')
        status = embeddings.command(arguments)
        sys.stderr.flush()
        os._exit(status)

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    process.join()
    return process.exitcode, said


@pytest.fixture(scope='session')
def planted(tmp_path_factory):
    """One finished run on planted groups: (folder, the finished process, group of every title)."""
    folder = tmp_path_factory.mktemp('planted')
    scores, group = planted_scores()
    done = run(write_inputs(folder, scores))
    assert done.returncode == 0, done.stderr
    return folder, done, group


# ---- the index and the net ---------------------------------------------------------------------------------------

def pairs_of(scores, means, batch_size=5):
    blocks = [np.nan_to_num(part).astype(np.float32) for part in np.array_split(scores, 3)]
    return embeddings.PairIterator(blocks, np.asarray(means, np.float32), batch_size)


@pytest.mark.parametrize('lists, filled', [(60, 0.5), (9000, 0.02)])  # the dense product, and the sparse one
def test_the_index_equals_a_plain_double_loop(lists, filled):
    random, n = np.random.default_rng(5), 14
    scores = random.integers(0, 11, (lists, n)).astype(float)
    scores[:, ::2] = np.maximum(scores[:, ::2], random.integers(0, 11, (lists, 1)))  # every second title is liked together
    scores[random.random(scores.shape) > filled] = np.nan
    means = random.uniform(4, 9, n).astype(np.float32)
    words = [[0.0] * n for _ in range(n)]
    for row in scores:  # the formulas of the README, one user and one pair of titles at a time
        offset = [max(0.0, s - m + embeddings.MARGIN) if s > 0 else 0.0 for s, m in zip(row, means.tolist())]
        if sum(offset):
            for i in range(n):
                for j in range(n):
                    words[i][j] += math.sqrt(offset[i] * offset[j]) / sum(offset)
    index = [[words[i][j] / math.sqrt(words[i][i] * words[j][j]) for j in range(n)] for i in range(n)]
    values, vectors = np.linalg.eigh(index)
    centred = [[index[i][j] - embeddings.COMMON * values[-1] * vectors[i, -1] * vectors[j, -1] for j in range(n)] for i in range(n)]
    lifted = [[math.copysign(abs(c := centred[i][j] / math.sqrt(centred[i][i] * centred[j][j])) ** embeddings.POWER, c)
               for j in range(n)] for i in range(n)]
    fifth = [max(0.02, sorted(value for j, value in enumerate(row) if j != i)[-5]) for i, row in enumerate(lifted)]
    assert filled < 0.5 or max(fifth) > 2 * min(fifth)
    usual = math.exp(sum(map(math.log, fifth)) / n)
    expected = [[1 if i == j else min(1, lifted[i][j] / math.sqrt(fifth[i] * fifth[j]) * usual) for j in range(n)] for i in range(n)]
    pairs = pairs_of(scores, means)
    np.testing.assert_allclose(pairs.similarity, expected, atol=2e-5)
    np.testing.assert_array_equal(pairs.scorers, (np.nan_to_num(scores) > 0).sum(0))


def test_loss_and_gradient_equal_closed_form_numpy():
    random = np.random.default_rng(2)
    n, d, batch = 11, 7, 4
    weight = random.normal(size=(n, d))
    similarity = random.uniform(-0.5, 1, (n, n))
    titles = np.array([3, 0, 10, 3])
    net = embeddings.embedding_net(n, d, 0.7).simple_bind(
        mx.cpu(), {'embedding_weight': 'write', 'titles': 'null', 'similarity': 'null'}, titles=(batch,), similarity=(batch, n))
    net.arg_dict['embedding_weight'][:] = weight
    net.arg_dict['titles'][:] = titles
    net.arg_dict['similarity'][:] = similarity[titles]
    loss = net.forward(is_train=True)[0].asnumpy()
    net.backward()
    length = np.linalg.norm(weight, axis=1, keepdims=True)
    v = weight / length
    error, pair_weight = v[titles] @ v.T - similarity[titles], 1 + 0.7 * np.maximum(similarity[titles], 0)
    np.testing.assert_allclose(loss, (pair_weight * error ** 2).mean(1), atol=1e-6)
    # L = sum_b 1/n sum_j w (v_b . v_j - S_bj)^2; dL/dv gathers both roles of a title, dL/de = (dL/dv - v (v . dL/dv)) / |e|
    slope = 2 / n * pair_weight * error
    by_vector = slope.T @ v[titles]
    np.add.at(by_vector, titles, slope @ v)
    gradient = (by_vector - v * (v * by_vector).sum(1, keepdims=True)) / length
    np.testing.assert_allclose(net.grad_dict['embedding_weight'].asnumpy(), gradient, atol=1e-6)


def test_the_iterator_hands_out_every_title_against_all():
    scores, _ = planted_scores(50)
    pairs = pairs_of(scores, np.full(scores.shape[1], 6.0), batch_size=7)
    for _ in range(2):
        seen = set()
        for batch in pairs:
            titles = batch.data[0].asnumpy().astype(int)
            assert titles.shape == (7,)
            np.testing.assert_array_equal(batch.label[0].asnumpy(), pairs.similarity[titles])
            seen |= set(titles)
        assert seen == set(range(scores.shape[1]))
        pairs.reset()


# ---- what a run finds and writes -----------------------------------------------------------------------------------

def test_nearest_titles_are_all_of_the_own_group(planted):
    folder, done, group = planted
    neighbours = pd.read_csv(folder / 'output' / 'neighbours.csv')
    group_of = dict(zip(ids_of(len(group)), group))
    nearest = neighbours[neighbours['rank'] < SIZE]
    assert len(nearest) == len(group) * (SIZE - 1)
    assert (nearest.mal_id.map(group_of) == nearest.neighbour_id.map(group_of)).all()


def test_outputs_have_the_forms_of_the_readme(planted):
    folder, done, group = planted
    output = folder / 'output'
    ids = ids_of(len(group))
    frame = pd.read_pickle(output / 'embeddings.pkl')
    assert frame.shape == (len(ids), 50) and list(frame.index) == ids and (frame.dtypes == np.float32).all()
    np.testing.assert_allclose(np.linalg.norm(frame, axis=1), 1, atol=1e-5)
    neighbours = pd.read_csv(output / 'neighbours.csv')
    assert list(neighbours) == ['mal_id', 'title', 'rank', 'neighbour_id', 'neighbour_title', 'similarity']
    products = frame.to_numpy() @ frame.to_numpy().T
    np.fill_diagonal(products, -2)
    for mal_id, rows in neighbours.groupby('mal_id'):
        best = np.argsort(-products[ids.index(mal_id)], kind='stable')[:10]
        np.testing.assert_allclose(rows.similarity, products[ids.index(mal_id)][best], atol=1e-4)
    graph = json.loads((output / 'graph.json').read_text())
    assert graph['format'] == 'aniembed-graph/1'
    assert [anime['id'] for anime in graph['anime']] == ids
    assert sum(cluster['size'] for cluster in graph['clusters']) == len(ids)
    assert {anime['cluster'] for anime in graph['anime']} == {cluster['id'] for cluster in graph['clusters']}
    assert graph['neighbours'][str(ids[0])][0][0] == neighbours[neighbours.mal_id == ids[0]].neighbour_id.iloc[0]
    vectors = np.frombuffer(__import__('base64').b64decode(graph['vectors']), '<f4').reshape(-1, 50)
    np.testing.assert_array_equal(vectors, frame.to_numpy())
    settings = json.loads((output / 'settings.json').read_text())
    assert settings['MIN_ANIME_REQUIRED'] == 15 and settings['versions']['mxnet'] == mx.__version__
    head = (ROOT / 'embeddings.py').read_text().split(f'# {112 * "-"}\n')[1]  # between the two rules
    assert {name for name in settings if name.isupper()} == set(re.findall('^[A-Z_]+(?= = )', head, re.M))
    assert settings['lists']['read'] == 1200 == sum(settings['lists'].values()) - settings['lists']['read']
    assert not list(output.glob('*.part'))
    for name in ('embeddings.pkl', 'similarity_map.png', 'graph.json'):
        assert name in done.stdout


def test_two_runs_give_equal_files(planted, tmp_path):
    folder, _, _ = planted
    again = run([*arguments_for(folder)[:3], f'OUTPUT_DIR={tmp_path}', 'COVERS_DIR='])
    assert again.returncode == 0
    for path in (folder / 'output').iterdir():
        if path.name != 'recommendations.csv':
            first, second = path.read_bytes(), (tmp_path / path.name).read_bytes()
            if path.suffix == '.json':
                first, second = (text.replace(bytes(where), b'') for text, where in (
                    (first, folder / 'output'), (second, tmp_path)))
            assert first == second, path.name


def test_every_form_of_the_lists_gives_the_same_index(tmp_path):
    scores, _ = planted_scores(300)
    ids = ids_of(scores.shape[1])
    names = [f'member{k}' for k in range(len(scores))]
    plain = pd.DataFrame(scores, index=names, columns=ids)
    shuffled = plain[ids[::-1]].assign(**{'5': 7.0}).rename(columns={'5': 5})
    forms = {'plain.pkl': plain, 'object.pkl': plain.astype(object), 'shuffled.pkl': shuffled, 'text.pkl': plain.rename(columns=str),
             'nullable.pkl': plain.astype('Int8'), 'sparse.pkl': plain.astype(pd.SparseDtype('float32', np.nan)),
             'f16.pkl': plain.astype(np.float16), 'a.pkl.gz': plain, 'b.pkl.xz': plain, 'c.pkl.bz2': plain, 'd.pkl.zip': plain,
             'mixed.pkl': plain.astype({ids[0]: object, ids[1]: 'Float64', ids[2]: 'float32'})}
    for name, frame in forms.items():
        frame.to_pickle(tmp_path / name)
    for protocol in range(2, 6):  # 0 and 1 are of Python 2's beginnings
        (tmp_path / f'protocol{protocol}.pkl').write_bytes(pickle.dumps(plain, protocol=protocol))
    (tmp_path / 'numpy2.pkl').write_bytes((tmp_path / 'protocol2.pkl').read_bytes().replace(b'cnumpy.core.', b'cnumpy._core.'))
    half = len(plain) // 2
    plain[:half].to_pickle(tmp_path / 'part-1.pkl')
    plain[half:].to_pickle(tmp_path / 'part-2.pkl')
    wanted = {}
    expected = np.concatenate(list(embeddings.score_blocks([str(tmp_path / 'plain.pkl')], ids, wanted)))
    assert wanted['read'] == 300 and len(expected) == wanted['kept'] > 100
    for path in sorted(tmp_path.iterdir()):
        if not path.name.startswith('part-'):
            got = np.concatenate(list(embeddings.score_blocks([str(path)], ids, {})))
            np.testing.assert_array_equal(got, expected, err_msg=path.name)
    parts = sorted(str(path) for path in tmp_path.glob('part-*.pkl'))
    counts = {}
    np.testing.assert_array_equal(np.concatenate(list(embeddings.score_blocks(parts, ids, counts))), expected)
    assert counts == wanted


def test_lists_that_say_nothing_are_dropped_and_counted():
    lists = {'read': [np.nan] * 30, 'kept': [7, 8] * 8 + [np.nan] * 14, 'dropped: too few scores': [7, 8] * 7 + [0] * 16,
             'dropped: mean too high': [10] * 29 + [9], 'dropped: all scores alike': [6] * 30, 'alike, too': [7.3] * 30}
    frame = pd.DataFrame(list(lists.values()), columns=ids_of(30), dtype=float)
    frame.to_pickle(path := os.path.join(os.environ.get('TMPDIR', '/tmp'), f'aniembed-dropped-{os.getpid()}.pkl'))
    counts = {}
    try:
        blocks = list(embeddings.score_blocks([path], ids_of(30), counts))
    finally:
        os.remove(path)
    assert counts == {'read': 6, 'kept': 1, 'dropped: too few scores': 2, 'dropped: mean too high': 1,
                      'dropped: all scores alike': 2}
    np.testing.assert_array_equal(blocks[0], [[7, 8] * 8 + [0] * 14])


# ---- several machines ------------------------------------------------------------------------------------------------

def start_machines(arguments, port, worker=('embeddings.py',)):
    """One scheduler, one server, two workers as processes on 127.0.0.1; returns them in that order."""
    environment = {**os.environ, 'DMLC_PS_ROOT_URI': '127.0.0.1', 'DMLC_PS_ROOT_PORT': str(port), 'DMLC_NUM_SERVER': '1',
                   'DMLC_NUM_WORKER': '2', 'DMLC_INTERFACE': 'lo', 'OMP_NUM_THREADS': '1'}
    return [subprocess.Popen([sys.executable, *program, 'KVSTORE=dist_sync', *arguments], cwd=ROOT, text=True,
                             env={**environment, 'DMLC_ROLE': role}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for role, program in (('scheduler', ['embeddings.py']), ('server', ['embeddings.py']),
                                  ('worker', worker), ('worker', worker))]


INDEX_ONLY = """
import sys, numpy as np, embeddings
embeddings.apply_arguments(sys.argv[1:])
embeddings.join_machines()
ids, paths = embeddings.read_anime_list(), embeddings.list_files()
means = embeddings.fill_means(embeddings.read_anime_data(ids), paths)
pairs = embeddings.PairIterator(embeddings.score_blocks(paths, ids, {}), means, 16)
np.save(f'{embeddings.OUTPUT_DIR}/index-{embeddings.STORE.rank}.npy', pairs.similarity)
embeddings.STORE = None
embeddings.ROLL_CALL.leave()
"""


def free_port():
    import socket
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(('127.0.0.1', 0))
            with contextlib.suppress(OSError):
                two.bind(('127.0.0.1', one.getsockname()[1] + 1))
                return one.getsockname()[1]


@pytest.mark.slow
def test_two_workers_find_what_one_process_finds(planted, tmp_path):
    folder, _, group = planted
    lists = pd.read_pickle(folder / 'dataframe.pkl')
    many = pd.concat([lists] * 8)
    many.index = [f'member{k}' for k in range(len(many))]
    many.to_pickle(tmp_path / 'all.pkl')
    for k, part in enumerate(np.array_split(np.arange(len(many)), 3)):
        many.iloc[part].to_pickle(tmp_path / f'lists-{k}.pkl')
    nodes = json.loads((folder / 'animes.json').read_text())
    del nodes['1007']['mean']  # so that a mean has to be summed over the workers, too
    (tmp_path / 'animes.json').write_text(json.dumps(nodes))
    arguments = [f'ANIME_LIST={folder}/animelist.txt', f'ANIME_DATA={tmp_path}/animes.json', 'COVERS_DIR=']
    kept = np.concatenate(list(embeddings.score_blocks([str(tmp_path / 'all.pkl')], ids_of(len(group)), {})))
    means = np.full(len(group), 6.5)
    means[1] = kept[:, 1][kept[:, 1] > 0].mean()
    alone = pairs_of(kept, means)
    machines = start_machines([*arguments, f'ANIME_DATA_LIST={tmp_path}/all.pkl', f'OUTPUT_DIR={tmp_path}'], free_port(),
                              ['-c', INDEX_ONLY])  # a single file is shared by blocks, several by files
    said = [machine.communicate(timeout=120)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0, 0, 0], said
    for rank in (0, 1):
        np.testing.assert_allclose(np.load(tmp_path / f'index-{rank}.npy'), alone.similarity, atol=1e-5)

    machines = start_machines([*arguments, f'ANIME_DATA_LIST={tmp_path}/lists-*.pkl', f'OUTPUT_DIR={tmp_path}/shared'], free_port())
    said = [machine.communicate(timeout=120)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0, 0, 0], said
    settings = json.loads((tmp_path / 'shared' / 'settings.json').read_text())
    assert settings['lists']['read'] == len(many) and settings['lists']['kept'] == len(kept)
    popularity = (alone.scorers + 1) / (alone.scorers + 1).mean()
    attrs = pd.read_pickle(tmp_path / 'shared' / 'embeddings.pkl').attrs
    np.testing.assert_allclose(list(attrs['popularity'].values()), popularity, rtol=1e-5)
    neighbours = pd.read_csv(tmp_path / 'shared' / 'neighbours.csv')
    group_of = dict(zip(ids_of(len(group)), group))
    nearest = neighbours[neighbours['rank'] < SIZE]
    assert (nearest.mal_id.map(group_of) == nearest.neighbour_id.map(group_of)).all()


@pytest.mark.slow
@pytest.mark.parametrize('victim', ['scheduler', 'worker'])
def test_a_machine_that_dies_ends_the_others_with_a_sentence(planted, tmp_path, victim):
    arguments = [*arguments_for(planted[0])[:3], f'OUTPUT_DIR={tmp_path}', 'COVERS_DIR=', 'EPOCHS=1000000']
    machines = start_machines(arguments, free_port())
    for line in machines[2].stdout:
        if line.startswith('lists:'):
            break
    time.sleep(0.5)
    dying = machines[('scheduler', 'server', 'worker').index(victim)]
    dying.kill()
    for machine in machines:
        said = machine.communicate(timeout=20)[0]
        if machine is not dying:
            assert machine.returncode == 11 and 'another machine' in said and 'Traceback' not in said
    assert not os.listdir(tmp_path)


# ---- recommendations -------------------------------------------------------------------------------------------------

def test_recommend_finds_the_group_that_a_person_loves(planted):
    folder, _, group = planted
    frame = pd.read_pickle(folder / 'output' / 'embeddings.pkl')
    ids = np.array(ids_of(len(group)))
    for wanted in range(GROUPS):
        own = ids[group == wanted]
        scores = {int(mal_id): 9 for mal_id in own[:3]}
        scores[int(ids[group == (wanted + 1) % GROUPS][0])] = 3
        best = embeddings.recommend(frame, scores, number=SIZE - 3)
        assert set(best.index) == set(own[3:])
        assert best.is_monotonic_decreasing
        everything = embeddings.recommend(frame, {**scores, 99999999: 10, int(own[3]): 0}, number=None)
        assert set(everything.index) == set(ids) - set(scores) - {own[3]}
        row = pd.Series({mal_id: scores.get(mal_id, np.nan) for mal_id in frame.index})  # as in the DataFrame of the lists
        pd.testing.assert_series_equal(embeddings.recommend(frame, row), embeddings.recommend(frame, scores))


@pytest.mark.parametrize('scores', [{}, {99999999: 8}, {1000: 0}])
def test_recommend_without_a_known_score_is_a_value_error(planted, scores):
    frame = pd.read_pickle(planted[0] / 'output' / 'embeddings.pkl')
    with pytest.raises(ValueError):
        embeddings.recommend(frame, scores)


EXPORT = '''<?xml version="1.0" encoding="UTF-8" ?>
<myanimelist>
  <myinfo><user_name>somebody</user_name></myinfo>
  {}
</myanimelist>'''
ENTRY = '''<anime><series_animedb_id>{}</series_animedb_id><series_title><![CDATA[A <title> & more]]></series_title>
<my_score>{}</my_score><my_status>Completed</my_status></anime>'''


@pytest.mark.parametrize('ending', ['.xml', '.XML.GZ', ''])
def test_recommend_for_a_person_in_seconds(planted, tmp_path, ending):
    folder, _, group = planted
    ids = np.array(ids_of(len(group)))
    own = ids[group == 2]
    person = 'MEMBER7'
    if ending:
        person = str(tmp_path / f'animelist{ending}')
        text = EXPORT.format(''.join(ENTRY.format(mal_id, 10) for mal_id in own[:4]) + ENTRY.format(own[4], 0)).encode()
        with (gzip.open if ending == '.XML.GZ' else open)(person, 'wb') as file:
            file.write(text)
    before = (folder / 'output' / 'graph.json').stat().st_mtime_ns
    done = run([*arguments_for(folder), 'TRAIN=False', f'RECOMMEND_FOR={person}'])
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / 'output' / 'recommendations.csv')
    assert list(table) == ['rank', 'mal_id', 'title', 'affinity', 'because'] and len(table) == 20
    assert (folder / 'output' / 'graph.json').stat().st_mtime_ns == before
    if ending:
        assert set(table.mal_id[:3]) == set(own[5:])
        for because in table.because[:3]:
            reasons = because.split('; ')
            assert len(reasons) == 3 and set(reasons) <= {f'Title {mal_id}' for mal_id in own[:4]}
    for title in table.title:
        assert title in done.stdout
    assert done.stdout.splitlines()[-1].endswith(': recommendations.csv')  # what this run wrote


def test_without_training_the_same_vectors_give_the_same_files(planted, tmp_path):
    before = planted[0] / 'output'
    (tmp_path / 'embeddings.pkl').write_bytes((before / 'embeddings.pkl').read_bytes())
    assert call([*arguments_for(planted[0])[:3], f'OUTPUT_DIR={tmp_path}', 'COVERS_DIR=', 'TRAIN=False'])[0] == 0
    for name in ('embeddings.pkl', 'neighbours.csv', 'similarity_map.png'):
        assert (tmp_path / name).read_bytes() == (before / name).read_bytes(), name


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + ''.join(
    f'<!ENTITY {chr(98 + k)} "{f"&{chr(97 + k)};" * 10}">' for k in range(9)) + ']><myanimelist>&j;</myanimelist>'


@pytest.mark.parametrize('name, content', [
    ('bomb.xml', BOMB.encode()),
    ('outside.xml', b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><myanimelist/>'),
    ('cut.xml', EXPORT.format(ENTRY.format(1000, 7)).encode()[:200]),
    ('score.xml', EXPORT.format(ENTRY.format(1000, 77)).encode()),
    ('id.xml', EXPORT.format(ENTRY.format('x', 7)).encode()),
    ('manga.xml', EXPORT.format('<manga><my_score>7</my_score></manga>').encode()),
    ('words.xml', EXPORT.format(ENTRY.format(1000, 'nine')).encode()),
    ('none.xml.gz', b'no gzip'),
    ('cut.xml.gz', gzip.compress(EXPORT.format(ENTRY.format(1000, 7)).encode())[:60]),
    ('large.xml.gz', gzip.compress(b' ' * (65 << 20), 1)),
    ('absent.xml', None),
    ('', None)])
def test_a_bad_person_is_status_10(planted, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    person = tmp_path / name if name else 'nobody-of-this-name'
    status, said = call([*arguments_for(planted[0]), 'TRAIN=False', f'RECOMMEND_FOR={person}'])
    assert status == 10 and 'RECOMMEND_FOR' in said and 'Traceback' not in said, said


# ---- bad input -------------------------------------------------------------------------------------------------------

class Attack:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def planted_frame():
    scores, _ = planted_scores(60)
    return pd.DataFrame(scores, index=[f'm{k}' for k in range(60)], columns=ids_of(scores.shape[1]))


def bad_inputs():
    """name -> (status, words of the sentence, how to spoil the inputs in a folder)."""
    def text(name, content):
        return lambda folder: (folder / name).write_text(content)

    def pickled(change):
        def spoil(folder):
            content = change(pd.read_pickle(folder / 'dataframe.pkl'))
            (folder / 'dataframe.pkl').write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
        return spoil

    def score(value):
        def change(frame):
            frame = frame.astype(object)
            frame.iat[3, 2] = value
            return frame
        return pickled(change)

    def nodes(change):
        def spoil(folder):
            content = json.loads((folder / 'animes.json').read_text())
            change(content)
            (folder / 'animes.json').write_text(json.dumps(content))
        return spoil

    listed = '\n'.join(map(str, ids_of(8)))
    return {
        'no ANIME_LIST': (4, 'ANIME_LIST', lambda folder: (folder / 'animelist.txt').unlink()),
        'no ANIME_DATA': (4, 'ANIME_DATA', lambda folder: (folder / 'animes.json').unlink()),
        'no ANIME_DATA_LIST': (4, 'ANIME_DATA_LIST', lambda folder: (folder / 'dataframe.pkl').unlink()),
        'blank line': (5, 'line 9', text('animelist.txt', listed + '\n\n77\n')),
        'no number': (5, 'line 9', text('animelist.txt', listed + '\nseven\n')),
        'id twice': (5, 'line 9', text('animelist.txt', listed + '\n1000\n')),
        'no UTF-8': (5, 'UTF-8', lambda folder: (folder / 'animelist.txt').write_bytes(b'\xff\xfe1\n')),
        'too few titles': (7, 'titles', text('animelist.txt', '1000\n1007\n')),
        'empty list': (7, 'titles', text('animelist.txt', '')),
        'no JSON': (5, 'JSON', text('animes.json', '{"1000": ')),
        'deep JSON': (5, 'JSON', text('animes.json', '[' * 200000)),
        'no object': (5, 'JSON', text('animes.json', '[1, 2]')),
        'id absent': (5, '1007', nodes(lambda content: content.pop('1007'))),
        'no title': (5, '1007', nodes(lambda content: content['1007'].pop('title'))),
        'title a number': (5, '1007', nodes(lambda content: content['1007'].update(title=3))),
        'genres a text': (5, '1007', nodes(lambda content: content['1007'].update(genres='x'))),
        'mean of 11': (5, '1007', nodes(lambda content: content['1007'].update(mean=11))),
        'no pickle': (6, 'pickle', pickled(lambda frame: b'user,1000\nsomebody,7\n')),
        'empty file': (6, 'pickle', pickled(lambda frame: b'')),
        'cut off': (6, 'cut off', pickled(lambda frame: pickle.dumps(frame)[:-2000])),
        'no DataFrame': (6, 'DataFrame', pickled(lambda frame: {'a': 1})),
        'a column absent': (6, '1007', pickled(lambda frame: frame.drop(columns=[1007]))),
        'a column twice': (6, '1007', pickled(lambda frame: pd.concat([frame, frame[[1007]]], axis=1))),
        'score 11': (6, 'member3', score(11)),
        'a number as text': (6, "'9'", score('9')),
        'numbers as texts': (6, 'member', pickled(lambda frame: frame.fillna(0).astype('string'))),
        'a truth': (6, 'True', score(True)),
        'truths': (6, 'member', pickled(lambda frame: frame > 5)),
        'score -1': (6, 'member3', score(-1)),
        'score inf': (6, 'member3', score(math.inf)),
        'score text': (6, 'member3', score('nine')),
        'huge array': (6, 'DataFrame', pickled(lambda frame: pickle.dumps(
            Attack(np.core.multiarray._reconstruct, np.ndarray, (10 ** 17,), b'b')))),
        'no list left': (7, '60 dropped: too few scores', pickled(lambda frame: frame.where(frame > 99))),
        'no list at all': (7, 'left', pickled(lambda frame: frame[:0])),
    }


@pytest.mark.parametrize('name', bad_inputs())
def test_bad_input_ends_with_its_sentence_and_status(tmp_path, name):
    arguments = write_inputs(tmp_path, planted_scores(60)[0])
    status, words, spoil = bad_inputs()[name]
    spoil(tmp_path)
    got, said = call(arguments)
    assert (got, words in said, 'Traceback' in said) == (status, True, False), (got, said)
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize('argument, words', [
    ('EPOCH=3', 'EPOCHS'), ('epochs=3', 'EPOCHS'), ('EPOCHS', 'EPOCHS'), ('EPOCHS=three', 'whole number'), ('EPOCHS=0', 'EPOCHS'),
    ('TRAIN=yes', 'True or False'), ('MX_CONTEXT=tpu', "'cpu' or 'gpu'"), ('BOTTER_LIMIT=nan', 'BOTTER_LIMIT'),
    ('KVSTORE=dist_sync', 'DMLC_ROLE'), ('LEARNING_RATE=0', 'LEARNING_RATE'), ('MX_CONTEXT=gpu', "'cpu' is right"),
    ('PERPLEXITY=48', 'at most 47'), ('N_CLUSTERS=25', 'at most 24'), ('N_CLUSTERS=51', 'to 50')])
def test_a_wrong_global_is_status_2(planted, tmp_path, argument, words):
    status, said = call([*arguments_for(planted[0])[:3], f'OUTPUT_DIR={tmp_path}', argument])
    assert status == 2 and words in said and 'Traceback' not in said


def test_a_loss_that_is_no_number_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setitem(embeddings.LIMITS, 'LEARNING_RATE', (1e-9, 1e38))
    for rate in ('1e30', '1e38'):
        status, said = call([*write_inputs(tmp_path, planted_scores(60)[0]), f'LEARNING_RATE={rate}'])
        assert status == 8 and 'LEARNING_RATE' in said and said.count('\n') == 1, said
    assert not os.listdir(tmp_path / 'output')


def test_vectors_that_all_point_the_same_way_end_the_run(tmp_path):
    random = np.random.default_rng(4)
    scores = np.repeat(random.integers(7, 10, (60, 1)), 20, axis=1).astype(float)
    scores[np.arange(60), random.integers(0, 20, 60)] += 1  # every list has some variation, but no title differs from another
    done = run([*write_inputs(tmp_path, scores), 'COMMON=0', 'BOTTER_LIMIT=10'])
    assert done.returncode == 8 and 'the same way' in done.stderr and 'Traceback' not in done.stderr
    assert not os.listdir(tmp_path / 'output')


def test_ci_runs_the_commands_of_the_readme():
    readme, script = (ROOT / 'README.md').read_text(), (ROOT / '.ci' / 'run').read_text()
    steps = re.findall(r"^step '(.*)'$", script, re.M)
    assert steps == ['main job', 'web tests', 'tests']
    for step in steps:
        assert len(re.findall(rf'<!-- {step} -->\n```bash\n.+\n```', readme)) == 1
    assert not re.search(r'^\s*(\.venv|npm|python3 -m)', script, re.M)  # nothing but what it reads there


def test_an_output_folder_that_cannot_be_written_is_status_9(tmp_path):
    (tmp_path / 'file').write_text('')
    status, said = call([f'OUTPUT_DIR={tmp_path}/file/output'])
    assert status == 9 and 'OUTPUT_DIR' in said


def test_a_full_disk_leaves_the_old_outputs_whole(planted, tmp_path):
    folder, _, _ = planted
    output = tmp_path / 'output'
    output.mkdir()
    for path in (folder / 'output').iterdir():
        (output / path.name).write_bytes(path.read_bytes())
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    done = run([*arguments_for(folder)[:3], f'OUTPUT_DIR={output}', 'COVERS_DIR=', 'SEED=8'],
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)))
    assert done.returncode == 9 and 'cannot be written' in done.stderr and 'Traceback' not in done.stderr
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_ctrl_c_is_one_line_and_status_130(planted, tmp_path):
    process = subprocess.Popen([sys.executable, 'embeddings.py', *arguments_for(planted[0])[:3], f'OUTPUT_DIR={tmp_path}',
                                'EPOCHS=1000000'], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith('lists:'):
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and 'Traceback' not in said and 'Stopped' in said


@pytest.mark.parametrize('seconds', [0.5, 1, 1.5])
def test_ctrl_c_while_importing_is_one_line_too(seconds, tmp_path):
    process = subprocess.Popen([sys.executable, 'embeddings.py', f'OUTPUT_DIR={tmp_path}'], cwd=ROOT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and said.count('\n') == 1 and 'Stopped' in said, said


def test_help_is_the_docstring():
    done = run(['--help'])
    assert done.returncode == 0 and done.stdout.strip() == embeddings.__doc__.strip() and not done.stderr


def test_without_its_libraries_it_says_what_to_do():
    done = subprocess.run([sys.executable, '-S', 'embeddings.py'], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3 and 'pip install' in done.stderr and done.stderr.count('\n') == 1


@pytest.mark.parametrize('version', ['3.8', '3.13'])
def test_a_python_that_mxnet_cannot_run_on_gets_a_sentence(version):
    python = interpreters([version]).get(version)
    if not python:
        pytest.skip(f'Python {version} is not installed')
    done = subprocess.run([python, 'embeddings.py'], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3 and 'uv run --python 3.12' in done.stderr and 'Traceback' not in done.stderr
