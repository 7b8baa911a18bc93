from flask import Flask

from web import pages


def create_app() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(pages.blueprint)
    return app
