"""Baselines that are trained on real faces and what is blended of them: `train.blend`."""

# Self-blended images (2204.08376) and Face X-ray (1912.13458); lssat/data/blending makes them.
BLENDS = ("sbi", "xray")
