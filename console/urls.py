"""Addresses of the operators' console."""

from django.urls import path

from console import views

app_name = "console"
urlpatterns = [
    path("", views.tenants, name="tenant-list"),
    path("new/", views.create, name="tenant-create"),
    path("<slug:slug>/", views.tenant, name="tenant-detail"),
    path("<slug:slug>/suspend/", views.suspend, name="tenant-suspend"),
    path("<slug:slug>/resume/", views.resume, name="tenant-resume"),
    path("<slug:slug>/limits/", views.limits, name="tenant-limits"),
    path("<slug:slug>/off-board/", views.offboard, name="tenant-offboard"),
    path("<slug:slug>/export/", views.export, name="tenant-export"),
]
