from catalog import views
from django.urls import path

urlpatterns = [
    path("", views.home),
    path("health", views.health),
    path("api/", views.api_root),
    path("api/books/", views.books),
    path("api/loans/", views.loans),
    path("api/loans/duplicates/", views.duplicates),
]
