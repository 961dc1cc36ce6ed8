//! cordon-sdk
