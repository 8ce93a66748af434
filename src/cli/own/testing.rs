//! Projects that tests look for tools in.

use std::fs;

use tempfile::TempDir;

/// A directory with these files.
pub fn project(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }
    root
}
