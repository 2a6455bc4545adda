import django.db.models.functions.text
from django.db import migrations, models

import tenants.guard


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0016_activity_touched_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='OwnField',
            fields=[
                ('id', models.UUIDField(default=tenants.guard.new_id, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=60)),
                ('label', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('text', 'Text'), ('number', 'Number'), ('date', 'Date'), ('yes_no', 'Yes or no'), ('choice', 'Choice'), ('link', 'Link')], max_length=10)),
                ('options', models.JSONField(blank=True, default=list, help_text='Of a choice, in order')),
                ('help_text', models.CharField(blank=True, max_length=200)),
                ('position', models.PositiveIntegerField(default=0)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1, help_text='Counts changes; the ETag')),
            ],
            options={
                'ordering': ['position', 'created_at', 'pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='ownfield',
            constraint=models.UniqueConstraint(fields=('key',), name='own_field_key_once'),
        ),
        migrations.AddConstraint(
            model_name='ownfield',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('label'), condition=models.Q(('archived_at', None)), name='own_field_label_once'),
        ),
        migrations.AddConstraint(
            model_name='ownfield',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['text', 'number', 'date', 'yes_no', 'choice', 'link'])), name='own_field_kind_known'),
        ),
        migrations.AlterField(
            model_name='bulkedit',
            name='field',
            field=models.CharField(max_length=80),
        ),
        migrations.AlterField(
            model_name='bulkedit',
            name='value',
            field=models.TextField(null=True),
        ),
        migrations.AlterField(
            model_name='bulkeditrow',
            name='before',
            field=models.TextField(null=True),
        ),
    ]
