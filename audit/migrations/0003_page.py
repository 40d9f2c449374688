import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

# Deleting is let through for what is older than the time that the nightly clean-up names for its own transaction, and
# never for the last 30 days: nobody with the application's account covers a fresh track by that way.
PROTECT = """
CREATE OR REPLACE FUNCTION audit_entry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    forgotten_before timestamptz := nullif(current_setting('thrive_sync.forget_audit_before', true), '');
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.actor_id IS NULL AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.at < forgotten_before AND OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit entries are only ever added';
END $$;
CREATE TRIGGER audit_entry_never_emptied BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse_change();
"""
AS_BEFORE = """
DROP TRIGGER audit_entry_never_emptied ON audit_auditentry;
CREATE OR REPLACE FUNCTION audit_entry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit entries are only ever added';
END $$;
"""


def _searched(field: str, name: str) -> migrations.AddIndex:
    upper = django.db.models.functions.text.Upper(field)
    operators = django.contrib.postgres.indexes.OpClass(upper, name="gin_trgm_ops")
    return migrations.AddIndex("auditentry", django.contrib.postgres.indexes.GinIndex(operators, name=name))


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [
        TrigramExtension(),
        migrations.AddIndex("auditentry", models.Index(fields=["object_type", "-at", "-id"], name="audit_of_kind")),
        migrations.AddIndex("auditentry", models.Index(fields=["action", "-at", "-id"], name="audit_of_action")),
        migrations.AddIndex("auditentry", models.Index(fields=["actor_label", "-at", "-id"], name="audit_of_actor")),
        _searched("object_label", "audit_search_object"),
        _searched("actor_label", "audit_search_actor"),
        migrations.RunSQL(PROTECT, AS_BEFORE),
    ]
