"""The digest of a raw tree: it is known by its content, and only what is new is read."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import pytest

from lssat import tables
from lssat.data.doctor.findings import Inventory
from lssat.data.doctor.walk import walk
from lssat.tables import digest
from lssat.tables import digest_cache as memory_of


def test_a_tree_is_known_by_its_content(tmp_path: Path) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    assert digest.tree(root, memory) == "absent"
    (root / "a").mkdir(parents=True)
    (root / "a/x.jpg").write_bytes(b"1")
    (root / "y.jpg").write_bytes(b"2")
    before = digest.tree(root, memory)
    os.utime(root / "y.jpg", (1, 1))
    assert digest.tree(root, memory) == before
    (root / "y.jpg").write_bytes(b"3")
    changed = digest.tree(root, memory)
    assert changed != before
    (root / "y.jpg").write_bytes(b"2")
    assert digest.tree(root, memory) == before
    (root / "a/x.jpg").rename(root / "x.jpg")
    assert digest.tree(root, memory) != before


def test_only_new_and_touched_files_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    for name in "abc":
        (root / name).write_text(name)
    first = digest.tree(root, tmp_path / "memory.sqlite")
    read: list[str] = []
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or tables.sha256(path))
    assert digest.tree(root, tmp_path / "memory.sqlite") == first
    assert read == []
    (root / "b").write_text("B")
    digest.tree(root, tmp_path / "memory.sqlite")
    assert [Path(path).name for path in read] == ["b"]


def many(root: Path) -> None:
    for folder in ("a", "a/b", "c"):
        (root / folder).mkdir(parents=True)
        for number in range(5):
            (root / folder / f"{number} x\n.jpg").write_text(f"{folder}{number % 3}")


def test_an_untouched_tree_is_looked_at_not_read_or_asked_for_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tmp_path / "tree")
    first = digest.tree(tmp_path / "tree", tmp_path / "memory.sqlite")
    assert digest.tree(tmp_path / "tree", tmp_path / "other.sqlite") == first
    monkeypatch.setattr(digest, "sha256", lambda path: pytest.fail(f"{path} was read"))
    monkeypatch.setattr(digest._Reading, "_remembered", lambda *_: pytest.fail("asked by file"))
    assert digest.tree(tmp_path / "tree", tmp_path / "memory.sqlite") == first


def _longer(file: Path) -> None:
    before = file.stat()
    file.write_text("longer than before")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _later(file: Path) -> None:
    file.write_text("A")
    os.utime(file, ns=(0, 0))


def _another(file: Path) -> None:
    before, twin = file.stat(), file.with_name("twin")
    twin.write_text("A")
    os.utime(twin, ns=(before.st_atime_ns, before.st_mtime_ns))
    twin.rename(file)


def _renamed(file: Path) -> None:
    file.rename(file.with_name("other"))


@pytest.mark.parametrize("edit", [_longer, _later, _another, _renamed])
def test_size_time_inode_and_name_each_tell_an_edit(tmp_path: Path, edit: Callable) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    (root / "alone").mkdir(parents=True)  # in a fuller folder another name has another place
    file = root / "alone/b"
    file.write_text("b")
    first = digest.tree(root, memory)
    edit(file)
    assert digest.tree(root, memory) == digest.tree(root, tmp_path / "other.sqlite") != first


def test_another_order_of_a_listing_reads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    many(root)
    (root / "a/link").symlink_to("b")
    (root / "a/second").symlink_to("../c")
    first = digest.tree(root, memory)
    scandir = os.scandir

    def backwards(place: int | str) -> AbstractContextManager:
        with scandir(place) as entries:
            return nullcontext(sorted(entries, key=lambda entry: entry.name, reverse=True))

    monkeypatch.setattr(os, "scandir", backwards)
    monkeypatch.setattr(digest, "sha256", lambda path: pytest.fail(f"{path} was read"))
    assert digest.tree(root, memory) == first


def test_a_removed_file_and_swapped_contents_count(tmp_path: Path) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    many(root)
    first = digest.tree(root, memory)
    one, two = root / "a/0 x\n.jpg", root / "a/1 x\n.jpg"
    contents = one.read_text(), two.read_text()
    one.write_text(contents[1])
    two.write_text(contents[0])
    swapped = digest.tree(root, memory)
    two.unlink()
    removed = digest.tree(root, memory)
    assert len({first, swapped, removed}) == 3
    two.write_text(contents[1])
    one.write_text(contents[0])
    assert digest.tree(root, memory) == first


def test_an_interrupted_first_look_goes_on_from_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    many(root)
    wanted = digest.tree(root, tmp_path / "undisturbed.sqlite")
    monkeypatch.setattr(digest, "_AT_ONCE", 2)
    monkeypatch.setattr(digest, "_SECONDS", -1)
    read: list[str] = []

    def interrupted(path: str) -> str:
        if len(read) >= 7:
            raise KeyboardInterrupt
        read.append(path)
        return tables.sha256(path)

    monkeypatch.setattr(digest, "sha256", interrupted)
    with pytest.raises(KeyboardInterrupt):
        digest.tree(root, memory)
    assert "tree: first look, 2 files read, 3 left in" in capsys.readouterr().err
    kept = list(read)
    read.clear()
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or tables.sha256(path))
    assert digest.tree(root, memory) == wanted
    assert 15 - len(kept) <= len(read) <= 15 - 6  # at most a batch is read twice


def linked(root: Path) -> Path:
    """A tree with loops, links that leave it, and one file each way; returns what lies outside."""
    outside = root.parent / "outside"
    outside.mkdir(parents=True)
    (outside / "secret").write_text("not ours")
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/x.jpg").write_text("x")
    (root / "a/b/loop").symlink_to("../..")
    (root / "a/self").symlink_to(".")
    (root / "whole").symlink_to(root)
    (root / "other").symlink_to("a")
    (root / "out").symlink_to(outside)
    (root / "up").symlink_to("../outside")
    (root / "one").symlink_to(outside / "secret")
    (root / "twin.jpg").symlink_to("a/b/x.jpg")
    (root / "nowhere").symlink_to("absent")
    (root / "disk").symlink_to("/")
    return outside


def test_fault_f8_no_link_is_followed_and_nothing_is_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    outside = linked(root)
    with open(root / "a/big.bin", "wb") as sparse:
        sparse.truncate(2**22)
    read: list[str] = []
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or tables.sha256(path))
    first = digest.tree(root, memory)
    assert sorted(read) == [str(root / "a/b/x.jpg"), str(root / "a/big.bin")]
    (outside / "secret").write_text("changed")
    (tmp_path / "link").symlink_to(root)  # the root itself may be one
    assert digest.tree(tmp_path / "link", memory) == digest.tree(root, memory) == first
    assert len(read) == 2
    (root / "a/b/x.jpg").write_text("y")
    changed = digest.tree(root, memory)
    assert changed != first
    (root / "other").unlink()
    (root / "other").symlink_to("a/b")
    assert digest.tree(root, memory) not in (first, changed)


def test_fault_f8_a_tree_with_links_has_the_same_digest_in_another_place(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        linked(tmp_path / name / "tree")
        for link in ("out", "one"):  # they name the place
            (tmp_path / name / "tree" / link).unlink()
        found.append(digest.tree(tmp_path / name / "tree", tmp_path / f"{name}.sqlite"))
    assert found[0] == found[1]


def test_fault_f8_doctor_follows_no_link_out_of_the_root_or_twice(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    linked(root)
    found = walk(root, Inventory("mine", str(root)))
    assert found.paths() == ["a/b/x.jpg", "other/b/x.jpg", "twin.jpg"]
    assert sorted(found.leaving) == ["disk", "one", "out", "up"]
    assert found.nowhere == ["nowhere"]


DAMAGE = {
    "garbage": lambda file: file.write_bytes(b"garbage" * 1000),
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "cut in its head": lambda file: file.write_bytes(file.read_bytes()[:50]),
    "zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "another's": lambda file: _other(file),
}


def _other(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as base, base:
        base.execute("CREATE TABLE seen (a, b)")


@pytest.mark.parametrize("damage", DAMAGE)
def test_fault_f5_a_damaged_memory_is_made_anew(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture
) -> None:
    root, memory = tmp_path / "tree", tmp_path / ".lssat/trees.sqlite"
    many(root)
    first = digest.tree(root, memory)
    DAMAGE[damage](memory)
    capsys.readouterr()
    assert digest.tree(root, memory) == first
    said = capsys.readouterr().err
    assert said.startswith(f"{memory}: is damaged (")
    assert "made anew, raw files are read again" in said
    assert digest.tree(root, memory) == first
    assert capsys.readouterr().err == ""
    with closing(sqlite3.connect(memory)) as known:
        assert known.execute("SELECT count(*) FROM seen").fetchone() == (3,)


def test_fault_f5_every_byte_of_a_memory_may_be_wrong(tmp_path: Path) -> None:
    """The digest is the right one, whatever stands in the file."""
    root, memory = tmp_path / "tree", tmp_path / "trees.sqlite"
    (root / "a").mkdir(parents=True)
    (root / "a/x.jpg").write_text("x")
    first = digest.tree(root, memory)
    whole = memory.read_bytes()
    used = [place for place, byte in enumerate(whole) if byte]
    for place in [*range(100), *used[:: max(1, len(used) // 80)]]:
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        memory.write_bytes(data)
        assert digest.tree(root, memory) == first


def test_fault_f5_a_memory_that_cannot_be_used_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "tree"
    many(root)
    first = digest.tree(root, tmp_path / "m.sqlite")
    monkeypatch.setattr(memory_of, "_WAIT", 0)
    (tmp_path / "folder/x").mkdir(parents=True)
    (tmp_path / "file").touch()
    for place in (tmp_path / "folder", tmp_path / "file/trees.sqlite"):
        assert digest.tree(root, place) == first
        assert f"{place}: cannot be used (" in capsys.readouterr().err
    (root / "new.jpg").write_text("new")
    with closing(sqlite3.connect(tmp_path / "m.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert digest.tree(root, tmp_path / "m.sqlite") not in (first, "absent")
        assert "m.sqlite: cannot be used (database is locked)" in capsys.readouterr().err


def test_fault_f5_what_a_read_only_memory_holds_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, memory = tmp_path / "tree", tmp_path / "m.sqlite"
    many(root)
    digest.tree(root, memory)
    (root / "new.jpg").write_text("new")
    real = sqlite3.connect
    monkeypatch.setattr(  # root may write any file
        memory_of.sqlite3,
        "connect",
        lambda path, **more: (
            real(f"file:{path}?mode=ro", uri=True) if path == str(memory) else real(path, **more)
        ),
    )
    read: list[str] = []
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or tables.sha256(path))
    digest.tree(root, memory)
    assert [Path(path).name for path in read] == ["new.jpg"]
    assert "cannot be used (attempt to write a readonly database)" in capsys.readouterr().err


def test_the_digest_of_some_files_is_of_their_contents_wherever_links_lead(tmp_path: Path) -> None:
    root, memory = tmp_path / "raw", tmp_path / "memory.sqlite"
    for name in ("a/1.jpg", "a/2.jpg", "b/frames/1.png", "b/frames/2.png", "more.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "link.jpg").symlink_to(root / "a/2.jpg")

    def now() -> str:
        return digest.of_files(root, ["a/1.jpg", "link.jpg"], ["b/frames"], memory)

    first = now()
    (root / "more.txt").write_text("other")
    (root / "a/3.jpg").write_text("added")
    os.utime(root / "a/1.jpg")
    assert now() == first
    for name in ("a/1.jpg", "a/2.jpg", "b/frames/2.png", "b/frames/3.png"):
        before = now()
        (root / name).write_text(f"edited {name}")
        assert now() != before, name
    (root / "a/1.jpg").write_text("a/1.jpg")
    (root / "a/2.jpg").write_text("a/2.jpg")
    (root / "b/frames/2.png").write_text("b/frames/2.png")
    (root / "b/frames/3.png").unlink()
    assert now() == first
