//! Rows for every table of a catalogue: a draft asks the server in rounds and is settled.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::Catalogue;
use super::decide::Remark;
use super::draft::TableDraft;
use super::gather;
use super::keys;
use super::question::{Answer, Answers, Question};
use super::rounds::{self, Asked, World};
use super::settle::{self, Inferred};
use super::statistics::{Likenesses, Rows, Statistics};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Rows of each table.
    pub rows: Rows,
    /// Decides every draw.
    pub rng_seed: u64,
}

/// Tables whose rows are not settled before the server has answered.
#[derive(Clone, Debug)]
pub struct Draft {
    tables: Vec<TableDraft>,
    options: Options,
    round: Round,
    asked: Vec<Asked>,
    questions: Vec<Question>,
    remarks: Vec<Remark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Columns,
    Components,
    Again,
}

/// What comes of answers.
#[derive(Debug)]
pub enum Settled {
    /// There are more questions.
    More(Box<Draft>),
    /// That is all.
    Done(Box<Inferred>),
}

impl Draft {
    /// Begins with the tables of a catalogue, of which another database's statistics may say how
    /// their values are distributed.
    pub fn new(catalogue: &Catalogue, statistics: Option<&Statistics>, options: Options) -> Draft {
        let likenesses = Likenesses::new(catalogue, statistics, &options.rows);
        let draft = Draft {
            tables: gather::tables(catalogue, &options.rows, &likenesses),
            options,
            round: Round::Columns,
            asked: Vec::new(),
            questions: Vec::new(),
            remarks: Vec::new(),
        };
        draft.with(|world| world.of_columns())
    }

    /// What the server is to be asked, in a database with the tables.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Goes on with the answers, one for each question.
    pub fn settle(mut self, answers: Vec<Answers>) -> Settled {
        let asked = std::mem::take(&mut self.asked);
        let questions = std::mem::take(&mut self.questions);
        for ((asked, question), answers) in asked.iter().zip(&questions).zip(answers) {
            self.take(asked, question, answers);
        }
        match self.round {
            Round::Columns => {
                self.drive();
                self.round = Round::Components;
                Settled::More(Box::new(self.with(|world| world.of_components(false))))
            }
            Round::Components => {
                self.round = Round::Again;
                Settled::More(Box::new(self.with(|world| world.of_components(true))))
            }
            Round::Again => {
                self.say_short();
                Settled::Done(Box::new(settle::settle(&mut self.tables, self.remarks)))
            }
        }
    }

    fn with(mut self, ask: impl FnOnce(&World) -> Vec<(Asked, Question)>) -> Draft {
        let world = World { tables: &self.tables, rng_seed: self.options.rng_seed };
        (self.asked, self.questions) = ask(&world).into_iter().unzip();
        self
    }

    fn take(&mut self, asked: &Asked, question: &Question, answers: Answers) {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                let (Asked::Column { table, .. }
                | Asked::Lines { table, .. }
                | Asked::Keys { table, .. }) = asked;
                let about = question.about.clone();
                let text = format!("the server cannot be asked: {error}");
                let table = self.tables[*table].name.clone();
                return self.remarks.push(Remark {
                    table,
                    about,
                    text,
                    refused: false,
                    short: false,
                });
            }
        };
        match asked {
            Asked::Column { table, column, candidates, templates, rows, likes, null } => {
                let own = &mut self.tables[*table].columns[*column];
                let mut seen = BTreeSet::new();
                own.nullable &= !null || answers.last().is_some_and(Answer::is_taken);
                let (singles, instances) = answers.split_at(*candidates);
                for (tuple, answer) in question.tuples.iter().zip(singles) {
                    let new = answer.values.is_empty() || seen.insert(answer.values.clone());
                    if answer.is_taken() && new {
                        own.taken.extend(tuple[0].clone());
                    }
                }
                let before = templates.len() * rows.len();
                let likes = instances.iter().skip(before).take(*likes);
                own.likeness_fits = likes.len() > 0 && likes.clone().all(Answer::is_taken);
                for (template, answers) in templates.iter().zip(instances.chunks(rows.len().max(1)))
                {
                    let capacity = rounds::capacity(answers, rows);
                    if capacity > 0 {
                        own.templates.push((template.clone(), capacity));
                    }
                }
            }
            Asked::Lines { table, component, lines, rows, assigned } => {
                let drawn = Drawn { lines, rows: (*rows).max(1), assigned };
                take_lines(&mut self.tables[*table], *component, &drawn, question, &answers);
            }
            Asked::Keys { table, component, keys } => {
                let own = &mut self.tables[*table].components[*component];
                own.failures = failures(question, &answers);
                let fitting = keys.iter().zip(&answers).filter(|(_, answer)| answer.is_taken());
                let fitting: Vec<String> = fitting.map(|(key, _)| key.clone()).collect();
                // Where every key will do, references are drawn as usual.
                if fitting.len() < keys.len() {
                    own.pooled = own.columns.clone();
                    own.lines = fitting.into_iter().map(|key| vec![Some(key)]).collect();
                }
            }
        }
    }

    /// Decides which columns differ from row to row, and which are drawn from what was taken.
    fn drive(&mut self) {
        for draft in &mut self.tables {
            let referenced: Vec<bool> = draft.columns.iter().map(|own| own.referenced).collect();
            keys::drive(draft, &referenced);
            for (column, referenced) in referenced.iter().enumerate() {
                draft.pool_alone(column, *referenced);
            }
        }
        let unknown: Vec<Vec<usize>> = {
            let world = World { tables: &self.tables, rng_seed: self.options.rng_seed };
            self.tables.iter().map(|draft| world.unknown(draft)).collect()
        };
        for (draft, unknown) in self.tables.iter_mut().zip(unknown) {
            unknown.into_iter().for_each(|column| draft.columns[column].unknown = true);
        }
    }

    /// Names constraints that no tuple, or hardly one, keeps.
    fn say_short(&mut self) {
        let mut found = Vec::new();
        for draft in &mut self.tables {
            for at in 0..draft.components.len() {
                let component = &draft.components[at];
                let asked = component.columns.len() > 1 && !component.checks.is_empty();
                let unmet = !component.failures.is_empty() || asked;
                if !unmet || !component.lines.is_empty() || component.is_free(draft) {
                    continue;
                }
                let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
                for (name, of) in &component.failures {
                    *counted.entry(name).or_default() += of;
                }
                let why = counted.into_iter().map(|(name, of)| format!("{name} ({of})"));
                let why: Vec<String> = why.collect();
                let about = component.checks.iter().map(|c| draft.checks[*c].name.as_str());
                let about = about.collect::<Vec<_>>().join(", ");
                let text = format!(
                    "no rows: no values were found that keep it; what failed, and how often: {}. \
                     Write a pool for its columns",
                    why.join(", ")
                );
                let table = draft.name.clone();
                found.push(Remark { table, about, text, refused: true, short: true });
                draft.rows = 0;
            }
        }
        self.remarks.extend(found);
    }
}

/// Lines as they were asked for.
struct Drawn<'a> {
    lines: &'a [Vec<Option<String>>],
    /// Rows at which each was tried.
    rows: usize,
    /// Positions of what the server assigned.
    assigned: &'a [usize],
}

/// Keeps the lines that the server takes in all rows.
fn take_lines(
    draft: &mut TableDraft,
    component: usize,
    drawn: &Drawn<'_>,
    question: &Question,
    answers: &[Answer],
) {
    let columns = draft.components[component].columns.clone();
    let pooled = question.columns.len().min(drawn.lines.first().map_or(0, Vec::len));
    let names = question.columns.iter().take(pooled);
    let at = |name: &String| columns.iter().copied().find(|c| draft.columns[*c].name == *name);
    let pooled: Vec<usize> = names.filter_map(|column| at(&column.name)).collect();
    let needed: Vec<bool> = pooled.iter().map(|c| !draft.columns[*c].nullable).collect();
    let own = &mut draft.components[component];
    own.failures.extend(failures(question, answers));
    // A second attempt may leave out what the first one had: its lines are others.
    if own.pooled != pooled && !own.lines.is_empty() {
        return;
    }
    own.pooled = pooled;
    let mut seen: BTreeSet<_> = own.lines.iter().cloned().collect();
    for (line, answers) in drawn.lines.iter().zip(answers.chunks(drawn.rows)) {
        let same = answers.windows(2).all(|pair| pair[0].values == pair[1].values);
        let fits = answers.iter().all(Answer::is_taken);
        let mut line = line.clone();
        for (at, value) in drawn.assigned.iter().zip(&answers[0].values) {
            line[*at].clone_from(value);
        }
        let there = line.iter().zip(&needed).all(|(value, needed)| value.is_some() || !needed);
        if fits && same && there && seen.insert(line.clone()) {
            own.lines.push(line);
        }
    }
}

/// Why tuples were not taken, and how many; the most frequent first.
fn failures(question: &Question, answers: &[Answer]) -> Vec<(String, usize)> {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in answers {
        if let Some(error) = &answer.error {
            *counted.entry(error).or_default() += 1;
        }
        for ((name, _), kept) in question.tests.iter().zip(&answer.kept) {
            if !kept {
                *counted.entry(name).or_default() += 1;
            }
        }
    }
    let mut found: Vec<(String, usize)> =
        counted.into_iter().map(|(name, of)| (name.to_owned(), of)).collect();
    found.sort_by_key(|(_, of)| std::cmp::Reverse(*of));
    found.truncate(3);
    found
}
