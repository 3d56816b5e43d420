"""Check a script's globals, and set them from NAME=value arguments for one run."""

import difflib
import math
import os

from aniembed.files import UsageError


class Rule:
    """What a global may be.

    `read` returns its value, or raises ValueError if it is wrong; `words` says what is right.
    """

    def __init__(self, read, words):
        self.read, self.words = read, words


def number(low, high=math.inf):
    """Return the rule for a number from low to high."""

    def read(value):
        result = float(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else value
        if not isinstance(result, float) or not low <= result <= high or math.isinf(result):
            raise ValueError
        return result

    return Rule(read, f'a number {_range(low, high)}')


def whole(low, high=math.inf):
    """Return the rule for a whole number from low to high."""

    def read(value):
        result = int(value) if isinstance(value, str) else value
        if not isinstance(result, int) or isinstance(result, bool) or not low <= result <= high:
            raise ValueError
        return result

    return Rule(read, f'a whole number {_range(low, high)}')


def _range(low, high):
    return f'of {low} or more' if high == math.inf else f'from {low} to {high}'


def choice(*values):
    """Return the rule for one of a few values."""

    def read(value):
        for choice in values:
            if str(choice) == str(value):
                return choice
        raise ValueError

    return Rule(read, ' or '.join(map(repr, values)))


def path(may_be_empty=False):
    """Return the rule for the name of a file or folder; `~` becomes the home folder."""

    def read(value):
        if not isinstance(value, str) or not (value or may_be_empty):
            raise ValueError
        return os.path.expanduser(value)

    return Rule(read, 'the name of a file or folder, in quotes' + (" ('' for none)" if may_be_empty else ''))


def check(namespace, rules):
    """Check the globals that have a rule and bring them to its type; UsageError names the one that is wrong.

    namespace: a script's or notebook's globals(), changed in place; rules: dict name -> Rule.
    """
    for name, rule in rules.items():
        try:
            namespace[name] = rule.read(namespace[name])
        except ValueError:
            raise UsageError(f'{name} is {namespace[name]!r}; it must be {rule.words}.') from None


def apply(arguments, *scripts):
    """Set globals from NAME=value arguments, print them, and check every global.

    scripts: pairs (namespace, rules) as for check(); a name that several have is set in all of them.
    """
    names = list(dict.fromkeys(name for _, rules in scripts for name in rules))
    for argument in arguments:
        name, equals, value = argument.partition('=')
        if name not in names or not equals:
            close = difflib.get_close_matches(name.upper(), names, 1)
            hint = f'did you mean {close[0]}=...?' if close else 'the globals are ' + ', '.join(names)
            raise UsageError(f'{argument!r} is not NAME=value with the name of a global: {hint}')
        for namespace, rules in scripts:
            if name in rules:
                namespace[name] = value
        print(f'{name} = {value!r}')
    for namespace, rules in scripts:
        check(namespace, rules)
