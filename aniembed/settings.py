"""Read the settings of a script or notebook: the globals in its head, or NAME=value for one run."""

import difflib
import math
import os
import urllib.parse
from typing import Callable, NamedTuple

from aniembed.files import UsageError


class Rule(NamedTuple):
    """What the value of a setting may be."""

    read: Callable  # value or text -> value; ValueError if it is wrong
    description: str  # of the right values, for messages


class Setting(NamedTuple):
    """The value of a setting in the head of a script, and its rule."""

    value: object
    rule: Rule


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


def several(*values):
    """Return the rule for some of a few texts, with commas between them; they become a list."""

    def read(value):
        names = value if isinstance(value, list) else str(value).split(',')
        names = [name.strip() for name in names if name.strip()]
        if not set(names) <= set(values):
            raise ValueError
        return names

    return Rule(read, f'some of {", ".join(values)}, with commas between')


def path(may_be_empty=False, endings=('',)):
    """Return the rule for the name of a file or folder with one of some endings; `~` is the home folder."""

    def read(value):
        if not isinstance(value, str) or not (value or may_be_empty) or not value.endswith(endings):
            raise ValueError
        return os.path.expanduser(value)

    description = 'the name of a file or folder, in quotes' + (" ('' for none)" if may_be_empty else '')
    return Rule(read, description + (f', that ends in {", ".join(endings)}' if any(endings) else ''))


def address():
    """Return the rule for a web address."""

    def read(value):
        parts = urllib.parse.urlsplit(value if isinstance(value, str) else '')
        if parts.scheme not in ('http', 'https') or not parts.hostname or parts.port == 0:
            raise ValueError
        return value.rstrip('/')

    return Rule(read, 'an address with http:// or https://')


def head(namespace, **rules):
    """Return the settings in the head of a script as a dict name -> Setting.

    namespace: the script's globals(); rules: name=Rule for each setting.
    """
    return {name: Setting(namespace[name], rule) for name, rule in rules.items()}


def read(arguments, head):
    """Return the value of each setting, checked, as a dict: from NAME=value arguments, else from the head.

    The values of the arguments are printed. UsageError names what is wrong.
    """
    given = {}
    for argument in arguments:
        name, equals, value = argument.partition('=')
        if name not in head:
            close = difflib.get_close_matches(name.upper(), head, 1)
            hint = f'did you mean {close[0]}?' if close else f'the settings are {", ".join(head)}.'
            raise UsageError(f'unknown setting {name!r}; {hint}')
        if not equals:
            raise UsageError(f'the setting {name} has no value; write {name}=value.')
        given[name] = value
    values = {}
    for name, (default, rule) in head.items():
        value = given.get(name, default)
        try:
            values[name] = rule.read(value)
        except ValueError:
            raise UsageError(f'{name} is {value!r}; it must be {rule.description}.') from None
    for name in given:
        print(f'{name} = {values[name]!r}')
    return values


def check(namespace, rules):
    """Check the settings of a notebook, and bring them to their types; UsageError names a wrong one.

    namespace: the notebook's globals(), changed in place; rules: dict name -> Rule.
    """
    namespace.update(read((), head(namespace, **rules)))
