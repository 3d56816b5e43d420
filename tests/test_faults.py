"""What users' machines do: kills, full disks, read-only folders, clocks that jump, proxies that cut, lost readers, locales.

The scraper and the downloads have their kills and full disks in tests/test_malscraper.py, tests/test_downloads.py and
tests/test_journal.py; here are embeddings.py, a proxy, and a week of scraping.
"""
import argparse
import contextlib
import gc
import itertools
import json
import os
import random
import re
import resource
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT
from PIL import Image
from simulated_site import DAY, SimulatedDay
from test_embeddings import call, planted_scores, write_inputs
from test_malscraper import Clock, Server as Pages, answer, members, run as scrape, users_page
from tools.mal_server import Server, Site

import embeddings
import malscraper
import pandas as pd

# Every output of embeddings.py, and what reads it to its end
FORMS = {'embeddings.pkl': lambda path: len(pd.read_pickle(path)), 'neighbours.csv': lambda path: len(pd.read_csv(path)),
         'settings.json': lambda path: json.loads(path.read_text()), 'graph.json': lambda path: json.loads(path.read_text()),
         'similarity_map.png': lambda path: Image.open(path).load()}


# ---- kills ---------------------------------------------------------------------------------------------------------------

def start(arguments):
    """embeddings.command() in a forked process, which spares the seconds of importing MXNet; its id."""
    child = os.fork()
    if not child:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        sys.stdout, sys.stderr = os.fdopen(1, 'w'), os.fdopen(2, 'w')
        os._exit(embeddings.command(arguments))
    return child


def contents(folder):
    """{name: bytes} of the finished files of a run, without the name of the folder, which settings hold."""
    return {path.name: path.read_bytes().replace(str(folder).encode(), b'')
            for path in folder.iterdir() if path.suffix != '.part'}


@pytest.mark.slow
def test_embeddings_killed_thirty_times(tmp_path):
    """SIGKILL at random moments, half of them while a file is being written: files are always whole, and in the end the same."""
    arguments = [*write_inputs(tmp_path, planted_scores(80)[0][:, :16]), 'EPOCHS=3', 'MAP_WIDTH=2400', 'MIN_ANIME_REQUIRED=3']
    calm, killed = tmp_path / 'calm', tmp_path / 'killed'
    began = time.monotonic()
    assert os.waitpid(start([*arguments, f'OUTPUT_DIR={calm}']), 0)[1] == 0
    seconds, source = time.monotonic() - began, random.Random(8)
    assert set(FORMS) == {path.name for path in calm.iterdir()}
    halfway, written = 0, 0
    for kill in range(30):
        shelf = {path.name for path in killed.iterdir()} if killed.exists() else set()
        child, began, until = start([*arguments, f'OUTPUT_DIR={killed}']), time.monotonic(), source.uniform(0, seconds)
        wanted = f'{sorted(FORMS)[kill % 5]}.part' if kill % 2 else ''
        while time.monotonic() - began < (3 * seconds if wanted else until):
            if wanted and (killed / wanted).exists():
                break
            time.sleep(0 if wanted else 0.002)
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] in (0, signal.SIGKILL)
        there = {path.name for path in killed.iterdir()} if killed.exists() else set()
        halfway += any(name.endswith('.part') for name in there)
        written += bool(there)
        assert shelf - there <= {f'{name}.part' for name in FORMS}      # nothing that was there is gone
        for name in there & set(FORMS):
            FORMS[name](killed / name)
        if kill % 6 == 5:                                               # from nothing again
            for path in killed.iterdir():
                path.unlink()
    print(f'{halfway} of 30 kills left a file in the making, {written} a folder with files')
    assert halfway >= 10
    assert os.waitpid(start([*arguments, f'OUTPUT_DIR={killed}']), 0)[1] == 0
    assert contents(killed) == contents(calm) and len(list(killed.iterdir())) == len(FORMS)


# ---- disks and folders ---------------------------------------------------------------------------------------------------

def process(arguments, **options):
    return subprocess.run([sys.executable, 'embeddings.py', *arguments], cwd=ROOT, capture_output=True,
                          stdin=subprocess.DEVNULL, **options)


@contextlib.contextmanager
def mounted(folder, *options):
    """A tmpfs at a folder with its mount options, for root alone."""
    folder.mkdir()
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', ','.join(options), 'tmpfs', str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f'this user may not mount: {done.stderr.strip()}')
    try:
        yield
    finally:
        subprocess.run(['umount', str(folder)], check=True)


def test_a_full_and_a_read_only_disk(tmp_path):
    """A tmpfs of 200 kB holds the vectors and the tables but no map; what was there before stays, and nothing half written."""
    arguments = [*write_inputs(tmp_path, planted_scores(60)[0][:, :16]), 'EPOCHS=2', 'MAP_WIDTH=2400', 'MIN_ANIME_REQUIRED=3']
    with mounted(tmp_path / 'small', 'size=200k'):
        output = tmp_path / 'small' / 'output'
        output.mkdir()
        (output / 'similarity_map.png').write_bytes(b'an older map')
        done = process([*arguments, f'OUTPUT_DIR={output}'])
        said = done.stderr.decode()
        assert done.returncode == 9 and 'No space left' in said and said.count('\n') == 1, said
        assert (output / 'similarity_map.png').read_bytes() == b'an older map' and not list(output.glob('*.part'))
        FORMS['embeddings.pkl'](output / 'embeddings.pkl')
        subprocess.run(['mount', '-o', 'remount,ro', str(tmp_path / 'small')], check=True)
        for folder in (output, tmp_path / 'small' / 'new'):
            status, said = call([*arguments, f'OUTPUT_DIR={folder}'])
            assert status == 9 and 'Read-only file system' in said and said.count('\n') == 1, said
        assert malscraper.main(['--output', str(output / 'users.txt')], Clock()) == 3


# ---- clocks --------------------------------------------------------------------------------------------------------------

def test_a_clock_that_jumps_back_and_forth(tmp_path, capfd):
    """The clock on the wall is for showing times alone: neither hours nor waits follow it when it is set."""
    class Jumping(Clock):
        def time(self):
            return self.now + (-3e7, 3e7, -self.now)[len(self.waits) % 3]   # a year back, a year ahead, 1970

    results = []
    for clock in (Clock(), Jumping()):
        random.seed(1)
        path = tmp_path / type(clock).__name__
        pages = [answer(users_page(members(start))) for start in range(0, 400, 10)]
        with Pages([*pages[:9], answer(b'', '503 Service Unavailable', 'Retry-After: 30'), *pages[9:]]) as server:
            assert scrape(server, path, '--hours', '0.05', clock=clock) == 0
        results.append((clock.waits, path.read_text()))
    assert results[0] == results[1] and len(results[0][0]) > 30
    assert 'Traceback' not in capfd.readouterr().err


# ---- proxies -------------------------------------------------------------------------------------------------------------

class CuttingProxy(socketserver.ThreadingTCPServer):
    """The http_proxy of a test, on a real socket, to one server whatever host is asked for: it cuts three connections in ten.

    Half of them before the answer, the others anywhere in it. `cuts` has the bytes that came through of each answer that was
    cut, `whole` the address and the bytes of every other answer.
    """
    daemon_threads = True

    def __init__(self, server, monkeypatch):
        super().__init__(('127.0.0.1', 0), None)
        self.server, self.random, self.cuts, self.whole = server, random.Random(5), [], []
        monkeypatch.delenv('no_proxy', raising=False)
        monkeypatch.setenv('http_proxy', f'http://127.0.0.1:{self.server_address[1]}')

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def finish_request(self, connection, _):
        lines = connection.makefile('rb')
        while request := b''.join(itertools.takewhile(bytes.strip, lines)):     # up to the blank line, or the client has closed
            with socket.create_connection(self.server.server_address) as onward:
                onward.sendall(re.sub(b'(?i)\nconnection:.*', b'\nConnection: close\r', request) + b'\r\n')
                answer = b''.join(iter(lambda: onward.recv(65536), b''))
            if self.random.random() < 0.3:
                self.cuts.append(self.random.choice((0, self.random.randrange(len(answer)))))
                connection.sendall(answer[:self.cuts[-1]])
                return
            self.whole.append((request.split()[1].decode(), answer))
            connection.sendall(answer)


def test_scraping_through_a_proxy_that_cuts_connections(tmp_path, monkeypatch):
    """The names of every page that came whole are in the file once, and those of no other."""
    path = tmp_path / 'users.txt'
    with Server(Site(members=3000, titles=20), touches_a_second=2000) as server, CuttingProxy(server, monkeypatch) as proxy:
        assert malscraper.main(['--url', 'http://site.invalid/users.php', '--output', str(path), '--hours', '0.5'], Clock()) == 0
    shown = {name.decode() for _, page in proxy.whole for name in re.findall(b'<a href="/profile/([^"]+)"><img', page)}
    assert sorted(path.read_text().split()) == sorted(shown) and len(shown) > 300
    assert len(proxy.cuts) > 15 and 0 in proxy.cuts and max(proxy.cuts) > 3000


# ---- readers, terminals, locales -----------------------------------------------------------------------------------------

TITLES = ['新世紀エヴァンゲリオン', 'Straße °', '🌸 \x1b[2J', 'のんのんびより']


@pytest.fixture(scope='module')
def japanese(tmp_path_factory):
    """Small inputs with such titles: the arguments without OUTPUT_DIR."""
    folder = tmp_path_factory.mktemp('japanese')
    arguments = write_inputs(folder, planted_scores(60)[0][:, :16])
    nodes = json.loads((folder / 'animes.json').read_text())
    for node, title in zip(nodes.values(), TITLES * 4):
        node['title'] = f'{title} {node["id"]}'
    (folder / 'animes.json').write_text(json.dumps(nodes, ensure_ascii=False), encoding='utf-8')
    return [*arguments[:3], 'COVERS_DIR=', 'EPOCHS=2', 'MAP_WIDTH=2400', 'MIN_ANIME_REQUIRED=3']


@pytest.mark.parametrize('redirection', ['2>&1 | head -1', '>&- 2>&-', '> /dev/full 2>&1'])
def test_outputs_are_complete_whoever_reads_the_log(japanese, tmp_path, redirection):
    command = ' '.join([sys.executable, 'embeddings.py', *map("'{}'".format, japanese), f"'OUTPUT_DIR={tmp_path}/output'"])
    done = subprocess.run(['bash', '-c', f'set -o pipefail; {command} {redirection}'], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and 'Traceback' not in done.stderr and 'Error' not in done.stderr, done.stderr
    assert {path.name for path in (tmp_path / 'output').iterdir()} == set(FORMS)


@pytest.mark.parametrize('environment', [
    {'LC_ALL': 'C', 'PYTHONCOERCECLOCALE': '0', 'PYTHONUTF8': '0'}, {'PYTHONIOENCODING': 'ascii'}], ids=' '.join)
def test_titles_of_any_script_in_any_locale(japanese, tmp_path, environment):
    """The log shows what it can; the files do not depend on the locale, and the log of no terminal has no carriage returns."""
    os.mkdir(folder := os.fsencode(tmp_path) + b'/\xff\xe5')             # a name that is no UTF-8
    done = process([*japanese, b'OUTPUT_DIR=' + folder], env={**os.environ, **environment})
    assert done.returncode == 0 and not done.stderr and b'\r' not in done.stdout and b'\x1b' not in done.stdout, done.stderr
    assert done.stdout.count(b'\n') < 60
    with open(folder + b'/graph.json', encoding='utf-8') as file:
        graph = json.load(file)
    assert TITLES[0] + ' 1000' in [anime['title'] for anime in graph['anime']]
    assert os.fsdecode(folder) == json.load(open(folder + b'/settings.json', encoding='utf-8'))['OUTPUT_DIR']
    assert pd.read_csv(os.fsdecode(folder) + '/neighbours.csv', encoding='utf-8').title[0] == TITLES[0] + ' 1000'


# ---- long hauls ----------------------------------------------------------------------------------------------------------

def resident():
    with open('/proc/self/statm') as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def open_files():
    return len(os.listdir('/proc/self/fd'))


@pytest.mark.slow
def test_a_week_of_scraping(tmp_path, capfd):
    """Seven simulated days, a load in fifty failing: every name shown is in the file once, memory and handles do not grow.

    Memory may grow with the names alone: after the second day, when all are known, not at all.
    """
    day, source = SimulatedDay(400, seed=3), random.Random(7)
    shown, sizes, handles = set(), [], []

    class Week:
        """The same day over and over, on a clock that goes on."""

        def __init__(self):
            self.passed = 0.0

        def monotonic(self):
            return self.passed + day.now

        time = monotonic

        def sleep(self, seconds):
            day.sleep(seconds)
            while day.now >= DAY:
                day.now -= DAY
                self.passed += DAY
                gc.collect()
                sizes.append(resident())
                handles.append(open_files())

        def load(self):
            if source.random() < 0.02:
                raise malscraper.LoadFailed('a bad hour', source.choice((0.0, 90.0)), source.random() < 0.3)
            names, online = day.load()
            shown.update(names)
            return names, online

    week, path = Week(), tmp_path / 'users.txt'
    users = malscraper.UsersFile(str(path))
    options = argparse.Namespace(hours=7 * 24, delay=malscraper.DELAY, url=malscraper.URL)
    malscraper.scrape(week, users, options, week)
    users.file.close()
    names = path.read_text().split('\n')
    print(f'{day.loads} loads, {len(shown)} names, {sizes[1:]} bytes, {handles[0]} handles')
    assert len(sizes) >= 6 and max(sizes[2:]) - sizes[1] < 2_000_000 and max(handles) == handles[0]
    assert names.pop() == '' and sorted(names) == sorted(shown) and len(shown) > 390
    log = capfd.readouterr().err
    assert '\r' not in log and log.count('\n') < 7 * 24 * 6 + day.loads / 20    # a line in ten minutes, and one a failure
