//! Reads and writes result.json.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::history::open_ordinary;

use super::file::ResultFile;
use super::format::{FORMAT, FORMAT_READ};
use super::format_4::ResultFile4;

/// A result that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("write {path}: {source}")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    pub source: std::io::Error,
}

/// Why a result cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum ReadError {
    #[error("read {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("read {path}: it is no result of pgauntlet: {source}")]
    Json { path: PathBuf, source: serde_json::Error },
    #[error(
        "read {path}: result format {found}, this pgauntlet reads {FORMAT_READ} to {FORMAT}; {}",
        remedy(*found)
    )]
    Version { path: PathBuf, found: u32 },
}

impl ResultFile {
    /// Replaces the file in one step, so that a reader never sees half of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<PathBuf, WriteError> {
        let path = directory.join(ResultFile::NAME);
        let fail = |source| WriteError { path: path.clone(), source };
        let partial = directory.join(".result.json.partial");
        let json = serde_json::to_string_pretty(self).map_err(|e| fail(e.into()))?;
        let mut file = fs::File::create(&partial).map_err(fail)?;
        file.write_all(json.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        fs::rename(&partial, &path).map_err(fail)?;
        Ok(path)
    }

    /// The file itself, or the result.json of a directory.
    pub fn path_of(path: &Path) -> PathBuf {
        match path.is_dir() {
            true => path.join(ResultFile::NAME),
            false => path.to_owned(),
        }
    }

    /// Reads a result.json, or the one in a directory.
    ///
    /// # Errors
    /// The file cannot be read, is no result, or is of an unknown format.
    pub fn read(path: &Path) -> Result<ResultFile, ReadError> {
        let path = ResultFile::path_of(path);
        let text = open_ordinary(&path)
            .and_then(std::io::read_to_string)
            .map_err(|source| ReadError::Io { path: path.clone(), source })?;
        ResultFile::parse(&path, &text)
    }

    /// The text of a result.json; `path` is for an error.
    ///
    /// # Errors
    /// The text is no result, or one of an unknown format.
    pub fn parse(path: &Path, text: &str) -> Result<ResultFile, ReadError> {
        #[derive(Deserialize)]
        struct Versioned {
            pgauntlet_result: u32,
        }
        let json = |source| ReadError::Json { path: path.to_owned(), source };
        let Versioned { pgauntlet_result: found } = serde_json::from_str(text).map_err(json)?;
        match found {
            FORMAT => serde_json::from_str(text).map_err(json),
            FORMAT_READ => Ok(serde_json::from_str::<ResultFile4>(text).map_err(json)?.into()),
            found => Err(ReadError::Version { path: path.to_owned(), found }),
        }
    }
}

/// What to do with a file of a version that is not read.
fn remedy(found: u32) -> &'static str {
    match found > FORMAT {
        true => "a newer pgauntlet wrote it and can report it",
        false => "the pgauntlet that wrote it can report it; or run it again",
    }
}
