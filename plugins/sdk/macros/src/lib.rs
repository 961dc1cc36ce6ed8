//! The macro that turns a type into a connector.
//!
//! It reads the connector's WIT together with the contract's, writes the bindings into a private
//! module, re-exports what an author names, exports the component and embeds the WIT's docs. It
//! works on its own copy of the resolved WIT, so that the contract's imports and `lifecycle` are
//! bound once, in the SDK, and the types that all connectors share are the same Rust types.

mod arguments;
mod expand;
mod package;

use proc_macro::TokenStream;
use syn::parse_macro_input;

use crate::arguments::Arguments;

/// Makes `TYPE` the connector of this crate.
///
/// ```text
/// cordon_sdk::connector!(Kata);                                // the only world in `wit/`
/// cordon_sdk::connector!(Kata, world: "kata", wit: "api/wit"); // another folder or file, a certain world
/// cordon_sdk::connector!(Echo, inline: "package me:echo@0.1.0; …");
/// ```
///
/// The world must `include cordon:connector/connector@0.1.0;`. Every other interface that it exports
/// is an interface of actions: the macro makes a module for each, with its types and a trait
/// `Actions` to implement for `TYPE`, under `wit`; those of other packages, such as the
/// capabilities, stand under `wit::PACKAGE`. `TYPE` also needs an `impl Connector`.
///
/// The packages `cordon:connector` and `cordon:capability` are there without being copied.
#[proc_macro]
pub fn connector(input: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(input as Arguments);
    expand::connector(&arguments)
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}
