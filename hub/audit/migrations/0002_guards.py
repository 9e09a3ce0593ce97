"""Triggers: an entry gets its place at the commit, and is never changed or removed.

The function that seals runs with the rights of the owner of the table, so that the application's role needs none but to
insert.  It names its table with the schema, since whoever may make temporary tables could put another in its way.
"""

from typing import Any

from django.db import migrations

# Any number will do, as long as nothing else in this database takes it.
CHAIN_LOCK = 6_290_117_482_213

SEAL = """
CREATE FUNCTION {schema}.audit_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  head record;
  place bigint;
  moment timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  SELECT seq, at, hash INTO head FROM {schema}.audit_entry WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1;
  place := coalesce(head.seq, 0) + 1;
  -- A clock that was set back does not change the order.
  moment := greatest(clock_timestamp(), head.at);
  UPDATE {schema}.audit_entry SET
    seq = place, at = moment, prev_hash = coalesce(head.hash, ''),
    hash = encode(sha256(convert_to(
      place::text || E'\\n' || (extract(epoch FROM moment) * 1000000)::bigint::text || E'\\n'
      || coalesce(head.hash, '') || E'\\n' || content, 'UTF8')), 'hex')
  WHERE id = NEW.id AND hash = '';
  RETURN NULL;
END $$
"""

FRESH = """
CREATE FUNCTION {schema}.audit_fresh() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.seq := NULL;
  NEW.prev_hash := '';
  NEW.hash := '';
  RETURN NEW;
END $$
"""

REFUSE = """
CREATE FUNCTION {schema}.audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.hash = '' AND NEW.hash <> ''
      AND ROW(NEW.id, NEW.act, NEW.actor_kind, NEW.actor, NEW.role, NEW.subject, NEW.label, NEW.data, NEW.personal,
              NEW.content)
      IS NOT DISTINCT FROM
          ROW(OLD.id, OLD.act, OLD.actor_kind, OLD.actor, OLD.role, OLD.subject, OLD.label, OLD.data, OLD.personal,
              OLD.content)
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'Entries of the audit log are never changed and never removed (% refused).', TG_OP
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

TRIGGERS = (
    "CREATE TRIGGER audit_fresh BEFORE INSERT ON {schema}.audit_entry "
    "FOR EACH ROW EXECUTE FUNCTION {schema}.audit_fresh()",
    "CREATE CONSTRAINT TRIGGER audit_sealed AFTER INSERT ON {schema}.audit_entry DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION {schema}.audit_seal()",
    "CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE ON {schema}.audit_entry "
    "FOR EACH ROW EXECUTE FUNCTION {schema}.audit_refuse()",
    "CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON {schema}.audit_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION {schema}.audit_refuse()",
)


def _run(schema_editor: Any, *statements: str) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        words = {"schema": cursor.fetchone()[0], "lock": CHAIN_LOCK}
        for statement in statements:
            cursor.execute(statement.format(**words))


def make(apps: Any, schema_editor: Any) -> None:
    _run(schema_editor, SEAL, FRESH, REFUSE, *TRIGGERS)


def drop(apps: Any, schema_editor: Any) -> None:
    names = ("audit_fresh", "audit_seal", "audit_refuse")
    _run(schema_editor, *(f"DROP FUNCTION {{schema}}.{name}() CASCADE" for name in names))


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_tables")]
    operations = [migrations.RunPython(make, drop)]
