"""Fetch a member's list from AniList's public GraphQL API, which needs no key."""

from aniembed.files import RunError, one_line
from aniembed.sites.client import Client, Failed, MemberList, Refused, address_from

API_URL = 'https://graphql.anilist.co'
DELAY = 0.7  # seconds between two calls: 90 a minute; when AniList allows fewer, it answers 429
QUERY = """
query ($name: String) {
  MediaListCollection(userName: $name, type: ANIME) {
    lists { entries { status score(format: POINT_10_DECIMAL) media { id idMal } } }
  }
}
"""
# The watching statuses of AniList in MyAnimeList's words; who watches something again has completed it
STATUSES = {
    'CURRENT': 'watching',
    'PLANNING': 'plan_to_watch',
    'COMPLETED': 'completed',
    'DROPPED': 'dropped',
    'PAUSED': 'on_hold',
    'REPEATING': 'completed',
}


class AniList(Client):
    """Call AniList's API; the arguments are those of Client."""

    site = 'AniList'

    def check_refusal(self, status, body):
        """Raise Refused with AniList's own words for a user who is unknown or private, or a wrong call."""
        if status in (400, 404) and body.get('errors'):
            try:
                message = one_line(body['errors'][0]['message'], 100)
            except (KeyError, TypeError, IndexError):
                message = 'no reason given'
            raise Refused(status, message)

    def animelist(self, name):
        """Fetch a user's list; return a MemberList. Raises Refused (404) for an unknown or private user."""
        body = self.call(
            self.url, {'data': dict}, method='POST', json={'query': QUERY, 'variables': {'name': name}}
        )
        entries, unknown, odd = {}, set(), 0
        try:
            lists = body['data']['MediaListCollection']['lists']
            shown = [entry for one in lists for entry in one['entries']]
        except (KeyError, TypeError):
            raise Failed('an answer that is not what the API gives') from None
        # A title that is on custom lists, too, comes several times.
        for entry in shown:
            try:
                score, status = entry['score'] or 0, STATUSES.get(entry['status'], '')
                anilist_id, mal_id = entry['media']['id'], entry['media']['idMal']
                if type(score) not in (int, float) or not 0 <= score <= 10:
                    raise ValueError
                if mal_id is None:
                    unknown.add(anilist_id)
                elif type(mal_id) is int and mal_id > 0:
                    entries[mal_id] = score, status
                else:
                    raise ValueError
            except (KeyError, TypeError, ValueError):
                odd += 1
        return MemberList('ok', entries, odd, len(unknown))


def member_list(name, say=print):
    """Fetch a user's list from AniList, now; return a MemberList whose status is 'ok'.

    Scores are from 0 (none) to 10 and may have a decimal; statuses are those of mal_api.member_list(). The
    environment gives, for tests, ANILIST_URL. RunError if the list is private, the user does not exist, or
    the API cannot be reached.
    """
    client = AniList(address_from('ANILIST_URL', API_URL), {'User-Agent': 'AniEmbed'}, DELAY, say=say)
    try:
        return client.animelist(name)
    except Failed as problem:
        raise RunError(
            f'The list of {name} cannot be fetched from AniList: {problem}. Try again later.'
        ) from None
    except Refused as problem:
        if problem.status == 404 and 'private' in str(problem).lower():
            raise RunError(
                f'The list of {name} on AniList is private: its owner alone can change that.'
            ) from None
        if problem.status == 404:
            raise RunError(f'AniList has no user {name}, or does not show them ({problem}).') from None
        raise RunError(f'AniList refuses the call for {name}: {problem}.') from None
