"""The pages' addresses: https://docs.djangoproject.com/en/stable/topics/http/urls/"""

from django.contrib import admin
from django.urls import path

from config import views

urlpatterns = [
    path("", views.index),
    path("admin/", admin.site.urls),
]
