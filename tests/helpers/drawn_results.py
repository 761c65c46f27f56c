"""Results of a whole benchmark, drawn by code in the layout of the project, for tests."""

import csv
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from lssat import grid, metrics, tables, texture
from lssat.data.audit import crops
from lssat.evaluation.perturb import PERTURBATIONS
from lssat.evaluation.slices import measures
from lssat.grid import releases
from lssat.report import TaskFiles
from lssat.tables.contracts import VERSION
from lssat.tables.project import Project

SIZE, PATCH = 96, 16
TASKS = ("ffpp", "celeba", "affectnet")
METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
CONFIGURATIONS = (
    "MRGB-RRGB-CRGB",
    "MRGB-RLDP-CRGB",
    "MLDP-RRGB-CRGB",
    "none-none-CRGB",
)
BACKBONES = ("vit_micro", "vit_mini")
PARAMS = {
    "report": {
        "title": "lssat on its built-in sample",
        "note": "Proof of the machinery, not science.",
        "faces": "sample",
    },
    "sample": {"trees": list(TASKS)},
    "datasets": {task: {"root": str(Project().sample.root / task)} for task in TASKS},
}
_FALLEN = ("vit_micro", "MLDP-RRGB-CRGB")  # collapses on every task
_SKILL = dict(zip(CONFIGURATIONS, (0.80, 0.86, 0.74, 0.78), strict=True))


def draw(
    root: Path,
    tasks: tuple[str, ...] = TASKS,
    backbones: tuple[str, ...] = BACKBONES,
    configurations: tuple[str, ...] = CONFIGURATIONS,
    seeds: tuple[int, ...] = (0, 1),
    texture: bool = True,
    rejects: int = 3,
) -> dict[str, TaskFiles]:
    """Write the results of a grid below `root` and say where they lie."""
    return {
        task: _task(
            root,
            task,
            grid.every_run([task], list(backbones), list(configurations), list(seeds)),
            texture,
            rejects,
        )
        for task in tasks
    }


def sensitive(files: TaskFiles, task: str) -> TaskFiles:
    """Draw what `sensitivity` writes (tests/evaluation/test_sensitivity.py holds both to it)."""
    found, known = tables.read_json(files.metrics), releases.TASKS[task]
    rng = np.random.default_rng(5)
    rows = []
    for row in found["table"]:
        if (row["level"], row["metric"]) == (found["level"], found["metric"]):
            first = {key: row[key] for key in ("backbone", "configuration", "seeds", "collapsed")}
            for margin in (1.0, 1.3, 1.6):
                where = dict(varied="margin", value=margin, default=1.3, n=72, of=80, groups=16)
                where |= {"level": found["level"], "metric": found["metric"], "note": None}
                own = _interval(row["mean"], [None], rng)
                del own["values"]
                gap = {"difference": own["mean"] - row["mean"], "reference": row["mean"]}
                gap |= {"difference_low": -0.1, "difference_high": 0.1}
                rows.append({**first, **where, **own, **gap})
    weights = {run: tables.read_json(at / "record.json") for run, at in files.runs.items()}
    content = dict(task=task, title=known.title, kind=known.kind, metric=known.metric, rows=rows)
    content |= dict(version=VERSION, split="test", confidence=0.95)
    content |= dict(weights={run: each["weights_sha256"] for run, each in weights.items()})
    file = files.metrics.with_name("sensitivity.json")
    tables.write_json(file, content)
    return replace(files, sensitivity=file)


def outputs(root: Path) -> dict[str, Path]:
    """Say where a report is written."""
    return Project(root).results.report()


def _task(root: Path, task: str, runs: list[grid.Run], texture: bool, rejects: int) -> TaskFiles:
    rng = np.random.default_rng(len(task))
    known = releases.TASKS[task]
    base, results = root / "data" / task, root / "results" / task
    ids = [f"{METHODS[n % 4]}/c23/{n:03}_{n + 1:03}" for n in range(24)]
    samples = [{"id": id, "frame": n % 3, "clip": -1} for n, id in enumerate(ids)]
    files = TaskFiles(
        metrics=results / "metrics.json",
        predictions=results / "predictions.parquet",
        experiment=f"lssat-{task}",
        runs={run.path: root / "runs" / run.path for run in runs},
        faces=[_shard(base / "faces", i, samples, rng, None) for i in range(2)],
        texture=[_shard(base / "texture/ldp", i, samples, rng, "ldp") for i in range(2)]
        if texture
        else [],
        splits=base / "splits" / "summary.json",
        rejects=[base / "manifest.rejects.parquet"],
        audit=base / "audit.json",
        lookalikes=base / "lookalikes.json",
        findings=[base / "audit.parquet", base / "lookalikes.parquet"],
        robustness=results / "robustness.json",
        format=results / "format.json",
        explain=results / "explain.json",
        maps=results / "explain.npz",
        slices=tuple(results / f"{name}.json" for name in _SLICED.get(task, {})),
        speed=results / "speed.json",
    )
    _speed(results / "speed.json", list(dict.fromkeys(run.backbone for run in runs)))
    _slices(files, task, runs, rng)
    _audit(files, task)
    explained(files, known, runs, samples, np.random.default_rng(7))
    tables.write_table(files.predictions, [], tables.PREDICTIONS)
    tables.write_json(files.metrics, _metrics(task, runs, rng))
    tables.write_json(files.robustness, _robustness(task, runs, rng))
    tables.write_json(files.format, _format(known))
    tables.write_json(files.splits, _summary(task))
    _rejects(files.rejects[0], task, rejects)
    for run in runs:
        _run(files.runs[run.path], run, known, rng)
    return files


def explained(
    files: TaskFiles,
    known: grid.Task,
    runs: list[grid.Run],
    samples: list,
    rng: np.random.Generator,
) -> None:
    """Draw what `examine` writes (tests/evaluation/test_explain.py holds both to it)."""
    side, maps, rows = SIZE // PATCH, {}, []
    firsts = {run[1:3]: run for run in reversed(runs)}
    for number, run in enumerate(reversed(firsts.values())):
        maps[f"row{number}_rollout"] = rng.dirichlet(np.ones(side**2)).reshape(side, side)
        maps[f"row{number}_gradients"] = rng.dirichlet(np.ones(SIZE**2)).reshape(SIZE, SIZE)
        place = {"backbone": run.backbone, "configuration": str(grid.parse(run.configuration))}
        first = {**place, "run": run.path, "value": 0.8 + number / 100, "loss": 0.5}
        of = {"level": "image", "n": 24, "looks_at": ["RGB"], "no_rollout": None, "missed": 0.01}
        of |= {"note": None, "incomplete": 0}
        rows.append({**first, "maps": f"row{number}", **of})
    best = rows[-1]
    chosen = {key: best[key] for key in ("backbone", "configuration", "run", "value", "loss")}
    told = [f"{name}: yes" for name in known.classes[:2]]
    told = list(known.classes) if known.kind != "multilabel" else told
    shown = []
    for number, sample in enumerate(samples[:4]):
        where = {**sample, "shard": 0, "row": number, "sha256": "0" * 64, "subset": METHODS[0]}
        said = {"label": told[0], "predicted": told[1], "right": False, "target": 0}
        shown.append({**where, **said, "probability": 0.9 - number / 10, "raw": 0.95})
        shown[-1]["missed"] = 0.01
    for name in ("examples", "errors"):
        maps[f"{name}_rollout"] = rng.dirichlet(np.ones(side**2), 4).reshape(4, side, side)
        maps[f"{name}_gradients"] = rng.normal(size=(4, SIZE, SIZE))
    maps = {name: array.astype(np.float32) for name, array in maps.items()}
    digest = tables.write_whole(files.maps, lambda file: np.savez_compressed(file, **maps))
    drawn = {"method": "PCA", "trustworthiness": 0.9, "level": "image"}
    drawn |= {"ids": [s["id"] for s in samples], "points": rng.normal(size=(24, 2)).tolist()}
    drawn |= {"labels": [told[n % len(told)] for n in range(24)], "subsets": list(METHODS) * 6}
    found = {
        "version": VERSION,
        "chosen": chosen,
        "metric": f"val_{known.metric}",
        "temperature": 1.5,
    }
    found |= {"task": known.name, "title": known.title, "level": "image", "maps_sha256": digest}
    found |= {"target": told[-1], "random": {"rollout": 0.3, "gradients": None}}
    found |= {"rows": rows, "embeddings": [{**chosen, **drawn}], "examples": shown, "errors": shown}
    tables.write_json(files.explain, found)


def _metrics(task: str, runs: list[grid.Run], rng: np.random.Generator) -> dict:
    """Draw what `scores.summarise` returns (tests/report/test_report.py holds both to it).

    `lssat evaluate` adds `coverage_present`.
    """
    known = releases.TASKS[task]
    levels = {"video": 80, "frame": 240} if known.kind == "binary" else {"image": 96}
    head, names = next(iter(levels)), metrics.NAMES[known.kind]
    rows, subsets, each, confusion = [], [], [], []
    pairs = dict.fromkeys((run.backbone, run.configuration) for run in runs)
    for backbone, configuration in pairs:
        mine = [run for run in runs if run[1:3] == (backbone, configuration)]
        fallen = (backbone, configuration) == _FALLEN
        first = {"backbone": backbone, "configuration": str(grid.parse(configuration))}
        level = _SKILL.get(configuration, 0.7) + 0.02 * (backbone == "vit_mini") - 0.25 * fallen
        base = {"seeds": [run.seed for run in mine], "groups": 16}
        of = {"runs": [run.path for run in mine], "baseline": 0.5, "collapsed": fallen}
        note = "collapsed: seed 1 does not beat the trivial baseline" if fallen else None
        for name, n in levels.items():
            for metric in names:
                drawn = _interval(level, mine, rng)
                beats = {"beats_baseline": drawn["low"] > 0.5, "note": note}
                beats["swept"] = "lambda" in configuration
                where = {"level": name, "metric": metric, "n": n}
                rows.append({**first, **where, **base, **of, **drawn, **beats})
        if known.kind == "binary":
            for subset, name, metric in itertools.product(METHODS, levels, names):
                where = {"subset": subset, "metric": metric, "level": name, "n": 32}
                more = {**_interval(level, mine, rng), "beats_baseline": True, "note": note}
                subsets.append({**first, **where, **base, **of, **more})
        shared = {**first, "level": head, "n": 96, "seeds": base["seeds"], "collapsed": fallen}
        each += _each(known, {**shared, "groups": 16, "note": note}, level, mine, rng)
        if known.kind == "multiclass":
            matrix = _matrix(known, level, rng)
            confusion.append({**shared, "runs": of["runs"], "note": note, **matrix})
    return {
        **{"version": 1, "task": task, "dataset": task, "kind": known.kind, "metric": known.metric},
        **{"title": known.title, "classes": list(known.classes)},
        **{"level": head, "split": "test", "coverage": 0.9875, "coverage_present": 0.9875},
        **{
            "confidence": 0.95,
            "resamples": 2000,
            "n": levels,
            "groups": 16,
            "table": rows,
            "subsets": subsets,
        },
        **{"each": each, "confusion": confusion},
        "runs": [
            {
                **{"run": run.path, "backbone": run.backbone, "seed": run.seed},
                "configuration": str(grid.parse(run.configuration)),
                "metrics": {
                    f"{level}/{name}": rng.uniform(0.5, 1) for level in levels for name in names
                },
                **{
                    "notes": {},
                    "collapsed": run[1:3] == _FALLEN,
                    "calibration": _calibration(head, rng),
                },
            }
            for run in runs
        ],
        "comparisons": _comparisons(rows, known.metric, head, rng),
        "backbones": _backbones(rows, known.metric, head),
        "ranks": _ranks(rows, known.metric, head),
        "power": _power(rows),
        "roc": [_roc(run, head, rng) for run in runs],
        "sweep": [],
        "variants": [],
        "gains": [],
    }


def _each(
    known: grid.Task, shared: dict, level: float, runs: list[grid.Run], rng: np.random.Generator
) -> list[dict]:
    """Draw the rows of each attribute or class."""
    found = []
    for place, name in enumerate(known.classes if known.kind != "binary" else ()):
        share = (place + 1) / 50
        more = {"class": name, "prevalence": share, "train_prevalence": share, "baseline": 0.5}
        for metric in metrics.EACH[known.kind]:
            drawn = _interval(level - share / 5, runs, rng)
            found.append(
                {**shared, **more, "metric": metric, **drawn, "beats_baseline": drawn["low"] > 0.5}
            )
    return found


def _matrix(known: grid.Task, level: float, rng: np.random.Generator) -> dict:
    """Draw a confusion matrix."""
    size = len(known.classes)
    counts = rng.poisson(24 * (level * np.eye(size) + (1 - level) / size)) + np.eye(size, dtype=int)
    shares = (counts / counts.sum(axis=1, keepdims=True)).tolist()
    return {"classes": list(known.classes), "counts": counts.tolist(), "shares": shares}


def _calibration(level: str, rng: np.random.Generator) -> dict:
    confidence = np.arange(0.05, 1, 0.1)
    bins = {"confidence": confidence.tolist(), "frequency": (confidence**1.5).tolist()}
    found = {"ece": rng.uniform(0.05, 0.2), "ece_if_calibrated": 0.02, "brier": 0.2}
    found |= {"bins": bins | {"count": [9] * 10}}
    scaled = {**found, "ece": 0.03}
    return {**found, "level": level, "temperature": 1.5, "note": None, "scaled": scaled}


def _comparisons(rows: list[dict], metric: str, level: str, rng: np.random.Generator) -> list:
    """Draw a comparison for each two headline rows that differ in one thing."""
    heads = [row for row in rows if (row["metric"], row["level"]) == (metric, level)]
    found = []
    for number, a in enumerate(heads):
        for b in heads[number + 1 :]:
            shared = [key for key in ("backbone", "configuration") if a[key] == b[key]]
            if len(shared) == 1:
                gap, p = a["mean"] - b["mean"], float(rng.uniform(0, 0.1))
                who = [
                    {key: row[key] for key in ("backbone", "configuration", "seeds")}
                    for row in (a, b)
                ]
                where = {"level": level, "metric": metric, "n": a["n"], "groups": 16}
                asked = {"backbone": "configuration", "configuration": "backbone"}[shared[0]]
                first = {"compared": asked, "a": who[0], "b": who[1]}
                found.append({**first, **where, **_tested(gap, p, min(16 * p, 1.0)), "note": None})
    return found


def _tested(gap: float, p: float, p_holm: float) -> dict:
    """Draw what a test says of a difference."""
    half = abs(gap) / 2 if p_holm < 0.05 else 0.1
    size = {"difference": gap, "low": gap - half, "high": gap + half, "effect": 3 * gap}
    more = {"p": p, "error": 0.05, "freedom": 14.0, "p_holm": p_holm, "least": 0.17}
    return size | more | {"parts": [0.0015, 14.0, 0.001, 3.0]}


def _power(rows: list[dict]) -> list:
    """Draw what each metric's comparisons could have shown."""
    known = dict.fromkeys((row["level"], row["metric"], row["n"]) for row in rows)
    more = {"groups": 16, "seeds": 2, "tests": 6, "error": 0.05, "note": None}
    return [
        {"level": level, "metric": metric, "compared": family, "n": n, **more}
        | {"least": 0.14, "least_holm": 0.17}
        for level, metric, n in known
        for family in ("configuration", "backbone")
    ]


def _backbones(rows: list[dict], metric: str, level: str) -> list:
    """Draw a comparison of each two backbones by their means over configurations."""
    heads = [row for row in rows if (row["metric"], row["level"]) == (metric, level)]
    heads = [row for row in heads if not row["swept"]]
    by_name: dict[str, list[dict]] = {}
    for row in heads:
        by_name.setdefault(row["backbone"], []).append(row)
    found = []
    for a, b in itertools.combinations(by_name, 2):
        who = [
            {"backbone": name, "configurations": len(mine), "seeds": mine[0]["seeds"]}
            for name, mine in ((a, by_name[a]), (b, by_name[b]))
        ]
        means = [np.mean([row["mean"] for row in by_name[name]]) for name in (a, b)]
        first = {"a": who[0], "b": who[1], "level": level, "metric": metric, "note": None}
        gap = float(means[0] - means[1])
        found.append(
            {**first, **_tested(gap, *((0.001, 0.003) if abs(gap) > 0.05 else (0.2, 0.6)))}
        )
    return found


def _ranks(rows: list[dict], metric: str, level: str) -> list:
    """Draw the ranks of the headline rows: what is far below the best one is not the first."""
    heads = [row for row in rows if (row["metric"], row["level"]) == (metric, level)]
    ordered = sorted((row for row in heads if not row["swept"]), key=lambda row: -row["mean"])
    found = []
    for place, row in enumerate(ordered):
        first = {key: row[key] for key in ("backbone", "configuration", "mean")}
        down = row["mean"] < ordered[0]["mean"] - 0.1
        found.append(
            {**first, "best": place if down else 1, "worst": len(ordered), "top": not down}
        )
    return found


def _format(known: grid.Task) -> dict:
    """Draw what `format_probe` writes (tests/evaluation/test_format_probe.py holds both to it)."""
    level = "video" if known.kind == "binary" else "image"
    facts = {"version": VERSION, "task": known.name, "kind": known.kind, "metric": known.metric}
    size = {"level": level, "n": 80, "groups": 16, "train_n": 200, "confidence": 0.95}
    rows = [
        {"metric": name, "value": 0.52, "low": 0.41, "high": 0.63, "baseline": 0.5, "note": None}
        for name in metrics.NAMES[known.kind]
    ]
    return (
        facts
        | size
        | {
            "split": "test",
            "above": False,
            "rows": rows,
            "permuted": {"quality": 0.5, "kind": 0.52},
        }
    )


def _robustness(task: str, runs: list[grid.Run], rng: np.random.Generator) -> dict:
    """Draw what `robustness` writes (tests/evaluation/test_robustness.py holds both to it)."""
    known = releases.TASKS[task]
    rows = []
    pairs = ((r.backbone, r.configuration) for r in runs if "lambda" not in r.configuration)
    for backbone, configuration in dict.fromkeys(pairs):
        mine = [run for run in runs if run[1:3] == (backbone, configuration)][:1]
        level = _SKILL.get(configuration, 0.7)
        base = {"backbone": backbone, "configuration": str(grid.parse(configuration))}
        base |= {"seeds": [run.seed for run in mine], "runs": [run.path for run in mine]}
        where = {"level": known.level, "metric": known.metric, "n": 40, "groups": 8}
        points = [
            dict(perturbation=name, strength=strength, note=None)
            | _interval(level - 0.05 * strength, mine, rng)
            for name, strength in itertools.product(PERTURBATIONS, (1, 2, 3, 4, 5))
        ]
        kinds = [
            dict(perturbation=name, note=None) | _interval(level - 0.15, mine, rng)
            for name in PERTURBATIONS
        ]
        hurt = _interval(level - 0.15, mine, rng) | {"note": None, "drop": 0.15}
        hurt |= {"drop_low": 0.1, "drop_high": 0.2, "retained": 1 - 0.15 / (level - 0.5)}
        clean = _interval(level, mine, rng) | {"note": None}
        recoded = clean | {"mean": level - 0.02}
        recoded |= {"survives": 0.9, "survives_low": 0.8, "survives_high": 0.95}
        rows.append(
            {**base, **where, "baseline": 0.5, "clean": clean, "points": points, "kinds": kinds}
            | {"recoded": recoded | {"survives_note": None}}
            | {"corrupted": hurt | {"retained_note": None}}
        )
    return {
        **{"task": task, "kind": known.kind, "title": known.title, "metric": known.metric},
        **{"version": VERSION, "split": "test", "confidence": 0.95, "seeds": "first"},
        **{"recoded": {"scale": 0.75, "quality": 75}},
        **{"strengths": [1, 2, 3, 4, 5], "samples": {"crop": [60, 720]}, "rows": rows},
        "perturbations": [
            dict(name=name, title=made.title, what=made.what, levels=list(made.levels))
            for name, made in PERTURBATIONS.items()
        ],
    }


def _interval(level: float, runs: list[grid.Run], rng: np.random.Generator) -> dict:
    values = [float(level + rng.normal(0, 0.015)) for _ in runs]
    mean, half = float(np.mean(values)), rng.uniform(0.03, 0.06)
    return {"values": values, "mean": mean, "low": mean - half, "high": min(mean + half, 1.0)}


def _roc(run: grid.Run, level: str, rng: np.random.Generator) -> dict:
    area = _SKILL.get(run.configuration, 0.7) + rng.normal(0, 0.02)
    fpr = np.linspace(0, 1, 200)
    tpr = fpr ** ((1 - area) / area)  # the area under this curve is `area`
    return {"run": run.path, "level": level, "fpr": fpr.tolist(), "tpr": tpr.tolist(), "auc": area}


def _face(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw faces, uint8 (n, SIZE, SIZE, 3): smooth ovals, as hard to compress as real ones."""
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    tone = rng.uniform(120, 220, (n, 1, 1))
    face = tone * np.exp(-((x / 0.75) ** 4 + (y / 0.95) ** 4))
    for side in (-0.32, 0.32):
        face = face - 90 * np.exp(-(((x - side) / 0.13) ** 2 + ((y + 0.2) / 0.08) ** 2))
    face = face - 70 * np.exp(
        -((x / 0.3) ** 2 + ((y - 0.5) / rng.uniform(0.05, 0.12, (n, 1, 1))) ** 2)
    )
    image = face[..., None] * [1.0, 0.84, 0.72] + 30 + rng.normal(0, 2, (n, SIZE, SIZE, 3))
    return image.clip(0, 255).astype(np.uint8)


def _codes(rng: np.random.Generator, faces: np.ndarray) -> np.ndarray:
    edges = np.abs(np.diff(faces[..., 0].astype(int), axis=-1, append=0))
    return ((edges * 37 + rng.integers(0, 8, edges.shape)) % 217 + 7).astype(np.uint8)


def _shard(
    folder: Path, i: int, samples: list, rng: np.random.Generator, kind: str | None
) -> tuple:
    rows = samples[i * 12 : i * 12 + 12]
    faces = _face(rng, len(rows))
    path, table = folder / f"shard-{i:05}.npy", folder / f"shard-{i:05}.parquet"
    digest = tables.write_shard(path, _codes(rng, faces) if kind else faces)
    where = [
        {"id": r["id"], "frame": r["frame"], "clip": -1, "shard": i, "row": n}
        for n, r in enumerate(rows)
    ]
    header = {"sha256": digest}
    if kind:
        of = tables.sha256(folder.parents[1] / "faces" / path.name)
        header |= {"kind": kind, "k": "3", "spec": texture.SPEC, "faces_sha256": of}
    if not kind:
        more = dict(box=[0.0, 0.0, 96.0, 96.0], landmarks=[], score=0.99, n_faces=1, n_frames=30)
        where = [{**row, **more, "sha256": "0" * 64, "phash": 0} for row in where]
    tables.write_table(table, where, tables.TEXTURE if kind else tables.FACES, header)
    return path, table


_SLICED = {
    "ffpp": {"slices_listed": {"skin": ("darker", "lighter", "not annotated")}},
    "celeba": {"slices": {"Male": ("Male", "not Male"), "Hat": ("Hat", "not Hat")}},
}


def _slices(files: TaskFiles, task: str, runs: list[grid.Run], rng: np.random.Generator) -> None:
    """Draw what the slices' step writes: two attributes of CelebA, a list of FF++."""
    known = releases.TASKS[task]
    for file, (name, attributes) in zip(files.slices, _SLICED.get(task, {}).items(), strict=True):
        found: dict = {"slices": [], "rows": [], "disparities": [], "runs": []}
        for attribute, groups in attributes.items():
            found["slices"].append({"attribute": attribute, "level": known.level, "groups": [
                dict(group=group, n=40 - 12 * k, clusters=8, note=None,
                     positives=20 if task == "ffpp" else None, compared=k < 2)
                for k, group in enumerate(groups)
            ]})  # fmt: skip
            for backbone, configuration in dict.fromkeys(run[1:3] for run in runs):
                mine = [run for run in runs if run[1:3] == (backbone, configuration)]
                first = {"backbone": backbone, "configuration": str(grid.parse(configuration))}
                first |= {"attribute": attribute, "level": known.level}
                first |= {"seeds": [run.seed for run in mine], "runs": [run.path for run in mine]}
                found["rows"] += [
                    first | {"metric": each} | _sliced(known.kind, each, groups, mine, rng)
                    for each in measures.names(known.kind, known.metric)
                ]
                if task == "ffpp":
                    names = ("demographic_parity_difference", "equalized_odds_difference")
                    found["disparities"] += [
                        first
                        | {"metric": each, "note": None}
                        | _interval(0.2, mine, rng)
                        | dict(expected=0.05, p=0.2, p_holm=0.4)
                        for each in names
                    ]
        told = {"source": "attributes" if name == "slices" else "list", "min_n": 10}
        if name == "slices_listed":
            told["list"] = {"file": "data/skin.csv", "key": "identity", "entries": 14}
            told["list"] |= {"repeated": 1, "unknown": 2}
        told |= {"task": task, "dataset": task, "title": known.title, "kind": known.kind}
        told |= {"version": VERSION, "metric": known.metric, "confidence": 0.95}
        tables.write_json(file, told | found)


def _sliced(
    kind: str, metric: str, groups: tuple, runs: list[grid.Run], rng: np.random.Generator
) -> dict:
    made = [
        dict(group=group, n=40 - 12 * k, clusters=8, note=None)
        | _interval(0.6 + 0.1 * k, runs, rng)
        for k, group in enumerate(groups)
    ]
    ranked = sorted(made[:2], key=lambda each: each["mean"])
    gap = ranked[1]["mean"] - ranked[0]["mean"]
    worst, best = (each["group"] if metrics.METRICS[metric].direction else None for each in ranked)
    more = {"over": 31} if kind == "multilabel" else {}
    return more | dict(
        groups=made, worst=worst, best=best, gap=gap, note=None,
        held=list(groups[:2]), low=gap / 2, high=gap * 2,
        expected=0.05, p=0.125, p_holm=0.25,
    )  # fmt: skip


def _summary(dataset: str) -> dict:
    summary: dict = {
        "dataset": dataset,
        "listed": {"train": 851, "val": 168, "test": 246},
        "samples": {"train": 846, "val": 168, "test": 243},
        "crops": {"train": 2520, "val": 504, "test": 720},
        "groups": {"train": 70, "val": 14, "test": 16},
        "coverage": {"train": 0.994, "val": 1.0, "test": 0.9875},
        "coverage_present": {"train": 0.994, "val": 1.0, "test": 0.9875},
        "rejects": {"manifest": {}, "faces": {"no_face": 5}},
        "asked": {},
        "unused": {"samples": 12, "crops": 11},
        "selection": "val",
        "seed": 0 if dataset == "affectnet" else None,
        "ids_sha256": {name: str(n) * 64 for n, name in enumerate(("train", "val", "test"))},
    }
    splits = ("train", "val", "test")
    if dataset == "celeba":
        positives = [[30 * (i % 5 == 0) + i % 5 * (i < 12) for i in range(40)] for _ in splits]
        return summary | {"attributes": {"positives": dict(zip(splits, positives, strict=True))}}
    classes = {str(code): 90 + code for code in range(8 if dataset == "affectnet" else 2)}
    summary["classes"] = dict.fromkeys(splits, classes)
    if dataset == "ffpp":
        summary["subsets"] = dict.fromkeys(splits, dict.fromkeys(("original", *METHODS), 36))
        shares = dict.fromkeys(("original", *METHODS), 1.0) | {"FaceSwap": 0.95}
        summary["subset_coverage"] = dict.fromkeys(splits, shares)
        summary["frame_coverage"] = {"train": 0.991, "val": 1.0, "test": 0.975}
        for name in ("subset_coverage", "frame_coverage"):
            summary[f"{name}_present"] = summary[name]
    return summary


def _audit(files: TaskFiles, dataset: str) -> None:
    """Draw what the audit and the look-alikes write: one copy in train, one look-alike."""
    found = {"identity": 0, "duplicate": 0, "duplicate_within": 1}
    sides = [("val", "train"), ("test", "train"), ("test", "val")]
    pairs = [dict(split=a, other_split=b, samples=int(a == "test"), of=243) for a, b in sides]
    known = dataset != "affectnet"
    counts = {"dataset": dataset, "crops": {"train": 2520, "val": 504, "test": 720}}
    counts |= {"samples": {"train": 846, "val": 168, "test": 243}}
    people = {"identities": {"train": 70, "val": 14, "test": 16}, "identities_known": known}
    tables.write_json(files.audit, counts | people | {"findings": found})
    near = {"near_distance": 4, "near_limit": 0.1, "pairs": pairs}
    tables.write_json(files.lookalikes, counts | near)
    one, copy = ({"split": "train", "id": id, "frame": 0} for id in ("a/000", "a/001"))
    row = crops.finding("duplicate_within", one, copy, "f" * 64, 0)
    tables.write_table(files.findings[0], [row], crops.FINDINGS)
    near = crops.finding("near_duplicate", one | {"split": "test"}, copy, "", 2)
    tables.write_table(files.findings[1], [near] * 2, crops.FINDINGS)


def _rejects(path: Path, dataset: str, n: int) -> None:
    rows = [
        tables.reject(
            dataset,
            f"sample-{i}",
            f"videos/{i:03}.mp4",
            "faces",
            "no_face",
            "none found",
        )
        for i in range(n)
    ]
    tables.write_table(path, rows, tables.REJECTS)


def _costs(run: grid.Run, rng: np.random.Generator) -> dict:
    large, alone = 1 + 3 * (run.backbone == "vit_mini"), run.configuration.startswith("none")
    inference = 2.4e7 * large
    return {
        "flops_inference": inference,
        "flops_training": inference * (3 if alone else 5),
        "flops_run": inference * (3 if alone else 5) * 4800,
        "peak_memory": 400 * 2**20 * (1 + large),
        **{"energy_kwh": 2e-5 * large, "co2_kg": None, "country": None},
        "energy_note": "no country was given, so no CO2 is estimated",
    }


def _speed(file: Path, backbones: list[str]) -> None:
    """Draw what `evaluation.speed` writes (tests/evaluation/test_speed.py holds both to it)."""
    rows = []
    for backbone in backbones:
        wait = 0.25 * (1 + 3 * (backbone == "vit_mini"))
        batches = [
            {"batch": n, "latency_ms": wait * n, "least_ms": wait * n, "most_ms": wait * n,
             "passes": 5, "imgs_per_second": 1e3 / wait}
            for n in (1, 64)
        ]  # fmt: skip
        made = {"configuration": "MRGB/RRGB/CRGB", "frames": None, "img_size": SIZE}
        rows.append({"backbone": backbone, **made, "batches": batches})
    facts = {"version": VERSION, "device": "cpu", "processor": "drawn"}
    facts |= {"threads": 1, "environment": {}}
    tables.write_json(file, facts | {"backbones": rows})


def _run(folder: Path, run: grid.Run, known: grid.Task, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    alone = run.configuration.startswith("none")
    metric = f"val_{known.metric}"
    value = 0.5
    with open(folder / "curve.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "lr", "loss_cls", "loss_rec", "val_loss_cls", metric])
        for epoch in range(8):
            loss = 0.7 * np.exp(-epoch / 5) + rng.normal(0, 0.02)
            value = 0.5 + 0.35 * (1 - np.exp(-epoch / 3)) + rng.normal(0, 0.02)
            rec = "" if alone else 0.9 * np.exp(-epoch / 9) + 0.2 + rng.normal(0, 0.01)
            writer.writerow([epoch, 1e-3, loss, rec, loss + 0.03 * epoch, value])
    arrays = {}
    if not alone:
        faces = _face(rng, 6)
        mask = (rng.random((6, (SIZE // PATCH) ** 2)).argsort(1) < 27).astype(np.uint8)
        texture = "RLDP" in run.configuration
        target = np.repeat(_codes(rng, faces)[..., None], 3, -1) if texture else faces
        blurred = np.broadcast_to(target.mean((1, 2), keepdims=True), target.shape)
        holes = mask.reshape(-1, 6, 6).repeat(PATCH, 1).repeat(PATCH, 2)[..., None] == 1
        output = np.where(holes, 0.6 * target + 0.4 * blurred, target).astype(np.uint8)
        arrays = dict(input=faces, mask=mask, target=target, output=output)
    np.savez_compressed(folder / "reconstruction.npz", **arrays)
    record = {
        "run": run.path, "task": run.task, "backbone": run.backbone, "seed": run.seed,
        "configuration": str(grid.parse(run.configuration)), "best_epoch": 6, "epochs": 8,
        "select_metric": metric, "best_value": float(value),
        "parameters": 412_808 if run.backbone == "vit_micro" else 1_608_200,
        "decoder_parameters": 0 if alone else 91_200, "seconds": 12.4, "imgs_per_second": 541.9,
        "weights_sha256": f"{run.seed}" * 64, "device": "cpu", "costs": _costs(run, rng),
        "environment": {"python": "3.11.7", "torch": "2.15.0", "timm": "1.0.31"},
        "git": {"revision": "a6f2230" + "0" * 33, "dirty": False},
        "params": {"texture": {"kind": "ldp", "k": 3}, "train": {"epochs": 8, "lr": 1e-3}},
        "data": {"train": "1" * 64, "val": "2" * 64},
    }  # fmt: skip
    for name in ("curve.csv", "reconstruction.npz"):
        record[f"{name.split('.')[0]}_sha256"] = tables.sha256(folder / name)
    tables.write_json(folder / "record.json", record)


def external(files: TaskFiles, task: str, *runs: grid.Run) -> None:
    """Add runs of other programs to the metrics and slices that were drawn."""
    rng = np.random.default_rng(9)
    every = [*map(grid.Run.of, files.runs), *runs]
    content = _metrics(task, every, rng)
    for entry in content["runs"]:
        if entry["configuration"] == grid.EXTERNAL:
            entry["external"] = {"file": "theirs.csv", "sha256": "0" * 64}
            why = "not calibrated: its table holds no scores of the validation split"
            entry["calibration"] |= {"temperature": None, "scaled": None, "note": why}
    ours = next(row for row in content["comparisons"] if row["compared"] == "configuration")
    theirs = {"backbone": runs[0].backbone, "configuration": grid.EXTERNAL, "seeds": [0]}
    content["comparisons"].append(ours | {"compared": "external", "a": theirs, "b": ours["b"]})
    tables.write_json(files.metrics, content)
    _slices(files, task, every, rng)
