//! Questions to a server: which tuples a type's input functions, CHECKs and bounds take.
//!
//! A question is a function in the session's temporary schema and a query that calls it. A tuple
//! whose evaluation fails is one that the server does not take, as in an INSERT.

use std::fmt::Write;

use serde::Deserialize;

use crate::pg::quote_ident;

/// Tuples and what they have to satisfy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// What it is about, for messages: a table, or a column of it.
    pub about: String,
    /// The tuples' columns.
    pub columns: Vec<Asked>,
    /// Columns that are given another value than the tuple's where that is not NULL, in this order:
    /// name and expression.
    pub assigned: Vec<(String, String)>,
    /// Columns that follow from these: name, type and expression.
    pub generated: Vec<(String, String, String)>,
    /// Conditions that must not be false: name and expression.
    pub tests: Vec<(String, String)>,
    /// Expressions whose values are wanted, as text.
    pub values: Vec<String>,
    /// The tuples; None: NULL.
    pub tuples: Vec<Vec<Option<String>>>,
}

/// A column of the tuples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` prints it.
    pub type_name: String,
    /// Whether it is a row of columns, which no text is assigned to.
    pub composite: bool,
}

/// What the server says of a tuple.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Why it could not be evaluated: its input, a domain, an error of a function.
    #[serde(default, rename = "e")]
    pub error: Option<String>,
    /// For each test whether it is kept.
    #[serde(default, rename = "t")]
    pub kept: Vec<bool>,
    /// The values that were wanted.
    #[serde(default, rename = "v")]
    pub values: Vec<Option<String>>,
}

/// What the server says of a question: of each tuple in their order, or why it cannot be asked.
pub type Answers = Result<Vec<Answer>, String>;

impl Answer {
    /// Whether the tuple satisfies everything.
    pub fn is_taken(&self) -> bool {
        self.error.is_none() && self.kept.iter().all(|kept| *kept)
    }
}

impl Question {
    /// Makes the function; in one session, before [`Question::ASK`].
    pub fn function(&self) -> String {
        let mut sql = String::from(
            "CREATE OR REPLACE FUNCTION pg_temp.pgauntlet_takes(text[]) RETURNS jsonb \
             LANGUAGE plpgsql AS $pgauntlet$\n#variable_conflict use_variable\nBEGIN\nDECLARE\n",
        );
        for (index, column) in self.columns.iter().enumerate() {
            let (name, type_name) = (quote_ident(&column.name), &column.type_name);
            // An assignment refuses what is too long; a cast would cut it.
            let cast = if column.composite { format!("::{type_name}") } else { String::new() };
            let _ = writeln!(sql, "{name} {type_name} := ($1[{}]){cast};", index + 1);
        }
        sql.push_str("BEGIN\n");
        for (name, expression) in &self.assigned {
            let name = quote_ident(name);
            let _ = writeln!(sql, "IF {name} IS NOT NULL THEN {name} := {expression}; END IF;");
        }
        sql.push_str("DECLARE\n");
        for (name, type_name, expression) in &self.generated {
            let _ = writeln!(sql, "{} {type_name} := {expression};", quote_ident(name));
        }
        let tests = self.tests.iter().map(|(_, test)| format!("({test}) IS NOT FALSE"));
        let values = self.values.iter().map(|value| format!("({value})::text"));
        let list = |parts: Vec<String>| format!("jsonb_build_array({})", parts.join(", "));
        let _ = write!(
            sql,
            "BEGIN RETURN jsonb_build_object('t', {}, 'v', {}); END;\nEND;\n\
             EXCEPTION WHEN OTHERS THEN RETURN jsonb_build_object('e', SQLERRM);\n\
             END $pgauntlet$",
            list(tests.collect()),
            list(values.collect())
        );
        sql
    }

    /// Asks; its parameter is [`Question::argument`], its one value the answers as JSON.
    pub const ASK: &'static str = "SELECT coalesce(jsonb_agg(pg_temp.pgauntlet_takes(\
            ARRAY(SELECT jsonb_array_elements_text(tuple))) ORDER BY n), '[]')::text \
         FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS tuples (tuple, n)";

    /// The tuples as JSON.
    pub fn argument(&self) -> String {
        serde_json::to_string(&self.tuples).unwrap_or_default()
    }

    /// Reads what [`Question::ASK`] returned.
    pub fn answers(&self, text: &str) -> Answers {
        let answers: Vec<Answer> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match answers.len() == self.tuples.len() {
            true => Ok(answers),
            false => Err(format!("{} answers to {} tuples", answers.len(), self.tuples.len())),
        }
    }
}
