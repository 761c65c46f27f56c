"""Rows of a sweep, drawn."""

GROUP = {"backbone": "vit_mini", "configuration": "MRGB/RLDP/CRGB"}


def row(weight: float | str, mean: float, gap: float | None = None, p: float | None = 0.5) -> dict:
    """A row of metrics.json's `sweep` (`scores.sweep`); without a gap it is the reference."""
    found = {"difference": gap, "low": (gap or 0) - 0.1, "high": (gap or 0) + 0.1}
    tests = {"effect": 0.1, "p": p, "p_holm": p, "note": None}
    return {
        **GROUP, "lambda": weight, "level": "image", "metric": "top1", "n": 96, "groups": 16,
        "seeds": [0, 1], "values": [mean, mean], "mean": mean, "low": mean - 0.05,
        "high": mean + 0.05, "baseline": 0.125, "beats_baseline": True, "collapsed": False,
        "note": None, "reference": gap is None,
        "difference": None if gap is None else found | tests,
        "runs": [f"affectnet/vit_mini/MRGB-RLDP-CRGB/seed{k}" for k in (0, 1)],
    }  # fmt: skip
