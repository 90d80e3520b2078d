"""Matching requests to stages and routes of an HTTP API.

AWS documents it as "Create routes for HTTP APIs": a full match, then a greedy variable, then `$default`. The
undocumented case is decided here: the path takes precedence over the method, so `ANY /a` is matched before `GET /{b}`.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_VARIABLE = re.compile(r"\{(?P<name>[^+}]+)(?P<greedy>\+?)\}")
_LITERAL, _SINGLE, _GREEDY = range(3)


@dataclass(frozen=True, slots=True)
class Match:
    """A route that matches a request.

    Attributes:
        route_key: `GET /studies/{id}`, `ANY /{proxy+}` or `$default`.
        parameters: Values of its path variables.
    """

    route_key: str
    parameters: dict[str, str]


def find_stage(stages: Collection[str], path: str) -> tuple[str, str] | None:
    """The stage of a path and the remaining path, which is matched with routes; None if no stage matches."""
    first, _, rest = path.removeprefix("/").partition("/")
    if first in stages:
        return first, f"/{rest}"
    return ("$default", path) if "$default" in stages else None


def find_route(route_keys: Iterable[str], method: str, path: str) -> Match | None:
    """The best matching route of a request; None if no route matches.

    Args:
        route_keys: Keys of all routes of the API.
        method: Method in upper case.
        path: Decoded path without the stage.
    """
    candidates: list[tuple[tuple[int, ...], bool, Match]] = []
    for key in route_keys:
        if key == "$default":
            candidates.append(((_GREEDY + 1,), True, Match(key, {})))
            continue
        route_method, _, template = key.partition(" ")
        fit = _fit(template.split("/")[1:], path.split("/")[1:]) if route_method in (method, "ANY") else None
        if fit is not None:
            kinds, parameters = fit
            # Templates without a greedy variable come first, then those with the longer fixed prefix.
            candidates.append(((kinds[-1] == _GREEDY, *kinds), route_method == "ANY", Match(key, parameters)))
    return min(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None


def _fit(template: list[str], path: list[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """The kind of each segment of a template, and the values of its variables; None if the path does not match."""
    kinds: list[int] = []
    parameters: dict[str, str] = {}
    for position, segment in enumerate(template):
        rest = path[position:]
        if not rest:
            return None
        variable = _VARIABLE.fullmatch(segment)
        if variable is None:
            kinds.append(_LITERAL)
            if segment != rest[0]:
                return None
        elif variable["greedy"]:
            kinds.append(_GREEDY)
            parameters[variable["name"]] = "/".join(rest)
            # A greedy variable does not match an empty path: `/` needs its own route.
            return (tuple(kinds), parameters) if any(rest) else None
        else:
            kinds.append(_SINGLE)
            parameters[variable["name"]] = rest[0]
            if not rest[0]:
                return None
    return (tuple(kinds), parameters) if len(path) == len(template) else None
