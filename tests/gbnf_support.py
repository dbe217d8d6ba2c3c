"""A small interpreter of GBNF, the notation of llama.cpp's grammars: it writes sentences that a grammar allows."""

from __future__ import annotations

import re
from random import Random

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[a-z][a-z0-9-]*|[()|]')


def written(grammar: str, random: Random) -> str:
    """One of the grammar's sentences. Raises AssertionError for a grammar that cannot be read."""
    rules = {}
    for line in filter(None, grammar.split("\n")):
        name, mark, body = line.partition(" ::= ")
        assert mark, line
        assert name not in rules, name
        assert not _TOKEN.sub("", body).strip(), body
        rules[name] = _TOKEN.findall(body)
    return _choose(rules["root"], rules, random)


def _choose(tokens: list[str], rules: dict[str, list[str]], random: Random) -> str:
    """One of the alternatives that stand side by side."""
    depth, ways = 0, [[]]
    for token in tokens:
        depth += (token == "(") - (token == ")")
        assert depth >= 0
        if token == "|" and depth == 0:
            ways.append([])
        else:
            ways[-1].append(token)
    assert depth == 0
    return _in_turn(random.choice(ways), rules, random)


def _in_turn(tokens: list[str], rules: dict[str, list[str]], random: Random) -> str:
    text, at = "", 0
    while at < len(tokens):
        token = tokens[at]
        if token == "(":
            end, depth = at + 1, 1
            while depth:
                depth += (tokens[end] == "(") - (tokens[end] == ")")
                end += 1
            text += _choose(tokens[at + 1 : end - 1], rules, random)
            at = end
            continue
        text += token[1:-1] if token[0] == '"' else _choose(rules[token], rules, random)
        at += 1
    return text
