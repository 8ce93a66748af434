//! A process that ends the server when ours ends, however it ends.
//!
//! It holds the read end of a pipe whose write end only our process has, and sees its end even
//! after SIGKILL. A process and not PR_SET_PDEATHSIG, because that signal is tied to the thread
//! that forked: a worker thread that ends would take the server with it. It is a shell script,
//! because nothing else is on every machine, and must not outlive what it guards.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use super::Error;

/// Longest wait for it to go after it was informed that its work is done.
const DISMISS_TIMEOUT: Duration = Duration::from_secs(5);

const SCRIPT: &str = include_str!("guardian.sh");
const SCRIPT_NAME: &str = "guardian";

/// What the guardian is to end and remove.
pub struct Guarded<'a> {
    pub run_directory: &'a Path,
    pub run_lock: &'a File,
    /// The cluster that a server runs on.
    pub data: PathBuf,
    /// Where initdb makes it; removed if it is still there.
    pub new_data: PathBuf,
    /// The data of a standby, whether or not there is one.
    pub standby: PathBuf,
    /// The lock of a cluster in the cache: held until its server has ended.
    pub cluster_lock: Option<&'a File>,
    /// A container to remove, where there is a docker command.
    pub container: Option<String>,
}

/// The running guardian. Dropping it without [`Guardian::dismiss`] makes it act.
#[derive(Debug)]
pub struct Guardian {
    child: Child,
    pipe: ChildStdin,
}

impl Guardian {
    /// Must be called before what it guards is started.
    pub fn start(charge: &Guarded<'_>) -> Result<Guardian, Error> {
        let program = Path::new("/bin/sh");
        // In a file and not on the command line, where `ps` would show all of it.
        let script = charge.run_directory.join(SCRIPT_NAME);
        std::fs::write(&script, SCRIPT).map_err(Error::io("write", &script))?;
        let share = |lock: &File| lock.try_clone().map(Stdio::from);
        let clone_failed = Error::io("share the lock of", charge.run_directory);
        // Output and error are the two locks: a lock lasts as long as any process has its file
        // open, so what is guarded is locked until the guardian has finished. It writes nothing.
        let (run_lock, cluster_lock) = share(charge.run_lock)
            .and_then(|run| {
                let cluster = charge.cluster_lock.map_or_else(|| Ok(Stdio::null()), share)?;
                Ok((run, cluster))
            })
            .map_err(clone_failed)?;
        let mut child = Command::new(program)
            .arg(&script)
            .env("RUN_DIRECTORY", charge.run_directory)
            .env("DATA", &charge.data)
            .env("NEW_DATA", &charge.new_data)
            .env("STANDBY", &charge.standby)
            .env("CONTAINER", charge.container.as_deref().unwrap_or(""))
            .env("LC_ALL", "C")
            .current_dir("/")
            // A signal to the terminal's group, or to ours, is not for the guardian.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(run_lock)
            .stderr(cluster_lock)
            .spawn()
            .map_err(|source| Error::Spawn { program: program.to_owned(), source })?;
        let pipe = child.stdin.take().ok_or_else(|| {
            let source = std::io::Error::other("its standard input is not a pipe");
            Error::Spawn { program: program.to_owned(), source }
        })?;
        Ok(Guardian { child, pipe })
    }

    /// Tells it that we cleaned up ourselves, and waits until it is gone.
    pub async fn dismiss(mut self) {
        // A guardian that was killed needs no message.
        let _ = self.pipe.write_all(b"done\n").await;
        let _ = self.pipe.flush().await;
        drop(self.pipe);
        let _ = tokio::time::timeout(DISMISS_TIMEOUT, self.child.wait()).await;
    }
}
