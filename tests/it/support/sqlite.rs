//! A folder with SQLite files, removed at the end.

use std::path::{Path, PathBuf};

use super::Store;

pub struct Folder(PathBuf);

/// A new folder, in memory where the system offers that: a test does not wait for a disk.
pub fn store() -> Store {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("souk-it-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    Store::Sqlite(Folder(folder))
}

impl Folder {
    pub fn url(&self, service: &str) -> String {
        format!("sqlite://{}/{service}.db", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
