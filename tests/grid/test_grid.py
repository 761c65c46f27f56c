"""The notation of configurations, the grid of runs, and what its choices must say together."""

from types import SimpleNamespace

import pytest

from lssat import grid
from lssat.params import grid_rules
from lssat.tables import DataError


@pytest.mark.parametrize("texture", ["LDP", "LBP"])
def test_every_configuration_is_read_back_from_text_and_from_paths(texture: str) -> None:
    names = grid.configurations(texture)
    assert len(names) == len(set(names)) == 2 * 3 * 2 * 2 + 2
    for name in names:
        made = grid.parse(name)
        assert made.slug == name
        assert grid.parse(str(made)) == made
        assert made.texture == (texture.lower() if texture in name else None)


def test_the_fields_of_a_configuration() -> None:
    both = grid.parse("MRGB/RRGB+RLDP/CRGB")
    assert (both.masked, both.targets, both.classified) == ("RGB", ("RGB", "LDP"), "RGB")
    assert both.auxiliary
    then = grid.parse("MLDP-RRGB-thenCRGB")
    assert then.sequential
    assert not then.auxiliary
    alone = grid.parse("none/none/CLDP")
    assert (alone.masked, alone.targets, alone.classified) == (None, (), "LDP")
    assert not alone.auxiliary


@pytest.mark.parametrize("value", [0.0, 0.1, 0.25, 1.0, 1e-05, "learned"])
def test_a_configuration_with_a_lambda_of_its_own(value: float | str) -> None:
    made = grid.parse(f"MRGB-RRGB+RLDP-CRGB-lambda{value}")
    assert made.lambda_cls == value
    assert type(made.lambda_cls) is type(value)
    assert made.slug == f"MRGB-RRGB+RLDP-CRGB-lambda{value}"
    assert str(made) == f"MRGB/RRGB+RLDP/CRGB/lambda{value}"
    assert grid.parse(str(made)) == made
    assert made.shared == grid.parse("MRGB-RRGB+RLDP-CRGB")
    assert made.auxiliary


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MRGB-RLDP-CRGB-lambda0.10", "lambda '0.10' becomes a part of paths; write 0.1"),
        ("MRGB-RLDP-CRGB-lambda1", "lambda '1' becomes a part of paths; write 1.0"),
        ("MRGB-RLDP-CRGB-lambda-0.0", "lambda '-0.0' becomes a part of paths; write 0.0"),
        ("MRGB-RLDP-CRGB-lambda1.1", "lambda '1.1' is no number from 0 to 1, nor learned"),
        ("MRGB-RLDP-CRGB-lambdanan", "lambda 'nan' is no number from 0 to 1, nor learned"),
        ("MRGB-RLDP-CRGB-lambda", "lambda '' is no number from 0 to 1, nor learned"),
        ("none-none-CRGB-lambda0.1", "trains no two losses together to weigh; leave the lambda"),
        ("MRGB-RLDP-thenCRGB-lambda0.1", "trains no two losses together to weigh; leave the lam"),
        ("MRGB-RLDP", "is not M<X>-R<Y>-C<Z>, M<X>-R<Y>-thenC<Z> nor none-none-C<Z>"),
        ("MRGB-RHOG-CRGB", "with X, Y, Z in RGB, LDP, LBP"),
        ("MRGB-RLDP+RRGB-CRGB", "the first is RGB, the second a texture"),
        ("MRGB-RLDP+RLDP-CRGB", "the first is RGB, the second a texture"),
        ("MRGB-RLDP-CLBP", "mixes two textures"),
        ("none-none-thenCRGB", "is not M<X>-R<Y>-C<Z>"),
    ],
)
def test_what_is_no_configuration(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".*") as caught:
        grid.parse(name)
    assert said in str(caught.value)


def test_baselines_join_the_grid_with_the_supervised_configuration_only() -> None:
    runs = grid.every_run(["celeba"], ["vit_micro"], ["MRGB-RRGB-CRGB"], [0, 1], ["resnet18"])
    assert [run.path for run in runs] == [
        "celeba/vit_micro/MRGB-RRGB-CRGB/seed0",
        "celeba/vit_micro/MRGB-RRGB-CRGB/seed1",
        "celeba/resnet18/none-none-CRGB/seed0",
        "celeba/resnet18/none-none-CRGB/seed1",
    ]
    assert [grid.Run.of(run.path) for run in runs] == runs


NO_VARIANTS = SimpleNamespace(tasks=[], backbones=[], configurations=[])


@pytest.mark.parametrize("path", ["nope", "a/b/c/3", "a/b/seed3", "a/b/c/seed", "a/b/c/seedx", ""])
def test_what_is_no_path_of_a_run_is_named(path: str) -> None:
    with pytest.raises(DataError, match=r"is no path of a run\. Write <task>/<backbone>/"):
        grid.Run.of(path)


def test_variants_join_the_grid_on_their_own_tasks_only() -> None:
    own = ["MRGB-RLDP-CRGB-lambda0.1", "MRGB-RLDP-CRGB-lambdalearned", "none-none-CRGB+tenth"]
    lists = SimpleNamespace(
        backbones=["vit_micro"], configurations=["none-none-CRGB"], seeds=[3], baselines=[],
        clip_tasks=[], clip_backbones=[],
        variants=SimpleNamespace(tasks=["affectnet"], backbones=["vit_micro"], configurations=own),
        more_variants=NO_VARIANTS,
    )  # fmt: skip
    beside = [f"affectnet/vit_micro/{each}/seed3" for each in own]
    found = [run.path for run in grid.runs_of(lists, ["celeba", "affectnet"], 0.7)]
    assert found[2:] == beside
    assert [grid.Run.of(path).path for path in found] == found
    assert len(grid.runs_of(lists, ["celeba"], 0.7)) == 1


@pytest.mark.parametrize("recipe", [0.5, 1.0, 1, "learned"])
def test_fault_a4_a_run_that_is_named_twice_is_one_run(recipe: float | str) -> None:
    """A configuration with the recipe's lambda as its own, among the variants or in the grid."""
    value = recipe if isinstance(recipe, str) else float(recipe)
    lists = SimpleNamespace(
        backbones=["vit_micro"],
        configurations=["MRGB-RLDP-CRGB", "MLDP-RRGB-CRGB", f"MLDP-RRGB-CRGB-lambda{value}"],
        seeds=[0, 1], baselines=["resnet18"], clip_tasks=[], clip_backbones=[],
        variants=SimpleNamespace(
            tasks=["celeba"], backbones=["vit_micro"],
            configurations=[
                f"{name}-lambda{each}"
                for name in ("MRGB-RLDP-CRGB", "MRGB-RRGB-CRGB")
                for each in (0.1, value)
            ],
        ),
        more_variants=NO_VARIANTS,
    )  # fmt: skip
    assert grid.repeats(lists, recipe) == {
        f"MRGB-RLDP-CRGB-lambda{value}": "MRGB-RLDP-CRGB",
        f"MLDP-RRGB-CRGB-lambda{value}": "MLDP-RRGB-CRGB",
    }
    named, runs = grid.named(lists, ["celeba"]), grid.runs_of(lists, ["celeba"], recipe)
    assert len(named) == 2 * (3 + 1 + 4)
    assert set(named) - set(runs) == {
        run for run in named if run.configuration in grid.repeats(lists, recipe)
    }
    # A lambda of what the grid lacks has nothing that it repeats.
    assert any(run.configuration == f"MRGB-RRGB-CRGB-lambda{value}" for run in runs)


def test_the_patch_size_of_a_timm_vit_is_read_from_its_name() -> None:
    said = grid.backbone_problem("timm:vit_base_patch14_dinov2", 256, 0.75)
    assert said == "256 px is not a multiple of the patch size 14; write 252 or 266"
    assert grid.backbone_problem("timm:vit_base_patch14_dinov2", 224, 0.75) is None
    assert grid.backbone_problem("timm:some_model", 225, 0.75) is None
    assert grid.backbone_problem("resnet18", 225, 0.75) is None


def problems(**changes) -> list[str]:
    sound = {
        "benchmark.backbones": ["vit_base"],
        "benchmark.configurations": ["MRGB-RLDP-CRGB"],
        "benchmark.baselines": [],
        "texture.kind": "ldp",
        "texture.encoding": "code",
        "train.norm_pix_loss": True,
        "train.head": "linear",
        "train.weights": "scratch",
        "train.lambda_cls": 0.7,
        "benchmark.tasks": ["celeba", "ffpp"],
        "benchmark.variants.tasks": ["celeba"],
        "benchmark.variants.backbones": ["vit_base"],
        "benchmark.variants.configurations": [
            "MRGB-RLDP-CRGB-lambda0.1",
            "MRGB-RLDP-CRGB-lambdalearned",
        ],
    }
    values = sound | {key.replace("__", "."): value for key, value in changes.items()}
    if "benchmark__configurations" in changes:  # variants are another matter
        values["benchmark.variants.configurations"] = changes.get(
            "benchmark__variants__configurations"
        )
    if "benchmark__backbones" in changes:
        values["benchmark.variants.backbones"] = changes.get("benchmark__variants__backbones")
    found = grid_rules.problems(lambda *keys: values.get(".".join(keys)))
    return [f"{'.'.join(where)}: {text}" for where, text in found]


def test_sound_choices_have_no_problem() -> None:
    assert problems() == []
    assert problems(train__head="fusion") == []
    assert problems(
        benchmark__baselines=["resnet50"], train__weights={"vit_base": "mae", "resnet50": "timm"}
    ) == []  # fmt: skip
    assert problems(
        benchmark__backbones=["resnet18"], benchmark__configurations=["none-none-CLDP"]
    ) == []  # fmt: skip
    assert problems(
        texture__encoding="bits", benchmark__configurations=["MRGB-RRGB+RLDP-CRGB"]
    ) == []  # fmt: skip
    assert problems(
        benchmark__configurations=["MRGB-RRGB-CRGB", "MRGB-RRGB-CRGB-lambda0.1"],
        # of a configuration that the grid lacks
        benchmark__variants__configurations=["MRGB-RLDP-CRGB-lambda0.7"],
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"benchmark__backbones": ["resnet18"]},
            "benchmark.backbones: resnet18 has no patches to mask, so it cannot run MRGB-RLDP-CRGB;"
            " move it to benchmark.baselines, which run with none-none-CRGB",
        ),
        (
            {
                "benchmark__backbones": ["resnet18"],
                "benchmark__baselines": ["resnet18"],
                "benchmark__configurations": ["none-none-CRGB"],
            },
            "benchmark.baselines: resnet18 is in benchmark.backbones too; leave it once",
        ),
        (
            {
                "train__head": "fusion",
                "benchmark__configurations": ["MRGB-RLDP-CRGB", "MRGB-RLDP-thenCRGB"],
            },
            "train.head: fusion joins two branches that are trained together, and "
            "MRGB-RLDP-thenCRGB has one; write linear, or leave it out",
        ),
        (
            {"train__head": "fusion", "benchmark__baselines": ["resnet18"]},
            "train.head: fusion joins two branches that are trained together, and resnet18 has "
            "one; write linear, or leave it out",
        ),
        (
            {"train__tune": "linear"},
            "train.tune: linear freezes the encoder, so that MRGB-RLDP-CRGB would reconstruct for "
            "nothing; write none-none-CRGB, or MRGB-RLDP-thenCRGB, which is frozen after its "
            "phase of reconstruction",
        ),
        (
            {
                "train__tune": "linear",
                "train__layer_decay": 0.7,
                "benchmark__configurations": ["none-none-CRGB"],
                "benchmark__variants__configurations": [],
            },
            "train.layer_decay: 0.7 lowers the rates below the head, and tune: linear trains the "
            "head alone; write 1.0",
        ),
        *(
            (
                {
                    "train__tune": "linear",
                    f"train__{key}": value,
                    "benchmark__configurations": ["none-none-CRGB", "MRGB-RLDP-thenCRGB"],
                    "benchmark__variants__configurations": [],
                },
                f"train.{key}: {said} changes the crops, and tune: linear computes the features "
                f"of each once; write {still}",
            )
            for key, value, said, still in (
                ("hflip", True, "true", "false"),
                ("crop", 0.5, "0.5", "1.0"),
                ("rand_augment", 9.0, "9.0", "0.0"),
                ("erase", 0.1, "0.1", "0.0"),
                ("mixup", 0.2, "0.2", "0.0"),
            )
        ),
        (
            {"train__tune": "lora", "benchmark__configurations": ["MRGB-RRGB-thenCRGB"]},
            "train.tune: lora: MRGB-RRGB-thenCRGB trains the encoder itself before its adapters "
            "would come; write full, linear, norm or blocks:<k>",
        ),
        (
            {"train__tune": "blocks:13"},
            "train.tune: vit_base has 12 blocks; write blocks:12 or less",
        ),
        (
            {"train__tune": "lora:4", "benchmark__baselines": ["xception"]},
            "train.tune: xception has no attention to adapt; write full, linear or norm, or leave "
            "it out",
        ),
        (
            {"benchmark__variants__tasks": ["celeba", "affectnet"]},
            "benchmark.variants.tasks: affectnet is not in benchmark.tasks; add it there too",
        ),
        (
            {"benchmark__variants__backbones": ["vit_large"]},
            "benchmark.variants.backbones: vit_large is no ViT of benchmark.backbones or "
            "benchmark.clip_backbones; add it there too, or leave it out",
        ),
        (
            {
                "benchmark__variants__backbones": ["videomae_mini"],
                "benchmark__clip_tasks": ["ffpp"],
                "benchmark__clip_backbones": ["videomae_mini"],
                "datasets__ffpp__clips": 1,
            },
            "benchmark.variants.backbones: videomae_mini reads clips, and celeba is not in "
            "benchmark.clip_tasks; leave one of them out",
        ),
        (
            {
                "benchmark__configurations": ["MRGB-RLDP-CRGB-lambda0.1"],
                "benchmark__variants__configurations": ["MRGB-RLDP-CRGB-lambda0.1"],
            },
            "benchmark.variants.configurations: MRGB-RLDP-CRGB-lambda0.1 is in "
            "benchmark.configurations too, and DVC keeps a run in one stage; leave it once",
        ),
        (
            {
                "benchmark__more_variants__tasks": ["ffpp", "celeba"],
                "benchmark__more_variants__backbones": ["vit_base"],
                "benchmark__more_variants__configurations": ["MRGB-RLDP-CRGB-lambda0.1"],
            },
            "benchmark.more_variants.configurations: celeba/vit_base/MRGB-RLDP-CRGB-lambda0.1 is "
            "in benchmark.variants too, and DVC keeps a run in one stage; leave it once",
        ),
        (
            {"benchmark__variants__configurations": ["MLBP-RRGB-CRGB-lambda0.5"]},
            "texture.kind: MLBP-RRGB-CRGB needs lbp; write lbp or drop it (found 'ldp')",
        ),
        (
            {"texture__encoding": "bits"},
            "train.norm_pix_loss: true does nothing: with texture.encoding bits every target is "
            "binary planes, which are not normalised; write false",
        ),
        (
            {"train__encoding": "bits"},
            "train.norm_pix_loss: true does nothing: with train.encoding bits every target is "
            "binary planes, which are not normalised; write false",
        ),
        (
            {"texture__kind": "lbp"},
            "texture.kind: MRGB-RLDP-CRGB needs ldp; write ldp or drop it (found 'lbp')",
        ),
        (
            {"train__weights": {"vit_base": "mae", "vit_tiny": "scratch"}},
            "train.weights: names vit_tiny, which the grid does not run; remove",
        ),
        (
            {"train__weights": "mae", "benchmark__baselines": ["resnet18"]},
            "train.weights: mae has no weights for resnet18; MAE released vit_base, vit_large, "
            "vit_huge14; use one of them, scratch, or a safetensors file",
        ),
        (
            {"train__weights": {"vit_base": "timm"}},
            "train.weights: timm has no weights for vit_base, which has fixed positions; name such"
            " a backbone timm:<name of the model>",
        ),
        (
            {"train__weights": {"vit_base": "mae"}, "benchmark__baselines": ["resnet18"]},
            "train.weights: names no weights for resnet18; add a line for each",
        ),
    ],
)  # fmt: skip
def test_choices_that_contradict_each_other_are_named(changes: dict, said: str) -> None:
    assert problems(**changes) == [said]
