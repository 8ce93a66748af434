//! Tools of Node.js whose migrations are programs, Knex and Sequelize, where their configuration
//! says.
//!
//! A configuration is a program too: what is read of it is a directory that is written out.

use std::fs;
use std::path::{Path, PathBuf};

use super::revisions::{Commands, files, node_program, quoted, stem};

/// The commands of each such tool that the project has.
pub fn all(root: &Path) -> Vec<Commands> {
    [knex(root), sequelize(root)].into_iter().flatten().collect()
}

fn knex(root: &Path) -> Option<Commands> {
    let config = ["knexfile.js", "knexfile.ts", "knexfile.cjs", "knexfile.mjs"];
    let config = config.into_iter().find(|name| root.join(name).is_file())?;
    let text = without_comments(&fs::read_to_string(root.join(config)).unwrap_or_default());
    // A block per environment.
    let blocks = values(&text, "migrations");
    let named = blocks.iter().map(|block| {
        values(block, "directory").first().map(|value| paths(value)).unwrap_or_default()
    });
    let mut candidates: Vec<Vec<PathBuf>> = named.filter(|paths| !paths.is_empty()).collect();
    candidates.push(vec!["migrations".into()]);
    let migrations = candidates.iter().map(|directories| {
        let mut found: Vec<(String, PathBuf)> = Vec::new();
        for directory in directories {
            let directory = root.join(directory);
            let names = files(&directory, &[".js", ".ts", ".cjs", ".mjs"]).into_iter();
            let names = names.filter(|name| !name.ends_with(".d.ts"));
            found.extend(names.map(|name| (name.clone(), directory.join(name))));
        }
        found.sort();
        found
    });
    let migrations = migrations.into_iter().find(|found| !found.is_empty())?;
    let (newest, file) = migrations.last()?.clone();
    let up = format!("{} migrate:up", node_program(root, "knex"));
    let before = match migrations.len() {
        1 => None,
        n => Some(format!("for n in $(seq {}); do {up} || exit; done", n - 1)),
    };
    let (tool, name) = (format!("Knex ({config})"), stem(Some(&newest)));
    Some(Commands { tool, name, before, change: up, file })
}

/// By its file of paths, or in its default layout by the package.
fn sequelize(root: &Path) -> Option<Commands> {
    let paths_file = fs::read_to_string(root.join(".sequelizerc")).ok();
    let by = match &paths_file {
        Some(_) => ".sequelizerc",
        None if root.join("config/config.json").is_file() && depends_on_sequelize(root) => {
            "package.json"
        }
        None => return None,
    };
    let text = without_comments(&paths_file.unwrap_or_default());
    let named = values(&text, "migrations-path").first().and_then(|value| path(value));
    let directory = root.join(named.unwrap_or_else(|| "migrations".into()));
    let names = files(&directory, &[".js", ".ts", ".cjs"]);
    let file = directory.join(names.last()?);
    let migrate = format!("{} db:migrate", node_program(root, "sequelize-cli"));
    let before = names.len().checked_sub(2).map(|at| format!("{migrate} --to {}", names[at]));
    let tool = format!("Sequelize ({by})");
    Some(Commands { tool, name: stem(names.last()), before, change: migrate, file })
}

fn depends_on_sequelize(root: &Path) -> bool {
    let text = fs::read_to_string(root.join("package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    ["dependencies", "devDependencies"].into_iter().any(|section| {
        let names = |name| package.get(section).is_some_and(|of| of.get(name).is_some());
        names("sequelize-cli") || names("sequelize")
    })
}

/// What stands behind each `key:` of an object, up to the comma or bracket that ends it.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '$';
    let after = text.match_indices(key).filter_map(|(at, _)| {
        let (before, rest) = (text.get(..at)?, text.get(at + key.len()..)?);
        let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
        (!before.ends_with(is_name)).then_some(rest.trim_start())
    });
    after.map(|rest| rest.get(..end_of_value(rest)).unwrap_or_default()).collect()
}

fn end_of_value(text: &str) -> usize {
    let (mut depth, mut quote) = (0_u32, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => return at,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// `'a'`, or each of `['a', 'b']`.
fn paths(value: &str) -> Vec<PathBuf> {
    let Some(mut rest) = value.trim().strip_prefix('[') else {
        return path(value).into_iter().collect();
    };
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = end_of_value(rest);
        found.extend(path(rest.get(..end).unwrap_or_default()));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    found
}

/// `'./a/b'`, `__dirname + '/a/b'`, `path.join(__dirname, 'a', 'b')`, from the configuration on.
fn path(value: &str) -> Option<PathBuf> {
    let from_here = value.contains("dirname") || value.contains('(');
    let written = quoted(value).join("/").replace("${__dirname}", "");
    let written = match from_here {
        true => written.trim_start_matches('/'),
        false => written.as_str(),
    };
    let path: PathBuf = Path::new(written.strip_prefix("./").unwrap_or(written)).into();
    (!path.as_os_str().is_empty()).then_some(path)
}

fn without_comments(text: &str) -> String {
    let (mut out, mut rest, mut quote) = (String::new(), text, None);
    while let Some(c) = rest.chars().next() {
        if quote.is_none() && rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            continue;
        }
        if quote.is_none() && rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if ['"', '\'', '`'].contains(&c) => quote = Some(c),
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::project;
    use super::*;

    #[test]
    fn the_migration_before_is_asked_of_knex_and_sequelize() {
        let root = project(&[
            ("knexfile.js", ""),
            (".sequelizerc", ""),
            ("migrations/1_a.js", ""),
            ("migrations/2_b.js", ""),
        ]);
        let of_knex = knex(root.path()).and_then(|commands| commands.before).expect("a base");
        assert!(of_knex.starts_with("for n in $(seq 1); do "), "{of_knex}");
        assert!(of_knex.ends_with("knex migrate:up || exit; done"), "{of_knex}");
        let of_sequelize = sequelize(root.path()).and_then(|commands| commands.before);
        let of_sequelize = of_sequelize.expect("a base");
        assert!(of_sequelize.ends_with("sequelize-cli db:migrate --to 1_a.js"), "{of_sequelize}");
    }

    #[test]
    fn knexs_migrations_are_where_its_configuration_says() {
        let other = "// migrations: { directory: 'z' }\nseeds: { directory: 'z' },";
        for (directory, value) in [
            ("db/migrations", "directory: 'db/migrations'"),
            ("db/migrations", "tableName: 'x, y', \"directory\": \"./db/migrations\""),
            ("db/migrations", "directory: __dirname + '/db/migrations'"),
            (
                "db/migrations",
                "directory: path.join(__dirname, 'db', 'migrations'), extension: 'ts'",
            ),
            ("db/migrations", "directory: `${__dirname}/db/migrations`"),
            ("a", "directory: ['a', 'b']"),
            ("b", "directory: ['a', 'b']"),
            ("migrations", "directory: process.env.MIGRATIONS"),
            ("migrations", "tableName: 'm'"),
        ] {
            let config =
                format!("module.exports = {{ dev: {{ {other}\nmigrations: {{ {value} }} }} }}");
            let file = format!("{directory}/1_a.ts");
            let root = project(&[("knexfile.ts", &config), (&file, ""), ("z/9_z.ts", "")]);
            let found = knex(root.path()).expect(value);
            assert_eq!(found.file, root.path().join(file), "{value}");
        }
    }

    #[test]
    fn sequelize_is_found_in_its_default_layout_and_where_its_paths_are_written() {
        let package = r#"{"devDependencies": {"sequelize-cli": "^6"}}"#;
        let layout = [("config/config.json", "{}"), ("migrations/1_a.js", "")];
        let root = project(&[layout[0], layout[1], ("package.json", package)]);
        assert_eq!(sequelize(root.path()).expect("Sequelize").tool, "Sequelize (package.json)");
        let root = project(&[layout[0], layout[1], ("package.json", "{}")]);
        assert_eq!(sequelize(root.path()), None);
        let written = "module.exports = { 'config': path.resolve('config', 'config.json'),\n\
                       'migrations-path': path.resolve('db', 'migrations') }";
        let root = project(&[(".sequelizerc", written), ("db/migrations/1_a.js", "")]);
        let found = sequelize(root.path()).expect("Sequelize");
        assert_eq!(found.file, root.path().join("db/migrations/1_a.js"));
    }
}
