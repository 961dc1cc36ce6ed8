//! Lines for the operator's log, written like `println!`: `log::warn!("no name for {id}")`. Cordon
//! adds connection, action, run and step, and replaces secrets.

pub use crate::bindings::cordon::connector::log::Level;
pub use crate::{__debug as debug, __error as error, __info as info, __warn as warn};

/// Writes one line.
pub fn write(level: Level, message: &str) {
    crate::platform::write(level, message);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($line:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($line)*)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($line:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($line)*)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($line:tt)*) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($line)*)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($line:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($line)*)) };
}
