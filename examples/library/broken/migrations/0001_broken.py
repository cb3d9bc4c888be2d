"""The fault ``migration``: an application that is installed only with it, so that this is always still to run."""

from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError("this migration is broken, by order of faults.json")


class Migration(migrations.Migration):
    initial = True

    dependencies = (("catalog", "0003_loan_returned_at"),)

    operations = (migrations.RunPython(fail, migrations.RunPython.noop),)
