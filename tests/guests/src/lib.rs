//! cordon-guests
