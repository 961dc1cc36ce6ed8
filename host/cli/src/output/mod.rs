//! Everything that a person or a program sees: where it goes ([`screen`]), how it looks.
//!
//! Rendering is functions from values to text; only [`screen`] writes.

pub mod certificate;
pub mod csv;
pub mod json;
pub mod markdown;
pub mod neutral;
pub mod paint;
pub mod screen;
pub mod signature;
pub mod table;
pub mod time;
pub mod value;

pub use paint::{Look, Tone};
pub use screen::Screen;
