//! The first look at foreign bytes: what kind of file they are, and the WIT with docs that a
//! connector may carry. Nothing is compiled or run.

use wasmparser::{Encoding, Parser, Payload};

/// The custom section that holds an encoded WIT package with its doc comments.
const WIT_SECTION: &str = "cordon:wit";

/// What the first look found.
pub(super) struct Scan<'a> {
    /// The contents of every `cordon:wit` section, of the component or of a module inside.
    pub wit_packages: Vec<&'a [u8]>,
}

/// Looks at every part of the file.
///
/// # Errors
/// Where it is not a whole component with something in it: what it is instead, and what to do.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan<'_>, String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(
            "it does not begin as WebAssembly does; is it another kind of file?".to_owned(),
        );
    }
    let mut wit_packages = Vec::new();
    let mut sections = 0_usize;
    let mut outermost = None;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| {
            format!("the file is damaged or not whole ({error}); copy it again")
        })?;
        match payload {
            Payload::Version { encoding, .. } => {
                outermost.get_or_insert(encoding);
            }
            Payload::End(_) => {}
            Payload::CustomSection(section) => {
                sections += 1;
                if section.name() == WIT_SECTION {
                    wit_packages.push(section.data());
                }
            }
            _ => sections += 1,
        }
    }
    match outermost {
        Some(Encoding::Component) if sections > 0 => Ok(Scan { wit_packages }),
        // A file of which only the first eight bytes were written is a valid component.
        Some(Encoding::Component) => Err("there is nothing in it; was it copied whole?".to_owned()),
        _ => Err(
            "it is a core module; build it for the target wasm32-wasip2, or make a component of it"
                .to_owned(),
        ),
    }
}
