//! The file that keeps a fingerprint; docs/fingerprint.md describes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fingerprint;

/// Version of the file. With another kind or property it is another one: a file of before would
/// differ from every database that has such an object.
const FORMAT: u32 = 1;

/// A fingerprint, and of which major the server was: another one may tell the same schema
/// otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Major version of the server that was read.
    pub server_major: u32,
    /// The schema.
    pub fingerprint: Fingerprint,
}

/// Why a file holds no fingerprint that this program reads.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum StoredError {
    #[error("it is no fingerprint: {0}; `pgauntlet fingerprint` writes one")]
    NotOne(#[source] serde_json::Error),
    #[error("it is a fingerprint of format {0}, and {FORMAT} is known; write it anew")]
    Format(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    pgauntlet_fingerprint: u32,
    server_major: u32,
    objects: BTreeMap<String, BTreeMap<String, String>>,
}

impl Stored {
    /// Reads the file's text.
    ///
    /// # Errors
    /// The text is no fingerprint, or one of an unknown format.
    pub fn parse(text: &str) -> Result<Stored, StoredError> {
        // The format first: what another one holds is not for this one to say.
        let value: serde_json::Value = serde_json::from_str(text).map_err(StoredError::NotOne)?;
        let format = value.get("pgauntlet_fingerprint").and_then(serde_json::Value::as_u64);
        if let Some(format) = format.filter(|format| *format != u64::from(FORMAT)) {
            return Err(StoredError::Format(format));
        }
        let wire: Wire = serde_json::from_str(text).map_err(StoredError::NotOne)?;
        let fingerprint = Fingerprint { objects: wire.objects };
        Ok(Stored { server_major: wire.server_major, fingerprint })
    }

    /// Sorted and with a line per property, so that version control shows what changed.
    pub fn to_text(&self) -> String {
        let wire = Wire {
            pgauntlet_fingerprint: FORMAT,
            server_major: self.server_major,
            objects: self.fingerprint.objects.clone(),
        };
        // Maps of texts to texts are JSON always.
        let mut text = serde_json::to_string_pretty(&wire).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_survives_its_file() {
        let mut fingerprint = Fingerprint::default();
        fingerprint.insert("function", "app.f()", "definition", "AS $$\n'\"\\ü$$\n");
        let stored = Stored { server_major: 15, fingerprint };
        assert_eq!(Stored::parse(&stored.to_text()).expect("a fingerprint"), stored);
    }

    #[test]
    fn what_is_no_fingerprint_is_refused_with_its_line() {
        for text in ["", "[]", "{}", "{\"pgauntlet_fingerprint\": 1, \"server_major\": 15}"] {
            let error = Stored::parse(text).expect_err(text).to_string();
            assert!(error.starts_with("it is no fingerprint: "), "{error}");
            assert!(error.contains("line 1"), "{error}");
        }
    }

    #[test]
    fn another_format_is_told_as_that_whatever_else_it_holds() {
        let error = Stored::parse("{\"pgauntlet_fingerprint\": 7}").expect_err("7").to_string();
        let text = "it is a fingerprint of format 7, and 1 is known; write it anew";
        assert_eq!(error, text);
    }
}
