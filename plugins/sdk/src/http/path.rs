//! Paths below the connection's base URL, made of segments.

/// Why data is no segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoSegment(pub String);

/// The path of these segments, each percent-encoded but for RFC 3986's unreserved characters. Empty
/// segments and `.` and `..` are refused: a server would read them as another path.
pub(super) fn join<S: AsRef<str>>(
    segments: impl IntoIterator<Item = S>,
) -> Result<String, NoSegment> {
    let mut path = String::new();
    for segment in segments {
        let segment = segment.as_ref();
        if matches!(segment, "" | "." | "..") {
            return Err(NoSegment(segment.to_owned()));
        }
        path.push('/');
        for byte in segment.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    path.push(char::from(byte))
                }
                _ => path.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    Ok(if path.is_empty() {
        "/".to_owned()
    } else {
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment_whatever_it_holds() {
        assert_eq!(
            join(["a", "b/../c?d#e", "ü x"]),
            Ok("/a/b%2F..%2Fc%3Fd%23e/%C3%BC%20x".to_owned())
        );
        assert_eq!(
            join(["tasks", "7f3a_~.-Z"]),
            Ok("/tasks/7f3a_~.-Z".to_owned())
        );
    }

    #[test]
    fn what_would_be_another_path_is_refused() {
        for segment in ["", ".", ".."] {
            assert_eq!(
                join(["a", segment, "b"]),
                Err(NoSegment(segment.to_owned()))
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn every_text_comes_back_whole_from_its_one_segment(text in "\\PC*") {
            let Ok(path) = join([&text]) else {
                assert!(matches!(text.as_str(), "" | "." | ".."));
                return Ok(());
            };
            let bytes = path[1..].split('%').enumerate().flat_map(|(index, piece)| match index {
                0 => piece.as_bytes().to_vec(),
                _ => [&[u8::from_str_radix(&piece[..2], 16).unwrap()], &piece.as_bytes()[2..]].concat(),
            });
            assert_eq!(bytes.collect::<Vec<u8>>(), text.as_bytes());
            assert!(path[1..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{path}");
        }
    }
}
