"""Name the columns of ratings files and titles files: one table of the names that people give them.

Names are compared without regard to case, spaces, underscores, hyphens and dots, and without the types that
RecBole adds: 'User ID', 'userId' and 'user_id:token' are all user_id.
"""

import functools
import re

# Names of a title's MyAnimeList id, the best first. A file that also has ids of another site, or numbers its
# rows, calls those anime_id or id.
MAL_IDS = (
    *('mal_id', 'id_mal', 'myanimelist_id', 'mal_anime_id', 'anime_mal_id'),
    *('anime_id', 'anime_uid', 'anime', 'animedb_id', 'item_id', 'id', 'uid'),
)

# What a ratings file says of each score -> names of its column, the best first
RATINGS = {
    # uid is a user beside an id of the title, else the title
    'user': ('username', 'user', 'user_id', 'profile', 'member', 'member_id', 'uid'),
    'title': MAL_IDS,
    # In a table merged with titles, the shorter names are those of the title's mean
    'score': (
        *('user_rating', 'rating_user', 'user_score', 'score_user', 'my_score', 'my_rating'),
        *('rating', 'score', 'rating_x', 'score_x', 'rating_y', 'score_y', 'stars', 'overall'),
    ),
}

# What a titles file says of a title -> names of its column, the best first
TITLES = {
    'id': (*MAL_IDS, 'sources', 'url', 'mal_url'),  # addresses
    'title': ('title', 'name', 'title_romaji', 'romaji_title', 'romaji', 'anime_title', 'anime_name'),
    'english': (
        'title_english',
        'english_title',
        'english_name',
        'english',
        'english_titles',
        'alternative_titles_en',
    ),
    'japanese': (
        *('title_japanese', 'japanese_title', 'japanese_name', 'japanese', 'japanese_titles'),
        *('native', 'title_native', 'other_name', 'alternative_titles_ja'),
    ),
    'synonyms': ('title_synonyms', 'synonyms', 'alternative_titles', 'alternative_titles_synonyms'),
    'mean': (
        'mean',
        'mean_score',
        'score',
        'average_score',
        'anime_score',
        'score_arithmetic_mean',
        'rating',
    ),
    'popularity': ('popularity_rank', 'popularity'),
    'members': ('members', 'num_list_users', 'members_count', 'popularity'),
    'genres': ('genres', 'genre'),
    'studios': ('studios', 'studio', 'studios_nodes', 'studios_edges'),
    'media_type': ('media_type', 'type', 'format'),
    'year': (
        *('year', 'start_year', 'season_year', 'release_year', 'premiered', 'season'),
        *('start_season_year', 'start_date_year', 'anime_season_year', 'start_date', 'aired', 'aired_from'),
    ),
    'picture': (
        *('image_url', 'main_picture', 'picture', 'picture_url', 'cover', 'image', 'img_url', 'anime_img'),
        *(
            'main_picture_large',
            'main_picture_medium',
            'cover_image_large',
            'cover_image_medium',
            'thumbnail',
        ),
        *('images_jpg_large_image_url', 'images_jpg_image_url'),
    ),
    'episodes': ('num_episodes', 'episodes', 'eps'),
    'source': ('source', 'source_material'),
    'rating': ('age_rating', 'rating', 'rated'),  # an age such as "R - 17+"; a number there is the mean
}

# What stands in a cell for "nothing", without blanks and in lower case
ABSENT = frozenset(
    (
        *('', '-', '--', '?', '.', 'nan', 'null', 'none', 'nil', 'na', 'n/a', '<na>', '\\n', 'nat'),
        *('unknown', 'undefined', 'not rated', 'unrated', 'not scored', 'no score', 'not yet rated'),
    )
)


@functools.lru_cache(maxsize=10_000)  # every record of JSON has the same names
def normal(name):
    """Return a column's name as names are compared."""
    name = re.sub(r':(token|float)(_seq)?$', '', str(name).strip('\ufeff"\' \t\r\n'), flags=re.I)
    return re.sub(r'[\s_.-]', '', name).lower()


def separator_of(header):
    """Return the character between the columns of a table, of which this is the first line."""
    return max('\t,;|', key=header.count)


def find_columns(names, table):
    """Return which columns of a file may hold each thing in `table`, RATINGS or TITLES.

    names: those of the file's columns. The result is a dict with the keys of `table` and lists of names, the
    best first; of two columns with one name the first counts.
    """
    of_normal = {normal(name): name for name in reversed(list(names))}
    found = {
        what: [of_normal[normal(name)] for name in wanted if normal(name) in of_normal]
        for what, wanted in table.items()
    }
    if table is RATINGS and len(found['user']) > 1:
        found['user'] = [name for name in found['user'] if normal(name) != 'uid']
    if table is RATINGS:
        found['title'] = [name for name in found['title'] if name not in found['user']]
    return found


def describe(chosen, found):
    """Return which columns were read, and which were passed over: "user_id, mal_id (not anime_id), rating".

    chosen: dict with keys of `found`, the result of find_columns(), and the name of the column that was read.
    """
    parts = []
    for what, name in chosen.items():
        others = [other for other in found[what] if other not in chosen.values()]
        parts.append(f'{name} (not {" or ".join(others)})' if others else name)
    return ', '.join(parts)
