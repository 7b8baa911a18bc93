{% from 'include/asked.jinja' import asked with context %}
from flask import Blueprint
{% if asked %}

from web.services import unready
{% endif %}

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    return "Hello from {{ project_name }}\n"


@blueprint.get("/health")
def health() -> str:
    """Answer probes without asking any other service."""
    return "Healthy"


@blueprint.get("/ready")
{% if asked %}
def ready() -> tuple[str, int]:
    """Tell whether the services answer."""
    if names := unready():
        return f"No answer: {', '.join(names)}", 503
    return "Ready", 200
{% else %}
def ready() -> str:
    """Ask here what the application cannot work without, such as a database."""
    return "Ready"
{% endif %}
