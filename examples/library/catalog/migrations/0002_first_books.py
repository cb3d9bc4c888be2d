"""The first books on the shelves."""

from django.db import migrations

BOOKS = (
    ("Jane Austen", "Pride and Prejudice", 1813),
    ("Jane Austen", "Persuasion", 1817),
    ("Charlotte Brontë", "Jane Eyre", 1847),
    ("Emily Brontë", "Wuthering Heights", 1847),
    ("Lewis Carroll", "Alice’s Adventures in Wonderland", 1865),
    ("Miguel de Cervantes", "Don Quixote", 1605),
    ("Kate Chopin", "The Awakening", 1899),
    ("Charles Dickens", "Great Expectations", 1861),
    ("Fyodor Dostoevsky", "Crime and Punishment", 1866),
    ("George Eliot", "Middlemarch", 1871),
    ("Gustave Flaubert", "Madame Bovary", 1857),
    ("Ada Lovelace", "Notes on the Analytical Engine", 1843),
    ("Herman Melville", "Moby-Dick", 1851),
    ("Murasaki Shikibu", "The Tale of Genji", 1021),
    ("Mary Shelley", "Frankenstein", 1818),
    ("Bram Stoker", "Dracula", 1897),
    ("Leo Tolstoy", "Anna Karenina", 1878),
    ("Leo Tolstoy", "War and Peace", 1869),
    ("Jules Verne", "Twenty Thousand Leagues Under the Seas", 1870),
    ("H. G. Wells", "The Time Machine", 1895),
)


def add_books(apps, schema_editor):
    author_model, book_model = apps.get_model("catalog", "Author"), apps.get_model("catalog", "Book")
    authors = {name: author_model.objects.get_or_create(name=name)[0] for name, _, _ in BOOKS}
    for name, title, year in BOOKS:
        book_model.objects.get_or_create(title=title, author=authors[name], year=year)


class Migration(migrations.Migration):
    dependencies = (("catalog", "0001_initial"),)

    operations = (migrations.RunPython(add_books, migrations.RunPython.noop),)
