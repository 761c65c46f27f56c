"""The built-in sample: official layouts, the same bytes each time, labels that are drawn."""

import json
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest
from helpers import small_sample
from PIL import Image

from lssat.data import sample
from lssat.data.sample import affectnet, celeba, draw, ffpp, head, scene, sources
from lssat.data.sample.landmarks import ALIKE, LANDMARKS, WORN
from lssat.data.splits.assign import halve
from lssat.tables import DataError, read_json, sha256


@pytest.fixture(scope="session", params=sample.TREES)
def drawn(request, sample_trees, tmp_path_factory):
    """Each tree, reduced, drawn again in another folder: name, folder and both inventories."""
    folders = (
        sample_trees[request.param],
        small_sample.draw(request.param, tmp_path_factory.mktemp("again")),
    )
    inventories = [read_json(folder.with_suffix(".json")) for folder in folders]
    return request.param, folders[0], inventories


@pytest.mark.slow
def test_two_calls_write_the_same_bytes(drawn):
    _, _, (once, again) = drawn
    assert once == again
    assert len(once) > 10


def test_the_inventory_lists_every_file_with_its_digest(drawn):
    _, folder, (inventory, _) = drawn
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}
    assert inventory == {name: sha256(path) for name, path in files.items()}


def test_the_layout_is_the_official_one(drawn):
    tree, folder, (inventory, _) = drawn
    check = {"ffpp": _ffpp_layout, "celeba": _celeba_layout, "affectnet": _affectnet_layout}
    check[tree](folder, set(inventory))


def _ffpp_layout(folder: Path, files: set[str]) -> None:
    wanted, people = set(), []
    for split, size in small_sample.PEOPLE.items():
        pairs = json.loads((folder / "splits" / f"{split}.json").read_text())
        assert len(pairs) == size // 2
        assert all(len(name) == 3 for pair in pairs for name in pair)
        wanted.add(f"splits/{split}.json")
        for a, b in pairs:
            people += [a, b]
            wanted |= {f"original_sequences/youtube/c23/videos/{name}.mp4" for name in (a, b)}
            fakes = [f"{a}_{b}.mp4", f"{b}_{a}.mp4"]
            methods = "Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"
            wanted |= {f"manipulated_sequences/{m}/c23/videos/{f}" for m in methods for f in fakes}
    assert files == wanted
    assert len(people) == len(set(people)) == 8
    with av.open(str(folder / next(name for name in sorted(files) if "mp4" in name))) as video:
        stream = video.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 192, 192)
        assert stream.frames == len(list(video.decode(video=0))) == small_sample.FRAMES


def _celeba_layout(folder: Path, files: set[str]) -> None:
    images = [f"{number:06d}.jpg" for number in range(1, 31)]
    lists = {"list_attr_celeba.txt", "list_eval_partition.txt", "identity_CelebA.txt"}
    assert files == lists | {f"img_align_celeba/{name}" for name in images}
    with Image.open(folder / "img_align_celeba/000001.jpg") as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (178, 218))
    attributes = (folder / "list_attr_celeba.txt").read_text().splitlines()
    assert attributes[0] == "30"
    assert tuple(attributes[1].split()) == celeba.ATTRIBUTES
    values = np.array([row.split()[1:] for row in attributes[2:]], int)
    assert values.shape == (30, 40)
    assert set(values.ravel()) == {-1, 1}
    fixed = [name not in celeba.VARYING for name in celeba.ATTRIBUTES]
    assert (values[:, fixed] == -1).all()
    assert sum(fixed) == 26
    splits = _pairs(folder / "list_eval_partition.txt")
    assert [name for name, _ in splits] == [row.split()[0] for row in attributes[2:]] == images
    assert Counter(split for _, split in splits) == {"0": 20, "1": 4, "2": 6}
    people: dict[str, set[str]] = {"0": set(), "1": set(), "2": set()}
    for (_, split), (_, person) in zip(splits, _pairs(folder / "identity_CelebA.txt"), strict=True):
        people[split].add(person)
    assert not people["0"] & people["1"]
    assert not (people["0"] | people["1"]) & people["2"]


def _pairs(path: Path) -> list[list[str]]:
    return [line.split(" ") for line in path.read_text().splitlines()]


def _affectnet_layout(folder: Path, files: set[str]) -> None:
    wanted = set()
    for subset, counts in small_sample.EXPRESSIONS.items():
        codes, _keys = [], ("exp", "val", "aro", "lnd")
        for image in range(sum(counts)):
            wanted.add(f"{subset}/images/{image}.jpg")
            notes = folder / subset / "annotations"
            wanted |= {
                f"{subset}/annotations/{image}_{k}.npy" for k in ("exp", "val", "aro", "lnd")
            }
            text = [np.load(notes / f"{image}_{key}.npy") for key in ("exp", "val", "aro")]
            assert all(each.dtype.kind == "U" and each.shape == (1,) for each in text)
            assert all(-1 <= float(each[0]) <= 1 for each in text[1:])
            landmarks = np.load(notes / f"{image}_lnd.npy")
            assert landmarks.shape == (136,)
            assert landmarks.dtype == np.float64
            codes.append(text[0][0])
        assert Counter(codes) == {str(code): count for code, count in enumerate(counts)}
    assert files == wanted
    with Image.open(folder / "train_set/images/0.jpg") as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (224, 224))


def test_fault_c7_counts_of_the_whole_sample():
    """Half of the people are in the test splits: intervals are as wide as clusters are few."""
    for seed in range(5):
        pairs = ffpp.cast(seed)
        assert {split: 2 * len(each) for split, each in pairs.items()} == ffpp.SIZES
        assert len(pairs["test"]) == 24
        assert Counter(split for split, _ in celeba.cast(seed)) == celeba.IMAGES
        assert len({person for split, person in celeba.cast(seed) if split == "test"}) == 45
        casts = affectnet.casts(seed)
        for subset, counts in affectnet.IMAGES.items():
            codes = Counter(code for code, _ in casts[subset])
            assert [codes[code] for code in range(8)] == list(counts)
        named = dict(affectnet.people(seed)[1])
        assert len(named) == sum(len(cast) for cast in casts.values()) == 240 + 256


@pytest.mark.parametrize("sizes", [tuple(each.values()) for each in (ffpp.SIZES, celeba.PEOPLE, affectnet.PEOPLE)])  # fmt: skip # noqa: E501
@pytest.mark.parametrize("seed", range(20))
def test_no_identity_stands_in_two_splits(sizes, seed):
    splits = sources.divide(seed, sizes)
    assert tuple(map(len, splits)) == sizes
    everyone = [person for split in splits for person in split]
    assert len(everyone) == len(set(everyone))
    assert set(everyone) <= set(range(101))
    for group in ALIKE:  # pictures that may show one person stay together
        assert sum(bool(set(group) & set(split)) for split in splits) <= 1


@pytest.mark.parametrize("seed", [0, 1, 101, 102, 103])
def test_fault_c7_halving_affectnet_parts_its_people(seed):
    """The splits' own rule, which knows nobody, puts no person into both halves of val_set."""
    who, casts = dict(affectnet.people(seed)[1]), affectnet.casts(seed)
    rows = [
        {"id": f"{split}/{image}", "split": split, "labels": [code]}
        for split in ("train", "val")
        for image, (code, _) in enumerate(casts[f"{split}_set"])
    ]
    halved = halve(pa.Table.from_pylist(rows), 0.5, 0)
    found: dict[str, set[int]] = {"train": set(), "val": set(), "test": set()}
    for row, split in zip(rows, halved, strict=True):
        found[split].add(who[row["id"]])
    assert {split: len(people) for split, people in found.items()} == affectnet.PEOPLE
    assert len(set.union(*found.values())) == sum(affectnet.PEOPLE.values())


class TestStrength:
    """Forgeries, attributes and expressions are as marked as their lots say, each image anew."""

    SHARES = (0.0, 0.2, 0.5, 1.0)

    @staticmethod
    def grows(pictures: list[np.ndarray]) -> bool:
        first, *others = (picture.astype(float) for picture in pictures)
        change = [float(np.abs(picture - first).mean()) for picture in others]
        return 0 < change[0] < change[1] < change[2]

    @pytest.mark.parametrize("method", ffpp.METHODS)
    def test_fault_c7_of_a_forgery(self, method):
        own, other = (head.face(person, sources.look(person)) for person in (3, 11))
        made = [ffpp.forged(ffpp.METHODS[method], own, other, share) for share in self.SHARES]
        assert (made[0] == own).all()
        assert self.grows(made)

    @pytest.mark.parametrize("name", celeba.CHANCE)
    def test_fault_c7_of_an_attribute(self, name):
        having = {name, "Brown_Hair"}
        made = [
            celeba.portrait(np.random.default_rng(0), 8, having, (share, share))
            for share in self.SHARES
        ]
        assert self.grows(made)
        without = celeba.portrait(np.random.default_rng(0), 8, having - {name}, (1, 1))
        if name != "Wearing_Hat":  # whose colour is one more lot
            assert (made[0] == without).all()

    @pytest.mark.parametrize("expression", affectnet.EXPRESSIONS[1:], ids=lambda each: each.name)
    def test_fault_c7_of_an_expression(self, expression):
        made = [
            affectnet.portrait(np.random.default_rng(5), 8, expression, share)
            for share in self.SHARES
        ]
        assert self.grows([picture for picture, _ in made])
        calm, points = affectnet.portrait(np.random.default_rng(5), 8, affectnet.EXPRESSIONS[0])
        assert (made[0][0] == calm).all()
        assert np.allclose(made[0][1], points)

    @pytest.mark.parametrize("tree", sample.TREES)
    def test_fault_c7_it_is_drawn_for_each_image(self, tree, tmp_path, monkeypatch):
        drawn, module = [], {"ffpp": ffpp, "celeba": celeba, "affectnet": affectnet}[tree]
        name = {"ffpp": "forged", "celeba": "strengths", "affectnet": "portrait"}[tree]
        made = getattr(module, name)

        def spy(*args):
            found = made(*args)
            drawn.extend(found.values() if tree == "celeba" else args[-1:])
            return found

        monkeypatch.setattr(module, name, spy)
        monkeypatch.setattr(ffpp, "film", lambda *args: None)  # which takes longest
        small_sample.draw(tree, tmp_path)
        low, high = module.STRENGTH
        assert low <= min(drawn) < max(drawn) <= high
        assert np.ptp(drawn) > 0.7 * (high - low)
        assert len(set(drawn)) == len(drawn) > 30


def test_another_seed_deals_the_people_out_anew():
    assert sources.divide(0, (36, 8, 12)) == sources.divide(0, (36, 8, 12))
    assert sources.divide(0, (36, 8, 12)) != sources.divide(1, (36, 8, 12))


def test_a_face_is_aligned_by_its_eyes_and_mouth():
    grey = np.mean([sources.aligned(person) for person in range(101)], axis=0)
    assert LANDMARKS.shape == (101, 5, 2)
    for x, y in sources.EYES:  # eyes and mouth are dark in the mean face, cheek and brow bright
        assert grey[int(y) - 4 : int(y) + 4, int(x) - 6 : int(x) + 6].mean() < 140
    assert grey[184:194, 118:138].mean() < grey[160:170, 84:96].mean() - 15


@pytest.mark.parametrize("method", ffpp.METHODS)
def test_a_manipulation_changes_the_face_visibly_and_nothing_else(method):
    own, other = (head.face(person, sources.look(person)) for person in (3, 11))
    real = head.assemble(own, sources.look(3))
    fake = head.with_skin(real, ffpp.METHODS[method](own, other))
    change = np.abs(fake - real).mean(axis=2)
    inside = head.ellipse((128, 150), (66, 93), 3) > 0
    assert change[~inside].max() < 1e-3
    assert change[inside].mean() > 6


def test_a_real_head_shows_the_real_face():
    own = head.assemble(head.face(8, sources.look(8)), sources.look(8))[..., :3].mean(axis=2)
    part = slice(110, 200), slice(92, 164)
    assert np.corrcoef(own[part].ravel(), sources.aligned(8)[part].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("name", celeba.VARYING)
def test_each_attribute_is_drawn(name):
    base = {"Brown_Hair"} if name != "Brown_Hair" else {"Black_Hair"}
    having = {name} if name in celeba.HAIR else base | {name}
    without, with_it = (
        celeba.portrait(np.random.default_rng(0), 8, each, (1, 1)).astype(int)
        for each in (base, having)
    )
    assert (np.abs(with_it - without).max(axis=2) > 40).mean() > 0.003
    if name == "Blurry":
        assert _detail(with_it) < 0.5 * _detail(without)


def _detail(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture, axis=1)).mean())


def test_what_is_worn_in_the_source_is_always_labelled():
    for name, people in WORN.items():
        for person in people:
            rng = np.random.default_rng(person)
            assert all(name in celeba.attributes(rng, person) for _ in range(10))


def test_each_varying_attribute_has_both_values_in_each_split():
    marks = [
        (split, celeba.attributes(np.random.default_rng([0, 31, number]), person))
        for number, (split, person) in enumerate(celeba.cast(0), start=1)
    ]
    for split, images in celeba.IMAGES.items():
        count = Counter(name for each, having in marks if each == split for name in having)
        assert all(0.12 < count[name] / images < 0.75 for name in celeba.VARYING), count


def test_the_eight_expressions_differ_and_their_landmarks_follow():
    names = [each.name for each in affectnet.EXPRESSIONS]
    assert names == [
        *("Neutral", "Happy", "Sad", "Surprise"),
        *("Fear", "Disgust", "Anger", "Contempt"),
    ]
    pictures, points = zip(
        *(affectnet.portrait(np.random.default_rng(5), 8, each) for each in affectnet.EXPRESSIONS),
        strict=True,
    )
    for a in range(8):
        for b in range(a):
            change = np.abs(pictures[a].astype(int) - pictures[b]).max(axis=2)
            assert (change > 30).mean() > 0.015, (names[a], names[b])
    neutral, happy, _, surprise = points[:4]
    assert neutral.shape == (68, 2)
    assert np.ptp(happy[48:60, 0]) > np.ptp(neutral[48:60, 0])
    assert np.ptp(surprise[48:60, 1]) > 2 * np.ptp(neutral[48:60, 1])
    assert surprise[17:27, 1].mean() < neutral[17:27, 1].mean()


def test_place_and_moved_agree_on_where_a_point_goes():
    dot = np.zeros((320, 256, 4))
    dot[199:202, 149:152] = 255  # centre of the dot: 150.5, 200.5 in edge coordinates
    pose = scene.Pose((128, 150), (60, 70), 1.4, 0.3)
    behind = np.zeros((180, 160, 3), np.uint8)
    y, x = np.nonzero(scene.place(scene.as_image(dot), behind, pose)[..., 0] > 100)
    expected = scene.moved(np.array([[150.5, 200.5]]), pose)[0]
    assert np.allclose([x.mean() + 0.5, y.mean() + 0.5], expected, atol=0.5)


def test_ink_covers_what_it_paints():
    canvas = np.full((320, 256, 3), 100, np.float32)
    layer = draw.Layer()
    layer.pen.rectangle((40, 60, 79, 99), fill=(200, 10, 10, 255))
    marked = layer.over(canvas)
    assert np.allclose(marked[32:48, 22:38], (200, 10, 10))
    assert (canvas == 100).all()
    assert np.abs(marked[:28] - 100).max() == 0


def test_what_an_interrupted_call_left_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(celeba, "IMAGES", {"train": 2, "val": 1, "test": 1})
    folder, inventory = tmp_path / "celeba", tmp_path / "celeba.json"
    (folder / "img_align_celeba").mkdir(parents=True)
    (folder / "img_align_celeba/000009.jpg").write_bytes(b"half")
    inventory.write_text("old")
    sample.write("celeba", folder, inventory, seed=0)
    assert "img_align_celeba/000009.jpg" not in read_json(inventory)
    assert not (folder / "img_align_celeba/000009.jpg").exists()


def test_what_is_interrupted_changes_nothing(tmp_path, monkeypatch):
    def stop(folder, seed):
        (folder / "half").write_text("a tree")
        raise KeyboardInterrupt

    monkeypatch.setattr(celeba, "draw", stop)
    (tmp_path / "celeba.json").write_text("old")
    (tmp_path / "celeba" / celeba.TOP[0]).mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt):
        sample.write("celeba", tmp_path / "celeba", tmp_path / "celeba.json", seed=0)
    assert (tmp_path / "celeba.json").read_text() == "old"
    assert {path.name for path in tmp_path.rglob("*")} == {"celeba", "celeba.json", celeba.TOP[0]}


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(DataError, match=r"holds 'thesis.tex', which is not part of the sample"):
        sample.write("ffpp", tmp_path, tmp_path.with_suffix(".json"), seed=0)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_an_unknown_tree_is_named(tmp_path):
    with pytest.raises(DataError, match=r"unknown tree 'lfw'. Choose of ffpp, celeba, affectnet"):
        sample.write("lfw", tmp_path / "lfw", tmp_path / "lfw.json", seed=0)
