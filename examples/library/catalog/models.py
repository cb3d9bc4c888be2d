from django.db import models
from django.utils import timezone


class Author(models.Model):
    name = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=300)
    author = models.ForeignKey(Author, models.PROTECT, related_name="books")
    year = models.SmallIntegerField()

    class Meta:
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title


class Loan(models.Model):
    """A book that someone took home.

    ``client_id`` is the number that the client gave its request. It is deliberately not unique: a request that
    was applied twice leaves two rows, and can be counted.
    """

    client_id = models.UUIDField()
    book = models.ForeignKey(Book, models.PROTECT, related_name="loans")
    since = models.DateTimeField(default=timezone.now)
    returned_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("client_id",), name="loan_client_id"),)

    def __str__(self) -> str:
        return f"{self.book_id} to {self.client_id}"
