"""Modules of the package are parsed once for all tests: to parse all takes more than a second."""

import pytest

from lssat.tables import source

_KEPT: dict[tuple[str, bytes], source._Source] = {}


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse a module again where its bytes are others; for tests that neither add nor move one."""
    parse = source._Source

    def once(name: str) -> source._Source:
        path = source.PACKAGE.joinpath(*name.split("."))
        if path.is_dir():  # with what it ships
            files = sorted(file for file in path.iterdir() if file.is_file())
        else:
            files = [path.with_suffix(".py")]
        held = (part for file in files for part in (file.name.encode(), file.read_bytes()))
        key = name, b"\0".join(held)
        if key not in _KEPT:
            _KEPT[key] = parse(name)
        return _KEPT[key]

    monkeypatch.setattr(source, "_Source", once)
