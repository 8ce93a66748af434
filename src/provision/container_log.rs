//! The log of a container, copied to a file as it is written: read there, it is like that of a
//! local server.

use std::path::Path;

use futures_util::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::LogsOptionsBuilder;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;

use super::Error;

/// The copying. It ends with the container, or when this is dropped.
pub struct LogCopy {
    task: JoinHandle<()>,
}

impl LogCopy {
    /// Appends to the file what the container writes from now on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn begin(client: &Docker, container: &str, path: &Path) -> Result<LogCopy, Error> {
        let file = OpenOptions::new().create(true).append(true).open(path).await;
        let file = file.map_err(Error::io("open", path))?;
        let (client, container) = (client.clone(), container.to_owned());
        let task = tokio::spawn(copy(client, container, file));
        Ok(LogCopy { task })
    }
}

impl Drop for LogCopy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who reads the file sees where it ends too early: our own last message is not there then.
async fn copy(client: Docker, container: String, mut file: File) {
    let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).tail("0");
    let mut pieces = client.logs(&container, Some(options.build()));
    while let Some(Ok(piece)) = pieces.next().await {
        let written = file.write_all(&piece.into_bytes()).await;
        if written.is_err() || file.flush().await.is_err() {
            return;
        }
    }
}
