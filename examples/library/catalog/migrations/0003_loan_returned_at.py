"""Expands only: a nullable column and an index. The version before this one runs on, knowing neither."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("catalog", "0002_first_books"),)

    operations = (
        migrations.AddField(
            model_name="loan",
            name="returned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="loan",
            index=models.Index(fields=["client_id"], name="loan_client_id"),
        ),
    )
