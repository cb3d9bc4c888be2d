"""Who answered, in the headers of every response; and the faults that touch requests."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse

Handler = Callable[[HttpRequest], HttpResponse]


def stamp(answer: Handler) -> Handler:
    """Sign each response with version and color."""

    def stamped(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response["X-Version"] = settings.VERSION
        response["X-Color"] = settings.COLOR
        return response

    return stamped


def misbehave(answer: Handler) -> Handler:
    """The faults ``errors`` and ``latency``; costs nothing when neither is on."""
    faults = settings.FAULTS
    if not faults.touch_requests:
        raise MiddlewareNotUsed

    def misbehaving(request: HttpRequest) -> HttpResponse:
        if request.path == "/health":
            return answer(request)
        if faults.latency and random.random() < faults.latency_share:
            time.sleep(faults.latency)
        if random.random() < faults.errors and time.monotonic() - settings.STARTED >= faults.errors_after:
            return JsonResponse({"error": "a fault, by order of faults.json"}, status=500)
        return answer(request)

    return misbehaving
