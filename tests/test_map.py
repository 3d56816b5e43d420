"""similarity_map.py: what it reads and writes, clusters, places, covers from a real server, the picture."""

import json
import subprocess
import sys

import numpy as np
from conftest import ROOT
from tools.map_inputs import AWKWARD, planted, write_output


def run_map(folder, *arguments):
    command = [
        sys.executable,
        str(ROOT / 'similarity_map.py'),
        f'OUTPUT_DIR={folder}',
        'COVERS_DIR=',
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)


def test_the_graph_holds_what_the_page_needs_and_no_paths(tmp_path):
    vectors, nodes, _ = planted(60, n_embedding=64)
    write_output(tmp_path, vectors, nodes)
    result = run_map(tmp_path, 'N_CLUSTERS=5')
    assert (result.returncode, result.stderr) == (0, '')
    text = (tmp_path / 'graph.json').read_text()
    graph = json.loads(text)
    assert graph['format'] == 'aniembed-graph/2' and graph['n_embedding'] == 64 and graph['lists'] == 900
    assert graph['settings']['MARGIN'] == 2.0 and graph['settings']['N_CLUSTERS'] == 5
    assert '/home/me' not in text and str(tmp_path) not in text
    assert len(graph['clusters']) == 5 and sum(cluster['size'] for cluster in graph['clusters']) == 60
    assert [anime['id'] for anime in graph['anime']] == list(nodes)
    assert graph['anime'][4]['title'] == AWKWARD[4]
    assert graph['model']['mean'] == [8.0] * 60 and len(graph['model']['whitening']) == 64
    similarity = vectors @ vectors.T - 2 * np.eye(60)
    for row, mal_id in enumerate(nodes):
        assert graph['neighbours'][str(mal_id)][0][0] == list(nodes)[similarity[row].argmax()]


def test_another_folders_neighbours_end_in_a_sentence(tmp_path):
    vectors, nodes, _ = planted(20)
    write_output(tmp_path, vectors, nodes)
    (tmp_path / 'neighbours.csv').write_text('mal_id,neighbour_id,similarity\n1,2,0.5\n')
    result = run_map(tmp_path)
    assert result.returncode == 1 and result.stderr.count('\n') == 1 and 'neighbours.csv' in result.stderr
    assert not (tmp_path / 'graph.json').exists()
