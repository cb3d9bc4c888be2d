"""Links that compare two versions, as the hosts of repositories write them.

GitHub, Gitea, Forgejo: ``…/compare/A...B``; GitLab: ``…/-/compare/A...B`` and ``?from=A&to=B``; Bitbucket:
``…/branches/compare/B..A``, the newer one first, and ``…/compare/…?targetBranch=A&sourceBranch=B``; Azure DevOps:
``…/branchCompare?baseVersion=GTA&targetVersion=GBB``. Tags may contain ``/``.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

_COMPARE = b"/compare/"
_QUERIES = ((b"targetBranch", b"sourceBranch"), (b"baseVersion", b"targetVersion"), (b"from", b"to"))
"""The names of the older and the newer side."""
_REFS = (b"refs/tags/", b"refs%2Ftags%2F")
_VERSION = re.compile(rb"[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}")


class Comparison(NamedTuple):
    """An address that compares, and where in it the older and the newer side stand."""

    address: bytes
    older: tuple[int, int]
    newer: tuple[int, int]
    base: bytes
    """The address of the repository; empty where it cannot be told."""

    @property
    def _prefixes(self) -> tuple[bytes, ...]:
        return (*_REFS, b"GT") if b"baseVersion=" in self.address else _REFS

    @property
    def since(self) -> str:
        """The older side, without what says that it is a tag."""
        text = self.address[slice(*self.older)]
        for prefix in self._prefixes:
            text = text.removeprefix(prefix)
        return text.replace(b"%2F", b"/").decode("utf-8", "replace")

    def between(self, older: str, newer: str) -> bytes:
        """The address that compares two tags."""
        spans = [(self.older, self._like(self.older, older)), (self.newer, self._like(self.newer, newer))]
        address = self.address
        for (begin, end), text in sorted(spans, reverse=True):
            address = address[:begin] + text + address[end:]
        return address

    def since_tag(self, tag: str) -> bytes:
        """A tag as the older side."""
        return self._like(self.older, tag)

    def of_tag(self, tag: str) -> bytes:
        """The address of a tag's own page; empty where it cannot be told."""
        return tag_page(self.base, tag) if self.base else b""

    def _like(self, span: tuple[int, int], tag: str) -> bytes:
        """A tag as this side is written, or as the other one, when this one is no tag."""
        texts = [self.address[slice(*one)] for one in (span, self.older, self.newer)]
        prefix = next((one for text in texts for one in self._prefixes if text.startswith(one)), b"")
        whole = b"%2F" in b"".join(texts) or prefix == _REFS[1]
        return prefix + quoted(tag, safe="" if whole else "/")


def quoted(tag: str, safe: str = "/") -> bytes:
    """A tag as part of an address."""
    return quote(tag, safe=safe + "@:+~!$&',;=*%").encode()


def tag_page(base: bytes, tag: str) -> bytes:
    """The address of a tag, below that of a repository."""
    if base.endswith(b"/-") or b"//gitlab." in base:
        base = base.removesuffix(b"/-") + b"/-"
        return base + b"/tags/" + quoted(tag)
    if b"//bitbucket.org/" in base:
        return base + b"/src/" + quoted(tag)
    return base + b"/releases/tag/" + quoted(tag)


def between_tags(repository: str | None, previous: str | None, tag: str) -> bytes:
    """The address of what changed between two tags of a repository, or of the tag when there is none before."""
    if not repository:
        return b""
    base = repository.rstrip("/").removesuffix(".git").encode()
    if b"//gitlab." in base:
        base += b"/-"
    if previous is None:
        return tag_page(base, tag)
    if b"//bitbucket.org/" in base:
        return base + b"/branches/compare/" + quoted(tag) + b".." + quoted(previous)
    return base + _COMPARE + quoted(previous) + b"..." + quoted(tag)


def comparison(address: bytes) -> Comparison | None:
    """An address read as a comparison; ``None`` for others."""
    return _by_path(address) or _by_query(address)


def _by_path(address: bytes) -> Comparison | None:
    first = address.find(_COMPARE)
    if first < 0:
        return None
    stop = min((at for mark in (b"?", b"#") if (at := address.find(mark, first)) >= 0), default=len(address))
    at, mark = address.find(b"..", first, stop), b".."
    if at < 0:
        at, mark = address.find(b"%0D", first, stop), b"%0D"
    if at < 0:
        return None
    begin = address.rindex(_COMPARE, 0, at) + len(_COMPARE)
    after = at + (3 if address[at : at + 3] == b"..." else len(mark))
    left, right = (begin, at), (after, stop)
    base = address[: begin - len(_COMPARE)]
    if mark == b"%0D" or base.endswith(b"/branches") or b"//bitbucket.org/" in base:
        if _newer_first(address[slice(*left)], address[slice(*right)]):
            left, right = right, left
        base = base.removesuffix(b"/branches")
    return Comparison(address, left, right, base)


def _newer_first(left: bytes, right: bytes) -> bool:
    """Whether the newer side stands first, on Bitbucket, where people write either; its own pages do."""
    sides = [_VERSION.search(side) for side in (left, right)]
    if sides[0] and sides[1]:
        first, second = ([int(part) for part in side[0].split(b".")] for side in sides if side)
        return first > second
    return sides[0] is None


def _by_query(address: bytes) -> Comparison | None:
    if b"ompare" not in address:
        return None
    for names in _QUERIES:
        found = [re.search(rb"[?&;]" + name + rb"=([^&;#]*)", address) for name in names]
        if found[0] and found[1]:
            base = address[: address.index(b"/compare?")] if b"/compare?" in address else b""
            return Comparison(address, found[0].span(1), found[1].span(1), base)
    return None


def retagged(address: bytes, old: str, version: str, tag: str) -> bytes:
    """The address of one version made that of another: tag or version replaced; empty when neither is there."""
    of_old = quoted(tag.replace(version, old))
    at = address.rfind(b"/" + of_old)
    if at >= 0 and address[at + 1 + len(of_old) :][:1] in b"/?#":
        return address[: at + 1] + quoted(tag) + address[at + 1 + len(of_old) :]
    found = list(
        re.finditer(rb"(?<![0-9.])" + re.escape(old.encode("latin-1")) + rb"(?![0-9a-zA-Z]|[.-][0-9])", address)
    )
    if not found:
        return b""
    return address[: found[-1].start()] + version.encode() + address[found[-1].end() :]
