"""Addresses of accounts and what belongs to them, the search and the audit log.

The list, the portfolio and the tabs that need scores are ``health.urls_accounts``; ``config.urls`` joins both
under the namespace ``accounts``.
"""

from django.urls import path

from accounts.views import accounts, audit, contacts, contracts, entries, files, home, stages, team, timeline, workspace

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", home.search, name="search"),
    path("theme/", home.set_theme, name="theme-set"),
    path("settings/", workspace.settings_page, name="workspace-settings"),
    path("settings/quotas/", workspace.quotas, name="quotas"),
    path("brand/<int:look>/accent.css", workspace.accent, name="brand-accent"),
    path("brand/<int:look>/logo.png", workspace.logo, name="brand-logo"),
    path("audit/", audit.audit_log, name="audit-log"),
    path("audit/<int:entry_id>/", audit.audit_entry, name="audit-entry"),
    path("audit/verify/", audit.audit_verify, name="audit-verify"),
    path("audit/verify/progress/", audit.audit_progress, name="audit-progress"),
    path("audit/export.csv", audit.audit_export, name="audit-export"),
    path("accounts/new/", accounts.create, name="account-create"),
    path("accounts/names/", accounts.names, name="account-names"),
    path("accounts/<uuid:account_id>/edit/", accounts.edit, name="account-edit"),
    path("accounts/<uuid:account_id>/owner/", accounts.owner, name="account-owner"),
    path("accounts/<uuid:account_id>/stage/", stages.stage, name="account-stage"),
    path("accounts/<uuid:account_id>/archive/", accounts.archive, name="account-archive"),
    path("accounts/<uuid:account_id>/timeline/", timeline.timeline, name="account-timeline"),
    path("accounts/<uuid:account_id>/timeline/export.csv", timeline.timeline_export, name="account-timeline-export"),
    path("accounts/<uuid:account_id>/timeline/log/", timeline.log, name="activity-log"),
    path("accounts/timeline/<uuid:activity_id>/", entries.entry_detail, name="entry-detail"),
    path("accounts/timeline/<uuid:activity_id>/edit/", entries.entry_edit, name="entry-edit"),
    path("accounts/timeline/<uuid:activity_id>/delete/", entries.entry_delete, name="entry-delete"),
    path("accounts/timeline/<uuid:activity_id>/restore/", entries.entry_restore, name="entry-restore"),
    path("accounts/timeline/<uuid:activity_id>/pin/", entries.entry_pin, name="entry-pin"),
    path("accounts/<uuid:account_id>/files/", files.account_files, name="account-files"),
    path("accounts/<uuid:account_id>/files/export.csv", files.files_export, name="account-files-export"),
    path("accounts/files/<uuid:file_id>/", files.file_detail, name="file-detail"),
    path("accounts/files/<uuid:file_id>/versions/", files.file_version, name="file-version"),
    path("accounts/files/<uuid:file_id>/delete/", files.file_delete, name="file-delete"),
    path("accounts/files/<uuid:file_id>/restore/", files.file_restore, name="file-restore"),
    path("accounts/files/versions/<uuid:version_id>/", files.file_download, name="file-download"),
    path("accounts/<uuid:account_id>/people/", contacts.people, name="account-people"),
    path("accounts/<uuid:account_id>/people/new/", contacts.create, name="contact-create"),
    path("accounts/<uuid:account_id>/people/<uuid:contact_id>/", contacts.edit, name="contact-edit"),
    path("accounts/<uuid:account_id>/people/<uuid:contact_id>/left/", contacts.left, name="contact-left"),
    path("accounts/<uuid:account_id>/team/new/", team.join, name="team-join"),
    path("accounts/<uuid:account_id>/team/<uuid:member_id>/leave/", team.leave, name="team-leave"),
    path("accounts/<uuid:account_id>/contracts/", contracts.contracts, name="account-contracts"),
    path("accounts/<uuid:account_id>/contracts/new/", contracts.create, name="contract-create"),
    path("accounts/<uuid:account_id>/contracts/<uuid:contract_id>/", contracts.edit, name="contract-edit"),
]
