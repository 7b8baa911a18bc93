from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders

from config import logs, views

Page = Callable[[HttpRequest], HttpResponse]
PROBES: dict[str, Page] = {"/health": views.health, "/ready": views.ready}


def probes(get_response: Page) -> Page:
    """Answer probes before ALLOWED_HOSTS is looked at: they come to an address, not to a name."""

    def middleware(request: HttpRequest) -> HttpResponse:
        page = PROBES.get(request.path)
        return page(request) if page else get_response(request)

    return middleware


def trace(get_response: Page) -> Page:
    """Let the log entries of a request have its trace."""

    def middleware(request: HttpRequest) -> HttpResponse:
        logs.trace.set(logs.trace_id(HttpHeaders(request.META)))
        return get_response(request)

    return middleware
