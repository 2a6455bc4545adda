from django.urls import path

from playbooks.views import cockpit, ctas, recipes, tasks, verbs

app_name = "playbooks"

urlpatterns = [
    path("ctas/", ctas.cta_index, name="cta-list"),
    path("ctas/board/", cockpit.board, name="cta-board"),
    path("ctas/calendar/", cockpit.calendar, name="cta-calendar"),
    path("ctas/export.csv", ctas.cta_export, name="cta-export"),
    path("ctas/new/", ctas.cta_create, name="cta-create"),
    path("ctas/bulk/", verbs.bulk, name="cta-bulk"),
    path("ctas/undo/", verbs.undo, name="cta-undo"),
    path("ctas/<uuid:cta_id>/", ctas.cta_detail, name="cta-detail"),
    path("ctas/<uuid:cta_id>/move/", cockpit.move, name="cta-move"),
    path("ctas/<uuid:cta_id>/due/", cockpit.move_due, name="cta-move-due"),
    path("ctas/<uuid:cta_id>/edit/", ctas.cta_edit, name="cta-edit"),
    path("ctas/<uuid:cta_id>/close/", verbs.close, name="cta-close"),
    path("ctas/<uuid:cta_id>/reopen/", verbs.reopen, name="cta-reopen"),
    path("ctas/<uuid:cta_id>/snooze/", verbs.snooze, name="cta-snooze"),
    path("ctas/<uuid:cta_id>/wake/", verbs.wake, name="cta-wake"),
    path("ctas/<uuid:cta_id>/reassign/", verbs.reassign, name="cta-reassign"),
    path("ctas/<uuid:cta_id>/tasks/", tasks.task_add, name="task-add"),
    path("tasks/<uuid:task_id>/edit/", tasks.task_edit, name="task-edit"),
    path("tasks/<uuid:task_id>/toggle/", tasks.task_toggle, name="task-toggle"),
    path("accounts/<uuid:account_id>/ctas/", ctas.account_ctas, name="account-ctas"),
    path("playbooks/", recipes.playbook_index, name="playbook-list"),
    path("playbooks/new/", recipes.playbook_create, name="playbook-create"),
    path("playbooks/<uuid:playbook_id>/edit/", recipes.playbook_edit, name="playbook-edit"),
    path("playbooks/<uuid:playbook_id>/retire/", recipes.playbook_retire, name="playbook-retire"),
    path("playbooks/<uuid:playbook_id>/restore/", recipes.playbook_restore, name="playbook-restore"),
    path("playbooks/<uuid:playbook_id>/", recipes.playbook_detail, name="playbook-detail"),
]
