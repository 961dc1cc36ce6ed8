//! How a caller comes to be trusted, and what is said to one who is not (§1.3).

use cordon_lab::frame::ClientCertificate;
use cordon_lab::kata::{Approval, EXTERNAL_SYSTEM_ID, MissingCertificate};
use reqwest::Method;

use crate::support::{Caller, accepted, lab, lab_with, node};

#[tokio::test]
async fn a_caller_may_introduce_itself_over_the_scan_api() {
    let lab = lab_with(|options| options.kata.accepted = false).await;
    assert!(node(&lab).external_systems().is_empty());
    let caller = Caller::accepted(&lab);
    let url = format!(
        "{}/kata/scanner/v1/sensors/{EXTERNAL_SYSTEM_ID}/scans/state",
        caller.origin
    );
    let asked = caller.try_send(Method::GET, url.clone(), None).await;
    asked.unwrap().expect(401);
    node(&lab).accept(EXTERNAL_SYSTEM_ID, None).unwrap();
    let asked = caller.try_send(Method::GET, url, None).await;
    asked.unwrap().expect(204);
    caller.get("sensors").await.expect(200);
}

#[tokio::test]
async fn the_id_is_compared_without_regard_to_case_and_need_not_be_a_uuid() {
    let (lab, caller) = accepted().await;
    let lower = caller.clone().named(&EXTERNAL_SYSTEM_ID.to_lowercase());
    lower.get("sensors").await.expect(200);
    let other = caller.named("a%20b");
    other.get("sensors").await.expect(401);
    node(&lab).accept("A B", None).unwrap();
    other.get("sensors").await.expect(200);
}

#[tokio::test]
async fn without_a_certificate_nobody_is_registered() {
    let lab = lab().await;
    let nobody = Caller::with(&lab, None);
    nobody.get("sensors").await.expect(401);
    assert_eq!(node(&lab).external_systems().len(), 1);

    node(&lab)
        .switch(|switches| switches.missing_certificate = MissingCertificate::HtmlPage)
        .unwrap();
    let page = nobody.get("sensors").await.expect(400);
    assert_eq!(page.content_type, "text/html");
    assert!(page.text.contains("certificate"), "{}", page.text);
}

#[tokio::test]
async fn the_code_of_a_refusal_can_be_the_one_of_the_swapped_tables() {
    let lab = lab_with(|options| {
        options.kata.accepted = false;
        options.kata.switches.auth_code = 400;
    })
    .await;
    let refused = Caller::accepted(&lab).get("sensors").await.expect(400);
    assert_eq!(refused.text, r#"{"error":"Unauthorized"}"#);
}

#[tokio::test]
async fn several_certificates_of_one_id_are_approved_one_by_one() {
    let (lab, old) = accepted().await;
    let certificate = ClientCertificate::make("renewed").unwrap();
    let new = Caller::with(&lab, Some(&certificate));
    new.get("sensors").await.expect(401);
    node(&lab).accept(EXTERNAL_SYSTEM_ID, None).unwrap();
    new.get("sensors").await.expect(200);
    old.get("sensors").await.expect(200);

    let unclear = node(&lab).reject(EXTERNAL_SYSTEM_ID, None).unwrap_err();
    assert!(unclear.to_string().contains("SHA-256"), "{unclear}");
    let first = node(&lab).credentials().certificate.sha256();
    let rejected = node(&lab).reject(EXTERNAL_SYSTEM_ID, Some(&first)).unwrap();
    assert_eq!(rejected.approval, Approval::Rejected);
    old.get("sensors").await.expect(401);
    new.get("sensors").await.expect(200);
}

#[tokio::test]
async fn with_auto_accept_the_first_request_works_and_a_rejection_still_counts() {
    let lab = lab_with(|options| {
        options.kata.accepted = false;
        options.kata.switches.auto_accept = true;
    })
    .await;
    let caller = Caller::accepted(&lab);
    caller.get("sensors").await.expect(200);
    node(&lab).reject(EXTERNAL_SYSTEM_ID, None).unwrap();
    caller.get("sensors").await.expect(401);
}
