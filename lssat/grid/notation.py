"""The notation of configurations: what is seen and reconstructed, and the variant of the recipe."""

import itertools
import re
from dataclasses import dataclass, replace

INPUTS = ("RGB", "LDP", "LBP")  # RGB and the textures, each a module of lssat/texture/kinds
TEXTURES = INPUTS[1:]
LEARNED = "learned"
BASE = "base"
EXTERNAL = "external"  # of rows whose scores another program made (`benchmark.external`)
_NOTATION = re.compile(
    r"(?:M(\w+)[/-]R(\w+)(?:\+R(\w+))?[/-](then)?C(\w+)|none[/-]none[/-]C(\w+))"
    r"(?:[/-]lambda([^\s+]*))?(?:\+(\S*))?"
)
_VARIANT = re.compile(r"[A-Za-z0-9_]+")  # a part of paths, and of a key for DVC


@dataclass(frozen=True)
class Configuration:
    """What the masked branch sees (M), the decoder reconstructs (R), the classifier sees (C).

    `masked` is None and `targets` empty for supervised training without the auxiliary task.
    Two targets are reconstructed at once, with a decoder head each. `sequential` is what SSAT
    (2310.20704) compares itself with: the masked autoencoder is trained first, alone, and then
    its encoder is fine-tuned by classification alone. `lambda_cls` is the configuration's own
    weight of the classification loss, in place of `train.lambda_cls`; None where it has none.
    `variant` names the changes of the recipe that it is trained with (`variants` of params.yaml);
    None: the recipe as it is.
    """

    masked: str | None
    targets: tuple[str, ...]
    classified: str
    sequential: bool = False
    lambda_cls: float | str | None = None
    variant: str | None = None

    def __str__(self) -> str:
        if self.external:
            return EXTERNAL
        varied = "" if self.variant is None else f"+{self.variant}"
        if self.masked is None:
            return f"none/none/C{self.classified}{varied}"
        targets = "+".join(f"R{target}" for target in self.targets)
        own = "" if self.lambda_cls is None else f"/lambda{self.lambda_cls}"
        return f"M{self.masked}/{targets}/{'then' * self.sequential}C{self.classified}{own}{varied}"

    @property
    def slug(self) -> str:
        """The spelling for paths: `MRGB-RLDP-CRGB`."""
        return str(self).replace("/", "-")

    @property
    def external(self) -> bool:
        """Whether another program made the scores: what it saw is not known here."""
        return self.classified == EXTERNAL

    @property
    def auxiliary(self) -> bool:
        """Whether classification and reconstruction are trained together."""
        return self.masked is not None and not self.sequential

    @property
    def shared(self) -> "Configuration":
        """The same with the recipe as it is: no lambda_cls of its own, and no variant."""
        return replace(self, lambda_cls=None, variant=None)

    @property
    def texture(self) -> str | None:
        """The texture kind that the configuration needs (`ldp`, `lbp`), or None."""
        kinds = {self.masked, *self.targets, self.classified} - {"RGB", EXTERNAL, None}
        return min(kinds).lower() if kinds else None  # type: ignore[union-attr, type-var]


def parse(text: str) -> Configuration:
    """Parse a configuration, with `/` as in text or `-` as in paths.

    `MRGB/RLDP/CRGB`; `MRGB/RRGB+RLDP/CRGB` reconstructs both; `MRGB/RRGB/thenCRGB` trains the
    masked autoencoder first, the classifier after it; `none/none/CRGB` is supervised only.
    `MRGB/RLDP/CRGB/lambda0.1` has a lambda_cls of its own, a number or `learned`.
    `MRGB/RLDP/CRGB+tenth` is trained with the variant `tenth` of the recipe. `external` is no
    configuration of ours: another program made the scores.

    Raises:
        ValueError: another spelling, an unknown input, two texture kinds in one, a lambda where
            no two losses are trained together, or a variant that has no name.
    """
    if text == EXTERNAL:
        return Configuration(None, (), EXTERNAL)
    match = _NOTATION.fullmatch(text)
    masked, first, second, then, classified, alone, own, variant = (
        match.groups() if match else (None,) * 8
    )
    fields = [field for field in (masked, first, second, classified, alone) if field]
    if not match or not set(fields) <= set(INPUTS):
        raise ValueError(
            f"{text!r} is not M<X>-R<Y>-C<Z>, M<X>-R<Y>-thenC<Z> nor none-none-C<Z> with X, Y, Z "
            f"in {', '.join(INPUTS)}; Y may be two: RRGB+RLDP"
        )
    if len(set(fields) - {"RGB"}) > 1:
        raise ValueError(f"{text!r} mixes two textures; use one of them")
    if second and (first != "RGB" or second == "RGB"):
        raise ValueError(f"{text!r} names two targets: the first is RGB, the second a texture")
    targets = tuple(target for target in (first, second) if target)
    if variant is not None and (problem := variant_problem(variant)):
        raise ValueError(f"{text!r}: {problem}")
    if own is None:
        seen = str(classified or alone)
        return Configuration(masked, targets, seen, bool(then), variant=variant)
    if alone or then:
        raise ValueError(f"{text!r} trains no two losses together to weigh; leave the lambda out")
    return Configuration(masked, targets, str(classified), lambda_cls=share(own), variant=variant)


def variant_problem(name: str) -> str | None:
    """Say what is wrong with the name of a variant, which becomes a part of paths."""
    if name == BASE:
        return f"{BASE} is the recipe as it is, and always in the grid; leave it out"
    if not _VARIANT.fullmatch(name):
        return f"a variant's name is of letters, digits and _ (found {name!r})"
    return None


def share(text: str) -> float | str:
    """Read a lambda_cls as it stands in paths: a number as Python writes it, or `learned`.

    Raises:
        ValueError: it is neither, lies outside [0, 1], or is spelt in another way, which would be
            another path for the same run.
    """
    if text == LEARNED:
        return text
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise ValueError(f"lambda {text!r} is no number from 0 to 1, nor {LEARNED}")
    if text != (spelt := str(value + 0.0)):  # without the sign of -0.0
        raise ValueError(f"lambda {text!r} becomes a part of paths; write {spelt}")
    return value


def configurations(texture: str) -> list[str]:
    """List all configurations over RGB and one texture (`LDP`, `LBP`), as spelt in paths."""
    both = ("RGB", texture)
    targets = ("RRGB", f"R{texture}", f"RRGB+R{texture}")
    triples = itertools.product(both, targets, ("C", "thenC"), both)
    auxiliary = [f"M{masked}-{target}-{c}{seen}" for masked, target, c, seen in triples]
    return [*auxiliary, *(f"none-none-C{seen}" for seen in both)]
