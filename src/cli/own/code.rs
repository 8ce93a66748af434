//! Tools whose migrations are programs, where the revision before the newest is not simply named:
//! SeaORM and rambler count, TypeORM and goose do not go to one by themselves.

use std::fs;
use std::path::Path;

use super::revisions::{Commands, files, node_program, stem};

/// How Liquibase runs changesets that only it can run, up to the one before the newest.
pub const LIQUIBASE: &str = "Liquibase itself, with COUNT one less than there are changesets: \
    pgauntlet try --base 'liquibase --url=jdbc:postgresql://$PGHOST:$PGPORT/$PGDATABASE \
    --username=$PGUSER --password=$PGPASSWORD update-count --count=COUNT' -- 'liquibase \
    --url=jdbc:postgresql://$PGHOST:$PGPORT/$PGDATABASE --username=$PGUSER \
    --password=$PGPASSWORD update'";

/// The commands of each such tool that the project has.
pub fn all(root: &Path) -> Vec<Commands> {
    [sea_orm(root), rambler(root)].into_iter().flatten().collect()
}

/// Why the base of a tool that is there has to be said, with the line to write.
pub fn without_a_base(root: &Path) -> Option<String> {
    typeorm(root).or_else(|| goose(root))
}

/// A crate called `migration`, whose `lib.rs` gives the order.
fn sea_orm(root: &Path) -> Option<Commands> {
    let lib = fs::read_to_string(root.join("migration/src/lib.rs")).ok()?;
    if !lib.contains("MigratorTrait") {
        return None;
    }
    let listed = lib.split("Box::new(").skip(1).filter_map(|rest| rest.split_once("::Migration"));
    let names: Vec<&str> = listed.map(|(name, _)| name.trim()).collect();
    let newest = names.last()?;
    let up = "cargo run --quiet --manifest-path migration/Cargo.toml -- up";
    let before = (names.len() > 1).then(|| format!("{up} -n {}", names.len() - 1));
    let tool = "SeaORM (migration/src/lib.rs)".to_owned();
    let file = root.join("migration/src").join(format!("{newest}.rs"));
    Some(Commands { tool, name: (*newest).to_owned(), before, change: up.to_owned(), file })
}

fn rambler(root: &Path) -> Option<Commands> {
    let config = fs::read_to_string(root.join("rambler.json")).ok()?;
    let config: serde_json::Value = serde_json::from_str(&config).ok()?;
    let directory = config.get("directory").and_then(serde_json::Value::as_str);
    let directory = root.join(directory.unwrap_or("migrations"));
    let names = files(&directory, &[".sql"]);
    let apply = "RAMBLER_DRIVER=postgresql RAMBLER_PROTOCOL=tcp RAMBLER_HOST=$PGHOST \
                 RAMBLER_PORT=$PGPORT RAMBLER_USER=$PGUSER RAMBLER_PASSWORD=$PGPASSWORD \
                 RAMBLER_DATABASE=$PGDATABASE rambler apply";
    let before = match names.len() {
        0 => return None,
        1 => None,
        n => Some(format!("for n in $(seq {}); do {apply} || exit; done", n - 1)),
    };
    let tool = "rambler (rambler.json)".to_owned();
    let file = directory.join(names.last()?);
    Some(Commands { tool, name: stem(names.last()), before, change: apply.to_owned(), file })
}

/// It runs all that is pending. A base without the newest is what its `down` leaves.
fn typeorm(root: &Path) -> Option<String> {
    let package = fs::read_to_string(root.join("package.json")).unwrap_or_default();
    if !package.contains("\"typeorm\"") {
        return None;
    }
    let places = ["", "src", "src/db", "src/database", "database", "db", "src/config"];
    let names = ["data-source.ts", "data-source.js", "datasource.ts", "ormconfig.ts"];
    let all = places.iter().flat_map(|place| names.iter().map(move |n| Path::new(place).join(n)));
    let found = all.into_iter().find(|path| root.join(path).is_file());
    let source = found.map_or("DATA_SOURCE".to_owned(), |path| path.display().to_string());
    let program = match source.ends_with(".ts") {
        true => node_program(root, "typeorm-ts-node-commonjs"),
        false => node_program(root, "typeorm"),
    };
    let run = format!("{program} migration:run -d {source}");
    let revert = format!("{program} migration:revert -d {source}");
    Some(format!(
        "find the base: TypeORM (package.json) runs all migrations that are pending, and goes to \
         none before the newest; if the newest can be reverted exactly, say so:\n  pgauntlet try \
         --base '{run} && {revert}' -- {run}\n  else name a base without it, such as a dump: \
         pgauntlet try --schema schema.sql -- {run}"
    ))
}

/// Migrations in Go are in a program of the project's, which nobody but the project knows.
fn goose(root: &Path) -> Option<String> {
    let modules = fs::read_to_string(root.join("go.mod")).unwrap_or_default();
    if !modules.contains("github.com/pressly/goose") {
        return None;
    }
    for directory in ["migrations", "db/migrations", "internal/migrations", "sql/migrations"] {
        let names = files(&root.join(directory), &[".go", ".sql"]);
        let numbered = |name: &&String| name.starts_with(|c: char| c.is_ascii_digit());
        let names: Vec<&String> = names.iter().filter(numbered).collect();
        if !names.iter().any(|name| name.ends_with(".go")) {
            continue;
        }
        let version = |name: &&String| name.split('_').next().unwrap_or_default().to_owned();
        let before = names.len().checked_sub(2).map(|at| version(&names[at]));
        let to = before.map_or("reset".to_owned(), |version| format!("up-to {version}"));
        return Some(format!(
            "find the base: {directory} has goose's migrations in Go, which only a program of \
             this project can run; say it:\n  pgauntlet try --base 'PROGRAM {to}' -- PROGRAM up"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::testing::project;
    use super::*;

    #[test]
    fn sea_orm_and_rambler_count_what_comes_before() {
        let root = project(&[
            (
                "migration/src/lib.rs",
                "impl MigratorTrait for Migrator {\n vec![Box::new(m1_b::Migration),\n \
                 Box::new(m2_a::Migration), Box::new(m3_c::Migration)]",
            ),
            ("rambler.json", "{\"directory\": \"sql\"}"),
            ("sql/1_a.sql", ""),
            ("sql/2_b.sql", ""),
        ]);
        let [sea_orm, rambler] = [sea_orm(root.path()), rambler(root.path())];
        let sea_orm = sea_orm.expect("SeaORM");
        assert_eq!(sea_orm.name, "m3_c");
        assert!(sea_orm.before.expect("a base").ends_with("-- up -n 2"));
        assert!(sea_orm.change.ends_with("-- up"));
        let rambler = rambler.expect("rambler");
        assert_eq!(rambler.name, "2_b");
        assert!(rambler.before.expect("a base").starts_with("for n in $(seq 1); do RAMBLER_"));
    }

    #[test]
    fn what_goes_to_no_revision_before_is_said_with_the_line_to_write() {
        let root = project(&[
            ("package.json", "{\"dependencies\": {\"typeorm\": \"0.3\"}}"),
            ("src/data-source.ts", ""),
        ]);
        let run = "npx typeorm-ts-node-commonjs migration:run -d src/data-source.ts";
        let line =
            format!("pgauntlet try --base '{run} && {}' -- {run}", run.replace(":run", ":revert"));
        let told = without_a_base(root.path()).expect("why");
        assert!(told.contains(&line), "{told}");
        let root = project(&[
            ("go.mod", "require github.com/pressly/goose/v3 v3.20.0\n"),
            ("migrations/00001_a.sql", ""),
            ("migrations/00002_b.go", ""),
            ("migrations/main.go", ""),
        ]);
        let told = without_a_base(root.path()).expect("why");
        assert!(told.contains("--base 'PROGRAM up-to 00001' -- PROGRAM up"), "{told}");
        assert_eq!(without_a_base(Path::new("/nowhere")), None);
    }
}
