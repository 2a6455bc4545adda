from django.urls import path

from engagement import views

app_name = "engagement"

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("read/", views.read_all, name="read-all"),
    path("<uuid:notice_id>/read/", views.read_one, name="read"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/quiet/", views.quiet_hours, name="quiet-hours"),
    path("outbox/", views.outbox, name="outbox"),
    path("outbox/<uuid:message_id>/retry/", views.retry, name="outbox-retry"),
]
