"""The digest of a raw tree: when its content changes, what was made from it is made again."""

import hashlib
import marshal
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from lssat.tables import links, s3, s3_addresses, sha256
from lssat.tables.digest_cache import Memory
from lssat.tables.errors import denied

_AT_ONCE = 2000  # files that are read between two looks at the clock
_SECONDS = 10


def tree(root: str | Path, memory: str | Path) -> str:
    """Return the digest of a raw tree: of each file's relative path and content.

    `memory` (SQLite) remembers the contents' hashes by size, time and inode: only new and touched
    files are read again, a bare touch changes nothing, and a folder in which nothing was touched
    costs a look at its entries. Reading is done by threads; every ten seconds stderr says how far
    it is and what was read is remembered, so that an interrupted first look goes on from there.
    A link counts by where it leads and is not followed: what lies within the root is read at its
    own place, once, and nothing outside is read (`lssat.tables.links`). Of a root in object
    storage nothing is read: sizes and ETags of its listing count (`lssat.tables.s3`).

    Returns:
        16 hexadecimal digits; "absent" if there is no such folder.

    Raises:
        DataError: a folder or file cannot be read, or an address not be listed.
    """
    if s3_addresses.away(root):
        return s3.digest(str(root))
    root = Path(root)
    if not root.is_dir():
        return "absent"
    base = os.path.realpath(root)
    folders = []
    with closing(Memory(memory)) as known, ThreadPoolExecutor() as pool:
        reading = _Reading(str(root), known, pool)
        for path, listing in _folders(base, base):
            folders.append(f"{os.path.relpath(path, base)}\0{reading.folder(path, listing)}")
    return _hash("\n".join(sorted(folders)))[:16]


def of_files(
    root: str | Path, files: Iterable[str], folders: Iterable[str], memory: str | Path
) -> str:
    """Return the digest of some files of a raw tree, by path and content.

    Args:
        files: their paths, relative to the root.
        folders: of which each file counts, as of a video's frames.
        memory: as of `tree`.

    Returns:
        16 hexadecimal digits.

    Raises:
        DataError: as of `tree`.
    """
    if s3_addresses.away(root):
        return _hash("\n".join(s3.stamps(str(root), files, folders)))[:16]
    base, wanted = os.path.realpath(root), defaultdict(set)
    for path in files:
        folder, _, name = path.rpartition("/")
        wanted[folder].add(name)
    with closing(Memory(memory)) as known, ThreadPoolExecutor() as pool:
        contents = _Contents(base, _Reading(str(root), known, pool))
        for folder in folders:
            wanted[folder] |= contents.of(os.path.join(base, folder)).keys()
        lines = (
            f"{folder}/{name}\0{contents.file(os.path.join(base, folder), name)}"
            for folder in sorted(wanted)
            for name in sorted(wanted[folder])
        )
        return _hash("\n".join(lines))[:16]


_LINK = "link "


@dataclass
class _Listing:
    """What stands in a folder, in the order in which the file system lists it."""

    folders: list[str] = field(default_factory=list)  # their paths
    links: dict[str, str] = field(default_factory=dict)  # by name, the digest of where each leads
    names: list[str] = field(default_factory=list)  # of files
    stats: list[int] = field(default_factory=list)  # of each file size, time and inode

    def stamp(self) -> str:
        """Return a digest of all of it but the folders.

        A few calls for a whole folder: texts of each of half a million files, and their order,
        would take as long as the look at the disk. Another order of the same entries has another
        stamp, and costs a look at each file's; this one is the same from day to day.
        """
        return hashlib.sha256(marshal.dumps((self.links, self.names, self.stats), 2)).hexdigest()

    def stamps(self) -> dict[str, str]:
        """Return the stamp of each file, or of a link where it leads, by name."""
        parts = iter(self.stats)
        files = zip(self.names, zip(parts, parts, parts, strict=True), strict=True)
        return self.links | {name: f"{size} {ns} {inode}" for name, (size, ns, inode) in files}


class _Contents:
    """The hashes of the files of a tree, by folder; links are followed, as readers do."""

    def __init__(self, base: str, reading: "_Reading"):
        self.base, self.reading = base, reading
        self.known: dict[str, dict[str, str]] = {}

    def of(self, folder: str) -> dict[str, str]:
        """Return the hash of each file of a folder, or of a link a word that it is one."""
        place = os.path.realpath(folder)
        if place not in self.known:
            self.known[place] = self.reading.contents(place, _entries(place, self.base))
        return self.known[place]

    def file(self, folder: str, name: str) -> str:
        """Return the hash of one file; "absent" if it has gone."""
        content = self.of(folder).get(name, "absent")
        if content.startswith(_LINK):
            folder, name = os.path.split(os.path.realpath(os.path.join(folder, name)))
            content = self.of(folder).get(name, "absent")
        return content


def _folders(path: str, root: str) -> Iterator[tuple[str, _Listing]]:
    """Yield each folder that holds files or links, and its listing."""
    listing = _entries(path, root)
    if listing.names or listing.links:
        yield path, listing
    for folder in listing.folders:
        yield from _folders(folder, root)


def _entries(path: str, root: str) -> _Listing:
    """List a folder of a tree."""
    listing = _Listing()
    try:
        # By its descriptor: the kernel need not find the whole path again for each file.
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        leads = _leads(os.path.join(path, entry.name), root)
                        listing.links[entry.name] = f"{_LINK}{_hash(leads)}"
                    elif entry.is_dir():
                        listing.folders.append(os.path.join(path, entry.name))
                    elif entry.is_file():
                        stat = entry.stat()
                        listing.names.append(entry.name)
                        listing.stats += (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        finally:
            os.close(folder)
    except PermissionError:
        raise denied(path) from None
    return listing


def _leads(link: str, root: str) -> str:
    """Return where a link leads, as it is written, or from the root where it lies within."""
    text = os.readlink(link)
    within = os.path.isabs(text) and not links.out(link, root)
    return os.path.relpath(os.path.realpath(link), root) if within else text


class _Reading:
    """Looks at the folders of a tree, one after another, and reads what is new in them."""

    def __init__(self, root: str, known: Memory, pool: ThreadPoolExecutor):
        self.root, self.known, self.pool = root, known, pool
        self.read, self.told = 0, time.monotonic()

    def folder(self, path: str, listing: _Listing) -> str:
        """Return the digest of the names and contents of a folder's own files."""
        stamp = listing.stamp()
        key = os.fsencode(path)
        before = self.known.get(key)
        if before and before[0] == stamp:
            return before[1]
        files = listing.stamps()
        contents = self._remembered(before[2] if before else b"", files)
        contents |= {name: to for name, to in files.items() if to.startswith(_LINK)}
        todo = [name for name in sorted(files) if name not in contents]
        for start in range(0, len(todo), _AT_ONCE):
            names = todo[start : start + _AT_ONCE]
            paths = [os.path.join(path, name) for name in names]
            contents |= zip(names, self.pool.map(_content, paths), strict=True)
            self.read += len(names)
            self._tell(key, files, contents, len(todo) - start - len(names))
        digest = _hash("/".join(f"{name}\0{contents[name]}" for name in sorted(files)))
        self._remember(key, stamp, digest, files, contents)
        return digest

    def contents(self, path: str, listing: _Listing) -> dict[str, str]:
        """Return the hash of each of a folder's own files, by name; of a link its stamp."""
        self.folder(path, listing)
        remembered = self.known.get(os.fsencode(path))
        return self._remembered(remembered[2] if remembered else b"", listing.stamps())

    def _remembered(self, known: bytes, files: dict[str, str]) -> dict[str, str]:
        """Return the hashes of the files that were not touched since they were read."""
        contents = {}
        for line in os.fsdecode(known).split("/") if known else []:
            name, stamp, digest = line.split("\0")
            if files.get(name) == stamp:
                contents[name] = digest
        return contents

    def _remember(self, key: bytes, stamp: str, digest: str, files: dict, contents: dict) -> None:
        # Neither "/" nor the null can stand in a name.
        lines = "/".join(f"{name}\0{files[name]}\0{hash}" for name, hash in contents.items())
        self.known.put(key, stamp, digest, os.fsencode(lines))

    def _tell(self, key: bytes, files: dict, contents: dict, left: int) -> None:
        if time.monotonic() - self.told > _SECONDS:
            self.told = time.monotonic()
            self._remember(key, "", "", files, contents)  # no stamp: not the whole folder
            far = f"{self.read:,} files read, {left:,} left in {os.fsdecode(key)}"
            print(f"{self.root}: first look, {far}", file=sys.stderr, flush=True)


def _hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()


def _content(path: str) -> str:
    try:
        return sha256(path)
    except PermissionError:
        raise denied(path) from None
