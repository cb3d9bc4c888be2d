"""Amazon RDS: snapshots of an instance or an Aurora cluster, and the way back to one.

``api`` asks and translates, ``instances`` and ``clusters`` know both sorts of database, ``snapshots`` and ``restoring``
are what is done with them; ``carrying`` and ``names`` are pure.
"""

from .database import Rds as Rds
