//! How a shop's catalogue is replaced: whenever an import is cut off, a whole catalogue is in the folder.

use crate::commands::Stop;
use dialogs::Language;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The catalogue as an import writes it.
pub(super) const OWN_FILE: &str = "products.jsonl";
/// Catalogues put aside in one folder.
const FREE_NAMES_MAX: usize = 100;

/// Other main feeds of the folder: only one may be there, so they are in the way.
pub(super) fn others(dir: &Path, replace: bool) -> Result<Vec<PathBuf>, Stop> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let rest = name.strip_prefix("products.");
            rest.is_some_and(|rest| {
                let tag = rest.split('.').next().unwrap_or_default();
                let is_supplement = rest.contains('.') && Language::from_tag(tag).is_some();
                rest != "jsonl" && !is_supplement
            })
        })
        .collect();
    found.sort();
    match found.first() {
        Some(first) if !replace => Err(Stop::Usage(format!(
            "{}: the shop has this catalogue already; --replace puts it aside and takes the feed",
            first.display()
        ))),
        _ => Ok(found),
    }
}

/// A catalogue beside the one that is served, whole and down to the disk; nothing reads it yet.
pub(super) struct Staged {
    path: PathBuf,
    /// Held so that no other import takes the file for that of one that was killed.
    _locked: File,
}

/// Writes the file, and takes away those that killed imports left.
pub(super) fn stage(dir: &Path, bytes: &[u8]) -> std::io::Result<Staged> {
    remove_abandoned(dir)?;
    let path = dir.join(format!(".{OWN_FILE}.{}", std::process::id()));
    let mut file = File::create(&path)?;
    file.lock()?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(Staged {
        path,
        _locked: file,
    })
}

/// What an import stages it locks; the lock goes with its process, however that ends.
fn remove_abandoned(dir: &Path) -> std::io::Result<()> {
    let prefix = format!(".{OWN_FILE}.");
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let is_staged = entry
            .file_name()
            .to_string_lossy()
            .strip_prefix(&prefix)
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        if is_staged && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// One step: whoever is killed before or after it leaves one whole catalogue.
pub(super) fn commit(dir: &Path, staged: &Staged, target: &Path) -> std::io::Result<()> {
    std::fs::rename(&staged.path, target)?;
    File::open(dir)?.sync_all()
}

/// `products.tsv` becomes `.replaced.products.tsv`, which no shop reads; an older one is not overwritten.
pub(super) fn put_aside(
    path: &Path,
    by: impl Fn(&Path, &Path) -> std::io::Result<()>,
) -> Result<PathBuf, Stop> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let free = (0..FREE_NAMES_MAX)
        .map(|number| match number {
            0 => path.with_file_name(format!(".replaced.{name}")),
            number => path.with_file_name(format!(".replaced-{number}.{name}")),
        })
        .find(|aside| !aside.exists());
    let Some(aside) = free else {
        return Err(Stop::Failed(format!(
            "{}: there are {FREE_NAMES_MAX} files put aside already; remove some",
            path.display()
        )));
    };
    by(path, &aside).map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))?;
    Ok(aside)
}
