//! Where a shop's files come from: a folder, or the demo shop inside the binary.

use dialogs::shop::Files;
use std::path::{Path, PathBuf};

/// Largest single file of a shop, bytes.
pub const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Files in a shop folder.
pub const FILES_MAX: usize = 20_000;
/// Folders within folders.
const DEPTH_MAX: usize = 6;

#[derive(rust_embed::RustEmbed)]
#[folder = "demo/"]
struct Demo;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    Demo,
    At(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{path}: {what}")]
    Unreadable { path: String, what: String },
    #[error("{path}: larger than {FILE_BYTES_MAX} bytes")]
    TooLarge { path: String },
    #[error("{path}: more than {FILES_MAX} files")]
    TooMany { path: String },
    #[error(
        "{path}: no shop is here; expected at least one of shop.yaml, products.tsv, products.csv, products.jsonl; `tiansheng import products FEED --shop {path}` makes one of a product feed"
    )]
    NoShop { path: String },
}

impl Folder {
    pub fn of(dir: Option<&Path>) -> Self {
        dir.map_or(Folder::Demo, |dir| Folder::At(dir.to_owned()))
    }

    pub fn is_demo(&self) -> bool {
        matches!(self, Folder::Demo)
    }

    pub fn read(&self) -> Result<Files, FolderError> {
        match self {
            Folder::Demo => Ok(Demo::iter()
                .filter_map(|path| {
                    let file = Demo::get(&path)?;
                    Some((path.into_owned(), file.data.into_owned()))
                })
                .collect()),
            Folder::At(root) => {
                let mut files = Files::new();
                gather(root, root, 0, &mut files)?;
                let is_shop = files
                    .keys()
                    .any(|path| path == "shop.yaml" || path.starts_with("products."));
                if is_shop {
                    Ok(files)
                } else {
                    Err(FolderError::NoShop {
                        path: root.display().to_string(),
                    })
                }
            }
        }
    }
}

fn gather(root: &Path, dir: &Path, depth: usize, files: &mut Files) -> Result<(), FolderError> {
    let unreadable = |path: &Path, error: std::io::Error| FolderError::Unreadable {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    for entry in std::fs::read_dir(dir).map_err(|e| unreadable(dir, e))? {
        let path = entry.map_err(|e| unreadable(dir, e))?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        let facts = std::fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
        if facts.is_dir() {
            if depth < DEPTH_MAX {
                gather(root, &path, depth + 1, files)?;
            }
            continue;
        }
        if facts.len() > FILE_BYTES_MAX {
            return Err(FolderError::TooLarge {
                path: path.display().to_string(),
            });
        }
        if files.len() >= FILES_MAX {
            return Err(FolderError::TooMany {
                path: root.display().to_string(),
            });
        }
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
        files.insert(name, bytes);
    }
    Ok(())
}
