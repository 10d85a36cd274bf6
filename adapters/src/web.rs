//! The web widget's channel: what the page posts, and the events it reads.
