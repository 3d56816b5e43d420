"""Read one person's list: an exported file, a user of the lists, or a member of MyAnimeList or AniList."""

import os
import re
import urllib.parse
from typing import NamedTuple

from aniembed import output
from aniembed.files import RunError
from aniembed.inputs import ratings
from aniembed.inputs.exported_list import read_exported_list

MAL, ANILIST = 'mal:', 'anilist:'  # before a member's name
# Address of a profile -> what stands before the name there
PROFILES = {
    MAL: r'(?:https?://)?(?:www\.)?myanimelist\.net/(?:profile|animelist)/([^/?#]+)',
    ANILIST: r'(?:https?://)?(?:www\.)?anilist\.co/user/([^/?#]+)',
}


class Person(NamedTuple):
    """One person's list, and a report of what was read."""

    name: str  # '' if the file does not name it
    scores: dict  # MAL id -> 0 to 10; 0 is "on the list without a score"
    statuses: dict  # MAL id -> watching status in the words of opinions.py, as far as it is known
    is_whole_list: bool  # whether `scores` has the whole list, not only the titles of the map
    report: str  # one line on what was read, or ''


def read_person(who, lists, output_dir, ids):
    """Return the Person that `who` names: a file, mal:NAME, anilist:NAME, a profile's address, or a username.

    lists, output_dir and ids: as for read_listed(). RunError if there is no such list.
    """
    if os.path.isfile(os.path.expanduser(who)):
        return read_exported(os.path.expanduser(who))
    for site, address in PROFILES.items():
        match = re.match(address, who, re.IGNORECASE)
        if match:
            who = site + urllib.parse.unquote(match[1])
    if who.lower().startswith((MAL, ANILIST)):
        return fetch_member(who)
    if '/' in who or '.' in who:
        raise RunError(f'{who}: there is no such file.')
    return read_listed(who, lists, output_dir, ids)


def read_exported(path):
    """Return the Person of an exported list's file; RunError if it is none."""
    exported = read_exported_list(path)
    return Person(exported.user_name, exported.scores, exported.statuses, True, exported.report())


def read_listed(name, pattern, output_dir, ids):
    """Return the Person with a username among the lists; their scores are of the titles `ids` alone.

    pattern: file or pattern of the lists; where it is empty, settings.json in output_dir names them. RunError
    if the lists or the user are not there.
    """
    if pattern:
        paths = ratings.find_files(pattern, '--lists', 'name the file of the lists')
    else:
        path = os.path.join(output_dir, 'settings.json')
        pattern = output.read_settings(output_dir).get('ANIME_DATA_LIST')
        if not isinstance(pattern, str):
            raise RunError(f'{path} does not say where the lists are; --lists does.')
        advice = 'where embeddings.py was run from another folder, --lists names the lists'
        paths = ratings.find_files(pattern, f'ANIME_DATA_LIST of {path}', advice)
    scores = ratings.read_user(paths, ids, name)
    if scores is None:
        raise RunError(
            f'there is no user {name!r} in {pattern}; --lists names another file, and {MAL}{name} or '
            f'{ANILIST}{name} fetches the list of a member of these sites.'
        )
    return Person(name, scores, {}, False, '')


def fetch_member(who):
    """Fetch the list of mal:NAME or anilist:NAME now, and return the Person.

    The environment gives MAL_CLIENT_ID for MyAnimeList. RunError if the list is private, the member does not
    exist, or the site cannot be reached.
    """
    # Imported here: they take longer than all else, and most runs need no network
    from aniembed.sites import anilist_api, mal_api

    site, _, name = who.partition(':')
    found = (anilist_api if f'{site.lower()}:' == ANILIST else mal_api).member_list(name)
    counts = [f'{len(found.entries):,} entries read']
    if found.unknown:
        counts.append(f'{found.unknown:,} passed over: no MyAnimeList id')
    if found.odd:
        counts.append(f'{found.odd:,} passed over: they cannot be read')
    scores = {mal_id: float(score) for mal_id, (score, _) in found.entries.items()}
    statuses = {mal_id: status for mal_id, (_, status) in found.entries.items() if status}
    return Person(name, scores, statuses, True, ', '.join(counts) + '.')
