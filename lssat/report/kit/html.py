"""What every page has: template, style, scripts, and the policy that allows no others."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

_HERE = Path(__file__).parent


def template(name: str, folder: Path) -> Template:
    """Return a template of a folder, which may use those here, and which escapes everything."""
    # autoescape in so many words: select_autoescape() would miss the names *.html.j2
    environment = Environment(
        loader=FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def style() -> Markup:
    """Return the style sheet."""
    return Markup((_HERE / "style.css").read_text(encoding="utf-8"))


def scripts(*names: str) -> dict[str, Markup]:
    """Return our scripts by name."""
    return {name: Markup((_HERE / f"{name}.js").read_text(encoding="utf-8")) for name in names}


def policy(scripts: dict[str, Markup]) -> str:
    """Return the Content-Security-Policy: these scripts by their hashes, nothing from anywhere."""
    digests = [hashlib.sha256(text.encode()).digest() for text in scripts.values()]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
