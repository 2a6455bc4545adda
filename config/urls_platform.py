"""Every address of the operators' workspace: those of any workspace, and the console."""

from django.urls import include, path

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as workspace

__all__ = ["handler400", "handler403", "handler404", "handler500"]

urlpatterns = [*workspace, path("console/", include("console.urls"))]
