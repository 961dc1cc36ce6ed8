//! cordon-connector
