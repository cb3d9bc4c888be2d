"""The commands that bring a release to a host. Pure functions: values in, shell text out.

All that an installation writes before it is whole lies in one hidden folder, ``releases/.unpack-<release>.<pid>``,
which goes when the command ends, or, where the command was killed, when the next one comes. A release appears under
its name by one rename. Each command can be given twice, and by several deployers at once.
"""

from __future__ import annotations

from shlex import quote

from ...ports import Color
from ...release.difference import Difference
from .layout import Layout
from .shell import BEGIN, DIGEST, IDENTITY, LINK, LISTING

HERE = "here"
"""What a command prints, alone, when the release is on the host and the color's current one now."""


def survey(layout: Layout, color: Color, name: str, digest: str) -> str:
    """Make the folders. A release that is whole becomes the color's current one: ``here``. Otherwise print a line
    ``release <digest> <name>`` for each that is whole, the newest first, and ``space`` with what ``df -Pk`` says."""
    return f"{BEGIN}{IDENTITY}{LINK}{_recognize(layout, color, name, digest)}{_look_around(layout)}"


def patch(layout: Layout, color: Color, name: str, digest: str, difference: Difference) -> str:
    """As ``survey``, but where the release is that a difference builds on, take the difference in from stdin, compare
    what it gives to the whole release's manifest, and make it the color's current release: ``here``.

    GNU and BSD tar follow a link's ``..`` with ``-P`` only; busybox does so always, and does not know ``-P``.
    """
    base = quote(f"{layout.release(difference.base)}/.digest")
    return f"""{IDENTITY}{DIGEST}{LINK}{LISTING}{_recognize(layout, color, name, digest)}
there=; {{ read -r there < {base}; }} 2>/dev/null
if [ "$there" = {quote(difference.base_digest)} ]; then
{_receive(layout, name, difference.digest)}
tar -xzopPf "$stage/archive" -C "$new" 2>/dev/null || tar -xzopf "$stage/archive" -C "$new" || exit 1
found=$(cd "$new" && list {" ".join(difference.modes)} | LC_ALL=C sort | sha256)
[ "$found" = {quote(difference.result)} ] || fail "no such release comes of the difference to" {quote(difference.base)}
{_place(layout, color, name, digest)}
echo {HERE}; exit 0
fi
{BEGIN}{_look_around(layout)}"""


def unpack(layout: Layout, color: Color, name: str, digest: str) -> str:
    """Take an archive in from stdin, verify and unpack it, and make it the color's current release."""
    return f"""{IDENTITY}{DIGEST}{LINK}{_receive(layout, name, digest)}
tar -xzopf "$stage/archive" -C "$new" || exit 1
{_place(layout, color, name, digest)}"""


def listing(layout: Layout, name: str, modes: tuple[str, ...]) -> str:
    """Print the manifest of a release as it lies there now."""
    return f"""{BEGIN}{LISTING}
cd {quote(layout.release(name))} && list {" ".join(modes)}
"""


def _recognize(layout: Layout, color: Color, name: str, digest: str) -> str:
    """Make the folders, clear away what was killed, and end if the release is whole."""
    marker, releases = quote(f"{layout.release(name)}/.digest"), quote(layout.releases)
    return f"""
mkdir -p {" ".join(map(quote, layout.folders))} || exit 1
for left in {releases}/.unpack-*.[0-9]* {quote(layout.current(color))}.[0-9]*; do
  [ -e "$left" ] || [ -L "$left" ] || continue
  [ -n "$(identity "${{left##*.}}")" ] || rm -rf "$left"
done
there=; {{ read -r there < {marker}; }} 2>/dev/null
if [ "$there" = {quote(digest)} ]; then
  touch {marker}
  link {quote(f"releases/{name}")} {quote(layout.current(color))} {quote(layout.service(color))}
  echo {HERE}; exit 0
fi
"""


def _look_around(layout: Layout) -> str:
    return f"""cd {quote(layout.releases)} || exit 1
ls -1td -- */.digest 2>/dev/null | while read -r entry; do
  digest=; {{ read -r digest < "$entry"; }} 2>/dev/null
  echo "release $digest ${{entry%/.digest}}"
done
df -Pk . | while read -r line; do echo "space $line"; done
"""


def _receive(layout: Layout, name: str, digest: str) -> str:
    """Write stdin to ``$stage/archive``, verify it, and make the folder ``$new``."""
    return f"""
stage={quote(f"{layout.releases}/.unpack-{name}")}.$$
new=$stage/{quote(name)}.$$
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$stage" "$new" && cat > "$stage/archive" || exit 1
{BEGIN}
found=$(sha256 < "$stage/archive")
[ "$found" = {quote(digest)} ] || fail {quote(f"what arrived is not {digest}: its sha256 is")} "$found"
"""


def _place(layout: Layout, color: Color, name: str, digest: str) -> str:
    """Rename ``$new`` to its place, unless another deployer was faster, and switch the link."""
    target, trash = quote(layout.release(name)), quote(f"{layout.releases}/.trash-{name}")
    return f"""echo {quote(digest)} > "$new/.digest" || exit 1
there=; {{ read -r there < {target}/.digest; }} 2>/dev/null
if [ "$there" != {quote(digest)} ]; then
  if [ -e {target} ]; then mv {target} {trash}.$$ || exit 1; fi
  mv "$new" {target} || exit 1
  [ ! -e {target}/{quote(name)}.$$ ] || rm -rf {target}/{quote(name)}.$$
fi
link {quote(f"releases/{name}")} {quote(layout.current(color))} {quote(layout.service(color))}
for left in {trash}.*; do [ ! -e "$left" ] || rm -rf "$left"; done
"""
