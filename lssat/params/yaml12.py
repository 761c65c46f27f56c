"""YAML in which every reader agrees: PyYAML's 1.1 and DVC's 1.2 differ on `no`, `010`, `12:30`.

Numbers are read as DVC reads and writes them (`5e-05`). Plain scalars that the two versions take
differently all the same, and keys given twice, are refused.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from lssat.tables import DataError

_AMBIGUOUS = [
    (r"(?i)y|n|yes|no|on|off", lambda text: "write true or false, or quote it if it is text"),
    (
        r"[-+]?(0[0-9]+|0o[0-7]+|0b[01]+)",
        lambda text: "write it without the leading zero, or quote",
    ),
    (r"[-+]?\d+(:\d+)+(\.\d*)?", lambda text: "quote it"),
    (
        r"(?=.*_)[-+]?(0x[\da-fA-F_]+|0[ob][0-7_]+|[\d.][\d_]*\.?[\d_]*([eE][-+]?[\d_]+)?)"
        r"|[-+]_[\d_]+",
        lambda text: f"write {text.replace('_', '')}, or quote it if it is text",
    ),
]
# YAML 1.2's numbers with a point or an exponent; PyYAML wants both, and a sign in the exponent.
_FLOAT = r"[-+]?(\d+(\.\d*)?([eE][-+]?\d+)?|\.\d+([eE][-+]\d+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"


class _Loader(yaml.SafeLoader):
    """PyYAML's, with YAML 1.2's numbers."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(f"(?!\\d+$|[-+]\\d+$)({_FLOAT})$"), list("-+0123456789.")
)


def read_yaml(path: str | Path) -> tuple[Any, dict[tuple, int]]:
    """Read a YAML file.

    Returns:
        the value, and the line (from 1) on which each key or item stands, by its place
        such as ("train", "lr") or ("benchmark", "tasks", 0).

    Raises:
        DataError: not YAML, a key twice, or scalars that YAML readers take differently.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        node, value = yaml.compose(text, Loader=_Loader), yaml.load(text, Loader=_Loader)
    except FileNotFoundError:
        fix = "Copy one of presets/ there, or run in the project's folder"
        raise DataError(path, "does not exist", fix) from None
    except UnicodeDecodeError:
        raise DataError(path, "is not UTF-8", "Save it as UTF-8") from None
    except ValueError as error:  # a date that is none
        raise DataError(path, f"holds what is no value ({error})", "Quote text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "is not YAML"
        line = mark.line + 1 if mark else None
        raise DataError(path, str(problem), "Mend the line", line=line) from None
    lines: dict[tuple, int] = {(): 1}
    problems: list[str] = []
    if node is not None:
        _walk(node, (), lines, problems, str(path))
    if problems:
        raise DataError.of(path, problems)
    return value, lines


def _walk(node: yaml.Node, place: tuple, lines: dict, problems: list[str], path: str) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, key.value)
            line = key.start_mark.line + 1
            if inner in lines:
                name = ".".join(map(str, inner))
                problems.append(f"{path}:{line}: {name}: stands twice (line {lines[inner]} too)")
            lines[inner] = line
            _walk(value, inner, lines, problems, path)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[(*place, number)] = value.start_mark.line + 1
            _walk(value, (*place, number), lines, problems, path)
    elif isinstance(node, yaml.ScalarNode) and node.style is None:
        for pattern, fix in _AMBIGUOUS:
            if re.fullmatch(pattern, node.value):
                name, line = ".".join(map(str, place)), node.start_mark.line + 1
                problems.append(
                    f"{path}:{line}: {name}: {node.value} is read in two ways by YAML readers; "
                    f"{fix(node.value)}"
                )
                break
