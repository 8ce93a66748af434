//! result.json: the judgements of a run, versioned. Documented in docs/result.md.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::crash::Matrix;
use crate::judge::{FORMAT, Judgement};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultFile {
    pub pgauntlet_result: u32,
    /// Everything that the run was to do, in its order: scenarios, each with all its starting
    /// states, and crash matrices.
    pub plan: Vec<String>,
    /// Which part of the plan this is; None: all of it.
    pub shard: Option<Shard>,
    /// By name, as they were checked, so that a trial can be run again from this file alone.
    pub scenarios: BTreeMap<String, serde_json::Value>,
    pub trials: Vec<Judgement>,
    pub crash_matrices: Vec<Matrix>,
}

/// One of several runs that divide a plan between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// From 1.
    pub index: u32,
    pub of: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("write {path}: {source}")]
pub struct WriteError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("read {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("read {path}: {source}")]
    Json { path: PathBuf, source: serde_json::Error },
}

impl ResultFile {
    pub const NAME: &'static str = "result.json";

    /// With nothing but its version.
    pub fn empty() -> ResultFile {
        ResultFile { pgauntlet_result: FORMAT, ..ResultFile::default() }
    }

    /// Replaces the file in one step, so that a reader never sees half of it.
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

    pub fn read(directory: &Path) -> Result<ResultFile, ReadError> {
        let path = directory.join(ResultFile::NAME);
        let text = fs::read_to_string(&path)
            .map_err(|source| ReadError::Io { path: path.clone(), source })?;
        serde_json::from_str(&text).map_err(|source| ReadError::Json { path, source })
    }
}
