//! What independent clients see: programs that share no code, and no TLS library, with Cordon.
#![cfg(any(feature = "with-curl", feature = "with-python"))]
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

use std::process::Command;

use cordon_end_to_end::Lab;

const HOST: &str = "ws-design-11";

/// A lab in which the host is isolated for two hours, and the URL of its settings.
fn isolated() -> (Lab, String) {
    let lab = Lab::up();
    let contained = lab
        .automation()
        .cordon([
            "run",
            "contain_host",
            "--input",
            &format!("host={HOST}"),
            "--input",
            "isolate_for=2h",
        ])
        .run();
    contained.expect_code(0);
    let kata = lab.description()["products"]["kata"].clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let url = format!(
        "{}/kata/response_api/v1/{}/settings?sensor_id={}&settings_type=network_isolation",
        text(&kata["url"]),
        text(&kata["credentials"]["external_system_id"]),
        text(&lab.host(HOST)["sensor_id"]),
    );
    (lab, url)
}

/// Runs the client, and looks at what the product told it.
fn assert_told_of_two_hours(client: &mut Command) {
    let answer = client.output().unwrap();
    assert!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(answer[0]["autoTurnoffTimeoutInSec"], 7200, "{answer:#}");
}

#[cfg(feature = "with-curl")]
#[test]
fn curl_with_the_labs_certificates_sees_the_isolation_that_cordon_made() {
    let (lab, url) = isolated();
    let mut client = Command::new("curl");
    client
        .args(["--silent", "--show-error", "--fail", "--cacert"])
        .arg(lab.path_of("ca"))
        .arg("--cert")
        .arg(lab.path_of("client_certificate"))
        .arg("--key")
        .arg(lab.path_of("client_key"))
        .arg(url);
    assert_told_of_two_hours(&mut client);
}

#[cfg(feature = "with-python")]
#[test]
fn python_with_the_labs_certificates_sees_the_isolation_that_cordon_made() {
    const CLIENT: &str = "
import ssl, sys, urllib.request
ca, certificate, key, url = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(certificate, key)
sys.stdout.write(urllib.request.urlopen(url, context=context).read().decode())
";
    let (lab, url) = isolated();
    let mut client = Command::new("python3");
    client
        .args(["-c", CLIENT])
        .arg(lab.path_of("ca"))
        .arg(lab.path_of("client_certificate"))
        .arg(lab.path_of("client_key"))
        .arg(url);
    assert_told_of_two_hours(&mut client);
}
