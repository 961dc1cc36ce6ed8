//! cordon-sdk-macros
