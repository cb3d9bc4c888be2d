"""Migrations, read and judged from their source alone: no database, no Django, no Alembic. Pure.

``files`` finds them among a commit's files; ``judging`` says of each change whether the release that serves users now
can live with it; ``reversing`` whether it can be taken back; ``squawk`` reads what that program says about SQL.
"""
