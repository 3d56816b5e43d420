"""Write the same titles as people and sites do: columns, scales, separators, encodings, forms of JSON."""

import csv
import io
import json
import random

TITLES = {  # MAL id -> title, mean, year, genres, members
    16498: ('Shingeki no Kyojin', 8.56, 2013, ['Action', 'Drama'], 3_900_000),
    1535: ('Death Note', 8.62, 2006, ['Supernatural', 'Suspense'], 3_800_000),
    41457: ('86, Part "2"', None, 2021, ['Sci-Fi'], 612_345),
    12189: ("Hyouka; l'été | 氷菓", 8.06, 2012, ['Mystery', 'Slice of Life'], 999_999),
    **{k: (f'Title {k}', 6 + k / 10, 2000 + k, ['Comedy'], 1000 * k) for k in range(1, 13)},
}
IDS = ['mal_id', 'MAL_ID', 'idMal', 'malId', 'myanimelist_id', 'anime_id', 'anime id', 'id']
OTHER_IDS = ['anime_id', 'id', 'uid']  # ids of another site, beside one of the first five of IDS
NAMES = ['title', 'Name', 'anime_title']
MEANS = ['mean', 'score', 'Score', 'rating', 'averageScore', 'mean_score']
NOTHING = ['', 'Unknown', 'UNKNOWN', 'nan', '0', '0.0', 'N/A', 'None']
SCALES = [1, 1, 1, 10, 0.5]  # 1-10, 0-100, 1-5


def dressed(seed):
    """Return the bytes of a file with TITLES, and its ending."""
    source = random.Random(seed)
    chosen = source.choice(IDS)
    form = source.choice(('csv', 'csv', 'json', 'jsonl', 'by id', 'page', 'by number'))
    names = {'id': chosen, 'title': source.choice(NAMES), 'mean': source.choice(MEANS)}
    scale, joint = source.choice(SCALES), source.choice(('list', 'json', '|', ';', ', '))
    other = source.choice(OTHER_IDS) if IDS.index(chosen) < 5 and source.random() < 0.5 else ''
    people, nothing = source.choice(('members', 'popularity', 'rank')), source.choice(NOTHING)
    grouped, rows = source.random() < 0.5, []
    order = sorted(TITLES, key=lambda mal_id: -TITLES[mal_id][4])
    for mal_id, (title, mean, year, genres, members) in TITLES.items():
        row = {other: source.choice(list(TITLES))} if other else {}
        row[names['id']] = source.choice((mal_id, float(mal_id), str(mal_id))) if form == 'csv' else mal_id
        row[names['title']] = title
        row[names['mean']] = nothing if mean is None else round(mean * scale, 4)
        row['genres'] = {'list': str(genres), 'json': json.dumps(genres)}.get(joint, joint.join(genres))
        row['aired'] = f'Apr 7, {year} to ?'
        row['Type'] = 'TV'
        if people == 'rank':
            row['popularity'] = order.index(mal_id) + 1
        else:
            row[people] = f'{members:,}' if grouped else members
        rows.append(dict(source.sample(list(row.items()), len(row))) if form == 'json' else row)
    if form == 'csv':
        text = io.StringIO()
        style = {
            'delimiter': source.choice(',;\t|'),
            'quoting': source.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
        }
        style['lineterminator'] = source.choice(('\n', '\r\n'))
        writer = csv.DictWriter(text, rows[0], **style)
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode(source.choice(('utf-8', 'utf-8-sig', 'utf-16')))
    if form == 'jsonl':
        return '\n'.join(map(json.dumps, rows)).encode()
    content = {
        'json': rows,
        'page': {'pagination': {'items': {'count': 16}}, 'data': rows},
        'by id': {str(mal_id): row for mal_id, row in zip(TITLES, rows)},
        'by number': {str(number): row for number, row in enumerate(rows)},
    }[form]
    return json.dumps(content, ensure_ascii=source.random() < 0.5).encode()
