"""Read one member's list as MyAnimeList exports it, or as other sites' exporters write it in that form."""

from typing import NamedTuple

import defusedxml
import defusedxml.ElementTree

from aniembed import files

MAX_BYTES = 64 << 20  # of the unpacked file; the longest real lists take some 10 MB

# What `my_status` says -> the names that the code uses. Some exporters write MyAnimeList's numbers.
STATUSES = {
    **{'watching': 'watching', 'completed': 'completed', 'on-hold': 'on-hold', 'dropped': 'dropped'},
    **{'plan to watch': 'planned', '1': 'watching', '2': 'completed', '3': 'on-hold', '4': 'dropped'},
    '6': 'planned',
}


class ExportedList(NamedTuple):
    """One member's list.

    user_name: '' if the file does not say; scores: MAL id -> 0-10, 0 for "on the list without a score";
    statuses: MAL id -> 'watching', 'completed', 'on-hold', 'dropped' or 'planned', where the file says so.
    """

    user_name: str
    scores: dict
    statuses: dict


def read_exported_list(path):
    """Return the ExportedList in an .xml file, plain or packed; RunError if it is no such list."""
    try:
        with open(path, 'rb') as stored:
            content = files.unpacked(stored).read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise files.RunError(
                f'{path} is larger than {MAX_BYTES >> 20} MB, so it is not an exported list.'
            )
        root = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except files.PACKING_ERRORS as error:
        raise files.RunError(f'{path} cannot be read: {getattr(error, "strerror", None) or error}.') from None
    except defusedxml.DefusedXmlException:
        raise files.RunError(f'{path} has a DTD, which no exported list has. It was refused.') from None
    except (ValueError, defusedxml.ElementTree.ParseError) as error:
        raise files.RunError(f'{path} is not an anime list exported from MyAnimeList: {error}.') from None
    scores, statuses = {}, {}
    for entry in root.iter('anime'):
        mal_id, score = entry.findtext('series_animedb_id', ''), entry.findtext('my_score', '').strip() or '0'
        status = STATUSES.get(entry.findtext('my_status', '').strip().lower())
        if not mal_id.strip().isdecimal() or score not in map(str, range(11)):
            raise files.RunError(
                f'{path} has an entry with the id {mal_id!r:.40} and the score {score!r:.40}.'
            )
        scores[int(mal_id)] = float(score)
        if status:
            statuses[int(mal_id)] = status
    if not scores:
        raise files.RunError(f'{path} holds no anime, so it is not an exported anime list.')
    return ExportedList((root.findtext('myinfo/user_name') or '').strip(), scores, statuses)
