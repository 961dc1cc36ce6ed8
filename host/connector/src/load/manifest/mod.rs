//! The manifest that `describe` returned: taken over, then checked. All problems are told at once.

mod check;
mod convert;

pub(super) use check::apply;
pub(super) use convert::convert;
