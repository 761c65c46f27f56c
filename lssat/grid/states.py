"""A state of a task's grid: the set of its runs with their weights."""

import hashlib


def state(weights: dict[str, str]) -> str:
    """Return the digest of a state: run -> sha256 of its weights."""
    lines = "\n".join(f"{run} {digest}" for run, digest in sorted(weights.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def named(weights: dict[str, str]) -> str:
    """Return the name of the parent run of a state: run -> sha256 of its weights."""
    return f"benchmark {state(weights)[:8]}, {len(weights)} runs"
