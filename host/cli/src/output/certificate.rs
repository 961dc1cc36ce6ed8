//! Certificates, for comparing with what a product's own screens show.

use std::time::{SystemTime, UNIX_EPOCH};

use cordon_connection::certificate::CertificateInfo;
use cordon_contract::units;

use super::neutral;
use super::paint::{self, Look, Tone};

/// What a certificate says, as a block; `now` in milliseconds since 1970.
#[must_use]
pub fn block(certificate: &CertificateInfo, now: i64, look: Look) -> String {
    let issuer = match (certificate.self_signed, certificate.is_ca) {
        (true, true) => "itself, as an authority".to_owned(),
        (true, false) => "itself".to_owned(),
        (false, _) => neutral::line(&certificate.issuer),
    };
    let names = match certificate.names.as_slice() {
        [] => "none".to_owned(),
        names => neutral::line(&names.join(", ")),
    };
    let validity = if now < certificate.not_before {
        look.paint(Tone::Bad, " (not yet)")
    } else if now > certificate.not_after {
        look.paint(Tone::Bad, " (expired)")
    } else {
        String::new()
    };
    let valid = format!(
        "{} until {}{validity}",
        day(certificate.not_before),
        day(certificate.not_after)
    );
    let lines = [
        ("subject", neutral::line(&certificate.subject)),
        ("issued by", issuer),
        ("names", names),
        ("valid", valid),
        (
            "fingerprint",
            format!("SHA-256 {}", fingerprint(&certificate.sha256)),
        ),
    ];
    let lines: Vec<String> = lines
        .iter()
        .map(|(label, text)| format!("{}{text}", look.paint(Tone::Faint, &paint::pad(label, 13))))
        .collect();
    lines.join("\n")
}

/// Hex digits as products show them: `AB:CD:…`.
#[must_use]
pub fn fingerprint(sha256: &str) -> String {
    let pairs: Vec<String> = sha256
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
        .collect();
    pairs.join(":")
}

/// Milliseconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn day(milliseconds: i64) -> String {
    units::format_timestamp(milliseconds)
        .and_then(|text| text.split('T').next().map(str::to_owned))
        .unwrap_or_else(|| "an impossible date".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_shown_for_comparing_and_says_when_it_is_expired() {
        let certificate = CertificateInfo {
            sha256: "ab12".repeat(16),
            subject: "CN=kata\x1b[2J".to_owned(),
            issuer: "CN=kata".to_owned(),
            names: vec!["kata.example".to_owned(), "10.0.0.1".to_owned()],
            not_before: 0,
            not_after: 86_400_000,
            self_signed: true,
            is_ca: false,
        };
        insta::assert_snapshot!(block(&certificate, 1_000, Look::PLAIN), @r"
        subject      CN=kata␛[2J
        issued by    itself
        names        kata.example, 10.0.0.1
        valid        1970-01-01 until 1970-01-02
        fingerprint  SHA-256 AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12:AB:12
        ");
        assert!(
            block(&certificate, 90_000_000, Look::PLAIN).contains("until 1970-01-02 (expired)")
        );
    }
}
