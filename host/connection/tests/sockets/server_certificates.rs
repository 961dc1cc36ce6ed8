//! Whom a connection trusts, for every way in which a server's certificate can be right or wrong.

use cordon_connection::{Delivery, FailureKind, HttpFailure};

use crate::fixture::{Authority, Certified, Kind, Server, Setup, TLS_VERSIONS, Tls, answer, get};

const OTHER_NAME: Kind = Kind {
    common_name: "other.test",
    names: Vec::new(),
    is_ca: false,
    valid: 2020..2120,
};

async fn serve(certificate: &Certified) -> Server {
    Server::start(Some(Tls::with(certificate.clone())), |_| {
        answer(200, &[], "ok")
    })
    .await
}

async fn accepted(certificate: &Certified, tls: impl Fn(Setup) -> Setup) {
    for versions in TLS_VERSIONS {
        let tls_of_server = Tls {
            versions,
            ..Tls::with(certificate.clone())
        };
        let server = Server::start(Some(tls_of_server), |_| answer(200, &[], "ok")).await;
        let connection = tls(Setup::to_server(&server)).open();
        assert_eq!(
            get(&connection, "/")
                .await
                .unwrap_or_else(|failure| panic!("{failure}"))
                .status,
            200
        );
    }
}

async fn refused(certificate: &Certified, tls: impl Fn(Setup) -> Setup, reason: &[&str]) {
    let server = serve(certificate).await;
    let failure: HttpFailure = get(&tls(Setup::to_server(&server)).open(), "/")
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Tls, Delivery::NotSent),
        "{failure}"
    );
    for part in reason {
        assert!(
            failure.message.contains(part),
            "`{part}` is not in: {failure}"
        );
    }
    assert!(server.received().is_empty());
}

fn pin(sha256: &str) -> impl Fn(Setup) -> Setup {
    let lines = format!("[tls]\npin_sha256 = \"{sha256}\"");
    move |setup| setup.with(&lines)
}

fn ca(pem: &str) -> impl Fn(Setup) -> Setup {
    let pem = pem.to_owned();
    move |setup| setup.with_ca(&pem)
}

/// Every form of self-signed certificate that appliances are shipped with.
fn self_signed_forms() -> Vec<(&'static str, Certified)> {
    let plain = Certified::self_signed(&Kind::server());
    vec![
        ("with names", plain.clone()),
        (
            "a CA in the server's place",
            Certified::self_signed(&Kind {
                is_ca: true,
                ..Kind::server()
            }),
        ),
        (
            "a common name and nothing else",
            Certified::self_signed(&Kind {
                names: vec![],
                ..Kind::server()
            }),
        ),
        ("another name", Certified::self_signed(&OTHER_NAME)),
        ("version 1", plain.as_version_1()),
    ]
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused_with_its_fingerprint_and_the_command_to_trust_it()
 {
    for (form, certificate) in self_signed_forms() {
        println!("{form}");
        let sha256 = certificate.sha256();
        refused(
            &certificate,
            |setup| setup,
            &["self-signed", &sha256, "cordon connection trust edr"],
        )
        .await;
    }
}

#[tokio::test]
async fn a_self_signed_server_is_trusted_by_its_own_certificate_in_every_form() {
    for (form, certificate) in self_signed_forms() {
        println!("{form}");
        accepted(&certificate, ca(&certificate.pem)).await;
    }
}

#[tokio::test]
async fn a_self_signed_server_is_trusted_by_its_pin_in_every_form() {
    for (form, certificate) in self_signed_forms() {
        println!("{form}");
        accepted(&certificate, pin(&certificate.sha256())).await;
    }
}

#[tokio::test]
async fn another_certificate_with_the_same_words_is_not_the_one_that_is_trusted() {
    let (known, other) = (
        Certified::self_signed(&Kind::server()),
        Certified::self_signed(&Kind::server()),
    );
    refused(&other, ca(&known.pem), &["self-signed", &other.sha256()]).await;
}

#[tokio::test]
async fn a_trusted_server_certificate_vouches_for_no_other() {
    // Signed by the key of a certificate that is no CA.
    let leaf = Authority::new("leaf");
    let issued = leaf.issue(&Kind::server());
    let unmarked = Certified::self_signed(&Kind {
        common_name: "leaf",
        names: vec![],
        is_ca: false,
        valid: 2020..2120,
    });
    refused(
        &issued,
        ca(&unmarked.pem),
        &["issued by CN=leaf", "not trusted"],
    )
    .await;
}

#[tokio::test]
async fn a_server_of_a_trusted_ca_is_accepted_under_its_name_only() {
    let authority = Authority::new("Example CA");
    accepted(&authority.issue(&Kind::server()), ca(&authority.pem)).await;

    let elsewhere = Kind {
        names: vec!["other.test"],
        ..OTHER_NAME
    };
    refused(
        &authority.issue(&elsewhere),
        ca(&authority.pem),
        &["is for other.test", "not for 127.0.0.1"],
    )
    .await;
    refused(
        &authority.issue(&OTHER_NAME),
        ca(&authority.pem),
        &["is for no name at all"],
    )
    .await;
}

#[tokio::test]
async fn a_bundle_may_hold_several_cas() {
    let (first, second) = (Authority::new("First"), Authority::new("Second"));
    accepted(
        &second.issue(&Kind::server()),
        ca(&format!("{}\n{}", first.pem, second.pem)),
    )
    .await;
}

#[tokio::test]
async fn a_server_of_an_unknown_ca_is_refused_with_the_name_of_that_ca() {
    let (known, unknown) = (Authority::new("Known"), Authority::new("Unknown"));
    refused(
        &unknown.issue(&Kind::server()),
        ca(&known.pem),
        &["issued by CN=Unknown", "under `[tls]`"],
    )
    .await;
}

#[tokio::test]
async fn dates_are_checked_whatever_is_trusted() {
    let expired = Certified::self_signed(&Kind {
        valid: 2001..2002,
        ..Kind::server()
    });
    let early = Certified::self_signed(&Kind {
        valid: 2119..2120,
        ..Kind::server()
    });
    refused(
        &expired,
        ca(&expired.pem),
        &["expired at 2002-01-01T00:00:00Z"],
    )
    .await;
    refused(
        &expired,
        pin(&expired.sha256()),
        &["expired at 2002-01-01T00:00:00Z"],
    )
    .await;
    refused(
        &early,
        ca(&early.pem),
        &["not valid before 2119-01-01T00:00:00Z", "clocks"],
    )
    .await;
    let authority = Authority::new("Example CA");
    let expired = authority.issue(&Kind {
        valid: 2001..2002,
        ..Kind::server()
    });
    refused(&expired, ca(&authority.pem), &["expired at 2002"]).await;
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused_and_both_are_shown() {
    let (pinned, presented) = (
        Certified::self_signed(&Kind::server()),
        Certified::self_signed(&Kind::server()),
    );
    let reason = [pinned.sha256(), presented.sha256()];
    refused(
        &presented,
        pin(&pinned.sha256()),
        &[&reason[0], &reason[1], "somebody may stand between"],
    )
    .await;
}

#[tokio::test]
async fn a_pin_beside_a_ca_needs_both_to_hold() {
    let authority = Authority::new("Example CA");
    let (right, renewed) = (
        authority.issue(&Kind::server()),
        authority.issue(&Kind::server()),
    );
    let both = |pem: &str, sha256: &str| {
        let (pem, line) = (pem.to_owned(), format!("pin_sha256 = \"{sha256}\""));
        move |setup: Setup| setup.with_ca(&pem).with(&line)
    };
    accepted(&right, both(&authority.pem, &right.sha256())).await;
    refused(
        &renewed,
        both(&authority.pem, &right.sha256()),
        &["another certificate than the pinned one"],
    )
    .await;
    let other = Authority::new("Other CA");
    refused(
        &right,
        both(&other.pem, &right.sha256()),
        &["issued by CN=Example CA"],
    )
    .await;
}

#[tokio::test]
async fn insecure_trusts_everybody_when_written_out() {
    let expired = Certified::self_signed(&Kind {
        valid: 2001..2002,
        ..OTHER_NAME
    });
    accepted(&expired, |setup| setup.with("[tls]\ninsecure = true")).await;
}

#[tokio::test]
async fn a_server_that_does_not_hold_the_key_of_its_certificate_is_refused_even_then() {
    let certificate = Certified::self_signed(&Kind::server());
    let stolen = Certified::self_signed(&Kind::server()).presenting(&certificate);
    for versions in TLS_VERSIONS {
        let server = Server::start(
            Some(Tls {
                versions,
                ..Tls::with(stolen.clone())
            }),
            |_| answer(200, &[], "ok"),
        )
        .await;
        for tls in [
            "[tls]\ninsecure = true".to_owned(),
            format!("[tls]\npin_sha256 = \"{}\"", certificate.sha256()),
        ] {
            let failure = get(&Setup::to_server(&server).with(&tls).open(), "/")
                .await
                .unwrap_err();
            assert_eq!(
                (failure.kind, failure.delivery),
                (FailureKind::Tls, Delivery::NotSent),
                "{tls}: {failure}"
            );
        }
        assert!(server.received().is_empty());
    }
}

#[tokio::test]
async fn a_server_without_tls_is_said_to_have_none() {
    let server = Server::plain(|_| answer(200, &[], "ok")).await;
    let connection = Setup::to(format!("https://127.0.0.1:{}", server.port))
        .with("[limits]\ntimeout = \"2s\"")
        .open();
    let failure = get(&connection, "/").await.unwrap_err();
    assert_eq!(failure.delivery, Delivery::NotSent, "{failure}");
}
