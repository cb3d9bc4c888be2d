"""How gunicorn serves the library: ``python -m gunicorn library.wsgi --bind 127.0.0.1:8101``.

It reads this file by itself from the folder that it starts in.
"""

import time

from library.faults import faults_file, read_faults

workers = 1
threads = 16
worker_class = "gthread"
keepalive = 75  # seconds; the balancer must let go of an idle connection before we do
graceful_timeout = 5
accesslog = "-"
control_socket_disable = True  # two colors on one machine would fight over its path


def on_starting(server):
    """Called before the port is opened."""
    seconds = read_faults(faults_file()).slow_start
    if seconds:
        server.log.warning("faults.json: waiting %s s before listening", seconds)
        time.sleep(seconds)
