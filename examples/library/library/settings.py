"""Settings of the library. What differs between machines comes from the environment:

LIBRARY_DATABASE     path of the SQLite database, beside manage.py by default; or postgresql://user@host/name
LIBRARY_CACHE        folder of the cache; in memory without it
LIBRARY_SECRET_KEY   Django's secret key; needed wherever the library is not only played with
LIBRARY_HOSTS        names it answers to, separated by commas; * by default, since it stands behind a balancer
LIBRARY_DEBUG        1: Django's debug pages
LIBRARY_METRICS      1: counts and latencies at /metrics, for Prometheus (needs django-prometheus)
LIBRARY_REDIS_URL    the Redis in which a flag closes the library; without it, none does (needs redis)
LIBRARY_CLOSED_BY    the flag's key; maintenance:library:production by default
VERSION, COLOR       who answers; shown in the headers X-Version and X-Color
"""

import os
import time
from pathlib import Path

from .database import database
from .faults import faults_file, read_faults

BASE_DIR = Path(__file__).resolve().parent.parent
FAULTS = read_faults(faults_file())
STARTED = time.monotonic()

VERSION = os.environ.get("VERSION", "development")
COLOR = os.environ.get("COLOR", "none")

DEBUG = os.environ.get("LIBRARY_DEBUG") == "1"
SECRET_KEY = os.environ.get("LIBRARY_SECRET_KEY", "for-development-only")
ALLOWED_HOSTS = os.environ.get("LIBRARY_HOSTS", "*").split(",")

INSTALLED_APPS = ["catalog"]
if FAULTS.broken_migration:
    INSTALLED_APPS.append("broken")

MIDDLEWARE = ["library.middleware.stamp", "library.closed.closed", "library.middleware.misbehave"]
REDIS_URL = os.environ.get("LIBRARY_REDIS_URL", "")
MAINTENANCE_KEY = os.environ.get("LIBRARY_CLOSED_BY") or "maintenance:library:production"
METRICS = os.environ.get("LIBRARY_METRICS") == "1"
if METRICS:
    INSTALLED_APPS.append("django_prometheus")
    # Both before the faults: a fault's delay is one that users feel.
    MIDDLEWARE[:0] = [f"django_prometheus.middleware.Prometheus{when}Middleware" for when in ("Before", "After")]
    # A bound at each limit that a deployment is judged by, and small steps between: a P99 is as exact as its bucket.
    STEPS = (round(0.002 * 1.25**step, 4) for step in range(36))
    PROMETHEUS_LATENCY_BUCKETS = (*sorted({*STEPS, 0.5, 1.0, 2.0, 10.0}), float("inf"))
ROOT_URLCONF = "library.urls"
WSGI_APPLICATION = "library.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {"default": database(os.environ.get("LIBRARY_DATABASE") or str(BASE_DIR / "library.sqlite3"))}

_FOLDER = os.environ.get("LIBRARY_CACHE")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends." + ("filebased.FileBasedCache" if _FOLDER else "locmem.LocMemCache"),
        "LOCATION": _FOLDER or "library",
        "KEY_PREFIX": VERSION,  # two versions side by side do not read each other's pages
    },
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
