//! cordon-run
