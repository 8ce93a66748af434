//! What a command prints: the end of it in memory, all of it in a file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::migrate::Error;

/// What is kept in memory and goes into the history.
const TAIL_BYTES_MAX: usize = 64 << 10;

pub struct Output {
    /// At most twice what is kept, so that bytes are seldom moved.
    tail: Vec<u8>,
    cut: u64,
    file: Option<(PathBuf, File)>,
}

impl Output {
    pub fn new(path: Option<&Path>) -> Result<Output, Error> {
        let create = |path: &Path| match File::create(path) {
            Ok(file) => Ok((path.to_owned(), file)),
            Err(source) => Err(Error::CommandOutput { path: path.to_owned(), source }),
        };
        Ok(Output { tail: Vec::new(), cut: 0, file: path.map(create).transpose()? })
    }

    /// Writes to the file at once: a file without a buffer of ours needs no flush.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some((path, file)) = &mut self.file {
            let failed = |source| Error::CommandOutput { path: path.clone(), source };
            file.write_all(bytes).map_err(failed)?;
        }
        self.tail.extend_from_slice(bytes);
        if self.tail.len() > 2 * TAIL_BYTES_MAX {
            self.shorten();
        }
        Ok(())
    }

    /// The end of the output, and how many bytes came before it.
    pub fn finish(mut self) -> (String, u64) {
        self.shorten();
        (String::from_utf8_lossy(&self.tail).into_owned(), self.cut)
    }

    fn shorten(&mut self) {
        let Some(mut from) = self.tail.len().checked_sub(TAIL_BYTES_MAX) else { return };
        // Not in the middle of a character of UTF-8, which has at most three bytes after its first.
        let inside = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
        if from > 0 {
            from += self.tail[from..].iter().take(3).take_while(inside).count();
        }
        self.tail.drain(..from);
        self.cut += from as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(chunks: &[&[u8]]) -> (String, u64) {
        let mut output = Output::new(None).expect("no file");
        chunks.iter().for_each(|chunk| output.push(chunk).expect("no file"));
        output.finish()
    }

    #[test]
    fn a_short_output_is_kept_whole_and_what_is_no_text_is_marked() {
        assert_eq!(gathered(&[]), (String::new(), 0));
        assert_eq!(gathered(&[b"a\xc3", b"\xa4\xffb"]), ("aä\u{fffd}b".to_owned(), 0));
    }

    #[test]
    fn the_end_of_a_long_output_is_kept_and_the_rest_is_counted() {
        let line = [b'x'; 1_000];
        let chunks = vec![&line[..]; 1_000];
        let (text, cut) = gathered(&chunks);
        assert_eq!((text.len(), cut), (TAIL_BYTES_MAX, 1_000_000 - TAIL_BYTES_MAX as u64));
    }

    #[test]
    fn a_cut_is_never_inside_a_character() {
        for lead in 0..4 {
            let text = "x".repeat(lead) + &"€".repeat(TAIL_BYTES_MAX);
            let (kept, cut) = gathered(&[text.as_bytes()]);
            assert!(kept.chars().all(|c| c == '€'), "{lead}");
            assert_eq!(kept.len() as u64 + cut, text.len() as u64);
            assert!(kept.len() > TAIL_BYTES_MAX - 3);
        }
    }
}
