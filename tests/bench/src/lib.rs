//! cordon-bench
