"""Addresses of imports."""

from django.urls import path

from imports import views

app_name = "imports"
urlpatterns = [
    path("", views.job_list, name="job-list"),
    path("new/", views.job_new, name="job-new"),
    path("<uuid:job_id>/", views.job_detail, name="job-detail"),
    path("<uuid:job_id>/mapping/", views.job_mapping, name="job-mapping"),
    path("<uuid:job_id>/progress/", views.job_progress, name="job-progress"),
    path("<uuid:job_id>/start/", views.job_start, name="job-start"),
    path("<uuid:job_id>/cancel/", views.job_cancel, name="job-cancel"),
    path("<uuid:job_id>/undo/", views.job_undo, name="job-undo"),
    path("<uuid:job_id>/changes.csv", views.job_changes, name="job-changes"),
    path("<uuid:job_id>/errors.csv", views.job_errors, name="job-errors"),
]
