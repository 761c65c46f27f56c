"""Which run is the best: one rule, whoever picks one."""

from pathlib import Path

import pytest

from lssat import grid, tables
from lssat.evaluation.explain import choose
from lssat.grid import trained
from lssat.report.kit import words
from lssat.use.show import headline


def _record(value: float | None, loss: float | None, **other) -> dict:
    return {"select_metric": "val_auc", "best_value": value, "best_loss": loss} | other


@pytest.mark.parametrize(
    ("runs", "chosen", "why"),
    [
        # the best value
        ({"a/A/0": (0.9, 0.1), "b/A/0": (0.95, 0.9)}, "b/A/0", "best of 2 by val_auc, 0.950"),
        # of equals the lowest validation loss
        (
            {"a/A/0": (1.0, 0.3), "a/B/0": (1.0, 0.2), "b/A/0": (1.0, 0.4), "b/B/0": (0.9, 0.1)},
            *("a/B/0", "best of 4 by val_auc, 1.000; the lowest validation loss of 3"),
        ),
        # equal in both, or with unknown losses: the earlier name
        ({"b/A/0": (1.0, 0.3), "a/B/0": (1.0, 0.3)}, "a/B/0", "1.000; the first of 2 that are eq"),
        ({"b/A/0": (1.0, None), "a/B/0": (1.0, None)}, "a/B/0", "the first of 2"),
        ({"a/A/0": (1.0, None), "b/A/0": (1.0, 9.0)}, "b/A/0", "the lowest validation loss of 2"),
        # rows by their means over seeds, not by the luckiest seed
        (
            {"a/A/0": (0.8, 0.1), "a/A/1": (1.0, 0.1), "b/A/0": (0.95, 1.0), "b/A/1": (0.95, 1.0)},
            *("b/A/0", "best of 4 by val_auc, 0.950"),
        ),
        (
            {"a/A/0": (1.0, 0.1), "a/A/1": (1.0, 0.9), "b/A/0": (1.0, 0.4), "b/A/1": (1.0, 0.4)},
            *("b/A/0", "1.000; the lowest validation loss of 2"),
        ),
    ],
)
def test_fault_c12_one_run_is_the_best_wherever_one_is_picked(
    tmp_path: Path, runs: dict, chosen: str, why: str
) -> None:
    names = {"A": "MRGB-RLDP-CRGB", "B": "none-none-CRGB"}
    records = {}
    for run, (value, loss) in runs.items():
        backbone, letter, seed = run.split("/")
        path = f"ffpp/{backbone}/{names[letter]}/seed{seed}"
        text = str(grid.parse(names[letter]))
        own = dict(run=path, backbone=backbone, configuration=text, seed=int(seed))
        records[path] = _record(value, loss, **own)
        tables.write_json(tmp_path / path / "record.json", records[path])
    folder, told = trained.best("ffpp", tmp_path)  # of predict
    backbone, letter, seed = chosen.split("/")
    assert folder.relative_to(tmp_path) == Path(f"ffpp/{backbone}/{names[letter]}/seed{seed}")
    assert why in told
    maps = choose.best(choose.rows(records), "val_auc")  # of explain
    assert tmp_path / maps.run == folder
    table = [  # of the page and the terminal, where the means are those of the test
        dict(backbone=row.backbone, configuration=row.configuration, level="video", metric="auc",
             mean=row.value, val_loss=row.loss, swept=False)
        for row in choose.rows(records)
    ]  # fmt: skip
    shown = headline({"table": table, "metric": "auc", "level": "video"})
    for row in (words.best(table), shown[0]):
        assert (row["backbone"], row["configuration"]) == (maps.backbone, maps.configuration)
