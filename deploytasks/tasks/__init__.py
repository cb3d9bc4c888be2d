"""The command line: one module per task or family of tasks, each a short story of named steps.

Only Invoke is imported here; what a task needs, it imports when it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Collection

from .checks import check_error_rate, check_latency, smoke, warmup
from .controls import abort, continue_, pause, promote
from .database import backup_database, rehearse, restore_database
from .deploy import deploy, deploy_blue_green, rollback
from .gates import build, checklist, test, validate
from .hosts import logs, run
from .look import doctor, history, prune, status
from .maintenance import maintenance_mode
from .notify import notify_deployment
from .people import approve, note, override, people, plan, sign
from .pieces import down, install, migrate, resume, retire, shift, watch
from .releases import create_release, release_notes
from .report import metrics, report
from .simulation import backtest, drill, simulate

if TYPE_CHECKING:
    from invoke import Context, Runner

namespace = Collection(
    abort,
    approve,
    backtest,
    backup_database,
    build,
    check_error_rate,
    check_latency,
    checklist,
    continue_,
    create_release,
    deploy,
    deploy_blue_green,
    doctor,
    down,
    drill,
    history,
    install,
    logs,
    maintenance_mode,
    metrics,
    migrate,
    note,
    notify_deployment,
    override,
    pause,
    people,
    plan,
    promote,
    prune,
    rehearse,
    release_notes,
    report,
    restore_database,
    resume,
    retire,
    rollback,
    run,
    shift,
    sign,
    simulate,
    smoke,
    status,
    test,
    validate,
    warmup,
    watch,
)


def _local(context: Context) -> Runner:
    """What runs a local command. Its class costs a millisecond to import, and most tasks run none."""
    from ..runners import InterruptibleLocal

    return InterruptibleLocal(context)


namespace.configure({"runners": {"local": _local}})

__all__ = ["namespace"]
