//! One process executes at a time.
