{% from 'include/asked.jinja' import asked with context %}
import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
{% if asked %}

from config import services
{% endif %}


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"Hello from {{ project_name }}\n")


def health(request: HttpRequest) -> HttpResponse:
    """Answer probes without asking any other service."""
    return HttpResponse(b"Healthy", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """Tell whether the database{{ ' and the services' if asked }} answer{{ 's' if not asked }}."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logging.getLogger(__name__).warning("The database does not answer", exc_info=True)
        return HttpResponse(b"No answer: the database", status=503, content_type="text/plain")
{% if asked %}
    if names := services.unready():
        return HttpResponse(f"No answer: {', '.join(names)}".encode(), status=503, content_type="text/plain")
{% endif %}
    return HttpResponse(b"Ready", content_type="text/plain")
