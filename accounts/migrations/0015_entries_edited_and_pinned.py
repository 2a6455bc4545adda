from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_sign_in_tries'),
    ]

    operations = [
        migrations.AddField(
            model_name='activity',
            name='edited_at',
            field=models.DateTimeField(blank=True, help_text='When its words were last changed', null=True),
        ),
        migrations.AddField(
            model_name='activity',
            name='pinned_at',
            field=models.DateTimeField(blank=True, help_text='Set: it stands above the others', null=True),
        ),
    ]
