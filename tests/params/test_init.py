"""`lssat init`: a preset with other roots, every other byte kept."""

import difflib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers import ROOT
from ruamel.yaml import YAML

from lssat import params
from lssat.params import init
from lssat.tables import DataError

SETS = ("ffpp", "celeba", "affectnet")
CROSS = ("celebdf", "dfdc", "dfd", "ffpp_c40")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a project with its presets, and folders to name as roots."""
    (tmp_path / "presets").symlink_to(ROOT / "presets")
    for name in SETS:
        (tmp_path / "raw" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(preset: str, *names: str, **options) -> params.Params:
    roots = {name: Path("raw", name) for name in names}
    return init.write(preset, roots, Path("params.yaml"), **options)[0]


def refused(preset: str, *names: str) -> str:
    with pytest.raises(DataError) as caught:
        write(preset, *names)
    return str(caught.value)


def changed() -> tuple[list[str], list[str]]:
    """Lines of presets/paper.yaml that are gone, and lines that came instead."""
    old, new = Path("presets/paper.yaml").read_text(), Path("params.yaml").read_text()
    difference = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    return (
        [line[2:] for line in difference if line.startswith("- ")],
        [line[2:] for line in difference if line.startswith("+ ")],
    )


def test_all_roots_given_change_three_lines_and_nothing_else() -> None:
    loaded = write("paper", *SETS)
    gone, come = changed()
    assert len(gone) == len(come) == 3
    assert [line.split("#")[0].rstrip() for line in come] == [
        f"    root: raw/{name}" for name in SETS
    ]
    assert loaded.benchmark == params.load("presets/paper.yaml").benchmark


def test_a_task_without_a_root_goes_with_its_section() -> None:
    loaded = write("paper", "celeba")
    gone, come = changed()
    assert loaded.benchmark.tasks == ["celeba"]
    assert loaded.datasets.ffpp is loaded.datasets.affectnet is None
    whole = params.load("presets/paper.yaml")
    assert loaded.datasets.celeba == whole.datasets.celeba.model_copy(update={"root": "raw/celeba"})
    for name in ("faces", "texture", "splits", "train", "evaluate", "tracking", "report"):
        assert getattr(loaded, name) == getattr(whole, name)
    assert [line.split("#")[0].rstrip() for line in come] == [
        "  tasks: [celeba]",
        "    tasks: [celeba]",  # of the variants
        "    root: raw/celeba",
    ]
    # No line of another section is lost, comments included.
    text = Path("presets/paper.yaml").read_text()
    part = text[text.index("\ndatasets:") : text.index("\nfaces:")]
    assert set(gone) - set(part.splitlines()) == {
        line for line in text.splitlines() if line.strip().startswith("tasks:")
    }


def test_a_list_with_a_line_for_each_item_is_edited_as_well() -> None:
    text = "benchmark:\n  tasks:\n    - a\n    - b\n  # next\n  variants:\n    tasks:\n      - a\n"
    text += "    backbones:\n      - c\n# end\n"
    text += "datasets:\n  a:\n    root: x\n  b:\n    root: y\nslices:\n  lists: {}\n"
    made = yaml.safe_load(init.edit(text, {"b": Path("z")}))
    beside = {"tasks": [], "backbones": []}
    assert made["benchmark"] == {"tasks": ["b"], "variants": beside}
    assert "  # next\n" in init.edit(text, {"b": Path("z")})


def test_variants_none_of_whose_tasks_is_left_are_emptied() -> None:
    text = Path("presets/paper.yaml").read_text()
    text = text.replace("    tasks: [ffpp, celeba, affectnet]", "    tasks: [ffpp]")
    Path("params.yaml").write_text(init.edit(text, {"celeba": Path("raw/celeba")}))
    loaded = params.load("params.yaml")
    assert not any(items for _, items in loaded.benchmark.variants)
    assert loaded.benchmark.tasks == ["celeba"]


def test_slices_of_a_task_without_a_root_are_left_out() -> None:
    whole = params.load("presets/paper.yaml").slices
    assert write("paper", "celeba").slices == whole
    Path("params.yaml").unlink()
    loaded = write("paper", "ffpp", "affectnet")
    assert loaded.slices == whole.model_copy(update={"attributes": {}})
    line = next(line for line in changed()[1] if "attributes" in line)
    assert line == "  attributes: {}   # [ours]"


def test_comments_below_a_dropped_section_stay() -> None:
    text = "benchmark:\n  tasks: [a, b]  # both\n  variants:\n    tasks: [b]\n"
    text += "datasets:\n  a:\n    root: x  # of a\n"
    text += "    more:\n      - 1\n      - 2   # last of a\n  # of b\n  b:\n    root: y  # of b\n"
    text += "slices:\n  attributes: {a: [x, y]}  # of a\n"
    assert init.edit(text, {"b": Path("/new/b")}) == (
        "benchmark:\n  tasks: [b]  # both\n  variants:\n    tasks: [b]\n"
        "datasets:\n  # of b\n  b:\n    root: /new/b  # of b\n"
        "slices:\n  attributes: {}  # of a\n"
    )


ODD = ["no", "010", "1e4", "a b", "it's", 'say "x"', "x #y", "a: b", "~", "null", "*", "ü", "a\\b"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_of_folders_are_read_back_by_both_readers(name: str) -> None:
    Path(name).mkdir()
    # "~" is a folder here, not the user's home
    loaded, _ = init.write("paper", {"celeba": Path("raw/..", name)}, Path("params.yaml"))
    assert Path(loaded.datasets.celeba.root) == Path("raw/..", name)
    text = Path("params.yaml").read_text()
    assert yaml.safe_load(text) == YAML(typ="safe").load(text)
    plain = init.edit(text, {"celeba": Path(name)})
    assert yaml.safe_load(plain)["datasets"]["celeba"]["root"] == name
    assert YAML(typ="safe").load(plain)["datasets"]["celeba"]["root"] == name


def test_data_sets_that_are_only_tested_on_are_added_as_ffpp_is_read() -> None:
    for name in CROSS:
        Path("raw", name).mkdir()
    loaded = write("paper", *SETS, *CROSS)
    whole = params.load("presets/paper.yaml")
    assert loaded.benchmark.cross == dict.fromkeys(CROSS, "ffpp")
    assert loaded.benchmark.tasks == whole.benchmark.tasks
    assert whole.datasets.ffpp is not None
    for name in CROSS:
        section = getattr(loaded.datasets, name)
        own = whole.datasets.ffpp.model_dump()
        want = {key: own[key] for key in type(section).model_fields} | {"root": f"raw/{name}"}
        assert section.model_dump() == want
    gone, come = changed()
    assert len(gone) == 4  # three roots and the list
    assert "  celebdf:" in come
    assert "    frames: 32                     # [ours] the field's protocol" in come


def test_a_key_that_ffpp_has_not_is_there_to_be_edited() -> None:
    for name in ("df40", "dfeval"):
        Path("raw", name).mkdir()
    loaded = write("paper", *SETS, "df40", "dfeval")
    assert loaded.datasets.df40.sets == ["simswap_ff"]
    assert (loaded.datasets.dfeval.part, loaded.datasets.dfeval.frames) == ("all", 32)


def test_tested_only_needs_the_task_whose_runs_are_tested() -> None:
    Path("raw/dfdc").mkdir()
    assert refused("paper", "celeba", "dfdc") == (
        "presets/paper.yaml: dfdc is tested with the runs of ffpp, whose folder was not given. "
        "Add --ffpp DIR."
    )


def test_the_sample_preset_is_copied_and_takes_no_folders() -> None:
    write("sample")
    assert Path("params.yaml").read_bytes() == Path("presets/sample.yaml").read_bytes()
    assert "presets/sample.yaml: draws its own data sets and takes no folders. Leave" in refused(
        "sample", "ffpp"
    )


def test_an_edited_params_yaml_is_never_replaced_without_force() -> None:
    write("sample")
    write("paper", *SETS)  # an unchanged preset may go
    mine = Path("params.yaml").read_bytes()
    assert refused("paper", "celeba") == (
        "params.yaml: is there already and differs from every preset. "
        "Add --force to replace it (it is then kept as params.yaml.bak), or --out for another "
        "file."
    )
    assert Path("params.yaml").read_bytes() == mine
    write("paper", "celeba", force=True)
    assert params.load("params.yaml").benchmark.tasks == ["celeba"]
    assert Path("params.yaml.bak").read_bytes() == mine


def test_case_05_a_root_that_is_no_folder() -> None:
    Path("raw/ffpp").rmdir()
    assert refused("paper", *SETS) == (
        "init: --ffpp raw/ffpp is not a folder. Give the root of each raw tree; nothing was "
        "written."
    )
    assert not Path("params.yaml").exists()


@pytest.mark.parametrize("before", [None, "sample", "edited"])
def test_fault_b7_absent_folders_are_refused_in_one_message(before: str | None) -> None:
    text = Path("presets/sample.yaml").read_text() + ("# mine\n" if before == "edited" else "")
    if before:
        Path("params.yaml").write_text(text)
    Path("raw/file").touch()
    roots = {
        "ffpp": Path("/nonexistent"),
        "celeba": Path("raw/celeba"),
        "affectnet": Path("raw/file"),
    }
    for force in (False, True):
        with pytest.raises(DataError) as caught:
            init.write("paper", roots, Path("params.yaml"), force)
        assert str(caught.value) == (
            "init: --ffpp /nonexistent, --affectnet raw/file are not folders. Give the root of "
            "each raw tree; nothing was written."
        )
        assert (Path("params.yaml").read_text() if before else text) == text
    assert not list(Path().glob("params.yaml.*"))


@pytest.mark.parametrize("preset", ["sample", "paper", "ssat", "field"])
def test_fault_b7_an_unedited_preset_is_replaced_with_a_word(preset: str) -> None:
    """Right after a clone the repository's own params.yaml stands there."""
    Path("params.yaml").write_bytes(Path(f"presets/{preset}.yaml").read_bytes())
    program = [sys.executable, "-m", "lssat", "init", "--preset", "paper", "--celeba", "raw/celeba"]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == (
        f"it replaced the unedited presets/{preset}.yaml, which is still there"
    )
    assert params.load("params.yaml").benchmark.tasks == ["celeba"]


def test_fault_b7_nothing_that_was_edited_is_lost() -> None:
    for number, name in enumerate(("", "2", "3")):
        Path("params.yaml").write_text(f"# {number}\n")
        assert f"(it is then kept as params.yaml.bak{name})" in refused("paper", "celeba")
        roots = {"celeba": Path("raw/celeba")}
        _, word = init.write("paper", roots, Path("params.yaml"), force=True)
        assert word == f"what stood there is kept as params.yaml.bak{name}"
        assert Path(f"params.yaml.bak{name}").read_text() == f"# {number}\n"
    with pytest.raises(DataError, match=r"paper\.yaml: is among the presets, which stay as they"):
        init.write("paper", roots, Path("presets/paper.yaml"), force=True)


def test_no_folder_and_unknown_preset() -> None:
    assert "needs the folder of a data set, and none was given. Give at least one of --ffpp" in (
        refused("paper")
    )
    assert "presets: has no preset 'papre'. Choose of " in refused("papre", "ffpp")


def test_elsewhere_than_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path / "raw")
    assert "Run this in the project's folder, beside its Snakefile." in refused("paper", "ffpp")


@pytest.mark.slow
def test_the_command_says_what_is_left_out_and_what_comes_next() -> None:
    program = [sys.executable, "-m", "lssat", "init", "--preset", "paper"]
    done = subprocess.run(
        [*program, "--ffpp", "raw/ffpp"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "params.yaml: preset paper, tasks ffpp: 78 runs",
        "left out, for want of --celeba --affectnet: celeba, affectnet",
        "next:",
        "  lssat doctor   # looks the data over before anything runs",
        "  lssat plan     # how long, how much disk, is all there?",
        "  make           # runs everything",
    ]
    again = subprocess.run(
        [*program, "--celeba", "raw/celeba"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert again.stderr.startswith("params.yaml: is there already and differs")


@pytest.mark.parametrize("preset", ["paper", "ssat", "field"])
def test_small_makes_a_trial_of_any_preset(preset: str) -> None:
    Path("raw/celebdf").mkdir()
    whole = write(preset, *SETS, "celebdf")
    text = Path("params.yaml").read_text()
    trial = write(preset, *SETS, "celebdf", force=True, trial=True)
    assert trial.benchmark.tasks == whole.benchmark.tasks
    assert trial.benchmark.cross == {"celebdf": "ffpp"}
    assert trial.benchmark.configurations == whole.benchmark.configurations
    assert trial.train.optimizer == whole.train.optimizer
    configurations = len(whole.benchmark.configurations)
    assert len(trial.runs()) == len(SETS) * configurations
    assert [each.limit for _, each in trial.datasets if each] == [5, 10, 10, 5]
    assert [each.shards for _, each in trial.datasets if each] == [1, 1, 1, 1]
    assert (trial.train.epochs, trial.train.weights, trial.faces.size) == (1, "scratch", 80)
    # Each other line is the preset's, and what is small says what the preset has.
    new = Path("params.yaml").read_text().splitlines()
    old = text.splitlines()
    assert all("small" in line for line in new if line not in old)
    assert f"  epochs: 1   # small; the preset: {whole.train.epochs}" in "\n".join(new)
    assert write(preset, *SETS, "celebdf", force=True) == whole


def test_small_is_an_option_of_the_command() -> None:
    program = [sys.executable, "-m", "lssat", "init", "--preset", "paper", "--celeba", "raw/celeba"]
    done = subprocess.run([*program, "--small"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "params.yaml: preset paper, tasks celeba: 6 runs"
    assert (
        "few samples of each data set, a trial; without --small it is the long run" in done.stdout
    )
