"""The pictures of the notebooks: small SVG, as in the report, so that no plotting library is needed.

In a notebook of your own, use whichever you like: `epsm` returns pandas frames.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

BLUE, RED, GREY = "#3a7ca5", "#c8553d", "#b8c0c6"
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _BOTTOM, _TOP = 520, 300, 70, 25, 45, 30


@dataclass(frozen=True)
class Chart:
    """A picture that notebooks show."""

    svg: str
    title: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<chart: {self.title}>"


def scatter(
    x: Sequence[float],
    y: Sequence[float],
    *,
    title: str,
    x_label: str,
    y_label: str,
    chosen: Sequence[bool] | None = None,
) -> Chart:
    """Points in a plane; the chosen ones are red and joined, from left to right."""
    marked = list(chosen) if chosen is not None else [False] * len(x)
    x_ticks, y_ticks = _ticks(x), _ticks(y)
    (x_low, x_high), (y_low, y_high) = (x_ticks[0], x_ticks[-1]), (y_ticks[0], y_ticks[-1])

    def place(a: float, b: float) -> tuple[float, float]:
        across = _LEFT + (a - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)
        return across, _HEIGHT - _BOTTOM - (b - y_low) / (y_high - y_low) * (_HEIGHT - _BOTTOM - _TOP)

    parts = []
    for tick in y_ticks:
        up = place(x_low, tick)[1]
        parts.append(f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{up:.1f}' y2='{up:.1f}' stroke='#e3e7ea'/>")
        parts.append(f"<text x='{_LEFT - 6}' y='{up + 4:.1f}' text-anchor='end'>{_label(tick, y_ticks)}</text>")
    for tick in x_ticks:
        across = place(tick, y_low)[0]
        label = _label(tick, x_ticks)
        parts.append(f"<text x='{across:.1f}' y='{_HEIGHT - _BOTTOM + 16}' text-anchor='middle'>{label}</text>")
    line = sorted((a, b) for a, b, mark in zip(x, y, marked, strict=True) if mark)
    if line:
        points = " ".join(f"{across:.1f},{up:.1f}" for across, up in (place(a, b) for a, b in line))
        parts.append(f"<polyline points='{points}' fill='none' stroke='{RED}'/>")
    for a, b, mark in zip(x, y, marked, strict=True):
        across, up = place(a, b)
        parts.append(f"<circle cx='{across:.1f}' cy='{up:.1f}' r='4' fill='{RED if mark else BLUE}'/>")
    parts.append(f"<text x='{_WIDTH / 2}' y='{_HEIGHT - 8}' text-anchor='middle'>{escape(x_label)}</text>")
    middle = _HEIGHT / 2
    parts.append(
        f"<text x='14' y='{middle}' text-anchor='middle' transform='rotate(-90 14 {middle})'>{escape(y_label)}</text>"
    )
    return Chart(_svg(parts, title, _HEIGHT), title)


def bars(
    names: Sequence[str], values: Sequence[float], low: Sequence[float], high: Sequence[float], *, title: str
) -> Chart:
    """Bars from zero, with intervals."""
    left, step = 170, 34
    least, most = min(0.0, *low), max(0.0, *high)
    scale = (_WIDTH - left - 60) / (most - least)

    def at(value: float) -> float:
        return left + (value - least) * scale

    parts = []
    for number, (name, value, start, end) in enumerate(zip(names, values, low, high, strict=True)):
        top = _TOP + 10 + number * step
        first, last = sorted((at(0), at(value)))
        parts.append(f"<text x='{left - 8}' y='{top + 14}' text-anchor='end'>{escape(name)}</text>")
        colour = RED if value > 0 else BLUE
        parts.append(f"<rect x='{first:.1f}' y='{top}' width='{last - first:.1f}' height='20' fill='{colour}'/>")
        parts.append(f"<path d='M{at(start):.1f} {top + 10}H{at(end):.1f}' stroke='#1d2429'/>")
        parts.append(f"<text x='{max(at(end), last) + 6:.1f}' y='{top + 14}'>{value:.2f}</text>")
    height = _TOP + 20 + len(names) * step
    parts.append(f"<path d='M{at(0):.1f} {_TOP + 4}V{height - 6}' stroke='#55606a'/>")
    return Chart(_svg(parts, title, height), title)


def _svg(parts: Sequence[str], title: str, height: int) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{height}' "
        f"viewBox='0 0 {_WIDTH} {height}' font-size='12' font-family='system-ui,sans-serif' role='img'>"
        f"<rect width='{_WIDTH}' height='{height}' fill='#ffffff'/>"
        f"<text x='{_LEFT}' y='18' font-weight='600'>{escape(title)}</text>{''.join(parts)}</svg>"
    )


def _ticks(values: Sequence[float]) -> list[float]:
    """Four to nine round numbers that enclose the values."""
    least, most = min(values), max(values)
    unit = 10 ** math.floor(math.log10((most - least) / 3 or 1.0))
    step = next(unit * times for times in (1, 2, 5, 10) if (most - least) / (unit * times) <= 6)
    first, last = math.floor(least / step), math.ceil(most / step)
    return [number * step for number in range(first, last + 1)]


def _label(tick: float, ticks: Sequence[float]) -> str:
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return f"{tick:,.{digits}f}"
