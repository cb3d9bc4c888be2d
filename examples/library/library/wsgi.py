"""The WSGI application: ``gunicorn library.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "library.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402  (not before Django is set up)

from .faults import start_countdown  # noqa: E402

start_countdown(settings.FAULTS)
