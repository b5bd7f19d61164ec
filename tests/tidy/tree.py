# SPDX-License-Identifier: Apache-2.0
"""tree.py: the files that the house rules look at: what is committed, or would be."""
import pathlib
import posixpath
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


class NoRepository(Exception):
    """This is not a git work tree, so nobody knows which files belong to the project."""


class Tree:
    """Files by their path from the root; rules_test.py builds small ones by hand."""

    def __init__(self, files):
        """`files` maps a path to its content, as bytes or as str."""
        self.contents = {
            path: content.encode() if isinstance(content, str) else content
            for path, content in files.items()
        }
        self.texts = {}
        for path, content in sorted(self.contents.items()):
            text = _decoded(content)
            if text is not None:
                self.texts[path] = text
        self.folders = {folder for path in self.contents for folder in _folders_of(path)}

    def has(self, path):
        """Whether `path` is a file of the tree or a folder with one in it."""
        path = posixpath.normpath(path)
        return path in self.contents or path in self.folders

    def below(self, folder, *endings):
        """The texts below `folder` with one of `endings`, in the order of their paths."""
        return [
            (path, text) for path, text in self.texts.items()
            if path.startswith(folder) and path.endswith(endings)
        ]


def _decoded(content):
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _folders_of(path):
    folders = {"."}
    while path := posixpath.dirname(path):
        folders.add(path)
    return folders


def read_repository():
    """The tree of this repository: files that git tracks, and new ones that it does not ignore."""
    listing = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
    )
    if listing.returncode != 0:
        raise NoRepository
    files = {}
    for path in filter(None, listing.stdout.decode().split("\0")):
        try:
            files[path] = (ROOT / path).read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            continue  # Tracked and just removed by somebody, or a repository within this one.
    return Tree(files)
