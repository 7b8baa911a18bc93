from django.http import HttpRequest, HttpResponse, JsonResponse


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello from {{ project_name }}\n")


def health(request: HttpRequest) -> JsonResponse:
    """For probes: says that the process answers, and asks nobody else."""
    return JsonResponse({"status": "ok"})
