"""SQLite, the database of one machine."""

from .database import Sqlite as Sqlite
