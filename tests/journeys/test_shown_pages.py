"""What the pages for a bad day show, typed in the embedded environment with real processes."""

from __future__ import annotations

from journeys.environment import NAME, Environment
from journeys.shown import typed

CHANGES = "# Changelog\n\n## [Unreleased]\n\n{changes}## [1.4.2] - 2026-11-20\n\n### Added\n\n- Loans.\n"


def test_from_scripts_to_tasks(settled: Environment) -> None:
    """What a team types beside its scripts before it goes over."""
    typed(settled, "docs/from-scripts.md", "How to go over", "The checklist")


def test_a_hotfix(fresh: Environment) -> None:
    """From the tag that is live, out by the short way, and a gate set aside by its name."""
    fresh.git("config", "user.name", "Ann")
    fresh.git("config", "user.email", "ann@example.org")
    changelog = fresh.root / "CHANGELOG.md"
    changelog.write_text(CHANGES.format(changes=""), encoding="utf-8")
    fresh.commit()
    fresh.git("tag", "--annotate", "--message", "1.4.2", "v1.4.2")
    fresh.commit()
    typed(fresh, "docs/hotfix.md", "From what is live")
    changelog.write_text(CHANGES.format(changes="### Fixed\n\n- Checkout.\n\n"), encoding="utf-8")
    fresh.commit()
    typed(fresh, "docs/hotfix.md", "The version")
    assert "v1.4.3" == fresh.git("describe").strip()
    typed(fresh, "docs/hotfix.md", "Out", "When a gate stands in the way", "In the morning")
    fresh.git("checkout", "--quiet", "main")


def test_a_database_emergency(settled: Environment) -> None:
    """The site is closed, the damage is kept, a copy takes its place, and users come back."""
    settled.configure(database={"preset": "django"})
    settled.commit()
    assert settled.inv("deploy").code == 0
    typed(
        settled, "docs/database-emergency.md", "Close the site", "Keep what is there", "Was it a migration?",
        "Otherwise: a copy", "Look, then open", "Afterwards", more={"inv restore-database": ("--consent", NAME)},
    )  # fmt: skip
    settled.assert_at_rest(settled.live())
