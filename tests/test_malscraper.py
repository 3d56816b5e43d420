"""malscraper.py against sockets that misbehave, processes that are killed, and a simulated day."""

import argparse
import email.utils
import fcntl
import os
import pty
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

import pytest
from conftest import ROOT
from tools.scripted_server import KILLER, Clock, Server, Witness, answer, members, users_page
from tools.simulated_site import DAY, Names, SimulatedDay, fixed_scheme

import malscraper


def run(server, path, *options, clock=None):
    return malscraper.main(['--url', server.url, '--output', str(path), *options], clock or Clock())


def command(server, path, *options):
    return [sys.executable, str(ROOT / 'malscraper.py'), '--url', server.url, '--output', str(path), *options]


# ---- the page ----------------------------------------------------------------------------------------------


def test_names_come_from_the_name_cells_only():
    page = malscraper.read_page(users_page(members(0)), malscraper.URL)
    assert page == (members(0), 6649, 'Users - MyAnimeList.net')


@pytest.mark.parametrize(
    'page, names',
    [
        (users_page(members(0), host='http://www.myanimelist.net'), members(0)),
        (users_page(['Kyon', 'KYON', 'Yuki_N', 'kyon']), ['Kyon', 'Yuki_N']),
        (users_page(['a', 'x' * 17, 'Mio.A', 'Mio A', 'Mi\u014d', '', 'ok']), ['ok']),
        (users_page(members(0)).replace(b'borderClass', b'card').replace(b'id="content"', b''), members(0)),
        (users_page(members(0)).replace(b'<td', b'<li').replace(b'</td>', b'</li>'), members(0)),
        (b'<td><a href="/profile/Azusa">Mugi</a><td><a href="/profile/Azusa/friends">friends</a>', []),
        (b'<td><a href="http://[/profile/Yui">Yui</a><td><a href="//evil.example/profile/Mio">Mio</a>', []),
        *((page, []) for page in (b'', b'\xff\xfe\x00<', b'<![Yui[ ]]>', b'9' * 100_000 + b' users')),
    ],
)
def test_the_frame_may_change_but_a_name_must_be_one(page, names):
    assert malscraper.read_page(page, malscraper.URL)[0] == names


# ---- faults of the site ------------------------------------------------------------------------------------

BLOCKED = answer('<html><title>Request \u2717 blocked</title>your IP has been banned</html>'.encode())
BUSY = '429 Too Many Requests'
PAGE = answer(users_page(members(500)))


def reset(connection):
    connection.sendall(PAGE[:900])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def silence(connection):
    connection.recv(1)  # until the client gives up


def trickle(connection):
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n')
    while True:
        connection.sendall(b'<')
        time.sleep(0.05)


def busy_until(connection):
    date = email.utils.formatdate(time.time() + 900, usegmt=True)
    connection.sendall(answer(b'', BUSY, f'Retry-After: {date}'))


# A time limit that strikes while a destructor runs is printed by Python and strikes again a little later
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
@pytest.mark.parametrize(
    'fault, reason, least_wait',
    [
        (BLOCKED, 'Request \u2717 blocked', 7.5),
        (answer(b'', '403 Forbidden'), 'status 403 (Forbidden)', 7.5),
        (answer(b'', BUSY, 'Retry-After: 100'), 'status 429', 100),
        (answer(b'', BUSY, 'Retry-After: soon\x1b[2J'), 'status 429', 7.5),
        (busy_until, 'status 429', 800),
        (answer(b'', '302 Found', 'Location: http://localhost:9/'), 'to http://localhost:9/', 7.5),
        (reset, 'reset', 7.5),
        (lambda connection: connection.sendall(PAGE[:-300]), 'IncompleteRead', 7.5),
        (answer(b'not gzip', '200 OK', 'Content-Encoding: gzip'), 'the load failed', 7.5),
        (silence, 'timed out', 7.5),
        (trickle, 'not complete', 7.5),
        (answer(b'<a href=/profile/Yui>' * 90_000), 'not complete', 7.5),  # parsing it takes hours
        (lambda connection: connection.sendall(b'\x1b[2Jnonsense\r\n\r\n'), 'the load failed', 7.5),
    ],
)
def test_a_failed_load_is_announced_and_loses_nothing(
    tmp_path, monkeypatch, capfd, fault, reason, least_wait
):
    monkeypatch.setattr(malscraper, 'TIMEOUT', (0.3, 0.3))
    monkeypatch.setattr(malscraper, 'PAGE_SECONDS', 0.6)
    clock = Clock()
    with Server([answer(users_page(members(0))), fault, answer(users_page(members(10)))]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.27', clock=clock) == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0, 30)
    printed = capfd.readouterr().err
    assert [line for line in printed.splitlines() if reason in line and 'waiting until' in line]
    assert '\x1b' not in printed
    before, after, then = clock.waits[:3]
    assert before <= 1 and after >= least_wait
    assert after > then >= before  # sooner again only once a page has come


def test_ten_failures_in_a_row_end_the_run(tmp_path, capfd):
    clock = Clock()
    with Server([answer(users_page(members(0))), BLOCKED]) as server:
        assert run(server, tmp_path / 'users.txt', clock=clock) == 1
    assert len(server.heads) == 11
    backoff = clock.waits[1:]
    for wait, full in zip(backoff, [10, 20, 40, 80, 160, 320, 600, 600, 600]):
        assert 0.75 * full <= wait <= full
    assert len(set(backoff)) == 9  # jittered
    assert '10 loads in a row failed' in capfd.readouterr().err
    assert (tmp_path / 'users.txt').read_text().split() == members(0)


def test_one_connection_that_says_who_it_is(tmp_path):
    pages = [answer(users_page(members(start))) for start in range(0, 600, 20)]
    with Server(pages) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.02') == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0, 600)
    assert len(server.heads) > 30 and server.connections == 1
    assert all('User-Agent: AniEmbed-malscraper/' in head for head in server.heads)


def test_the_delay_follows_what_the_pages_show(tmp_path):
    fresh = [answer(users_page(members(start))) for start in range(0, 800, 20)]
    same = [answer(users_page(members(0)))] * 40
    clock = Clock()
    with Server(fresh[:20] + same + fresh[20:]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.5', '--delay', '0.7', clock=clock) == 0
    assert clock.waits[:20] == [0.7] * 20  # every name is new: as fast as is allowed
    assert clock.waits[20:60] == sorted(clock.waits[20:60]) and clock.waits[59] > 20
    assert clock.waits[60:80] == sorted(clock.waits[60:80], reverse=True) and clock.waits[79] < 1
    assert min(clock.waits) == 0.7 and max(clock.waits) == malscraper.LONGEST_DELAY


# ---- the output file, the options --------------------------------------------------------------------------


@pytest.mark.parametrize(
    'before, end',
    [
        (b'', b''),
        (b'Old_one\r\nMEMBER-3\r\n', b''),
        (b'\xef\xbb\xbfmember-3\n\n  \nOld_one', b'\n'),
        (b'1234\n', b''),  # a username may be a number
    ],
)
def test_what_the_file_holds_is_known_and_stays(tmp_path, before, end):
    path = tmp_path / 'users.txt'
    path.write_bytes(before)
    new = [name for name in members(0) if name.lower().encode() not in before.lower()]
    after = before + end + ''.join(name + '\n' for name in new).encode()
    with Server([answer(users_page(members(0)))]) as server:
        for _ in range(2):
            assert run(server, path, '--hours', '0.001') == 0
            assert path.read_bytes() == after


@pytest.mark.parametrize('content', [b'to be,\nor not to be\n', 'Mio\n'.encode('utf-16'), b'1\n5\n20\n'])
def test_a_file_that_is_not_a_list_of_names_is_left_alone(tmp_path, capfd, content):
    path = tmp_path / 'users.txt'
    path.write_bytes(content)
    assert malscraper.main(['--output', str(path), '--url', 'http://127.0.0.1:9/'], Clock()) == 1
    assert path.read_bytes() == content
    assert 'not a list of usernames' in capfd.readouterr().err


def test_a_full_disk_ends_the_run_with_whole_lines(tmp_path):
    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    pages = [answer(users_page(members(start))) for start in range(0, 400, 20)]
    with Server(pages) as server:
        options = command(server, tmp_path / 'users.txt', '--delay', '0.5')
        done = subprocess.run(options, capture_output=True, text=True, preexec_fn=limit_file_size, timeout=30)
        assert done.returncode == 1
        assert 'cannot be written' in done.stderr and 'Traceback' not in done.stderr
        assert (tmp_path / 'users.txt').read_text() == ''.join(f'{name}\n' for name in members(0, 100))
        assert run(server, tmp_path / 'users.txt', '--hours', '0.001') == 0


@pytest.mark.parametrize(
    'option, value, status',
    [
        *(('--delay', value, 2) for value in ('0.4', 'nan', 'fast', '1e308')),
        *(('--hours', '-1', 2), ('--hours', '1e308', 2), ('--url', 'myanimelist.net', 2), ('--sped', '1', 2)),
        *(('--url', 'http://[', 2), ('--output', '.', 1), ('--output', 'no/such/folder', 1)),
    ],
)
def test_wrong_options_end_with_a_sentence(tmp_path, monkeypatch, capfd, option, value, status):
    monkeypatch.chdir(tmp_path)
    assert malscraper.main(['--output', 'users.txt', option, value], Clock()) == status
    assert capfd.readouterr().err.startswith('malscraper: ')


@pytest.mark.parametrize('library', ['requests', 'fcntl'])
def test_a_missing_library_ends_the_run_with_a_sentence_and_an_import_with_an_error(library):
    run_it = 'import runpy; runpy.run_path("malscraper.py", run_name="__main__")'
    for code, lines in ((run_it, 1), ('import malscraper', None)):
        command = [sys.executable, '-c', f'import sys; sys.modules["{library}"] = None; {code}']
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert said.returncode == 1 and library in said.stderr
        assert said.stderr.count('\n') == lines if lines else 'ModuleNotFoundError' in said.stderr


# ---- processes that end ------------------------------------------------------------------------------------


def start(server, path, *options):
    """Start a scraper in a process of its own, and wait until it has saved a page."""
    arguments = command(server, path, '--delay', '0.5', *options)
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not path.exists() or not path.read_bytes():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    return process


@pytest.mark.parametrize('number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_says_what_was_gathered_and_how_to_go_on(tmp_path, number, status):
    path = tmp_path / 'users.txt'
    with Server([answer(users_page(members(0))), BLOCKED]) as server:
        process = start(server, path, '--hours', '0.5')
        while 'waiting until' not in process.stderr.readline():
            pass
        process.send_signal(number)
        printed = process.communicate(timeout=20)[1]
    assert process.returncode == status
    assert printed.count('\n') == 1 and '20 new names' in printed
    assert 0.4 < float(re.search('--hours ([0-9.]+[0-9])', printed)[1]) <= 0.5
    assert path.read_text().split() == members(0)


@pytest.fixture
def signals():
    """Put back the handlers that malscraper.main() sets in this process."""
    stops = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    before = [signal.getsignal(number) for number in stops]
    yield
    for number, handler in zip(stops, before):
        signal.signal(number, handler)


class Stopped(Clock):
    """Ctrl-C comes two hours after the third load."""

    def sleep(self, seconds):
        super().sleep(seconds)
        if len(self.waits) == 3:
            self.now += 7200
            raise KeyboardInterrupt(130)


def test_what_is_left_of_the_hours(tmp_path, capfd, signals):
    with Server([answer(users_page(members(0)))]) as server:
        for hours, words in (('5', 'the same command with --hours 3.'), ('0', 'the same command again.')):
            assert run(server, tmp_path / 'users.txt', '--hours', hours, clock=Stopped()) == 130
            assert words in capfd.readouterr().err


@pytest.mark.parametrize('nohup', [False, True])
def test_a_terminal_may_be_closed(tmp_path, nohup):
    """Closing it ends the scraper with status 129, unless nohup protects it."""
    path = tmp_path / 'users.txt'
    shell = ['bash', '-c', """trap '' HUP; exec "$@" """, '-'] if nohup else []
    with Server([answer(users_page(members(start))) for start in range(0, 2000, 20)]) as server:
        terminal, its_end = pty.openpty()
        options = {**dict.fromkeys(('stdin', 'stdout', 'stderr'), its_end), 'start_new_session': True}
        options['preexec_fn'] = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        process = subprocess.Popen([*shell, *command(server, path, '--delay', '0.5')], **options)
        os.close(its_end)
        assert re.match(r'\r20 names, ', os.read(terminal, 1000).decode())
        loads = len(server.heads)
        os.close(terminal)  # the kernel sends SIGHUP
        if nohup:
            while len(server.heads) < loads + 3:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == (143 if nohup else 129)
    assert path.read_text().split() == members(0, len(path.read_text().split()))


def test_a_second_scraper_on_the_file_is_refused_until_the_first_is_dead(tmp_path, capfd):
    path = tmp_path / 'users.txt'
    with Server([answer(users_page(members(0)))]) as server:
        process = start(server, path)
        assert run(server, path, '--hours', '0.001') == 1
        assert 'another malscraper is writing' in capfd.readouterr().err
        process.kill()
        process.communicate()
        assert run(server, path, '--hours', '0.001') == 0


@pytest.mark.slow
def test_fifty_kills_lose_nothing_and_break_no_line(tmp_path):
    path = tmp_path / 'users.txt'
    path.touch()
    with Witness(path) as server:
        killer = [sys.executable, '-c', KILLER, '--url', server.url, '--output', str(path)]
        done = subprocess.run(killer, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *names, rest = path.read_text().split('\n')
    assert rest == ''  # the last line has its end
    assert len(names) == len(set(names)) > 300
    assert not server.lost and server.saved <= set(names) <= set().union(*server.shown)
    assert server.connections > 25 and len(server.saved) > 300  # the kills met scrapers at work


# ---- how much of a day is caught ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize('active, minutes', [(5_000, 15), (20_000, 15), (60_000, 15), (20_000, 5)])
def test_nine_of_ten_active_members_are_caught(active, minutes):
    day = SimulatedDay(active, seed=active, median_stay=60 * minutes)
    names = Names()
    options = argparse.Namespace(hours=DAY / 3600, delay=malscraper.DELAY, url=malscraper.URL)
    malscraper.scrape(day, names, options, day)
    caught, pause = len(names.known), 100 * DAY / day.loads - 139  # with which both load as often
    day.now, day.loads = 0.0, 0
    fixed = len(fixed_scheme(day, pause))
    print(f'{active} active: {caught / active:.1%} caught; at fixed times, as often: {fixed / active:.1%}')
    assert caught >= 0.9 * active and caught > fixed
