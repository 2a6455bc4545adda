"""The audit log refuses to be changed: a trigger raises on UPDATE, DELETE and TRUNCATE."""

from django.db import migrations

FORWARD = """
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only (%)', tg_op using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete on accounts_auditentry
    for each row execute function refuse_audit_change();
create trigger audit_no_truncate before truncate on accounts_auditentry
    for each statement execute function refuse_audit_change();
"""
BACKWARD = """
drop trigger audit_no_truncate on accounts_auditentry;
drop trigger audit_append_only on accounts_auditentry;
drop function refuse_audit_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
