"""Cells of every table of the page stand below the heading that they belong to."""

from pathlib import Path

import pytest
from helpers import drawn_results as drawn

from lssat import report
from lssat.report.kit.cells import Table


def test_each_cell_is_of_its_columns_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Table] = []
    before = Table.__init__

    def kept(self: Table, *given, **named) -> None:
        before(self, *given, **named)
        made.append(self)

    monkeypatch.setattr(Table, "__init__", kept)
    files = drawn.draw(tmp_path / "drawn", ("ffpp", "celeba", "affectnet"))
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    assert {"robustness-ffpp", "results-celeba"} & {table.id for table in made}
    for table in made:
        for row in [*table.rows, *filter(None, [table.foot, *table.feet])]:
            assert len(row) == len(table.columns), table.id
            for column, cell in zip(table.columns, row, strict=True):
                where = f"{table.id}, {column.label}: {cell}"
                if column.label == "Flag":
                    assert not cell.text or "collapsed" in cell.text, where
                if column.kind == "num":
                    assert cell.sort is None or isinstance(cell.sort, int | float), where
