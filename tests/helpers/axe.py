"""axe-core, the engine of accessibility checkers, on a page in a real browser."""

from pathlib import Path

import axe_core_python

from helpers.chromium import Page

_SCRIPT = Path(axe_core_python.__file__).parent / "axe.min.js"
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
_RUN = f"""
    axe.run(document, {_RULES}).then(found => found.violations.flatMap(rule => rule.nodes.map(
      node => `${{rule.id}}: ${{node.html.slice(0, 120)}} ${{node.failureSummary.slice(0, 200)}}`
    )))"""


def violations(page: Page) -> list[str]:
    """List what breaks WCAG 2.1, levels A and AA, on what is open: the rule and the element."""
    if not page.run("typeof axe === 'object'"):
        # Evaluated by the browser, since the page's own policy lets no other script run.
        page.run(_SCRIPT.read_text() + ";0")
    return page.run(_RUN)
