//! One source file: the module that it is, what it declares, and every path that it names.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Kind, Token, after_group, tokens, without_tests};

/// A path and its text, as they are in the repository or as a test has changed them.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the root of the repository: `src/judge/mod.rs`.
    pub path: String,
    pub text: String,
}

/// A path in the code with all that is known of its beginning: `crate::a::B`, `std::fs::read`.
#[derive(Clone, Debug)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
}

#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    /// `["judge", "waits"]`; empty for the root.
    pub module: Vec<String>,
    pub tokens: Vec<Token>,
    /// Names of items at the top of the file.
    pub items: BTreeSet<String>,
    /// What `use` brings into the file's module: the name, and the path that it is of.
    pub imports: BTreeMap<String, Vec<String>>,
    /// Paths before a `::*`.
    pub globs: Vec<Vec<String>>,
    pub named: Vec<Named>,
}

const ITEM_KEYWORDS: &[&str] =
    &["struct", "enum", "fn", "trait", "type", "const", "static", "union", "mod"];

/// `src/judge/waits.rs` is `judge::waits`, `src/judge/mod.rs` is `judge`, `src/main.rs` is `main`.
pub fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let inner = inner.strip_suffix(".rs").unwrap_or(inner);
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

impl File {
    /// Reads the file; what is under `#[cfg(test)]` is not of it.
    pub fn read(source: &Source) -> File {
        let tokens = without_tests(&tokens(&source.text));
        let mut file = File {
            path: source.path.clone(),
            module: module_of(&source.path),
            items: items(&tokens),
            tokens,
            imports: BTreeMap::new(),
            globs: Vec::new(),
            named: Vec::new(),
        };
        file.read_paths();
        file
    }

    fn read_paths(&mut self) {
        let tokens = std::mem::take(&mut self.tokens);
        let mut reader = Paths { file: self, inner: Vec::new(), depth: 0, code: Vec::new() };
        reader.read(&tokens);
        let code = std::mem::take(&mut reader.code);
        self.tokens = tokens;
        // A path in code may begin with what a `use` further down brings in.
        for mut named in code {
            if let Some(import) = self.imports.get(&named.segments[0]) {
                let rest = named.segments.split_off(1);
                named.segments = import.iter().cloned().chain(rest).collect();
            }
            self.named.push(named);
        }
    }
}

/// Items that are not inside of another one.
fn items(tokens: &[Token]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at + 1 < tokens.len() {
        let word = tokens[at].name().unwrap_or("");
        if ITEM_KEYWORDS.contains(&word) || word == "macro_rules" {
            let name = at + 1 + usize::from(word == "macro_rules");
            found.extend(tokens.get(name).and_then(Token::name).map(str::to_owned));
        }
        at = if matches!(tokens[at].kind, Kind::Sign('{' | '(' | '[')) {
            after_group(tokens, at)
        } else {
            at + 1
        };
    }
    found
}

struct Paths<'a> {
    file: &'a mut File,
    /// Modules written out in the file, with the depth of their braces.
    inner: Vec<(String, usize)>,
    depth: usize,
    code: Vec<Named>,
}

impl Paths<'_> {
    fn read(&mut self, tokens: &[Token]) {
        let mut at = 0;
        while at < tokens.len() {
            let token = &tokens[at];
            match &token.kind {
                Kind::Sign('{') => self.depth += 1,
                Kind::Sign('}') => {
                    self.inner.pop_if(|(_, depth)| *depth == self.depth);
                    self.depth = self.depth.saturating_sub(1);
                }
                Kind::Name(word) if word == "use" => {
                    self.import(tokens, at + 1, &mut Vec::new(), token.line);
                }
                Kind::Name(word)
                    if word == "pub" && tokens.get(at + 1).is_some_and(|t| t.is('(')) =>
                {
                    // `pub(in crate::drive)` says who may see it, not what it needs.
                    at = after_group(tokens, at + 1);
                    continue;
                }
                Kind::Name(word)
                    if word == "mod" && tokens.get(at + 2).is_some_and(|t| t.is('{')) =>
                {
                    let name = tokens[at + 1].name().unwrap_or("").to_owned();
                    self.inner.push((name, self.depth + 1));
                }
                Kind::Name(_) if starts_path(tokens, at) => {
                    let segments = path_at(tokens, at);
                    let segments = self.absolute(segments);
                    self.code.push(Named { segments, line: token.line });
                }
                _ => {}
            }
            // A `use` has paths of its own; the words in it are no code.
            at = if token.is_name("use") { end_of_statement(tokens, at) } else { at + 1 };
        }
    }

    /// Reads a tree of a `use` from `at`; `before` is the path up to there. Returns what follows.
    fn import(
        &mut self,
        tokens: &[Token],
        at: usize,
        before: &mut Vec<String>,
        line: usize,
    ) -> usize {
        let mut at = at;
        let length = before.len();
        while let Some(token) = tokens.get(at) {
            match &token.kind {
                Kind::Joint => at += 1,
                Kind::Sign('{') => {
                    at += 1;
                    while tokens.get(at).is_some_and(|t| !t.is('}')) {
                        at = self.import(tokens, at, before, line);
                        at += usize::from(tokens.get(at).is_some_and(|t| t.is(',')));
                    }
                    at += 1;
                    break;
                }
                Kind::Sign('*') => {
                    let base = self.absolute(before.clone());
                    self.file.named.push(Named { segments: with_star(&base), line });
                    self.file.globs.push(base);
                    at += 1;
                    break;
                }
                Kind::Name(word) => {
                    before.push(word.clone());
                    at += 1;
                    if tokens.get(at).is_some_and(|t| t.kind == Kind::Joint) {
                        continue;
                    }
                    let mut name = word.clone();
                    if tokens.get(at).is_some_and(|t| t.is_name("as")) {
                        name = tokens.get(at + 1).and_then(Token::name).unwrap_or("_").to_owned();
                        at += 2;
                    }
                    self.imported(before, name, line);
                    break;
                }
                _ => break,
            }
        }
        before.truncate(length);
        at
    }

    fn imported(&mut self, path: &[String], mut name: String, line: usize) {
        let mut path = path.to_vec();
        // `a::{self, b}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        }
        let path = self.absolute(path);
        self.file.named.push(Named { segments: path.clone(), line });
        // Names in a module that is written out in the file are not the file's.
        if name != "_" && self.inner.is_empty() {
            self.file.imports.insert(name, path);
        }
    }

    /// `super::x` and `self::x` from the root.
    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let mut here = self.file.module.clone();
        here.extend(self.inner.iter().map(|(name, _)| name.clone()));
        let mut rest = path.as_slice();
        match rest.first().map(String::as_str) {
            Some("self") => rest = &rest[1..],
            Some("super") => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    here.pop();
                    rest = &rest[1..];
                }
            }
            Some("pgauntlet") => return [vec!["crate".to_owned()], rest[1..].to_vec()].concat(),
            _ => return path,
        }
        [vec!["crate".to_owned()], here, rest.to_vec()].concat()
    }
}

fn with_star(path: &[String]) -> Vec<String> {
    path.iter().cloned().chain(["*".to_owned()]).collect()
}

/// Whether a path of two segments or more begins here.
fn starts_path(tokens: &[Token], at: usize) -> bool {
    let joint = |at: usize| tokens.get(at).is_some_and(|t| t.kind == Kind::Joint);
    joint(at + 1) && !(at > 0 && joint(at - 1))
}

fn path_at(tokens: &[Token], mut at: usize) -> Vec<String> {
    let mut path = Vec::new();
    while let Some(name) = tokens.get(at).and_then(Token::name) {
        path.push(name.to_owned());
        if tokens.get(at + 1).is_none_or(|t| t.kind != Kind::Joint) {
            break;
        }
        at += 2;
    }
    path
}

fn end_of_statement(tokens: &[Token], at: usize) -> usize {
    let length = tokens[at..].iter().position(|token| token.is(';'));
    length.map_or(tokens.len(), |length| at + length + 1)
}
