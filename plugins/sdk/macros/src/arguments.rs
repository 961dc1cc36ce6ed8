//! What stands between the parentheses of `connector!(…)`.

use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitStr, Token};

/// Where the connector's own WIT is.
pub enum Source {
    /// A file or folder, relative to the crate's own.
    Path(String),
    /// The text itself.
    Inline(String),
}

/// The arguments of the macro.
pub struct Arguments {
    /// The type that implements the actions.
    pub connector: Ident,
    /// The world, where the package has more than one.
    pub world: Option<String>,
    /// The connector's own package.
    pub source: Source,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let connector = input.parse()?;
        let mut world = None;
        let mut source = None;
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            let value: LitStr = input.parse()?;
            match name.to_string().as_str() {
                "world" if world.is_none() => world = Some(value.value()),
                "wit" if source.is_none() => source = Some(Source::Path(value.value())),
                "inline" if source.is_none() => source = Some(Source::Inline(value.value())),
                "world" | "wit" | "inline" => {
                    return Err(Error::new(
                        name.span(),
                        "is given twice; `wit` and `inline` exclude each other",
                    ));
                }
                _ => {
                    return Err(Error::new(
                        name.span(),
                        "is not known; there are `world`, `wit` and `inline`",
                    ));
                }
            }
        }
        Ok(Self {
            connector,
            world,
            source: source.unwrap_or_else(|| Source::Path("wit".to_owned())),
        })
    }
}
