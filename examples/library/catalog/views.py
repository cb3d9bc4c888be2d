from __future__ import annotations

import json
import time
import uuid

from django.conf import settings
from django.core.cache import cache
from django.db import DataError, IntegrityError, transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from .models import Book, Loan

BOOKS_FOR = 30
"""Seconds that the list of books is kept in the cache."""


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The shelf, for people."""
    shown = {"books": _shelf(), "version": settings.VERSION, "color": settings.COLOR}
    return render(request, "catalog/home.html", shown)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when users can be served; 503, and what is wrong, when not."""
    checks = {"database": _check(_use_database), "cache": _check(_use_cache)}
    after = settings.FAULTS.unhealthy_after
    if after is not None and time.monotonic() - settings.STARTED >= after:
        checks["faults"] = "failing, by order of faults.json"
    healthy = all(state == "ok" for state in checks.values())
    body = {"status": "ok" if healthy else "failing", "version": settings.VERSION, "color": settings.COLOR, **checks}
    return JsonResponse(body, status=200 if healthy else 503)


@require_safe
def api_root(request: HttpRequest) -> JsonResponse:
    links = {
        "name": "library",
        "version": settings.VERSION,
        "books": "/api/books/",
        "loans": "/api/loans/",
        "duplicates": "/api/loans/duplicates/",
        "health": "/health",
    }
    return JsonResponse(links)


@require_safe
def books(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"books": _shelf()})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def loans(request: HttpRequest) -> JsonResponse:
    """POST ``{"id": <uuid>, "book": <number>}`` lends a book; GET ``?id=<uuid>`` says how often that was applied."""
    return _lend(request) if request.method == "POST" else _count_loans(request)


@require_safe
def duplicates(request: HttpRequest) -> JsonResponse:
    """How many client ids were applied more than once, and how many loans there are."""
    per_client = Loan.objects.values("client_id").annotate(times=Count("id")).filter(times__gt=1)
    return JsonResponse({"duplicates": per_client.count(), "total": Loan.objects.count()})


def _lend(request: HttpRequest) -> JsonResponse:
    try:
        wish = json.loads(request.body)
        client_id, number = uuid.UUID(wish["id"]), int(wish["book"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return JsonResponse({"error": 'a body {"id": <uuid>, "book": <number>} is needed'}, status=400)
    try:
        # Foreign keys are checked at the commit: inside, so that an unknown book is found here.
        with transaction.atomic():
            loan = Loan.objects.create(client_id=client_id, book_id=number)
    except (IntegrityError, OverflowError, DataError):  # PostgreSQL says DataError of a number that is too large
        return JsonResponse({"error": f"there is no book {number}"}, status=404)
    return JsonResponse({"loan": loan.pk, "id": str(client_id), "book": number}, status=201)


def _count_loans(request: HttpRequest) -> JsonResponse:
    try:
        client_id = uuid.UUID(request.GET.get("id", ""))
    except ValueError:
        return JsonResponse({"error": "?id=<uuid> is needed"}, status=400)
    return JsonResponse({"id": str(client_id), "count": Loan.objects.filter(client_id=client_id).count()})


def _shelf() -> list[dict]:
    """All books, from the cache when it has them."""
    return cache.get_or_set("shelf", _read_shelf, BOOKS_FOR)


def _read_shelf() -> list[dict]:
    found = Book.objects.select_related("author")
    return [{"id": book.pk, "title": book.title, "author": book.author.name, "year": book.year} for book in found]


def _check(use) -> str:
    try:
        use()
    except Exception as error:  # noqa: BLE001  (whatever is wrong, the balancer must be told)
        return f"{type(error).__name__}: {error}"
    return "ok"


def _use_database() -> None:
    """Ask for a row with all its columns: a database that this version's migrations have not seen is no use."""
    Loan.objects.order_by("pk").first()


def _use_cache() -> None:
    """Write something that nobody else could have written, and read it again."""
    word = uuid.uuid4().hex
    cache.set(f"health-{word}", word, 5)
    if cache.get(f"health-{word}") != word:
        raise RuntimeError("what was written could not be read")
    cache.delete(f"health-{word}")
