"""What every page has: template, style, scripts, and the policy that allows no others."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent


def render(template: Path, **values: Any) -> str:
    """Fill the template of a page, which may use those here, and which escapes everything."""
    # autoescape in so many words: select_autoescape() would miss the names *.html.j2
    environment = Environment(
        loader=FileSystemLoader([template.parent, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = {name: _ours(f"{name}.js") for name in ("theme", "page")}
    head = {"scripts": scripts, "policy": _policy(scripts), "style": _ours("style.css")}
    return environment.get_template(template.name).render(**head, **values)


def _ours(name: str) -> Markup:
    return Markup((_HERE / name).read_text(encoding="utf-8"))


def _policy(scripts: dict[str, Markup]) -> str:
    """Return the Content-Security-Policy: these scripts by their hashes, nothing from anywhere."""
    digests = [hashlib.sha256(text.encode()).digest() for text in scripts.values()]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
