//! cordon-end-to-end
