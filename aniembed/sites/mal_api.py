"""Fetch titles and lists from MyAnimeList's API: one call at a time, with patience.

The client id goes into the header of calls to one host and nowhere else; no redirect is followed.
"""

import contextlib
import getpass
import os
import re
import urllib.parse
import warnings

import urllib3

from aniembed.files import RunError, one_line
from aniembed.inputs.title_records import LARGEST_ID
from aniembed.settings import address, number, several
from aniembed.sites import client
from aniembed.sites.client import TRIES, Client, Failed, MemberList, Refused, address_from

API_URL = 'https://api.myanimelist.net/v2'
CLIENT_ID_PAGE = 'https://myanimelist.net/apiconfig'  # where a client id comes from
RANKING_PAGE, LIST_PAGE = 500, 1000  # entries of one call at most, as the API sets it
READINGS = 3  # of a ranking that moves while it is read
FIELDS = (
    'id,title,alternative_titles,main_picture,mean,popularity,rating,media_type,'
    'num_episodes,start_season,source,genres,studios'
)
USERNAME = re.compile(  # or the address of a profile
    r'((?:https?://)?(?:www\.)?myanimelist\.net/(?:profile|animelist)/)?([A-Za-z0-9_-]{2,16})(?(1)(?:[/?#].*)?)'
)
PAGE = {'data': list, 'paging': dict}  # what the API answers with, key by key
TITLE = {'id': int}

RANKING_TYPES = ['all', 'airing', 'upcoming', 'tv', 'ova', 'movie', 'special', 'bypopularity', 'favorite']


# The rules of settings.check() for the globals of the notebooks
RULES = {'API_URL': address(), 'DELAY': number(0, 60)}
RANKINGS = several(*RANKING_TYPES)


def username(text):
    """Return the username in a text, which is the name itself or the address of a profile; else None."""
    match = USERNAME.fullmatch(text.strip())
    return match and match[2]


def client_id():
    """Return the client id of the environment variable MAL_CLIENT_ID, or ask for it without echo."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('error', getpass.GetPassWarning)  # rather than to ask with echo
            answer = os.environ.get('MAL_CLIENT_ID') or getpass.getpass('MyAnimeList client id: ')
    except (NotImplementedError, EOFError, getpass.GetPassWarning):
        raise RunError(
            'There is no client id: set the environment variable MAL_CLIENT_ID, or run this where it can ask.'
        ) from None
    if not re.fullmatch('[!-~]+', answer.strip()):
        raise RunError(f'That is no client id: it is one word of letters and digits, from {CLIENT_ID_PAGE}.')
    return answer.strip()


class MyAnimeList(Client):
    """Call MyAnimeList's API v2; the arguments are those of Client, with the client id for the headers."""

    site, least_delay = 'MyAnimeList', 0.5

    def __init__(self, url, client_id, *arguments, **keywords):
        headers = {'X-MAL-CLIENT-ID': client_id, 'User-Agent': 'AniEmbed'}
        super().__init__(url, headers, *arguments, **keywords)

    def check_refusal(self, status, body):
        """Raise Refused for a plain no, RunError for a client id that is not accepted."""
        error, message = body.get('error'), str(body.get('message'))
        if status == 401 or (status == 400 and 'client id' in message.lower()):
            raise RunError(
                f'MyAnimeList does not accept this client id (status {status}). Look at {CLIENT_ID_PAGE} '
                'and start again with the right one.'
            )
        # MyAnimeList gives the same answer to a missing client id and to those who call too often.
        if status == 403 and error == 'forbidden' and not self.worked:
            raise RunError(
                'MyAnimeList refuses the first call (status 403). Either it does not accept this client id '
                f'(look at {CLIENT_ID_PAGE}), or it has had too many calls from here: then wait an hour.'
            )
        if (status == 403 and error == 'not_permitted') or (status in (400, 404) and error):
            message = message.replace(self.session.headers['X-MAL-CLIENT-ID'], '...')
            raise Refused(status, one_line(message, 100))

    def _pages(self, path, query, tries=TRIES):
        """Yield the entries of a ranking or list, page by page.

        A next page has to be on the host of `url`, which gets the client id; its scheme is that of `url`.
        """
        url, seen = f'{self.url}{path}?{urllib.parse.urlencode(query)}', set()
        while url:
            page = self.call(url, PAGE, tries)
            yield page['data']
            seen.add(url)
            url = self._same_host(page['paging'].get('next'))
            if url in seen:
                raise Failed('pages that go in a circle')

    def _same_host(self, url):
        if url is None:
            return None
        here = urllib3.util.parse_url(self.url)  # requests reads addresses with the same function
        try:
            there = urllib3.util.parse_url(url)
        except (ValueError, TypeError, AttributeError):
            raise Failed('a next page without an address') from None
        if _host_and_port(here) != _host_and_port(there):
            raise Failed(f'a next page on another host, {one_line(there.host, 60)}')
        return here._replace(path=there.path, query=there.query).url

    def ranking(self, ranking_type, number, nsfw=True, progress=lambda found: None):
        """Fetch the first titles of a ranking; return {MAL id: the API's node}, in its order.

        progress: called with the number of titles so far. Between two calls a title may move to another
        page: one then comes twice, and another not at all. Where one came twice, the pages are read again.
        """
        query = {'ranking_type': ranking_type, 'limit': min(number, RANKING_PAGE), 'offset': 0}
        query |= {'fields': FIELDS, 'nsfw': str(nsfw).lower()}
        places = {}
        try:
            for _ in range(READINGS):
                found, moved = self._read_ranking(query, number, progress)
                places.update(found)
                if not moved:
                    break
                self.say('A title came twice: the ranking has moved while it was read. Reading it again.')
        except Failed as problem:
            raise RunError(f'The ranking cannot be fetched: {problem}.') from None
        except Refused as problem:
            raise RunError(f'MyAnimeList refuses the request ({problem}). Look at API_URL.') from None
        nodes = [node for _, node in sorted(places.values(), key=lambda found: found[0])]
        return {node['id']: node for node in nodes[:number]}

    def _read_ranking(self, query, number, progress):
        """Read a ranking once; return {MAL id: (place, node)}, and whether a title came twice."""
        found, entries, odd = {}, 0, 0
        for page in self._pages('/anime/ranking', query, tries=client.MAX_FAILURES):
            before, nodes = len(found), _readable(page, _title)
            odd += len(page) - len(nodes)
            for node in nodes:
                entries += 1
                found[node['id']] = entries, node
            progress(min(number, len(found)))
            if len(found) == before or len(found) >= number:  # nothing new, or enough
                break
        if odd:
            self.say(f'{odd:,} entries of the ranking were passed over: they have no id or no title.')
        return found, len(found) < entries

    def related(self, mal_id):
        """Fetch the `related_anime` of a title: a list of {'node': {'id', ...}, 'relation_type', ...}."""
        try:
            title = self.call(f'{self.url}/anime/{mal_id}?fields=related_anime', TITLE)
        except Refused as problem:
            if problem.status == 404:
                return []
            raise Failed(str(problem)) from None
        return _readable(title.get('related_anime') or [], _relation)

    def list_entry(self, user):
        """Fetch a member's list as an entry of the journal of lists, without the day."""
        found = self.animelist(user)
        if found.odd:
            self.say(f'{found.odd:,} entries on the list of {user} are left out: they cannot be read.')
        scores = {str(mal_id): score for mal_id, (score, _) in found.entries.items()}
        return {'user': user, 'status': found.status, 'scores': scores}

    def animelist(self, user):
        """Fetch a member's whole list; return a MemberList. Raises Failed if that does not succeed now."""
        # Without nsfw entries vanish silently, harmless ones among them.
        query = {'fields': 'list_status', 'limit': LIST_PAGE, 'nsfw': 'true'}
        entries, odd = {}, 0
        try:
            for page in self._pages(f'/users/{user}/animelist', query):
                found = _readable(page, _entry)
                entries.update(found)
                odd += len(page) - len(found)
        except Refused as problem:
            if problem.status == 400:
                raise Failed(str(problem)) from None
            return MemberList('private' if problem.status == 403 else 'missing', {}, 0)
        return MemberList('ok', entries, odd)


def _host_and_port(parts):
    """Return the host and the port of an address, None where that is the usual one of http or https."""
    return parts.host, None if parts.port == {'http': 80, 'https': 443}.get(parts.scheme) else parts.port


def _readable(entries, read):
    """Return what `read` makes of the entries, without those it cannot read; Failed if it can read none."""
    found = []
    for entry in entries if isinstance(entries, list) else [entries]:
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            found.append(read(entry))
    if entries and not found:
        raise Failed('entries that are not what the API gives')
    return found


def _mal_id(node):
    if type(node['id']) is not int or not 0 < node['id'] <= LARGEST_ID:
        raise ValueError
    return node['id']


def _title(entry):
    """Return the node of a title in a ranking, without fields that are null: they are absent."""
    node = {key: value for key, value in entry['node'].items() if value is not None}
    if not isinstance(node['title'], str) or not _mal_id(node):
        raise ValueError
    return node


def _relation(entry):
    if not isinstance(entry['relation_type'], str) or not _mal_id(entry['node']):
        raise ValueError
    return entry


def _entry(entry):
    """Return the MAL id of a list's entry, and its score and watching status."""
    score, status = entry['list_status']['score'], entry['list_status'].get('status')
    if type(score) is not int or not 0 <= score <= 10:
        raise ValueError
    return _mal_id(entry['node']), (score, status if isinstance(status, str) else '')


def member_list(name, say=print):
    """Fetch one member's list from MyAnimeList, now; return a MemberList whose status is 'ok'.

    Statuses of its entries: watching, completed, on_hold, dropped, plan_to_watch, or '' where there is
    none. The environment gives MAL_CLIENT_ID (else it is asked for) and, for tests, MAL_API_URL.
    RunError if the list is private, the member does not exist, or the API cannot be reached.
    """
    if not username(name):
        raise RunError(f'{name!r} is no username of MyAnimeList: 2 to 16 letters, digits, - and _.')
    name = username(name)
    api = MyAnimeList(address_from('MAL_API_URL', API_URL), client_id(), say=say)
    try:
        found = api.animelist(name)
    except Failed as problem:
        raise RunError(
            f'The list of {name} cannot be fetched from MyAnimeList: {problem}. Try again later.'
        ) from None
    if found.status == 'private':
        raise RunError(f'The list of {name} on MyAnimeList is private: its owner alone can change that.')
    if found.status == 'missing':
        raise RunError(f'MyAnimeList has no member {name}.')
    return found
