"""The seconds of each job: of a core, or of the devices that a training uses."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from lssat import grid, params
from lssat.orchestrate.plan import operations, sample_counts
from lssat.orchestrate.plan.rates import Machine

# Seconds of the reference core, measured on the built-in sample (docs/run.md), beside what grows
# with data.
_COLD = 0.8  # of a process that imports torch
_START = {"cpu": 0.4, "cuda": 20.0}  # of a fork; on a GPU of a process, with the GPU's libraries
_EPOCH = 0.074  # a training's state is kept, its validation measured
_DRAW = {True: 12.0, False: 7.2}  # a tree of the sample, of videos or images
_CODES, _CODES_START = 9e-5, 0.6  # of a crop of 224 px
_COMPILED = 4.2  # numba, faces or codes: a step of each core, before it finds what is compiled
_CODES_ONLINE = 3.7e-5  # of a crop of 80 px in training
_ALIGNED = 0.0016  # an image that is decoded and made smaller
_DECODE, _DETECT, _DETECT_FAST = 0.26, 0.025, 0.0125  # a video at 720p; a frame, MTCNN
_DRAWN_VIDEO, _DRAWN_FRAME = 0.0055, 0.0165  # of the built-in sample's small videos
_FAST = 39.0  # pixels: `faces.min_face_size: fast`
_PERTURB, _PERTURBED = 2.5e-4, 0.15  # of an image of 80 px; a run
_SMALL = {"manifest": 0.37, "splits": 0.3, "audit": 0.33, "lookalikes": 0.25, "audit_cross": 0.4}
_SMALL |= {"formats": 0.55, "format_probe": 1.2}
_SMALL |= {"slices": 0.9, "slices_listed": 0.55, "track_slices": 0.85, "track_cross": 0.5}
_SMALL |= {"gallery": 0.8, "report": 3.4, "track_report": 0.4, "repeat": 0.2}
_SMALL |= {"external": 0.35, "shards": 0.3}
_OF_CROPS = {"manifest": 1e-5, "splits": 1e-5, "audit": 1e-5, "lookalikes": 3e-5}
_OF_CROPS |= {"formats": 4e-4, "format_probe": 3e-4}
_TRACKED, _TRACKED_START = 0.09, 0.65  # a run
_MEASURED, _RESAMPLED = 0.08, 3e-8  # a run; and its intervals, of each sample and resample
_EXPLAINED, _EXPLAINED_START = 0.16, 3.0  # a row
_SPEED, _SPEED_START = 2.8, 0.8  # a backbone
# What makes an update of a variant cost another time.
_OF_AN_UPDATE = {"tune", "head", "batch_size", "accumulate", "mask_ratio", "encoding", "optimizer"}
_OF_AN_UPDATE |= {"grad_checkpointing", "precision", "ema", "threads"}
ALONE = {"speed", "report", "track_report"}  # nothing of weight runs beside them
_GPU_RULES = {"train", "evaluate", "cross", "robustness", "explain", "speed", "variant"}


class Costs:
    """What each job of the graph costs on a machine.

    Args:
        values: of params.yaml. machine: where its jobs run.
    """

    def __init__(self, values: params.Params, machine: Machine):
        self.values, self.machine = values, machine
        self.runs = values.runs()
        self._samples: dict[str, sample_counts.Samples] = {}
        self._work: dict[tuple[str, str, int], operations.Work] = {}

    def samples(self, task: str) -> sample_counts.Samples:
        """Return what a data set has."""
        if task not in self._samples:
            self._samples[task] = sample_counts.samples(task, self.values)
        return self._samples[task]

    def work(self, run: grid.Run) -> operations.Work:
        """Return what an image, or a clip, of a run costs."""
        frames = self.samples(run.task).clip_frames or 16
        key = run.backbone, run.configuration, frames
        if key not in self._work:
            recipe, size = self.values.recipe(run.configuration), self.values.faces.size
            named, how = grid.parse(run.configuration), grid.tune(recipe.tune)
            self._work[key] = operations.work(
                run.backbone, named, size, recipe.mask_ratio, frames, how
            )
        return self._work[key]

    def row(self, run: grid.Run) -> str:
        """Return what runs of equal cost an update have in common."""
        clips = f" {self.samples(run.task).clip_frames}" if self.is_clip(run) else ""
        own, base = self.values.recipe(run.configuration), self.values.train
        named = grid.parse(run.configuration)
        varied = any(getattr(own, key) != getattr(base, key) for key in _OF_AN_UPDATE)
        slug = replace(named, lambda_cls=None).slug if varied else named.shared.slug
        return f"{run.backbone} {slug}{clips}"

    @staticmethod
    def is_clip(run: grid.Run) -> bool:
        """Say whether a run reads clips."""
        return run.backbone in grid.VIDEO_ENCODERS

    def probes(self, run: grid.Run) -> bool:
        """Say whether a run reads features of a frozen encoder, which are made once."""
        then = grid.parse(run.configuration).sequential
        return grid.tune(self.values.recipe(run.configuration).tune).kind == "linear" and not then

    def images(self, run: grid.Run) -> sample_counts.Amount:
        """Return the images, or clips, of each split that a run reads.

        A run on blends has each real crop twice; of data of one's own half are taken to be real.
        Of methods each has as many videos as there are real ones.
        """
        images = self.samples(run.task).seen(self.is_clip(run))
        recipe = self.values.recipe(run.configuration)
        methods = getattr(getattr(self.values.datasets, run.task), "methods", None)
        if recipe.methods and methods:
            part = (1 + len(recipe.methods)) / (1 + len(methods))
            images = images._replace(train=int(images.train * part), val=int(images.val * part))
        if recipe.blend == "none":
            return images
        whole = self.samples(run.task).seen(self.is_clip(run)).train
        return images._replace(train=2 * whole // (1 + len(methods or ["one"])))

    def updates(self, run: grid.Run) -> int:
        """Return the updates of an epoch."""
        recipe = self.values.recipe(run.configuration)
        images = int(self.images(run).train * recipe.share)
        return max(1, images // (recipe.batch_size * recipe.accumulate))

    def epochs(self, run: grid.Run) -> dict[str, int]:
        """Return the epochs of each phase of a run."""
        recipe = self.values.recipe(run.configuration)
        return operations.phases(
            grid.parse(run.configuration), recipe.epochs, recipe.pretrain_epochs
        )

    def flops(self, run: grid.Run) -> float:
        """Return the operations of a whole training."""
        recipe, work = self.values.recipe(run.configuration), self.work(run)
        images = self.updates(run) * recipe.batch_size * recipe.accumulate
        again = 4 / 3 if recipe.grad_checkpointing else 1
        if self.probes(run):  # the encoder runs over each crop once, and the head is next to free
            return images * work.inference
        return again * images * sum(work.training[p] * n for p, n in self.epochs(run).items())

    def update(self, run: grid.Run) -> float:
        """Return the seconds of an update, as measured, or by its operations."""
        machine, recipe, work = self.machine, self.values.recipe(run.configuration), self.work(run)
        probes = self.probes(run)
        if (measured := machine.measured.get(self.row(run))) and not probes:
            return measured
        blocks = 0 if probes else work.blocks
        calls = recipe.accumulate * machine.calls(blocks, bool(work.decoder_parameters))
        updates = self.updates(run) * sum(self.epochs(run).values())
        rate = machine.operations(recipe.precision) * machine.devices
        return calls + self.flops(run) / rate / max(1, updates)

    def train(self, run: grid.Run) -> float:
        """Return the seconds of a training, from its start to its weights."""
        updates = self.updates(run) * sum(self.epochs(run).values())
        return updates * self.update(run) + self.train_apart(run)

    def train_apart(self, run: grid.Run) -> float:
        """Return the seconds of a training that are not in its updates."""
        images, epochs = self.images(run), sum(self.epochs(run).values())
        validated = images.val * self.inference(run) * (1 if self.probes(run) else epochs)
        own = _EPOCH
        if self.machine.device == "cpu" and grid.parse(run.configuration).texture:
            own += images.train * _CODES_ONLINE * (self.values.faces.size / 80) ** 2
        return validated + self._core * (self._start + epochs * own)

    def inference(self, run: grid.Run) -> float:
        """Return the seconds of one image in inference, which is float32."""
        rate = self.machine.operations("32-true") * self.machine.devices
        return self.work(run).inference / rate + self._core * 2e-5

    def of(self, rule: str, wildcards: Mapping[str, str]) -> float:
        """Return the seconds of a job: of one core, or of the devices it uses."""
        if rule == "train":
            backbone, configuration = wildcards["backbone"], wildcards["configuration"]
            run = grid.Run(wildcards["task"], backbone, configuration, int(wildcards["seed"]))
            return self.train(run)
        task = wildcards.get("task", "")
        own = getattr(self, f"_{rule}", None)
        if own is not None:
            return own(task)
        crops = self.samples(task).crops if rule in _OF_CROPS else 0
        return self._core * (_SMALL.get(rule, 1.0) + crops * _OF_CROPS.get(rule, 0))

    @property
    def _core(self) -> float:
        """How long a core takes for what are no products, in times of the reference core."""
        return self.machine.core.rest

    @property
    def _start(self) -> float:
        return _START[self.machine.device]

    def share(self, rule: str, wildcards: Mapping[str, str]) -> float:
        """Return what a job adds to the time of the whole: its seconds over jobs at a time."""
        if rule in ALONE:
            return self.of(rule, wildcards)
        on_gpu = self.machine.device != "cpu" and rule in _GPU_RULES
        return self.of(rule, wildcards) / (self.machine.at_once if on_gpu else self.machine.cores)

    def _of_task(self, task: str) -> list[grid.Run]:
        return [run for run in self.runs if run.task == task]

    @cached_property
    def _first(self) -> int:
        return min(self.values.benchmark.seeds)

    def _rows(self, task: str) -> list[grid.Run]:
        """Return the first seed of each row of a task."""
        return [run for run in self._of_task(task) if run.seed == self._first]

    def _sample(self, task: str) -> float:
        return self._core * _DRAW[self.samples(task).videos]

    def _shards(self, task: str) -> int:
        return getattr(self.values.datasets, task).shards

    def _faces(self, task: str) -> float:
        samples = self.samples(task)
        fast = self.values.faces.min_face_size >= _FAST
        frame = _DRAWN_FRAME if samples.drawn else _DETECT_FAST if fast else _DETECT
        video = _DRAWN_VIDEO if samples.drawn else _DECODE
        work, compiled = samples.files.all * _ALIGNED, 0.0
        if samples.videos:
            work = samples.files.all * video + samples.crops * frame
            compiled = self._compiled(self._shards(task))
        return self._core * (_COLD + compiled + work / self._shards(task))

    def _texture(self, task: str) -> float:
        names = self.values.benchmark
        steps = sum(map(self._shards, [*names.tasks, *names.cross]))
        area = (self.values.faces.size / 224) ** 2
        work = self.samples(task).crops * _CODES * area / self._shards(task)
        return self._core * (_CODES_START + self._compiled(steps) + work)

    def _compiled(self, steps: int) -> float:
        """Return each step's part of what those that run first spend on compiling."""
        return _COMPILED * min(self.machine.cores, steps) / steps

    def _evaluate(self, task: str) -> float:
        return self._tested(self._of_task(task), task)

    def _cross(self, task: str) -> float:
        return self._tested(self._of_task(self.values.benchmark.cross[task]), task)

    def _tested(self, runs: list[grid.Run], task: str) -> float:
        clips = map(self.is_clip, runs)
        counts = [self.samples(task).seen(clip).test for clip in clips]
        seconds = sum(n * self.inference(run) for n, run in zip(counts, runs, strict=True))
        again = sum(counts) * self.values.evaluate.resamples * _RESAMPLED
        return seconds + self._core * (self._start + len(runs) * _MEASURED + again)

    def _robustness(self, task: str) -> float:
        own = self.values.robustness
        runs = self._of_task(task) if own.seeds == "all" else self._rows(task)
        times = len(own.perturbations) * len(own.strengths) + 2
        number = min(own.samples or 10**9, self.samples(task).frames.test)
        perturbed = times * number * _PERTURB * (self.values.faces.size / 80) ** 2
        beside = len({run.backbone for run in runs}) * perturbed + len(runs) * _PERTURBED
        seconds = times * number * sum(map(self.inference, runs))
        return seconds + self._core * (self._start + beside)

    def _explain(self, task: str) -> float:
        own, rows = self.values.explain, self._rows(task)
        passes = 3 * own.samples * own.steps + own.points
        beside = self._start + _EXPLAINED_START + len(rows) * _EXPLAINED
        return passes * sum(map(self.inference, rows)) + self._core * beside

    def _speed(self, task: str) -> float:
        names = self.values.benchmark
        clips = names.clip_backbones if names.clip_tasks else []
        backbones = [*names.backbones, *names.baselines, *clips]
        return self._core * (_SPEED_START + _SPEED * len(backbones))

    def _track(self, task: str) -> float:
        return self._core * (_TRACKED_START + _TRACKED * len(self._of_task(task)))
