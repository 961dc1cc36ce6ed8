//! Collecting a list that a product hands out in pages.

use crate::error::{Error, Result};

/// One page.
#[derive(Debug, Clone)]
pub struct Page<T, C> {
    /// What is on it, in the product's order.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub next: Option<C>,
}

/// All items of all pages, beginning at `first`. Ends with an error, instead of never, when the
/// product names the same page twice in a row or when there are more than `most` items.
///
/// # Errors
/// What `fetch` fails with; `protocol` for a product that goes in circles, and for too many items.
pub fn all<T, C: PartialEq>(
    first: C,
    most: usize,
    mut fetch: impl FnMut(&C) -> Result<Page<T, C>>,
) -> Result<Vec<T>> {
    let mut items = Vec::new();
    let mut cursor = first;
    loop {
        let page = fetch(&cursor)?;
        items.extend(page.items);
        if items.len() > most {
            return Err(Error::protocol(format!(
                "the product lists more than {most} items; ask for fewer"
            )));
        }
        match page.next {
            None => return Ok(items),
            Some(next) if next == cursor => {
                return Err(Error::protocol(
                    "the product names the same page as the next one again and again",
                ));
            }
            Some(next) => cursor = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn pages_of_any_size_are_joined_in_their_order() {
        let pages = [vec![1, 2], vec![], vec![3]];
        let items = all(0, 10, |page| {
            let next = (page + 1 < pages.len()).then_some(page + 1);
            Ok(Page {
                items: pages[*page].clone(),
                next,
            })
        });
        assert_eq!(items, Ok(vec![1, 2, 3]));
    }

    #[test]
    fn a_product_that_goes_in_circles_or_never_ends_is_an_error() {
        let circle = all("start", 10, |_| {
            Ok(Page {
                items: vec![1],
                next: Some("start"),
            })
        });
        let endless = all(0, 10, |page| {
            Ok(Page {
                items: vec![1],
                next: Some(page + 1),
            })
        });
        assert_eq!(circle.map_err(|error| error.kind), Err(ErrorKind::Protocol));
        assert_eq!(
            endless.map_err(|error| error.kind),
            Err(ErrorKind::Protocol)
        );
    }
}
