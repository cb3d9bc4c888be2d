"""All the ways to say where a database is; whichever it is, psycopg and PostgreSQL's programs come to the same one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploytasks import redaction
from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers.postgres.programs import Programs, Tools, run
from deploytasks.providers.postgres.server import Server
from deploytasks.settings.postgres import PostgresSettings

from .conftest import Place


def reached(settings: PostgresSettings, root: Path) -> set[str]:
    """The databases that psycopg and ``pg_dump`` came to."""
    server = Server(settings, root)
    with server.opened(time.monotonic() + 10) as connection:
        row = connection.execute("SELECT current_database()").fetchone()
        tools = Programs(None).fit_for(connection.info.server_version // 10_000)
    command = [tools.path("pg_dump"), "--schema-only", "--create", f"--dbname={server.target()}"]
    said = run(command, server.environment("look"), time.monotonic() + 20)
    assert row is not None
    return {row[0], *(line.split()[1] for line in said.splitlines() if line.startswith("\\connect"))}


@pytest.fixture
def parts(place: Place) -> dict[str, Any]:
    server = place.server
    return {"host": server.host, "port": server.port, "user": server.user, "name": place.name}


def test_by_a_url(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as SQLAlchemy writes it, with what only libpq knows."""
    url = place.server.url_of(place.name)
    monkeypatch.setenv("ANY_URL", url.replace("postgresql:", "postgresql+psycopg:") + "?sslmode=prefer&keepalives=1")
    assert {place.name} == reached(PostgresSettings(url_from="ANY_URL"), tmp_path)


def test_by_words(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As psql takes them."""
    server = place.server
    secret = server.password.replace("\\", "\\\\").replace("'", "\\'")
    words = f"host={server.host} port={server.port} user={server.user} dbname={place.name} password='{secret}'"
    monkeypatch.setenv("ANY_URL", words)
    assert {place.name} == reached(PostgresSettings(url_from="ANY_URL"), tmp_path)


def test_by_a_password_variable(
    place: Place, parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is in the configuration, and its value is kept out of everything that is written from then on."""
    monkeypatch.setenv("ANY_WORD", place.server.password)
    assert {place.name} == reached(PostgresSettings(**parts, password_from="ANY_WORD"), tmp_path)
    assert redaction.clean(f"it is {place.server.password}!") == "it is ***!"


def test_by_a_password_file(place: Place, parts: dict[str, Any], tmp_path: Path) -> None:
    """As libpq keeps it; relative to the project."""
    escaped = place.server.password.replace("\\", "\\\\").replace(":", "\\:")
    file = tmp_path / "passwords"
    file.write_text(f"*:{place.server.port}:*:{place.server.user}:{escaped}\n")
    file.chmod(0o600)
    assert {place.name} == reached(PostgresSettings(**parts, passfile="passwords"), tmp_path)


def test_by_a_service(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the database's name is in libpq's service file."""
    server = place.server
    file = tmp_path / "services"
    file.write_text(f"[ours]\nhost={server.host}\nport={server.port}\nuser={server.user}\npassword={server.password}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    settings = PostgresSettings(service="ours", name=place.name)
    assert {place.name} == reached(settings, tmp_path)
    assert Server(settings, tmp_path).shown == f"service ours/{place.name}"


def test_by_a_socket(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder instead of a host."""
    server = place.server
    monkeypatch.setenv("ANY_WORD", server.password)
    given = {"host": str(server.socket), "port": server.port, "user": server.user, "name": place.name}
    assert {place.name} == reached(PostgresSettings(**given, password_from="ANY_WORD"), tmp_path)


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({}, "which database"),
        ({"host": "db"}, "which database"),
        ({"url_from": "A_URL", "host": "db"}, "url_from and host cannot both be given"),
        ({"url_from": "postgresql://ann:secret@db/x"}, "match pattern"),
        ({"name": "x", "password": "secret"}, "password"),
        ({"name": "x", "where": "local", "migrate": "migrate {release}"}, r"\{release\} is known on a host only"),
        ({"name": "x", "preset": "rails"}, "django"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, Any], mistake: str) -> None:
    """Each is told, before anything is reached."""
    with pytest.raises(ValidationError, match=mistake):
        PostgresSettings(**given)


def test_the_preset_says_what_migrates() -> None:
    """And what is said explicitly stays."""
    django = PostgresSettings(name="x", preset="django")
    assert django.migrate == "PGAPPNAME='deploytasks migrate' {python} manage.py migrate --noinput"
    alembic = PostgresSettings(name="x", preset="alembic", migrator="bin/alembic -c db/alembic.ini")
    assert alembic.migrate == "bin/alembic -c db/alembic.ini upgrade head"
    own = PostgresSettings(name="x", preset="django", migrate="make migrate")
    assert (own.migrate, own.migrator) == ("make migrate", django.migrator)


def fake_tools(folder: Path, major: int) -> Path:
    """A folder whose programs say that they are of a version."""
    made = folder / str(major)
    made.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (made / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {major}.4 (Debian {major}.4-1)'\n")
        (made / name).chmod(0o755)
    return made


def test_programs_that_are_too_old(tmp_path: Path, place: Place) -> None:
    """What is missing and where to say it; nothing was begun."""
    old = fake_tools(tmp_path, 9)
    with pytest.raises(UsageError, match=r"the server is PostgreSQL \d+, and there is pg_dump 9") as caught:
        place.open(bin=str(old)).back_up("one", {}).perform(20)
    assert "database.bin" in caught.value.do
    with pytest.raises(UsageError, match="no pg_dump in"):
        Programs(tmp_path / "nowhere").fit_for(15)


def test_programs_of_the_servers_version_are_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer pg_dump writes what an older server may not read: the next version there is, and no newer one."""
    folders = {major: fake_tools(tmp_path, major) for major in (14, 15, 17)}
    monkeypatch.setenv("PATH", f"{folders[17]}:/bin:/usr/bin")
    monkeypatch.setattr("deploytasks.providers.postgres.programs._BESIDE_THE_PATH", (f"{tmp_path}/*",))
    programs = Programs(None)
    assert programs.fit_for(15) == Tools(folders[15], 15)
    assert programs.fit_for(16) == Tools(folders[17], 17)
    with pytest.raises(UsageError, match="pg_dump 17"):
        programs.fit_for(18)


def test_a_wait_without_end_is_cut(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked, the answer comes by the deadline or never."""
    monkeypatch.setenv("ANY_URL", place.server.url_of(place.name))
    server = Server(PostgresSettings(url_from="ANY_URL"), tmp_path)
    began = time.monotonic()
    with (
        pytest.raises(Unreachable, match="not done in time"),
        server.opened(time.monotonic() + 0.5) as connection,
    ):
        connection.execute("SELECT pg_sleep(30)")
    assert time.monotonic() - began < 5
