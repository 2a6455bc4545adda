"""A version that was ever live keeps its definition for good; room on the pages of rows rewritten daily."""

from django.db import migrations

FORWARD = """
create function refuse_version_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if to_jsonb(old) ->> 'state' = 'draft' then
            return old;
        end if;
    elsif to_jsonb(old) ->> 'state' = 'draft'
        or (old.definition, old.number, to_jsonb(old) ->> 'scorecard_id', to_jsonb(old) ->> 'trigger_id')
            is not distinct from
            (new.definition, new.number, to_jsonb(new) ->> 'scorecard_id', to_jsonb(new) ->> 'trigger_id')
        and coalesce(to_jsonb(new) ->> 'state', '') <> 'draft' then
        return new;
    end if;
    raise exception 'a version that was live never changes' using errcode = 'insufficient_privilege';
end $$;
create trigger scorecard_version_immutable before update or delete on health_scorecardversion
    for each row execute function refuse_version_change();
create trigger trigger_version_immutable before update or delete on health_triggerversion
    for each row execute function refuse_version_change();
alter table health_accounthealth set (fillfactor = 70);
alter table health_triggerstate set (fillfactor = 70);
"""
BACKWARD = """
alter table health_triggerstate reset (fillfactor);
alter table health_accounthealth reset (fillfactor);
drop trigger trigger_version_immutable on health_triggerversion;
drop trigger scorecard_version_immutable on health_scorecardversion;
drop function refuse_version_change();
"""


class Migration(migrations.Migration):
    dependencies = [("health", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
