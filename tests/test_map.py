"""similarity_map.py: files, clusters, places, names, covers from a real server, the picture."""

import itertools
import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from sklearn.manifold import TSNE
from tools.colours import seen_without
from tools.map_inputs import AWKWARD, GROUPS, planted, write_output
from tools.picture_server import BAD, PictureServer
from tools.processes import run

import similarity_map
from aniembed import files
from aniembed.inputs.titles import title_table
from aniembed.map import drawing, earlier, fonts, land, layout, page
from aniembed.map.clusters import find_clusters, name_clusters
from aniembed.map.short_titles import short_titles, shorten
from aniembed.settings import read
from aniembed.sites import covers as cover_files
from aniembed.sites.covers import fetch_covers

FILES = ['similarity_map.png', 'graph.json', 'explore.html']


def run_map(folder, *arguments):
    return run(
        'similarity_map.py', f'OUTPUT_DIR={folder}', 'COVERS_DIR=', *arguments, timeout=120, cwd=folder
    )


def config_of(**values):
    """Return the settings of similarity_map.py."""
    return read([f'{name}={value}' for name, value in values.items()], similarity_map.SETTINGS)


def draw(folder, monkeypatch, vectors, nodes, covers=(), **values):
    """Draw a map with every warning an error; returns the Map and the graph."""
    values = {'OUTPUT_DIR': write_output(folder, vectors, nodes), 'COVERS_DIR': '', **values}
    drawn = []
    real = drawing.draw_map

    def kept(*arguments):
        drawn.append(real(*arguments))
        return drawn[0]

    monkeypatch.setattr(drawing, 'draw_map', kept)
    monkeypatch.setattr(similarity_map, 'fetch_covers', lambda *_: dict(covers))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.filterwarnings('ignore', category=DeprecationWarning, module='matplotlib')  # old pyparsing
        similarity_map.draw(config_of(**values))
    monkeypatch.setattr(drawing, 'draw_map', real)
    return drawn[0], json.loads((folder / 'graph.json').read_text())


def overlaps(boxes):
    """Return the pairs of boxes that overlap by more than a pixel."""
    return [
        (one, two)
        for one, two in itertools.combinations(map(tuple, boxes), 2)
        if min(one[2], two[2]) - max(one[0], two[0]) > 1 and min(one[3], two[3]) - max(one[1], two[1]) > 1
    ]


def check_map(drawn, tiles=False):
    """No mark covers another one, no name a mark or a name, and what is written lies in its box."""
    names = [label.box for label in [*drawn.names, *drawn.labels] if label]
    assert not overlaps(names)
    width, height = drawn.image.size
    assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1 in names)
    marks = drawn.boxes
    if tiles:
        assert not overlaps(marks)
    middles, radii = (marks[:, :2] + marks[:, 2:]) / 2, (marks[:, 2] - marks[:, 0]) / 2
    distance = np.linalg.norm(middles[:, None] - middles[None], axis=-1) + 9e9 * np.eye(len(marks))
    assert tiles or (distance - radii[:, None] - radii[None]).min() > 0
    for name in names:
        assert not any(overlaps([name, mark]) for mark in marks)
    ink = [int(drawing.INK[k : k + 2], 16) for k in (1, 3, 5)]
    dark = np.abs(np.asarray(drawn.image, int) - ink).max(2) < 12
    dark[: height // 10] = dark[-height // 20 :] = False  # heading and footnote
    for x0, y0, x1, y1 in [*names, *(marks if tiles else [])]:
        dark[int(y0) : int(y1) + 2, int(x0) : int(x1) + 2] = False
    assert not dark.any()


# ---- files ----


def test_the_graph_holds_what_the_page_needs_and_no_paths(tmp_path):
    vectors, nodes, _ = planted(60, n_embedding=64)
    write_output(tmp_path, vectors, nodes, SEED=3)
    result = run_map(tmp_path, 'N_CLUSTERS=5', 'TITLES=english')
    assert (result.returncode, result.stderr) == (0, '')
    text = (tmp_path / 'graph.json').read_text()
    graph = json.loads(text)
    assert graph['format'] == 'aniembed-graph/3' and graph['n_embedding'] == 64 and graph['lists'] == 900
    assert graph['settings'].items() >= {'SEED': 3, 'N_CLUSTERS': 5, 'TITLES': 'english'}.items()
    assert '/home/me' not in text and str(tmp_path) not in text
    assert len(graph['clusters']) == 5 and sum(cluster['size'] for cluster in graph['clusters']) == 60
    assert [anime['id'] for anime in graph['anime']] == list(nodes)
    assert graph['anime'][4]['title'] == AWKWARD[4]
    assert graph['model'].items() >= {'mean': [8.0] * 60, 'popularity': [1.0] * 60}.items()
    similarity = vectors @ vectors.T - 2 * np.eye(60)
    for row, mal_id in enumerate(nodes):
        assert graph['neighbours'][str(mal_id)][0][0] == list(nodes)[similarity[row].argmax()]


WRONG = [('neighbours.csv', 'mal_id,neighbour_id,similarity\n1,2,0.5\n'), ('neighbours.csv', '')]
WRONG += [('titles.json', '{"10": {"title": "A"}}'), ('settings.json', '[]')]


@pytest.mark.parametrize('name, content', [*WRONG, ('embeddings.pkl', 'no pickle')])
def test_files_that_do_not_fit_end_in_a_sentence(name, content, tmp_path):
    vectors, nodes, _ = planted(20)
    (write_output(tmp_path, vectors, nodes) / name).write_text(content)
    with pytest.raises(files.RunError, match=name):
        similarity_map.draw(config_of(OUTPUT_DIR=tmp_path))
    assert not any((tmp_path / written).exists() for written in FILES)


def test_explore_html_holds_the_graph_and_no_title_ends_it(tmp_path, monkeypatch):
    explorer = tmp_path / 'explorer.html'
    meta = f'<meta content="img-src {page.USUAL_HOST};">'
    explorer.write_text(f'{meta}\n{page.GRAPH_PLACE}<p>\u2713')
    monkeypatch.setattr(page, 'EXPLORER', str(explorer))
    vectors, nodes, _ = planted(20)
    for k, mal_id in enumerate(nodes):
        host = ['https://img.example:8080', 'https://a.example;script-src *'][k % 5 == 0]
        nodes[mal_id]['main_picture'] = {'medium': f'{host}/{k}.jpg'}
    _, graph = draw(tmp_path, monkeypatch, vectors, nodes)
    html = (tmp_path / 'explore.html').read_text(encoding='utf-8')
    assert 'content="img-src https://img.example:8080;"' in html and html.endswith('</script><p>\u2713')
    start = html.index('id="graph">') + len('id="graph">')
    assert json.loads(html[start : html.index('</script>', start)]) == graph
    assert html.count('<script') == 1 and '\u2028' not in html
    explorer.write_text('another page')
    with pytest.raises(files.RunError, match='explorer.html'):
        page.write_explorer(str(tmp_path / 'x.html'), graph, [])
    assert not (tmp_path / 'x.html').exists()


# ---- clusters, places, colours ----


def find(n=100, **options):
    vectors, nodes, group = planted(n, **options)
    anime = title_table(nodes, 'test')
    nearest = np.argsort(-(vectors @ vectors.T - 2 * np.eye(n)), axis=1)[:, :10]
    clusters = find_clusters(vectors, 0)
    written = anime['title'].tolist()
    return name_clusters(clusters, nearest, anime, written), clusters, group


def test_planted_groups_are_found_and_named_by_their_genre():
    names, clusters, group = find()
    assert len(names) == len(GROUPS)
    for k, name in enumerate(names):
        assert {GROUPS[g] for g in group[clusters == k]} == {name}  # Drama, which all have, is no name


FRANCHISES = {  # clusters, and the names that they are to have
    'Code Geass & Death Note': [
        'Code Geass: Hangyaku no Lelouch',
        'Code Geass: Hangyaku no Lelouch R2',
        'Code Geass: Boukoku no Akito',
        'Death Note',
    ],
    'Naruto & Bleach': ['Naruto', 'Naruto: Shippuuden', 'Bleach Movie 1: Memories of Nobody', 'Bleach: Fade'],
    'Dragon Ball Z & Pokemon': ['Naruto Movie 2', 'Dragon Ball Z', 'Dragon Ball', 'Pokemon'],
    'Bakemonogatari': ['Bakemonogatari', 'Monogatari Series', 'Bakemonogatari II', 'Naruto SD'],
    'Naruto Honoo': ['Naruto Honoo', 'Naruto Movie 3', 'Naruto Movie 4', 'Bleach Movie 5'],
    'Naruto Honoo: Naruto Honoo': ['Naruto Honoo', 'Naruto OVA', 'Naruto Movie 6', 'Bleach Movie 7'],
}


def name_fours(written, genres=()):
    """Return the names of clusters of four titles each; genres: of the first titles, in words."""
    n = len(written)
    nodes = {row: {'title': title, 'popularity': row + 1} for row, title in enumerate(written)}
    for row, own in enumerate(genres):
        nodes[row]['genres'] = [{'name': name} for name in own.split()]
    nearest = np.array([[4 * (row // 4) + (row + step) % 4 for step in (1, 2, 3)] for row in range(n)])
    anime = title_table(nodes, 'test')
    return name_clusters(np.arange(n) // 4, nearest, anime, written)


def test_titles_of_two_franchises_name_a_cluster_without_genres():
    assert name_fours(list(itertools.chain(*FRANCHISES.values()))) == list(FRANCHISES)


def test_clusters_of_the_same_genres_have_different_names():
    genres = ['Harem Ecchi'] * 3 + ['Ecchi'] + ['Harem Ecchi'] * 3 + ['Harem']
    names = name_fours([f'{letter}{letter}' for letter in 'ABCDEFGHIJKLMNOP'], genres)
    assert names == ['Ecchi & Harem', 'Harem & Ecchi: EE', 'II & JJ', 'MM & NN']


@pytest.mark.parametrize('n', [200, 600])
def test_the_drawn_map_keeps_the_neighbours_that_plain_tsne_keeps(n, tmp_path, monkeypatch):
    vectors, nodes, group = planted(n, groups=[f'Genre {k}' for k in range(12)])
    drawn, graph = draw(tmp_path, monkeypatch, vectors, nodes)
    similarity = vectors @ vectors.T - 2 * np.eye(n)
    nearest = np.argsort(-similarity, axis=1)[:, :5]
    places = np.array([[anime['x'], anime['y']] for anime in graph['anime']])
    plain = layout.kept_neighbours(nearest, TSNE(metric='cosine', random_state=0).fit_transform(vectors))
    assert layout.kept_neighbours(nearest, places) > plain - 0.02
    far = np.linalg.norm(places[:, None] - places[None], axis=-1) + 9 * np.eye(n)
    assert (group[far.argmin(1)] == group).mean() > 0.98
    check_map(drawn)


@pytest.mark.parametrize('cone', [None, 0, 1], ids=['all cones', 'protanopia', 'deuteranopia'])
def test_clusters_differ_for_the_colour_blind(cone):
    lab = seen_without(cone, land.COLOURS + land.SHADES)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 99 * np.eye(len(lab))
    assert distance.min() > 10


@pytest.mark.parametrize('count', [5, 14, 50])
def test_a_cluster_has_the_colour_of_its_most_popular_title(count):
    ids, order = 100 + np.arange(300), np.arange(300)
    clusters = np.random.default_rng(count).permutation(300) % count
    colours = np.array(land.cluster_colours(clusters, ids, order))
    assert len(set(colours)) == count
    renumbered = (clusters + 1) % count  # as when another cluster has become the largest
    np.testing.assert_array_equal(
        np.array(land.cluster_colours(renumbered, ids, order))[renumbered], colours[clusters]
    )


def on_a_plane(n=300):
    """Return unit vectors, n x 50, of titles that lie on a plane, 1.6 times as wide as high."""
    random = np.random.default_rng(2)
    angles = random.uniform(size=(n, 2)) * [1.6, 1] @ (4 * random.normal(size=(2, 25)))
    return np.float32(np.hstack([np.cos(angles), np.sin(angles)]) / 5)


def changed(vectors, by, seed):
    """Return the vectors turned by a random rotation, with noise of this size a number."""
    random = np.random.default_rng(seed)
    d = vectors.shape[1]
    turned = vectors @ np.linalg.qr(random.normal(size=(d, d)))[0] + by * random.normal(size=vectors.shape)
    return (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize('by, most, least', [(1e-6, 0.03, 0.95), (0.01, 0.1, 0.9)])
def test_a_small_change_of_the_vectors_is_a_small_change_of_the_map(by, most, least):
    def places_and_colours(vectors):
        clusters = find_clusters(vectors, 0)
        places = layout.tsne(layout.affinities(vectors), clusters, layout.principal_plane(vectors))
        colours = land.cluster_colours(clusters, np.arange(n), np.arange(n))
        return layout.fit_to_frame(places, np.zeros(2), np.array([1, 0.7])), np.take(colours, clusters)

    vectors = on_a_plane()
    n = len(vectors)
    places, colours = places_and_colours(vectors)
    for seed in (1, 2):
        other_places, other_colours = places_and_colours(changed(vectors, by, seed))
        assert np.median(np.linalg.norm(other_places - places, axis=1)) <= most
        assert (other_colours == colours).mean() >= least


@pytest.mark.parametrize('n', [5, 6, 13])
def test_equal_vectors_have_places(n):
    vectors = np.tile(np.float32([0.6, 0.8]), (n, 1))
    places = layout.tsne(layout.affinities(vectors), np.zeros(n, int), layout.principal_plane(vectors))
    assert np.isfinite(places).all() and find_clusters(vectors, 0).max() < n


# ---- names ----


def test_short_titles_tell_sequels_apart_and_are_no_nonsense():
    long = 'Yahari Ore no Seishun Love Comedy wa Machigatteiru.'
    shorts = short_titles([long + end for end in ('', ' Zoku', ' Kan', ' 2nd Season')])
    assert len(set(shorts)) == 4 and shorts[3].endswith('… 2nd Season')
    for end in ('(TV)', '(2011)'):
        assert shorten(f'{long} {end}').endswith(f'… {end}')
    assert shorten('K-On!') == 'K-On!'
    kaguya = 'Kaguya-sama wa Kokurasetai'
    assert shorten(f'{kaguya}: Tensai-tachi no Renai Zunousen') == kaguya
    assert shorten('X' * 90) == 'X' * 39 + '…'


FAMILIES = [
    ['JoJo no Kimyou na Bouken (TV)', 'JoJo no Kimyou na Bouken: Stardust Crusaders'],
    ['Darker than Black', 'Darker than Black: Kuro no Keiyakusha Gaiden'],
    [
        'Ghost in the Shell',
        'Ghost in the Shell: Stand Alone Complex 2nd GIG',
        'Ghost in the Shell: Stand Alone Complex - Tachikoma na Hibi (TV)',
    ],
    [
        'Bishoujo Senshi Sailor Moon SuperS',
        'Bishoujo Senshi Sailor Moon SuperS: Sailor 9 Senshi Shuuketsu! Black Dream Hole no Kiseki',
    ],
    ['Gintama', "Gintama'", 'Gintama°'],
]


@pytest.mark.parametrize('family', FAMILIES, ids=lambda family: family[0])
def test_no_short_title_looks_like_another_title(family):
    def words(title):
        return title.removesuffix('(TV)').strip(' .!…').casefold()

    shorts = short_titles(family)
    assert len(set(map(words, shorts))) == len(family)
    for title, short in zip(family, shorts):
        if short != title and '…' not in short:
            assert not any(words(other).startswith(words(short)) for other in family if other != title)


@pytest.mark.parametrize('name', ['romaji', 'english'])
def test_a_title_that_no_font_can_write_has_its_other_name(name, monkeypatch):
    odd, plain = '\U00013000\U000130b8', 'Plain'  # hieroglyphs
    one = {'title': odd, 'alternative_titles': {'en': plain}}
    two = {'title': plain, 'alternative_titles': {'en': odd}}
    three = {'title': odd, 'alternative_titles': {'en': ''}}
    anime = title_table({1: one, 2: two, 3: three}, 'test')
    monkeypatch.setattr(fonts, 'characters', lambda path: set(range(0x3000)))
    assert similarity_map.shown_titles(anime, name) == [plain, plain, odd]


def test_years_tell_titles_of_one_name_apart():
    assert short_titles(['Fruits Basket', 'Fruits Basket', 'K-On!'], [2001, 2019, 2009]) == [
        'Fruits Basket (2001)',
        'Fruits Basket (2019)',
        'K-On!',
    ]


@pytest.mark.parametrize('n, share', [(5, 1), (100, 1), (1000, 0.8)])
def test_every_title_is_there_and_its_name_where_it_fits(n, share, tmp_path, monkeypatch):
    vectors, nodes, _ = planted(n, groups=[f'Genre {k}' for k in range(2 + n // 20)])
    drawn, graph = draw(tmp_path, monkeypatch, vectors, nodes)
    check_map(drawn)
    assert len(graph['anime']) == len(drawn.boxes) == n
    # some fonts lack Japanese
    writable = [bool(fonts.font_for(node['title'])[1]) for node in nodes.values()]
    assert sum(label is not None for label in drawn.labels) >= share * sum(writable)
    radii = [anime['r'] for anime in graph['anime']]
    assert radii[0] == max(radii) and radii[-1] == min(radii)  # the last one has no popularity


@pytest.mark.parametrize('n_clusters', [1, 50])
def test_one_cluster_and_fifty(n_clusters, tmp_path, monkeypatch):
    vectors, nodes, _ = planted(100)
    drawn, graph = draw(tmp_path, monkeypatch, vectors, nodes, N_CLUSTERS=n_clusters)
    check_map(drawn)
    assert len({cluster['name'] for cluster in graph['clusters']}) == n_clusters


# ---- covers ----


@pytest.fixture
def server():
    with PictureServer() as running:
        yield running


def test_covers_good_and_bad(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cover_files, 'TIMEOUT', 2)
    vectors, nodes, _ = planted(60)
    pages = [*BAD, 'png', 'moved', *['good'] * 25]
    urls = {mal_id: f'{server.url}{page}?{k}' for k, (mal_id, page) in enumerate(zip(nodes, pages))}
    urls |= dict(zip(list(nodes)[len(pages) :], ['file:///etc/passwd', 'http://']))
    expected = list(nodes)[len(BAD) : len(pages)]
    folder = tmp_path / 'covers'
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        covers = fetch_covers(urls, str(folder))
        assert list(covers) == expected
        # the endless one is left early; what lies in the sockets' buffers comes on top
        assert server.sent < 40e6 and f'{len(expected)} fetched' in capsys.readouterr().out
        assert {path.name for path in folder.iterdir()} == {f'{mal_id}.jpg' for mal_id in expected}
        (folder / f'{max(expected)}.jpg').write_bytes(b'broken')
        server.asked.clear()
        assert fetch_covers({mal_id: urls[mal_id] for mal_id in expected}, str(folder)) == covers
    assert server.asked == [f'/good?{len(pages) - 1}']  # only the broken file comes anew
    drawn, _ = draw(tmp_path / 'map', monkeypatch, vectors, nodes, covers, COVERS_DIR='x')
    check_map(drawn, tiles=True)
    x0, y0, x1, y1 = drawn.boxes[len(BAD)]
    tile = Image.open(tmp_path / 'map/similarity_map.png').crop((x0 + 9, y0 + 9, x1 - 9, y1 - 9))
    assert np.asarray(tile).std() < 1


def test_many_covers_lie_beside_each_other_and_too_many_are_not_drawn(tmp_path, monkeypatch):
    vectors, nodes, _ = planted(400, groups=[f'Genre {k}' for k in range(30)])
    Image.new('RGB', (225, 318), 'teal').save(tmp_path / 'cover.jpg')
    covers = dict.fromkeys(nodes, str(tmp_path / 'cover.jpg'))
    drawn, _ = draw(tmp_path, monkeypatch, vectors, nodes, covers, COVERS_DIR='x')
    check_map(drawn, tiles=True)
    assert (drawn.boxes[:, 2] - drawn.boxes[:, 0]).min() > 25
    monkeypatch.setattr(drawing, 'MOST_TILES', 59)
    vectors, nodes, _ = planted(60)
    drawn, _ = draw(tmp_path, monkeypatch, vectors, nodes, covers, COVERS_DIR='x')
    check_map(drawn)
    assert np.ptp(drawn.boxes[:, 2:] - drawn.boxes[:, :2], axis=1).max() < 1e-6  # discs are as wide as high


@pytest.mark.parametrize('case', ['closed', 'silent'])
def test_without_network_covers_are_given_up_within_seconds(case, server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cover_files, 'TIMEOUT', 2)
    address = server.url + 'silent' if case == 'silent' else 'http://127.0.0.1:9/cover.jpg'
    assert fetch_covers(dict.fromkeys(range(100), address), str(tmp_path)) == {}
    said = capsys.readouterr().out
    # A silent server is given up before its covers count as failed
    assert ('(most often: no connection)' in said) == (case == 'closed')
    assert 'no server answers' in said and len(server.asked) <= 32


def test_nothing_is_imported_that_the_run_does_not_use():
    code = 'import similarity_map, sys; print({"mxnet", "requests", "textalloc"} & sys.modules.keys())'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout == 'set()\n'


# ---- LIKE ----


def test_a_map_like_an_earlier_one_keeps_colours_and_names_and_says_what_is_new(
    tmp_path, monkeypatch, capsys
):
    vectors, nodes, _ = planted(80)
    ids = list(nodes)
    earlier_nodes = {mal_id: nodes[mal_id] for mal_id in ids[8:]}
    _, before = draw(tmp_path / 'october', monkeypatch, vectors[8:], earlier_nodes)
    later = changed(vectors, 0.01, 1)
    _, after = draw(tmp_path / 'november', monkeypatch, later, nodes, LIKE=tmp_path / 'october')
    assert [row['id'] for row in after['anime'] if row.get('new')] == ids[:8]
    rows = [{row['id']: row for row in graph['anime']} for graph in (before, after)]
    colour = [
        [graph['clusters'][row[i]['cluster']] for i in ids[8:]] for graph, row in zip((before, after), rows)
    ]
    assert np.mean([one['color'] == two['color'] for one, two in zip(*colour)]) >= 0.95
    assert np.mean([one['name'] == two['name'] for one, two in zip(*colour)]) >= 0.95
    printed = capsys.readouterr().out
    assert '8 titles are new, 0 are gone' in printed and f'new: {AWKWARD[0]}, near' in printed


def test_vectors_are_turned_onto_the_earlier_ones(tmp_path):
    vectors, nodes, _ = planted(40)
    ids = list(nodes)
    like = earlier.Earlier(ids[5:], vectors[5:], None, None, [], [], {})
    later = changed(vectors, 1e-6, 1)
    turned = earlier.turn(later, ids, like)
    np.testing.assert_allclose(turned[5:], vectors[5:], atol=1e-4)
    np.testing.assert_allclose(turned @ turned.T, later @ later.T, atol=1e-5)


@pytest.mark.parametrize('case', ['other titles', 'damaged', 'no map', 'numbers'])
def test_an_earlier_map_that_does_not_fit_ends_in_a_sentence(case, tmp_path, monkeypatch):
    vectors, nodes, _ = planted(20)
    _, graph = draw(tmp_path, monkeypatch, vectors, nodes)
    path, ids, d = tmp_path / 'graph.json', list(nodes), 50
    if case == 'other titles':
        ids = [mal_id + 1 for mal_id in ids]
    elif case == 'damaged':
        path.write_text(json.dumps({**graph, 'vectors': graph['vectors'][:-8]}))
    elif case == 'no map':
        path.write_text('[]')
    else:
        d = 20
    with pytest.raises(files.RunError, match='LIKE .*graph.json'):
        earlier.read_earlier(str(tmp_path), ids, d)
