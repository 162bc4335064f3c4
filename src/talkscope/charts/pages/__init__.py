"""Pages that draw charts by themselves: the MCP App that hosts show, and a file that opens anywhere.

Both hold Vega and all else that they need, ask nothing of the network, and need no `unsafe-eval`: expressions are
interpreted. Both follow the reader's light or dark, and a chart can be walked with the arrow keys and read as a table.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from talkscope.charts.drawing import theme
from talkscope.errors import Json

__all__ = ["MIME_TYPE", "URI", "app", "standalone"]

URI = "ui://talkscope/chart.html"
"""Where hosts find the MCP App."""
MIME_TYPE = "text/html;profile=mcp-app"
"""What the MCP Apps specification calls such a page."""

_SHARED = ("tip.js", "points.js", "figure.js", "look.js")


def app(bundle: str) -> str:
    """The MCP App that draws the spec of a tool's result in the host's light or dark.

    It speaks the view's side of MCP Apps 2026-01-26 over `postMessage`. Content security is the host's to set; the
    strictest policy that the specification lets hosts set is enough.

    Args:
        bundle: Vega, Vega-Lite and Vega-Embed as one script, as `Renderer.bundle` has it.
    """
    return _page("Talkscope chart", _script(bundle, "app.js"), body='<main id="charts"></main>\n')


def standalone(bundle: str, specs: Sequence[Mapping[str, Json]], *, title: str) -> str:
    """A page with these charts that opens from a file, offline, and prints in light colours.

    Args:
        bundle: Vega, Vega-Lite and Vega-Embed as one script, as `Renderer.bundle` has it.
        specs: Vega-Lite specs with their data inside; a `description` is what screen readers say of a chart.
        title: The page's title, shown above the charts when there are several.
    """
    scripts = _script(bundle, "standalone.js")
    allowed = " ".join(f"'sha256-{_digest(each)}'" for each in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    heading = f"<h1>{html.escape(title)}</h1>\n" if len(specs) > 1 else ""
    body = (
        f'<main id="charts">\n{heading}</main>\n'
        "<noscript>A script that this page holds draws its charts, and scripts are turned off.</noscript>\n"
        f'<script type="application/json" id="specs">{_json([dict(each) for each in specs])}</script>\n'
    )
    return _page(title, scripts, body=body, policy=policy)


def _page(title: str, scripts: Sequence[str], *, body: str, policy: str = "") -> str:
    security = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n' if policy else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"{security}"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{_tones()}{_asset('page.css')}</style>\n</head>\n<body>\n{body}"
        f"{''.join(f'<script>{each}</script>{chr(10)}' for each in scripts)}</body>\n</html>\n"
    )


def _script(bundle: str, last: str) -> list[str]:
    """The scripts of a page: Vega, then ours, each with a scope of its own."""
    shades: dict[str, Json] = {"light": theme.config("light"), "dark": theme.config("dark")}
    ours = "\n".join(_asset(each) for each in (*_SHARED, last))
    return [
        _inline(f"(() => {{\n{bundle}\n}})();"),
        _inline(f'(() => {{\n"use strict";\nconst SHADES = {_json(shades)};\n{ours}}})();'),
    ]


def _tones() -> str:
    """The page's colours, which are the charts' own: as the script sets them, before that as the reader likes them."""
    shades: dict[theme.Shade, str] = {shade: _tone(theme.config(shade)) for shade in ("light", "dark")}
    return (
        f":root {{ {shades['light']} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {shades['dark']} }} }}\n"
        f":root[data-shade=light] {{ {shades['light']} }}\n"
        f":root[data-shade=dark] {{ {shades['dark']} }}\n"
        f"@media print {{ :root, :root[data-shade] {{ {shades['light']} color-scheme: light; }} }}\n"
    )


def _tone(config: dict[str, Json]) -> str:
    title, axis, rule = (_part(config, name) for name in ("title", "axis", "rule"))
    tones = {
        "page": config["background"],
        "text": title["color"],
        "quiet": title["subtitleColor"],
        "line": rule["color"],
        "grid": axis["gridColor"],
        "typeface": config["font"],
        "accent": theme.STATUS["ok"],
        "alarm": theme.STATUS["error"],
    }
    return " ".join(f"--{name}: {value};" for name, value in tones.items())


def _part(config: dict[str, Json], name: str) -> dict[str, Json]:
    part = config[name]
    assert isinstance(part, dict)
    return part


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text("utf-8")


def _inline(script: str) -> str:
    """A script that HTML reads to its end: what would close or hide it stands in texts only, which can spell `<`."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3c", script, flags=re.IGNORECASE)


def _json(value: Json) -> str:
    """JSON in which no text can end the element that holds it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
