"""The checklist's word on migrations, with a release live: by git alone, against what the ledger says is live."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeys.environment import Environment

MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_loan_returned_at")]
    operations = [{}]
"""
ADD = 'migrations.AddField("loan", "note", models.TextField(null=True))'
DROP = 'migrations.RemoveField("loan", "returned_at")'
FILE = "library/catalog/migrations/0004_more.py"


def database(environment: Environment) -> dict[str, tuple[str, str]]:
    """What a staging environment would hear about its database, by item."""
    environment.configure(database={"preset": "django"}, gates={"level": "staging"})
    done = environment.inv("checklist", "--json")
    found = {one["item"]: (one["answer"], one["evidence"]) for one in done.answer["items"]}
    return {name.removeprefix("database."): one for name, one in found.items() if name.startswith("database.")}


def test_what_contracts_is_refused_and_what_expands_is_not(live: Environment) -> None:
    """The live release's commit is compared with what is checked out; a work tree counts as it lies there."""
    found = database(live)
    assert "pass" == found["pending"][0]
    assert "no migration is pending: compared with" in found["pending"][1]
    assert {"not applicable"} == {found[name][0] for name in ("compatible", "rollback")}

    (live.root / FILE).write_text(MIGRATION.format(DROP))
    found = database(live)
    assert found["pending"][1].startswith("1 migration pending: catalog.0004_more; compared with")
    assert "fail" == found["compatible"][0]
    assert f"contracts: {FILE}:6 RemoveField catalog.loan.returned_at" in found["compatible"][1]

    (live.root / FILE).write_text(MIGRATION.format(ADD))
    live.commit()
    assert ("pass", "only expansions: catalog.0004_more") == database(live)["compatible"]
    (live.root / FILE).unlink()
    live.commit()
