"""gunicorn with gevent: one process holds thousands of waiting streams."""

worker_class = "gevent"
workers = 1
worker_connections = 1000
backlog = 2048
keepalive = 5
timeout = 60
graceful_timeout = 3  # an open stream never ends by itself; the browser comes back
accesslog = None  # the app writes its own line for each request
control_socket_disable = True


def post_fork(server, worker):
    """Let psycopg2 wait without stopping every other request of the process."""
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()
