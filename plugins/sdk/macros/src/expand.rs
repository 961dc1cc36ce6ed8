//! The code that the macro leaves behind.

use heck::ToUpperCamelCase as _;
use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Ident};
use wit_bindgen_core::{Files, WorldGenerator as _, name_package_module};
use wit_bindgen_rust::{Opts, WithOption, to_rust_ident};

use crate::arguments::Arguments;
use crate::package::{Export, Package};

/// Where the SDK keeps what generated code needs and nobody else should touch.
const SDK: &str = "::cordon_sdk::bindings";

/// Everything that `connector!(…)` stands for.
pub fn connector(arguments: &Arguments) -> syn::Result<TokenStream> {
    let refuse = |message: String| Error::new(Span::call_site(), message);
    let mut package =
        Package::read(&arguments.source, arguments.world.as_deref()).map_err(refuse)?;
    let encoded = package.encoded().map_err(refuse)?;
    package.take_lifecycle().map_err(refuse)?;
    let exports = package.exports().map_err(refuse)?;

    let connector = &arguments.connector;
    let identity = identity(&package, &exports, connector);
    let views = views(&package, &exports)?;
    let watched = package
        .files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>();
    let bindings = bindings(&mut package).map_err(refuse)?;
    let (size, encoded) = (encoded.len(), Literal::byte_string(&encoded));
    let export = (!exports.is_empty())
        .then(|| quote! { bindings::export!(#connector with_types_in bindings); });

    Ok(quote! {
        #[doc(hidden)]
        #[allow(warnings, clippy::all, unsafe_code, reason = "generated; the component ABI takes and gives raw pointers")]
        mod __cordon {
            pub mod bindings { #bindings }

            #[cfg(target_arch = "wasm32")]
            mod exported {
                use super::{super::#connector, bindings};
                #export
                ::cordon_sdk::bindings::export_lifecycle!(#connector with_types_in ::cordon_sdk::bindings);

                #[used]
                #[unsafe(link_section = "cordon:wit")]
                static WIT: [u8; #size] = *#encoded;
            }

            #(const _: &[u8] = ::core::include_bytes!(#watched);)*
        }

        #views
        #identity
    })
}

/// The bindings of the world, with the contract's imports taken from the SDK.
fn bindings(package: &mut Package) -> Result<TokenStream, String> {
    let with = package
        .contract_imports()
        .map(|(full, name)| {
            let path = format!("{SDK}::cordon::connector::{}", to_rust_ident(name));
            (full, WithOption::Path(path))
        })
        .collect();
    let options = Opts {
        with,
        generate_all: true,
        runtime_path: Some(format!("{SDK}::rt")),
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        ..Opts::default()
    };
    let mut files = Files::default();
    options
        .build()
        .generate(&mut package.resolve, package.world, &mut files)
        .map_err(|error| format!("{error:#}"))?;
    let (_, source) = files.iter().next().ok_or("the bindings are empty")?;
    String::from_utf8_lossy(source)
        .parse()
        .map_err(|error| format!("the bindings are not Rust: {error}"))
}

/// `wit`: a module for each interface of actions, with its types and its trait.
fn views(package: &Package, exports: &[Export]) -> syn::Result<TokenStream> {
    let mut own = TokenStream::new();
    let mut foreign: Vec<(Ident, TokenStream)> = Vec::new();
    for export in exports {
        let interface = &package.resolve.interfaces[export.id];
        let Some(of) = interface.package else {
            continue;
        };
        let name = &package.resolve.packages[of].name;
        let namespace = ident(&to_rust_ident(&name.namespace))?;
        let module = ident(&name_package_module(&package.resolve, of))?;
        let view = ident(&to_rust_ident(package.interface_name(export.id)))?;
        let types = interface
            .types
            .keys()
            .map(|name| format_ident!("{}", type_name(name)));
        let docs = interface
            .docs
            .contents
            .as_deref()
            .unwrap_or("The interface's types and functions.");
        let up = if export.own {
            quote!(super::super)
        } else {
            quote!(super::super::super)
        };
        let path = quote!(#up::__cordon::bindings::exports::#namespace::#module::#view);
        let view = quote! {
            #[doc = #docs]
            pub mod #view {
                #[doc(inline)]
                pub use #path::{Guest as Actions, #(#types),*};
            }
        };
        if export.own {
            own.extend(view);
        } else if let Some((_, views)) = foreign.iter_mut().find(|(name, _)| *name == module) {
            views.extend(view);
        } else {
            foreign.push((module, view));
        }
    }
    let foreign = foreign.iter().map(|(name, views)| {
        let docs = format!("The interfaces of the package `{name}`.");
        quote! {
            #[doc = #docs]
            pub mod #name { #views }
        }
    });
    Ok(quote! {
        /// The interfaces that this connector exports: each with its types, and with the trait
        /// `Actions` that the connector implements.
        pub mod wit { #own #(#foreign)* }
    })
}

/// What the SDK needs to know about the connector beside its actions' code.
fn identity(package: &Package, exports: &[Export], connector: &Ident) -> TokenStream {
    let name = &package.resolve.packages[package.id].name.name;
    let functions = exports.iter().flat_map(|export| {
        let interface = package.interface_name(export.id);
        package.functions(export.id).map(move |function| {
            let prefix = if export.capability { format!("{interface}-") } else { String::new() };
            let action = format!("{prefix}{}", function.name);
            let parameters = function.params.iter().map(|parameter| &parameter.name);
            quote! { ::cordon_sdk::Function { action: #action, interface: #interface, parameters: &[#(#parameters),*] } }
        })
    });
    quote! {
        impl ::cordon_sdk::Identity for #connector {
            const NAME: &'static str = #name;
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
            const DESCRIPTION: &'static str = ::core::env!("CARGO_PKG_DESCRIPTION");
            const FUNCTIONS: &'static [::cordon_sdk::Function] = &[#(#functions),*];
        }
    }
}

/// The Rust name that wit-bindgen gives a type.
fn type_name(name: &str) -> String {
    match name {
        "guest" => "Guest_".to_owned(),
        name => name.to_upper_camel_case(),
    }
}

fn ident(name: &str) -> syn::Result<Ident> {
    syn::parse_str(name)
        .map_err(|_| Error::new(Span::call_site(), format!("`{name}` is no name in Rust")))
}
