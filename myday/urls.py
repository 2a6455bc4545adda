from django.urls import path

from myday import feed_views, views

app_name = "myday"

urlpatterns = [
    path("", views.day, name="day"),
    path("calendar/", feed_views.feed_settings, name="feed-settings"),
    path("calendar/<str:secret>.ics", feed_views.feed, name="feed"),
    path("undo/", views.undo, name="undo"),
    path("ctas/<uuid:cta_id>/done/", views.cta_done, name="cta-done"),
    path("ctas/<uuid:cta_id>/snooze/", views.cta_snooze, name="cta-snooze"),
    path("ctas/<uuid:cta_id>/reassign/", views.cta_reassign, name="cta-reassign"),
    path("tasks/<uuid:task_id>/done/", views.task_done, name="task-done"),
    path("tasks/<uuid:task_id>/snooze/", views.task_snooze, name="task-snooze"),
    path("tasks/<uuid:task_id>/reassign/", views.task_reassign, name="task-reassign"),
    path("steps/<uuid:activity_id>/done/", views.step_done, name="step-done"),
    path("steps/<uuid:activity_id>/snooze/", views.step_snooze, name="step-snooze"),
    path("steps/<uuid:activity_id>/reassign/", views.step_reassign, name="step-reassign"),
    path("notices/<uuid:notice_id>/done/", views.notice_done, name="notice-done"),
    path("notices/<uuid:notice_id>/snooze/", views.notice_snooze, name="notice-snooze"),
    path("accounts/<uuid:account_id>/done/", views.account_done, name="account-done"),
    path("accounts/<uuid:account_id>/snooze/", views.account_snooze, name="account-snooze"),
    path("accounts/<uuid:account_id>/reassign/", views.account_reassign, name="account-reassign"),
    path("accounts/<uuid:account_id>/log/", views.account_log, name="account-log"),
]
