use proptest::prelude::*;

use super::*;
use crate::exchange::Encoding;
use crate::exchange::encode::encode;
use crate::secret::Secret;

fn scrubber(value: &[u8]) -> Scrubber {
    let mut secrets = Secrets::none();
    secrets.insert("token", Secret::new(value.to_vec()));
    Scrubber::new([&secrets])
}

fn check(secret: &str, text: &str, expected: &str) {
    assert_eq!(scrubber(secret.as_bytes()).scrub(text), expected);
}

#[test]
fn a_secret_is_replaced_wherever_it_stands_and_the_rest_stays() {
    check(
        "hunter2!",
        "your token was hunter2! and hunter2!.",
        "your token was [secret token] and [secret token].",
    );
    check(
        "hunter2!",
        "your token was hunter2 ",
        "your token was hunter2 ",
    );
}

#[test]
fn a_secret_is_found_in_the_escapes_of_urls_json_and_xml_in_any_mixture() {
    let secret = "p ä\"&/x";
    for echo in [
        "p%20%C3%A4%22%26%2Fx",
        "p+%c3%a4%22%26/x",
        "p \\u00e4\\\"&\\/x",
        "p \\u00E4\\u0022\\u0026/x",
        "p &#228;&quot;&amp;/x",
        "&#x70; &#xE4;&#34;&#038;/x",
    ] {
        check(secret, &format!("<{echo}>"), "<[secret token]>");
    }
}

#[test]
fn a_secret_is_found_in_base64_at_every_alignment_without_leaving_a_digit_of_it() {
    check(
        "hunter2!",
        &base64::engine::general_purpose::STANDARD.encode("hunter2!"),
        "[secret token]=",
    );
    for user in ["", "a", "ad", "admin", "administrator"] {
        let credentials =
            base64::engine::general_purpose::STANDARD.encode(format!("{user}:hunter2!:x"));
        let scrubber = scrubber(b"hunter2!");
        let clean = scrubber.scrub(&credentials);
        assert!(clean.contains("[secret token]"), "{credentials} -> {clean}");
    }
}

#[test]
fn base64_broken_into_lines_is_found_too() {
    let encoded = base64::engine::general_purpose::STANDARD
        .encode("a long secret that spans more than one line of a mail");
    let (first, second) = encoded.split_at(30);
    check(
        "a long secret that spans more than one line of a mail",
        &format!("{first}\r\n{second}"),
        "[secret token]=",
    );
}

#[test]
fn the_longer_of_two_secrets_wins_where_one_begins_with_the_other() {
    let mut secrets = Secrets::none();
    secrets.insert("short", Secret::new(b"abcd".to_vec()));
    secrets.insert("long", Secret::new(b"abcdefgh".to_vec()));
    assert_eq!(
        Scrubber::new([&secrets]).scrub("abcdefgh abcd"),
        "[secret long] [secret short]"
    );
}

#[test]
fn a_secret_that_is_no_text_is_found_in_binary_answers() {
    let secret = [0xff, 0x00, 0xfe, 0x80, 0x81];
    let mut body = b"\x00\x01".to_vec();
    body.extend(secret);
    assert_eq!(
        &*scrubber(&secret).scrub_bytes(&body),
        b"\x00\x01[secret token]"
    );
    assert_eq!(
        &*scrubber(&secret).scrub_bytes(b"%FF%00%fe%80%81"),
        b"[secret token]"
    );
}

proptest! {
    #[test]
    fn no_encoding_of_a_slot_brings_a_secret_back(
        secret in "[!-~äß€😀]{4,24}",
        before in "[ -~]{0,8}",
        after in "[ -~]{0,8}",
        encoding in prop::sample::select(vec![
            Encoding::None, Encoding::Base64, Encoding::Base64Url,
            Encoding::Percent, Encoding::JsonString, Encoding::XmlText,
        ]),
    ) {
        // Inside of the text that surrounds it, as in a joined part, and alone, as in a slot.
        let joined = encode(format!("{before}{secret}{after}").as_bytes(), encoding).unwrap();
        let slot = encode(secret.as_bytes(), encoding).unwrap();
        let scrubber = scrubber(secret.as_bytes());
        for echo in [&joined, &slot] {
            let clean = scrubber.scrub_bytes(echo);
            prop_assert!(clean.windows(14).any(|window| window == b"[secret token]"));
            if !before.contains(&secret) && !after.contains(&secret) && !"[secret token]".contains(&secret) {
                prop_assert!(!clean.windows(secret.len()).any(|window| window == secret.as_bytes()));
            }
        }
    }

    #[test]
    fn a_secret_of_any_bytes_is_found_amid_any_bytes(
        secret in prop::collection::vec(any::<u8>(), 4..12),
        before: Vec<u8>,
        after: Vec<u8>,
    ) {
        let body = [before.as_slice(), &secret, &after].concat();
        let clean = scrubber(&secret).scrub_bytes(&body).into_owned();
        prop_assert!(clean.windows(14).any(|window| window == b"[secret token]"));
    }

    #[test]
    fn what_holds_no_secret_stays_as_it_is(text in "[a-y \\\\%&;#+/=]{0,200}") {
        prop_assert!(matches!(scrubber(b"zzzzz").scrub(&text), Cow::Borrowed(_)));
    }
}
