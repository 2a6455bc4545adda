"""When somebody last called, met or mailed each account, kept by a trigger with every statement on the timeline."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
create function keep_last_touch() returns trigger language plpgsql as $$
declare
    keys uuid[];
begin
    if tg_op = 'UPDATE' then
        keys := array(
            select account_id from (
                (select id, account_id, kind, at from was except all select id, account_id, kind, at from becomes)
                union all
                (select id, account_id, kind, at from becomes except all select id, account_id, kind, at from was)
            ) as moved where kind in ('call', 'meeting', 'email'));
    elsif tg_op = 'DELETE' then
        keys := array(select account_id from was where kind in ('call', 'meeting', 'email'));
    else
        keys := array(select account_id from becomes where kind in ('call', 'meeting', 'email'));
    end if;
    if keys = '{}' then
        return null;
    end if;
    -- RACE: of two at once neither sees what the other writes; the second one waits here and then reads the first's.
    perform 1 from accounts_account where id = any(keys) order by id for no key update;
    delete from accounts_lasttouch where account_id = any(keys) and not exists (
        select 1 from accounts_activity a
        where a.account_id = accounts_lasttouch.account_id and a.kind in ('call', 'meeting', 'email'));
    insert into accounts_lasttouch (account_id, at)
    select k.id, latest.at from (select distinct unnest(keys)) as k (id) cross join lateral (
        select a.at from accounts_activity a
        where a.account_id = k.id and a.kind in ('call', 'meeting', 'email') order by a.at desc limit 1) as latest
    on conflict (account_id) do update set at = excluded.at where accounts_lasttouch.at <> excluded.at;
    return null;
end $$;
create trigger last_touch_inserted after insert on accounts_activity referencing new table as becomes
    for each statement execute function keep_last_touch();
create trigger last_touch_updated after update on accounts_activity referencing old table as was new table as becomes
    for each statement execute function keep_last_touch();
create trigger last_touch_deleted after delete on accounts_activity referencing old table as was
    for each statement execute function keep_last_touch();
insert into accounts_lasttouch (account_id, at)
    select account_id, max(at) from accounts_activity where kind in ('call', 'meeting', 'email') group by account_id;
"""
BACKWARD = """
drop trigger last_touch_inserted on accounts_activity;
drop trigger last_touch_updated on accounts_activity;
drop trigger last_touch_deleted on accounts_activity;
drop function keep_last_touch();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0019_stand_ins")]
    operations = [
        migrations.CreateModel(
            name="LastTouch",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="last_touch",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "last touches",
                "indexes": [models.Index(fields=["at", "account"], name="last_touch_by_time")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
