from logging.config import dictConfig

from flask import Flask, request

from web import logs, pages


def create_app() -> Flask:
    dictConfig(logs.CONFIG)
    app = Flask(__name__)
    app.register_blueprint(pages.blueprint)

    @app.before_request
    def trace() -> None:
        """Let the log entries of a request have its trace."""
        logs.trace.set(logs.trace_id({name.lower(): value for name, value in request.headers.items()}))

    return app
