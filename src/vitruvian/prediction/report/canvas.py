"""How every plot of a report looks, and how it becomes a file or part of a page.

Colours stand in a figure as light-theme values. In a page each becomes a CSS variable of the same meaning, so that one
drawing serves both themes; as a file it keeps them.
"""

from __future__ import annotations

import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BASE",
    "COLOURS",
    "LINE",
    "MAIN",
    "OTHERS",
    "QUIET",
    "TEXT",
    "inline",
    "new_figure",
    "panel",
    "save",
    "svg_of",
]

TEXT: Final = "#15202b"
QUIET: Final = "#51606f"
LINE: Final = "#d5dce3"
SURFACE: Final = "#fefefe"
MAIN: Final = "#1f6a91"
OTHERS: Final = ("#b4501e", "#54479c", "#2b7a4b", "#9a3f74")  # of other models, and again where there are more
BASE: Final = "#6b7784"  # of what a model has to beat
SOFT: Final = "#dcebf3"
COLOURS: Final = {
    TEXT: "text", QUIET: "quiet", LINE: "line", SURFACE: "surface", MAIN: "main", BASE: "base", SOFT: "soft",
    **{colour: f"other-{number}" for number, colour in enumerate(OTHERS, 1)},
}  # fmt: skip
DPI: Final = 110
_STYLE: Final[Any] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9.0, "svg.fonttype": "none",
    "text.color": TEXT, "axes.labelcolor": QUIET, "axes.edgecolor": LINE, "axes.titlesize": 10.0,
    "axes.titleweight": "regular", "axes.labelsize": 9.0, "xtick.color": QUIET, "ytick.color": QUIET,
    "xtick.labelsize": 8.0, "ytick.labelsize": 8.0, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": LINE, "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
    "legend.fontsize": 8.0, "figure.facecolor": SURFACE, "axes.facecolor": SURFACE, "lines.linewidth": 1.4,
}  # fmt: skip
# What the page's own font may need more of than the one the drawing was measured with.
_FONT: Final = re.compile(r"font: ([0-9.]+)px '?DejaVu Sans'?[^;\"]*")


def new_figure(width_inch: float = 6.0, height_inch: float = 4.2) -> Figure:
    """An empty figure in the house style; drawn without a window and without global state."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        return Figure(figsize=(width_inch, height_inch), layout="constrained")


def panel(figure: Figure, place: int | tuple[int, int, int] = 111) -> Axes:
    """Axes in the house style at a place of the figure's grid, as `add_subplot` takes it."""
    from matplotlib import rc_context

    with rc_context(_STYLE):
        axes = figure.add_subplot(place) if isinstance(place, int) else figure.add_subplot(*place)
        axes.tick_params(length=0)
        return axes


def save(figure: Figure, svg: str, folder: Path, name: str) -> tuple[Path, Path]:
    """Write NAME.svg, which is `svg_of` the figure, and NAME.png; the same figure gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    vector, raster = folder / f"{name}.svg", folder / f"{name}.png"
    vector.write_text(svg, "utf-8")
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context(_STYLE):
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    raster.write_bytes(buffer.getvalue())
    return vector, raster


def inline(svg: str, name: str, title: str, description: str) -> str:
    """What `svg_of` gave as an `<svg>` element for a page: named, described, themed, its ids its own."""
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, f"var(--{variable})")
    text = _FONT.sub(r"font-size: \1px", text)
    view = re.search(r'viewBox="([^"]+)"', text)
    assert view is not None, "a drawing has a viewBox"
    head = (
        f'<svg class="plot" viewBox="{view[1]}" role="img" aria-labelledby="{name}-title {name}-text"'
        f' preserveAspectRatio="xMidYMid meet"><title id="{name}-title">{_escaped(title)}</title>'
        f'<desc id="{name}-text">{_escaped(description)}</desc>'
    )
    return re.sub(r"<svg[^>]*>", lambda _: head, text, count=1)


def svg_of(figure: Figure, name: str) -> str:
    """The figure as an SVG file's text; the same figure gives the same text."""
    from matplotlib import rc_context

    out = StringIO()
    empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context(_STYLE | {"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata=empty)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
