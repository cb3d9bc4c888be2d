from catalog import views
from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", views.home),
    path("health", views.health),
    path("api/", views.api_root),
    path("api/books/", views.books),
    path("api/loans/", views.loans),
    path("api/loans/duplicates/", views.duplicates),
]

if settings.METRICS:
    urlpatterns.append(path("", include("django_prometheus.urls")))
