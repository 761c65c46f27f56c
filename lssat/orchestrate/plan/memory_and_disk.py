"""The memory that a training holds on a device, and the disk that a run from nothing takes."""

from lssat import grid
from lssat.orchestrate.plan.job_seconds import Costs

_OPTIMIZER = {"adamw": 2, "sgd": 1}  # numbers beside each parameter
_BASE_MEMORY = 0.7e9  # bytes of a process with torch
_ARTIFACTS = 0.4e6  # bytes of a run in MLflow, of its reconstructions and logs


def device_memory(costs: Costs, run: grid.Run) -> float:
    """Return the bytes that a training holds on each device."""
    if measured := costs.machine.memories.get(costs.row(run)):
        return measured
    recipe, work = costs.values.recipe(run.configuration), costs.work(run)
    # A gradient, the moments, an average of weights.
    beside = 1 + _OPTIMIZER[recipe.optimizer] + (recipe.ema is not None)
    state = 4 * (_parameters(costs, run) + beside * _trained(costs, run))
    batch = recipe.batch_size / costs.machine.devices
    kept = work.saved / (8 if recipe.grad_checkpointing else 1)
    return _BASE_MEMORY + state + batch * kept * (2 if recipe.precision == "bf16-mixed" else 4)


def disk(costs: Costs) -> dict[str, float]:
    """Return the bytes of what a run leaves, and of the states while it is under way."""
    values, size = costs.values, costs.values.faces.size
    tasks = [*values.benchmark.tasks, *values.benchmark.cross]
    pixels = float(sum(costs.samples(task).crops for task in tasks) * size**2)
    parameters = [_parameters(costs, run) for run in costs.runs]
    beside = _OPTIMIZER[values.train.optimizer] + (values.train.ema is not None)
    moments = [beside * _trained(costs, run) for run in costs.runs]
    states = [2 * own + other for own, other in zip(parameters, moments, strict=True)]
    at_once = sorted(states, reverse=True)[: costs.machine.at_once]
    tested = sum(costs.images(run).test for run in costs.runs)
    return {
        "crops": 3 * pixels,
        "codes": pixels,
        "weights": 4 * sum(parameters),
        "saved states": 2 * 4 * sum(at_once),  # two, with the weights, the best ones, the moments
        "results": 300.0 * tested + _ARTIFACTS * len(parameters) + 2e7,
    }


def _trained(costs: Costs, run: grid.Run) -> float:
    """Return the parameters that an optimizer moves, in the phase that moves the most."""
    work = costs.work(run)
    then = grid.parse(run.configuration).sequential
    return (work.parameters if then else work.trained) + work.decoder_parameters


def _parameters(costs: Costs, run: grid.Run) -> float:
    return costs.work(run).parameters + costs.work(run).decoder_parameters
