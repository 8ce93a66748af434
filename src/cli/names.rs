//! Names and paths, as a scenario has them.

use std::path::{Path, PathBuf};

/// The name of a file without its ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path as it is from a directory that need not be there, with `..` where both are in one
/// directory above.
pub fn relative(from: &Path, to: &Path) -> PathBuf {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let to = to.canonicalize().unwrap_or_else(|_| whole(to));
    let from = whole(from);
    // Of a directory that will be made the parent may be a link.
    let (above, name) = (from.parent().map(Path::canonicalize), from.file_name());
    let from = match (above, name) {
        (Some(Ok(above)), Some(name)) => above.join(name),
        _ => from.clone(),
    };
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    if shared < 2 {
        return to;
    }
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    let down: PathBuf = to.components().skip(shared).collect();
    up.collect::<PathBuf>().join(down)
}

/// As a scenario's directory may be called.
pub fn kebab(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    match words.is_empty() {
        true => "own-change".to_owned(),
        false => words.join("-"),
    }
}
