//! cordon-connection
