//! Joins results: the shares of one run, and runs on several server majors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::explain::assessed;
use crate::history::TrialFacts;
use crate::result::{Planned, ResultFile};
use crate::trial::{Axis, TrialKey};

use super::files::prepare_out;
use super::{Error, unit};

/// A result and where it is.
struct Part {
    directory: PathBuf,
    result: ResultFile,
}

/// What a run on a server of one major came to.
pub struct OfMajor {
    pub major: u32,
    pub result: ResultFile,
}

impl OfMajor {
    /// Where its histories are, below the joined result.
    pub fn directory(&self) -> String {
        format!("pg{}", self.major)
    }
}

/// The results of one plan on servers of several majors as one.
pub fn of_majors(parts: &[OfMajor]) -> ResultFile {
    let mut joined = ResultFile::empty();
    for part in parts {
        let below = Below { directory: part.directory(), major: Some(part.major) };
        let part = Part { directory: PathBuf::new(), result: part.result.clone() };
        add(&mut joined, vec![part], Some(&below));
    }
    assessed(&mut joined);
    joined
}

/// Where a group is in a result of several majors.
struct Below {
    directory: String,
    /// None: not known, or several.
    major: Option<u32>,
}

/// Of one server major and one plan: shares, or one whole.
type Groups = BTreeMap<(Vec<u32>, Vec<String>), Vec<Part>>;

/// Writes the joined result and its histories to `out`, as if one machine had run all of it. Where
/// the results are of several majors, each has a directory of its own in there.
///
/// # Errors
/// A result cannot be read or written, or the results are not shards of one plan.
pub fn merge(directories: &[PathBuf], out: &Path) -> Result<ResultFile, Error> {
    let mut groups = Groups::new();
    let mut of_no_major = Vec::new();
    for directory in directories {
        let part = Part { directory: directory.clone(), result: ResultFile::read(directory)? };
        let key = (majors(&part.result), part.result.plan.clone());
        match key.0.is_empty() {
            // More shards than there is to do.
            true => of_no_major.push(part),
            false => groups.entry(key).or_default().push(part),
        }
    }
    adopt(&mut groups, of_no_major);
    groups.values().try_for_each(|group| check(group))?;
    once_each(&groups)?;
    apart(directories, out)?;
    let out = prepare_out(out)?;
    let several = groups.keys().map(|(majors, _)| majors).collect::<BTreeSet<_>>().len() > 1;
    let mut joined = ResultFile::empty();
    for ((majors, _), group) in groups {
        let below = below(&majors, several);
        let target = below.as_ref().map_or_else(|| out.clone(), |of| out.join(&of.directory));
        for part in &group {
            copy_histories(&part.directory, &target)?;
        }
        add(&mut joined, group, below.as_ref());
    }
    joined.write(&out)?;
    Ok(joined)
}

/// A directory cannot be copied into itself.
fn apart(directories: &[PathBuf], out: &Path) -> Result<(), Error> {
    let absolute = |path: &Path| {
        // What is not there yet lies where the first of its parents is that is there.
        let known = path.ancestors().find_map(|at| Some((at, at.canonicalize().ok()?)));
        let (at, real) = known.unwrap_or((Path::new(""), std::env::current_dir().ok()?));
        Some(real.join(path.strip_prefix(at).unwrap_or(path)))
    };
    let Some(target) = absolute(out) else { return Ok(()) };
    match directories.iter().find(|source| absolute(source).is_some_and(|s| target.starts_with(s)))
    {
        Some(source) => {
            let why = format!("{} is in it; --out has to name a place elsewhere", out.display());
            Err(Error::Merge { path: source.clone(), why })
        }
        None => Ok(()),
    }
}

/// No two results hold the same trial: whose history would be kept?
fn once_each(groups: &Groups) -> Result<(), Error> {
    let mut seen: BTreeMap<(&[u32], String), &Path> = BTreeMap::new();
    for ((majors, _), group) in groups {
        for part in group {
            let trials = part.result.trials.iter().map(|j| &j.trial);
            let trials = trials.map(|t| t.key.clone().without(&Axis::SERVER).to_string());
            let matrices = part.result.crash_matrices.iter();
            let matrices = matrices.map(|matrix| unit::matrix_of(&matrix.trial.key));
            for name in trials.chain(matrices) {
                let repeated = name.clone();
                let Some(twin) = seen.insert((majors, name), &part.directory) else { continue };
                let why = format!(
                    "{repeated} is in {} too; a repeated run is for `compare` and `baseline`",
                    twin.display()
                );
                return Err(Error::Merge { path: part.directory.clone(), why });
            }
        }
    }
    Ok(())
}

fn majors(result: &ResultFile) -> Vec<u32> {
    let majors: BTreeSet<u32> = result.facts().map(|t| t.server.version_num / 10_000).collect();
    majors.into_iter().collect()
}

/// A share of nothing belongs where its plan and its number are missing.
fn adopt(groups: &mut Groups, of_no_major: Vec<Part>) {
    for part in of_no_major {
        let index = |part: &Part| part.result.shard.map(|shard| shard.index);
        let misses = |(key, group): &(&(Vec<u32>, Vec<String>), &mut Vec<Part>)| {
            key.1 == part.result.plan && group.iter().all(|other| index(other) != index(&part))
        };
        match groups.iter_mut().find(misses) {
            Some((_, group)) => group.push(part),
            None => groups.entry((Vec::new(), part.result.plan.clone())).or_default().push(part),
        }
    }
}

fn below(majors: &[u32], several: bool) -> Option<Below> {
    let names: Vec<String> = majors.iter().map(|major| format!("pg{major}")).collect();
    let major = Some(majors).filter(|majors| majors.len() == 1).map(|majors| majors[0]);
    let directory = Some(names.join("-")).filter(|name| several && !name.is_empty());
    directory.map(|directory| Below { directory, major })
}

/// Whether the parts make up their plan: one whole, or shares of which none is missing or there
/// twice.
fn check(group: &[Part]) -> Result<(), Error> {
    let Some(first) = group.first() else { return Ok(()) };
    let refuse = |part: &Part, why: String| Err(Error::Merge { path: part.directory.clone(), why });
    let mut seen = BTreeMap::new();
    for part in group {
        let (tool, first_tool) = (tool(&part.result), tool(&first.result));
        if tool.is_some() && first_tool.is_some() && tool != first_tool {
            let other = first.directory.display();
            let why = format!("another version of pgauntlet made it than {other}");
            return refuse(part, why);
        }
        let (Some(shard), Some(of)) = (part.result.shard, first.result.shard) else {
            // The second one is one too many.
            if std::ptr::eq(part, first) {
                continue;
            }
            let why = format!("it is of the plan of {} too", first.directory.display());
            return refuse(part, why);
        };
        if shard.of != of.of {
            let why = format!("it is one of {} shares, and {} of {}", shard.of, of.index, of.of);
            return refuse(part, format!("{why} is to be joined with it"));
        }
        if let Some(twin) = seen.insert(shard.index, &part.directory) {
            let why = format!("share {} of {} is in {} too", shard.index, of.of, twin.display());
            return refuse(part, why);
        }
    }
    let missing = |of: u32| (1..=of).find(|index| !seen.contains_key(index));
    match first.result.shard.and_then(|shard| Some((missing(shard.of)?, shard.of))) {
        Some((index, of)) => {
            let why = format!("share {index} of {of} is missing; name its directory as well");
            refuse(first, why)
        }
        None => Ok(()),
    }
}

fn tool(result: &ResultFile) -> Option<&str> {
    result.facts().next().map(|trial| trial.tool.as_str())
}

/// In the order of the plan.
fn add(joined: &mut ResultFile, group: Vec<Part>, below: Option<&Below>) {
    for part in &group {
        let planned = planned(&part.result, below);
        joined.planned.trials.extend(planned.trials);
        joined.planned.crash_matrices.extend(planned.crash_matrices);
    }
    let names = group.first().map(|part| part.result.plan.clone()).unwrap_or_default();
    let place = |name: &str| names.iter().position(|known| known == name).unwrap_or(usize::MAX);
    let (mut trials, mut matrices) = (Vec::new(), Vec::new());
    for part in group {
        trials.extend(part.result.trials);
        if !part.result.crash_matrices.is_empty() {
            joined.crash = part.result.crash;
        }
        matrices.extend(part.result.crash_matrices);
        joined.retries.extend(part.result.retries);
        joined.scenarios.extend(part.result.scenarios);
        joined.finished &= part.result.finished;
        joined.answers |= part.result.answers;
        joined.at.extend(part.result.at);
    }
    let of_trial = |trial: &TrialFacts| place(&unit::trials(&trial.key));
    trials.sort_by_key(|judgement| of_trial(&judgement.trial));
    matrices.sort_by_key(|matrix| place(&unit::matrix_of(&matrix.trial.key)));
    joined.trials.extend(trials);
    joined.crash_matrices.extend(matrices);
    joined.plan.extend(names.into_iter().map(|name| match below {
        Some(below) => format!("{}: {name}", below.directory),
        None => name,
    }));
}

/// What a part was to do, as the joined result names it: where there are several servers, with the
/// server.
fn planned(result: &ResultFile, below: Option<&Below>) -> Planned {
    let mut planned = result.planned.clone();
    let Some(below) = below else { return planned };
    let major = result.facts().next().and_then(|trial| trial.server.major()).or(below.major);
    let place = |key: &mut TrialKey, path: &mut String| {
        *path = format!("{}/{path}", below.directory);
        if let Some(major) = major {
            *key = key.clone().with(Axis::SERVER, major.to_string());
        }
    };
    planned.trials.iter_mut().for_each(|trial| place(&mut trial.key, &mut trial.path));
    planned.crash_matrices.iter_mut().for_each(|m| place(&mut m.key, &mut m.path));
    planned
}

/// Everything but result.json, which is written anew.
fn copy_histories(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(|e| Error::out(to, e))?;
    let entries = fs::read_dir(from).map_err(|e| Error::read(from, e))?;
    for entry in entries {
        let source = entry.map_err(|e| Error::read(from, e))?.path();
        let Some(name) = source.file_name() else { continue };
        let target = to.join(name);
        if source.is_dir() {
            copy_histories(&source, &target)?;
        } else if name != ResultFile::NAME {
            fs::copy(&source, &target).map_err(|e| Error::read(&source, e))?;
        }
    }
    Ok(())
}
