"""Edits of a YAML text at the places where its parser says that a value stands.

Not by a round trip: there, comments below a section belong to the section above them and go with
it, and a value's own spelling is lost.
"""

from collections.abc import Iterable

import yaml

Edit = tuple[int, int, str]  # from, to, what to put there


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with edits, none of which overlap; every other byte stays as it is."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def last(node: yaml.Node) -> yaml.Node:
    """Return the last scalar below a node: a block's own end lies after the comments below it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return node
