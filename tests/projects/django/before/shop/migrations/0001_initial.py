from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("buyer", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("quantity", models.PositiveIntegerField()),
                ("placed_at", models.DateTimeField()),
            ],
        ),
    ]
