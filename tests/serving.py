"""A server of files for tests, which says nothing."""

from http.server import SimpleHTTPRequestHandler


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder without a line for each request."""

    def log_message(self, *args: object) -> None:
        pass
