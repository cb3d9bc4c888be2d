"""A terminal's screen, captured with its escape sequences, as a page of HTML: in dark colors and in light ones."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.color import ColorType
from rich.style import Style
from rich.text import Text

_DARK = {
    "back": "#161b22", "fore": "#d6dde6", "dim": "#8b96a3", "bold": "#ffffff", "frame": "#30363d",
    "red": "#ff7b72", "green": "#56d364", "yellow": "#e3b341", "blue": "#79b8ff", "magenta": "#d2a8ff",
    "cyan": "#56d4dd", "white": "#d6dde6", "black": "#484f58",
}  # fmt: skip
_LIGHT = {
    "back": "#ffffff", "fore": "#1f2328", "dim": "#646d78", "bold": "#000000", "frame": "#d1d9e0",
    "red": "#b3202a", "green": "#1a7f37", "yellow": "#7d5500", "blue": "#0857b8", "magenta": "#7a3fc9",
    "cyan": "#12707a", "white": "#57606a", "black": "#1f2328",
}  # fmt: skip
THEMES = {"dark": _DARK, "light": _LIGHT}
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_STYLE = """
* {{ margin: 0; padding: 0 }}
html {{ background: {back} }}
body {{ width: {width}px; background: {back}; color: {fore}; border: 1px solid {frame}; border-radius: 8px;
  box-sizing: border-box; padding: 14px 16px; overflow: hidden }}
pre {{ font: 14px/17px "DejaVu Sans Mono", monospace; white-space: pre }}
"""
CELL = 8.43
"""Pixels of a character of DejaVu Sans Mono at 14 px."""


def page(screen: Sequence[str], columns: int, theme: str) -> str:
    """The lines of a screen, with their escape sequences, in the colors of a theme."""
    colors = THEMES[theme]
    lines = "\n".join("".join(_spans(line, colors)) for line in screen)
    style = _STYLE.format(width=width(columns), **colors)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{style}</style>'
    return f"{head}<body><pre>{lines}</pre></body></html>"


def width(columns: int) -> int:
    """Pixels of the page."""
    return round(columns * CELL) + 36


def plain(screen: Iterable[str]) -> list[str]:
    """The same lines without escape sequences."""
    return [Text.from_ansi(line).plain.rstrip() for line in screen]


def _spans(line: str, colors: dict[str, str]) -> Iterable[str]:
    for words, style in _runs(Text.from_ansi(line)):
        css = _css(style, colors)
        text = html.escape(words)
        yield f'<span style="{css}">{text}</span>' if css and cell_len(words) else text


def _runs(text: Text) -> Iterable[tuple[str, Style]]:
    from rich.console import Console

    for segment in text.render(Console(width=500)):
        if segment.text != "\n":
            yield segment.text, segment.style if isinstance(segment.style, Style) else Style()


def _css(style: Style, colors: dict[str, str]) -> str:
    fore = _color(style, colors)
    if style.reverse:
        return f"background: {colors['fore']}; color: {colors['back']}; font-weight: bold"
    said = [f"color: {fore}"] if fore else []
    if style.bold:
        said += ["font-weight: bold"] + ([] if fore else [f"color: {colors['bold']}"])
    if style.dim and not fore:
        said.append(f"color: {colors['dim']}")
    return "; ".join(said)


def _color(style: Style, colors: dict[str, str]) -> str:
    color = style.color
    if color is None or color.type is ColorType.DEFAULT or color.number is None:
        return ""
    return colors[_NAMES[color.number % 8]]
