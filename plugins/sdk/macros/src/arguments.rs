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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        syn::parse_str::<Arguments>(text)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_type_is_enough_and_the_rest_has_names() {
        let arguments: Arguments = syn::parse_str("Kata").unwrap();
        assert!(matches!(arguments.source, Source::Path(path) if path == "wit"));
        let arguments: Arguments =
            syn::parse_str(r#"Kata, world: "kata", inline: "package a:b;","#).unwrap();
        assert_eq!(arguments.world.as_deref(), Some("kata"));
        assert!(matches!(arguments.source, Source::Inline(_)));
    }

    #[test]
    fn what_is_unknown_or_given_twice_is_refused() {
        assert_eq!(
            refusal(r#"Kata, path: "wit""#),
            "is not known; there are `world`, `wit` and `inline`"
        );
        assert_eq!(
            refusal(r#"Kata, wit: "a", inline: "b""#),
            "is given twice; `wit` and `inline` exclude each other"
        );
    }
}
