//! cordon-kata
