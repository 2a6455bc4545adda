"""What happened to a ticket, and what a version of a policy promised, is never rewritten."""

from django.db import migrations

FORWARD = """
create function refuse_support_rewrite() returns trigger language plpgsql as $$
begin
    raise exception 'a row of % is never rewritten', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger ticket_event_append_only before update on support_ticketevent
    for each row execute function refuse_support_rewrite();
create trigger sla_policy_version_immutable before update on support_slapolicyversion
    for each row execute function refuse_support_rewrite();
alter table support_ticket set (fillfactor = 80);
alter table support_slaclock set (fillfactor = 80);
"""
BACKWARD = """
alter table support_slaclock reset (fillfactor);
alter table support_ticket reset (fillfactor);
drop trigger sla_policy_version_immutable on support_slapolicyversion;
drop trigger ticket_event_append_only on support_ticketevent;
drop function refuse_support_rewrite();
"""


class Migration(migrations.Migration):
    dependencies = [("support", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
