//! Rust's tokens, as far as the shape of the code is read from them: comments are left out, and a
//! name inside a string is none.

/// What a rule may look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Name(String),
    /// The text between the quotes.
    Text(String),
    /// `::`.
    Joint,
    Sign(char),
}

#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    /// From 1.
    pub line: usize,
}

impl Token {
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    pub fn is_name(&self, name: &str) -> bool {
        self.name() == Some(name)
    }
}

pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader { chars: &chars, at: 0, line: 1, found: Vec::new() };
    while reader.at < chars.len() {
        reader.one();
    }
    reader.found
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    line: usize,
    found: Vec<Token>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.line += usize::from(self.peek(0) == '\n');
            self.at += 1;
        }
    }

    fn push(&mut self, kind: Kind, line: usize) {
        self.found.push(Token { kind, line });
    }

    fn one(&mut self) {
        let (c, line) = (self.peek(0), self.line);
        match (c, self.peek(1)) {
            ('/', '/') => {
                while self.at < self.chars.len() && self.peek(0) != '\n' {
                    self.skip(1);
                }
            }
            ('/', '*') => self.block_comment(),
            (':', ':') => {
                self.skip(2);
                self.push(Kind::Joint, line);
            }
            ('"', _) => self.text(),
            ('\'', _) => self.quote(),
            _ if c.is_alphanumeric() || c == '_' => self.word(),
            _ => {
                self.skip(1);
                if !c.is_whitespace() {
                    self.push(Kind::Sign(c), line);
                }
            }
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => (depth, _) = (depth + 1, self.skip(2)),
                ('*', '/') => (depth, _) = (depth - 1, self.skip(2)),
                _ => self.skip(1),
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn text(&mut self) {
        let line = self.line;
        self.skip(1);
        let mut text = String::new();
        while self.at < self.chars.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                self.skip(1);
            }
            text.push(self.peek(0));
            self.skip(1);
        }
        self.skip(1);
        self.push(Kind::Text(text), line);
    }

    /// `r"…"`, `r#"…"#`: the `r` and a `b` before it have been read.
    fn raw_text(&mut self, hashes: usize) {
        let line = self.line;
        self.skip(hashes + 1);
        let mut text = String::new();
        while self.at < self.chars.len() {
            let ends = self.peek(0) == '"' && (1..=hashes).all(|n| self.peek(n) == '#');
            if ends {
                break;
            }
            text.push(self.peek(0));
            self.skip(1);
        }
        self.skip(hashes + 1);
        self.push(Kind::Text(text), line);
    }

    /// A character, or a lifetime.
    fn quote(&mut self) {
        self.skip(1);
        if self.peek(0) == '\\' {
            self.skip(2);
            while self.at < self.chars.len() && self.peek(0) != '\'' {
                self.skip(1);
            }
            self.skip(1);
        } else if self.peek(1) == '\'' {
            self.skip(2);
        } else {
            // A lifetime's name is of no interest, and no path begins with it.
            while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
                self.skip(1);
            }
        }
    }

    fn word(&mut self) {
        let line = self.line;
        let mut word = String::new();
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            word.push(self.peek(0));
            self.skip(1);
        }
        let hashes = (0..).take_while(|n| self.peek(*n) == '#').count();
        if matches!(word.as_str(), "r" | "br" | "cr") && self.peek(hashes) == '"' {
            self.raw_text(hashes);
        } else if matches!(word.as_str(), "b" | "c") && self.peek(0) == '"' {
            self.text();
        } else if word == "b" && self.peek(0) == '\'' {
            self.quote();
        } else if word == "r" && hashes == 1 {
            // `r#type`: the name follows.
            self.skip(1);
        } else {
            self.push(Kind::Name(word), line);
        }
    }
}

/// The index after the bracket that closes the one at `open`.
pub fn after_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Sign('{' | '(' | '[') => depth += 1,
            Kind::Sign('}' | ')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Without the items under `#[cfg(test)]`: a test may do what the code beside it must not.
pub fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(&tokens[at..]) {
            at = after_item(tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

fn is_test_attribute(tokens: &[Token]) -> bool {
    let [hash, open, cfg, paren, test, ..] = tokens else { return false };
    hash.is('#') && open.is('[') && cfg.is_name("cfg") && paren.is('(') && test.is_name("test")
}

/// The index after the item at `at`, its attributes before it included.
fn after_item(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].kind {
            Kind::Sign(';') => return at + 1,
            Kind::Sign('{') => return after_group(tokens, at),
            Kind::Sign('(' | '[') => at = after_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}
