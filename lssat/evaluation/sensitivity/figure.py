"""The figure of sensitivity: the metric against the margin and against the frames, as SVG."""

from typing import IO, Any


def write(file: IO[bytes], content: dict[str, Any]) -> None:
    """Draw a panel for each thing varied, a line for each backbone and configuration."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(row["varied"] for row in content["rows"]))
    # Fixed ids: the same results give the same bytes.
    with mpl.rc_context({"svg.hashsalt": "lssat", "svg.fonttype": "none"}):
        drawn = Figure(figsize=(3.6 * len(kinds) + 1.8, 3.2), layout="constrained")
        for place, kind in enumerate(kinds, start=1):
            _panel(drawn.add_subplot(1, len(kinds), place), kind, content["rows"])
        drawn.legend(
            *drawn.axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=6
        )
        drawn.savefig(file, format="svg", metadata={"Date": None})


def _panel(axes: Any, kind: str, rows: list[dict[str, Any]]) -> None:
    lines: dict[str, list[dict]] = {}
    for row in rows:
        if row["varied"] == kind and row["mean"] is not None:
            lines.setdefault(f"{row['backbone']} {row['configuration']}", []).append(row)
    for name, points in lines.items():
        x, y = [p["value"] for p in points], [p["mean"] for p in points]
        (line,) = axes.plot(x, y, marker="o", markersize=3, label=name)
        ends = [(p["value"], p["low"], p["high"]) for p in points if p["low"] is not None]
        if ends:
            at, low, high = zip(*ends, strict=True)
            axes.fill_between(at, low, high, alpha=0.12, color=line.get_color(), linewidth=0)
    values = sorted({row["value"] for row in rows if row["varied"] == kind})
    axes.set_xticks(values, [f"{value:g}" for value in values])
    first = next(row for row in rows if row["varied"] == kind)
    axes.axvline(first["default"], color="0.6", linewidth=0.8, linestyle=":")
    axes.set_xlabel({"margin": "margin of the crop", "frames": "frames per video"}[kind])
    axes.set_ylabel(f"{first['level']} {first['metric']}")
