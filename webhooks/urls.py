from django.urls import path

from webhooks import views

app_name = "webhooks"

urlpatterns = [
    path("", views.endpoint_list, name="list"),
    path("new/", views.endpoint_new, name="new"),
    path("<uuid:webhook_id>/", views.endpoint_detail, name="detail"),
    path("<uuid:webhook_id>/edit/", views.endpoint_edit, name="edit"),
    path("<uuid:webhook_id>/pause/", views.endpoint_pause, name="pause"),
    path("<uuid:webhook_id>/resume/", views.endpoint_resume, name="resume"),
    path("<uuid:webhook_id>/delete/", views.endpoint_delete, name="delete"),
    path("<uuid:webhook_id>/secret/", views.endpoint_rotate, name="rotate"),
    path("<uuid:webhook_id>/test/", views.endpoint_test, name="test"),
    path("<uuid:webhook_id>/replay/", views.endpoint_replay, name="replay"),
    path("<uuid:webhook_id>/deliveries/<uuid:delivery_id>/", views.delivery_detail, name="delivery"),
    path("<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay/", views.delivery_replay, name="delivery-replay"),
]
