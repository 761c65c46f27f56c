"""Reading params.yaml, and handing each step the sections that its rule reads."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lssat.params import check
from lssat.params.base import Section
from lssat.params.sections import Benchmark, Params, Train
from lssat.params.views import VIEWS, TrainView, V, View, keys, shape
from lssat.params.yaml12 import read_yaml
from lssat.tables import DataError

# What each rule reads; dvc.yaml watches the same keys (tests/params/test_params.py).
READS = {rule: keys(view) for rule, view in VIEWS.items()}


def load(path: str | Path = "params.yaml") -> Params:
    """Read and validate params.yaml.

    Raises:
        DataError: all problems in one message, each with its line and key.
    """
    params, problems, _ = examine(path)
    if problems or params is None:
        raise DataError.of(path, problems)
    return params


def examine(path: str | Path) -> tuple[Params | None, list[str], check.Source]:
    """Read params.yaml and gather what is wrong with it, each problem a line.

    Returns:
        the parameters, None where they are not valid; the problems; the file
        without the values that cannot be read.

    Raises:
        DataError: it cannot be read at all.
    """
    source = check.Source(path, *read_yaml(path))
    return judge(source)


def judge(source: check.Source) -> tuple[Params | None, list[str], check.Source]:
    """Do what `examine` does with a file that was read."""
    errors, params = [], None
    try:
        params = Params.model_validate(source.raw)
    except ValidationError as error:
        errors = error.errors()
    problems = [check.say(source.path, source.lines, each) for each in errors]
    sound = source.sound(errors)
    return params, [*problems, *check.absent(source), *check.across(sound)], sound


def section(params: Params, rule: str, **wildcards: str) -> dict[str, Any]:
    """Return the part of the parameters that a rule reads, as plain values."""
    return _part(params, VIEWS[rule], **wildcards)


def _part(params: Params, view: type[View], **wildcards: str) -> dict[str, Any]:
    whole = _without_none(params.model_dump())
    part: dict[str, Any] = {}
    for key in keys(view):
        source, target = whole, part
        *parents, last = key.format(**wildcards).split(".")
        for parent in parents:
            source, target = source[parent], target.setdefault(parent, {})
        target[last] = source[last]
    if view is TrainView and "configuration" in wildcards:  # a run sees its own recipe alone
        part["train"] = params.recipe(wildcards["configuration"]).model_dump()
    return part


def section_json(params: Params, rule: str, **wildcards: str) -> str:
    """Return `section` as the JSON argument of the rule's command.

    A key of the recipe or the grid that has a default and says it is left out, so that a key that
    is new to lssat makes no finished run stale.
    """
    part = section(params, rule, **wildcards)
    for name, model in (("train", Train), ("benchmark", Benchmark)):
        if name in part:
            kept = part[name].items()
            part[name] = {key: value for key, value in kept if _says(model, key, value)}
    for own in part.get("datasets", {}).values():
        for key in ("labels", "test_methods"):
            if own.get(key, True) is None:
                del own[key]
    if not part.get("variants", True):
        del part["variants"]
    return json.dumps(part, sort_keys=True)


def _says(model: type[Section], key: str, value: Any) -> bool:
    field = model.model_fields[key]
    default = field.default.model_dump() if isinstance(field.default, Section) else field.default
    return field.is_required() or value != default


def view(source: str, kind: type[V], **wildcards: str) -> V:
    """Give a step its parameters, and only those that it declares.

    Args:
        source: path of a params.yaml, or JSON as `section_json` makes it.
        kind: the view of its rule (`VIEWS`).
    """
    return kind.model_validate(part(source, kind, **wildcards))


def part(source: str, kind: type[View], **wildcards: str) -> dict[str, Any]:
    """Return what `view` does as plain values. Keys that JSON leaves out get their defaults.

    Raises:
        DataError: unknown keys, keys that have no default, values of the wrong kind, all in one
            message.
    """
    if not source.lstrip().startswith("{"):
        return _part(load(source), kind, **wildcards)
    try:
        given = json.loads(source)
    except ValueError as error:
        fix = "Give a params.yaml, or the JSON of the sections that are read"
        raise DataError("--params", f"is not valid JSON ({error})", fix) from None
    shown = shape(kind, **wildcards)
    try:
        filled = shown.model_validate(_read(given, shown, Params))
    except ValidationError as error:
        problems = [check.say("--params", {}, fault) for fault in error.errors()]
        raise DataError.of("--params", problems) from None
    return _without_none(filled.model_dump())


def _read(given: Any, shown: Any, whole: Any) -> Any:
    """Leave out the keys of a section that are known, but not what a rule reads."""
    if not (isinstance(given, dict) and hasattr(shown, "model_fields")):
        return given
    kept = {}
    for key, value in given.items():
        if key in shown.model_fields:
            inner = shown.model_fields[key].annotation
            kept[key] = _read(value, inner, check.inside(whole, key))
        elif key not in whole.model_fields:
            kept[key] = value  # and is refused
    return kept


def _without_none(part: dict[str, Any]) -> dict[str, Any]:
    """Leave out the data sets that have no section."""
    if "datasets" in part:
        part["datasets"] = {name: data for name, data in part["datasets"].items() if data}
    return part
