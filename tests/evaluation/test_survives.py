"""What survives where all samples are re-encoded alike: Fieller's interval, and the pipeline."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm, t
from sklearn.metrics import roc_auc_score

from lssat.evaluation import perturb
from lssat.evaluation.robustness.survives import survival
from lssat.evaluation.scores import measured as core
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.run_group import by_seed
from lssat.params import Evaluate

OPTIONS = Evaluate(resamples=100, confidence=0.95, seed=0, batch_size=8)
RUN = "ffpp/vit_micro/none-none-CRGB/seed0"


def _measured(labels: np.ndarray, scores: np.ndarray) -> Measured:
    ids = [str(i) for i in range(len(labels))]
    by_run = {RUN: 1 / (1 + np.exp(-scores))}
    level = Level("image", "binary", ids, labels, ids, np.array([""] * len(labels)), by_run)
    return core.measured(level, OPTIONS, names=["auc"])


def _draw(rng: np.random.Generator, n: int, clean: float, left: float) -> tuple[Measured, Measured]:
    """Draw scores of which two fifths of the noise are those of the sample, seen in both ways."""
    labels, own = np.arange(n) % 2, rng.normal(0, np.sqrt(0.4), n)
    seen = [d * labels + own + rng.normal(0, np.sqrt(0.6), n) for d in (clean, left)]
    return _measured(labels, seen[0]), _measured(labels, seen[1])


def _survival(clean: Measured, recoded: Measured) -> dict:
    (found,) = survival(by_seed([RUN]), clean, recoded, "auc", 0.5, OPTIONS).values()
    return found


def test_with_one_seed_it_is_fiellers_formula() -> None:
    """The roots of (r - s c)^2 = t^2 Var(r - s c), in closed form."""
    rng, n = np.random.default_rng(1), 200
    for clean, left in ((1.5, 1.0), (2.0, 2.0), (1.0, 0.2)):
        one, two = _draw(rng, n, clean, left)
        c, r = (each.values[RUN]["auc"] - 0.5 for each in (one, two))
        f = np.stack([each.factors[RUN]["auc"] for each in (one, two)])
        (cc, cr), (_, rr) = f @ f.T
        q = t.ppf(0.975, n - 2) ** 2
        ends = np.roots([c * c - q * cc, -2 * (c * r - q * cr), r * r - q * rr])
        found = _survival(one, two)
        assert found["survives"] == pytest.approx(r / c)
        assert found["survives_low"] == pytest.approx(min(ends), abs=1e-5)
        assert found["survives_high"] == pytest.approx(max(ends), abs=1e-5)
        assert found["survives_note"] is None


def test_there_is_no_interval_where_clean_is_hardly_above_chance() -> None:
    labels = np.arange(60) % 2
    rng = np.random.default_rng(0)
    noise = [rng.normal(size=60) for _ in range(40)]
    weak = [x for x in noise if 0.5 < roc_auc_score(labels, x) < 0.55]
    found = _survival(_measured(labels, weak[0]), _measured(labels, noise[0]))
    assert found["survives"] is not None
    assert found["survives_low"] is found["survives_high"] is None
    assert "hardly above" in found["survives_note"]


@pytest.mark.slow
def test_the_interval_covers_what_survives() -> None:
    rng, held, trials = np.random.default_rng(2), 0, 100
    truth = (norm.cdf(0.8 / np.sqrt(2)) - 0.5) / (norm.cdf(1.5 / np.sqrt(2)) - 0.5)
    for _ in range(trials):
        found = _survival(*_draw(rng, 120, 1.5, 0.8))
        held += found["survives_low"] <= truth <= found["survives_high"]
    assert held / trials >= 0.95 - 2.5 * np.sqrt(0.95 * 0.05 / trials)


def test_all_crops_go_through_one_pipeline_whatever_they_were() -> None:
    """Pillow's own resize and JPEG of each; frames of clips alike."""
    imgs = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 48, 3), dtype=np.uint8)
    imgs = np.repeat(np.repeat(imgs[:, :, ::8, ::8], 8, axis=2), 8, axis=3)  # smooth enough
    made = perturb.recode(imgs)
    assert made.shape == imgs.shape
    assert made.dtype == np.uint8
    for image, again in zip(imgs.reshape(-1, 64, 48, 3), made.reshape(-1, 64, 48, 3), strict=True):
        assert np.array_equal(perturb.recode(image[None])[0], again)
        small = perturb._bilinear(image[None], 48, 36)
        enlarged = perturb._bilinear(small, 64, 48)[0]
        buffer = io.BytesIO()
        Image.fromarray(enlarged).save(buffer, "JPEG", quality=75, subsampling="4:2:0")
        assert np.array_equal(np.asarray(Image.open(buffer)), again)
