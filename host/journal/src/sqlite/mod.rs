//! The store that a single SQLite file is.
