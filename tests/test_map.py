"""The map of embeddings.py: clusters, places, colours, covers from a real server, and the picture itself."""
import functools
import io
import itertools
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

import embeddings
import pandas as pd

GROUPS = ['Sports', 'Romance', 'Mecha', 'Horror', 'Music']
AWKWARD = ['新世紀エヴァンゲリオン', 'A cost of $5 and a gain of $6', 'K-On!', 'Lucky☆Star', 'Straße_{x} ^ \\frac & <b>',
           'Yahari Ore no Seishun Love Comedy wa Machigatteiru. Zoku', 'X' * 90, 'Gintama°', '.hack//Sign', '١٢٣']


def planted(n=100, seed=3, genres=True):
    """Vectors around len(GROUPS) directions and the titles to them: vectors, anime, group of each."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % len(GROUPS)
    vectors = random.normal(size=(len(GROUPS), 50))[group] + 0.45 * random.normal(size=(n, 50))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    titles = [AWKWARD[row] if row < len(AWKWARD) else ' '.join(['Title', str(row), 'of a length'][:1 + row % 3]) + f' {row}'
              for row in range(n)]
    anime = pd.DataFrame({'title': titles, 'popularity': [*range(1, n), None], 'picture': None,
                          'genres': [['Drama', GROUPS[k]] if genres else [] for k in group]},
                         index=[10 + 3 * row for row in range(n)], dtype=object)
    return vectors.astype(np.float32), anime, group


def draw(folder, monkeypatch, vectors, anime, covers=()):
    """Cluster, place and draw with every warning an error; the figure, the labels and the file's bytes."""
    monkeypatch.setattr(embeddings, 'OUTPUT_DIR', str(folder))
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.filterwarnings('ignore', category=DeprecationWarning, module='matplotlib')  # of pyparsing, in old versions
        labels, names = embeddings.find_clusters(vectors, anime)
        positions = embeddings.place_titles(vectors)
        colours = embeddings.cluster_colours(positions, labels)
        figure = embeddings.draw_map(positions, labels, names, colours, anime, dict(covers), 'Drawn for a test')
    assert [path.name for path in folder.iterdir()] == ['similarity_map.png']
    return figure, labels, (folder / 'similarity_map.png').read_bytes()


def boxes(figure, kind):
    """{what follows `kind` in the gid: (x0, y0, x1, y1) in pixels} of the artists in the figure that have such a gid."""
    renderer = figure.canvas.get_renderer()
    return {artist.get_gid().split()[-1]: artist.get_window_extent(renderer).extents
            for artist in figure.findobj(lambda artist: (artist.get_gid() or '').startswith(kind))}


def intersect(one, two):
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


# ---- clusters and places -----------------------------------------------------------------------------------------

def test_planted_groups_are_found_and_named_by_their_genre():
    vectors, anime, group = planted()
    labels, names = embeddings.find_clusters(vectors, anime)
    assert len(names) == len(GROUPS)
    for k, name in enumerate(names):
        assert {GROUPS[g] for g in group[labels == k]} == {name}  # Drama, which all have, is particular to none


def test_without_genres_titles_of_the_cluster_name_it():
    vectors, anime, group = planted(genres=False)
    labels, names = embeddings.find_clusters(vectors, anime)
    assert len(set(names)) == len(GROUPS)
    for k, name in enumerate(names):
        own = [embeddings.shorten(title, 22) for title in anime['title'][labels == k]]
        assert all(part in own for part in name.split(' & ', 1)) or any(name.startswith(title) for title in own)


@pytest.mark.parametrize('n', [5, 6, 20])
def test_few_titles_and_equal_titles(n, tmp_path, monkeypatch):
    vectors, anime, _ = planted(n)
    figure, labels, _ = draw(tmp_path / 'few', monkeypatch, vectors, anime)
    assert len(labels) == n == len(figure.findobj(lambda artist: artist.get_gid() == 'discs')[0].get_offsets())
    labels, names = embeddings.find_clusters(np.tile(vectors[:2], (n, 1)), pd.concat([anime] * 2, ignore_index=True))
    assert len(names) == labels.max() + 1 <= 2


def test_names_are_all_different_when_clusters_share_their_genres():
    vectors, anime, group = planted()
    for genres in ([['Action', 'Comedy']] * 5, [['Action'], ['Action'], ['Mecha'], ['Mecha'], ['Music']]):
        anime['genres'] = [genres[k] for k in group]
        assert len(set(embeddings.find_clusters(vectors, anime)[1])) == len(GROUPS)


def test_neighbours_in_the_vectors_are_neighbours_on_the_map():
    vectors, _, group = planted(200)
    places = embeddings.place_titles(vectors)
    assert places.shape == (200, 2) and places.min() >= 0 and places.max() <= 1
    far = np.linalg.norm(places[:, None] - places[None], axis=-1) + 9 * np.eye(200)
    assert (group[far.argmin(1)] == group).all()
    assert np.array_equal(places, embeddings.place_titles(vectors))


# ---- colours -----------------------------------------------------------------------------------------------------

def seen_without(cone, colours):
    """CIELAB of sRGB colours as seen without one kind of cone (0 L, 1 M, None: with all), after Vienot et al. 1999."""
    rgb = np.array([[int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)] for colour in colours])
    rgb = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    lms = rgb @ to_lms.T
    if cone == 0:
        lms[:, 0] = 2.02344 * lms[:, 1] - 2.52581 * lms[:, 2]
    if cone == 1:
        lms[:, 1] = 0.494207 * lms[:, 0] + 1.24827 * lms[:, 2]
    rgb = np.clip(lms @ np.linalg.inv(to_lms).T, 0, 1)
    xyz = rgb @ np.array([[.4124, .3576, .1805], [.2126, .7152, .0722], [.0193, .1192, .9505]]).T / [.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


@pytest.mark.parametrize('count', [5, 8, 14])
@pytest.mark.parametrize('cone', [None, 0, 1], ids=['all cones', 'protanopia', 'deuteranopia'])
def test_neighbouring_clusters_differ_for_the_colour_blind(count, cone):
    random = np.random.default_rng(count)
    angle = np.arange(count) * 2 * np.pi / count
    labels = np.arange(60 * count) % count
    positions = np.stack([np.cos(angle), np.sin(angle)], 1)[labels] + random.normal(0, 1.2 / count, (len(labels), 2))
    colours = embeddings.cluster_colours(positions, labels)
    lab = seen_without(cone, colours)
    for k in range(count):  # on a ring each cluster touches the next one
        assert np.linalg.norm(lab[k] - lab[(k + 1) % count]) > 12, (colours[k], colours[(k + 1) % count])
    assert len(set(colours)) == count
    assert np.linalg.norm(lab - seen_without(cone, [embeddings.PAPER]), axis=1).min() > 15


# ---- the picture -------------------------------------------------------------------------------------------------

def test_every_title_is_there_and_no_written_titles_overlap(tmp_path, monkeypatch):
    vectors, anime, _ = planted(150)
    figure, labels, drawn = draw(tmp_path / 'a', monkeypatch, vectors, anime)
    width, height = Image.open(io.BytesIO(drawn)).size
    assert width >= 2400
    titles, clusters = boxes(figure, 'title '), boxes(figure, 'cluster ')
    assert len(titles) > 140 and {str(mal_id) for mal_id in anime.index[1:9]} <= titles.keys()
    assert len(clusters) == labels.max() + 1
    for one, two in itertools.combinations([*titles.values(), *clusters.values()], 2):
        assert not intersect(one, two)
    for x0, y0, x1, y1 in [*titles.values(), *clusters.values()]:
        assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    discs, = figure.findobj(lambda artist: artist.get_gid() == 'discs')
    middles, radii = discs.get_offsets(), np.sqrt(discs.get_sizes()) / 2
    assert len(middles) == len(anime) and radii[0] == radii.max() and radii[-1] == radii.min()  # no popularity: last
    gap = np.linalg.norm(middles[:, None] - middles[None], axis=-1) - radii[:, None] - radii[None]
    assert gap[~np.eye(len(gap), dtype=bool)].min() > -2
    for colour in np.unique(discs.get_facecolors(), axis=0):  # one colour, one cluster
        assert len(set(labels[(discs.get_facecolors() == colour).all(1)])) == 1
    assert draw(tmp_path / 'b', monkeypatch, vectors, anime)[2] == drawn


def test_sequels_are_told_apart_in_shortened_titles():
    long = 'Yahari Ore no Seishun Love Comedy wa Machigatteiru.'
    assert embeddings.shorten('K-On!') == 'K-On!'
    assert embeddings.shorten(long + ' 2nd Season') == 'Yahari Ore no Seishun… 2nd Season'
    assert len({embeddings.shorten(long + end) for end in ('', ' Zoku', ' Kan', ' 2nd Season')}) == 4
    assert 1 <= len(embeddings.shorten('X' * 90)) <= 36


# ---- covers ------------------------------------------------------------------------------------------------------

@functools.lru_cache(None)
def encoded(size, form='JPEG', mode='RGB'):
    packed = io.BytesIO()
    Image.new(mode, size, 1).save(packed, form)
    return packed.getvalue()


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A picture server with good and bad answers by path; `asked` lists the paths in order."""
    stop, noise = threading.Event(), np.random.default_rng(0).integers(0, 256, (318, 225, 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(noise).save(packed, 'JPEG')
    answers = {'good': packed.getvalue(), 'png': encoded((225, 318), 'PNG', 'P'), 'truncated': packed.getvalue()[:9000],
               'html': b'<html>Request blocked</html>', 'bomb': encoded((20000, 20000), 'PNG', '1'),
               'large': encoded((10000, 10000), 'PNG', '1'), 'big': encoded((5000, 4000), 'PNG', '1'), 'dot': encoded((1, 1), 'PNG'), 'empty': b''}
    moved = {'local': 'file:///etc/passwd', 'ftp': 'ftp://127.0.0.1/a.jpg', 'loop': '/loop', 'moved': '/good'}
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            name = self.path.split('?')[0].strip('/')
            asked.append(self.path)
            if name == 'silent':
                stop.wait(30)
                return
            if name in moved:
                self.send_response(302)
                self.send_header('Location', moved[name])
                self.send_header('Content-Length', '0')
                self.end_headers()
                return
            self.send_response(404 if name == 'gone' else 200)
            content = answers.get(name, b'')
            if name != 'endless':
                self.send_header('Content-Length', str(len(content) + 5000 * (name == 'cut')))
            self.end_headers()
            self.wfile.write(content)
            try:
                for _ in range(2000 if name == 'endless' else 0):  # 131 MB
                    self.wfile.write(bytes(1 << 16))
                    running.sent += 1 << 16
            except OSError:
                pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64  # the default of 5 lets connections wait a second when eight come at once

    running = Server(('127.0.0.1', 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.sent, running.asked, running.url = 0, asked, f'http://127.0.0.1:{running.server_port}/'
    monkeypatch.setattr(embeddings, 'COVERS_DIR', str(tmp_path / 'covers'))
    monkeypatch.setattr(embeddings, 'COVER_TIMEOUT', 2)
    yield running
    stop.set()
    running.shutdown()
    running.server_close()


BAD = ['html', 'bomb', 'large', 'big', 'dot', 'empty', 'truncated', 'cut', 'local', 'ftp', 'loop', 'gone', 'endless', 'silent']


def test_covers_good_and_bad(server, tmp_path, monkeypatch, capsys):
    vectors, anime, _ = planted(60)
    pages = [*BAD, 'png', 'moved', *['good'] * 25]
    anime['picture'] = [f'{server.url}{page}?{k}' for k, page in enumerate(pages)] + ['file:///etc/passwd', 'http://'] + [
        None] * (len(anime) - len(pages) - 2)
    expected = set(anime.index[len(BAD):len(pages)])
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        covers = embeddings.fetch_covers(anime)
        assert set(covers) == expected
        assert server.sent < 40e6  # the endless one is left early; what lies in the sockets' buffers comes on top
        assert f'{len(expected)} fetched' in capsys.readouterr().out
        assert sorted(p.name for p in (tmp_path / 'covers').iterdir()) == sorted(f'{mal_id}.jpg' for mal_id in expected)
        for path in covers.values():
            with Image.open(path) as picture:
                picture.load()
        (tmp_path / 'covers' / f'{max(expected)}.jpg').write_bytes(b'broken')
        server.asked.clear()
        assert embeddings.fetch_covers(anime) == covers
    assert not any(f'?{k}' in server.asked or server.asked.count(f'/good?{k}') for k in range(len(BAD) + 1, len(pages) - 1))
    assert server.asked.count(f'/good?{len(pages) - 1}') == 1  # the broken file came anew

    figure, _, _ = draw(tmp_path / 'map', monkeypatch, vectors, anime, covers)
    pictures, tiles, titles = boxes(figure, 'cover '), boxes(figure, 'tile '), boxes(figure, 'title ')
    assert {int(mal_id) for mal_id in pictures} == expected
    assert {int(mal_id) for mal_id in tiles} == set(anime.index) - expected
    marks = [*pictures.values(), *tiles.values()]
    assert len(titles) > 50
    for one, two in itertools.combinations(titles.values(), 2):
        assert not intersect(one, two)
    assert not any(intersect(title, mark) for title in titles.values() for mark in marks)
    written = {text.get_text().replace('\n', ' ') for text in figure.axes[0].texts}
    assert anime['title'].iloc[50] in written  # a tile bears its title


@pytest.mark.parametrize('case', ['closed', 'silent'])
def test_without_network_covers_are_given_up_within_seconds(case, server, capsys):
    anime = planted(100)[1]
    address = server.url + 'silent' if case == 'silent' else 'http://127.0.0.1:9/cover.jpg'
    anime['picture'] = address
    begun = time.monotonic()
    assert embeddings.fetch_covers(anime) == {}
    assert time.monotonic() - begun < 2 * embeddings.COVER_TIMEOUT + 1
    assert 'given up' in capsys.readouterr().out
    assert len(server.asked) <= 4 * embeddings.COVER_WORKERS


def test_nothing_is_asked_for_where_there_are_no_pictures(server, tmp_path, capsys):
    assert embeddings.fetch_covers(planted()[1]) == {}
    assert capsys.readouterr().out == '' and not (tmp_path / 'covers').exists()
