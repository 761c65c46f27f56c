"""The learning rate of every update: SSAT's and MAE's schedule, from a table."""

import math

import numpy as np
import pytest
import torch
from helpers import ROOT
from helpers.training import view

from lssat import params
from lssat.training import recipe as recipes


def rates(recipe, updates: int, epochs: int) -> list[float]:
    """The learning rate of each update of a phase."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], recipe.lr)
    made = recipes.scheduler(optimizer, recipe, updates, epochs)
    found = []
    for update in range(epochs * updates):
        made.step_update(update)
        found.append(optimizer.param_groups[0]["lr"])
    return found


# By hand: lr 1, min_lr 0.1, two updates an epoch; 0.1 + 0.9 (1 + cos(pi x)) / 2 at x of the rest.
TABLES = [
    # warm-up, epochs: each update's rate
    (2, 4, [0, 0.25, 0.5, 0.75, 1, 0.8681980515, 0.55, 0.2318019485]),
    (1, 3, [0, 0.5, 1, 0.8681980515, 0.55, 0.2318019485]),
    (0, 2, [1, 0.8681980515, 0.55, 0.2318019485]),
    (2, 3, [0, 0.25, 0.5, 0.75, 1, 0.55]),
    (2, 2, [0, 0.25, 0.5, 0.75]),  # nothing but warm-up
    (4, 2, [0, 0.125, 0.25, 0.375]),
]


@pytest.mark.parametrize(("warmup", "epochs", "wanted"), TABLES)
def test_fault_e1_the_cosine_begins_at_the_end_of_the_warm_up(
    warmup: int, epochs: int, wanted: list[float]
) -> None:
    recipe = view(lr=1.0, min_lr=0.1, warmup_epochs=warmup).train
    assert rates(recipe, 2, epochs) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("preset", ["ssat", "paper", "sample", "field"])
@pytest.mark.parametrize("updates", [1, 7, 100])
def test_fault_e1_the_presets_schedules_are_those_of_the_public_code(
    preset: str, updates: int
) -> None:
    """Written anew from what SSAT's code does: rates by epochs and their fractions."""
    recipe = params.load(ROOT / f"presets/{preset}.yaml").train
    recipe = recipe.model_copy(update={"scale_lr": False})
    epoch = np.arange(recipe.epochs * updates) / updates
    warm, rest = recipe.warmup_epochs, recipe.epochs - recipe.warmup_epochs
    fall = (1 + np.cos(np.pi * (epoch - warm) / rest)) / 2
    wanted = recipe.min_lr + (recipe.lr - recipe.min_lr) * fall
    if warm:
        wanted = np.where(epoch < warm, recipe.lr * epoch / warm, wanted)
    found = rates(recipe, updates, recipe.epochs)
    assert found == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-15)
    assert max(found) == pytest.approx(recipe.lr)
    assert found[warm * updates] == pytest.approx(recipe.lr)


def test_fault_e1_the_mean_rate_of_ssats_recipe() -> None:
    """0.5 of the peak in the five epochs of warm-up, and in the 95 of the cosine."""
    recipe = params.load(ROOT / "presets/ssat.yaml").train
    found = rates(recipe, 50, 100)
    assert np.mean(found) / recipe.lr == pytest.approx(0.5 + 0.5 * 1e-3 * 0.95, abs=2e-3)
    assert found[250] == recipe.lr
    assert found[0] == 0


def test_fault_e1_min_lr_is_not_scaled_and_lr_is() -> None:
    """As in the public code: lr = blr * batch / 256, min_lr stands as it is written."""
    recipe = view(lr=1e-3, min_lr=1e-6, batch_size=64, scale_lr=True, warmup_epochs=1).train
    lr = recipe.lr * recipes.scale(recipe)
    assert lr == 2.5e-4
    found = rates(recipe.model_copy(update={"lr": lr}), 10, 5)
    assert max(found) == lr
    last = 1e-6 + (lr - 1e-6) * (1 + math.cos(math.pi * 39 / 40)) / 2
    assert found[-1] == pytest.approx(last)
