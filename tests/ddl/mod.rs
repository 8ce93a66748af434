//! Objects for random schemas: how each is made, and changes to it that a fingerprint must name.
//!
//! Every object is of its own number and needs nothing but the ground, so that any selection can
//! be made in any order.

/// What every schema has first, and what the objects refer to.
pub const GROUND: &str = "
    CREATE SCHEMA s;
    CREATE TABLE s.ground (id int PRIMARY KEY, a int, b text, c timestamptz, d text[]);
    CREATE TABLE s.other (id int PRIMARY KEY, a int, b text);
    CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION s.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
";

/// Roles that the objects are granted to; they belong to the server.
pub const ROLES: &str = include_str!("../fingerprint/roles.sql");

/// One object of a schema.
#[derive(Clone, Debug)]
pub struct Object {
    pub make: String,
    /// As a fingerprint names it.
    pub name: String,
    /// Each changes the object by itself, however many of the others have been made before: SQL,
    /// and what a fingerprint names.
    pub changes: Vec<(String, String)>,
    /// Takes it away.
    pub drop: String,
}

/// `{n}` is the object's number, `{v}` varies. A change may name another object after `=>`.
struct Kind {
    name: &'static str,
    make: &'static str,
    changes: &'static [&'static str],
    drop: &'static str,
}

/// The object of a kind (any number means one), with its own number and a number that varies it.
pub fn object(kind: usize, number: usize, varied: usize) -> Object {
    let kind = &KINDS[kind % KINDS.len()];
    let types = ["int", "bigint", "text", "numeric(9, 2)", "date", "jsonb", "uuid", "int[]"];
    let with = |text: &str| {
        text.replace("{n}", &number.to_string())
            .replace("{v}", &varied.to_string())
            .replace("{type}", types[varied % types.len()])
            .replace("{column}", ["a", "b", "id"][varied % 3])
    };
    let changes = kind.changes.iter().map(|change| match change.split_once(" => ") {
        Some((sql, object)) => (with(sql), with(object)),
        None => (with(change), with(kind.name)),
    });
    Object {
        make: with(kind.make),
        name: with(kind.name),
        changes: changes.collect(),
        drop: with(kind.drop),
    }
}

pub fn kinds() -> usize {
    KINDS.len()
}

const fn kind(
    name: &'static str,
    make: &'static str,
    changes: &'static [&'static str],
    drop: &'static str,
) -> Kind {
    Kind { name, make, changes, drop }
}

const KINDS: &[Kind] = &[
    kind(
        "table s.t{n}",
        "CREATE TABLE s.t{n} (k int PRIMARY KEY, x {type}, y text DEFAULT '{v}', z int)",
        &[
            "ALTER TABLE s.t{n} SET UNLOGGED",
            "ALTER TABLE s.t{n} SET (fillfactor = 50)",
            "ALTER TABLE s.t{n} SET (toast.autovacuum_enabled = off)",
            "ALTER TABLE s.t{n} ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE s.t{n} FORCE ROW LEVEL SECURITY",
            "ALTER TABLE s.t{n} REPLICA IDENTITY FULL",
            "ALTER TABLE s.t{n} OWNER TO fp_owner",
            "COMMENT ON TABLE s.t{n} IS 'a comment'",
            "GRANT SELECT ON s.t{n} TO fp_app",
            "GRANT INSERT ON s.t{n} TO fp_reader WITH GRANT OPTION",
            "ALTER TABLE s.t{n} CLUSTER ON t{n}_pkey => index s.t{n}_pkey",
            "ALTER TABLE s.t{n} ADD COLUMN added int => column s.t{n}.added",
        ],
        "DROP TABLE s.t{n}",
    ),
    kind(
        "column s.u{n}.x",
        "CREATE TABLE s.u{n} (gone int, x {type} DEFAULT NULL, y text COLLATE \"C\", z int)",
        &[
            "ALTER TABLE s.u{n} ALTER x SET NOT NULL",
            "ALTER TABLE s.u{n} ALTER x SET STATISTICS 7",
            "ALTER TABLE s.u{n} ALTER x SET (n_distinct = 9)",
            "ALTER TABLE s.u{n} DROP COLUMN gone",
            "COMMENT ON COLUMN s.u{n}.x IS 'a comment'",
            "GRANT UPDATE (x) ON s.u{n} TO fp_app",
            "ALTER TABLE s.u{n} ALTER y SET STORAGE EXTERNAL => column s.u{n}.y",
            "ALTER TABLE s.u{n} ALTER y SET COMPRESSION pglz => column s.u{n}.y",
            "ALTER TABLE s.u{n} ALTER y SET DEFAULT 'q{v}' => column s.u{n}.y",
            "ALTER TABLE s.u{n} ALTER y TYPE varchar(9) => column s.u{n}.y",
            "ALTER TABLE s.u{n} ALTER z SET NOT NULL, ALTER z ADD GENERATED ALWAYS AS IDENTITY \
             => column s.u{n}.z",
        ],
        "ALTER TABLE s.u{n} DROP COLUMN x",
    ),
    kind(
        "index s.i{n}",
        "CREATE INDEX i{n} ON s.ground ({column}) WHERE a > {v}",
        &["ALTER INDEX s.i{n} SET (fillfactor = 51)", "COMMENT ON INDEX s.i{n} IS 'a comment'"],
        "DROP INDEX s.i{n}",
    ),
    kind(
        "index s.e{n}",
        "CREATE INDEX e{n} ON s.ground (lower(b), (a + {v}) DESC) INCLUDE (id)",
        &["ALTER INDEX s.e{n} ALTER COLUMN 1 SET STATISTICS 8"],
        "DROP INDEX s.e{n}",
    ),
    kind(
        "constraint s.ground.check{n}",
        "ALTER TABLE s.ground ADD CONSTRAINT check{n} CHECK (a > {v}) NOT VALID",
        &[
            "ALTER TABLE s.ground VALIDATE CONSTRAINT check{n}",
            "COMMENT ON CONSTRAINT check{n} ON s.ground IS 'a comment'",
        ],
        "ALTER TABLE s.ground DROP CONSTRAINT check{n}",
    ),
    kind(
        "constraint s.ground.unique{n}",
        "ALTER TABLE s.ground ADD CONSTRAINT unique{n} UNIQUE ({column}, c)",
        &["COMMENT ON CONSTRAINT unique{n} ON s.ground IS 'a comment'"],
        "ALTER TABLE s.ground DROP CONSTRAINT unique{n}",
    ),
    kind(
        "constraint s.other.key{n}",
        "ALTER TABLE s.other ADD CONSTRAINT key{n} FOREIGN KEY (a) REFERENCES s.ground NOT VALID",
        &[
            "ALTER TABLE s.other VALIDATE CONSTRAINT key{n}",
            "ALTER TABLE s.other ALTER CONSTRAINT key{n} DEFERRABLE",
        ],
        "ALTER TABLE s.other DROP CONSTRAINT key{n}",
    ),
    kind(
        "view s.v{n}",
        "CREATE VIEW s.v{n} AS SELECT id, a + {v} AS more FROM s.ground",
        &[
            "ALTER VIEW s.v{n} SET (security_barrier)",
            "CREATE OR REPLACE VIEW s.v{n} AS SELECT id, a + 1000 AS more FROM s.ground",
            "COMMENT ON VIEW s.v{n} IS 'a comment'",
            "GRANT SELECT ON s.v{n} TO PUBLIC",
            "ALTER VIEW s.v{n} ALTER more SET DEFAULT 3 => column s.v{n}.more",
        ],
        "DROP VIEW s.v{n}",
    ),
    kind(
        "view s.m{n}",
        "CREATE MATERIALIZED VIEW s.m{n} AS SELECT {v} AS one",
        &[
            "REFRESH MATERIALIZED VIEW s.m{n} WITH NO DATA",
            "ALTER MATERIALIZED VIEW s.m{n} OWNER TO fp_owner",
        ],
        "DROP MATERIALIZED VIEW s.m{n}",
    ),
    kind(
        "function s.f{n}(n integer)",
        "CREATE FUNCTION s.f{n}(n int) RETURNS int LANGUAGE sql AS 'SELECT {v}'",
        &[
            "ALTER FUNCTION s.f{n} STABLE",
            "ALTER FUNCTION s.f{n} COST 9",
            "ALTER FUNCTION s.f{n} SECURITY DEFINER",
            "ALTER FUNCTION s.f{n} SET search_path = s",
            "REVOKE EXECUTE ON FUNCTION s.f{n} FROM PUBLIC",
            "COMMENT ON FUNCTION s.f{n} IS 'a comment'",
            "CREATE FUNCTION s.f{n}(n text) RETURNS int LANGUAGE sql AS 'SELECT 1' \
             => function s.f{n}(n text)",
        ],
        "DROP FUNCTION s.f{n}(int)",
    ),
    kind(
        "function s.sum{n}(integer)",
        "CREATE AGGREGATE s.sum{n}(int) (SFUNC = int4pl, STYPE = int, INITCOND = '{v}')",
        &["ALTER AGGREGATE s.sum{n}(int) OWNER TO fp_owner"],
        "DROP AGGREGATE s.sum{n}(int)",
    ),
    kind(
        "trigger s.ground.tr{n}",
        "CREATE TRIGGER tr{n} BEFORE UPDATE ON s.ground FOR EACH ROW WHEN (NEW.a > {v}) \
         EXECUTE FUNCTION s.touch()",
        &[
            "ALTER TABLE s.ground DISABLE TRIGGER tr{n}",
            "COMMENT ON TRIGGER tr{n} ON s.ground IS 'a comment'",
        ],
        "DROP TRIGGER tr{n} ON s.ground",
    ),
    kind(
        "policy s.ground.p{n}",
        "CREATE POLICY p{n} ON s.ground USING (a > {v})",
        &[
            "ALTER POLICY p{n} ON s.ground TO fp_app, fp_reader",
            "ALTER POLICY p{n} ON s.ground WITH CHECK (a < 0)",
            "COMMENT ON POLICY p{n} ON s.ground IS 'a comment'",
        ],
        "DROP POLICY p{n} ON s.ground",
    ),
    kind(
        "sequence s.q{n}",
        "CREATE SEQUENCE s.q{n} START {v}1",
        &[
            "ALTER SEQUENCE s.q{n} INCREMENT 13",
            "ALTER SEQUENCE s.q{n} CYCLE",
            "ALTER SEQUENCE s.q{n} CACHE 14",
            "ALTER SEQUENCE s.q{n} OWNED BY s.ground.a",
            "GRANT USAGE ON SEQUENCE s.q{n} TO fp_app",
        ],
        "DROP SEQUENCE s.q{n}",
    ),
    kind(
        "type s.enum{n}",
        "CREATE TYPE s.enum{n} AS ENUM ('a', 'b{v}')",
        &[
            "ALTER TYPE s.enum{n} ADD VALUE 'first' BEFORE 'a'",
            "ALTER TYPE s.enum{n} RENAME VALUE 'b{v}' TO 'renamed'",
            "REVOKE USAGE ON TYPE s.enum{n} FROM PUBLIC",
        ],
        "DROP TYPE s.enum{n}",
    ),
    kind(
        "type s.domain{n}",
        "CREATE DOMAIN s.domain{n} AS varchar({v}1)",
        &[
            "ALTER DOMAIN s.domain{n} SET NOT NULL",
            "ALTER DOMAIN s.domain{n} SET DEFAULT 'd'",
            "ALTER DOMAIN s.domain{n} ADD CONSTRAINT own CHECK (VALUE IS NOT NULL) \
             => constraint s.domain{n}.own",
        ],
        "DROP DOMAIN s.domain{n}",
    ),
    kind(
        "type s.row{n}",
        "CREATE TYPE s.row{n} AS (a {type}, b text)",
        &[
            "ALTER TYPE s.row{n} ADD ATTRIBUTE c int",
            "ALTER TYPE s.row{n} ALTER ATTRIBUTE b TYPE text COLLATE \"C\"",
            "COMMENT ON COLUMN s.row{n}.a IS 'a comment'",
        ],
        "DROP TYPE s.row{n}",
    ),
    kind(
        "type s.range{n}",
        "CREATE TYPE s.range{n} AS RANGE (subtype = float8)",
        &["COMMENT ON TYPE s.range{n} IS 'a comment'"],
        "DROP TYPE s.range{n}",
    ),
    kind(
        "rule s.ground.r{n}",
        "CREATE RULE r{n} AS ON UPDATE TO s.ground WHERE OLD.a = {v} DO ALSO NOTHING",
        &["ALTER TABLE s.ground DISABLE RULE r{n}", "COMMENT ON RULE r{n} ON s.ground IS 'c'"],
        "DROP RULE r{n} ON s.ground",
    ),
    kind(
        "statistics s.st{n}",
        "CREATE STATISTICS s.st{n} (ndistinct) ON {column}, c FROM s.ground",
        &["ALTER STATISTICS s.st{n} SET STATISTICS 5", "COMMENT ON STATISTICS s.st{n} IS 'c'"],
        "DROP STATISTICS s.st{n}",
    ),
    kind(
        "publication pub{n}",
        "CREATE PUBLICATION pub{n} FOR TABLE s.ground",
        &[
            "ALTER PUBLICATION pub{n} ADD TABLE s.other",
            "ALTER PUBLICATION pub{n} SET (publish = 'insert')",
            "ALTER PUBLICATION pub{n} SET (publish_via_partition_root)",
            "COMMENT ON PUBLICATION pub{n} IS 'a comment'",
        ],
        "DROP PUBLICATION pub{n}",
    ),
    kind(
        "event trigger ev{n}",
        "CREATE EVENT TRIGGER ev{n} ON ddl_command_end WHEN TAG IN ('CREATE CAST') \
         EXECUTE FUNCTION s.watch()",
        &["ALTER EVENT TRIGGER ev{n} DISABLE", "COMMENT ON EVENT TRIGGER ev{n} IS 'a comment'"],
        "DROP EVENT TRIGGER ev{n}",
    ),
    kind(
        "table s.part{n}",
        "CREATE TABLE s.whole{n} (a int) PARTITION BY RANGE (a); \
         CREATE TABLE s.part{n} PARTITION OF s.whole{n} FOR VALUES FROM ({v}) TO (1000)",
        &[
            "CREATE INDEX ON s.whole{n} (a) => index s.part{n}_a_idx",
            "ALTER TABLE s.whole{n} DETACH PARTITION s.part{n}",
        ],
        "DROP TABLE s.part{n}",
    ),
    kind(
        "table s.child{n}",
        "CREATE TABLE s.child{n} (own int) INHERITS (s.other)",
        &["ALTER TABLE s.child{n} NO INHERIT s.other"],
        "DROP TABLE s.child{n}",
    ),
    kind(
        "schema s{n}",
        "CREATE SCHEMA s{n}",
        &[
            "GRANT USAGE ON SCHEMA s{n} TO fp_app",
            "COMMENT ON SCHEMA s{n} IS 'a comment'",
            "ALTER SCHEMA s{n} OWNER TO fp_owner",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA s{n} GRANT SELECT ON TABLES TO fp_reader \
             => default privileges of (owner) on tables in s{n}",
        ],
        "DROP SCHEMA s{n}",
    ),
    kind(
        "collation s.col{n}",
        "CREATE COLLATION s.col{n} (provider = libc, locale = 'C')",
        &["ALTER COLLATION s.col{n} OWNER TO fp_owner"],
        "DROP COLLATION s.col{n}",
    ),
    kind(
        "foreign server srv{n}",
        "CREATE FOREIGN DATA WRAPPER fdw{n}; \
         CREATE SERVER srv{n} FOREIGN DATA WRAPPER fdw{n} OPTIONS (a '{v}')",
        &[
            "ALTER SERVER srv{n} OPTIONS (ADD b 'c')",
            "ALTER SERVER srv{n} VERSION '9'",
            "ALTER FOREIGN DATA WRAPPER fdw{n} OPTIONS (x 'y') => foreign data wrapper fdw{n}",
        ],
        "DROP SERVER srv{n}",
    ),
];
