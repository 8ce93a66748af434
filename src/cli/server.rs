//! The arguments that say which server is used.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::connect::Address;
use crate::provision::{self, Named, SourceRequest};

/// Where the server comes from.
#[derive(Clone, Debug, Args)]
pub struct ServerArguments {
    /// local, docker, or the postgres:// address of an external server
    /// [default: local, or docker where no server is installed]
    /// [env: PGAUNTLET_SERVER]
    #[arg(long, value_name = "SOURCE")]
    pub server: Option<String>,
    /// The external server may be worked on, whatever it looks like: databases are created,
    /// filled and dropped there, and each copy of one forces two checkpoints
    #[arg(long)]
    pub server_is_mine: bool,
    /// Directory of the server's binaries, for --server local
    #[arg(long, value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
    /// Postgres major, 14 to 18 [default: the newest installed]; of run, try and crash several, as
    /// in 14,18: everything is run on each of them, and what differs is said
    #[arg(long, value_name = "MAJOR", value_delimiter = ',')]
    pub pg: Vec<u32>,
    /// Image, for --server docker [default: the official one of the major]
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Fetch nothing: where no server is installed and no Docker runs, say so
    #[arg(long, env = "PGAUNTLET_OFFLINE", value_parser = FalseyValueParser::new())]
    pub offline: bool,
    /// User that a local server runs as when we are root [default: postgres]
    #[arg(long, value_name = "USER")]
    pub run_as: Option<String>,
    /// Keep seeded databases here between runs
    #[arg(long, value_name = "DIR", env = "PGAUNTLET_CACHE")]
    pub cache_dir: Option<PathBuf>,
    // It wins over --cache-dir, which may come from the environment.
    /// Keep nothing between runs
    #[arg(long)]
    pub no_cache: bool,
}

/// A URL, or the parameters of libpq.
pub fn is_address(text: &str) -> bool {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let is_parameter = |word: &str| {
        let name = word.split_once('=').map_or("", |(name, _)| name.trim_end());
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
    };
    is_url || (!text.contains("://") && is_parameter(text.trim_start()))
}

impl ServerArguments {
    /// Whether a server is named, in either way.
    pub fn names_server(&self) -> bool {
        self.server.is_some() || std::env::var("PGAUNTLET_SERVER").is_ok_and(|v| !v.is_empty())
    }

    /// The one server.
    pub fn request(&self) -> Result<provision::Request, String> {
        match self.majors().as_slice() {
            [] => self.of_major(None),
            [major] => self.of_major(Some(*major)),
            majors => {
                let listed = majors.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
                Err(format!("use one server of PostgreSQL {listed}: name one major with --pg"))
            }
        }
    }

    /// One for each major that is named, the oldest first: what it can do, later ones can.
    pub fn requests(&self) -> Result<(provision::Request, Vec<provision::Request>), String> {
        let majors = self.majors();
        if majors.len() < 2 {
            return Ok((self.request()?, Vec::new()));
        }
        let of_majors: Result<Vec<_>, String> =
            majors.iter().map(|major| self.of_major(Some(*major))).collect();
        let mut of_majors = of_majors?.into_iter();
        let first = of_majors.next().ok_or("use a server: no major is named".to_owned())?;
        let rest: Vec<_> = of_majors.collect();
        let option = match (&first.source, &self.pg_bin, &self.image) {
            (SourceRequest::Url(_) | SourceRequest::Unvouched { .. }, ..) => "an external server",
            (_, Some(_), _) => "--pg-bin",
            (_, _, Some(_)) => "--image",
            _ => return Ok((first, rest)),
        };
        Err(format!("use several majors: {option} is of one; leave it out, or name one with --pg"))
    }

    /// In ascending order, each once.
    pub fn majors(&self) -> Vec<u32> {
        BTreeSet::from_iter(self.pg.iter().copied()).into_iter().collect()
    }

    fn of_major(&self, major: Option<u32>) -> Result<provision::Request, String> {
        let (pg_bin, image) = (self.pg_bin.clone(), self.image.clone());
        let variable = std::env::var("PGAUNTLET_SERVER").ok().filter(|text| !text.is_empty());
        let named = match self.server {
            Some(_) => Named::OnTheCommandLine,
            None => Named::InTheEnvironment,
        };
        let source = match self.server.as_deref().or(variable.as_deref()) {
            None if pg_bin.is_none() => SourceRequest::Any { major, image, fetch: !self.offline },
            None | Some("local") => SourceRequest::Local { pg_bin, major },
            Some("docker") => SourceRequest::Docker { image, major },
            Some(url) if is_address(url) => {
                Address::parse(url).map_err(|error| error.to_string())?;
                match (self.server_is_mine, named) {
                    (true, _) => SourceRequest::Url(url.to_owned()),
                    (false, named) => SourceRequest::Unvouched { url: url.to_owned(), named },
                }
            }
            // What cannot be read may be an address with a password in it.
            Some(other) => {
                let is_word = other.chars().all(|c| c.is_ascii_alphanumeric());
                let shown = if is_word { format!(" {other}") } else { String::new() };
                return Err(format!(
                    "understand --server{shown}: it is local, docker, or an external server's \
                     address, as in postgres://user@host:5432/ or 'host=… user=…'"
                ));
            }
        };
        Ok(provision::Request { source, cache: self.cache(), run_as: self.run_as.clone() })
    }

    pub fn cache(&self) -> Option<PathBuf> {
        match (self.no_cache, &self.cache_dir) {
            (true, _) => None,
            (false, Some(directory)) => Some(directory.clone()),
            (false, None) => provision::default_cache_directory(),
        }
    }
}
