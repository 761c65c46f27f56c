"""What every section of params.yaml is built on."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:+-]+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what every generator that is seeded takes
Place = Annotated[str, Field(pattern=r"\S")]  # a path, which "" would make the current folder
# MLflow would make a folder of a name without a scheme.
Address = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+]*:")]
# What a value that does not match a pattern is told, in place of the pattern.
PATTERNS = {
    r"^[A-Za-z0-9_.:+-]+$": "becomes a part of paths; write letters, digits and _ . : + - alone",
    r"^[A-Za-z0-9_][A-Za-z0-9_.:+-]*$": "becomes a part of paths; begin with a letter, digit or _",
    r"\S": "is empty; name a path",
    r"^[a-z][a-z0-9+]*:": "is no address; write sqlite:///<file>, or a server's http://<host>:<port>",
}
# What checks of several sections are given: it returns the raw value of a key,
# `get("train", "head")`, or None. What they yield: the key, and what is wrong with it.
Get = Callable[..., Any]
Problem = tuple[tuple, str]


class Section(BaseModel):
    """A section of params.yaml: unknown keys are refused, text is not turned into numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def texts(names: Any) -> list[str]:
    """Return the texts of a list; none of anything else."""
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def once(items: list | None) -> list | None:
    """Refuse a list that names something twice."""
    if twice := {item for item in items or () if (items or []).count(item) > 1}:
        raise ValueError(f"{', '.join(map(str, twice))} stands twice; leave it once")
    return items


def nearest(name: str, known: list[str]) -> str:
    """Return the end of a message: what was perhaps meant, or what is known."""
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else f"; known: {', '.join(known)}"
