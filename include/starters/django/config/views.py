from django.http import HttpRequest, HttpResponse


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello from {{ project_name }}\n")


def health(request: HttpRequest) -> HttpResponse:
    """Answer probes without asking any other service."""
    return HttpResponse("Healthy", content_type="text/plain")
