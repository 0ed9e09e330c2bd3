from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gateways", "0008_switched_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="billedprofile",
            name="widens_turkish",
            field=models.BooleanField(
                default=False,
                help_text="VatanSMS counts so.",
                verbose_name="Turkish mode also for ö, ü, Ö, Ü, Ç",
            ),
        ),
    ]
