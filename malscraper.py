#!/usr/bin/env python3
"""Gather MyAnimeList usernames from the page of recently online users.

The API has no way to list users, so this script loads https://myanimelist.net/users.php again and again: every load
shows the 20 users who touched a page last. It waits longer while there is little new to see and loads sooner when it
misses people.

Reads   the users page (--url), and the names that the output file already holds
Writes  users.txt (--output): one username a line, appended page by page, each page synced to the disk before the next
        load. No name is written twice; names that differ only in case are one. Run it again to go on.

    python3 malscraper.py --hours 48 --output users.txt

Exit status: 0 the hours are over; 2 a wrong option or setting; 3 the output file cannot be used, or another scraper is
using it; 4 the output file cannot be written any more (disk full); 5 the site cannot be reached or refuses us; 6 the
pages have no names; 130 Ctrl-C; 143 SIGTERM. Whatever the status, what was reported as gathered is in the file.
"""
import argparse
import collections
import contextlib
import http.client
import math
import os
import random
import re
import signal
import stat
import sys
import time
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from bs4 import BeautifulSoup
from bs4.builder import ParserRejectedMarkup

try:
    import fcntl
except ImportError:             # Windows: main() says what to do instead
    fcntl = None

# What the options are when they are not given
URL = 'https://myanimelist.net/users.php'
OUTPUT = 'users.txt'
HOURS = 24.0                    # hours to go on; 0: until stopped
DELAY = 1.0                     # seconds, the least between two loads

# How often to load. The share of unknown names on a page estimates the share of online members whom we still miss
LEAST_DELAY = 0.5               # seconds; --delay may not be less
LONGEST_DELAY = 60.0            # seconds; longer, and short visits fall between two loads
MISSING_SHARE = 0.1             # 0-1, the share of unknown names that the delay aims at; less: more names, more loads
GAIN = 0.3                      # > 0, how fast the delay follows; more: faster and less steady

# What to do when a load fails
FIRST_BACKOFF = 10.0            # seconds to wait after one failure, doubled with every further one
LONGEST_BACKOFF = 600.0         # seconds, where the doubling ends
LONGEST_RETRY_AFTER = 86400     # seconds; a site that asks for more is left alone
FAILURES = 10                   # failures in a row that end the run
NAMELESS = 3                    # pages without any name in a row that end the run

# What is read of a page
TIMEOUT = (10, 30)              # seconds without an answer: while connecting, while reading
PAGE_SECONDS = 60.0             # seconds, the longest that one load may take, however slowly it trickles
PAGE_BYTES = 2_000_000          # bytes; what comes after them is not read
USER_AGENT = f'AniEmbed-malscraper/1.0 (usernames for anime recommendations) {requests.utils.default_user_agent()}'
USERNAME = re.compile('[A-Za-z0-9_-]{2,16}')

# What is shown
LAST_PAGES = 20                 # pages that the shares on the progress line are taken over
LOG_SECONDS = 600.0             # seconds between two progress lines where the error output is no terminal


class Stop(Exception):
    """The run cannot go on: args are the exit status and a sentence for the user."""


class LoadFailed(Exception):
    """A load gave no names. retry_after: seconds that the site asked us to wait; nameless: it was a page all the same."""

    def __init__(self, reason, retry_after=0.0, nameless=False):
        super().__init__(reason)
        self.retry_after = retry_after
        self.nameless = nameless


class Terminated(KeyboardInterrupt):
    """SIGTERM, treated as Ctrl-C is."""


def read_options(arguments):
    """The checked options. Raises Stop with status 2 where one is wrong."""
    def number(least):
        def convert(text):
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not least <= value < math.inf:       # nan fails too
                raise argparse.ArgumentTypeError(f'must be a number of at least {least:g}, not {text!r}')
            return value
        return convert

    def address(text):
        try:
            parts = urlsplit(text)
            right = parts.scheme in ('http', 'https') and parts.hostname and parts.port != 0
        except ValueError:
            right = False
        if not right:
            raise argparse.ArgumentTypeError(f'must be an http or https address, not {text!r}')
        return text

    def error(message):
        raise Stop(2, f'{message} (--help shows the options)')

    parser = argparse.ArgumentParser(description='Gather MyAnimeList usernames from the page of recently online users.')
    parser.error = error        # one sentence instead of the usage
    parser.add_argument('--output', default=OUTPUT, metavar='FILE', help='file that names are appended to (%(default)s)')
    parser.add_argument('--hours', default=HOURS, type=number(0),
                        help='how long to go on; 0: until stopped (%(default)g)')
    parser.add_argument('--delay', default=DELAY, type=number(LEAST_DELAY), metavar='SECONDS',
                        help=f'least time between two loads, not below {LEAST_DELAY:g} (%(default)g)')
    parser.add_argument('--url', default=URL, type=address, help='the users page (%(default)s)')
    return parser.parse_args(arguments)


class UsersFile:
    """The output file, locked for as long as this process lives."""

    def __init__(self, path):
        """Opens, locks and reads the file. Raises Stop with status 3 where that is not possible."""
        self.path = path
        try:
            # O_NONBLOCK: opening a named pipe must not wait for its other end
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o644)
            if not stat.S_ISREG(os.fstat(self.file).st_mode):
                raise Stop(3, f'{path} is not a plain file; give another --output.')
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(3, f'another malscraper is writing to {path}; stop that one, or give another --output.') from None
        except OSError as problem:
            raise Stop(3, f'cannot open {path} for writing ({problem.strerror}); give another --output.') from None
        lines, complete = self.read()
        names = [line for line in lines if USERNAME.fullmatch(line)]
        if len(lines) > 2 * len(names):
            raise Stop(3, f'{path} does not look like a list of usernames, so nothing is appended to it; '
                          'give another --output.')
        self.known = {name.lower() for name in names}
        self.at_start = len(self.known)
        self.odd_lines = len(lines) - len(names)
        # A last line without its end may be cut off or complete; nobody can tell, so it stays as it is
        self.line_end = b'' if complete else b'\n'

    def read(self):
        """The file's lines without blank ones, and whether the last line has its end."""
        try:
            with open(self.path, 'rb') as file:
                data = file.read()
        except OSError as problem:
            raise Stop(3, f'cannot read {self.path} ({problem.strerror}); give another --output.') from None
        lines = (line.strip() for line in data.decode('utf-8-sig', 'replace').splitlines())
        return [line for line in lines if line], data.endswith(b'\n') or not data

    def append(self, names):
        """Writes those names that are not known yet; returns them once they are on the disk."""
        new = {name.lower(): name for name in reversed(names) if name.lower() not in self.known}
        new = list(reversed(new.values()))
        if not new:
            return new
        size = os.fstat(self.file).st_size
        data = self.line_end + ''.join(name + '\n' for name in new).encode('ascii')
        try:
            while data:
                data = data[os.write(self.file, data):]
            os.fsync(self.file)
        except OSError as problem:
            os.ftruncate(self.file, size)           # not half a line is left of this page
            raise Stop(4, f'cannot write to {self.path} any more ({problem.strerror}); '
                          'make room and start again, it goes on where it was.') from None
        self.line_end = b''
        self.known.update(name.lower() for name in new)
        return new


def read_page(body, url):
    """Usernames on a users page, and what else it tells.

    Parameters: body, bytes of HTML; url, the page's address, which relative links are taken from.
    Returns: names (list of str in the page's order, most recent first, none twice), online (int, the page's count of
    users online, or None), title (str, possibly empty, printable). Never raises: what is no users page has no names.

    A name is a link in a table cell to /profile/NAME on the site whose text is NAME, so avatars are none. Where a
    changed page has no such cells, links of that form count wherever in the content they are.
    """
    try:
        soup = BeautifulSoup(body.decode('utf-8', 'replace'), 'html.parser')
    except (ParserRejectedMarkup, AssertionError, RecursionError):
        return [], None, ''
    sites = {site_of(url), site_of(URL)}
    in_cells, elsewhere = {}, {}
    for link in (soup.find(id='content') or soup).find_all('a', href=True):
        try:
            target = urlsplit(urljoin(url, link['href'].strip()))
            host = site_of(target.geturl())
        except ValueError:
            continue
        name = target.path[len('/profile/'):].rstrip('/')
        if (target.scheme in ('http', 'https') and host in sites and target.path.startswith('/profile/')
                and USERNAME.fullmatch(name) and link.get_text(strip=True).lower() == name.lower()):
            (in_cells if link.find_parent('td') else elsewhere).setdefault(name.lower(), name)
    online = re.search(r'([0-9][0-9,.]{0,11})\s{1,9}users?\s{1,9}online', soup.get_text(' '))
    title = ' '.join(soup.title.get_text(' ').split()) if soup.title else ''
    return (list((in_cells or elsewhere).values()), int(re.sub('[,.]', '', online[1])) if online else None,
            ''.join(letter for letter in title if letter.isprintable())[:60])


def site_of(url):
    """The host of an address without a leading www. Raises ValueError where it is no address."""
    host = urlsplit(url).hostname or ''
    return host[4:] if host.startswith('www.') else host


@contextlib.contextmanager
def time_limit(seconds):
    """Raises TimeoutError in the body once it takes longer: socket time-outs alone let a trickle go on for hours."""
    def expire(*_):
        raise TimeoutError(f'not complete after {seconds:g} seconds')

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Site(requests.Session):
    """The users page over one connection that is kept alive."""

    def __init__(self, url):
        super().__init__()
        self.url = url
        self.max_redirects = 5
        self.headers['User-Agent'] = USER_AGENT

    def get_redirect_target(self, response):
        """As in requests, but only within the site, and never from https to http."""
        target = super().get_redirect_target(response)
        if target:
            here = urlsplit(self.url)
            try:
                there = urlsplit(urljoin(response.url, target))
                inside = (site_of(there.geturl()) == site_of(self.url) and there.scheme in ('https', here.scheme)
                          and (there.port == here.port or there.scheme != here.scheme))
            except ValueError:
                inside = False
            if not inside:
                raise LoadFailed(f'a redirect off the site to {target[:80]!r}')
        return target

    def load(self):
        """One load: names and count of users online, as read_page gives them. Raises LoadFailed, or Stop (status 2)."""
        try:
            with time_limit(PAGE_SECONDS), self.get(self.url, timeout=TIMEOUT, stream=True) as response:
                body = b''
                for chunk in response.iter_content(16384):
                    body += chunk
                    if len(body) >= PAGE_BYTES:
                        break
        except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as problem:
            raise Stop(2, f'cannot load {self.url} with these settings; check --url and the proxy variables of the '
                          f'environment ({problem}).') from None
        except (OSError, urllib3.exceptions.HTTPError) as problem:      # every error of requests is an OSError
            raise LoadFailed(describe(problem)) from None
        if response.status_code != 200:
            meaning = http.client.responses.get(response.status_code, 'unknown')
            raise LoadFailed(f'status {response.status_code} ({meaning})', retry_after(response))
        names, online, title = read_page(body, response.url)
        if not names:
            raise LoadFailed(f'a page without any name, titled {title!r}', retry_after(response), nameless=True)
        return names, online


def retry_after(response):
    """Seconds that the site asks us to wait, 0 if it does not or in a form that nobody can read."""
    try:
        return urllib3.util.Retry().parse_retry_after(response.headers['Retry-After'])
    except (KeyError, ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return 0.0


def describe(problem):
    """What went wrong in a load, in a few words, with the innermost cause."""
    kinds = ((requests.exceptions.ProxyError, 'the proxy does not work'),
             (requests.exceptions.SSLError, 'the site cannot prove that it is the site'),
             ((requests.exceptions.Timeout, TimeoutError), 'no answer in time'),
             (requests.exceptions.ConnectionError, 'the connection failed'),
             (requests.exceptions.TooManyRedirects, 'too many redirects'))
    words = next((words for kind, words in kinds if isinstance(problem, kind)), 'the page broke off')
    while problem.__cause__ or problem.__context__:
        problem = problem.__cause__ or problem.__context__
    return f'{words} ({problem})'


class Pace:
    """How long to wait before the next load."""

    def __init__(self, least):
        self.least = self.delay = least
        self.longest = max(least, LONGEST_DELAY)
        self.last = set()

    def after_page(self, names, new):
        """Seconds to wait after a page. More than MISSING_SHARE of its names unknown: we miss people, sooner. Fewer,
        or most of the names those of the page before: later. In equilibrium every load brings in about the same number
        of names by day and by night, which is the best that a given number of loads can do."""
        repeated = len(self.last.intersection(names)) / len(names)
        self.last = set(names)
        change = MISSING_SHARE - len(new) / len(names) + max(0.0, repeated - 0.5)
        self.delay = min(self.longest, max(self.least, self.delay * math.exp(GAIN * change)))
        return self.delay

    def after_failure(self, failures, retry_after):
        """Seconds to wait after the given number of failures in a row: doubling, with jitter, never sooner than
        without the failure or than the site asked for."""
        self.delay = min(self.longest, 2 * self.delay)
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (failures - 1)) * random.uniform(0.75, 1)
        return max(backoff, self.delay, retry_after)


class Progress:
    """One line on standard error: redrawn in place on a terminal, now and then a line of its own in a log file."""

    def __init__(self, clock):
        self.clock = clock
        self.due = -math.inf
        self.drawn = 0          # characters of the progress line that is on the screen now

    def show(self, text):
        if sys.stderr.isatty():
            text = text[:max(20, os.get_terminal_size(sys.stderr.fileno()).columns) - 1]
            self.write('\r' + text.ljust(self.drawn))
            self.drawn = len(text)
        elif self.clock.monotonic() >= self.due:
            self.due = self.clock.monotonic() + LOG_SECONDS
            self.write(text + '\n')

    def say(self, text):
        self.write('\r' * bool(self.drawn) + text.ljust(self.drawn) + '\n')
        self.drawn = 0

    def write(self, text):
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:         # the reader of the log has gone; the names matter more
            sys.stderr = open(os.devnull, 'w')

    def until(self, seconds):
        """The time of day in so many seconds, with the date where that is another day."""
        now, then = time.localtime(self.clock.time()), time.localtime(self.clock.time() + seconds)
        return time.strftime('%H:%M:%S' if now[:3] == then[:3] else '%H:%M:%S on %Y-%m-%d', then)


def scrape(site, users, options, progress, clock=time):
    """Loads pages and saves their names until the hours are over.

    site.load() and users.append() as above; clock gives monotonic(), time() and sleep() as the module time does.
    Returns the number of loads; raises Stop.
    """
    end = clock.monotonic() + options.hours * 3600 if options.hours else math.inf
    pace = Pace(options.delay)
    pages = collections.deque(maxlen=LAST_PAGES)        # (names, new names) of the last pages
    loads = failures = nameless = 0
    while True:
        loads += 1
        try:
            names, online = site.load()
        except LoadFailed as problem:
            failures += 1
            nameless = nameless + 1 if problem.nameless else 0
            if nameless == NAMELESS:
                raise Stop(6, f'{NAMELESS} pages in a row had no names, the last was {problem}; open {options.url} in '
                              'a browser: if it shows names, the page has changed and this script must follow.')
            if failures == FAILURES:
                raise Stop(5, f'{FAILURES} loads failed in a row, the last with {problem}; try again in some hours, '
                              'with a longer --delay if the site has refused us.')
            if problem.retry_after > LONGEST_RETRY_AFTER:
                raise Stop(5, f'{problem}: the site asks to be left alone until {progress.until(problem.retry_after)}; '
                              'start again after that, with a longer --delay.')
            wait = pace.after_failure(failures, problem.retry_after)
            progress.say(f'{problem}; failure {failures} of at most {FAILURES} in a row, '
                         f'waiting until {progress.until(wait)}.')
        else:
            failures = nameless = 0
            new = users.append(names)
            wait = pace.after_page(names, new)
            pages.append((len(names), len(new)))
            seen, fresh = map(sum, zip(*pages))
            left = end - clock.monotonic()
            progress.show(f'{len(users.known)} names, {fresh} new on the last {len(pages)} pages, '
                          f'{1 - fresh / seen:.0%} repeats, '
                          + (f'{online} online, ' if online is not None else '')
                          + (f'{max(0, left) // 3600:.0f}:{max(0, left) % 3600 // 60:02.0f} h left' if options.hours
                             else 'until stopped')
                          + (f', few new: next load {progress.until(wait)}' if wait >= 5 else ''))
        left = end - clock.monotonic()
        if wait >= left:
            if not pages:
                raise Stop(5, f'no page could be loaded before the hours were over; see the lines above.')
            return loads
        clock.sleep(wait)


def main(arguments=None, clock=time):
    """Runs the script and returns its exit status. clock: anything with monotonic(), time() and sleep()."""
    progress = Progress(clock)
    users = None
    began = clock.monotonic()

    def terminate(*_):
        raise Terminated

    try:
        if fcntl is None:
            raise Stop(2, 'this system has no file locks as Linux and macOS have them; on Windows, run it under WSL.')
        options = read_options(arguments)
        signal.signal(signal.SIGTERM, terminate)
        users = UsersFile(options.output)
        if users.odd_lines:
            progress.say(f'{users.odd_lines} lines of {options.output} are no usernames; they stay as they are.')
        scrape(Site(options.url), users, options, progress, clock)
        status = 0
    except Stop as stop:
        status, sentence = stop.args
        progress.say(f'malscraper: {sentence}')
    except KeyboardInterrupt as interrupt:
        for number in (signal.SIGINT, signal.SIGTERM):      # a second one must not break the last line
            signal.signal(number, signal.SIG_IGN)
        status = 143 if isinstance(interrupt, Terminated) else 130
    if users:
        # The interrupt may have come while a page was being saved, so the file itself is counted
        total = len({line.lower() for line in users.read()[0] if USERNAME.fullmatch(line)})
        minutes = (clock.monotonic() - began) / 60
        progress.say(f'{total - users.at_start} new names in {minutes // 60:.0f}:{minutes % 60:02.0f} h; '
                     f'{users.path} holds {total}.'
                     + (' Run the same command again to go on.' if status in (130, 143) else ''))
    return status


if __name__ == '__main__':
    sys.exit(main())
