from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test import override_settings


def lend(client, client_id=None, book=1):
    body = {"id": str(client_id or uuid.uuid4()), "book": book}
    return client.post("/api/loans/", body, content_type="application/json")


@pytest.mark.parametrize("path", ["/", "/health", "/api/", "/api/books/", "/nowhere"])
def test_every_response_says_who_answered(client, path):
    """Version and color are in the headers of every response, a 404 included."""
    response = client.get(path)

    assert (response["X-Version"], response["X-Color"]) == ("1.2.3", "green")


def test_home_shows_the_shelf(client):
    """The home page lists the books and shows version and color."""
    response = client.get("/")

    assert response.status_code == 200
    for text in ("Frankenstein", "Murasaki Shikibu", "1.2.3 on green", 'data-color="green"'):
        assert text in response.text


def test_books_are_seeded_and_listed(client):
    """The migrations leave twenty books, each with title, author and year."""
    books = client.get("/api/books/").json()["books"]

    assert len(books) == 20
    assert {"title": "Moby-Dick", "author": "Herman Melville", "year": 1851} in [
        {key: book[key] for key in ("title", "author", "year")} for book in books
    ]


def test_books_come_from_the_cache(client):
    """A second reader of the list costs no query."""
    client.get("/api/books/")
    queries = []

    def note(execute, sql, *rest):
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        client.get("/api/books/")

    assert queries == []


def test_the_api_root_leads_on(client):
    """Every link in the API root works."""
    root = client.get("/api/").json()

    assert [client.get(root[name]).status_code for name in ("books", "duplicates", "health")] == [200, 200, 200]


def test_a_loan_is_made_and_counted(client):
    """A POST makes a loan, which can be asked for by the client's id."""
    client_id = uuid.uuid4()
    made = lend(client, client_id, book=3)

    assert (made.status_code, made.json()["book"]) == (201, 3)
    assert client.get("/api/loans/", {"id": str(client_id)}).json() == {"id": str(client_id), "count": 1}


def test_what_is_applied_twice_is_seen(client):
    """The same client id sent twice makes two loans and one duplicate."""
    twice = uuid.uuid4()
    for client_id in (twice, twice, None):
        lend(client, client_id)

    assert client.get("/api/loans/duplicates/").json() == {"duplicates": 1, "total": 3}
    assert client.get("/api/loans/", {"id": str(twice)}).json()["count"] == 2


@pytest.mark.parametrize("body", ["", "{", "[]", '{"id": 1, "book": 1}', '{"id": "x", "book": 1}', '{"book": 1}'])
def test_a_wrong_loan_is_refused(client, body):
    """A body that is not understood is a 400 and changes nothing."""
    assert client.post("/api/loans/", body, content_type="application/json").status_code == 400
    assert client.get("/api/loans/duplicates/").json()["total"] == 0


@pytest.mark.parametrize("book", [0, 999, 2**70])
def test_an_unknown_book_cannot_be_lent(client, book):
    """A loan of a book that is not there is a 404 and leaves no row."""
    assert lend(client, book=book).status_code == 404
    assert client.get("/api/loans/duplicates/").json()["total"] == 0


@pytest.mark.parametrize("query", ["", "?id=", "?id=x"])
def test_loans_are_asked_for_by_id(client, query):
    """Without a client id there is nothing to count."""
    assert client.get(f"/api/loans/{query}").status_code == 400


def test_health_when_all_is_well(client):
    """Healthy means that database and cache were really used."""
    response = client.get("/health")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok", "version": "1.2.3", "color": "green", "database": "ok", "cache": "ok",
    }  # fmt: skip


def test_health_sees_a_database_that_does_not_answer(client):
    """A query that fails makes the page a 503 that names the database."""

    def fail(*_):
        raise OSError("disk I/O error")

    with connection.execute_wrapper(fail):
        response = client.get("/health")

    assert (response.status_code, response.json()["database"]) == (503, "OSError: disk I/O error")
    assert response.json()["cache"] == "ok"


def test_health_sees_a_cache_that_forgets(client):
    """A cache that loses what was written makes the page a 503 that names the cache."""
    forgetful = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    with override_settings(CACHES=forgetful):
        response = client.get("/health")

    assert (response.status_code, response.json()["status"]) == (503, "failing")
    assert "could not be read" in response.json()["cache"]
    assert response.json()["database"] == "ok"
