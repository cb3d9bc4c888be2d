"""Whether the gates are those that were committed, and who says so when a commit changes them.

All that a checklist demands stands in the configuration: whoever may edit that on the way to production passes any
gate. So it must be as a commit has it. And a commit that changes the gates, or whose signatures count, is not let in by
its own word alone: somebody signs for it whose key counts in what is live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from ..errors import UsageError
from .item import Found, Item
from .pending import live

if TYPE_CHECKING:
    from pathlib import Path

    from ..ports import Release
    from ..settings.people import Signers
    from .subject import Subject

FILES = ("invoke.yaml", "invoke.yml", "invoke.json")
"""Where the configuration is looked for in a commit, as Invoke looks for it."""
GOVERNING = ("protected", "dirty", "gates", "reviews", "signers", "store", "tests", "people")
"""The keys that say what is demanded, and who is believed."""
_NOTHING = object()
_MOST = 6

Config = Mapping[str, Any]


def configuration_committed(of: Subject) -> Found:
    """The configuration is the committed one, and its gates are those of what is live, or were signed for."""
    if not of.world.settings.protected:
        return Found("not applicable", "the environment is not protected")
    if of.release is None:
        return Found("pending", "no release yet")
    try:
        if differing := _differing(of, of.release):
            return Found("fail", differing)
        changed = _changed(of, of.release)
    except UsageError as error:
        return Found("fail", f"cannot be compared: {error.what}")
    return changed or Found("pass", f"as commit {of.release.commit[:12]} or the one that is checked out has it")


# -- as it is committed ----------------------------------------------------------------------------


def _differing(of: Subject, release: Release) -> str:
    """How what counts now differs from the commit that is deployed, or from a newer one that is checked out and on a
    remote; empty when it does not."""
    from ..release import branches, git

    if not branches.is_commit(release.commit):
        return f"nobody knows which commit {release.version} was made from"
    here = relevant(effective(of), of.world.settings.name)
    root, commits = of.world.site.root, [release.commit]
    head = git.head(git.top(root))
    if head != release.commit and _is_shared(of, head):
        commits.append(head)
    name = of.world.settings.name
    found = {commit: differences(relevant(committed(root, commit), name), here) for commit in commits}
    nearest = min(found, key=lambda commit: len(found[commit]))
    if not found[nearest]:
        return ""
    return (
        f"{_listed(found[nearest])} not what commit {nearest[:12]} has: commit and push that, or take it "
        f"back ({FILES[0]}, INVOKE_… variables, -f, ~/.invoke.yaml)"
    )


def _is_shared(of: Subject, commit: str) -> bool:
    """Whether a branch of a remote has it, as it was fetched last."""
    from ..release import branches, git

    return any(branch.remote for branch in branches.containing(git.top(of.world.site.root), commit))


def effective(of: Subject) -> Config:
    """What counts now: files, variables and options together. Raises ``UsageError`` when it was read nowhere."""
    from ..settings import plain

    if of.world.site.context is None:
        raise UsageError("no configuration was read")
    found: Config = plain(of.world.site.context.config.get("deploy", {}))
    return found


def committed(root: Path, commit: str) -> Config:
    """The ``deploy`` section as a commit has it. Raises ``UsageError`` when it has none that can be read."""
    found = _section(root, commit)
    if found is None:
        raise UsageError(f"there is no {FILES[0]} in {commit[:12]}: commit it")
    return found


def _section(root: Path, commit: str) -> Config | None:
    """The same; ``None`` when the commit has no such file. Raises ``UsageError`` when it is not in this clone."""
    from invoke.vendor import yaml

    from ..release import git

    folder = git.line(root, "rev-parse", "--show-prefix")
    for name in FILES:
        if git.items(root, "ls-tree", "-z", "--full-tree", "--name-only", commit, "--", f"{folder}{name}"):
            content = git.ask(root, "cat-file", "blob", f"{commit}:{folder}{name}")
            try:
                found = yaml.safe_load(content)  # type: ignore[no-untyped-call]  # vendored without types
            except yaml.YAMLError as error:
                raise UsageError(f"{name} of {commit[:12]} cannot be read") from error
            section = found.get("deploy") if isinstance(found, Mapping) else None
            return section if isinstance(section, Mapping) else {}
    return None


def relevant(config: Config, environment: str) -> Config:
    """What concerns an environment: all but the others, of which only the memory is asked."""
    every = config.get("environments")
    others = {} if not isinstance(every, Mapping) else every
    stores = {name: {"store": one.get("store")} for name, one in others.items() if isinstance(one, Mapping)}
    return {**config, "environments": {**stores, environment: others.get(environment)}}


def differences(before: object, now: object, path: str = "") -> list[str]:
    """The paths at which two configurations differ."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return [] if before == now else [path]
    return list(_below(before, now, path))


def _below(before: Config, now: Config, path: str) -> Iterator[str]:
    for key in dict.fromkeys((*before, *now)):
        at = f"{path}.{key}" if path else str(key)
        yield from differences(before.get(key, _NOTHING), now.get(key, _NOTHING), at)


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - _MOST} more" if len(paths) > _MOST else ""
    is_one = len(paths) == 1
    return f"{', '.join(paths[:_MOST])}{more} {'is' if is_one else 'are'}"


# -- since what is live ----------------------------------------------------------------------------


def _changed(of: Subject, release: Release) -> Found | None:
    """What a person must sign for: gates, or signers, that are not those of what is live."""
    before = live(of)
    if before is None or not before.commit:
        return None
    environment = of.world.settings.name
    there = _section(of.world.site.root, before.commit) or {}
    was, now = (governing(config, environment) for config in (there, effective(of)))
    changed = differences(was, now)
    theirs = _signers(of, before.commit, _configured(of, there))
    if theirs is not None and theirs != _signers(of, release.commit):
        changed.append("the allowed signers")
    if not changed:
        return None
    who = f"somebody signs whose key counts in {before.version}, which is live"
    return Found("needs a signature", f"{_listed(changed)} not what {before.commit[:12]} has: {who}")


def governing(config: Config, environment: str) -> Config:
    """What says what is demanded in an environment, for all environments and for its own."""
    every = config.get("environments")
    own = every.get(environment) if isinstance(every, Mapping) else None
    general = {key: config[key] for key in GOVERNING if key in config}
    return {**general, environment: {key: own[key] for key in GOVERNING if key in own} if own else {}}


def _configured(of: Subject, config: Config) -> Signers | None:
    """Which files say who signs, by a configuration; ``None`` where that knows no such environment."""
    from ..settings import load

    name = of.world.settings.name
    if not isinstance(every := config.get("environments"), Mapping) or name not in every:
        return None
    return cast("Signers", load(config, name, ("signers",)).sections["signers"])


def _signers(of: Subject, commit: str, files: Signers | None = None) -> tuple[bytes, bytes | None] | None:
    """The files that say whose signatures count; ``None`` where a commit has none."""
    from .signing import allowed

    try:
        found = allowed(of.world, commit, files)
    except UsageError:
        return None
    return found.content, found.revoked


def signers_of_live(of: Subject) -> tuple[str, Signers | None]:
    """The commit whose signers may change the gates, and its files that have them: the one that is live. The one that
    is deployed, where nothing is live yet, or what is had no signers.

    Raises ``UsageError`` when what is live is not in this clone: it must not be passed over so.
    """
    own = of.release.commit if of.release else "", None
    before = live(of)
    if before is None or not before.commit:
        return own
    files = _configured(of, _section(of.world.site.root, before.commit) or {})
    if files is None or _signers(of, before.commit, files) is None:
        return own
    return before.commit, files


CONFIGURED = Item(
    "code.configuration",
    "The gates are the committed ones, and whoever changes them has it signed",
    configuration_committed,
    "development",
    critical=True,
    signers_of=signers_of_live,
)
