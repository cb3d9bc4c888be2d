"""Several places that close a site, as one: a flag for the application, a page at the balancer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..errors import DeployError, Unreachable, WayBackFailed
from ..ports import Call, Finding, Notice
from ..settings.several import named

if TYPE_CHECKING:
    from ..ports import Maintenance
    from ..settings.base import Value

Seen = Notice | DeployError | None
"""What one place says: closed with a notice, open, or nothing at all and why."""


class Maintenances:
    """A ``Maintenance`` of several: all are written, in their order, or none. Closed is what any of them closes."""

    def __init__(self, parts: Sequence[tuple[Value, Maintenance]]) -> None:
        self._parts = dict(zip(named([of for of, _ in parts]), (part for _, part in parts), strict=True))

    def read(self) -> Notice | None:
        """The first notice; ``None`` when all are open. Raises ``Unreachable`` when that cannot be known."""
        seen = self.read_each()
        notice = next((each for each in seen.values() if isinstance(each, Notice)), None)
        error = next((each for each in seen.values() if isinstance(each, DeployError)), None)
        if notice is None and error is not None:
            raise error
        return notice

    def disagreement(self) -> str:
        """Who says what, for people; empty when all say the same."""
        seen = self.read_each()
        words = {name: _word(each) for name, each in seen.items()}
        if len(set(words.values())) == 1:
            return ""
        return ", ".join(f"{name} {word}" for name, word in words.items())

    def write(self, notice: Notice | None) -> Call:
        texts = [part.write(notice).text for part in self._parts.values()]
        return Call("; then ".join(texts), partial(self._write, notice))

    def diagnose(self) -> Sequence[Finding]:
        """What each finds out about itself, and whether they say the same."""
        found = [finding for part in self._parts.values() for finding in part.diagnose()]
        if said := self.disagreement():
            do = "`inv maintenance-mode enable` or `disable` writes the same everywhere"
            found.append(Finding("maintenance", "warn", f"not everywhere the same: {said}", do))
        return found

    def read_each(self) -> Mapping[str, Seen]:
        """What each says, by its kind (numbered where there are several of one kind)."""
        return {name: _seen(part) for name, part in self._parts.items()}

    def _write(self, notice: Notice | None, timeout: float) -> None:
        before = self.read_each()
        begun: list[str] = []
        # Who does not even answer comes first: when that one fails, nothing else was touched.
        for name in sorted(self._parts, key=lambda name: not isinstance(before[name], DeployError)):
            begun.append(name)
            try:
                self._parts[name].write(notice).perform(timeout)
            except (DeployError, OSError) as error:
                self._put_back(begun, before, error, timeout)

    def _put_back(self, begun: Sequence[str], before: Mapping[str, Seen], error: Exception, timeout: float) -> None:
        """Have those that were begun say what they said before, the one that failed as well; then raise."""
        what = f"maintenance could not be written at {begun[-1]}: {getattr(error, 'what', error)}"
        left = []
        for name in begun:
            was = before[name]
            try:
                if not isinstance(was, DeployError):
                    self._parts[name].write(was).perform(timeout)
            except (DeployError, OSError) as again:
                left.append(f"{name}: {getattr(again, 'what', again)}")
        done = [each for each in left if not each.startswith(f"{begun[-1]}:")]
        do = getattr(error, "do", "") or "`inv doctor`; what does not answer can be taken out of the list"
        if done:
            raise WayBackFailed(what, state=f"not as before: {'; '.join(left)}", do="`inv maintenance-mode status`")
        raise Unreachable(what, state="all others are as they were", do=do) from error


def diagnosed(name: str, part: Maintenance) -> Sequence[Finding]:
    """Whether it can be read, and what it says."""
    seen = _seen(part)
    if isinstance(seen, DeployError):
        return [Finding("maintenance", "fail", f"{name}: {seen.what}", seen.do)]
    if seen is None:
        return [Finding("maintenance", "ok", f"{name} is open")]
    return [Finding("maintenance", "ok", f"{name} is closed since {seen.since:%Y-%m-%d %H:%M} UTC by {seen.who}")]


def _seen(part: Maintenance) -> Seen:
    try:
        return part.read()
    except DeployError as error:
        return error
    except OSError as error:
        return Unreachable(str(error))


def _word(seen: Seen) -> str:
    if isinstance(seen, DeployError):
        return f"does not say ({seen.what})"
    return "is open" if seen is None else "is closed"
