"""embeddings.py: the index, the iterator, the net, what a run finds and writes, and how it ends."""

import base64
import json
import math
import os
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from tools.planted import SIZE, arguments_for, ids_of, nodes_of, planted_scores, write_inputs
from tools.processes import ROOT, call, die_while_writing, has_loaded, is_sentence, run, start, wait_until

import embeddings
import similarity_map
from aniembed import machines, settings, similarity

mx = embeddings.mx
FILES = ('embeddings.pkl', 'neighbours.csv', 'settings.json', 'titles.json')  # what learn() writes


# ---- the index and the net -----------------------------------------------------------------------


def config_of(*arguments):
    """Return the settings of embeddings.py."""
    return settings.read(arguments, embeddings.SETTINGS)


EVERY_LIST = config_of('MIN_ANIME_REQUIRED=1', 'BOTTER_LIMIT=10')


def target_and_counts(scores, means):
    """Return the target of some scores, which come in three blocks, and how many lists score each title."""
    blocks = [csr_matrix(np.nan_to_num(part), dtype=np.float32) for part in np.array_split(scores, 3)]
    sums, scored, _ = embeddings.sum_pairs(blocks, np.float32(means), EVERY_LIST, machines.Workers())
    return similarity.target_of(sums, embeddings.COMMON, embeddings.POWER, embeddings.RIDGE), scored


def plain_pair_sums(scores, means):
    """Return W as the docstring of PairSums defines it, one user and one pair of titles at a time."""
    n = scores.shape[1]
    sums = np.zeros((n, n))
    for row in scores:
        offsets = [max(0, s - m + embeddings.MARGIN) if s > 0 else 0 for s, m in zip(row, means.tolist())]
        for i in range(n):
            for j in range(n):
                sums[i, j] += math.sqrt(offsets[i] * offsets[j]) / math.sqrt(max(sum(offsets), 1e-6))
    return sums


SHARES = {'all dense': [0.5] * 14, 'all sparse': [0.015] * 14, 'some of each': [0.5, 0.01] * 7}


@pytest.mark.parametrize('shares', SHARES)
def test_pair_sums_equal_a_plain_double_loop(shares):
    source, n = np.random.default_rng(5), 14
    scores = source.integers(0, 11, (600, n)) * (source.random((600, n)) < SHARES[shares])
    means = source.uniform(4, 9, n).astype(np.float32)
    user_items = csr_matrix(scores, dtype=np.float32)
    before = user_items.copy()
    sums = similarity.PairSums(means, embeddings.MARGIN)
    for first in (0, 250, 500):
        sums.add(user_items[first : first + 250])
    total = sums.total()
    assert type(total) is np.ndarray and total.dtype == np.float32
    np.testing.assert_allclose(total, plain_pair_sums(scores, means), rtol=1e-6, atol=1e-6)
    assert (user_items != before).nnz == 0 and user_items.nnz == before.nnz


def correlated(n=14):
    """Return scores users x titles of which the even ones are liked together, and means."""
    source = np.random.default_rng(6)
    scores = source.integers(0, 11, (60, n))
    scores[:, ::2] = np.maximum(scores[:, ::2], source.integers(0, 11, (60, 1)))
    scores[:, 1] = scores[:, 3]
    return scores, source.uniform(4, 9, n)


def levelled(index, evenness):
    """Return level_neighbours() by a plain sort."""
    np.fill_diagonal(index, -9)
    fifth = np.sort(index)[:, -5]
    height = np.maximum(fifth, 0.05 * np.median(fifth)) ** (evenness / 2)
    height /= np.exp(np.log(height).mean())
    assert height.max() > 1.2 * height.min()
    result = np.minimum(index / np.outer(height, height), 1)
    np.fill_diagonal(result, 1)
    return result


def test_the_target_is_what_its_docstrings_say():
    scores, means = correlated()
    w = plain_pair_sums(scores, means)
    index = w / np.sqrt(np.outer(w.diagonal(), w.diagonal()))
    values, vectors = np.linalg.eigh(index)
    index -= embeddings.COMMON * values[-1] * np.outer(vectors[:, -1], vectors[:, -1])
    index /= np.sqrt(np.outer(index.diagonal(), index.diagonal()))
    centred = levelled(np.sign(index) * np.abs(index) ** embeddings.POWER, 1)
    precision = np.linalg.inv(w + embeddings.RIDGE * np.trace(w) * np.eye(len(w)))
    partial = levelled(-precision / np.sqrt(np.outer(precision.diagonal(), precision.diagonal())), 0.75)
    partial = np.minimum(0.15 * np.log10(14) / np.median(np.sort(partial)[:, -6]) * partial, 1)
    np.fill_diagonal(partial, 1)
    target, scored = target_and_counts(scores, means)
    np.testing.assert_allclose(target, 0.35 * centred + 0.65 * partial, atol=1e-4)
    np.testing.assert_array_equal(scored, (scores > 0).sum(0))


def test_scores_alone_find_the_groups():
    # Everybody scores a random half of the titles, one group of them higher: who saw what says nothing
    config = config_of('EPOCHS=30', 'BATCH_SIZE=60')
    for seed in range(3):
        source, n, groups = np.random.default_rng(seed), 60, 5
        means, group = source.uniform(6, 8.5, n), np.arange(n) % groups
        own = group == source.integers(0, groups, 3000)[:, None]
        scores = np.clip(np.round(means + np.where(own, 1.5, -0.7) + source.normal(size=own.shape)), 1, 10)
        scores[source.random(own.shape) < 0.5] = 0
        means = scores.sum(0) / (scores > 0).sum(0)
        vectors, _ = embeddings.train(target_and_counts(scores, means)[0], config, machines.Workers())
        indices, _ = embeddings.nearest_titles(vectors, 1)
        assert (group[indices[:, 0]] == group).all()


def test_the_iterator_gives_every_title_against_all():
    whole = np.random.default_rng(4).normal(size=(48, 48)).astype(np.float32)
    pairs = embeddings.PairIterator(whole, 7, 5, machines.Workers())
    orders = []
    for _ in range(2):
        batches = [(batch.data[0].asnumpy().astype(int), batch.label[0].asnumpy()) for batch in pairs]
        pairs.reset()
        for titles, target in batches:
            np.testing.assert_array_equal(target, whole[titles])
        orders.append(np.concatenate([titles for titles, _ in batches]))
        assert set(orders[-1]) == set(range(48)) and {len(titles) for titles, _ in batches} == {7}
    assert not np.array_equal(*orders)


def test_loss_and_gradient_equal_closed_form_numpy(monkeypatch):
    monkeypatch.setenv('MXNET_SUBGRAPH_VERBOSE', '0')  # MXNet asks once, at the first net of a process
    source = np.random.default_rng(2)
    n, d, titles = 11, 7, np.array([3, 0, 10, 3])
    weight, target = source.normal(size=(n, d)), source.uniform(-0.5, 1, (n, n))
    shapes = {'titles': (len(titles),), 'target': (len(titles), n)}
    wanted = {'embedding_weight': 'write', 'titles': 'null', 'target': 'null'}
    net = embeddings.embedding_net(n, d, 0.7).simple_bind(mx.cpu(), wanted, **shapes)
    for name, value in (('embedding_weight', weight), ('titles', titles), ('target', target[titles])):
        net.arg_dict[name][:] = value
    loss = net.forward(is_train=True)[0].asnumpy()[:, 0]
    net.backward()
    length = np.linalg.norm(weight, axis=1, keepdims=True)
    v = weight / length
    error, focus = v[titles] @ v.T - target[titles], 1 + 0.7 * np.maximum(target[titles], 0)
    np.testing.assert_allclose(loss, (focus * error**2).mean(1), atol=1e-6)
    # L = sum_b 1/n sum_j w (v_b . v_j - T_bj)^2. dL/dv gathers both roles of a title;
    # dL/de = (dL/dv - v (v . dL/dv)) / |e|
    slope = 2 / n * focus * error
    by_vector = slope.T @ v[titles]
    np.add.at(by_vector, titles, slope @ v)
    gradient = (by_vector - v * (v * by_vector).sum(1, keepdims=True)) / length
    np.testing.assert_allclose(net.grad_dict['embedding_weight'].asnumpy(), gradient, atol=1e-6)


def test_nearest_titles_equal_a_plain_sort():
    source = np.random.default_rng(3)
    vectors = source.normal(size=(1100, 4)).astype(np.float32)  # more than one block of rows
    indices, similarities = embeddings.nearest_titles(vectors, 6)
    products = vectors @ vectors.T
    np.fill_diagonal(products, -np.inf)
    expected = -np.sort(-products)[:, :6]
    np.testing.assert_allclose(similarities, expected, rtol=1e-5)
    np.testing.assert_array_equal(np.take_along_axis(products, indices, 1), similarities)


# ---- the lists -----------------------------------------------------------------------------------


def test_lists_that_say_nothing_are_dropped_and_counted():
    lists = [[0] * 30, [*[7, 8] * 7, 7, *[0] * 15], [7, 8] * 7 + [0] * 16]
    lists += [[10] * 29 + [9], [6] * 30, [7.3] * 30]
    kept, outcomes = embeddings.select_lists(csr_matrix(np.float32(lists)), config_of())
    np.testing.assert_array_equal(kept.toarray(), [[*[7, 8] * 7, 7, *[0] * 15]])
    dropped = {'dropped: too few scores': 2, 'dropped: mean too high': 1, 'dropped: all scores alike': 2}
    assert dict(zip(embeddings.OUTCOMES, outcomes)) == {'read': 6, 'kept': 1, **dropped}


def test_a_mean_that_anime_data_lacks_comes_from_the_lists():
    anime = pd.DataFrame({'mean': pd.Series([7.5, None, None], dtype=object)})
    blocks = [csr_matrix(np.float32([[3, 4, 0], [5, 0, 0]])), csr_matrix(np.float32([[9, 7, 0]]))]
    means = embeddings.title_means(anime, blocks, EVERY_LIST, machines.Workers())
    np.testing.assert_array_equal(means, np.float32([7.5, 5.5, np.nan]))


# ---- what a run finds and writes -----------------------------------------------------------------


def test_the_nearest_titles_are_all_of_the_own_group(planted):
    neighbours = pd.read_csv(planted.output / 'neighbours.csv')
    group_of = dict(zip(ids_of(48), planted.group))
    nearest = neighbours[neighbours['rank'] < SIZE]
    assert len(nearest) == 48 * (SIZE - 1)
    assert (nearest.mal_id.map(group_of) == nearest.neighbour_id.map(group_of)).all()


def test_the_files_of_a_run_agree(planted):
    frame = pd.read_pickle(planted.output / 'embeddings.pkl')
    assert frame.shape == (48, 50) and list(frame.index) == ids_of(48)
    assert (frame.dtypes == np.float32).all()
    np.testing.assert_allclose(np.linalg.norm(frame, axis=1), 1, atol=1e-5)
    neighbours = pd.read_csv(planted.output / 'neighbours.csv')
    names = ['mal_id', 'title', 'rank', 'neighbour_id', 'neighbour_title', 'similarity']
    assert list(neighbours) == names and len(neighbours) == 480
    rows, others = (frame.loc[neighbours[name]].to_numpy() for name in ('mal_id', 'neighbour_id'))
    np.testing.assert_allclose(neighbours.similarity, (rows * others).sum(1), atol=1e-4)
    record = json.loads((planted.output / 'settings.json').read_text())
    assert set(embeddings.SETTINGS) <= set(record) and record['MARGIN'] == embeddings.MARGIN
    assert record['lists']['read'] == 1200 == sum(record['lists'].values()) - 1200
    assert json.loads((planted.output / 'titles.json').read_text()) == nodes_of(48)
    graph = json.loads((planted.output / 'graph.json').read_text())
    assert [anime['id'] for anime in graph['anime']] == ids_of(48)
    vectors = np.frombuffer(base64.b64decode(graph['vectors']), '<f4').reshape(-1, 50)
    np.testing.assert_array_equal(vectors, frame)
    on_disk = {path.name for path in planted.output.iterdir()}
    assert on_disk == set(planted.stdout.splitlines()[-1].split(': ')[1].split(', ')) > set(FILES)


def test_the_same_inputs_give_the_same_files(planted, tmp_path):
    arguments = [*arguments_for(planted.folder), f'OUTPUT_DIR={tmp_path}/again/']
    done = run('embeddings.py', *arguments)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].split(': ')[1] == planted.stdout.splitlines()[-1].split(': ')[1]
    for path in planted.output.iterdir():
        first, second = path.read_bytes(), (tmp_path / 'again' / path.name).read_bytes()
        names = str(planted.output).encode(), f'{tmp_path}/again/'.encode()
        assert first.replace(names[0], b'') == second.replace(names[1], b''), path.name


# ---- bad input, and how a run ends ---------------------------------------------------------------

SCORES = planted_scores(40)[0]
# Exit status, arguments, words of the sentence, scores. What is wrong in a file stands where that is read.
WRONG_RUNS = [
    (2, 'EPOCH=3', 'did you mean EPOCHS?', SCORES),
    (2, 'EPOCHS=-1', 'EPOCHS is', SCORES),
    (2, 'N_CLUSTERS=51', 'N_CLUSTERS is', SCORES),  # a global of similarity_map.py
    (2, 'N_CLUSTERS=25', 'for 48 titles', SCORES),
    (2, 'MX_CONTEXT=gpu', "use 'cpu'", SCORES),
    (2, 'KVSTORE=dist_sync', 'DMLC_ROLE', SCORES),
    (1, 'EPOCHS=3', '4 titles', SCORES[:, :4]),
    (1, 'EPOCHS=3', 'no list', SCORES[:0]),
    (1, 'MIN_ANIME_REQUIRED=49', 'MIN_ANIME_REQUIRED', SCORES),
    (1, 'LEARNING_RATE=1', 'LEARNING_RATE', SCORES),  # the loss is no number
    (1, 'COMMON=0 BOTTER_LIMIT=10', 'alike to the lists', np.tile(7 + np.eye(20), (3, 1))),
    (1, 'OUTPUT_DIR=/dev/null/out', 'OUTPUT_DIR (/dev/null/out)', SCORES),
    (1, 'OUTPUT_DIR=/proc', 'OUTPUT_DIR (/proc) cannot be written to', SCORES),
    (1, 'ANIME_DATA_LIST=none.csv', 'no such file', SCORES),
]


@pytest.mark.parametrize('status, arguments, words, scores', WRONG_RUNS)
def test_a_run_that_fails_is_a_sentence(tmp_path, monkeypatch, status, arguments, words, scores):
    if 'LEARNING_RATE' in arguments:
        monkeypatch.setattr(embeddings, 'initial_vectors', lambda *_: np.full((48, 50), 3e38, np.float32))
    arguments = [*write_inputs(tmp_path, scores), *arguments.split()]
    ended, said = call(embeddings.main, arguments, tmp_path)
    assert (ended, words in said, is_sentence(said)) == (status, True, True), said
    assert not list(tmp_path.glob('output/*'))
    if status == 2 or words in ('4 titles', 'no such file'):
        assert not (tmp_path / 'output').exists()


def test_kills_leave_whole_files(tmp_path, monkeypatch):
    """Kill a run at every step of writing: a file is as before, or as a run that was left alone writes it."""
    monkeypatch.setattr(similarity_map, 'draw', lambda config: [])
    arguments = write_inputs(tmp_path, planted_scores(80)[0][:, :16])
    arguments += ['EPOCHS=3', 'MIN_ANIME_REQUIRED=3']
    calm, killed = tmp_path / 'calm', tmp_path / 'killed'
    killed.mkdir()
    assert call(embeddings.main, [*arguments, f'OUTPUT_DIR={calm}'], tmp_path) == (0, '')
    again, ends = [*arguments, f'OUTPUT_DIR={killed}'], []
    for step in range(1, 1 + 2 * len(FILES)):  # each file is opened and put in place
        ends += [call(embeddings.main, again, tmp_path, partial(die_while_writing, step))[0]]
        for path in killed.iterdir():
            if path.suffix == '.tmp':
                path.unlink()
            elif path.name != 'settings.json':
                assert path.read_bytes() == (calm / path.name).read_bytes()
            else:
                json.loads(path.read_text())
    assert ends == [-signal.SIGKILL] * len(ends)
    assert call(embeddings.main, again, tmp_path) == (0, '')
    assert sorted(os.listdir(killed)) == sorted(FILES)


@pytest.mark.parametrize('moment', ['_multiarray_umath', 'libmxnet', 'training'])
def test_ctrl_c_is_a_sentence_and_status_130(planted, tmp_path, moment):
    process = start('embeddings.py', *arguments_for(planted.folder, tmp_path / 'output'), 'EPOCHS=1000000')
    if moment == 'training':
        assert any(line.startswith('lists:') for line in process.stdout)
    else:  # while a library is imported; numpy swallows a KeyboardInterrupt then
        wait_until(lambda: has_loaded(process.pid, moment))
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 130 and 'stopped' in said and is_sentence(said), said


def test_a_name_without_quotes_in_a_head_is_a_sentence(tmp_path):
    for script in ('embeddings.py', 'similarity_map.py'):
        (tmp_path / script).write_text((ROOT / script).read_text())
    edited, good = tmp_path / 'similarity_map.py', "OUTPUT_DIR = 'output'"
    line = edited.read_text().split(good)[0].count('\n') + 1
    edited.write_text(edited.read_text().replace(good, 'OUTPUT_DIR = output'))
    done = run(tmp_path / 'embeddings.py', env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 2 and is_sentence(done.stderr), done.stderr
    assert f'similarity_map.py, line {line}:' in done.stderr and 'quotes' in done.stderr


@pytest.mark.parametrize('module', ['embeddings', 'recommend', 'similarity_map'])
def test_an_import_does_nothing_else(module):
    role = {**os.environ, 'DMLC_ROLE': 'server'}  # which MXNet takes at its import, and never comes back
    code = f"import sys, {module}; print('mxnet' in sys.modules, sys.excepthook is sys.__excepthook__)"
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, env=role, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f'{module == "embeddings"} True\n', '')
