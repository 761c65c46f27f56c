"""Every metric against scikit-learn, by hand where it has none, and in the odd cases."""

import numpy as np
import pytest
from sklearn import metrics as sk

from lssat import metrics

RNG = np.random.default_rng(7)


def _binary(n: int = 83) -> tuple[np.ndarray, np.ndarray]:
    labels = (RNG.random(n) < 0.7).astype(int)
    scores = np.clip(0.25 * labels + RNG.random(n) * 0.75, 0, 1).round(2)  # rounded: ties
    return labels, scores


def _multilabel(n: int = 71) -> tuple[np.ndarray, np.ndarray]:
    labels = (RNG.random((n, 5)) < [0.1, 0.5, 0.9, 0.3, 0.6]).astype(int)
    return labels, np.clip(0.3 * labels + 0.7 * RNG.random((n, 5)), 0, 1).round(2)


def _multiclass(n: int = 90, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    labels = RNG.permutation(np.arange(n) % classes)
    logits = RNG.normal(size=(n, classes)) + 1.2 * np.eye(classes)[labels]
    return labels, metrics.probabilities("multiclass", logits)


def _eer(labels: np.ndarray, scores: np.ndarray) -> float:
    """Bisect the piecewise linear ROC curve of scikit-learn for FPR = 1 - TPR."""
    fpr, tpr, _ = sk.roc_curve(labels, scores)
    length = np.append(0, np.cumsum(np.hypot(np.diff(fpr), np.diff(tpr))))
    low, high = 0.0, length[-1]
    for _ in range(80):
        mid = (low + high) / 2
        above = np.interp(mid, length, fpr) + np.interp(mid, length, tpr) >= 1
        low, high = (low, mid) if above else (mid, high)
    return float(np.interp(high, length, fpr))


def test_binary_equals_scikit_learn():
    for _ in range(20):
        labels, scores = _binary()
        found, chosen = metrics.measure("binary", labels, scores), scores >= 0.5
        fpr, tpr, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
        expected = {
            "auc": sk.roc_auc_score(labels, scores),
            "ap": sk.average_precision_score(labels, scores),
            "accuracy": sk.accuracy_score(labels, chosen),
            "balanced_accuracy": sk.balanced_accuracy_score(labels, chosen),
            "tpr_at_fpr01": tpr[fpr <= 0.01].max(),
            "eer": _eer(labels, scores),
        }
        assert found.pop("notes") == {}
        assert found == pytest.approx(expected, abs=1e-12)


def test_eer_by_hand():
    # ROC: (0, 0) (0, 0.5) (0.25, 0.5) (0.25, 1) ...: FPR = 1 - TPR at FPR 0.25, TPR 0.75.
    labels = np.array([1, 1, 0, 1, 1, 0, 0, 0])
    assert metrics.measure("binary", labels, np.linspace(0.9, 0.1, 8))["eer"] == pytest.approx(0.25)
    assert metrics.measure("binary", labels, labels * 1.0)["eer"] == 0
    assert metrics.measure("binary", labels, 1.0 - labels)["eer"] == 1
    assert metrics.measure("binary", labels, labels * 0.0)["eer"] == 0.5


def test_multilabel_equals_scikit_learn_for_each_attribute():
    labels, scores = _multilabel()
    found, chosen = metrics.measure("multilabel", labels, scores), (scores >= 0.5).astype(int)
    by_attribute = {
        "accuracy": (labels == chosen).mean(axis=0),
        "balanced_accuracy": [
            sk.balanced_accuracy_score(y, c) for y, c in zip(labels.T, chosen.T, strict=True)
        ],
        "f1": sk.f1_score(labels, chosen, average=None),
        "auc": sk.roc_auc_score(labels, scores, average=None),
        "ap": sk.average_precision_score(labels, scores, average=None),
    }
    for name, expected in by_attribute.items():
        assert found["each"][name] == pytest.approx(list(expected), abs=1e-12)
        assert found[name] == pytest.approx(np.mean(expected), abs=1e-12)
    assert found["notes"] == {}


def test_constant_attributes_enter_the_mean_accuracy_alone():
    labels, scores = _multilabel()
    labels[:, 0], labels[:, 4] = 0, 1
    found = metrics.measure("multilabel", labels, scores)
    part = metrics.measure("multilabel", labels[:, 1:4], scores[:, 1:4])
    for name in ("balanced_accuracy", "f1", "auc", "ap"):
        assert found["each"][name][0] is found["each"][name][4] is None
        assert found[name] == part[name]
        assert found["notes"][name] == "mean over 3 of 5 attributes; the others are constant here"
    assert found["accuracy"] == pytest.approx(np.mean((scores >= 0.5) == labels))


def test_multiclass_equals_scikit_learn():
    labels, scores = _multiclass()
    chosen = scores.argmax(axis=1)
    found = metrics.measure("multiclass", labels, scores)
    one_vs_rest = [np.mean((labels == k) == (chosen == k)) for k in range(4)]
    expected = {
        "top1": sk.accuracy_score(labels, chosen),
        "macro_f1": sk.f1_score(labels, chosen, average="macro"),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, chosen),
        "mean_ovr_accuracy": np.mean(one_vs_rest),
        "auc": sk.roc_auc_score(labels, scores, multi_class="ovr", average="macro"),
    }
    assert found["notes"] == {}
    assert _numbers(found) == pytest.approx(expected, abs=1e-12)


def test_each_class_against_the_rest_equals_scikit_learn():
    labels, scores = _multiclass()
    chosen, each = scores.argmax(axis=1), metrics.measure("multiclass", labels, scores)["each"]
    precision, recall, f1, _ = sk.precision_recall_fscore_support(labels, chosen)
    assert each["precision"] == pytest.approx(precision.tolist(), abs=1e-12)
    assert each["recall"] == pytest.approx(recall.tolist(), abs=1e-12)
    assert each["f1"] == pytest.approx(f1.tolist(), abs=1e-12)
    auc = [sk.roc_auc_score(labels == k, scores[:, k]) for k in range(4)]
    assert each["auc"] == pytest.approx(auc, abs=1e-12)
    found = metrics.confusion(labels, chosen, 4)
    assert found.tolist() == sk.confusion_matrix(labels, chosen).tolist()


def test_silent_error_mean_one_vs_rest_accuracy_is_called_accuracy():
    labels = np.arange(800) % 8
    chosen = np.where(np.arange(800) < 416, labels, (labels + 1) % 8)  # top-1 of 0.52
    found = metrics.measure("multiclass", labels, np.eye(8)[chosen])
    assert found["top1"] == 0.52
    assert found["mean_ovr_accuracy"] == pytest.approx(0.88)  # the paper's number


def test_shuffled_samples_give_the_same_metrics():
    labels, scores = _multiclass()
    order = RNG.permutation(len(labels))
    shuffled = metrics.measure("multiclass", labels[order], scores[order])
    assert _numbers(metrics.measure("multiclass", labels, scores)) == pytest.approx(
        _numbers(shuffled)
    )


def test_weights_count_samples_twice():
    for kind, (labels, scores) in {
        "binary": _binary(), "multilabel": _multilabel(), "multiclass": _multiclass(),
    }.items():  # fmt: skip
        weights = RNG.integers(0, 4, size=(3, len(labels))).astype(np.uint16)
        found = metrics.prepare(kind, labels, scores)(weights)
        for row, counts in enumerate(weights):
            repeated = metrics.measure(kind, labels.repeat(counts, 0), scores.repeat(counts, 0))
            for name in metrics.NAMES[kind]:
                assert found[name][row] == pytest.approx(repeated[name], abs=1e-12), (kind, name)


def test_evaluate_takes_logits():
    labels, scores = _binary()
    logits = np.log(scores.clip(1e-9, 1 - 1e-9) / (1 - scores.clip(1e-9, 1 - 1e-9)))
    found = metrics.evaluate("binary", labels[:, None], logits[:, None].astype(np.float32))
    assert found["accuracy"] == metrics.measure("binary", labels, scores)["accuracy"]
    assert set(found) == set(metrics.NAMES["binary"])
    averaged = labels[:, None].astype(float)  # labels of videos, as video_scores returns them
    assert metrics.evaluate("binary", averaged, logits[:, None].astype(np.float32)) == found
    for kind, columns in (("multilabel", 5), ("multiclass", 4)):
        labels = _multilabel()[0] if kind == "multilabel" else _multiclass()[0][:, None]
        found = metrics.evaluate(kind, labels, RNG.normal(size=(len(labels), columns)))
        assert tuple(found) == metrics.NAMES[kind]
        assert all(isinstance(value, float) for value in found.values())


def test_probabilities_equal_scipys():
    from scipy.special import expit, softmax

    logits = RNG.normal(size=(40, 6)).astype(np.float32) * 30
    logits[0, 0], logits[1, 0] = 5000, -5000
    kinds = {"multilabel": expit, "multiclass": lambda x: softmax(x, axis=1)}
    for kind, reference in kinds.items():
        expected = reference(logits.astype(float))
        assert metrics.probabilities(kind, logits) == pytest.approx(expected, abs=1e-15)


def test_silent_error_labels_of_minus_one_are_measured():
    with pytest.raises(ValueError, match=r"labels are 0 to 1; found \[-1\]"):
        metrics.measure("multilabel", np.array([[1, -1]]), np.array([[0.5, 0.5]]))
    with pytest.raises(ValueError, match=r"labels are 0 to 2; found \[3\]"):
        metrics.measure("multiclass", np.array([0, 3]), np.full((2, 3), 1 / 3))
    with pytest.raises(ValueError, match="shape"):
        metrics.measure("binary", np.array([0, 1, 1]), np.array([0.5, 0.5]))


def test_silent_error_four_fakes_that_share_an_id_are_one_video():
    methods = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
    ids = [f"{method}/c23/000_003" for method in methods for _ in range(3)]
    values = np.arange(12) / 12
    found, means = metrics.video_scores(ids, values)
    assert found == [f"{method}/c23/000_003" for method in methods]
    assert means == pytest.approx(values.reshape(4, 3).mean(axis=1))


def test_video_scores_keep_the_order_of_first_appearance_and_uneven_counts():
    ids, values = ["b", "a", "b", "c", "b"], np.array([[0.0], [1.0], [0.5], [0.25], [1.0]])
    found, means = metrics.video_scores(ids, values)
    assert found == ["b", "a", "c"]
    assert means.tolist() == [[0.5], [1.0], [0.25]]
    with pytest.raises(ValueError, match="4 ids for 5 values"):
        metrics.video_scores(ids[:4], values)


def test_roc_equals_scikit_learn_and_is_thinned():
    labels, scores = _binary(150)
    fpr, tpr, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    found = metrics.roc(labels, scores)
    assert found["fpr"] == pytest.approx(fpr)
    assert found["tpr"] == pytest.approx(tpr)
    assert found["auc"] == pytest.approx(sk.roc_auc_score(labels, scores))
    thin = metrics.roc(labels, scores, points=20)
    assert len(thin["fpr"]) <= 20
    assert thin["auc"] == found["auc"]
    assert (thin["fpr"][0], thin["tpr"][-1]) == (0, 1)


def test_macro_roc_leaves_constant_columns_out():
    labels, scores = _multilabel(200)
    labels[:, 2] = 1
    found = metrics.roc(labels, scores)
    columns = [0, 1, 3, 4]
    assert found["auc"] == pytest.approx(sk.roc_auc_score(labels[:, columns], scores[:, columns]))
    assert len(found["fpr"]) == 200
    assert np.all(np.diff(found["tpr"]) >= 0)
    assert np.trapezoid(found["tpr"], found["fpr"]) == pytest.approx(found["auc"], abs=0.01)
    assert metrics.roc(np.ones(4), np.ones(4)) == {"fpr": [], "tpr": [], "auc": None}


def test_trivial_is_the_best_constant_of_the_training_labels():
    train, test = np.array([1, 1, 1, 0]), np.array([1, 0, 0, 0, 1])
    found = metrics.trivial("binary", train, test, 1)
    constant = metrics.measure("binary", test, np.ones(5))
    assert {k: found[k] for k in ("auc", "ap", "eer", "accuracy", "balanced_accuracy")} == (
        pytest.approx(
            {k: constant[k] for k in ("auc", "ap", "eer", "accuracy", "balanced_accuracy")}
        )
    )
    labels = RNG.permutation(np.arange(90) % 3)
    found = metrics.trivial("multiclass", np.array([2, 2, 1]), labels, 3)
    assert found == pytest.approx(
        _numbers(metrics.measure("multiclass", labels, np.eye(3)[[2] * 90]))
    )
    labels = _multilabel()[0]
    found = metrics.trivial("multilabel", 1 - labels, labels, 5)
    always = metrics.measure("multilabel", labels, np.ones(labels.shape))
    assert found["f1"] == pytest.approx(always["f1"])
    assert found["ap"] == pytest.approx(always["ap"])
    for name in ("auc", "balanced_accuracy"):
        assert found[name] == always[name] == 0.5
    assert found["accuracy"] == np.mean(labels == (labels.mean(axis=0) < 0.5))


def _numbers(found: dict) -> dict:
    return {name: value for name, value in found.items() if name not in ("notes", "each")}


def test_trivial_of_all_eight_classes_wrong_is_0_781():
    labels = np.arange(80) % 8
    assert metrics.trivial("multiclass", labels, labels, 8)["mean_ovr_accuracy"] == 0.78125
