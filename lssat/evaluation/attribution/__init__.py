"""Where a model looks: maps over the images that its classifier is given.

Attention rollout estimates how much of each patch reaches the head, through the attention of all
blocks; it knows neither the head nor the class. Integrated gradients estimate how much each pixel
raises or lowers one logit. docs/explain.md explains what neither can show.
"""

from lssat.evaluation.attribution.attention import reach, rollout, why_not
from lssat.evaluation.attribution.pixels import TOLERANCE, gap, gradients, integrated
from lssat.evaluation.overlay import overlay

__all__ = ["TOLERANCE", "gap", "gradients", "integrated", "overlay", "reach", "rollout"]
__all__ += ["why_not"]
