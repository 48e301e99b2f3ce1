"""gunicorn with gevent: one process holds thousands of waiting streams."""

import os
import resource

worker_class = "gevent"
workers = 1
worker_connections = int(os.environ.get("LIVE_CONNECTIONS") or 5000)  # the default of portal/config.py, which says more
backlog = 2048
keepalive = 5
limit_request_line = 8190  # the app refuses less itself, in its own words (portal/web/sizes.py)
timeout = 60
graceful_timeout = 3  # an open stream never ends by itself; the browser comes back
accesslog = None  # the app writes its own line for each request
control_socket_disable = True


def when_ready(server):
    """Take as many open files as the streams need, up to what the system grants: the usual 1,024 are not enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, worker_connections + 200)  # and its own: the database, Redis, modules
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def post_worker_init(worker):
    """Have streams say goodbye once this process takes no connection more: their readers then find the next one."""
    import gevent

    from portal.core import live

    def wait():
        while worker.alive:
            gevent.sleep(0.25)
        gevent.sleep(1.1)  # gunicorn looks once a second, and closes its socket then
        live.close()

    gevent.spawn(wait)


def post_fork(server, worker):
    """Let psycopg2 wait without stopping every other request of the process."""
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()
