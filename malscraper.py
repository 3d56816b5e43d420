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
import http.client
import math
import os
import random
import re
import signal
import stat
import sys
import time
from urllib.parse import urljoin

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

# How often to load. A page is a sample of those online: the share of its names that were not seen of late estimates
# the share of members who come and go unseen
LEAST_DELAY = 0.5               # seconds; --delay may not be less
LONGEST_DELAY = 60.0            # seconds; with longer ones, short visits fall between two loads
LATE = 1800.0                   # seconds; a name on a page that was seen within them is a repeat
UNSEEN_SHARE = 0.2              # 0-1, the share of others that the delay aims at; less: more names, more loads
GAIN = 0.5                      # > 0, how fast the delay follows; more: faster and less steady

# What to do when a load fails
FIRST_BACKOFF = 10.0            # seconds to wait after one failure, doubled with every further one
LONGEST_BACKOFF = 600.0         # seconds, where the doubling ends
LONGEST_RETRY_AFTER = 86400.0   # seconds; a site that asks for more is asked again after them
FAILURES = 10                   # failures in a row that end the run
NAMELESS = 3                    # pages without any name in a row that end the run

# What is read of a page
TIMEOUT = (10, 30)              # seconds without a sign of life: while connecting, while reading
PAGE_SECONDS = 60.0             # seconds, the longest that one load may take, its parsing included
PAGE_BYTES = 2_000_000          # bytes; what comes after them is not read
USER_AGENT = f'AniEmbed-malscraper/1.0 (usernames for anime recommendations) {requests.utils.default_user_agent()}'
USERNAME = re.compile('[A-Za-z0-9_-]{2,16}')

# What is shown
LAST_PAGES = 20                 # pages that the shares on the progress line are taken over
LOG_SECONDS = 600.0             # seconds between two progress lines where standard error is no terminal


class Stop(Exception):
    """The run cannot go on: args are the exit status and a sentence for the user."""


class LoadFailed(Exception):
    """A load gave no names: args are the reason, the seconds that the site asks to wait, whether a page came at all."""


def read_options(arguments):
    """The checked options. Raises Stop with status 2 where one is wrong."""
    def refuse(message):
        raise Stop(2, f'{message}; --help shows the options.')

    parser = argparse.ArgumentParser(description='Gather MyAnimeList usernames from the page of recently online users.')
    parser.error = refuse       # one sentence instead of the whole usage
    parser.add_argument('--output', default=OUTPUT, metavar='FILE', help='names are appended to it (%(default)s)')
    parser.add_argument('--hours', default=HOURS, type=float, help='how long to go on; 0: until stopped (%(default)g)')
    parser.add_argument('--delay', default=DELAY, type=float, metavar='SECONDS',
                        help=f'least time between two loads, not below {LEAST_DELAY:g} (%(default)g)')
    parser.add_argument('--url', default=URL, help='the users page (%(default)s)')
    options = parser.parse_args(arguments)
    if not 0 <= options.hours <= 1e6:                   # nan fails too
        refuse(f'--hours must be from 0 to a million, not {options.hours}')
    if not LEAST_DELAY <= options.delay <= 86400:
        refuse(f'--delay must be from {LEAST_DELAY:g} to 86400 seconds, not {options.delay}')
    if not re.match('https?://[^/]', options.url):
        refuse(f'--url must be an http or https address, not {options.url!r}')
    return options


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
            self.known, self.odd_lines, complete = self.read()
        except BlockingIOError:
            raise Stop(3, f'another malscraper is writing to {path}; stop that one or give another --output.') from None
        except OSError as problem:
            raise Stop(3, f'cannot use {path} ({problem.strerror}); give another --output.') from None
        if self.odd_lines > len(self.known):
            raise Stop(3, f'{path} is no list of usernames, so nothing is appended to it; give another --output.')
        self.at_start = len(self.known)
        # A last line without its end may be cut off or complete, nobody can tell: it stays and gets its end
        self.line_end = '' if complete else '\n'

    def read(self):
        """The file's names in lower case, the number of its other lines, and whether the last line has its end."""
        data = os.pread(self.file, os.fstat(self.file).st_size, 0)
        lines = [line.strip() for line in data.decode('utf-8-sig', 'replace').splitlines() if line.strip()]
        names = [line.lower() for line in lines if USERNAME.fullmatch(line)]
        return set(names), len(lines) - len(names), data.endswith(b'\n') or not data

    def append(self, names):
        """Writes those names (no two alike) that are not known yet; returns them once they are on the disk."""
        new = [name for name in names if name.lower() not in self.known]
        if not new:
            return new
        data = (self.line_end + ''.join(name + '\n' for name in new)).encode('ascii')
        size = os.fstat(self.file).st_size
        try:
            while data:
                data = data[os.write(self.file, data):]
            os.fsync(self.file)
        except OSError as problem:
            os.ftruncate(self.file, size)               # half a line must not be left
            raise Stop(4, f'cannot write to {self.path} any more ({problem.strerror}); make room and start again, '
                          'it goes on where it was.') from None
        self.line_end = ''
        self.known.update(name.lower() for name in new)
        return new


def site_of(url):
    """Host and port of an http or https address, without www.; None for any other address."""
    found = re.match(r'https?://(?:www\.)?([^/?#]+)', url.lower())
    return found and found[1]


def read_page(body, url):
    """Usernames on a users page, and what else it tells.

    Parameters: body, bytes of HTML; url, the page's address, which relative links start from.
    Returns: names (list of str in the page's order, most recent first, no two alike), online (int, the page's count of
    users online, or None), title (str, may be empty). Never raises: what is no users page has no names.

    A name is a link in a table cell to /profile/NAME on the site whose text is NAME, so avatars are none. In a changed
    page without such cells, links of that form count wherever they are in the content.
    """
    try:
        soup = BeautifulSoup(body.decode('utf-8', 'replace'), 'html.parser')
    except (ParserRejectedMarkup, AssertionError, RecursionError):
        return [], None, ''
    in_cells, elsewhere = {}, {}
    for link in (soup.find(id='content') or soup).find_all('a', href=True):
        try:
            target = urljoin(url, link['href'].strip())
        except ValueError:
            continue
        found = re.fullmatch(f'[^:]+://[^/]+/profile/({USERNAME.pattern})/?', target)
        name = link.get_text(strip=True)
        if found and found[1].lower() == name.lower() and site_of(target) in (site_of(url), site_of(URL)):
            (in_cells if link.find_parent('td') else elsewhere).setdefault(name.lower(), found[1])
    online = re.search('([0-9][0-9,.]{0,11})[ \n]{1,9}users? online', soup.get_text(' '))
    title = ' '.join(soup.title.get_text(' ').split()) if soup.title else ''
    return list((in_cells or elsewhere).values()), int(re.sub('[,.]', '', online[1])) if online else None, title[:60]


class Site(requests.Session):
    """The users page, over one connection that is kept alive."""

    def __init__(self, url):
        super().__init__()
        self.url = url
        self.max_redirects = 5
        self.headers['User-Agent'] = USER_AGENT

    def get_redirect_target(self, response):
        """As in requests, but only within the site, and never from https to http."""
        target = super().get_redirect_target(response)
        if target:
            there = urljoin(response.url, target)
            if site_of(there) != site_of(self.url) or (self.url[:6] == 'https:' != there[:6]):
                raise LoadFailed(f'a redirect off the site to {there[:80]!r}', 0.0, False)
        return target

    def load(self):
        """One load: names and the count of users online, as read_page gives them. Raises LoadFailed or Stop."""
        # Time-outs of the socket alone would let a page that trickles go on for hours; a freak one is slow to parse too
        signal.setitimer(signal.ITIMER_REAL, PAGE_SECONDS, PAGE_SECONDS / 4)       # again, should a destructor eat it
        try:
            with self.get(self.url, timeout=TIMEOUT, stream=True) as response:
                body = b''
                for chunk in response.iter_content(16384):
                    body += chunk
                    if len(body) >= PAGE_BYTES:
                        break
            names, online, title = read_page(body, response.url)
        except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as problem:
            raise Stop(2, f'pages cannot be loaded so; check --url and the proxy variables ({problem}).') from None
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as problem:      # those of requests are OSErrors
            while problem.__cause__ or problem.__context__:
                problem = problem.__cause__ or problem.__context__
            raise LoadFailed(f'the load failed ({str(problem)[:200]})', 0.0, False) from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        wait = retry_after(response.headers.get('Retry-After', '0'))
        if response.status_code != 200:
            meaning = http.client.responses.get(response.status_code, 'unknown')
            raise LoadFailed(f'status {response.status_code} ({meaning})', wait, False)
        if not names:
            raise LoadFailed(f'a page without any name, titled {title!r}', wait, True)
        return names, online


def retry_after(header):
    """Seconds that a Retry-After header asks for, as a number or as a date; 0 where it cannot be read."""
    try:
        return min(LONGEST_RETRY_AFTER, urllib3.util.Retry().parse_retry_after(header))
    except (ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return 0.0


class Pace:
    """How long to wait before the next load."""

    def __init__(self, least):
        self.least = self.delay = least
        self.seen = {}          # name -> when it was seen last

    def after_page(self, names, now):
        """Seconds to wait after a page, and the number of its names that are repeats. With fewer repeats than
        1 - UNSEEN_SHARE we miss people: sooner. With more: later. So everybody who is online for some minutes has
        about the same chance to be seen, by day and by night, whatever the number of members."""
        repeats = sum(now - self.seen.get(name, -math.inf) <= LATE for name in names)
        self.seen.update(dict.fromkeys(names, now))
        change = GAIN * (UNSEEN_SHARE - 1 + repeats / len(names))
        self.delay = max(self.least, min(LONGEST_DELAY, self.delay * math.exp(change)))
        return self.delay, repeats

    def after_failure(self, failures, asked):
        """Seconds to wait after so many failures in a row: never less than without them, or than the site asks."""
        self.delay = max(self.least, min(LONGEST_DELAY, self.delay * 2))
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (failures - 1)) * random.uniform(0.75, 1)
        return max(backoff, self.delay, asked)


class Progress:
    """One line on standard error: redrawn in place on a terminal, now and then a line of its own in a log file."""

    def __init__(self, clock):
        self.clock = clock
        self.due = -math.inf    # when the next line of a log is due

    def show(self, text):
        if sys.stderr.isatty():
            self.write('\r' + text[:max(20, os.get_terminal_size(sys.stderr.fileno()).columns) - 1] + '\x1b[K')
        elif self.clock.monotonic() >= self.due:
            self.due = self.clock.monotonic() + LOG_SECONDS
            self.write(text + '\n')

    def say(self, text):
        text = ''.join(filter(str.isprintable, text))   # a site's words may hold control sequences
        self.write('\r' + text + '\x1b[K\n' if sys.stderr.isatty() else text + '\n')

    def write(self, text):
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:         # the reader of the log has gone, or its disk is full; the names matter more
            sys.stderr = open(os.devnull, 'w')

    def until(self, seconds):
        return time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.clock.time() + seconds))


def hours(seconds):
    return '{}:{:02} h'.format(*divmod(int(seconds / 60), 60))


def scrape(site, users, options, progress, clock):
    """Loads pages and saves their names until the hours are over; raises Stop where it cannot go on.

    site.load() and users.append() as above; clock has monotonic(), time() and sleep() as the module time has.
    """
    end = clock.monotonic() + options.hours * 3600 if options.hours else math.inf
    pace = Pace(options.delay)
    pages = collections.deque(maxlen=LAST_PAGES)        # (names, new names, repeats) of the last pages
    failures = nameless = 0                             # in a row
    while True:
        try:
            names, online = site.load()
        except LoadFailed as problem:
            reason, asked, page_came = problem.args
            failures += 1
            nameless = nameless + 1 if page_came else 0
            if nameless == NAMELESS:
                raise Stop(6, f'{NAMELESS} pages in a row had no names, the last was {reason}; look at {options.url} '
                              'in a browser: if names are there, the page has changed and this script must follow.')
            if failures == FAILURES:
                raise Stop(5, f'{FAILURES} loads in a row failed, the last with {reason}; try again in some hours, '
                              'with a longer --delay if the site has refused us.')
            wait = pace.after_failure(failures, asked)
            progress.say(f'{reason}; failure {failures} in a row, waiting until {progress.until(wait)}.')
        else:
            failures = nameless = 0
            new = users.append(names)
            wait, repeats = pace.after_page(names, clock.monotonic())
            pages.append((len(names), len(new), repeats))
            shown, fresh, repeats = map(sum, zip(*pages))
            left = hours(end - clock.monotonic()) + ' left' if options.hours else 'until stopped'
            progress.show(f'{len(users.known)} names, {fresh} new on the last {len(pages)} pages, '
                          f'{repeats / shown:.0%} repeats, {"?" if online is None else online} online, {left}'
                          + (f', few unseen: next load {progress.until(wait)}' if wait > 5 else ''))
        if clock.monotonic() + wait >= end:
            if not pages:
                raise Stop(5, 'the hours were over before any page could be loaded.')
            return
        clock.sleep(wait)


def on_signal(number, _):
    if number == signal.SIGALRM:
        raise TimeoutError(f'not complete after {PAGE_SECONDS:g} seconds')
    raise KeyboardInterrupt(128 + number)


def main(arguments=None, clock=time):
    """Runs the script and returns its exit status. clock: anything with monotonic(), time() and sleep()."""
    progress = Progress(clock)
    began = clock.monotonic()
    users = None
    status = 0
    try:
        if fcntl is None:
            raise Stop(2, 'file locks as on Linux and macOS are needed; on Windows, run this under WSL.')
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, on_signal)
        options = read_options(arguments)
        users = UsersFile(options.output)
        if users.odd_lines:
            progress.say(f'{users.odd_lines} lines of {options.output} are no usernames; they stay as they are.')
        scrape(Site(options.url), users, options, progress, clock)
    except Stop as stop:
        status, sentence = stop.args
        progress.say(f'malscraper: {sentence}')
    except KeyboardInterrupt as interrupt:
        for number in (signal.SIGINT, signal.SIGTERM):  # a second one must not break the last line
            signal.signal(number, signal.SIG_IGN)
        status = interrupt.args[0]
    if users:
        total = len(users.read()[0])                    # of the file itself: the interrupt may have met a save
        progress.say(f'{total - users.at_start} new names in {hours(clock.monotonic() - began)}; {users.path} holds '
                     f'{total}.' + (' To go on, run the same command again.' if status >= 128 else ''))
        os.close(users.file)
    return status


if __name__ == '__main__':
    sys.exit(main())
