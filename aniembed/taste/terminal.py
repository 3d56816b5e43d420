"""Print recommend.py's tables in a terminal of 40 columns or more, with colour where that is wanted."""

import os
import shutil
import sys
import unicodedata

NARROWEST, WIDEST = 40, 200  # columns
WITH_TYPE, WITH_ID, WITH_REASONS = 60, 70, 120  # columns from where these stand beside the title
LEAST_SHARE = 0.001  # of what speaks for a title, below which --explain counts titles instead of naming them
BOLD, DIM = '\033[1m', '\033[2m'


def columns():
    """Return the width of the terminal; WIDEST if the output goes elsewhere."""
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size((WIDEST, 0)).columns))


def styled(text, style):
    """Return a text in a style, if the output is a terminal and NO_COLOR is not set."""
    plain = not sys.stdout.isatty() or os.environ.get('NO_COLOR') or os.environ.get('TERM') == 'dumb'
    return text if plain or not text else f'{style}{text}\033[0m'


def width(text):
    """Return how many columns a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text
    )


def cut(text, room):
    """Return a text in at most `room` columns: a long one loses its middle, as sequels differ at the end."""
    if width(text) <= room:
        return text
    end = ''
    for word in reversed(text.split(' ')):
        if width(f' {word}{end}') > room // 3:
            break
        end = f' {word}{end}'
    start = ''
    for letter in text:
        if width(start + letter) > room - 1 - width(end):
            break
        start += letter
    return start.rstrip() + '…' + end


def pad(text, room, right=False):
    """Return a text cut and filled with blanks to `room` columns."""
    text = cut(text, room)
    blanks = ' ' * (room - width(text))
    return blanks + text if right else text + blanks


def show(table, anime, names, people):
    """Print a recommendation_table or similar_table, its lines cut to the width of the terminal.

    anime: the title_table; names: Series MAL id -> the title that is shown; people: the names of those who
    are recommended to.
    """
    room = columns()
    facts = [('year', ['' if year is None else f'{year}' for year in table['year']])]
    if people:
        longest = 9 if room >= WITH_TYPE else 5
        heads = ['score'] if len(people) == 1 else [cut(name, longest) for name in people]
        facts += zip(heads, zip(*([_score(score) for score in row] for row in table['predicted'])))
    else:
        facts += [('similar', table['similarity'].map('{:.2f}'.format))]
    facts += [('type', table['type'].fillna(''))] * (room >= WITH_TYPE)
    facts += [('MAL id', table['mal_id'].map(str))] * (room >= WITH_ID)
    facts = [(head, texts, max(map(width, [head, *texts]))) for head, texts in facts]
    titles = [names[row.mal_id] for row in table.itertuples()]
    tags = [''.join(f' [{tag}]' for tag in row.tags) for row in table.itertuples()]
    reasons = [_reasons(row, anime, names, people) for row in table.itertuples()]
    rest = room - 4 - sum(2 + longest for *_, longest in facts)
    is_wide = room >= WITH_REASONS and any(reasons)
    title_room = min(
        max(map(width, map(str.__add__, titles, tags))), rest - WITH_REASONS // 4 if is_wide else rest
    )

    def line(rank, title, cells, reason):
        cells = '  '.join(pad(cell, longest, right=True) for cell, (*_, longest) in zip(cells, facts))
        reason = '  ' + reason if is_wide else ''
        return f'{rank:>3} {title}  {cells}', reason

    print(styled(''.join(line('', pad('title', title_room), [fact[0] for fact in facts], 'because of')), DIM))
    for index, (title, tag) in enumerate(zip(titles, tags)):
        title = pad(cut(title, title_room - len(tag)) + tag, title_room)
        cells = [texts[index] for _, texts, _ in facts]
        reason = _joined(reasons[index], rest - title_room - 2 if is_wide else room - 15)
        start, beside = line(index + 1, styled(title, BOLD), cells, reason)
        print(start + styled(beside, DIM))
        if reason and not is_wide:
            print(styled(f'    because of {reason}', DIM))
    if people and any('new' in row.tags for row in table.itertuples()):
        print('new: nobody has scored it yet, so its score is a rough guess (?: nothing is known of it).')


def _score(score):
    return '?' if score is None else f'{score:.1f}'


def _reasons(row, anime, names, people):
    """Return a row's reasons as texts: one person's, or the strongest of each person's."""
    if len(people) == 1:
        return [names[mal_id] + _link(row, mal_id, anime) for mal_id in row.because[0]]
    reasons = [(ids[0], who) for ids, who in zip(row.because, people) if ids] if people else []
    return [f'{names[mal_id]} ({who})' for mal_id, who in reasons]


def _link(row, reason, anime):
    """Return what joins a title without scores to a reason: ' (continues it; same studio)'."""
    if 'new' not in row.tags:
        return ''
    links = {
        'continues it': reason in (anime.at[row.mal_id, 'prequels'] or ()),
        'same studio': set(anime.at[row.mal_id, 'studios']) & set(anime.at[reason, 'studios']),
    }
    text = '; '.join(link for link, has in links.items() if has)
    return f' ({text})' if text else ''


def _joined(reasons, room):
    """Return as many reasons as there is room for, the first one cut if need be."""
    text = cut(reasons[0], room) if reasons else ''
    for reason in reasons[1:]:
        if width(f'{text}; {reason}') <= room:
            text = f'{text}; {reason}'
    return text


def show_explanation(table, name, who=''):
    """Print a title's predicted score, all that speaks for the title, and all that speaks against it."""
    room, whose = columns(), f' for {who}' if who else ''
    print(f'Predicted score of {name}{whose}: {table.attrs["predicted"]:.1f}')
    for side, rows in (('for', table[table.share > 0]), ('against', table[table.share < 0][::-1])):
        if not len(rows):
            print(f'Nothing on the list speaks {side} {name}.')
            continue
        print(f'What speaks {side} {name}:')
        named = rows[rows.share.abs() >= LEAST_SHARE]
        for row in named.itertuples():
            entry = f' (score {row.score:g})' if row.score else f' ({row.status})'
            print(f'{abs(row.share):7.1%}  {cut(row.title, room - 9 - len(entry))}{entry}')
        if len(named) < len(rows):
            print(f'         and {len(rows) - len(named):,} with less than {LEAST_SHARE:.1%} each')
