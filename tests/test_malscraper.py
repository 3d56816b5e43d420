"""malscraper.py against sockets that misbehave, processes that are killed, and a simulated day."""

import email.utils
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from tools.processes import has_loaded, largest_file, wait_until
from tools.processes import run as run_script
from tools.processes import start as start_script
from tools.scripted_server import KILLER, Clock, Server, Witness, answer, members, users_page
from tools.simulated_site import DAY, Names, SimulatedDay, fixed_scheme

import malscraper


def run(server, path, *options, clock=None):
    """Run the scraper in this process; return its exit status."""
    try:
        malscraper.main(['--url', server.url, '--output', str(path), *options], clock or Clock())
    except SystemExit as end:
        return end.code
    return 0


@pytest.mark.parametrize(
    'page, names',
    [
        (users_page(members(0), host='http://www.myanimelist.net'), members(0)),
        (users_page(['Kyon', 'KYON', 'Yuki_N', 'kyon', '-Mio-']), ['Kyon', 'Yuki_N', '-Mio-']),
        (users_page(['a', 'x' * 17, 'Mio.A', 'Mio A', 'Mi\u014d', '', 'ok']), ['ok']),
        (users_page(members(0)).replace(b'<td', b'<li').replace(b'</td>', b'</li>'), members(0)),
        (b'<td><a href="http://[/profile/Yui">Yui</a><td><a href="//evil.example/profile/Mio">Mio</a>', []),
        (b'\xff\xfe\x00<![Yui[ ]]>', []),
    ],
)
def test_the_names_of_a_page(page, names):
    assert malscraper.read_page(page)[0] == names


BLOCKED = answer('<html><title>Request \u2717 blocked</title>your IP has been banned</html>'.encode())
BUSY = '429 Too Many Requests'
PAGE = answer(users_page(members(500)))


def reset(connection):
    connection.sendall(PAGE[:900])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def silence(connection):
    connection.recv(1)  # until the client gives up


def trickle(connection):
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n')
    while True:
        connection.sendall(b'<' * 1024)
        time.sleep(0.05)


def busy_until(connection):
    date = email.utils.formatdate(time.time() + 900, usegmt=True)
    connection.sendall(answer(b'', BUSY, f'Retry-After: {date}'))


SHORT_LIMITS = {silence: {'TIMEOUT': 0.3}, trickle: {'PAGE_SECONDS': 0.3}}


@pytest.mark.parametrize(
    'fault, reason, least_wait',
    [
        (BLOCKED, 'Request \u2717 blocked', 7.5),
        (answer(b'', '403 Forbidden'), 'status 403 (Forbidden)', 7.5),
        (answer(b'', BUSY, 'Retry-After: 100'), 'status 429', 100),
        (busy_until, 'status 429', 800),
        (answer(b'', '302 Found', 'Location: http://localhost:9/'), 'to http://localhost:9/', 7.5),
        (reset, 'reset', 7.5),
        (lambda connection: connection.sendall(PAGE[:-300]), 'IncompleteRead', 7.5),
        (silence, 'timed out', 7.5),
        (trickle, 'not complete', 7.5),
        (lambda connection: connection.sendall(b'\x1b[2Jnonsense\r\n\r\n'), 'the load failed', 7.5),
    ],
)
def test_a_failed_load_is_announced_and_loses_nothing(
    tmp_path, monkeypatch, capfd, fault, reason, least_wait
):
    class Impatient(Clock):
        """Loads may take as long as usual, but for the second one."""

        def sleep(self, seconds):
            super().sleep(seconds)
            for name, limit in SHORT_LIMITS.get(fault, {}).items():
                monkeypatch.setattr(malscraper, name, limit)
            if len(self.waits) > 1:
                monkeypatch.undo()

    clock = Impatient()
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


@pytest.mark.parametrize(
    'before, end',
    [
        (b'', b''),
        (b'Old_one\r\nMEMBER-3\r\n', b''),
        (b'\xef\xbb\xbfmember-3\n\n  \nOld_one', b'\n'),
        (b'1234\n', b''),  # a username may be a number
    ],
)
def test_names_in_the_file_are_known_and_stay(tmp_path, before, end):
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
    with Server([PAGE]) as server:
        assert run(server, path) == 1 and not server.heads
    assert path.read_bytes() == content
    assert 'not a list of usernames' in capfd.readouterr().err


def test_a_full_disk_ends_the_run_with_whole_lines(tmp_path, capfd):
    path, pages = tmp_path / 'users.txt', [answer(users_page(members(start))) for start in range(0, 400, 20)]
    with Server(pages) as server:
        with largest_file(1000):
            assert run(server, path) == 1
        assert 'cannot be written' in capfd.readouterr().err
        assert path.read_text() == ''.join(f'{name}\n' for name in members(0, 100))
        assert run(server, path, '--hours', '0.001') == 0


@pytest.mark.parametrize(
    'option, value, status',
    [
        *(('--delay', '0.4', 2), ('--delay', 'fast', 2), ('--hours', 'nan', 2), ('--sped', '1', 2)),
        *(('--url', 'myanimelist.net', 2), ('--url', 'http://[', 2), ('--output', 'no/such/folder', 1)),
    ],
)
def test_wrong_options_end_with_a_sentence(tmp_path, monkeypatch, capfd, option, value, status):
    monkeypatch.chdir(tmp_path)
    with Server([PAGE]) as server:
        assert run(server, 'users.txt', option, value) == status and not server.heads
    assert capfd.readouterr().err.startswith('malscraper.py: ')


def test_a_missing_library_ends_the_run_with_a_sentence(tmp_path):
    (tmp_path / 'bs4.py').write_text('raise ImportError("No module named bs4")')
    said = run_script('malscraper.py', env={**os.environ, 'PYTHONPATH': str(tmp_path)})
    assert said.returncode == 1 and 'bs4' in said.stderr and said.stderr.count('\n') == 1


def start(server, path, **options):
    """Start a scraper in a process of its own, and wait until it has saved a page."""
    arguments = '--url', server.url, '--output', path, '--delay', '0.5', '--hours', '0.5'
    process = start_script('malscraper.py', *arguments, **options)
    wait_until(lambda: path.exists() and path.read_bytes())
    return process


def test_ctrl_c_reports_what_was_gathered(tmp_path):
    path = tmp_path / 'users.txt'
    with Server([answer(users_page(members(0))), BLOCKED]) as server:
        process = start(server, path)
        while 'waiting until' not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        printed = process.communicate()[1]
    assert process.returncode == 130 and '20 new names' in printed and 'Traceback' not in printed
    assert path.read_text().split() == members(0)


def test_ctrl_c_during_the_imports_has_no_traceback(tmp_path):
    process = start_script(
        'malscraper.py', '--url', 'http://127.0.0.1:1/users.php', '--output', tmp_path / 'x'
    )
    wait_until(lambda: has_loaded(process.pid, '_ssl'))
    process.send_signal(signal.SIGINT)
    assert 'Traceback' not in process.communicate()[1]
    assert process.returncode == 130


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
def test_kills_lose_nothing_and_break_no_line(tmp_path):
    path = tmp_path / 'users.txt'
    path.touch()
    with Witness(path) as server:
        killer = [sys.executable, '-c', KILLER, '--url', server.url, '--output', str(path)]
        done = subprocess.run(killer, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    *names, rest = path.read_text().split('\n')
    assert rest == ''  # the last line has its end
    assert len(names) == len(set(names)) > 300
    assert not server.lost and server.saved <= set(names) <= set().union(*server.shown)
    assert server.connections > 15 and len(server.saved) > 300  # the kills met scrapers at work


@pytest.mark.slow
@pytest.mark.parametrize('active, minutes', [(20_000, 15), (20_000, 5)])
def test_nine_of_ten_active_members_are_caught(active, minutes):
    day = SimulatedDay(active, seed=active, median_stay=60 * minutes)
    names = Names()
    malscraper.scrape(day.load, names, DAY / 3600, malscraper.DELAY, day)
    caught, pause = len(names.known), 100 * DAY / day.loads - 139  # with which both load as often
    day.now, day.loads = 0.0, 0
    fixed = len(fixed_scheme(day, pause))
    print(f'{active} active: {caught / active:.1%} caught; at fixed times, as often: {fixed / active:.1%}')
    assert caught >= 0.9 * active and caught > fixed
