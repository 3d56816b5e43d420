"""Call a site's JSON API: one call at a time, with patience.

No redirect is followed, so that the headers of a call go to one host and nowhere else.
"""

import contextlib
import datetime
import os
import random
import time
from collections import namedtuple

import requests
import tenacity
import urllib3

from aniembed.files import RunError
from aniembed.settings import Rule, check

LONGEST_WAIT = 600  # seconds after a failure, however many came before it
LONGEST_BAN = 3600  # seconds of Retry-After that are waited for; a longer one ends the run
TRIES = 4  # calls for one thing before it is left for the next time

# status: 'ok', 'private' or 'missing'; entries: {MAL id: (score 0-10, watching status)}; odd: number of
# entries passed over because they cannot be read; unknown: number of titles that only AniList has
MemberList = namedtuple('MemberList', 'status entries odd unknown', defaults=(0,))


class Failed(RunError):
    """A call that failed and may be tried again, after `retry_after` seconds or more."""

    def __init__(self, problem, retry_after=0):
        super().__init__(problem)
        self.retry_after = retry_after


class Refused(RunError):
    """A refusal with its HTTP status: 403 a private list, 404 what is not there, 400 a wrong call."""

    def __init__(self, status, message):
        super().__init__(f'status {status}, {message}')
        self.status = status


def _address(value):
    parts = urllib3.util.parse_url(value if isinstance(value, str) else '')
    if parts.scheme not in ('http', 'https') or not parts.host:
        raise ValueError
    return value.rstrip('/')


# The rule of settings.check() for an address
ADDRESS = Rule(_address, 'an address with http:// or https://')


def address_from(variable, default):
    """Return the address that an environment variable gives, or the default; UsageError if it is none."""
    found = {variable: os.environ.get(variable) or default}
    check(found, {variable: ADDRESS})
    return found[variable]


class Client:
    """Call one API: never two calls closer than `delay`, again after a failure, never on another host.

    url: address of the API. headers: sent with every call. delay, timeout, backoff: seconds; backoff is
    doubled with each failure in a row. max_failures: failures in a row that end the run. say: prints
    announcements. A subclass says in `check_refusal` what its API answers to those it refuses.
    """

    site, least_delay = 'The site', 0.0  # seconds; it bans those who call more often

    def __init__(self, url, headers, delay=0.75, timeout=30, backoff=5, max_failures=10, say=print):
        self.url, self.delay, self.timeout, self.backoff = url, delay, timeout, backoff
        self.max_failures, self.say = max_failures, say
        self.session = requests.Session()
        self.session.headers.update(headers)
        self.failures = 0  # in a row
        self.worked = False  # whether any call did
        self.next_call = time.monotonic() + delay  # when the next call may start

    def __str__(self):
        hasty = f' {self.site} bans those who call more often than every {self.least_delay} s.'
        hasty *= self.delay < self.least_delay
        return f'Calls go to {self.url}, at least {self.delay:g} s apart.{hasty}'

    def call(self, url, shape, tries=TRIES, method='GET', **arguments):
        """Make a call until it succeeds; return the JSON object that comes back.

        shape: {key: type} that the object has to have; arguments: further ones of requests.
        Raises Failed after so many tries, Refused where the API refuses, RunError when the run has to end.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Failed),
            stop=tenacity.stop_after_attempt(tries),
            wait=self._wait,
            before_sleep=self._postpone,
            retry_error_callback=self._give_up,
        )
        return retrying(self._attempt, url, shape, method, arguments)

    def _attempt(self, url, shape, method, arguments):
        """Make one call, and count the failures in a row."""
        try:
            body = self._judge(self._send(url, method, arguments), shape)
        except Failed as problem:
            self.failures += 1
            if self.failures >= self.max_failures:
                self.failures = 0
                raise RunError(
                    f'{self.max_failures} calls in a row failed, the last with: {problem}. '
                    'Run this again later.'
                ) from None
            if problem.retry_after > LONGEST_BAN:
                until = clock(problem.retry_after)
                raise RunError(f'{self.site} asks for no calls until {until}. Run this again then.') from None
            raise
        except Refused:
            self.failures, self.worked = 0, True
            raise
        self.failures, self.worked = 0, True
        return body

    def _send(self, url, method, arguments):
        time.sleep(max(0, self.next_call - time.monotonic()))
        self.next_call = time.monotonic() + self.delay
        try:
            return self.session.request(method, url, timeout=self.timeout, allow_redirects=False, **arguments)
        except requests.Timeout:
            raise Failed(f'no answer for {self.timeout:g} s') from None
        except (requests.RequestException, ValueError) as error:
            raise Failed(f'no connection, or one that broke off ({type(error).__name__})') from None

    def _judge(self, answer, shape):
        """Return the JSON object of an answer, or raise the error that the answer means."""
        status = answer.status_code
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        body = body if isinstance(body, dict) else {}
        if status == 200 and all(isinstance(body.get(key), kind) for key, kind in shape.items()):
            return body
        self.check_refusal(status, body)
        problem = f'status {status}' if status != 200 else 'an answer that is not what the API gives'
        if answer.is_redirect:
            problem = f'status {status}, a redirect, which is not followed'
        raise Failed(problem, _retry_after(answer))

    def check_refusal(self, status, body):
        """Raise Refused or RunError where an answer says that another try makes no sense."""

    def _wait(self, _):
        """Return the seconds to wait after the latest failure; called by tenacity."""
        wait = self.backoff * 2 ** min(self.failures - 1, 20) * random.uniform(1, 1.5)
        return min(LONGEST_WAIT, wait)

    def _postpone(self, state):
        """Let the next call wait, and say why and until when."""
        problem = state.outcome.exception()
        wait = max(state.upcoming_sleep, problem.retry_after)
        self.next_call = max(self.next_call, time.monotonic() + wait)
        self.say(
            f'{clock()}  {problem}: waiting {wait:.1f} s, until {clock(wait)} '
            f'(failure {self.failures} in a row, {self.max_failures} end the run)'
        )

    def _give_up(self, state):
        """Let this call be, after its last try; the next one, for something else, waits all the same."""
        self._postpone(state)
        raise state.outcome.exception()


def _retry_after(answer):
    """Return the seconds that the header Retry-After asks for, which may be a date; 0 without one."""
    retry = urllib3.Retry()
    retry.retry_after_max = 1e6  # seconds; urllib3 2.6 stops at six hours otherwise
    with contextlib.suppress(ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return min(1e6, retry.get_retry_after(answer) or 0)
    return 0


def clock(seconds=0):
    """Return the time of day in so many seconds, with the date where that is not soon."""
    moment = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    return f'{moment:%H:%M:%S}' if seconds < LONGEST_BAN else f'{moment:%d %B, %H:%M}'
