"""AWS on loopback: a server that speaks its protocols, with services of our own where the emulator is not like AWS."""

from .cloud import Cloud, Seen
from .service import AwsError, Service

__all__ = ["AwsError", "Cloud", "Seen", "Service"]
