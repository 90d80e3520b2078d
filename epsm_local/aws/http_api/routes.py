"""Which stage and route of an HTTP API a request takes.

AWS documents it as "Create routes for HTTP APIs": a full match, then a greedy variable, then `$default`. What it does
not document is decided here: the path counts before the method, so `ANY /a` comes before `GET /{b}`.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_VARIABLE = re.compile(r"\{(?P<name>[^+}]+)(?P<greedy>\+?)\}")
_LITERAL, _SINGLE, _GREEDY = range(3)


@dataclass(frozen=True, slots=True)
class Match:
    """A route that takes a request.

    Attributes:
        route_key: `GET /studies/{id}`, `ANY /{proxy+}` or `$default`.
        parameters: What the variables of its path stand for.
    """

    route_key: str
    parameters: dict[str, str]


def find_stage(stages: Collection[str], path: str) -> tuple[str, str] | None:
    """The stage of a path and the rest of the path, which is what routes are matched with; None if there is none."""
    first, _, rest = path.removeprefix("/").partition("/")
    if first in stages:
        return first, f"/{rest}"
    return ("$default", path) if "$default" in stages else None


def find_route(route_keys: Iterable[str], method: str, path: str) -> Match | None:
    """The route that fits a request best, None if none does.

    Args:
        route_keys: Of all routes of the API.
        method: In upper case.
        path: Decoded, without the stage.
    """
    found: list[tuple[tuple[int, ...], bool, Match]] = []
    for key in route_keys:
        if key == "$default":
            found.append(((_GREEDY + 1,), True, Match(key, {})))
            continue
        wanted, _, template = key.partition(" ")
        fit = _fit(template.split("/")[1:], path.split("/")[1:]) if wanted in (method, "ANY") else None
        if fit is not None:
            kinds, parameters = fit
            # Everything without a greedy variable comes first; then what is fixed for longer.
            found.append(((kinds[-1] == _GREEDY, *kinds), wanted == "ANY", Match(key, parameters)))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _fit(template: list[str], path: list[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """What each segment of a template is, and the values of its variables; None if the path does not fit."""
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
            # Not even a greedy variable stands for nothing: `/` needs a route of its own.
            return (tuple(kinds), parameters) if any(rest) else None
        else:
            kinds.append(_SINGLE)
            parameters[variable["name"]] = rest[0]
            if not rest[0]:
                return None
    return (tuple(kinds), parameters) if len(path) == len(template) else None
