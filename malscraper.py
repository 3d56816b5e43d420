#!/usr/bin/env python3
"""Gather MyAnimeList usernames from the page of recently online users.

The API cannot list users, so this script loads https://myanimelist.net/users.php again and again. Each load
shows the 20 users who touched a page last. The script waits longer while there is little new to see and loads
sooner when it misses people.

Reads   the users page (--url), and the names that the output file already holds
Writes  users.txt (--output): one username a line. The names of a page are on the disk before the next load.
        No name is written twice; names that differ only in case are the same.

    python3 malscraper.py --hours 48 --output users.txt

Exit status: 0 the hours are over, 1 it cannot go on, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM, 129 the terminal
was closed. What was reported as gathered is in the file.
"""

import os
import signal
import sys


def stop_at_once(*_):
    """End the script while it is imported; main() takes another handler."""
    os.write(2, b'malscraper: stopped before it began.\n')
    os._exit(130)


if __name__ == '__main__':
    signal.signal(signal.SIGINT, stop_at_once)

import argparse
import collections
import contextlib
import math
import random
import re
import time
from datetime import timedelta
from urllib.parse import urlsplit

try:
    import fcntl  # locks on files, which Windows does not have

    import bs4
    import requests
    import urllib3
    from requests.exceptions import InvalidSchema, InvalidURL
except ImportError as error:
    if __name__ != '__main__':
        raise
    sys.exit(f'malscraper: {error}; run pip install -r requirements.txt. On Windows, use WSL.')

# What the options are if they are not given
URL = 'https://myanimelist.net/users.php'
OUTPUT = 'users.txt'
HOURS = 24.0  # 0 or more, how long to go on; 0: until stopped
DELAY = 1.0  # seconds, LEAST_DELAY or more, the least time between two loads
LEAST_DELAY = 0.5  # seconds

# How often to load. A name that was seen within the last half hour is a repeat. The other names of a page are
# a sample of the people who come and go between the loads.
REPEAT_SECONDS = 1800.0
UNSEEN_SHARE = 0.2  # 0-1, share of names that are no repeats to aim at; less: more names and more loads
GAIN = 0.5  # > 0, how fast the delay follows that share; more: faster and less steady
LONGEST_DELAY = 60.0  # seconds; short visits would fall between longer ones

# What to do when a load fails
FIRST_BACKOFF = 10.0  # seconds to wait after one failure, doubled with each further one
LONGEST_BACKOFF = 600.0  # seconds, where the doubling ends
LONGEST_RETRY_AFTER = 21600.0  # seconds; if the site asks for a longer wait, it is tried again after these
MAX_FAILURES = 10  # failures in a row that end the run

# What is read of a page
TIMEOUT = (10, 30)  # seconds without any data: while connecting, while reading
PAGE_SECONDS = 60.0  # seconds, the longest that a load may take, parsing included
PAGE_BYTES = 2_000_000  # bytes; the rest of a longer page is not read
USERNAME = re.compile('[A-Za-z0-9_-]{2,16}')
USER_AGENT = (
    f'AniEmbed-malscraper/1.0 (usernames for anime recommendations) python-requests/{requests.__version__}'
)

# What is shown
LAST_PAGES = 20  # pages that the progress line is about
LOG_SECONDS = 600.0  # seconds between two progress lines if standard error is not a terminal


class ScraperError(Exception):
    """End the run with a sentence for the user."""

    status = 1  # exit status


class UsageError(ScraperError):
    """End the run because of a wrong option or setting."""

    status = 2


class LoadFailed(Exception):
    """Say why a load gave no names. `retry_after`: the seconds that the site asks to wait."""

    def __init__(self, reason, retry_after=0):
        super().__init__(reason)
        self.retry_after = retry_after


def read_options(arguments):
    """Return the checked options; UsageError if one is wrong."""

    def refuse(message):
        raise UsageError(f'{message}; --help shows the options.')

    parser = argparse.ArgumentParser(description='Gather MyAnimeList usernames.')
    parser.error = refuse  # one sentence instead of the whole usage
    parser.add_argument('--output', default=OUTPUT, metavar='FILE', help='file of the names (%(default)s)')
    parser.add_argument('--hours', default=HOURS, type=float, help='how long; 0: until stopped (%(default)g)')
    parser.add_argument('--delay', default=DELAY, type=float, help='least seconds a load (%(default)g)')
    parser.add_argument('--url', default=URL, help='the users page (%(default)s)')
    options = parser.parse_args(arguments)
    if not 0 <= options.hours <= 1e6:  # refuses nan too
        refuse(f'--hours is {options.hours}, and must be from 0 to a million')
    if not LEAST_DELAY <= options.delay <= 86400:
        refuse(f'--delay is {options.delay}, and must be from {LEAST_DELAY:g} to 86400 seconds')
    if not re.match('https?://[^/]', options.url):
        refuse(f'--url is {options.url!r}, and must be an http or https address')
    return options


class UsersFile:
    """The output file, locked against other scrapers. `known` are its names in lower case.

    ScraperError if it cannot be used.
    """

    def __init__(self, path):
        try:
            self.file = open(path, 'ab+', buffering=0)  # noqa: SIM115, it stays open and locked
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.file.seek(0)
            data = self.file.read()
            lines = [
                line.strip() for line in data.decode('utf-8-sig', 'replace').splitlines() if line.strip()
            ]
            self.known = {line.lower() for line in lines if USERNAME.fullmatch(line)}
            numbers = sum(map(str.isdigit, self.known))  # a username may be one; MAL ids are nothing else
            odd_lines = sum(not USERNAME.fullmatch(line) for line in lines)
            if odd_lines > len(self.known) or numbers > max(1, len(self.known) / 2):
                raise ScraperError(f'{path} is not a list of usernames; give another --output.')
            if data[-1:] not in (b'', b'\n'):
                self.file.write(b'\n')
        except BlockingIOError:
            raise ScraperError(f'another malscraper is writing to {path}; give another --output.') from None
        except OSError as error:
            raise ScraperError(f'{path} cannot be used: {error.strerror}; give another --output.') from None
        self.at_start = len(self.known)

    def append(self, names):
        """Write the names that are not known, and return them once they are on the disk.

        names: list of str, no two alike. ScraperError if they cannot be written; the file is then as before.
        """
        new = [name for name in names if name.lower() not in self.known]
        data = ''.join(name + '\n' for name in new).encode()
        size = self.file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[self.file.write(data) :]
            os.fsync(self.file)
        except OSError as error:
            self.file.truncate(size)
            raise ScraperError(f'{self.file.name} cannot be written any more ({error.strerror}).') from None
        self.known.update(name.lower() for name in new)
        return new


def read_page(body, url):
    """Return the usernames on a users page, its count of users online or None, and its title or ''.

    body: bytes of HTML; url: the page's address, whose host links may name. The names are in the page's
    order, no two alike; what is not a users page has none. A name is a link to /profile/NAME with the text
    NAME, in a table cell, or anywhere if no table cell has one.
    """
    try:
        soup = bs4.BeautifulSoup(body.decode('utf-8', 'replace'), 'html.parser')
    except (bs4.builder.ParserRejectedMarkup, AssertionError, RecursionError):
        return [], None, ''
    hosts = '|'.join(re.escape(urlsplit(address).netloc) for address in (url, URL))
    profile = re.compile(rf'(?i:(?:https?:)?//(?:www\.)?(?:{hosts}))?/profile/({USERNAME.pattern})/?')
    in_cells, elsewhere = {}, {}
    for link in (soup.find(id='content') or soup).find_all('a', href=True):
        match, text = profile.fullmatch(link['href'].strip()), link.get_text(strip=True).lower()
        if match and match[1].lower() == text:
            (in_cells if link.find_parent('td') else elsewhere).setdefault(text, match[1])
    online = re.search('([0-9][0-9,.]{0,11})[ \n]{1,9}users? online', soup.get_text(' '))
    online = int(re.sub('[,.]', '', online[1])) if online else None
    title = ' '.join(soup.title.get_text(' ').split()) if soup.title else ''
    return list((in_cells or elsewhere).values()), online, title[:60]


class Site(requests.Session):
    """The users page, over one connection that stays open."""

    def __init__(self, url):
        super().__init__()
        self.url = url
        self.headers['User-Agent'] = USER_AGENT

    def load(self):
        """Load the page once; return its names and count of users online. LoadFailed if it has no names."""
        # A page that comes byte by byte never runs into TIMEOUT, so an alarm limits the whole load
        signal.setitimer(signal.ITIMER_REAL, PAGE_SECONDS, PAGE_SECONDS)
        try:
            with self.get(self.url, timeout=TIMEOUT, stream=True, allow_redirects=False) as response:
                body = b''
                for chunk in response.iter_content(16384):
                    body += chunk
                    if len(body) >= PAGE_BYTES:
                        break
            names, online, title = read_page(body, response.url)
        except (InvalidSchema, InvalidURL) as error:
            raise UsageError(f'check --url and the proxy variables ({error}).') from None
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:  # requests raises OSErrors
            while error.__cause__ or error.__context__:
                error = error.__cause__ or error.__context__
            raise LoadFailed(f'the load failed ({str(error)[:200]})') from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if response.status_code != 200:
            where = f' to {str(response.headers.get("Location"))[:80]}' if response.is_redirect else ''
            reason = f'status {response.status_code} ({str(response.reason)[:60]}){where}'
            raise LoadFailed(reason, self.retry_after(response))
        if not names:
            raise LoadFailed(f'a page without any name, titled {title!r}')
        return names, online

    def retry_after(self, response):
        """Return the seconds that a response asks to wait, or 0."""
        with contextlib.suppress(ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
            return min(LONGEST_RETRY_AFTER, urllib3.Retry().get_retry_after(response) or 0)
        return 0


class Pace:
    """Decide how many seconds to wait before the next load. `least`: the shortest delay, in seconds."""

    def __init__(self, least):
        self.least, self.delay, self.longest = least, least, max(least, LONGEST_DELAY)
        self.seen = {}  # name -> when it was seen last
        self.failures = 0  # in a row

    def after_page(self, names, now):
        """Return the wait after a page, and how many of its names were repeats.

        More than UNSEEN_SHARE of names that are no repeats means that people are missed: load sooner. Fewer:
        later. So everybody who is online for some minutes has about the same chance to be seen at any hour.
        """
        self.failures = 0
        repeats = sum(now - self.seen.get(name, -math.inf) <= REPEAT_SECONDS for name in names)
        self.seen.update(dict.fromkeys(names, now))
        change = GAIN * (UNSEEN_SHARE - 1 + repeats / len(names))
        self.delay = max(self.least, min(self.longest, self.delay * math.exp(change)))
        return self.delay, repeats

    def after_failure(self, failure, url):
        """Return the wait after a LoadFailed; ScraperError if there were too many in a row."""
        self.failures += 1
        if self.failures == MAX_FAILURES:
            raise ScraperError(
                f'{MAX_FAILURES} loads in a row failed, the last with {failure}. Look at {url} in a browser: '
                'if it has names, the page has changed; if not, try again in some hours.'
            )
        self.delay = min(self.longest, 2 * self.delay)
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (self.failures - 1)) * random.uniform(0.75, 1)
        return max(backoff, self.delay, failure.retry_after)


def say(text, stays=True):
    """Print a line for the user. On a terminal, the next line takes the place of one that does not stay."""
    text = ''.join(filter(str.isprintable, text))  # a site's words may hold control sequences
    terminal = sys.stderr.isatty()
    if terminal:
        columns = max(20, os.get_terminal_size(sys.stderr.fileno()).columns)
        text = f'\r{text if stays else text[: columns - 1]}\x1b[K'
    with contextlib.suppress(OSError):  # the run goes on without its log
        print(text, end='\n' if stays or not terminal else '', file=sys.stderr, flush=True)


def scrape(site, users, options, clock):
    """Load pages and save their names until the hours are over; ScraperError if that cannot go on."""
    end = clock.monotonic() + options.hours * 3600 if options.hours else math.inf
    pace = Pace(options.delay)
    pages = collections.deque(maxlen=LAST_PAGES)  # (names, new names, repeats) of the last pages
    next_line = -math.inf  # when a log file gets its next progress line
    while True:
        try:
            names, online = site.load()
        except LoadFailed as failure:
            wait = pace.after_failure(failure, options.url)
            goes_on = clock.monotonic() + wait < end
            until = f'waiting until {local_time(clock, wait)}' if goes_on else 'no time is left for another'
            say(f'{failure}; failure {pace.failures} in a row, {until}.')
        else:
            new = users.append(names)
            now = clock.monotonic()
            wait, repeats = pace.after_page(names, now)
            pages.append((len(names), len(new), repeats))
            if sys.stderr.isatty() or now >= next_line:
                next_line = now + LOG_SECONDS
                shown, fresh, repeats = map(sum, zip(*pages))
                left = f'{timedelta(0, max(0, int(end - now)))} left' if options.hours else 'until stopped'
                pause = f', few unseen: next load {local_time(clock, wait)}' if wait > 5 else ''
                say(
                    f'{len(users.known)} names, {left}, {fresh} of the last {shown} new, '
                    f'{repeats / shown:.0%} repeats, {online or "?"} online{pause}',
                    stays=False,
                )
        if clock.monotonic() + wait >= end:
            break
        clock.sleep(wait)
    if not pages:
        raise ScraperError('the hours were over before any page could be loaded.')


def local_time(clock, wait):
    """Return the date and time in `wait` seconds."""
    return time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(clock.time() + wait))


def on_signal(number, _):
    """Raise what ends a load (SIGALRM) or the run (every other signal)."""
    if number == signal.SIGALRM:
        raise TimeoutError(f'not complete after {PAGE_SECONDS:g} seconds')
    raise KeyboardInterrupt(128 + number)


def main(arguments=None, clock=time):
    """Run the script and return its exit status. clock: what has monotonic(), time() and sleep()."""
    options, users, status, began = None, None, 0, clock.monotonic()
    stops = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    try:
        for number in (signal.SIGALRM, *stops):
            # A hangup that is ignored stays so
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, on_signal)
        options = read_options(arguments)
        users = UsersFile(options.output)
        scrape(Site(options.url), users, options, clock)
    except ScraperError as error:
        status = error.status
        say(f'malscraper: {error}')
    except KeyboardInterrupt as interrupt:
        for number in stops:  # a second one must not break the last line
            signal.signal(number, signal.SIG_IGN)
        status = interrupt.args[0]
    if users:
        new, seconds = len(users.known) - users.at_start, int(clock.monotonic() - began)
        going_on = ''
        if status >= 128:
            left = (
                f' with --hours {max(0.01, options.hours - seconds / 3600):.3g}'
                if options.hours
                else ' again'
            )
            going_on = f' To go on, run the same command{left}.'
        total = f'{options.output} holds {len(users.known)}.{going_on}'
        say(f'{new} new name{"s" * (new != 1)} in {timedelta(seconds=seconds)}; {total}')
        users.file.close()
    return status


if __name__ == '__main__':
    sys.exit(main())
