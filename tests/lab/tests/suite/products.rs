//! Which products a lab starts.

use cordon_lab::{Lab, Options, PRODUCTS, StartError};

use crate::support::{accepted, lab_with};

#[tokio::test]
async fn all_products_are_started_unless_some_are_chosen() {
    let lab = lab_with(|_| {}).await;
    let started = lab.simulators().iter().map(|one| one.product.name());
    assert_eq!(started.collect::<Vec<_>>(), PRODUCTS);
}

#[tokio::test]
async fn each_product_can_be_started_alone() {
    for name in PRODUCTS {
        let lab = lab_with(|options| options.only = vec![(*name).to_owned()]).await;
        let started = lab.simulators().iter().map(|one| one.product.name());
        assert_eq!(started.collect::<Vec<_>>(), [*name]);
        assert_eq!(lab.kata.started().is_some(), *name == "kata");
    }
}

#[tokio::test]
async fn an_unknown_product_is_refused_with_the_names_of_the_known_ones() {
    let mut options = Options::new().unwrap();
    options.only = vec!["kata".to_owned(), "kato".to_owned()];
    let error = Lab::start(options).await.unwrap_err();
    assert!(matches!(&error, StartError::UnknownProduct { name } if name == "kato"));
    assert_eq!(
        error.to_string(),
        format!(
            "there is no product `kato`; there are: {}",
            PRODUCTS.join(", ")
        )
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_of_kata_is_refused_unread() {
    let (lab, caller) = accepted().await;
    let body = " ".repeat(4 * 1024 * 1024 + 1);
    caller.post_text("settings", &body).await.expect(413);
    assert!(lab.kata.requests.all().is_empty());
}

#[tokio::test]
async fn kata_sends_its_answers_as_they_are_whatever_the_caller_takes() {
    let (_lab, caller) = accepted().await;
    let request = caller.http.get(caller.url("sensors"));
    let response = request
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers().get("content-encoding"), None);
    assert!(response.text().await.unwrap().starts_with('{'));
}
